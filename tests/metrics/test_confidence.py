"""Sure and wrong: by hand, against scikit-learn's accuracy, exact at every resolution, and where nothing is sure."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import accuracy_score

from lib.cells import merge
from lib.grid import COARSE, EXACT, FINE, MEDIUM, Resolution
from lib.metrics.confidence import NOTHING_SURE, SURE, confident_error_counts, sure_scores
from lib.metrics.summary import MetricSettings, metric_named
from lib.schema import ScoreKind
from tests.metrics.conftest import Rows, build, draw

RATE = metric_named("confident_error_rate")
KINDS = (ScoreKind.LOGIT, ScoreKind.PROBABILITY, ScoreKind.DECISION)


def test_by_hand() -> None:
    cells = build([1, 1, -1, -1, 1, 0, -1], [3.0, -2.5, 2.0, 2.02, 1.0, 9.0, -4.0])
    counts = confident_error_counts(cells, ScoreKind.LOGIT)
    # Sure are 3, −2.5, 2.02 and −4; 2 is not above 2, 9 has no label. Wrong are −2.5 and 2.02.
    assert (counts.hits.tolist(), counts.n.tolist()) == ([2.0], [4.0])
    # |s| of the labelled rows: 1, 2, 2.02, 2.5, 3, 4; half of them are at most 2.02.
    assert sure_scores(cells, ScoreKind.DECISION).tolist() == [2.02]
    counts = confident_error_counts(cells, ScoreKind.DECISION)
    assert (counts.hits.tolist(), counts.n.tolist()) == ([1.0], [3.0])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("resolution", [EXACT, FINE, MEDIUM, COARSE], ids=lambda each: each.name)
def test_it_is_what_accuracy_leaves_of_the_sure_rows(
    rows: Rows, kind: ScoreKind, weighted: bool, resolution: Resolution
) -> None:
    cells = rows.cells(resolution, weighted=weighted)
    sure = sure_scores(cells, kind)
    found = RATE.function(cells, MetricSettings(1.0, kind))
    for place, version in enumerate(cells.groups["version"]):
        own = rows.of(version)
        if kind is ScoreKind.DECISION:
            size = np.sort(np.abs(own.score))
            # No more than a step from the median.
            assert sure[place] == pytest.approx(size[(len(size) - 1) // 2], abs=resolution.step + 1e-9)
        else:
            assert sure[place] == SURE
        kept = np.abs(own.score) > sure[place] + 1e-12
        expected = 1 - accuracy_score(
            own.label[kept], np.sign(own.score[kept]), sample_weight=own.weight[kept] if weighted else None
        )
        assert found.value[place] == pytest.approx(expected)
        assert found.n[place] == kept.sum()
        assert found.bound[place] == 0


def test_files_add_up() -> None:
    parts = [draw(seed).cells() for seed in (3, 4)]
    both = confident_error_counts(merge(parts), ScoreKind.LOGIT)
    each = [confident_error_counts(part, ScoreKind.LOGIT) for part in parts]
    np.testing.assert_allclose(both.hits, sum(one.hits for one in each))
    np.testing.assert_allclose(both.n, sum(one.n for one in each))


def test_a_decision_score_has_no_unit() -> None:
    rows = draw(5)
    found = [
        RATE.function(build(rows.label, rows.score * scale, None, {"version": rows.version}), MetricSettings())
        for scale in (1.0, 1e-3, 7.0)
    ]
    for other in found[1:]:
        np.testing.assert_allclose(other.value, found[0].value)


def test_where_nothing_is_sure_the_reason_is_said() -> None:
    keys = {"version": ["mild", "mild", "bare", "blind"]}
    cells = build([1, -1, 0, 1], [1.0, -1.5, 5.0, np.nan], None, keys)
    for kind in (ScoreKind.LOGIT, ScoreKind.DECISION):
        found = RATE.function(cells.select(version="bare"), MetricSettings(1.0, kind))
        assert (np.isnan(found.value).all(), found.reason) == (True, (NOTHING_SURE,))
    assert RATE.function(cells, MetricSettings(1.0, ScoreKind.LOGIT)).reason == (NOTHING_SURE,) * 3
    assert np.isnan(sure_scores(cells.select(version="blind"), ScoreKind.DECISION)).all()
