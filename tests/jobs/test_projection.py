"""The map in a worker: laid out, kept on disk, cancelled, killed."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from lib.errors import Cancelled, DataError, LimitError, MarginaliaError
from lib.jobs import Pool
from lib.jobs import projection as module
from lib.jobs.projection import LayoutRequest, judge_layout, lay_out
from lib.metrics import layouts
from lib.projection import LayoutSettings, compute_churn, compute_pca
from lib.sources import Run
from lib.vectors import Distance
from tests.neighbours import oracle
from tests.projection.graphs import graph_of

DIGITS = np.asarray(load_digits(return_X_y=True)[0], np.float32)
START = compute_pca(DIGITS, np.ones(len(DIGITS), bool), Distance.EUCLIDEAN).coordinates
REQUEST = LayoutRequest("digits", graph_of(DIGITS, 15), START, LayoutSettings(distance=Distance.EUCLIDEAN))


@pytest.fixture(scope="module")
def workers() -> Iterator[Pool]:
    made = Pool(1)
    made.work("warm_layout", run=Run(), on_progress=lambda _share, _words: None)
    yield made
    made.close()


@pytest.fixture
def pool(workers: Pool, monkeypatch: pytest.MonkeyPatch) -> Pool:
    monkeypatch.setattr(module, "shared_pool", lambda: workers)
    return workers


def quiet(_share: float, _words: str) -> None:
    pass


def test_it_is_made_once(pool: Pool, tmp_path: Path) -> None:
    told: list[float] = []
    made = lay_out(tmp_path, REQUEST, Run(), lambda share, _words: told.append(share))
    assert np.isfinite(made.coordinates).all()
    assert told
    told.clear()
    again = lay_out(tmp_path, REQUEST, Run(), lambda share, _words: told.append(share))
    assert not told
    assert np.array_equal(again.coordinates, made.coordinates)


def test_what_would_be_laid_out_otherwise_is_kept_apart() -> None:
    landmarks = np.arange(len(DIGITS)) % 3 == 0
    others = [
        replace(REQUEST, landmarks=landmarks),
        replace(REQUEST, landmarks=np.roll(landmarks, 1)),
        replace(REQUEST, graph=replace(REQUEST.graph, recall=0.99, n_measured=100)),
        replace(REQUEST, start_key="baseline"),
        replace(REQUEST, content="others"),
        replace(REQUEST, settings=replace(REQUEST.settings, seed=1)),
    ]
    assert len({each.key for each in (REQUEST, *others)}) == 7
    assert replace(REQUEST, landmarks=landmarks.copy()).key == others[0].key


def test_another_seed_moves_neighbours(pool: Pool, tmp_path: Path) -> None:
    other = replace(REQUEST, settings=replace(REQUEST.settings, seed=1))
    one, again = (lay_out(tmp_path, each, Run(), quiet).coordinates for each in (REQUEST, other))
    assert 0.2 < compute_churn(one, again, 15) < 0.9


def test_a_map_is_judged_in_a_process_by_the_rows_that_are_on_it(pool: Pool, tmp_path: Path) -> None:
    points = START.copy()
    points[::5] = np.nan
    rows = np.flatnonzero(np.isfinite(points[:, 0]))
    made = judge_layout(oracle.vectors(DIGITS), points, REQUEST.graph, 7, tmp_path, Run(), quiet)
    assert np.array_equal(made.rows, rows)
    here = layouts.layout_quality(DIGITS[rows], points[rows], 7, Distance.EUCLIDEAN, quiet)
    assert np.array_equal(made.quality.trustworthiness.values, here.trustworthiness.values)
    assert np.array_equal(made.quality.continuity.values, here.continuity.values)
    near = layouts.layout_neighbours(points[rows], 7)
    first = set(rows[near[0]]) & set(REQUEST.graph.rows[rows[0], :7])
    assert made.kept.values[0] == len(first) / 7
    with pytest.raises(DataError, match="fewer than half of the points"):
        judge_layout(oracle.vectors(DIGITS), points, REQUEST.graph, 1000, tmp_path, Run(), quiet)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ends", ["cancelled", "killed"])
def test_it_ends_within_a_second_and_keeps_nothing(pool: Pool, tmp_path: Path, ends: str) -> None:
    run, began, told = Run(), threading.Event(), []

    def work() -> None:
        try:
            told.append(lay_out(tmp_path, replace(REQUEST, content=ends), run, lambda *_said: began.set()))
        except MarginaliaError as error:
            told.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    assert began.wait(30)
    asked = time.monotonic()
    if ends == "cancelled":
        run.cancel()
    else:
        for worker in pool._all:  # pyright: ignore[reportPrivateUsage]
            worker.process.kill()
    thread.join(30)
    assert time.monotonic() - asked < 5
    (problem,) = told
    assert isinstance(problem, Cancelled if ends == "cancelled" else LimitError)
    assert ends == "cancelled" or "killed by signal 9" in str(problem)
    assert list(tmp_path.iterdir()) == []
    assert lay_out(tmp_path, REQUEST, Run(), quiet).coordinates.shape == (len(DIGITS), 2)
