from __future__ import annotations

import time

import numpy as np
import pytest
from statsmodels.stats.proportion import confint_proportions_2indep

from lib.errors import SettingsError
from lib.grid import EXACT, FINE
from lib.metrics.estimates import NO_LABELS, NO_SCORES, NO_USABLE_ROWS, Estimate
from lib.metrics.summary import METRICS, Metric, MetricSettings, compute_summary, metric_named, unpaired_change
from lib.schema import ScoreKind
from tests.metrics.conftest import Rows, build, draw

LOGIT = MetricSettings(1.0, ScoreKind.LOGIT)


def test_the_table_is_complete_and_in_the_words_of_the_contract() -> None:
    names = [metric.name for metric in METRICS]
    assert len(set(names)) == len(names)
    contract = (
        "average_hinge_loss average_logistic_loss violation_rate median_margin hinge_loss_p90 log_loss brier_score"
        " roc_auc average_precision accuracy precision recall f1 support_vector_share zero_hinge_gradient_share"
        " logistic_gradient_share_from_correct"
    )
    assert set(contract.split()) <= set(names)
    for metric in METRICS:
        assert metric.definition.endswith(".")
        assert metric.label[0] == metric.label[0].upper()
        assert (metric.parts is None) == (metric.finish is None)
    assert [metric.name for metric in METRICS if metric.uses_margin_target] == [
        "average_hinge_loss",
        "violation_rate",
        "hinge_loss_p90",
        "zero_hinge_gradient_share",
    ]
    with pytest.raises(SettingsError, match="violation_rate"):
        metric_named("violations")


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
@pytest.mark.parametrize("weighted", [False, True])
def test_parts_finish_to_the_same_numbers_and_settings_matter_only_where_declared(
    rows: Rows, metric: Metric, weighted: bool
) -> None:
    cells = rows.cells(FINE, weighted=weighted)
    direct = metric.function(cells, LOGIT)
    if metric.parts is not None and metric.finish is not None:
        made = metric.finish(metric.parts(cells, LOGIT), LOGIT)
        for name in ("value", "lower", "upper", "n", "bound"):
            np.testing.assert_array_equal(getattr(direct, name), getattr(made, name))
    other = metric.function(cells, MetricSettings(2.0, ScoreKind.LOGIT))
    assert (other.value == direct.value).all() != metric.uses_margin_target


@pytest.mark.parametrize("weighted", [False, True])
def test_groups_do_not_touch_each_other(weighted: bool) -> None:
    rows = draw(6)
    together = compute_summary(rows.cells(weighted=weighted), LOGIT)
    for g, version in enumerate(together.groups["version"]):
        alone = compute_summary(rows.cells(weighted=weighted).select(version=version), LOGIT)
        for name, estimates in together.metrics.items():
            np.testing.assert_allclose(
                np.array([estimates.value[g], estimates.lower[g], estimates.upper[g], estimates.n[g]]),
                np.array(
                    [each[0] for each in (alone[name].value, alone[name].lower, alone[name].upper, alone[name].n)]
                ),
                rtol=1e-9,
                err_msg=name,
            )


def test_counts_and_frame() -> None:
    rows = draw(2)
    summary = compute_summary(rows.cells(), LOGIT)
    assert summary.n.sum() == 400
    assert summary.n_labelled.sum() == (rows.label != 0).sum()
    frame = summary.frame()
    assert list(frame.columns) == ["version", "metric", "value", "lower", "upper", "n", "reason", "bound"]
    assert len(frame) == 2 * len(METRICS)
    few = compute_summary(rows.cells(), names=["accuracy", "recall"])
    assert list(few.metrics) == ["accuracy", "recall"]


@pytest.mark.parametrize("weighted", [False, True])
def test_nothing_is_undefined_without_a_reason_nor_defined_with_one(weighted: bool) -> None:
    awkward = build(
        [1, 1, -1, 0, 1, -1, 1, -1, 0],
        [0.0, 1.0, -1.0, 2.0, np.nan, np.nan, 5.0, 5.0, np.nan],
        [1.0, 2.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 1.0] if weighted else None,
        {"k": ["pos", "pos", "neg", "bare", "blind", "blind", "zero", "zero", "nothing"]},
    )
    for resolution in (EXACT, FINE):
        summary = compute_summary(awkward.coarsen(resolution), LOGIT)
        for name, estimates in summary.metrics.items():
            assert (np.isnan(estimates.value) == ~estimates.is_defined).all(), name
            assert (np.isnan(estimates.bound) == ~estimates.is_defined).all(), name
        assert set(summary["roc_auc"].reason) >= {"only one class", NO_LABELS, NO_SCORES}
    empty = compute_summary(build([], [], None, {"k": np.zeros(0, "U1")}), LOGIT)
    assert all(len(estimates) == 0 for estimates in empty.metrics.values())


def test_change_is_newcombes_interval() -> None:
    before, after = (
        build(np.ones(50), np.r_[np.zeros(10), np.full(40, 2.0)]),
        build(np.ones(80), np.r_[np.zeros(40), np.full(40, 2.0)]),
    )
    rate = metric_named("violation_rate").function
    change = unpaired_change(rate(before, LOGIT)[0], rate(after, LOGIT)[0])
    assert change.value == pytest.approx(0.3)
    expected = confint_proportions_2indep(40, 80, 10, 50, method="newcomb")
    assert (change.lower, change.upper) == pytest.approx(expected, abs=1e-9)
    assert change.n == 50


def test_change_of_the_undefined_says_which() -> None:
    nan = float("nan")
    known, unknown = Estimate(0.5, 0.4, 0.6, 10), Estimate(nan, nan, nan, 0, "no labelled rows")
    assert unpaired_change(unknown, known).reason == "undefined in the baseline: no labelled rows"
    assert unpaired_change(known, unknown).reason == "undefined in the candidate: no labelled rows"
    assert np.isnan(unpaired_change(known, unknown).value)
    assert unpaired_change(known, known).value == 0


def test_fast_enough() -> None:
    """Generous by a factor of five over what an idle core needs; it is the order of growth that must not change."""
    generator = np.random.default_rng(0)
    label = generator.choice([-1, 1], 60_000)
    cells = build(label, generator.normal(label, 2), None, {"g": generator.integers(0, 200, 60_000)}, FINE)
    seconds: list[float] = []
    for _ in range(4):
        begin = time.perf_counter()
        compute_summary(cells, LOGIT)
        seconds.append(time.perf_counter() - begin)
    assert min(seconds) < 0.3


def test_what_is_missing_is_said() -> None:
    cells = build(
        [1, -1, 0, 0, 1, 0, 1, -1],
        [np.nan, np.nan, 1.0, 2.0, np.nan, 1.0, 1.0, -1.0],
        None,
        {"k": ["blind", "blind", "bare", "bare", "pairs", "pairs", "sound", "sound"]},
    )
    summary = compute_summary(cells, LOGIT)
    reasons = dict(zip(["bare", "blind", "pairs", "sound"], [NO_LABELS, NO_SCORES, NO_USABLE_ROWS, ""], strict=True))
    for name in ("violation_rate", "average_hinge_loss", "median_margin", "roc_auc", "recall", "precision", "log_loss"):
        assert dict(zip(summary.groups["k"].tolist(), summary[name].reason, strict=True)) == reasons, name
    assert summary["predicted_positive_share"].reason == ("", NO_SCORES, "", "")
