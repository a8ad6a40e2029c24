"""Server time inside `lib` for one move of the γ slider: `python -m benchmarks.slider FILE STORE` prints JSON.

A move makes a new diagnosis over the tables that are there, and then what the page in view shows. Each page is
measured apart, since one is in view at a time; findings are what the page's cards need besides.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.overview import Stages, open_scan
from lib.checks import run_checks
from lib.diagnose import Diagnosis, Settings
from lib.figures.cohorts_view import CohortsView
from lib.figures.loss_accounting_view import AccountingView
from lib.figures.losses_view import LossesView
from lib.figures.margins_view import MarginsView
from lib.figures.windows_view import WindowsView

MOVES = 20


def show_home(diagnosis: Diagnosis) -> None:
    """The overview with its changes, and the trend."""
    for metric in diagnosis.versions.metrics:
        diagnosis.change(metric)
    WindowsView.of(diagnosis, ("violation_rate",))


def show_losses(diagnosis: Diagnosis) -> None:
    """Curves over the margins of the data, gradient shares, and what the worst rows carry."""
    AccountingView.of(diagnosis, LossesView.of(diagnosis))


def show_margins(diagnosis: Diagnosis) -> None:
    """The distributions by class, quantiles, and both metrics over time."""
    MarginsView.of(diagnosis, "class")
    WindowsView.of(diagnosis)


def show_cohorts(diagnosis: Diagnosis) -> None:
    """The contrast of the column with the most values."""
    CohortsView.of(diagnosis, "tenant")


PAGES: dict[str, Callable[[Diagnosis], object]] = {
    "Home": show_home,
    "Losses": show_losses,
    "Margins": show_margins,
    "Cohorts": show_cohorts,
    "findings": run_checks,
}


def main(path: Path, store: Path) -> None:
    """Move the slider twenty times on each page, and print medians and slowest moves in seconds."""
    scan = open_scan(path, store, Stages())
    start = Diagnosis(scan, Settings.choose(scan.facts))
    said: dict[str, dict[str, float]] = {}
    for page, show in PAGES.items():
        show(start)
        taken: list[float] = []
        for gamma in np.linspace(0.2, 2.1, MOVES).round(1).tolist():
            began = time.perf_counter()
            show(start.with_settings(margin_target=gamma))
            taken.append(time.perf_counter() - began)
        said[page] = {"median": statistics.median(taken), "slowest": max(taken)}
    print(json.dumps(said))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
