"""What each threshold does: against scikit-learn, by hand, by property, and where nothing is defined."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from lib.cells import NEGATIVE, POSITIVE
from lib.grid import EXACT, FINE, RESOLUTIONS, Resolution
from lib.metrics.classification import confusion
from lib.metrics.intervals import mover_sum, wilson
from lib.metrics.thresholds import MEASURES, NO_PROBABILITY, Costs, Decisions, measure, net_benefit_of_all
from tests.metrics.conftest import Rows, build

weighted_or_not = pytest.mark.parametrize("weighted", [False, True])
COSTS = Costs(2.0, 5.0, 1.0)


def rows_of(rows: Rows, version: str, *, weighted: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    part = rows.of(version)
    return part.label > 0, part.score, part.weight if weighted else None


@weighted_or_not
def test_at_exact_resolution_the_curves_are_those_of_scikit_learn(rows: Rows, weighted: bool) -> None:
    cells = rows.cells(weighted=weighted)
    for group, version in enumerate(cells.groups["version"]):
        y, s, w = rows_of(rows, version, weighted=weighted)
        decisions = Decisions.of(cells, group)
        labelled = np.isin(decisions.threshold, s)
        labelled[0] = True
        found = measure(decisions.confusion(), decisions.flagged(), COSTS)
        precision, recall, _ = reference.precision_recall_curve(y, s, sample_weight=w)
        # ">= a score" there is "> the score before" here; unlabelled rows have thresholds of their own.
        assert found["precision"].value[labelled][:-1] == pytest.approx(precision[:-1])
        assert found["recall"].value[labelled] == pytest.approx(recall)
        false, true, _ = reference.roc_curve(y, s, sample_weight=w, drop_intermediate=False)
        assert found["false_positive_rate"].value[labelled] == pytest.approx(false[::-1])
        assert found["recall"].value[labelled] == pytest.approx(true[::-1])


@weighted_or_not
@pytest.mark.parametrize("beta", [0.5, 1.0, 2.0])
def test_f_beta_and_the_confusion_matrix_are_those_of_scikit_learn(rows: Rows, weighted: bool, beta: float) -> None:
    cells = rows.cells(weighted=weighted)
    for group, version in enumerate(cells.groups["version"]):
        y, s, w = rows_of(rows, version, weighted=weighted)
        decisions = Decisions.of(cells, group)
        places = decisions.place([-1.0, 0.0, 0.37, 2.0])
        table = decisions.confusion(places)
        found = measure(table, decisions.flagged(places), COSTS, beta)
        for at, threshold in enumerate([-1.0, 0.0, 0.37, 2.0]):
            flagged = s > threshold
            ((tn, fp), (fn, tp)) = reference.confusion_matrix(y, flagged, sample_weight=w)
            parts = (table.true_negative, table.false_positive, table.false_negative, table.true_positive)
            assert [part.w[at] for part in parts] == pytest.approx([tn, fp, fn, tp])
            score = reference.fbeta_score(y, flagged, beta=beta, sample_weight=w)
            assert found["f_beta"].value[at] == pytest.approx(score)
            assert found["f_beta"].lower[at] < score < found["f_beta"].upper[at]
            total = tp + fp + fn + tn
            assert found["expected_cost"].value[at] == pytest.approx((2 * fp + 5 * fn - tp) / total)


@weighted_or_not
@pytest.mark.parametrize("resolution", RESOLUTIONS, ids=lambda each: each.name)
def test_every_edge_of_the_grid_counts_the_rows_above_it_exactly(
    rows: Rows, resolution: Resolution, weighted: bool
) -> None:
    cells = rows.cells(resolution, weighted=weighted)
    for group, version in enumerate(cells.groups["version"]):
        decisions = Decisions.of(cells, group)
        here = (rows.version == version) & ~np.isnan(rows.score)
        weight = rows.weight if weighted else np.ones(len(rows.score))
        for at, threshold in enumerate(decisions.threshold):
            # A score on an edge of probability may be a digit off it, as logits go.
            above = here & (rows.score > threshold + (1e-9 * max(1.0, abs(threshold)) if at else 0.0))
            for place, label in ((NEGATIVE, -1), (1, 0), (POSITIVE, 1)):
                assert decisions.above.n[at, place] == (above & (rows.label == label)).sum()
                assert decisions.above.w[at, place] == pytest.approx(weight[above & (rows.label == label)].sum())


@pytest.mark.parametrize("resolution", [EXACT, FINE], ids=lambda each: each.name)
def test_a_threshold_of_either_scale_decides_as_the_cells_do(rows: Rows, resolution: Resolution) -> None:
    cells = rows.cells(resolution)
    for p in (0.05, 0.5, 0.95):
        table = confusion(cells, p, "probability")
        for group in range(cells.n_groups):
            decisions = Decisions.of(cells, group)
            own = decisions.confusion(decisions.place([np.log(p / (1 - p))]))
            for name in ("true_positive", "false_positive", "false_negative", "true_negative"):
                assert getattr(own, name).n[0] == getattr(table, name).n[group]


def test_by_hand() -> None:
    decisions = Decisions.of(build([1, -1, 1, -1, 0], [2.0, 1.0, 1.0, -1.0, 3.0]))
    assert decisions.threshold.tolist() == [-np.inf, -1.0, 1.0, 2.0, 3.0]
    assert decisions.above.n.tolist() == [[2, 1, 2], [1, 1, 2], [0, 1, 1], [0, 1, 0], [0, 0, 0]]
    assert decisions.place([-5.0, -1.0, 0.5, 2.5, 99.0]).tolist() == [0, 1, 1, 3, 4]
    places = decisions.place([0.0])
    found = measure(decisions.confusion(places), decisions.flagged(places), COSTS, probability=np.array([0.5]))
    assert {name: each.value[0] for name, each in found.items()} == pytest.approx(
        {
            "precision": 2 / 3,
            "recall": 1.0,
            "f_beta": 0.8,
            "false_positive_rate": 0.5,
            "flagged_share": 4 / 5,
            "expected_cost": (2 - 2) / 4,
            "net_benefit": (2 - 1) / 4,
        }
    )
    assert found["precision"].n[0] == 3
    assert found["flagged_share"].n[0] == 5
    assert net_benefit_of_all(decisions.whole, np.array([0.2])) == pytest.approx([0.5 - 0.5 / 4])
    assert Costs(1, 4).probability == 0.2


@given(st.integers(0, 2**31), st.sampled_from(RESOLUTIONS), st.integers(1, 60), st.booleans())
@settings(max_examples=60, deadline=None)
def test_rising_thresholds_flag_ever_fewer_rows(seed: int, resolution: Resolution, n: int, weighted: bool) -> None:
    generator = np.random.default_rng(seed)
    label, score = generator.choice([-1, 0, 1], n), np.round(generator.normal(0, 2, n), 1)
    weight = generator.gamma(1.0, 1.0, n) + 1e-3 if weighted else None
    decisions = Decisions.of(build(label, score, weight, None, resolution))
    assert (np.diff(decisions.threshold) > 0).all()
    assert (np.diff(decisions.above.n, axis=0) <= 0).all()
    assert decisions.above.n[-1].sum() == 0
    assert decisions.whole.n.sum() == n
    assert decisions.own.n.sum() == n
    found = measure(
        decisions.confusion(), decisions.flagged(), COSTS, probability=np.full(len(decisions.threshold), 0.3)
    )
    assert list(found) == list(MEASURES)
    for name, each in found.items():
        defined = each.is_defined
        slack = 1e-12
        assert (each.lower[defined] <= each.value[defined] + slack).all(), name
        assert (each.value[defined] <= each.upper[defined] + slack).all(), name


def test_what_is_not_defined_says_why() -> None:
    decisions = Decisions.of(build([0, 0], [1.0, 2.0]))
    found = measure(decisions.confusion(), decisions.flagged(), Costs())
    assert set(found["recall"].reason) == {"no positive rows"}
    assert set(found["expected_cost"].reason) == {"no row has both a label and a score"}
    assert set(found["net_benefit"].reason) == {NO_PROBABILITY}
    assert found["flagged_share"].value.tolist() == [1.0, 0.5, 0.0]
    empty = Decisions.of(build([1], [np.nan]))
    assert empty.threshold.tolist() == [-np.inf]
    assert measure(empty.confusion(), empty.flagged(), Costs())["flagged_share"].reason == ("no scored rows",)
    assert Decisions.of(build([], [])).threshold.tolist() == [-np.inf]


def test_square_and_add_of_one_share_is_its_interval_as_is_that_of_a_share_and_its_complement() -> None:
    share = np.array([[0.2], [0.8]])
    lower, upper = wilson(share, 50)
    value, low, high = mover_sum(np.array([[3.0], [0.0]]), share, lower, upper)
    assert (value[0], low[0], high[0]) == pytest.approx((0.6, 3 * lower[0, 0], 3 * upper[0, 0]))
    # Of two shares that add up to 1 the difference is 2p − 1, and so is its interval.
    value, low, high = mover_sum(np.array([[1.0], [-1.0]]), share, lower, upper)
    assert (value[0], low[0], high[0]) == pytest.approx((-0.6, 2 * lower[0, 0] - 1, 2 * upper[0, 0] - 1))


@pytest.mark.parametrize("shares", [(0.05, 0.1), (0.3, 0.02), (0.4, 0.4)])
def test_square_and_add_holds_the_truth_in_about_95_of_100_files(shares: tuple[float, float]) -> None:
    generator, n, worth = np.random.default_rng(0), 200, np.array([[1.0], [-2.0]])
    drawn = generator.multinomial(n, [*shares, 1 - sum(shares)], 4_000)[:, :2].T / n
    _, low, high = mover_sum(worth, drawn, *wilson(drawn, n))
    truth = shares[0] - 2 * shares[1]
    assert 0.935 < ((low <= truth) & (truth <= high)).mean() < 0.97
