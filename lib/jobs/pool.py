"""The processes that work, and who waits for them.

A process is started when it is first needed, or by `warm`, and kept for the next task: one that is warm rather than
one that is not. One that was cancelled is
killed: that is the only way in which compiled code stops at once and gives its memory back. One that died, or that
grew large, is replaced.
"""

from __future__ import annotations

import atexit
import functools
import logging
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from lib.errors import DataError, LimitError, MarginaliaError
from lib.jobs.tasks import OUT_OF_MEMORY
from lib.sources import Run

Progress = Callable[[float, str], None]

MEMORY_LIMIT = 4_000_000_000
"""What a worker may hold, in bytes."""
RECYCLED_ABOVE = 1_000_000_000
"""A worker whose memory has once been above this is not used again: what it took it would keep."""
LOOKS_PER_SECOND = 20
ROOT = Path(__file__).resolve().parents[2]


class _Worker:
    """One process and the line to it."""

    def __init__(self, memory_limit: int) -> None:
        own, other = socket.socketpair()
        with other:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "lib.jobs.worker", str(other.fileno()), str(memory_limit)],
                pass_fds=[other.fileno()],
                cwd=ROOT,
                # Threads of the libraries that wait for a processor that a page has would only be in each other's way.
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
                stdin=subprocess.DEVNULL,
                # A person's Ctrl-C is for the server, which ends its workers itself.
                start_new_session=True,
            )
        self.connection = Connection(own.detach())
        self.is_warm = False

    def end(self) -> None:
        """Kill the process, if it is still there."""
        self.connection.close()
        self.process.kill()
        self.process.wait()


class Pool:
    """Up to `size` workers, and an orderly wait for one. Safe to use from several threads."""

    def __init__(self, size: int, *, memory_limit: int = MEMORY_LIMIT) -> None:
        """A pool without processes yet."""
        self._size, self._memory_limit = size, memory_limit
        self._places = threading.BoundedSemaphore(size)
        self._lock = threading.Lock()
        self._idle: list[_Worker] = []
        self._all: set[_Worker] = set()

    def warm(self, task: str, *arguments: Any, run: Run) -> None:
        """Have a process that has done a task: nobody waits for its result, so that it takes no place from who does.

        Raises:
            Cancelled: `run` was cancelled.
            LimitError: as `work`.
            MarginaliaError: as `work`.
        """
        with self._lock:
            worker = self._start()
        worker.is_warm = True
        self._do(worker, task, arguments, run, lambda _share, _words: None)

    def _start(self) -> _Worker:
        worker = _Worker(self._memory_limit)
        self._all.add(worker)
        return worker

    def work(self, task: str, *arguments: Any, run: Run, on_progress: Progress) -> Any:
        """Have a task of `lib.jobs.tasks.TASKS` done, and give its result.

        Args:
            task: its name.
            arguments: plain values and arrays.
            run: who may cancel it; within a twentieth of a second the process is gone.
            on_progress: told how far it is.

        Raises:
            Cancelled: `run` was cancelled.
            LimitError: the worker needed more memory than it may have, or was killed for it.
            MarginaliaError: the task refused, in a sentence.
        """
        while not self._places.acquire(timeout=1 / LOOKS_PER_SECOND):
            run.check()
            on_progress(0.0, "Waiting for another computation to end")
        try:
            return self._do(self._take(), task, arguments, run, on_progress)
        finally:
            self._places.release()

    def _take(self) -> _Worker:
        with self._lock:
            while self._idle and self._idle[-1].process.poll() is not None:
                # It died between two tasks, of which nobody has to be told.
                dead = self._idle.pop()
                self._all.discard(dead)
                dead.end()
            return self._idle.pop() if self._idle else self._start()

    def _do(self, worker: _Worker, task: str, arguments: tuple[Any, ...], run: Run, on_progress: Progress) -> Any:
        is_good = False
        try:
            worker.connection.send((task, arguments))
            while True:
                while not worker.connection.poll(1 / LOOKS_PER_SECOND):
                    run.check()
                run.check()
                kind, *said = worker.connection.recv()
                if kind == "progress":
                    on_progress(*said)
                    continue
                is_good = kind != "done" or said[1] < RECYCLED_ABOVE
                if kind == "done":
                    return said[0]
                raise _problem(kind, said)
        except (EOFError, ConnectionError) as error:
            if worker.process.wait() == OUT_OF_MEMORY:
                raise LimitError(
                    f"This needs more than the {self._memory_limit / 1e9:g} GB of memory that one computation may use; "
                    "what was loaded before is as it was. Choose fewer rows or columns."
                ) from error
            raise LimitError(
                "The process that worked on this has ended before it was done "
                f"({_ended(worker.process.returncode)}); what was loaded before is as it was. The next computation "
                "gets a new process. Choose fewer rows or columns if it happens again."
            ) from error
        finally:
            with self._lock:
                if is_good:
                    # Those that are warm are taken first, and let go last.
                    self._idle.insert(len(self._idle) if worker.is_warm else 0, worker)
                gone = worker if not is_good else self._idle.pop(0) if len(self._idle) > self._size else None
                if gone is not None:
                    self._all.discard(gone)
            if gone is not None:
                gone.end()

    def close(self) -> None:
        """End all processes, also those at work."""
        with self._lock:
            workers, self._all, self._idle = self._all, set(), []
        for worker in workers:
            worker.end()


def _problem(kind: str, said: list[str]) -> MarginaliaError:
    """What a task that gave no result is told as."""
    if kind == "refused":
        return DataError(said[0])
    logging.getLogger("marginalia").error("a task failed\n%s", said[0])
    return MarginaliaError(
        "Something went wrong inside Marginalia while it worked on this; what was loaded before is as it was. The "
        "server's log has the details."
    )


def _ended(code: int) -> str:
    return f"killed by signal {-code}" if code < 0 else f"exit status {code}"


@functools.cache
def shared_pool() -> Pool:
    """The pool of this server: a worker less than there are processors, but one at least."""
    pool = Pool(max(1, (os.cpu_count() or 1) - 1))
    atexit.register(pool.close)
    return pool
