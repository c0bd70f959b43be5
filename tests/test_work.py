"""Several tasks at a time: order, bad tasks, bounds, and what an interrupt leaves."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from msroi.cli import main
from msroi.errors import ImageError
from msroi.work import Budget, Failed, in_order
from msroi.work.inputs import expand
from msroi.work.processes import Died, TookTooLong, run_tasks


@pytest.mark.parametrize("n_jobs", [1, 2, 5, 50])
def test_results_come_in_the_order_of_the_tasks(n_jobs: int) -> None:
    gates = [threading.Event() for _ in range(20)]

    def work(task: int) -> int:
        # With several jobs the first tasks wait for those behind them: they end in another order.
        if n_jobs > 1 and task % 2 == 0 and task + 1 < len(gates):
            assert gates[task + 1].wait(20)
        gates[task].set()
        return task * task

    assert list(in_order(range(20), work, n_jobs)) == [(task, task * task) for task in range(20)]


@pytest.mark.parametrize("n_jobs", [1, 3])
def test_a_bad_task_stops_no_other(n_jobs: int) -> None:
    def work(task: int) -> float:
        return 12 / task

    results = [made for _, made in in_order([1, 0, 3], work, n_jobs)]
    assert results[0] == 12 and results[2] == 4
    assert isinstance(results[1], Failed) and isinstance(results[1].error, ZeroDivisionError)


def test_no_more_than_asked_for_run_at_a_time_and_few_results_wait() -> None:
    lock, counts = threading.Lock(), {"running": 0, "most": 0, "begun": 0}
    both = threading.Barrier(2, timeout=20)

    def work(task: int) -> None:
        with lock:
            counts["running"] += 1
            counts["begun"] += 1
            counts["most"] = max(counts["most"], counts["running"])
        if task < 2:
            both.wait()  # two do run at once
        with lock:
            counts["running"] -= 1

    for place, _ in enumerate(in_order(range(40), work, 2)):
        with lock:
            assert counts["begun"] <= place + 1 + 2 * 2
    assert counts == {"running": 0, "most": 2, "begun": 40}


def test_who_stops_asking_stops_what_has_not_begun() -> None:
    begun: list[int] = []
    gate = threading.Event()

    def work(task: int) -> int:
        begun.append(task)
        if task:
            gate.wait(20)
        return task

    results = in_order(range(100), work, 2)
    assert next(results) == (0, 0)
    results.close()
    gate.set()
    assert max(begun) < 6


def test_the_budget_is_shared_by_the_jobs() -> None:
    assert Budget.of(1, None, 4) == Budget(1, 4)
    assert Budget.of(10, None, 4) == Budget(4, 1)
    assert Budget.of(100, None, 64) == Budget(8, 8)
    assert Budget.of(3, 2, 8) == Budget(2, 4)
    assert Budget.of(10, 6, 2) == Budget(6, 1)
    assert Budget.of(0, None, 2) == Budget(1, 2)
    assert Budget.of(10).n_threads >= 1


def test_keeping_memory_changes_no_bytes() -> None:
    code = (
        "import sys, numpy as np, msroi\n"
        "from msroi.work import keep_memory\n"
        "if sys.argv[1] == 'keep':\n"
        "    keep_memory()\n"
        "picture = np.tile(np.arange(256, dtype=np.uint8), (300, 4))\n"
        "for quality in (40, 60):\n"
        "    sys.stdout.buffer.write(msroi.compress(picture, map_kind='none', quality=quality).data)\n"
    )
    kept, usual = (
        subprocess.run([sys.executable, "-c", code, how], capture_output=True, check=True).stdout
        for how in ("keep", "no")
    )
    assert kept == usual and kept.startswith(b"\xff\xd8")


# --- processes --------------------------------------------------------------------------------------


def _fragile(setup: str) -> Any:
    def handle(task: int) -> Iterator[str]:
        yield f"{setup} {task}"
        if task == 2:
            os._exit(7)
        yield "done"

    return handle


def test_a_process_that_dies_fails_its_own_task_alone() -> None:
    results: dict[int, list[Any]] = {}
    for task, result in run_tasks(_fragile, "task", range(5), 2):
        results.setdefault(task, []).append(result)
    assert results.pop(2) == ["task 2", Died(7)]
    assert results == {task: [f"task {task}", "done"] for task in (0, 1, 3, 4)}
    assert str(Died(-9)) == "its process died (signal 9)"


def _slow(setup: str) -> Any:
    def handle(task: int) -> Iterator[str]:
        yield f"{setup} {task}"
        if task in (1, 3):
            threading.Event().wait()  # for ever
        yield "done"

    return handle


def test_a_task_that_takes_too_long_is_ended_alone() -> None:
    results: dict[int, list[Any]] = {}
    for task, result in run_tasks(_slow, "task", range(5), 2, seconds=1):
        results.setdefault(task, []).append(result)
    assert [results.pop(task) for task in (1, 3)] == [[f"task {task}", TookTooLong(1)] for task in (1, 3)]
    assert results == {task: [f"task {task}", "done"] for task in (0, 2, 4)}
    assert str(TookTooLong(1.5)) == "took more than 1.5 seconds and was ended"


def test_whoever_stops_asking_leaves_no_process_behind() -> None:
    before = set(multiprocessing.active_children())
    running = run_tasks(_slow, "task", range(5), 2)
    assert next(running)[1].startswith("task")
    mine = set(multiprocessing.active_children()) - before
    assert mine
    running.close()
    for process in mine:
        process.join(10)
        assert not process.is_alive()


def test_a_file_over_the_limit_is_told_in_the_words_of_library_and_command(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("large.bin").write_bytes(bytes(2_000))
    (item,), _ = expand(["large.bin"])
    with pytest.raises(ImageError, match=r"large\.bin: more than 1,000 bytes; raise `max_bytes`"):
        item.read(1_000)
    assert item.read(2_000) == bytes(2_000)
    assert main(["info", "large.bin", "--limit-bytes", "1000"]) == ImageError.exit_status
    assert "more than 1,000 bytes; raise --limit-bytes to look into it" in capsys.readouterr().err
