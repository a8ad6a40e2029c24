"""Clean worlds with features, and the same with one thing broken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lib.checks.feature_drift import check_feature_drift
from lib.checks.result import Finding
from sample_data.faults import make_predictions
from tests.checks.feature_tables import diagnose_features
from tests.checks.rates import clean_data

FEATURES = ("amount", "age", "visits", "flag", "ratio")


def with_features(frame: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Features that any table may have: skewed, normal, counted, two-valued, zero-inflated; the same for one id."""
    rng = np.random.default_rng([seed, 50])
    _, unit = np.unique(frame["id"], return_inverse=True)
    n = int(unit.max()) + 1
    zero = rng.random(n) < 0.4
    made = {
        "amount": np.exp(rng.normal(3, 1, n)),
        "age": rng.normal(40, 12, n),
        "visits": rng.poisson(2.5, n).astype(float),
        "flag": (rng.random(n) < 0.2).astype(float),
        "ratio": np.where(zero, 0.0, rng.beta(2, 5, n)),
    }
    made["age"][rng.random(n) < 0.05] = np.nan
    return frame.assign(**{name: values[unit] for name, values in made.items()})


def clean_features(seed: int) -> tuple[pd.DataFrame, tuple[str, ...]]:
    _name, frame = clean_data(seed)
    roles = {"id", "time", "version", "split", "label", "score", "weight"}
    cohorts = tuple(str(column) for column in frame.columns if column not in roles)
    return with_features(frame, seed), cohorts


@dataclass(frozen=True)
class Broken:
    """A frame with a fault, and where."""

    frame: pd.DataFrame
    cohorts: tuple[str, ...]
    feature: str
    against: str
    version: str | None
    split: str | None
    window: tuple[float, float] | None


FAULTS = {
    "unit": "unit × 1000",
    "mean": "mean moved by half a spread",
    "category": "new category with 5 %",
    "missing": "missing values 10 %",
}
SCOPES = ("version", "split", "window")


def break_feature(seed: int, fault: str, scope: str, n: int = 5_000) -> Broken:
    """One fault in the candidate, in one of its splits, or in a fifth of all time."""
    frame, truth = make_predictions(seed, n, n_versions=2, n_cohort_columns=1, days=10 + seed % 21)
    frame = with_features(frame, seed)
    rng = np.random.default_rng([seed, 51])
    part = np.ones(len(frame), bool)
    version = split = window = None
    if scope == "version":
        version = truth.versions[-1]
        part = (frame["version"] == version).to_numpy()
    elif scope == "split":
        split = "test"
        part = (frame["split"] == split).to_numpy()
    else:
        second = frame["time"].astype("int64").to_numpy() / 1e6
        if second.max() > 1e11:
            second = second / 1e3
        low, high = float(second.min()), float(second.max())
        start = low + rng.uniform(0.1, 0.7) * (high - low)
        window = (start, start + 0.2 * (high - low))
        part = (second >= window[0]) & (second < window[1])
    frame["kind"] = rng.choice(["a", "b", "c"], len(frame), p=[0.5, 0.3, 0.2])
    feature = "age"
    if fault == "unit":
        feature = "amount"
        frame.loc[part, "amount"] *= 1000
    elif fault == "mean":
        frame.loc[part, "age"] += 6.0
    elif fault == "category":
        feature = "kind"
        frame.loc[part & (rng.random(len(frame)) < 0.05), "kind"] = "new"
    else:
        feature = "visits"
        frame.loc[part & (rng.random(len(frame)) < 0.10), "visits"] = np.nan
    against = {"version": "baseline", "split": "other splits", "window": "other times"}[scope]
    return Broken(frame, (*truth.cohort_columns, "kind"), feature, against, version, split, window)


def is_found(finding: Finding, truth: Broken) -> bool:
    """Whether a finding names the feature and the place."""
    evidence = finding.evidence
    if evidence["against"] != truth.against or truth.feature not in [each["feature"] for each in evidence["features"]]:
        return False
    if truth.window is not None:
        start, end = finding.where.window or (0, 0)
        shared = min(end, truth.window[1]) - max(start, truth.window[0])
        return shared > 0.5 * (truth.window[1] - truth.window[0]) or shared > 0.5 * (end - start)
    return truth.split == evidence["split"] and (truth.version is None or finding.version == truth.version)


def findings_of(frame: pd.DataFrame, cohorts: tuple[str, ...]) -> list[Finding]:
    """What the check finds in a frame with `FEATURES`."""
    diagnosis = diagnose_features(frame, FEATURES, cohorts)
    diagnosis.read_features()
    answer = check_feature_drift(diagnosis)
    return answer if isinstance(answer, list) else []


def measure_features(n_clean: int, n_faulty: int) -> Iterator[tuple[str, str, int, int, int]]:
    """Rows of `rates.csv`: check, data, data sets, in how many it fired, and named the part."""
    fired = sum(bool(findings_of(*clean_features(seed))) for seed in range(n_clean))
    # Scores do not enter, whatever their scale.
    yield from (("feature-drift", data, n_clean, fired, 0) for data in ("clean", "clean, rescaled"))
    for fault, words in FAULTS.items():
        for scope in SCOPES:
            truths = [break_feature(1_000 + seed, fault, scope) for seed in range(n_faulty)]
            found = [(findings_of(truth.frame, truth.cohorts), truth) for truth in truths]
            named = sum(any(is_found(each, truth) for each in findings) for findings, truth in found)
            yield "feature-drift", f"{words} in {scope}", n_faulty, sum(bool(each) for each, _ in found), named
