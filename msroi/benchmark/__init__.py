"""Encoders against each other at equal bytes: rows, statistics, a page.

    inputs (pictures, masks, fixations) --> measuring (encoders, targets, scores) --> rows --> summary --> page

`run.run` does all of it; encoders are in `encoders`, other programs in `commands`, the papers' protocols in
`protocols`.
"""
