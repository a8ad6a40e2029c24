"""What happened to recall, worked out in a worker."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from lib.jobs.matrices import handed
from lib.jobs.pool import Progress, shared_pool
from lib.recall_drop import Asked, RecallDrop
from lib.sources import Run


def recall_drop(asked: Asked, folder: Path, run: Run, on_progress: Progress) -> RecallDrop:
    """The answer of `lib.recall_drop.compute_recall_drop`; not kept.

    Args:
        asked: two versions and what is asked.
        folder: where matrices that lie in no file are written for as long as it takes.
        run: who may cancel it.
        on_progress: told how far it is.

    Raises:
        Cancelled: `run` was cancelled; the worker is gone.
        LimitError: the worker needed more memory than it may have.
        SettingsError: k is below 1.
    """
    with handed(asked.before.vectors, folder) as before, handed(asked.after.vectors, folder) as after:
        # Vectors travel as files: what goes through the pipe has none.
        first, second = replace(asked.before, vectors=before.rest), replace(asked.after, vectors=after.rest)
        given = replace(asked, before=first, after=second)
        return shared_pool().work("recall_drop", given, before, after, run=run, on_progress=on_progress)
