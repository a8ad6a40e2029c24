"""Neighbours from a real process: the same as in this one, kept on disk, cancelled, refused; matrices by file."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lib.errors import Cancelled, DataError
from lib.jobs import Pool
from lib.jobs import neighbours as jobs
from lib.jobs.matrices import handed
from lib.neighbours import compute_graph, compute_matches
from lib.neighbours.graph import EXACT_UP_TO
from lib.sources import Run
from lib.vectors import Distance, Truth, Vectors
from tests.neighbours import oracle

MATRIX = np.random.default_rng(0).normal(size=(200, 5)).astype(np.float32)


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    made = Pool(1)
    patch = pytest.MonkeyPatch()
    patch.setattr(jobs, "shared_pool", lambda: made)
    yield made
    patch.undo()
    made.close()


@pytest.fixture
def mapped(tmp_path: Path) -> Vectors:
    np.save(tmp_path / "vectors.npy", MATRIX)
    return dataclasses.replace(oracle.vectors(MATRIX), matrix=np.load(tmp_path / "vectors.npy", mmap_mode="r"))


def ignore(_share: float, _words: str) -> None:
    pass


def test_a_graph_comes_from_a_process_and_is_kept(pool: Pool, mapped: Vectors, tmp_path: Path) -> None:
    told: list[str] = []
    made = jobs.neighbour_graph(mapped, Distance.COSINE, 4, tmp_path, Run(), lambda _share, words: told.append(words))
    here = compute_graph(mapped, Distance.COSINE, 4, ignore)
    np.testing.assert_array_equal(made.rows, here.rows)
    np.testing.assert_array_equal(made.distances, here.distances)
    assert set(told) == {"Searching for neighbours"}
    told.clear()
    again = jobs.neighbour_graph(mapped, Distance.COSINE, 4, tmp_path, Run(), lambda _share, words: told.append(words))
    np.testing.assert_array_equal(again.rows, made.rows)
    assert told == []


def test_a_rough_graph_is_kept_apart_from_an_exact_one(pool: Pool, mapped: Vectors, tmp_path: Path) -> None:
    asked = lambda bound: jobs.neighbour_graph(mapped, Distance.COSINE, 4, tmp_path, Run(), ignore, bound)  # noqa: E731
    rough = asked(0.0)
    assert rough.n_measured == 200
    assert asked(EXACT_UP_TO).n_measured == 0
    # What a map is laid out from does not depend on what was asked before.
    assert asked(0.0).n_measured == 200


def test_rankings_come_from_a_process(pool: Pool, mapped: Vectors, tmp_path: Path) -> None:
    graph = compute_graph(mapped, Distance.EUCLIDEAN, 4, ignore)
    truth = Truth(labels=np.arange(200) % 9)
    made = jobs.ranked_matches(mapped, truth, graph, (1, 4), tmp_path, Run(), ignore)
    here = compute_matches(mapped, truth, graph, (1, 4), ignore)
    for field in dataclasses.fields(here):
        np.testing.assert_array_equal(getattr(made, field.name), getattr(here, field.name))


def test_cancelling_keeps_nothing(pool: Pool, tmp_path: Path) -> None:
    run = Run()
    with pytest.raises(Cancelled):
        jobs.neighbour_graph(
            oracle.vectors(MATRIX), Distance.COSINE, 4, tmp_path, run, lambda _share, _words: run.cancel()
        )
    assert list(tmp_path.iterdir()) == []


def test_what_is_refused_is_a_sentence(pool: Pool, mapped: Vectors, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="A list of 0 neighbours"):
        jobs.neighbour_graph(mapped, Distance.COSINE, 0, tmp_path, Run(), ignore)


def test_a_matrix_goes_by_the_file_that_it_lies_in(mapped: Vectors, tmp_path: Path) -> None:
    with handed(mapped, tmp_path) as given:
        assert given.path == str(tmp_path / "vectors.npy")
        np.testing.assert_array_equal(given.vectors().matrix, MATRIX)
        assert given.rest.matrix.size == given.rest.ids.size == 0


@pytest.mark.parametrize("part", [slice(None), slice(50, None), slice(0, 0)])
def test_a_matrix_without_a_file_of_its_own_is_written_to_one_for_a_while(
    part: slice, mapped: Vectors, tmp_path: Path
) -> None:
    matrix = mapped.matrix[part] if part.start is not None else MATRIX[:, ::-1]
    with handed(dataclasses.replace(mapped, matrix=matrix), tmp_path) as given:
        assert given.path != str(tmp_path / "vectors.npy")
        np.testing.assert_array_equal(given.vectors().matrix, matrix)
    assert [each.name for each in tmp_path.iterdir()] == ["vectors.npy"]


def test_a_matrix_whose_file_is_gone_is_written_again(mapped: Vectors, tmp_path: Path) -> None:
    (tmp_path / "vectors.npy").unlink()
    with handed(mapped, tmp_path) as given:
        np.testing.assert_array_equal(given.vectors().matrix, MATRIX)
