"""Workers: results, progress, cancel, death, bounds; with real processes."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib.errors import Cancelled, DataError, LimitError, MarginaliaError
from lib.jobs import Pool
from lib.sources import Run

ROOT = Path(__file__).resolve().parents[2]
SOON = 20.0


@pytest.fixture
def pool() -> Iterator[Pool]:
    made = Pool(1)
    yield made
    made.close()


def ignore(_share: float, _words: str) -> None:
    pass


def ids(pool: Pool) -> list[int]:
    return [worker.process.pid for worker in pool._all]  # pyright: ignore[reportPrivateUsage]


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def until(holds: object) -> None:
    end = time.monotonic() + SOON
    while not holds():  # type: ignore[operator]
        assert time.monotonic() < end, "it has not happened"
        time.sleep(0.01)


def in_thread(pool: Pool, seconds: float, run: Run) -> tuple[threading.Thread, list[object]]:
    told: list[object] = []

    def do() -> None:
        try:
            told.append(pool.work("rest", seconds, run=run, on_progress=lambda share, words: told.append(words)))
        except MarginaliaError as error:
            told.append(error)

    thread = threading.Thread(target=do)
    thread.start()
    return thread, told


def test_a_task_gives_its_result_and_tells_how_far_it_is(pool: Pool) -> None:
    seen: list[float] = []
    assert pool.work("rest", 0.3, run=Run(), on_progress=lambda share, _words: seen.append(share)) == 0.3
    assert seen
    assert seen == sorted(seen)


def test_the_same_process_takes_the_next_task(pool: Pool) -> None:
    pool.warm("rest", 0.01, run=Run())
    (before,) = ids(pool)
    for _task in range(3):
        pool.work("rest", 0.01, run=Run(), on_progress=ignore)
    assert ids(pool) == [before]


def test_who_has_something_done_does_not_wait_for_the_warming(pool: Pool) -> None:
    warming = Run()

    def warm() -> None:
        with contextlib.suppress(Cancelled):
            pool.warm("rest", 60.0, run=warming)

    thread = threading.Thread(target=warm)
    thread.start()
    until(lambda: ids(pool))
    heard: list[str] = []
    assert pool.work("rest", 0.01, run=Run(), on_progress=lambda _share, words: heard.append(words)) == 0.01
    assert "Waiting for another computation to end" not in heard
    assert len(ids(pool)) == 2
    warming.cancel()
    thread.join(SOON)
    assert len(ids(pool)) == 1


@pytest.mark.parametrize("is_first", [True, False])
def test_a_warm_process_is_kept_rather_than_another(pool: Pool, *, is_first: bool) -> None:
    seconds = (0.05, 1.0) if is_first else (1.0, 0.05)
    thread = threading.Thread(target=lambda: pool.warm("rest", seconds[0], run=Run()))
    thread.start()
    until(lambda: ids(pool))
    (warm,) = ids(pool)
    other, _told = in_thread(pool, seconds[1], Run())
    thread.join(SOON)
    other.join(SOON)
    assert ids(pool) == [warm]
    assert not thread.is_alive()
    pool.work("rest", 0.01, run=Run(), on_progress=ignore)
    assert ids(pool) == [warm]


def test_cancelling_ends_the_process_at_once(pool: Pool) -> None:
    run = Run()
    thread, told = in_thread(pool, 60.0, run)
    until(lambda: told)
    (pid,) = ids(pool)
    run.cancel()
    began = time.monotonic()
    thread.join(SOON)
    assert time.monotonic() - began < 5
    assert isinstance(told[-1], Cancelled)
    assert not is_alive(pid)
    assert pool.work("rest", 0.01, run=Run(), on_progress=ignore) == 0.01


def test_who_waits_is_told_and_can_be_cancelled(pool: Pool) -> None:
    first, second = Run(), Run()
    at_work, told = in_thread(pool, 60.0, first)
    until(lambda: told)
    waiting, heard = in_thread(pool, 0.01, second)
    until(lambda: heard)
    assert heard[0] == "Waiting for another computation to end"
    second.cancel()
    waiting.join(SOON)
    assert isinstance(heard[-1], Cancelled)
    assert len(ids(pool)) == 1
    first.cancel()
    at_work.join(SOON)


def test_a_killed_worker_is_replaced_and_it_is_said(pool: Pool) -> None:
    thread, told = in_thread(pool, 60.0, Run())
    until(lambda: told)
    (pid,) = ids(pool)
    os.kill(pid, signal.SIGKILL)
    thread.join(SOON)
    assert isinstance(told[-1], LimitError)
    assert "killed by signal 9" in str(told[-1])
    assert pool.work("rest", 0.01, run=Run(), on_progress=ignore) == 0.01
    assert ids(pool) != [pid]


def test_a_worker_that_was_killed_between_two_tasks_is_replaced_too(pool: Pool) -> None:
    pool.work("rest", 0.01, run=Run(), on_progress=ignore)
    (pid,) = ids(pool)
    os.kill(pid, signal.SIGKILL)
    until(lambda: pool._idle[0].process.poll() is not None)  # pyright: ignore[reportPrivateUsage]
    assert pool.work("rest", 0.01, run=Run(), on_progress=ignore) == 0.01


def test_what_a_task_does_not_expect_is_a_sentence_not_a_traceback(pool: Pool) -> None:
    with pytest.raises(MarginaliaError, match="Something went wrong inside Marginalia") as caught:
        pool.work("rest", "soon", run=Run(), on_progress=ignore)
    assert "Traceback" not in str(caught.value)
    assert not isinstance(caught.value, DataError)
    assert pool.work("rest", 0.01, run=Run(), on_progress=ignore) == 0.01


def test_memory_is_bounded() -> None:
    pool = Pool(1, memory_limit=300_000_000)
    try:
        with pytest.raises(LimitError, match="memory"):
            pool.work("rest", 0.01, b"x" * 400_000_000, run=Run(), on_progress=ignore)
    finally:
        pool.close()


def test_workers_end_when_the_server_does() -> None:
    script = (
        "import os, signal\nfrom lib.jobs import shared_pool\nfrom lib.sources import Run\n"
        "pool = shared_pool()\npool.warm('rest', 0.01, run=Run())\n"
        "print([worker.process.pid for worker in pool._all][0], flush=True)\nos.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    pid = int(done.stdout)
    until(lambda: not is_alive(pid) or Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z")
