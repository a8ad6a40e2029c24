"""Choosing a threshold: against a search over rows and scikit-learn, by hand, by property, and where none is chosen."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import xlogy
from sklearn.isotonic import IsotonicRegression

from lib.grid import RESOLUTIONS, Resolution
from lib.metrics.ranking import ONE_CLASS
from lib.metrics.threshold_choice import NOT_REACHED, ONE_FOLD, choose, fold_decisions, pick, smoothed_precision
from lib.metrics.threshold_cohorts import SMALL_POSITIVES, equalise_recall
from lib.metrics.threshold_intervals import LIKELIHOOD_LIMIT, RAISED_BY, By, Rule, threshold_interval
from lib.metrics.thresholds import Costs, Decisions
from tests.metrics.conftest import build

RULES = [
    Rule("precision", 0.7),
    Rule("recall", 0.8),
    Rule("flagged_share", 0.2),
    Rule("cost", costs=Costs(1.0, 4.0)),
    Rule("cost", costs=Costs(3.0, 1.0, 1.0)),
]
each_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.by}-{rule.costs.probability:g}")


def draw(n: int, seed: int = 0, digits: int = 2) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores, labels and folds."""
    rng = np.random.default_rng(seed)
    score = np.round(rng.normal(0, 1.5, n), digits)
    label = np.where(rng.random(n) < 1 / (1 + np.exp(-score)), 1, -1)
    return score, label, rng.integers(0, 10, n)


def searched(score: np.ndarray, label: np.ndarray, rule: Rule) -> float:
    """The threshold of a rule by going through all scores, row by row."""
    candidates = [-np.inf, *np.unique(score)]
    positive = (label > 0).sum()
    if rule.by == "precision":
        fitted = IsotonicRegression(out_of_bounds="clip").fit(score, label > 0).predict(score)
        return next(t for t in candidates if (score > t).any() and fitted[score > t].mean() >= rule.target - 1e-12)
    if rule.by == "recall":
        return [t for t in candidates if ((score > t) & (label > 0)).sum() >= rule.target * positive][-1]
    if rule.by == "flagged_share":
        return next(t for t in candidates if (score > t).mean() <= rule.target)
    costs = [
        rule.costs.false_positive * ((score > t) & (label < 0)).sum()
        + rule.costs.false_negative * ((score <= t) & (label > 0)).sum()
        - rule.costs.true_positive * ((score > t) & (label > 0)).sum()
        for t in candidates
    ]
    return candidates[int(np.flatnonzero(np.array(costs) <= min(costs) + 1e-9)[-1])]


@each_rule
@pytest.mark.parametrize("seed", range(3))
def test_a_search_over_rows_picks_the_same(rule: Rule, seed: int) -> None:
    score, label, _ = draw(400, seed, digits=1 + seed)
    decisions = Decisions.of(build(label, score))
    place, reason = pick(decisions, rule)
    assert not reason
    assert decisions.threshold[place] == searched(score, label, rule)


@each_rule
def test_no_row_is_judged_by_a_threshold_that_it_helped_to_pick(rule: Rule) -> None:
    score, label, fold = draw(1_000, 5)
    cells = build(label, score, None, {"fold": fold})
    choice = choose(Decisions.of(build(label, score)), fold_decisions(cells), rule)
    flagged = np.zeros(len(score), np.bool_)
    for k in range(10):
        rest = fold != k
        threshold = searched(score[rest], label[rest], rule)
        assert choice.picked[k] == threshold
        flagged[fold == k] = score[fold == k] > threshold
    assert choice.held_out is not None
    assert choice.flagged is not None
    assert choice.held_out.true_positive.n[0] == (flagged & (label > 0)).sum()
    assert choice.held_out.false_positive.n[0] == (flagged & (label < 0)).sum()
    assert choice.flagged.hits[0] == flagged.sum()
    assert choice.threshold.value == searched(score, label, rule)
    # Other labels in a fold change what it is judged to be, never what it is judged by.
    turned = np.where(fold == 3, -label, label)
    other = choose(Decisions.of(build(turned, score)), fold_decisions(build(turned, score, None, {"fold": fold})), rule)
    assert other.picked[3] == choice.picked[3]


def test_a_choice_is_steady_where_folds_decide_like_the_threshold_to_use() -> None:
    score, label, fold = draw(2_000, 3)
    whole, rule = Decisions.of(build(label, score)), Rule("recall", 0.8)
    choice = choose(whole, fold_decisions(build(label, score, None, {"fold": fold})), rule)
    assert choice.is_steady
    # Twelve of a hundred positive rows have the lowest score, all in one fold: with it a recall of 90 % takes every
    # row, without it those above the lowest will do.
    low = np.arange(100) < 12
    score, label = np.append(np.where(low, 0.0, 2.0), np.ones(100)), np.repeat([1, -1], 100)
    fold = np.append(np.where(low, 0, np.arange(100) % 10), np.arange(100) % 10)
    whole, rule = Decisions.of(build(label, score)), Rule("recall", 0.9)
    choice = choose(whole, fold_decisions(build(label, score, None, {"fold": fold})), rule)
    assert choice.threshold.value == -np.inf
    assert choice.picked[0] == 1.0
    assert choice.held_out is not None
    assert choice.held_out.recall.rate == pytest.approx([0.88])
    assert not choice.is_steady


def test_by_hand() -> None:
    # From the top: +, +, −, +, −, −.
    decisions = Decisions.of(build([1, 1, -1, 1, -1, -1], [6.0, 5.0, 4.0, 3.0, 2.0, 1.0]))

    def picked(rule: Rule) -> float:
        return float(decisions.threshold[pick(decisions, rule)[0]])

    assert picked(Rule("recall", 0.6)) == 4.0
    assert picked(Rule("recall", 1.0)) == 2.0
    assert picked(Rule("flagged_share", 0.5)) == 3.0
    assert picked(Rule("flagged_share", 0.0)) == 6.0
    assert picked(Rule("cost", costs=Costs(1.0, 1.0))) == 4.0
    assert picked(Rule("cost", costs=Costs(1.0, 3.0))) == 2.0
    # The fit is 1, 1, ½, ½, 0, 0: precision above 4 is 1, above 3 it is 2.5/3, above 2 it is 3/4.
    assert smoothed_precision(decisions)[:-1] == pytest.approx([1 / 2, 3 / 5, 3 / 4, 2.5 / 3, 1, 1])
    assert picked(Rule("precision", 0.8)) == 3.0
    assert picked(Rule("precision", 0.75)) == 2.0


@given(st.integers(0, 2**31), st.integers(30, 200), st.sampled_from(RESOLUTIONS), st.booleans())
@settings(max_examples=60, deadline=None)
def test_a_harder_target_never_lowers_the_bar(seed: int, n: int, resolution: Resolution, weighted: bool) -> None:
    score, label, _ = draw(n, seed)
    label[:2] = -1, 1
    weight = np.random.default_rng(seed).gamma(2.0, 1.0, n) if weighted else None
    decisions = Decisions.of(build(label, score, weight, None, resolution))
    smooth = smoothed_precision(decisions)
    assert (np.diff(smooth[~np.isnan(smooth)]) >= -1e-9).all()
    targets: tuple[tuple[By, bool], ...] = (("precision", True), ("recall", False), ("flagged_share", False))
    for by, rises in targets:
        places = [pick(decisions, Rule(by, target)) for target in (0.2, 0.5, 0.8)]
        found = [place for place, reason in places if not reason]
        assert found == sorted(found, reverse=not rises)
    for rule in RULES:
        place, reason = pick(decisions, rule)
        if not reason:
            lower, upper = threshold_interval(decisions, place, rule)
            assert lower <= decisions.threshold[place] <= upper


def test_the_likelihood_ratio_is_that_of_bounded_isotonic_fits() -> None:
    score, label, _ = draw(150, 3)
    share, y = 0.3, label > 0
    rule = Rule("cost", costs=Costs(3.0, 7.0))
    assert rule.costs.probability == pytest.approx(share)

    def likelihood(x: np.ndarray, hit: np.ndarray, low: float, high: float) -> float:
        if not len(x):
            return 0.0
        p = IsotonicRegression(y_min=low, y_max=high).fit(x, hit).predict(x)
        return float((xlogy(hit, p) + xlogy(1 - hit, 1 - p)).sum())

    candidates = np.array([-np.inf, *np.unique(score)])
    free = likelihood(score, y, 0, 1)
    held = [
        2
        * (
            free
            - likelihood(score[score <= t], y[score <= t], 0, share)
            - likelihood(score[score > t], y[score > t], share, 1)
        )
        <= LIKELIHOOD_LIMIT * (1 + RAISED_BY / len(score))
        for t in candidates
    ]
    first, last = np.flatnonzero(held)[[0, -1]]
    decisions = Decisions.of(build(label, score))
    interval = threshold_interval(decisions, pick(decisions, rule)[0], rule)
    assert interval == (candidates[first], candidates[last + 1])


def test_where_nothing_can_be_chosen_it_says_why() -> None:
    score, label, fold = draw(300, 1)
    one = Decisions.of(build(np.ones(300), score))
    assert pick(one, Rule("precision", 0.5))[1] == ONE_CLASS
    assert pick(one, Rule("cost"))[1] == ONE_CLASS
    assert pick(Decisions.of(build(-np.ones(300), score)), Rule("recall", 0.5))[1] == "no positive rows"
    unlabelled = Decisions.of(build(np.zeros(300), score))
    assert pick(unlabelled, Rule("recall", 0.5))[1] == "no row has both a label and a score"
    place, reason = pick(unlabelled, Rule("flagged_share", 0.1))
    assert not reason
    assert unlabelled.flagged(np.array([place])).rate[0] == pytest.approx(0.1, abs=0.01)
    # The surest rows are negative.
    down = Decisions.of(build(np.where(score > 2, -1, label), score))
    assert pick(down, Rule("precision", 0.99))[1].startswith(f"{NOT_REACHED}, the highest is ")
    whole = Decisions.of(build(label, score))
    alone = choose(whole, fold_decisions(build(label, score, None, {"fold": np.zeros(300, int)})), Rule("recall", 0.9))
    assert (alone.reason, alone.held_out) == (ONE_FOLD, None)
    assert np.isfinite(alone.threshold.value)
    # All positives but one lie in one fold: without it, the others cannot say.
    lone = np.where(fold == 0, label, -1)
    without = choose(
        Decisions.of(build(lone, score)), fold_decisions(build(lone, score, None, {"fold": fold})), Rule("recall", 0.9)
    )
    assert without.reason == "without one of the folds: no positive rows"
    assert without.held_out is None


def test_cohorts_of_their_own_threshold_have_equal_recall() -> None:
    rng = np.random.default_rng(0)
    n = 6_000
    value = rng.choice(["a", "b", "few"], n, p=[0.5, 0.49, 0.01])
    label = rng.choice([-1, 1], n)
    # The scores of b are lower by one, in both classes.
    score = np.round(rng.normal(label - 1.0 * (value == "b"), 1.0), 3)
    label[value == "few"] = np.where(rng.random((value == "few").sum()) < 0.2, 1, -1)
    fold = rng.integers(0, 10, n)

    def folds(chosen: np.ndarray) -> list[Decisions]:
        return [Decisions.of(build(label[chosen & (fold == k)], score[chosen & (fold == k)])) for k in range(10)]

    values = ["a", "b", "few"]
    made = equalise_recall(
        Decisions.of(build(label, score)),
        {each: Decisions.of(build(label[value == each], score[value == each])) for each in values},
        {each: folds(value == each) for each in values},
        0.8,
    )
    a, b, few = made.cohorts
    assert a.now.recall.rate[0] > 0.85 > 0.75 > b.now.recall.rate[0]
    for each in (a, b):
        assert each.then[0].recall.rate[0] == pytest.approx(0.8, abs=0.02)
    assert a.choice.threshold.value > made.common.threshold.value > b.choice.threshold.value
    assert few.keeps
    assert (few.now.true_positive + few.now.false_negative).n[0] < SMALL_POSITIVES
    assert few.then[0] is few.now
    for table, flags in (made.now, made.then):
        assert table.whole.n[0] == flags.n[0] == n
    assert made.now[0].recall.rate[0] == pytest.approx(0.8, abs=0.01)


def test_without_folds_no_cohort_is_compared() -> None:
    score, label, _ = draw(100)
    decisions = Decisions.of(build(label, score))
    made = equalise_recall(decisions, {"a": decisions}, {"a": [decisions]}, 0.8)
    assert (made.reason, made.cohorts) == (ONE_FOLD, ())
