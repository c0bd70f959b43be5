"""The search for a target, below all codecs: it knows knobs, sizes and verdicts, nothing of what is coded."""
