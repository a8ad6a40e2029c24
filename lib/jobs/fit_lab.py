"""The fit lab's work: rows are drawn by the engine, fits made in a worker, and answers held with the tables."""

from __future__ import annotations

from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

from lib.jobs.pool import Progress, shared_pool
from lib.metrics.fit_judging import Lab
from lib.metrics.fit_lab import LabSettings
from lib.scan.drawing import DrawnRows, DrawQuery, draw_rows
from lib.scan.scan import Scan
from lib.sources import Run
from lib.vectors import Vectors

KEPT_DRAWS, KEPT_LABS = 4, 24
QUICK_SECONDS = 2.0
"""Fits that take less are made again as a slider moves."""


@dataclass(frozen=True)
class LabRequest:
    """What is asked: which rows, and what is fitted to them."""

    draw: DrawQuery
    settings: LabSettings


@dataclass(frozen=True, eq=False)
class LabAnswer:
    """The rows that were drawn, and both fits of them."""

    drawn: DrawnRows
    lab: Lab


_DRAWN: WeakKeyDictionary[Scan, dict[DrawQuery, DrawnRows]] = WeakKeyDictionary()
_LABS: WeakKeyDictionary[Scan, dict[LabRequest, LabAnswer]] = WeakKeyDictionary()


def held_lab(scan: Scan, request: LabRequest) -> LabAnswer | None:
    """What was fitted to that before; None where nothing was."""
    return _LABS.get(scan, {}).get(request)


def is_slow(scan: Scan, request: LabRequest) -> bool:
    """Whether a fit of the same rows with the same kernel took longer than a slider can wait."""
    return any(
        answer.lab.seconds > QUICK_SECONDS
        for other, answer in list(_LABS.get(scan, {}).items())
        if other.draw == request.draw and other.settings.kernel == request.settings.kernel
    )


def fit_lab(
    scan: Scan, request: LabRequest, run: Run, on_progress: Progress, vectors: Vectors | None = None
) -> LabAnswer:
    """Draw the rows and fit both losses to them, unless that is held.

    Args:
        scan: of which dataset.
        request: what is asked.
        run: what may cancel it.
        on_progress: told how far it is.
        vectors: those that the request names as features, where it does. They are not held: who has opened them may
            close them.

    Raises:
        Cancelled: `run` was cancelled; the worker is gone and nothing is held.
        LimitError: the worker needed more memory than it may have.
        MarginaliaError: there is too little to fit, in a sentence.
    """
    held = held_lab(scan, request)
    if held is not None:
        return held
    drawn = _DRAWN.setdefault(scan, {})
    if request.draw not in drawn:
        on_progress(0.0, "Drawing rows")
        made = draw_rows(scan, request.draw, run, vectors)
        while len(drawn) >= KEPT_DRAWS:
            drawn.pop(next(iter(drawn)))
        drawn[request.draw] = made
    rows = drawn[request.draw]
    rows.rows.check()
    lab: Lab = shared_pool().work("fit_lab", rows.rows, request.settings, run=run, on_progress=on_progress)
    # What came back from the process holds the rows once more.
    lab = replace(lab, fits=replace(lab.fits, rows=rows.rows))
    labs = _LABS.setdefault(scan, {})
    while len(labs) >= KEPT_LABS:
        labs.pop(next(iter(labs)))
    return labs.setdefault(request, LabAnswer(rows, lab))
