"""The calibration gap of groups: by brute force, at any resolution, right under calibration, undefined with reason."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special, stats

from lib.cells import Cells
from lib.grid import COARSE
from lib.metrics.calibration_gaps import calibration_gaps
from lib.metrics.rounding import find_rounding
from tests.metrics.conftest import build
from tests.metrics.test_calibration import draw, forecasts_of


def grouped(
    n: int, seed: int, weight: np.ndarray | None = None, **kwargs: object
) -> tuple[Cells, np.ndarray, np.ndarray, np.ndarray]:
    score, y = draw(n, 1.3, seed)
    group = np.random.default_rng(seed + 1).integers(0, 3, n)
    version = np.where(group == 0, "a", "b")
    keys = {"version": version, "cohort:x": group.astype(str)}
    return build(2 * y - 1, score, weight, keys=keys, **kwargs), special.expit(score), y, group  # type: ignore[arg-type]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("coarse", [False, True])
def test_gaps_by_brute_force(weighted: bool, coarse: bool) -> None:
    weight = np.random.default_rng(3).uniform(0.2, 4.0, 900) if weighted else None
    cells, p, y, group = grouped(900, 5, weight, **({"resolution": COARSE} if coarse else {}))
    found = calibration_gaps(cells)
    w = np.ones(900) if weight is None else weight
    for place, name in enumerate(found.groups["cohort:x"].tolist()):
        here = group == int(name)
        gap = np.average((y - p)[here], weights=w[here])
        size = w[here].sum() ** 2 / (w[here] ** 2).sum()
        spread = np.sqrt((w[here] ** 2 * ((y - p)[here] - gap) ** 2).sum()) / w[here].sum() * np.sqrt(size / (size - 1))
        by_chance = np.sqrt((w[here] ** 2 * (p * (1 - p))[here]).sum()) / w[here].sum()
        assert found.gap.value[place] == pytest.approx(gap, abs=1e-10)
        assert found.gap.upper[place] == pytest.approx(gap + stats.t.ppf(0.975, size - 1) * spread, abs=1e-9)
        assert found.floor[place] == pytest.approx(stats.norm.ppf(0.975) * by_chance, abs=1e-10)
        assert found.p[place] == pytest.approx(2 * stats.norm.sf(abs(gap) / by_chance), abs=1e-9)
        assert found.positive_share[place] - found.mean_probability[place] == pytest.approx(gap)
    first = found.groups["version"] == "a"
    assert found.p_adjusted[first] == pytest.approx(found.p[first])
    assert (found.p_adjusted[~first] >= found.p[~first]).all()


def test_gaps_of_calibrated_groups_stay_below_their_floor_in_19_of_20() -> None:
    above = 0
    for seed in range(300):
        score, y = draw(200, 1.0, seed)
        found = calibration_gaps(build(2 * y - 1, score))
        above += abs(found.gap.value[0]) > found.floor[0]
    # P(X > 26) and P(X < 5) for 300 draws at 5 % are below 1e-3.
    assert 5 <= above <= 26


def test_a_group_without_labels_has_none() -> None:
    found = calibration_gaps(build(np.zeros(4), np.full(4, 0.2)))
    assert found.gap[0].reason == "no labelled rows"
    assert np.isnan(found.p).all()


@pytest.mark.parametrize("decimals", [1, 2, 3])
def test_rounded_probabilities_are_recognised(decimals: int) -> None:
    truth = np.random.default_rng(1).uniform(0.1, 0.9, 4_000)
    p = truth.round(decimals)
    y = (np.random.default_rng(2).random(4_000) < truth).astype(np.float64)
    found = find_rounding(forecasts_of(special.logit(p), y))
    assert found is not None
    assert (found.decimals, found.n_distinct) == (decimals, len(np.unique(p)))
    moved = abs(((p - y) ** 2).mean() - ((truth - y) ** 2).mean())
    assert moved <= found.brier_bound
    assert find_rounding(forecasts_of(special.logit(truth), y)) is None
