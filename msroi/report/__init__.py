"""Pages that show what was measured: one HTML file each, which needs no network and no server."""

from __future__ import annotations

from msroi.report.page import Candidate, comparison_page

__all__ = ["Candidate", "comparison_page"]
