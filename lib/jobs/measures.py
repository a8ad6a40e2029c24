"""Measures of vectors, worked out in a worker: matrices go by the files that they lie in."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

from lib.jobs.matrices import handed
from lib.jobs.pool import Progress, shared_pool
from lib.sources import Run
from lib.vectors import Vectors


def measure(
    task: str, vectors: tuple[Vectors, ...], arguments: tuple[Any, ...], folder: Path, run: Run, on_progress: Progress
) -> Any:
    """What a task of `lib.jobs.tasks` gives of one version or two.

    Args:
        task: its name.
        vectors: what it takes first.
        arguments: what it takes after them.
        folder: where a matrix is put meanwhile that lies in no file.
        run: who may cancel it.
        on_progress: told how far it is.

    Raises:
        Cancelled: `run` was cancelled; the worker is gone.
        LimitError: the worker needed more memory than it may have.
    """
    with ExitStack() as stack:
        given = [stack.enter_context(handed(each, folder)) for each in vectors]
        return shared_pool().work(task, *given, *arguments, run=run, on_progress=on_progress)
