"""Windows of time of a set of vectors: how wide, against what, what is left out; and that the report says the same."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from lib.embeddings.drift_windows import choose_windows, holds_drift_windows, read_drift_windows
from lib.metrics.drift_windows import Against
from lib.metrics.seasons import DAY
from lib.reports.embeddings_json import EmbeddingReport, embeddings_as_json
from tests.checks.embeddings.sets import diagnosis_of, made

MONDAY = 4 * DAY + 2_900 * 7 * DAY


@pytest.mark.parametrize(
    ("days", "rows", "words"),
    [(10, 1_000, "day"), (10, 999, "week"), (31, 31 * 100, "day"), (32, 32 * 100, "week"), (1, 2_400, "hour")],
)
def test_windows_are_as_narrow_as_rows_and_readers_allow(days: int, rows: int, words: str) -> None:
    grid = choose_windows(MONDAY + np.linspace(0, days * DAY - 1, rows))
    assert grid is not None
    assert grid.words == words


def test_there_are_no_windows_where_one_would_hold_all() -> None:
    assert choose_windows(np.zeros(0)) is None
    assert choose_windows(np.full(5_000, MONDAY)) is None
    assert choose_windows(MONDAY + np.linspace(0, DAY, 199)) is None


def values(seed: int, n: int = 400) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, 8))


def test_rows_of_few_and_of_no_time_are_left_out_and_the_report_says_the_same(tmp_path: Path) -> None:
    times = MONDAY + np.repeat([0, 1, 2, 3], [150, 170, 80, 20]) * DAY + 60.0
    times[-5:] = np.nan
    after = values(1, 420)
    after[150:320] += 1
    diagnosis = diagnosis_of(tmp_path, made(values(0, 420)), made(after, name="v2"), times=times)
    assert not holds_drift_windows(diagnosis)
    found = read_drift_windows(diagnosis)
    assert found is not None
    assert holds_drift_windows(diagnosis)
    assert (found.against, found.grid.words) == (Against.BASELINE, "day")
    assert found.starts == (MONDAY, MONDAY + DAY, MONDAY + 2 * DAY)
    assert (found.n_left_out, found.n_without_time) == (15, 5)
    assert [each.has_drifted for each in found.drifts] == [False, True, False]
    told = embeddings_as_json(EmbeddingReport(diagnosis, ()))["windows"]
    assert [each["start"] for each in told] == [
        f"{datetime.fromtimestamp(start, UTC):%Y-%m-%dT%H:%M:%SZ}" for start in found.starts
    ]
    assert [each["centroid_shift"] for each in told] == [each.measures[0].value for each in found.drifts]
    assert {(each["version"], each["against"]) for each in told} == {("v2", "baseline")}


def test_one_version_and_other_dimensions_are_compared_with_other_times(tmp_path: Path) -> None:
    times = MONDAY + np.repeat([0, 1], 200) * DAY
    alone = read_drift_windows(diagnosis_of(tmp_path, made(values(0)), times=times))
    wide = np.concatenate([values(1), values(2)], axis=1)
    other = read_drift_windows(diagnosis_of(tmp_path, made(values(0)), made(wide, name="v2"), times=times))
    for found in (alone, other):
        assert found is not None
        assert found.against is Against.OTHER_TIMES
        assert {(each.n, each.m) for each in found.drifts} == {(200, 200)}


def test_without_times_nothing_is_said(tmp_path: Path) -> None:
    diagnosis = diagnosis_of(tmp_path, made(values(0)))
    assert read_drift_windows(diagnosis) is None
    assert embeddings_as_json(EmbeddingReport(diagnosis, ()))["windows"] == []
