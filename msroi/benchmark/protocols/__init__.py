"""The papers' protocols by name: what they code, at which targets, and the tables they print."""

from __future__ import annotations

from msroi.benchmark.protocols import ms_roi_2018, wang_2019
from msroi.benchmark.protocols.tables import Protocol, Table, bd_rate_tables, correlation_tables, rate_tables
from msroi.benchmark.targets import Target

__all__ = ["PROTOCOLS", "Protocol", "Table", "bd_rate_tables", "correlation_tables", "rate_tables"]

# Ten rates, each 1.22 times the one before.
_RATES = (0.25, 0.3, 0.37, 0.45, 0.55, 0.68, 0.83, 1.0, 1.23, 1.5)

PROTOCOLS: dict[str, Protocol] = {
    "ms-roi-2018": ms_roi_2018.PROTOCOL,
    "rate-distortion": Protocol(
        "ten rates from 0.25 to 1.5 bits per pixel: curves, BD-rates, SI-SSIM beside SSIM",
        tuple(Target(bpp=rate) for rate in _RATES),
        None,
        rate_tables,
    ),
    "wang-2019": wang_2019.PROTOCOL,
}
