"""The same numbers by pandas and scikit-learn: `python -m benchmarks.pandas_baseline FILE WINDOW_SECONDS` prints JSON.

Written as one would in a notebook, without waste. It has less to do: no intervals, no contrasts with the rest, no
checks, nothing left over from which a slider could be answered.
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
    by_version = rows.groupby("version")
    numbers: dict[str, dict[Any, float]] = {
        "average_hinge_loss": by_version["hinge"].mean().to_dict(),
        "average_logistic_loss": by_version["logistic"].mean().to_dict(),
        "violation_rate": by_version["violation"].mean().to_dict(),
        "median_margin": by_version["margin"].median().to_dict(),
        "roc_auc": {},
        "average_precision": {},
        "brier_score": {},
        "log_loss": {},
        "accuracy": {},
    }
    for version, part in by_version:
        label, score = part["label"], part["score"]
        numbers["roc_auc"][version] = metrics.roc_auc_score(label, score)
        numbers["average_precision"][version] = metrics.average_precision_score(label, score)
        numbers["brier_score"][version] = metrics.brier_score_loss(label, score)
        numbers["log_loss"][version] = metrics.log_loss(label, score)
        numbers["accuracy"][version] = metrics.accuracy_score(label, score > 0.5)
    numbers["violation_rate by cohort"] = {
        f"{version} {column}={value}": rate
        for column in COHORTS
        for version, value, rate in rows.groupby(["version", column])["violation"].mean().reset_index().to_numpy()
    }
    if window_seconds:
        rows["window"] = rows["time"].dt.tz_localize(None).dt.floor(f"{window_seconds}s")
        by_window = rows.groupby(["version", "window"])["violation"].mean().reset_index().to_numpy()
        numbers["violation_rate by window"] = {
            f"{version} {int(begin.timestamp())}": rate for version, begin, rate in by_window
        }
    stages = {"read": read - began, "compute": time.perf_counter() - read}
    print(json.dumps({"stages": stages, "numbers": numbers}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
