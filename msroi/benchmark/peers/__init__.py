"""The encoders that pictures are coded with, a file a family; `msroi.benchmark.encoders` has the table."""
