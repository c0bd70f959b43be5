"""Range coding of symbols on integer frequency tables, by `constriction`.

    tables = FrequencyTables(frequencies)                    # rows of integers, each adds up to 65,536
    encoder = RangeEncoder()
    encoder.encode(symbols, tables, index)                   # symbol i by row index[i]
    symbols = RangeDecoder(encoder.data()).decode(tables, index)

Both directions take their probabilities from the same integers, so a file decodes on every machine whose
caller arrives at the same `index`.
"""

from __future__ import annotations

from msroi.entropy.range_coder import RangeDecoder, RangeEncoder
from msroi.entropy.tables import BIT_TABLES, TOTAL, FrequencyTables, round_to_total

__all__ = ["BIT_TABLES", "TOTAL", "FrequencyTables", "RangeDecoder", "RangeEncoder", "round_to_total"]
