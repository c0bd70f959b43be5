"""What turns pixels and a map into a file and back: JPEG encoders in `jpeg/`, neural codecs in `neural/`."""
