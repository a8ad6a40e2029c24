"""Paired changes against statsmodels, a reference DeLong and a bootstrap of rows; flips; verdicts."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import average_precision_score, roc_auc_score
from statsmodels.stats.contingency_tables import mcnemar

from lib.cells import PairCells
from lib.grid import EXACT, MEDIUM, Resolution, coarsen_id, score_id
from lib.metrics.comparison import Change, Disagreement, Flips, Side, change_of, is_identical
from lib.metrics.delong import delong_test
from lib.metrics.estimates import Estimate
from lib.metrics.intervals import interval_p_value
from lib.metrics.summary import METRICS, MetricSettings, metric_named, unpaired_change
from lib.metrics.verdicts import judge, stretch_of, tolerance_of
from lib.schema import ScoreKind
from tests.metrics.conftest import build
from tests.metrics.pair_rows import pair_rows

SETTINGS = MetricSettings(0.5, ScoreKind.LOGIT)


class World:
    """Two scores of the same rows."""

    def __init__(self, seed: int, n: int = 600, *, digits: int = 2, shared: float = 0.8) -> None:
        rng = np.random.default_rng(seed)
        self.label = rng.choice([-1, 1], n, p=[0.6, 0.4])
        common = rng.normal(0, shared, n)
        self.before = np.round(0.9 * self.label + common + rng.normal(0, 0.7, n), digits)
        self.after = np.round(1.1 * self.label + common + rng.normal(0, 0.7, n), digits)
        self.weight = rng.gamma(2.0, 1.0, n)

    def pairs(self, resolution: Resolution = EXACT, *, weighted: bool = False, kept: slice = slice(None)) -> PairCells:
        label, before, after = self.label[kept], self.before[kept], self.after[kept]
        weight = (self.weight[kept], self.weight[kept]) if weighted else None
        made = pair_rows((label, label), (before, after), weight)
        if resolution.is_exact:
            return made
        bins = [coarsen_id(score_id(each), resolution.score_factor) for each in (before, after)]
        keys = np.stack([label, *bins], axis=1)
        distinct, place, n = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
        place = place.ravel()
        sums = np.stack([np.bincount(place, weights=each).astype(np.float64) for each in made.sums.T], axis=1)
        means = [np.bincount(place, weights=each) / n for each in (before, after)]
        return PairCells(
            distinct[:, 0], distinct[:, 0], distinct[:, 1], distinct[:, 2], means[0], means[1], sums, resolution
        )

    def side(self, name: str, metric: str, resolution: Resolution = EXACT, *, weighted: bool = False) -> Side:
        score = self.before if name == "before" else self.after
        cells = build(self.label, score, self.weight if weighted else None, {"version": ["v"] * len(score)}, resolution)
        return Side(cells, metric_named(metric).estimate(cells, SETTINGS)[0])

    def change(self, metric: str, resolution: Resolution = EXACT, *, weighted: bool = False) -> Change:
        first, second = self.sides(metric, resolution, weighted=weighted)
        return change_of(metric_named(metric), first, second, self.pairs(resolution, weighted=weighted), SETTINGS)

    def sides(self, metric: str, resolution: Resolution = EXACT, *, weighted: bool = False) -> tuple[Side, Side]:
        first, second = (self.side(name, metric, resolution, weighted=weighted) for name in ("before", "after"))
        return first, second


def reference_delong(label: np.ndarray, before: np.ndarray, after: np.ndarray) -> tuple[float, float]:
    """The difference of two AUCs and its standard error, from every pair of a positive and a negative row."""
    placements = []
    for score in (before, after):
        wins = (score[label > 0][:, None] > score[label < 0]) + 0.5 * (score[label > 0][:, None] == score[label < 0])
        placements.append((wins.mean(axis=1), wins.mean(axis=0)))
    parts = [np.cov([each[side] for each in placements]) / len(placements[0][side]) for side in (0, 1)]
    covariance = parts[0] + parts[1]
    difference = placements[1][0].mean() - placements[0][0].mean()
    return float(difference), float(np.sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]))


@pytest.mark.parametrize("seed", range(3))
def test_delong_is_the_reference_at_exact_resolution(seed: int) -> None:
    world = World(seed)
    first, second = world.sides("roc_auc")
    found = delong_test(first.cells, second.cells, world.pairs())
    difference, error = reference_delong(world.label, world.before, world.after)
    assert found.change == pytest.approx(difference, abs=1e-12)
    assert found.standard_error == pytest.approx(error, abs=1e-9)
    assert found.bound == 0
    assert found.p == pytest.approx(2 * stats.norm.sf(abs(difference) / error), abs=1e-9)
    change = world.change("roc_auc")
    assert change.estimate.lower == pytest.approx(difference - 1.959963985 * error)
    assert change.estimate.upper == pytest.approx(difference + 1.959963985 * error)


@pytest.mark.parametrize("seed", range(3))
def test_delong_on_the_grid_is_within_its_bound(seed: int) -> None:
    world = World(seed, digits=4)
    sides = world.sides("roc_auc", MEDIUM)
    found = delong_test(sides[0].cells, sides[1].cells, world.pairs(MEDIUM))
    difference, error = reference_delong(world.label, world.before, world.after)
    assert 0 < abs(found.standard_error - error) <= found.bound < 2 * error
    assert abs(found.standard_error - error) < 0.02 * error
    assert abs(found.change - difference) <= sum(each.estimate.bound for each in sides)


def test_without_pairs_delong_is_of_two_samples() -> None:
    world = World(1)
    first, second = (each.cells for each in world.sides("roc_auc"))
    alone, paired = delong_test(first, second, None), delong_test(first, second, world.pairs())
    assert alone.standard_error > 1.3 * paired.standard_error
    half = delong_test(first, second, world.pairs(kept=slice(0, 300)))
    assert paired.standard_error < half.standard_error < alone.standard_error


@pytest.mark.parametrize("seed", range(3))
def test_mcnemar_is_that_of_statsmodels(seed: int) -> None:
    world = World(seed, 80)
    for resolution in (EXACT, MEDIUM):
        flips = Flips.of(world.pairs(resolution))
        right = [(score > 0) == (world.label > 0) for score in (world.before, world.after)]
        table = [[(a & b).sum() for b in (right[1], ~right[1])] for a in (right[0], ~right[0])]
        assert [[flips.both_right, flips.broken], [flips.fixed, flips.both_wrong]] == table
        reference: Any = mcnemar(table, exact=True)
        assert flips.p == pytest.approx(reference.pvalue, abs=1e-12)
        assert flips.churned == flips.fixed + flips.broken


def test_flips_by_hand() -> None:
    label = [-1, 1, 1, 1, 0, 0, 1]
    pairs = pair_rows((label, [*label[:6], -1]), ([1, 1, 0, -1, 2, 2, 1], [-1, 2, 3, -2, -1, 2, 1]))
    flips = Flips.of(pairs)
    assert (flips.n, flips.n_labelled, flips.n_relabelled) == (7, 4, 1)
    assert (flips.fixed, flips.broken, flips.both_right, flips.both_wrong) == (2, 0, 1, 1)
    assert (flips.churned, flips.moved) == (3, 5)  # one of those that changed has no label
    assert flips.p == 0.5
    assert flips.agreement.value == pytest.approx(4 / 7)
    nothing = Flips.of(pairs.where(np.zeros(7, np.bool_)))
    assert math.isnan(nothing.p)
    assert nothing.agreement.reason == "no row has the same id in both"


def bootstrap(world: World, metric: str, draws: int = 400, *, weighted: bool = False) -> np.ndarray:
    """The change of a metric in resampled rows, by definitions of its own."""
    rng, found = np.random.default_rng(7), []
    for _each in range(draws):
        rows = rng.integers(0, len(world.label), len(world.label))
        label, weight = world.label[rows], world.weight[rows] if weighted else None
        values = [of_rows(metric, label, score[rows], weight) for score in (world.before, world.after)]
        found.append(values[1] - values[0])
    return np.array(found)


def of_rows(metric: str, label: np.ndarray, score: np.ndarray, weight: np.ndarray | None) -> float:
    margin, positive = label * score, score > 0
    w = np.ones(len(label)) if weight is None else weight
    mean = {
        "average_hinge_loss": np.maximum(0, 0.5 - margin),
        "average_logistic_loss": np.logaddexp(0, -margin),
        "violation_rate": margin < 0.5,
        "accuracy": positive == (label > 0),
        "brier_score": (1 / (1 + np.exp(-score)) - (label > 0)) ** 2,
    }
    if metric in mean:
        return float(np.average(mean[metric], weights=w))
    tp, fp, fn = (
        (w * each).sum() for each in (positive & (label > 0), positive & (label < 0), ~positive & (label > 0))
    )
    return float(
        {
            "precision": lambda: tp / (tp + fp),
            "recall": lambda: tp / (tp + fn),
            "f1": lambda: 2 * tp / (2 * tp + fp + fn),
            "roc_auc": lambda: roc_auc_score(label, score, sample_weight=w),
            "average_precision": lambda: average_precision_score(label > 0, score, sample_weight=w),
            "median_margin": lambda: np.median(margin),
            "hinge_loss_p90": lambda: np.quantile(np.maximum(0.5 - margin, 0), 0.9),
        }[metric]()
    )


BOOTSTRAPPED = (
    "average_hinge_loss", "average_logistic_loss", "violation_rate", "accuracy", "brier_score", "precision", "recall",
    "f1", "roc_auc", "average_precision", "median_margin", "hinge_loss_p90",
)  # fmt: skip


@pytest.mark.parametrize("metric", BOOTSTRAPPED)
def test_intervals_are_as_wide_as_a_bootstrap_of_rows(metric: str) -> None:
    world = World(11, 900)
    change, draws = world.change(metric), bootstrap(world, metric)
    assert change.is_paired
    own = (change.estimate.upper - change.estimate.lower) / (2 * 1.96)
    # An interval of order statistics is rougher than a mean's.
    tolerance = 0.3 if metric in ("median_margin", "hinge_loss_p90") else 0.12
    assert own == pytest.approx(draws.std(), rel=tolerance)
    first, second = world.sides(metric)
    alone = unpaired_change(first.estimate, second.estimate)
    assert change.estimate.value == alone.value
    assert own < 0.9 * (alone.upper - alone.lower) / (2 * 1.96)


@pytest.mark.parametrize("metric", ["violation_rate", "roc_auc", "f1", "average_logistic_loss"])
def test_weighted_rows_are_bootstrapped_too(metric: str) -> None:
    world = World(12, 900)
    change, draws = world.change(metric, weighted=True), bootstrap(world, metric, weighted=True)
    assert (change.estimate.upper - change.estimate.lower) / (2 * 1.96) == pytest.approx(draws.std(), rel=0.15)


@pytest.mark.parametrize("metric", BOOTSTRAPPED)
def test_the_grid_changes_little(metric: str) -> None:
    world = World(13, 900)
    exact, grid = world.change(metric), world.change(metric, MEDIUM)
    assert grid.correlation == pytest.approx(exact.correlation, abs=0.03)


def test_the_same_predictions_change_nothing_for_certain() -> None:
    world = World(3)
    world.after = world.before
    for metric in METRICS:
        change = world.change(metric.name)
        assert (change.estimate.lower, change.estimate.upper) == (0, 0), metric.name
    # Unless the rows weigh otherwise.
    sides = world.sides("accuracy", weighted=True)
    pairs = world.pairs(weighted=True)
    assert change_of(metric_named("accuracy"), sides[0], sides[1], pairs, SETTINGS).correlation == 1
    pairs.sums[:, 4] *= 1.1
    pairs.sums[:, 6] *= 1.1**2
    pairs.sums[:, 7] *= 1.1
    assert not is_identical(pairs, sides[0].cells, sides[1].cells)
    # Equal decisions of other scores may differ in the next row.
    world.after = world.before * 1.5
    change = world.change("accuracy").estimate
    assert change.lower < change.value == 0 < change.upper < 0.02


def test_what_has_no_influence_is_unpaired() -> None:
    world = World(4)
    settings = MetricSettings(0.5, ScoreKind.LOGIT, is_recalibrated=True)
    sides = world.sides("log_loss")
    change = change_of(metric_named("log_loss"), sides[0], sides[1], world.pairs(), settings)
    assert not change.is_paired
    assert change.estimate == unpaired_change(sides[0].estimate, sides[1].estimate)
    assert not change_of(metric_named("log_loss"), sides[0], sides[1], None, SETTINGS).is_paired


def test_who_disagrees_most() -> None:
    world = World(5, 900)
    cohort = np.where(np.arange(900) % 3 == 0, "odd", "plain")
    world.after = np.where(cohort == "odd", -world.before, world.before)
    pairs = world.pairs()
    by_cohort = dataclasses.replace(pairs, cohort_before=cohort, cohort_after=cohort)
    found = Disagreement.of(by_cohort)
    assert found.value == ("odd", "plain")
    assert found.share[0].value > 0.95 > 0.05 > found.share[1].value
    assert found.p_adjusted[0] < 1e-12 < 0.5 < found.p_adjusted[1]
    assert sum(each.n for each in found.flips) == 900
    assert sum(each.fixed for each in found.flips) == Flips.of(pairs).fixed


@pytest.mark.parametrize(
    ("value", "lower", "upper", "word", "tolerable"),
    [
        (0.02, 0.01, 0.03, "better", True),
        (-0.02, -0.03, -0.01, "worse", False),
        (-0.004, -0.006, -0.002, "worse", True),
        (0.001, -0.004, 0.006, "cannot tell yet", True),
        (0.001, -0.04, 0.042, "cannot tell yet", False),
        (0.0, 0.0, 0.0, "unchanged", True),
    ],
)
def test_verdicts_by_hand(value: float, lower: float, upper: float, word: str, tolerable: bool) -> None:
    found = judge(Estimate(value, lower, upper, 1000), "higher", 0.01)
    assert found is not None
    assert (found.word, found.is_tolerable) == (word, tolerable)
    turned = judge(Estimate(-value, -upper, -lower, 1000), "lower", 0.01)
    assert turned == found


def test_one_of_several_numbers_has_to_be_surer() -> None:
    change = Estimate(0.02, 0.001, 0.039, 1000)
    assert stretch_of(0.04, 0.04) == 1
    assert stretch_of(0.0, 0.0) == 1
    alone, among = (judge(change, "higher", 0.0, stretch) for stretch in (1.0, stretch_of(0.04, 0.2)))
    assert alone is not None
    assert among is not None
    assert (alone.word, among.word) == ("better", "cannot tell yet")
    p = float(interval_p_value(0.02, 0.001, 0.039))
    for factor in (1.0, 1.2, 1.25, 1.3, 2.0):
        found = judge(change, "higher", 0.0, stretch_of(p, p * factor))
        assert found is not None
        assert (found.word == "better") is (p * factor < 0.05)


def test_so_many_more_rows_would_tell() -> None:
    found = judge(Estimate(0.001, -0.04, 0.042, 1000), "higher", 0.01)
    assert found is not None
    # The half-width 0.041 has to become 0.011, so that the lower end is −0.01.
    assert found.more_rows == math.ceil(1000 * ((0.041 / 0.011) ** 2 - 1))
    worse = judge(Estimate(-0.02, -0.05, 0.01, 1000), "higher", 0.01)
    assert worse is not None
    assert worse.more_rows == math.ceil(1000 * (1.5**2 - 1))
    # As many rows as a hundred times those there are is the most that is said.
    for half, tells in ((0.1004, True), (0.1006, False)):
        most = judge(Estimate(0.0, -half, half, 1000), "higher", 0.01)
        assert most is not None
        assert math.isnan(most.more_rows) is not tells
    never = judge(Estimate(0.0, -0.05, 0.05, 1000), "higher", 0.0)
    assert never is not None
    assert math.isnan(never.more_rows)
    assert judge(Estimate(0.1, 0.0, 0.2, 10), "neutral", 0.1) is None
    assert judge(Estimate(math.nan, math.nan, math.nan, 0, "no rows"), "higher", 0.1) is None


def test_tolerances() -> None:
    assert tolerance_of("share", 0.9) == 0.01
    assert tolerance_of("loss", 0.5) == pytest.approx(0.01)
    assert tolerance_of("score", -2.0, per_cent=5) == pytest.approx(0.1)
