"""Metrics of several classes: by hand, merged, and where they are undefined; scikit-learn is in tests/reports."""

from __future__ import annotations

import numpy as np
import pytest

from lib.cells import Cells, bin_ids, merge
from lib.grid import COARSE, EXACT, Resolution
from lib.metrics.catalogue import METRICS, MetricSettings
from lib.metrics.multiclass import NOT_BY_THIS, NOT_ONE_POSITIVE, ClassTables, average, whole_estimate
from lib.metrics.summary import compute_summary
from lib.schema import CLASS, ONE_VS_REST, PREDICTED, VERSION, ScoreKind

NAMES = ("a", "b", "c")
P = [  # three classes, five rows: right, right, wrong (b for a), right, wrong (a for c)
    ([0.7, 0.2, 0.1], 0),
    ([0.1, 0.8, 0.1], 1),
    ([0.3, 0.6, 0.1], 0),
    ([0.1, 0.1, 0.8], 2),
    ([0.5, 0.2, 0.3], 2),
]
SETTINGS = MetricSettings(score_kind=ScoreKind.PROBABILITY, classes=NAMES)
Rows = list[tuple[list[float], int]]


def cells_of(keys: dict[str, list[str]], label: list[int], score: list[float], resolution: Resolution = EXACT) -> Cells:
    y, s = np.array(label), np.array(score, np.float64)
    p = 1 / (1 + np.exp(-s))
    loss = np.where(y == 0, 0.0, np.logaddexp(0, -y * s))
    sums = np.stack([np.ones(len(s)), s, s**2, loss, loss**2, p, p**2], axis=1)
    bins = bin_ids(s, p, resolution)
    return Cells.build(keys, y, *bins, sums, resolution=resolution, score=s)


def tables_of(rows: Rows, version: str = "v") -> tuple[Cells, ClassTables]:
    margin = [np.log(p[y]) - np.log(max(each for k, each in enumerate(p) if k != y)) for p, y in rows]
    versions, ones = [version] * len(rows), [1] * len(rows)
    classes, answers = [NAMES[y] for _p, y in rows], [NAMES[int(np.argmax(p))] for p, _y in rows]
    whole = cells_of({VERSION: versions}, ones, margin)
    by_class = cells_of({VERSION: versions, CLASS: classes}, ones, margin)
    crossed = cells_of({VERSION: versions, CLASS: classes, PREDICTED: answers}, ones, margin, COARSE)
    against = cells_of(
        {VERSION: versions * 3, ONE_VS_REST: [name for name in NAMES for _row in rows]},
        [1 if y == k else -1 for k in range(3) for _p, y in rows],
        [float(np.log(p[k] / (1 - p[k]))) for k in range(3) for p, _y in rows],
    )
    return whole, ClassTables(NAMES, whole.groups, against, by_class, crossed)


def test_by_hand() -> None:
    whole, tables = tables_of(P)
    summary = compute_summary(whole, SETTINGS, None, tables)
    expected = {
        "accuracy": 3 / 5,
        "recall": (1 / 2 + 1 + 1 / 2) / 3,
        "precision": (1 / 2 + 1 / 2 + 1) / 3,
        "f1": (1 / 2 + 2 / 3 + 2 / 3) / 3,
        "false_positive_rate": (1 / 3 + 1 / 4 + 0) / 3,
        "log_loss": -np.log([0.7, 0.8, 0.3, 0.8, 0.3]).mean(),
        # Row by row: .09 + .04 + .01, .01 + .04 + .01, .49 + .36 + .01, .01 + .01 + .04, .25 + .04 + .49
        "brier_score": (0.14 + 0.06 + 0.86 + 0.06 + 0.78) / 5,
        # a: .7 and .3 against .1, .1, .5; b: .8 against .2, .6, .1, .2; c: .8 and .3 against .1, .1, .1
        "roc_auc": (5 / 6 + 1 + 1) / 3,
    }
    for name, value in expected.items():
        assert summary[name].value[0] == pytest.approx(value), name
        assert summary[name].n[0] == 5
        assert summary[name].lower[0] <= value <= summary[name].upper[0], name


def test_what_a_class_is_taken_for() -> None:
    (found,) = tables_of(P)[1].taken_for
    assert {name: answer for name, (answer, _share) in found.items()} == {"a": "b", "b": "", "c": "a"}
    assert {name: share.value for name, (_answer, share) in found.items()} == {"a": 0.5, "b": 0.0, "c": 0.5}


def test_weighted_average_is_by_rows() -> None:
    _whole, tables = tables_of(P)
    found = average("recall", tables, ScoreKind.PROBABILITY, weighted=True)
    assert found.value[0] == pytest.approx(3 / 5)


def test_the_interval_of_the_brier_score_covers() -> None:
    """It errs to the wide side, so it covers at least as often as it says."""
    rng = np.random.default_rng(1)
    truth, hits = 0.0, 0
    scores = rng.dirichlet([1, 1, 1], 20_000)
    labels = np.array([rng.choice(3, p=p) for p in scores])
    truth = float(((scores - np.eye(3)[labels]) ** 2).sum(axis=1).mean())
    for _ in range(60):
        chosen = rng.integers(0, len(scores), 60)
        whole, tables = tables_of([(scores[row].tolist(), int(labels[row])) for row in chosen])
        (found,) = compute_summary(whole, SETTINGS, ["brier_score"], tables)["brier_score"]
        hits += found.lower <= truth <= found.upper
    assert hits >= 57


def test_a_class_without_rows_or_answers_leaves_the_average_undefined() -> None:
    whole, tables = tables_of([row for row in P if row[1] != 2])
    summary = compute_summary(whole, SETTINGS, None, tables)
    assert summary["recall"].reason == ("c against the rest: no labelled, scored row is of it",)
    assert summary["precision"].reason == ("c against the rest: no labelled row was answered with it",)
    assert summary["roc_auc"].reason == ("c against the rest: only one class",)
    assert np.isnan(summary["roc_auc"].value).all()
    assert not summary["log_loss"].reason[0]
    # What is weighted by rows does not ask for the class that has none.
    assert average("recall", tables, ScoreKind.PROBABILITY, weighted=True).value[0] == pytest.approx(2 / 3)


def test_without_tables_of_classes_nothing_is_taken_from_margins() -> None:
    whole, _tables = tables_of(P)
    summary = compute_summary(whole, SETTINGS)
    for metric in METRICS:
        assert bool(summary[metric.name].reason[0]) is not metric.of_margins, metric.name
    assert summary["roc_auc"].reason == (NOT_BY_THIS,)


def test_shares_of_a_positive_class_are_undefined() -> None:
    _whole, tables = tables_of(P)
    for name in ("positive_share", "predicted_positive_share"):
        assert whole_estimate(name, tables, ScoreKind.PROBABILITY).reason == (NOT_ONE_POSITIVE,)


def test_decision_scores_have_neither_log_loss_nor_brier_score() -> None:
    whole, tables = tables_of(P)
    summary = compute_summary(whole, MetricSettings(classes=NAMES), None, tables)
    for name in ("log_loss", "brier_score"):
        assert "raw decision score" in summary[name].reason[0]


def test_tables_of_two_machines_add_up() -> None:
    parts = [tables_of(P[:3]), tables_of(P[3:])]
    whole = merge([cells for cells, _tables in parts])
    names = ("one_vs_rest", "by_class", "crossed")
    tables = ClassTables(
        NAMES, whole.groups, *(merge([getattr(each, name) for _cells, each in parts]) for name in names)
    )
    expected, other = tables_of(P)
    found = compute_summary(whole, SETTINGS, None, tables)
    for name, each in compute_summary(expected, SETTINGS, None, other).metrics.items():
        assert found[name].value == pytest.approx(each.value, nan_ok=True), name


def test_groups_are_apart() -> None:
    """Two versions in one table have the numbers of each alone."""
    alone = [tables_of(P, "v1"), tables_of(list(reversed(P[:4])), "v2")]
    whole = merge([cells for cells, _tables in alone])
    names = ("one_vs_rest", "by_class", "crossed")
    tables = ClassTables(
        NAMES, whole.groups, *(merge([getattr(each, name) for _cells, each in alone]) for name in names)
    )
    both = compute_summary(whole, SETTINGS, None, tables)
    for place, (cells, own) in enumerate(alone):
        for name, each in compute_summary(cells, SETTINGS, None, own).metrics.items():
            assert both[name].value[place] == pytest.approx(each.value[0], nan_ok=True), name
            assert both[name].reason[place] == each.reason[0]
