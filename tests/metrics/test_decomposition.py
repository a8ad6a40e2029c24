"""Parts of a change: exact for every metric, each moved alone by its own cause, intervals as wide as a bootstrap's."""

from __future__ import annotations

import numpy as np
import pytest

from lib.cells import Cells, PairCells
from lib.grid import COARSE, EXACT, FINE, MEDIUM, Resolution, coarsen_id, score_id
from lib.metrics.decomposition import PARTS, Decomposition, decompose, why_not
from lib.metrics.summary import METRICS, MetricSettings, metric_named
from lib.schema import ScoreKind
from tests.metrics.conftest import build
from tests.metrics.pair_rows import pair_rows

SETTINGS = MetricSettings(0.5, ScoreKind.LOGIT)
KEY = "cohort:c"
PARTED = [metric.name for metric in METRICS if not why_not(metric, SETTINGS)]


class Rows:
    """Rows of one version."""

    def __init__(self, label: np.ndarray, score: np.ndarray, cohort: np.ndarray, weight: np.ndarray | None = None):
        self.label, self.score, self.cohort, self.weight = label, score, cohort, weight

    def cells(self, resolution: Resolution = EXACT) -> Cells:
        keys = {"version": np.full(len(self.label), "v"), KEY: self.cohort}
        return build(self.label, self.score, self.weight, keys, resolution)


def drawn(seed: int, shift: float = 0.0, n: int = 500, *, weighted: bool = False, unlabelled: float = 0.1) -> Rows:
    rng = np.random.default_rng(seed)
    cohort = rng.choice(["a", "b", "c"], n, p=[0.5, 0.3, 0.2])
    label = np.where(rng.random(n) < unlabelled, 0, rng.choice([-1, 1], n, p=[0.6, 0.4]))
    score = np.round(rng.normal(label * 0.9 + shift * (cohort == "b"), 1.2), 2)
    score[rng.random(n) < 0.03] = np.nan
    return Rows(label, score, cohort, rng.gamma(2.0, 1.0, n) if weighted else None)


def parts_of(first: Rows, second: Rows, metric: str, resolution: Resolution = EXACT, **kwargs: object) -> Decomposition:
    found = decompose(
        first.cells(resolution),
        second.cells(resolution),
        KEY,
        metric_named(metric),
        SETTINGS,
        **kwargs,  # type: ignore[arg-type]
    )
    assert isinstance(found, Decomposition), found
    return found


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("resolution", [EXACT, FINE, MEDIUM, COARSE], ids=lambda each: each.name)
@pytest.mark.parametrize("metric", PARTED)
def test_parts_add_up_and_turn_with_the_versions(metric: str, resolution: Resolution, weighted: bool) -> None:
    first, second = drawn(1, weighted=weighted), drawn(2, 0.7, weighted=weighted)
    found = parts_of(first, second, metric, resolution, draws=2)
    values = [
        metric_named(metric).estimate(rows.cells(resolution).rollup(["version"]), SETTINGS) for rows in (first, second)
    ]
    headline = values[1].value[0] - values[0].value[0]
    assert sum(each.value for each in found.parts.values()) == pytest.approx(headline, abs=1e-12)
    assert found.change == headline
    assert found.within.value + found.parts["mix"].value == pytest.approx(headline, abs=1e-12)
    back = parts_of(second, first, metric, resolution, draws=2)
    for name in PARTS:
        assert back.parts[name].value == pytest.approx(-found.parts[name].value, abs=1e-12)


def only(found: Decomposition, *names: str, tolerance: float = 1e-12) -> None:
    """All parts but the named ones are nothing, and the named ones are something."""
    for name, part in found.parts.items():
        assert (abs(part.value) > 1e-4) is (name in names), (name, part.value)
        assert name in names or abs(part.value) <= tolerance, (name, part.value)


def test_each_cause_moves_its_own_part() -> None:
    base = drawn(3, n=400, unlabelled=0.0)
    base.score = np.nan_to_num(base.score)
    every = np.arange(400)
    mixed = np.concatenate([every, *[every[base.cohort == "b"]] * 2])
    more = Rows(base.label[mixed], base.score[mixed], base.cohort[mixed])
    only(parts_of(base, more, "accuracy", draws=2), "mix")
    only(parts_of(base, more, "average_hinge_loss", draws=2), "mix")
    # Each cohort has its positive rows twice: shares of cohorts move too, unless they are put right by weights.
    label_weight = np.where(base.label > 0, 2.0, 1.0)
    for value in "abc":
        own = base.cohort == value
        label_weight[own] *= own.sum() / label_weight[own].sum()
    relabelled = Rows(base.label, base.score, base.cohort, label_weight)
    plain = Rows(base.label, base.score, base.cohort, np.ones(400))
    only(parts_of(plain, relabelled, "accuracy", draws=2), "labels")
    only(parts_of(base, Rows(base.label, base.score + 0.4, base.cohort), "accuracy", draws=2), "threshold")
    wider = Rows(base.label, base.score * 1.5, base.cohort)
    only(parts_of(base, wider, "average_hinge_loss", draws=2), "calibration")
    only(parts_of(base, wider, "brier_score", draws=2), "calibration")
    assert parts_of(base, wider, "f1", draws=2).change == 0
    # The same scores in another order within each cohort, so that neither decisions nor certainty change as a whole.
    other = base.score.copy()
    for value in "abc":
        own = np.flatnonzero(base.cohort == value)
        order = np.argsort(
            np.argsort(base.label[own] + np.random.default_rng(0).normal(0, 0.4, len(own)), kind="stable")
        )
        other[own] = np.sort(base.score[own])[order]
    only(parts_of(base, Rows(base.label, other, base.cohort), "accuracy", draws=2), "ranking")
    only(parts_of(base, Rows(base.label, other, base.cohort), "brier_score", draws=2), "ranking")
    same = parts_of(base, base, "log_loss", draws=2)
    assert all(part.value == 0 for part in same.parts.values())


def test_mix_is_kitagawas_by_hand() -> None:
    # a: 4 of 5 right, then 3 of 3; b: 1 of 5 right, then 2 of 7.
    def rows(right: tuple[int, int], wrong: tuple[int, int]) -> Rows:
        cohort = np.repeat(["a", "b", "a", "b"], [*right, *wrong])
        score = np.repeat([1.0, 1.0, -1.0, -1.0], [*right, *wrong])
        return Rows(np.ones(len(cohort), np.int64), score, cohort)

    found = parts_of(rows((4, 1), (1, 4)), rows((3, 2), (0, 5)), "accuracy", draws=2)
    assert found.change == pytest.approx(0.0)
    mix = (0.3 - 0.5) * (0.8 + 1.0) / 2 + (0.7 - 0.5) * (1 / 5 + 2 / 7) / 2
    assert found.parts["mix"].value == pytest.approx(mix)
    assert found.within.value == pytest.approx((1.0 - 0.8) * 0.4 + (2 / 7 - 1 / 5) * 0.6)
    assert found.share_before.tolist() == [0.5, 0.5]
    assert found.share_after.tolist() == pytest.approx([0.3, 0.7])
    assert found.before.value.tolist() == pytest.approx([0.8, 0.2])


def test_a_new_cohort_and_one_that_left_are_mix() -> None:
    first, second = drawn(4, unlabelled=0.0), drawn(4, unlabelled=0.0)
    first.cohort = np.where(first.cohort == "c", "gone", first.cohort)
    second.cohort = np.where(second.cohort == "c", "new", second.cohort)
    found = parts_of(first, second, "accuracy", draws=2)
    only(parts_of(first, first, "accuracy", draws=2))
    assert found.values == ("a", "b", "gone", "new")
    assert found.changes.reason[2] == "undefined in the candidate: no rows"
    assert found.within.value == pytest.approx(0, abs=1e-12)


def test_simpsons_paradox_is_named() -> None:
    # Kidney stones (Charig and others, 1986): better in both, worse as a whole.
    def rows(counts: dict[str, tuple[int, int]]) -> Rows:
        cohort = np.concatenate([np.full(n, name) for name, (_right, n) in counts.items()])
        score = np.concatenate([np.repeat([1.0, -1.0], [right, n - right]) for right, n in counts.values()])
        return Rows(np.ones(len(cohort), np.int64), score, cohort)

    before = rows({"small": (234, 270), "large": (55, 80)})
    after = rows({"small": (81, 87), "large": (192, 263)})
    found = parts_of(before, after, "accuracy")
    assert found.change < 0 < found.within.value
    assert found.reversed
    assert not parts_of(after, after, "accuracy", draws=2).reversed
    assert not parts_of(drawn(1), drawn(2, 3.0), "accuracy", draws=2).reversed


def resampled(rows: Rows, taken: np.ndarray) -> Rows:
    return Rows(rows.label[taken], rows.score[taken], rows.cohort[taken])


def joint(first: Rows, second: Rows) -> PairCells:
    """Pairs of rows that stand at the same place, by cohort in steps of 0.5."""
    made = pair_rows((first.label, second.label), (first.score, second.score))
    bins = [coarsen_id(score_id(rows.score), COARSE.score_factor) for rows in (first, second)]
    return PairCells(
        made.label_before, made.label_after, bins[0], bins[1], made.score_before, made.score_after, made.sums, COARSE,
        first.cohort, second.cohort,
    )  # fmt: skip


@pytest.mark.parametrize("paired", [False, True])
@pytest.mark.parametrize("metric", ["accuracy", "average_hinge_loss"])
def test_intervals_are_as_wide_as_a_bootstrap_of_rows(metric: str, paired: bool) -> None:
    rng = np.random.default_rng(9)
    first = drawn(5, n=700, unlabelled=0.0)
    first.score = np.nan_to_num(first.score)
    after = np.round(first.score + rng.normal(0.2, 0.4, 700), 2)
    second = Rows(first.label, after, first.cohort)
    pairs = joint(first, second) if paired else None
    found = parts_of(first, second, metric, pairs=pairs)
    draws = []
    for _each in range(120):
        rows = rng.integers(0, 700, 700)
        others = rows if paired else rng.integers(0, 700, 700)
        one = parts_of(resampled(first, rows), resampled(second, others), metric, draws=2)
        draws.append([one.parts[name].value for name in PARTS] + [one.within.value])
    spread = np.std(draws, axis=0)
    own = np.array([(each.upper - each.lower) / (2 * 1.96) for each in [*found.parts.values(), found.within]])
    if paired:
        # The same rows: neither their cohorts nor their labels can change.
        assert own[:2] == pytest.approx(0, abs=1e-12)
        assert spread[:2] == pytest.approx(0, abs=1e-12)
    seen = spread > 2e-3
    assert seen.sum() >= 3
    assert own[seen] == pytest.approx(spread[seen], rel=0.35)


def test_what_has_no_parts_says_why() -> None:
    first, second = drawn(1).cells(), drawn(2).cells()
    found = decompose(first, second, KEY, metric_named("roc_auc"), SETTINGS)
    assert found == "it is neither a rate nor a mean over rows, so it has no parts that add up"
    several = MetricSettings(1.0, ScoreKind.LOGIT, ("a", "b", "c"))
    assert why_not(metric_named("f1"), several) == "of several classes it is a mean over classes"
    decision = MetricSettings(1.0, ScoreKind.DECISION)
    assert "median" in why_not(metric_named("confident_error_rate"), decision)
    empty = drawn(1)
    empty.score = -np.abs(empty.score) - 1
    nothing = decompose(empty.cells(), second, KEY, metric_named("precision"), SETTINGS)
    assert nothing == "it is undefined in one of the worlds between the two versions"
