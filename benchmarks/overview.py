"""From a file to the first complete overview by `lib`: `python -m benchmarks.overview FILE STORE` prints JSON.

What the dashboard does between the drop of a file and its Home page: read, infer, prepare the rows, compute the
default tables, then every version's metrics, each cohort column's contrast, the windows and all checks.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib.checks import run_checks
from lib.diagnose import Diagnosis
from lib.metrics.estimates import Estimates
from lib.metrics.summary import Summary, compute_summary
from lib.scan import Scan
from lib.schema import NO_WINDOW, VERSION
from lib.settings import Settings
from lib.sources import Answers, build_dataset, infer_mapping, read_table

METRICS = (
    "average_hinge_loss",
    "average_logistic_loss",
    "violation_rate",
    "median_margin",
    "roc_auc",
    "average_precision",
    "brier_score",
    "log_loss",
    "accuracy",
)
"""What is compared with the other path, version by version."""


class Stages:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def done(self, name: str) -> None:
        """End a stage."""
        now = time.perf_counter()
        self.seconds[name], self._last = now - self._last, now


def open_scan(path: Path, store: Path, stages: Stages) -> Scan:
    """Read a file, and compute its default tables."""
    table = read_table(path, path.name, store)
    stages.done("read")
    mapping = infer_mapping([table], Answers(score_kind="probability")).mapping
    stages.done("infer")
    scan = Scan(build_dataset([table], mapping), store)
    stages.done("prepare")
    scan.warm()
    stages.done("cells")
    return scan


def main(path: Path, store: Path) -> None:
    """Measure, and print stages and numbers."""
    stages = Stages()
    scan = open_scan(path, store, stages)
    diagnosis = Diagnosis(scan, Settings.choose(scan.facts))
    shown = {("version", name): _named(diagnosis.versions, name) for name in METRICS}
    stages.done("versions")
    for column in scan.facts.cohorts:
        contrast = diagnosis.cohorts(column)
        shown["cohort", column] = _Shown(contrast.groups, contrast.estimate, column)
    stages.done("cohorts")
    if diagnosis.windows is not None:
        shown |= {("window", name): _named(diagnosis.windows, name) for name in METRICS}
        for column in scan.facts.cohorts:
            crossed = compute_summary(diagnosis.cohort_windows(column), diagnosis.metric_settings, ["violation_rate"])
            shown["cohort and window", column] = _Shown(crossed.groups, crossed["violation_rate"], column)
    stages.done("windows")
    results = run_checks(diagnosis)
    stages.done("checks")
    numbers: dict[str, dict[str, float]] = {}
    bounds: dict[str, float] = {}
    for (of, name), each in shown.items():
        title = f"{'violation_rate' if each.column else name} by {of}"
        numbers.setdefault(title, {}).update(each.numbers())
        bounds[title] = max(bounds.get(title, 0.0), float(each.estimates.bound.max(initial=0.0)))
    said = {
        "stages": stages.seconds,
        "resolution": diagnosis.cells(VERSION).resolution.name,
        "findings": sum(result.is_finding for result in results),
        "window_seconds": scan.facts.windows.width if scan.facts.windows is not None else 0,
        "numbers": numbers,
        "bounds": bounds,
    }
    print(json.dumps(said))


@dataclass(frozen=True)
class _Shown:
    """Estimates of groups, by the names that the other path gives them."""

    groups: dict[str, Any]
    estimates: Estimates
    column: str = ""

    def numbers(self) -> dict[str, float]:
        names = zip(*(values.tolist() for values in self.groups.values()), strict=True)
        keyed = zip(names, self.estimates.value.tolist(), strict=True)
        return {" ".join([self.column, *map(str, key)]).strip(): value for key, value in keyed if NO_WINDOW not in key}


def _named(summary: Summary, metric: str) -> _Shown:
    return _Shown(summary.groups, summary[metric])


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
