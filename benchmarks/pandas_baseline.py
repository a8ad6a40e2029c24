"""The same numbers by pandas and scikit-learn: `python -m benchmarks.pandas_baseline FILE WINDOW_SECONDS` prints JSON.

Written as one would in a notebook, without waste: the metrics of each version and of each window, violation rates by
cohort and by cohort and window. It has less to do: no intervals, no contrasts with the rest, no checks, nothing left
over from which a slider could be answered.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import special
from sklearn import metrics

from benchmarks.data import COHORTS


def main(path: Path, window_seconds: int) -> None:
    """Compute, and print seconds and numbers."""
    began = time.perf_counter()
    rows = pd.read_csv(path, parse_dates=["time"]) if path.suffix == ".csv" else pd.read_parquet(path)
    read = time.perf_counter()
    eps = np.finfo(np.float64).eps
    y = np.where(rows["label"] == 1, 1, -1)
    margin = y * special.logit(rows["score"].clip(eps, 1 - eps))
    rows["hinge"] = np.maximum(0.0, 1.0 - margin)
    rows["logistic"] = np.logaddexp(0.0, -margin)
    rows["violation"] = margin < 1.0
    rows["margin"] = margin
    numbers = {f"{metric} by version": values for metric, values in metrics_by(rows, ["version"]).items()}
    cohort_rates = [rates_by(rows, ["version", column]) for column in COHORTS]
    numbers["violation_rate by cohort"] = {key: rate for rates in cohort_rates for key, rate in rates.items()}
    if window_seconds:
        begin = rows["time"].dt.tz_localize(None).dt.floor(f"{window_seconds}s")
        rows["window"] = begin.astype("datetime64[s]").astype("int64")
        by_window = metrics_by(rows, ["version", "window"])
        numbers |= {f"{metric} by window": values for metric, values in by_window.items()}
        crossed = [rates_by(rows, ["version", column, "window"]) for column in COHORTS]
        numbers["violation_rate by cohort and window"] = {key: rate for rates in crossed for key, rate in rates.items()}
    stages = {"read": read - began, "compute": time.perf_counter() - read}
    print(json.dumps({"stages": stages, "numbers": numbers}))


def metrics_by(rows: pd.DataFrame, keys: list[str]) -> dict[str, dict[str, float]]:
    """What the overview says of every version or window."""
    groups = rows.groupby(keys)
    means = {"average_hinge_loss": "hinge", "average_logistic_loss": "logistic", "violation_rate": "violation"}
    numbers = {metric: named(groups[column].mean()) for metric, column in means.items()}
    numbers["median_margin"] = named(groups["margin"].median())
    of_rows = {
        "roc_auc": metrics.roc_auc_score,
        "average_precision": metrics.average_precision_score,
        "brier_score": metrics.brier_score_loss,
        "log_loss": metrics.log_loss,
        "accuracy": lambda label, score: metrics.accuracy_score(label, score > 0.5),
    }
    numbers |= {metric: {} for metric in of_rows}
    for key, part in groups:
        for metric, compute in of_rows.items():
            numbers[metric][name_of(key)] = float(compute(part["label"], part["score"]))
    return numbers


def rates_by(rows: pd.DataFrame, keys: list[str]) -> dict[str, float]:
    """Violation rates by version and cohort value, and window."""
    return named(rows.groupby(keys)["violation"].mean(), keys[1])


def named(values: pd.Series[float], column: str = "") -> dict[str, float]:
    """Values by the names of their groups."""
    return {name_of(key, column): float(value) for key, value in values.items()}


def name_of(key: Any, column: str = "") -> str:
    """A group as both paths call it."""
    return " ".join([column, *map(str, key if isinstance(key, tuple) else (key,))]).strip()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
