"""What a worker process can be asked to do, by name, and how it ends: no process is ever told what to import."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

OUT_OF_MEMORY = 3
"""The exit status of a worker whose task needs more than it may have."""
Report = Callable[[float, str], None]
"""Called with how far the work is, from 0 to 1, and with what it is at."""


def rest(seconds: float, report: Report) -> float:
    """Wait, telling how far it is: what a worker is tried with, and warmed by."""
    import time

    began = time.monotonic()
    while (gone := time.monotonic() - began) < seconds:
        report(gone / seconds, "Waiting")
        time.sleep(min(0.05, seconds))
    return seconds


def fit_lab(rows: Any, settings: Any, report: Report) -> Any:
    """Fit hinge and logistic loss to `LabRows` under `LabSettings`, and judge them: a `Lab`."""
    from lib.metrics.fit_judging import run_lab

    return run_lab(rows, settings, report)


TASKS: dict[str, Callable[..., Any]] = {"rest": rest, "fit_lab": fit_lab}
"""Each takes its arguments and, by the name `report`, a `Report`. Heavy imports stand inside."""
