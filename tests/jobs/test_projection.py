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

from lib.errors import Cancelled, LimitError, MarginaliaError
from lib.jobs import Pool
from lib.jobs import projection as module
from lib.jobs.arrays import Mapped, opened, sent
from lib.jobs.projection import LayoutRequest, lay_out
from lib.projection import LayoutSettings, compute_pca
from lib.sources import Run
from lib.vectors import Distance
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


def test_a_graph_in_files_goes_by_its_path(pool: Pool, tmp_path: Path) -> None:
    np.save(tmp_path / "rows.npy", REQUEST.graph.rows)
    rows = np.load(tmp_path / "rows.npy", mmap_mode="r")
    assert isinstance(sent(rows), Mapped)
    assert np.array_equal(opened(sent(rows)), rows)
    assert isinstance(sent(rows[5:]), np.ndarray), "a part of a map lies elsewhere in the file"
    mapped = lay_out(tmp_path, replace(REQUEST, graph=replace(REQUEST.graph, rows=rows)), Run(), quiet)
    (tmp_path / "other").mkdir()
    direct = lay_out(tmp_path / "other", REQUEST, Run(), quiet)
    assert np.array_equal(mapped.coordinates, direct.coordinates)


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
