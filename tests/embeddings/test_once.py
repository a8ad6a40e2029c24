"""Two that ask for the same at the same time: it is worked out once, and again where the first one did not end it."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from lib.embeddings import EmbeddingDiagnosis
from lib.embeddings.diagnosis import ELSEWHERE
from lib.errors import Cancelled
from lib.sources import Run

SOON = 20.0


class Work:
    """Work that goes on until it is told to end, and what was told of those who ask for it."""

    def __init__(self, diagnosis: EmbeddingDiagnosis, wanted: str) -> None:
        self.begun, self.may_end, self.waits = threading.Semaphore(0), threading.Event(), threading.Event()
        self.calls = 0
        self._diagnosis, self._wanted = diagnosis, (wanted,)

    def do(self, run: Run) -> int:
        self.calls += 1
        self.begun.release()
        while not self.may_end.wait(0.005):
            run.check()
        return self.calls

    def ask(self, run: Run) -> tuple[threading.Thread, list[object]]:
        """Ask for it in a thread of its own; what comes of it is in the list."""
        told: list[object] = []

        def report(_share: float, words: str) -> None:
            assert words == ELSEWHERE
            self.waits.set()

        def ask() -> None:
            try:
                told.append(self._diagnosis.once(self._wanted, lambda: self.do(run), run, report))
            except Cancelled as error:
                told.append(error)

        thread = threading.Thread(target=ask)
        thread.start()
        return thread, told

    def begin_twice(self, first: Run, second: Run) -> tuple[Callable[[], list[object]], Callable[[], list[object]]]:
        """Two that ask, the second while the first is at work; each gives what came of it, once it is over."""
        asked = [self.ask(first)]
        assert self.begun.acquire(timeout=SOON)
        asked.append(self.ask(second))
        assert self.waits.wait(SOON)

        def join(thread: threading.Thread, told: list[object]) -> list[object]:
            thread.join(SOON)
            assert not thread.is_alive()
            return told

        (one, two) = asked
        return lambda: join(*one), lambda: join(*two)


def test_the_second_takes_what_the_first_has_worked_out(diagnosis: EmbeddingDiagnosis) -> None:
    work = Work(diagnosis, "asked twice")
    first, second = work.begin_twice(Run(), Run())
    assert not diagnosis.holds("asked twice")
    work.may_end.set()
    assert (first(), second()) == ([1], [1])
    assert work.calls == 1
    assert diagnosis.holds("asked twice")


def test_who_waits_can_be_cancelled_and_the_first_goes_on(diagnosis: EmbeddingDiagnosis) -> None:
    work, run = Work(diagnosis, "second cancelled"), Run()
    first, second = work.begin_twice(Run(), run)
    run.cancel()
    assert isinstance(second()[0], Cancelled)
    work.may_end.set()
    assert first() == [1]


def test_who_waits_begins_anew_where_the_first_is_cancelled(diagnosis: EmbeddingDiagnosis) -> None:
    work, run = Work(diagnosis, "first cancelled"), Run()
    first, second = work.begin_twice(run, Run())
    run.cancel()
    assert isinstance(first()[0], Cancelled)
    assert work.begun.acquire(timeout=SOON)
    work.may_end.set()
    assert second() == [2]


def test_what_failed_is_not_held(diagnosis: EmbeddingDiagnosis) -> None:
    def fail() -> int:
        raise ZeroDivisionError

    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            diagnosis.once(("fails",), fail)
    assert diagnosis.once(("fails",), lambda: 3) == 3
