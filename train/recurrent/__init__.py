"""The recurrent codec: `python -m train.recurrent` trains it, `python -m train.recurrent.contexts` makes what ships."""
