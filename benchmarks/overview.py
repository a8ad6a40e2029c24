"""From a file to the first complete overview by `lib`: `python -m benchmarks.overview FILE STORE` prints JSON.

What the dashboard does between the drop of a file and its Home page: read, infer, prepare the rows, compute the
default tables, then every version's metrics, each cohort column's contrast, the windows and all checks.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from lib.checks import run_checks
from lib.diagnose import Diagnosis, Settings
from lib.metrics.summary import Summary
from lib.scan import Scan
from lib.schema import NO_WINDOW, VERSION, WINDOW, cohort_key
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
    summary = diagnosis.versions
    stages.done("versions")
    contrasts = {column: diagnosis.cohorts(column) for column in scan.facts.cohorts}
    stages.done("cohorts")
    windows = diagnosis.windows
    stages.done("windows")
    results = run_checks(diagnosis)
    stages.done("checks")
    cohorts = {
        f"{version} {column}={value}": float(rate)
        for column, contrast in contrasts.items()
        for version, value, rate in zip(
            contrast.groups[VERSION], contrast.groups[cohort_key(column)], contrast.estimate.value, strict=True
        )
    }
    said = {
        "stages": stages.seconds,
        "resolution": diagnosis.cells(VERSION).resolution.name,
        "findings": sum(result.is_finding for result in results),
        "window_seconds": scan.facts.windows.width if scan.facts.windows is not None else 0,
        "numbers": {**_of_versions(summary), "violation_rate by cohort": cohorts, **_of_windows(windows)},
        "bounds": {name: float(summary[name].bound.max(initial=0.0)) for name in METRICS if summary[name].bound.any()},
    }
    print(json.dumps(said))


def _of_versions(summary: Summary) -> dict[str, dict[str, float]]:
    names = [str(version) for version in summary.groups[VERSION]]
    return {metric: dict(zip(names, summary[metric].value.tolist(), strict=True)) for metric in METRICS}


def _of_windows(windows: Summary | None) -> dict[str, dict[str, float]]:
    if windows is None:
        return {}
    keyed = zip(windows.groups[VERSION], windows.groups[WINDOW], windows["violation_rate"].value, strict=True)
    rates = {f"{version} {start}": float(rate) for version, start, rate in keyed if start != NO_WINDOW}
    return {"violation_rate by window": rates}


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
