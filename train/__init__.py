"""Programs that make what msroi ships: networks and encoder tables. They import msroi, never the reverse."""
