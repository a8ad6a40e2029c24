"""Server time inside `lib` of a page, first and as γ moves: `python -m benchmarks.slider FILE STORE` prints JSON.

The first run has the default tables and nothing else. A move makes a new diagnosis over the tables that are there, and
then what the page in view shows. Each page is measured apart, since one is in view at a time; findings are what the
page's cards need besides.
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
from lib.diagnose import Diagnosis
from lib.figures.calibration_gaps_view import GapsView, GapWindows
from lib.figures.calibration_view import CalibrationView
from lib.figures.cohorts_view import CohortsView
from lib.figures.loss_accounting_view import AccountingView
from lib.figures.losses_view import LossesView
from lib.figures.margins_view import MarginsView
from lib.figures.recalibration_view import RecalibrationView
from lib.figures.support_vectors_view import SupportView
from lib.figures.thresholds_view import Question, ThresholdsView
from lib.figures.windows_view import WindowsView
from lib.settings import Settings

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


def show_calibration(diagnosis: Diagnosis) -> None:
    """Errors, curves and floors of both versions, every kind of part, and the maps of the candidate."""
    CalibrationView.of(diagnosis)
    GapsView.of_cohorts(diagnosis, "tenant")
    GapWindows.of(diagnosis)
    RecalibrationView.of(diagnosis, diagnosis.settings.candidate, "")


def show_thresholds(diagnosis: Diagnosis) -> None:
    """The curves, and a threshold chosen for a precision."""
    ThresholdsView.of(diagnosis, Question("precision", target=0.9))


def show_support_vectors(diagnosis: Diagnosis) -> None:
    """Kinds of rows and their slack."""
    SupportView.of(diagnosis, "")


PAGES: dict[str, Callable[[Diagnosis], object]] = {
    "Home": show_home,
    "Losses": show_losses,
    "Margins": show_margins,
    "Cohorts": show_cohorts,
    "Calibration": show_calibration,
    "Thresholds": show_thresholds,
    "Support vectors": show_support_vectors,
    "findings": run_checks,
}


def main(path: Path, store: Path) -> None:
    """Show each page, move the slider twenty times on it, and print seconds: of the processor for the first run."""
    scan = open_scan(path, store, Stages())
    start = Diagnosis(scan, Settings.choose(scan.facts))
    # Rows are read by fold with progress, when somebody first looks at a page that needs it.
    start.calibrations.read_folds()
    said: dict[str, dict[str, float]] = {}
    for page, show in PAGES.items():
        worked = time.process_time()
        show(start)
        first = time.process_time() - worked
        taken: list[float] = []
        for gamma in np.linspace(0.2, 2.1, MOVES).round(1).tolist():
            began = time.perf_counter()
            show(start.with_settings(margin_target=gamma))
            taken.append(time.perf_counter() - began)
        said[page] = {"first": first, "median": statistics.median(taken), "slowest": max(taken)}
    print(json.dumps(said))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
