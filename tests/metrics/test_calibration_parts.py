"""Calibration of parts: the errors of the rows of each, floors beside drawn files and by hand, reasons."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special, stats
from sklearn.calibration import calibration_curve

from lib.cells import Cells
from lib.grid import COARSE, MEDIUM
from lib.metrics.calibration import BINS, STATISTICS, compute_calibration
from lib.metrics.calibration_errors import Outcomes
from lib.metrics.calibration_parts import PART_ERRORS, calibration_parts, part_errors
from lib.metrics.forecasts import Forecasts
from tests.metrics.conftest import build
from tests.metrics.test_calibration import draw, forecasts_of

ECE, DEBIASED = PART_ERRORS


def grouped(n: int, seed: int, **kwargs: object) -> tuple[Cells, np.ndarray, np.ndarray, np.ndarray]:
    score, y = draw(n, 1.4, seed)
    group = np.random.default_rng(seed + 1).integers(0, 4, n)
    return build(2 * y - 1, score, keys={"group": group.astype(str)}, **kwargs), special.expit(score), y, group  # type: ignore[arg-type]


@pytest.mark.parametrize("resolution", [None, MEDIUM])
def test_the_error_of_each_part_is_that_of_scikit_learns_curve(resolution: object) -> None:
    cells, p, y, group = grouped(3_000, 5, **({} if resolution is None else {"resolution": resolution}))
    found = calibration_parts(cells)
    for place, name in enumerate(cells.groups["group"].tolist()):
        here, part = group == int(name), found[place]
        share, mean = calibration_curve(y[here], p[here], n_bins=BINS)
        counts = np.histogram(p[here], np.linspace(0, 1, BINS + 1))[0]
        expected = (np.abs(share - mean) * counts[counts > 0]).sum() / here.sum()
        assert part.errors[ECE].estimate.value == pytest.approx(expected, abs=1e-9)
        assert part.mean_probability == pytest.approx(p[here].mean(), abs=1e-12)
        assert part.positive_share == pytest.approx(y[here].mean())
        assert part.gap.value == pytest.approx(y[here].mean() - p[here].mean(), abs=1e-12)
        assert part.gap.n == here.sum()


@pytest.mark.parametrize("weighted", [False, True])
def test_parts_have_the_errors_and_about_the_floors_of_whole_files(weighted: bool) -> None:
    score, y = draw(6_000, 1.2, 3)
    weight = np.random.default_rng(2).uniform(0.3, 3.0, len(y)) if weighted else None
    group = np.repeat([0, 1, 2], [300, 1_200, 4_500])
    found = part_errors(build(2 * y - 1, score, weight, keys={"group": group.astype(str)}))
    for place in range(3):
        here = group == place
        whole = forecasts_of(score[here], y[here], None if weight is None else weight[here])
        drawn = compute_calibration(whole).errors
        for name in PART_ERRORS:
            value = float(STATISTICS[name](Outcomes.seen(whole))[0])
            assert found[name].error.value[place] == pytest.approx(value, abs=1e-12)
            assert found[name].floor[place] == pytest.approx(drawn[name].floor, rel=0.1)


@pytest.mark.parametrize("world", ["wide", "rare", "two scores"])
@pytest.mark.parametrize("n", [60, 1_000])
def test_one_calibrated_part_in_twenty_exceeds_its_floor(world: str, n: int) -> None:
    rng, parts = np.random.default_rng(n), 400
    score = {
        "wide": rng.normal(0, 3, n * parts),
        "rare": rng.normal(-3.5, 1, n * parts),
        "two scores": rng.choice([-2.0, 2.0], n * parts),
    }[world]
    y = (rng.random(len(score)) < special.expit(score)).astype(np.float64)
    group = np.repeat(np.arange(parts), n)
    found = part_errors(build(2 * y - 1, score, keys={"group": group.astype(str)}))
    for each in found.values():
        above = int((each.error.value > each.floor).sum())
        # P(X ≥ 36) and P(X ≤ 6) for 400 at 5 % are below 1e-3.
        assert 7 <= above <= 35


def test_the_floor_of_many_rows_of_one_probability_is_a_normal_quantile() -> None:
    n = 100_000
    score = np.full(n, special.logit(0.3))
    y = (np.random.default_rng(1).random(n) < 0.3).astype(np.float64)
    floor = float(part_errors(build(2 * y - 1, score))[ECE].floor[0])
    assert floor == pytest.approx(stats.norm.ppf(0.975) * np.sqrt(0.3 * 0.7 / n), rel=0.03)


def test_rows_that_are_certain_leave_nothing_to_chance() -> None:
    most = special.logit(1 - np.finfo(float).eps)
    found = part_errors(build(np.repeat([-1.0, 1.0], 30), np.repeat([-most, most], 30)))
    assert found[ECE].floor[0] == pytest.approx(0.0, abs=1e-6)
    assert found[ECE].error.value[0] == pytest.approx(0.0, abs=1e-12)


def test_what_there_is_none_of_has_a_reason() -> None:
    label, score = np.array([0.0, 0.0, 1.0, -1.0]), np.array([0.2, 0.1, 0.3, -1.0])
    found = calibration_parts(build(label, score, keys={"group": np.array(["a", "a", "b", "b"])}))
    assert found[0].errors[ECE].estimate.reason == "no labelled rows"
    assert np.isnan(found[0].errors[DEBIASED].floor)
    assert found[1].errors[ECE].estimate.is_defined


def test_coarse_cells_have_the_debiased_error_alone() -> None:
    score, y = draw(2_000)
    found = part_errors(build(2 * y - 1, score, resolution=COARSE))
    assert "too coarsely" in found[ECE].error.reason[0]
    assert np.isnan(found[ECE].floor[0])
    assert found[DEBIASED].floor[0] > 0


@pytest.mark.parametrize("resolution", [None, MEDIUM])
def test_forecasts_of_each_group_are_those_of_one(resolution: object) -> None:
    cells, *_ = grouped(500, 9, **({} if resolution is None else {"resolution": resolution}))
    each = Forecasts.of_each(cells)
    assert len(each) == cells.n_groups
    for group, found in enumerate(each):
        own = Forecasts.of(cells, group)
        for name in ("probability", "score", "n", "squares", "logs"):
            np.testing.assert_allclose(getattr(found, name), getattr(own, name), rtol=1e-12)
