"""The MS-ROI network: `python -m train.saliency` trains it, `python -m train.saliency.export` makes what ships."""
