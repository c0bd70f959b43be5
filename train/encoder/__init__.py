"""The rdo encoder's tables: what a set of them is worth, and the search for a better one."""
