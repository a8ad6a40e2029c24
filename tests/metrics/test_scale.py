import math

import numpy as np
import pytest

from lib.metrics.catalogue import METRICS
from lib.metrics.scale import SCALE_FACTOR, is_same_scale, margin_spread, scale_ratio
from lib.schema import VERSION, ScoreKind
from tests.checks.conftest import make_world
from tests.checks.tables import diagnose


def scored(factor=1.0, shift=0.0, seed=0):
    frame = make_world(4_000, seed=seed, versions=2)
    s = np.log(frame["score"] / (1 - frame["score"])) + shift * np.where(frame["label"] > 0, -1, 1) * (
        frame["version"] == "v2"
    )
    return frame.assign(score=s * np.where(frame["version"] == "v2", factor, 1.0))


def decisions(factor=1.0, shift=0.0):
    return diagnose(scored(factor, shift), (), score_kind=ScoreKind.DECISION)


def test_the_spread_is_the_interquartile_range_of_margins():
    diagnosis = decisions()
    cells = diagnosis.cells(VERSION)
    frame = scored()
    margin = frame["score"] * np.where(frame["label"] > 0, 1, -1)
    expected = [np.subtract(*np.percentile(margin[frame["version"] == name], [75, 25])) for name in ("v1", "v2")]
    assert margin_spread(cells) == pytest.approx(expected)
    assert scale_ratio(cells, 0, 1) == pytest.approx(expected[1] / expected[0])


@pytest.mark.parametrize(("ratio", "same"), [(1.0, True), (SCALE_FACTOR, True), (1.6, False), (0.6, False)])
def test_what_is_one_scale(ratio, same):
    assert is_same_scale(ratio) is same


def test_nothing_known_is_no_other_scale():
    assert is_same_scale(math.nan)
    assert not is_same_scale(math.inf)


@pytest.mark.parametrize("factor", [0.2, 5.0])
def test_no_verdict_between_scales_but_on_ranks_and_decisions(factor):
    diagnosis = decisions(factor)
    verdicts = {metric.name: diagnosis.verdict(metric.name) for metric in METRICS}
    said = {name for name, verdict in verdicts.items() if verdict == "not comparable"}
    assert said == {metric.name for metric in METRICS if metric.in_score_units}
    assert {"average_hinge_loss", "average_logistic_loss", "violation_rate", "median_margin"} <= said
    assert not said & {"roc_auc", "accuracy", "average_precision", "f1", "predicted_positive_share"}


def test_margins_that_move_towards_zero_are_worse():
    diagnosis = decisions(shift=2.0)
    assert is_same_scale(diagnosis.scale_ratio)
    assert diagnosis.verdict("violation_rate") == diagnosis.verdict("median_margin") == "worse"
    assert diagnosis.verdict("roc_auc") == diagnosis.verdict("accuracy") == "worse"


def test_log_odds_have_a_unit():
    diagnosis = diagnose(scored(0.2), (), score_kind=ScoreKind.LOGIT)
    assert diagnosis.scale_ratio == 1.0
    assert diagnosis.verdict("median_margin") == "worse"


def test_a_metric_is_in_score_units_if_a_factor_changes_it():
    one, other = decisions(1.0), decisions(3.0)
    for metric in METRICS:
        before, after = one.versions[metric.name][1].value, other.versions[metric.name][1].value
        if not math.isnan(before):
            assert (abs(after - before) > 1e-9) is metric.in_score_units, metric.name
