"""Versions that are wrong in one cohort, or where two cohorts cross, by which no violation rate need rise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from lib.checks import CheckResult, run_checks
from tests.checks.crossed import BACK, DAY, DEPLOYED, START
from tests.checks.tables import diagnose

COHORTS = ("region", "channel", "tier")
SHARES = {
    "region": {"na": 0.4, "emea": 0.3, "apac": 0.2, "latam": 0.1},
    "channel": {"direct": 0.6, "partner": 0.25, "api": 0.15},
    "tier": {"s": 0.3, "m": 0.3, "l": 0.4},
}
WORSE = ("threshold-shift", "false-positive-rise", "quality-regression")


def make_cohorts(seed: int = 0, n: int = 30_000, *, wander: float = 0.0) -> pd.DataFrame:
    """A month, v2 for eight days of it, in calibrated log odds `s`; with `wander` regions are harder on some days."""
    rng = np.random.default_rng(seed)
    second = START + np.sort(rng.integers(0, 30 * DAY, n))
    label = rng.random(n) < 0.3
    columns = {column: rng.choice(list(of), n, p=list(of.values())) for column, of in SHARES.items()}
    frame = pd.DataFrame(
        {
            "time": pd.to_datetime(second, unit="s", utc=True),
            "version": np.where((second >= DEPLOYED) & (second < BACK), "v2", "v1"),
            "label": label.astype(float),
            **columns,
        }
    )
    place = frame["region"].map({name: at for at, name in enumerate(SHARES["region"])}).to_numpy()
    ease = 1.5 + (wander * rng.standard_normal((len(SHARES["region"]), 30)))[place, (second - START) // DAY]
    frame["s"] = np.where(label, ease, -ease) + np.sqrt(3) * rng.standard_normal(n) + np.log(0.3 / 0.7)
    return frame


def inside(frame: pd.DataFrame, cohort: dict[str, str]) -> NDArray[np.bool_]:
    """The rows of v2 in some cohorts."""
    part = frame["version"] == "v2"
    for column, value in cohort.items():
        part &= frame[column] == value
    return part.to_numpy()


def scored(frame: pd.DataFrame, change: Any = 0.0) -> pd.DataFrame:
    """As probabilities, once `change` was added to the log odds."""
    return frame.assign(score=expit(frame["s"] + change)).drop(columns="s")


def findings(frame: pd.DataFrame, change: Any = 0.0, cohorts: tuple[str, ...] = COHORTS) -> list[CheckResult]:
    """What is found once `change` was added to the log odds."""
    return [each for each in run_checks(diagnose(scored(frame, change), cohorts)) if each.is_finding]


def _moved(frame: pd.DataFrame, rng: np.random.Generator) -> Any:
    return rng.choice([-3.0, 3.0])


def _shuffled(frame: pd.DataFrame, rng: np.random.Generator) -> Any:
    return rng.permutation(frame["s"]) - frame["s"]


def _reversed(frame: pd.DataFrame, rng: np.random.Generator) -> Any:
    return -2 * frame["s"]


FAULTS: tuple[tuple[str, str, Callable[[pd.DataFrame, np.random.Generator], Any]], ...] = (
    ("threshold-shift", "scores of a version moved by 3 in log odds where two cohorts cross (30,000 rows)", _moved),
    ("quality-regression", "scores of other rows, in a version where two cohorts cross (30,000 rows)", _shuffled),
    ("label-flip", "reversed scores of a version where two cohorts cross (30,000 rows)", _reversed),
)
CLEAN = "nothing: regions are harder on some days, in whatever version (30,000 rows)"


def break_crossing(
    seed: int, change: Callable[[pd.DataFrame, np.random.Generator], Any]
) -> tuple[pd.DataFrame, Any, dict[str, str]]:
    """A frame, what is added to its log odds, and in which crossing: one of at least 100 rows."""
    rng = np.random.default_rng([seed, 50])
    frame = make_cohorts(seed)
    while True:
        columns = rng.choice(COHORTS, 2, replace=False)
        cohort = {str(column): str(rng.choice(list(SHARES[column]))) for column in columns}
        part = inside(frame, cohort)
        if part.sum() >= 100:
            return frame, change(frame, rng) * part, cohort


def measure_crossings(n_clean: int, n_faulty: int) -> Iterator[tuple[str, str, int, int, int]]:
    """Rows of `rates.csv`: check, data, data sets, in how many it fired, and named the crossing.

    Which of the three checks of worse answers tells it is no matter. On clean data what is told of a time does not
    count: days on which a region is harder are there.
    """
    worlds = [findings(make_cohorts(seed, wander=0.4)) for seed in range(n_clean)]
    clean = [{each.name for each in found if each.where.window is None} for found in worlds]
    for name in (*WORSE, "label-flip"):
        yield name, CLEAN, n_clean, sum(name in found for found in clean), 0
    for check, data, change in FAULTS:
        fired = named = 0
        for seed in range(1_000, 1_000 + n_faulty):
            frame, added, cohort = break_crossing(seed, change)
            own = [each for each in findings(frame, added) if each.name in (WORSE if check in WORSE else (check,))]
            fired += bool(own)
            named += any(each.where.cohort == cohort and each.version == "v2" for each in own)
        yield check, data, n_faulty, fired, named
