"""Skips, counted by reason in a run's last lines, and `--most-skipped`: the share of the suite that may be left out.

A suite that passes because half of it was skipped has shown half of what it seems to show. A file that is skipped as a
whole counts with all test functions that it holds.
"""

from __future__ import annotations

import ast
import collections
from pathlib import Path
from typing import Any

import pytest

# path of a file that was skipped as a whole -> reason; from all of pytest-xdist's workers
_FILES = pytest.StashKey[dict[str, str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    text = "fail where so many per cent of the tests or more are skipped"
    parser.addoption("--most-skipped", type=float, metavar="PERCENT", help=text)


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_FILES] = {}


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Any:
    report = yield
    if report.outcome == "skipped" and isinstance(collector, pytest.File):
        collector.config.stash[_FILES][str(collector.path)] = _reason(report.longrepr)
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of pytest-xdist hands over what it left out; the one that writes the summary judges."""
    worker = getattr(session.config, "workeroutput", None)
    if worker is not None:
        worker["skipped_files"] = session.config.stash[_FILES]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    node.config.stash[_FILES].update(getattr(node, "workeroutput", {}).get("skipped_files", {}))


class Count:
    """Of one run: reason -> tests that were skipped for it, and how many tests there are."""

    def __init__(self, stats: dict[str, list[Any]], files: dict[str, str]) -> None:
        self.reasons: collections.Counter[str] = collections.Counter()
        for report in stats.get("skipped", []):
            if isinstance(report, pytest.TestReport):
                self.reasons[_reason(report.longrepr)] += 1
        for path, reason in files.items():
            self.reasons[reason] += functions_in(Path(path))
        run = sum(len(stats.get(kind, [])) for kind in ("passed", "failed", "xfailed", "xpassed"))
        self.skipped = sum(self.reasons.values())
        self.total = run + self.skipped

    @property
    def percent(self) -> float:
        return 100 * self.skipped / self.total if self.total else 0.0

    def lines(self) -> list[str]:
        rows = [f"{number:6}  {reason}" for reason, number in self.reasons.most_common()]
        return [*rows, f"{self.skipped} of {self.total} tests skipped, {self.percent:.1f} %"]


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    count = Count(terminalreporter.stats, config.stash[_FILES])
    if count.skipped:
        terminalreporter.section("skipped, by reason")
        for line in count.lines():
            terminalreporter.line(line)
    most = config.getoption("--most-skipped")
    if most is not None and count.percent >= most:
        terminalreporter.line(f"FAILED: {most:g} % and more of the tests are skipped", red=True)
        terminalreporter._session.exitstatus = pytest.ExitCode.TESTS_FAILED


def functions_in(path: Path) -> int:
    """Test functions in a file, each counted once, whatever it is parametrised with."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return sum(isinstance(node, ast.FunctionDef) and node.name.startswith("test_") for node in ast.walk(tree))


def _reason(longrepr: Any) -> str:
    """(file, line, "Skipped: why") -> why."""
    text = longrepr[2] if isinstance(longrepr, tuple) else str(longrepr)
    return text.removeprefix("Skipped: ")
