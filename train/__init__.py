"""Programs that make what msroi ships: networks and encoder tables. They import msroi, never the reverse.

    data        photos with labels, masks and fixations; what is cut out of them
    common      what every training program does: command, loop, checkpoints, averages, learning curve, shipping
    saliency    the MS-ROI network: `python -m train.saliency`, `python -m train.saliency.export`
    recurrent   the recurrent codec: `python -m train.recurrent`, `python -m train.recurrent.contexts`
    vae         the autoencoder: `python -m train.vae`
    encoder     the rdo encoder's tables: `python -m train.encoder.search`
    studies     what measures: maps, encoders, speed; `python -m train.studies.maps` and others

`data` and `common` know no network; a network's room knows no other's; `studies` may use them all.
"""
