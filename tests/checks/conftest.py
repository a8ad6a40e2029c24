"""Small worlds to break by hand."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from lib.checks import CheckResult, run_checks
from tests.checks.tables import diagnose

World = Callable[..., pd.DataFrame]


def make_world(n: int = 3_000, *, seed: int = 0, days: int = 20, versions: int = 1, d: float = 2.5) -> pd.DataFrame:
    """A good model: two classes, three languages, two plans, versions one after the other, in the order of time."""
    rng = np.random.default_rng(seed)
    second = np.sort(rng.integers(0, days * 86_400, n))
    label = (rng.random(n) < 0.4).astype(float)
    # With the classes' shares the log odds are calibrated.
    score = d * ((label - 0.5) * d + rng.standard_normal(n)) + np.log(0.4 / 0.6)
    return pd.DataFrame(
        {
            "time": pd.to_datetime(second + 1_767_571_200, unit="s", utc=True),  # Monday, 5 January 2026
            "day": second // 86_400,
            "version": [f"v{each + 1}" for each in second * versions // (days * 86_400)],
            "label": label,
            "score": 1 / (1 + np.exp(-score)),
            "language": rng.choice(["en", "es", "pt"], n, p=[0.6, 0.25, 0.15]),
            "plan": rng.choice(["free", "paid"], n),
        }
    )


@pytest.fixture
def world() -> World:
    return make_world


def results(
    frame: pd.DataFrame, name: str, cohorts: tuple[str, ...] = ("language", "plan"), **options
) -> list[CheckResult]:
    """The results of one check."""
    return [each for each in run_checks(diagnose(frame, cohorts, **options)) if each.name == name]


@pytest.fixture
def check() -> Callable[..., list[CheckResult]]:
    return results


def day(number: int) -> int:
    """The epoch second at which a day of the world begins."""
    return 1_767_571_200 + number * 86_400
