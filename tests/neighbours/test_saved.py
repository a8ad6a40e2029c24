"""Graphs on disk: the same again, kept apart by what they are of, whole or not at all."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from lib.errors import DataError
from lib.neighbours import compute_graph
from lib.neighbours import saved as saved_module
from lib.neighbours.saved import graph_path, load_graph, save_graph
from lib.vectors import Distance
from tests.neighbours import oracle

OF = oracle.vectors(np.random.default_rng(0).normal(size=(30, 4)))
GRAPH = compute_graph(OF, Distance.COSINE, 3, lambda _share, _words: None)


def test_a_graph_is_the_same_again(tmp_path: Path) -> None:
    path = graph_path(tmp_path, OF, Distance.COSINE, 3)
    assert load_graph(path) is None
    save_graph(dataclasses.replace(GRAPH, recall=0.5, n_measured=7), path)
    again = load_graph(path)
    assert again is not None
    for name in ("queries", "rows", "distances"):
        first, second = getattr(GRAPH, name), getattr(again, name)
        np.testing.assert_array_equal(first, second)
        assert first.dtype == second.dtype
    assert (again.distance, again.recall, again.n_measured) == (Distance.COSINE, 0.5, 7)
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_what_differs_is_kept_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = np.arange(30) < 20
    others = [dataclasses.replace(OF, sha256="other")]
    others += [dataclasses.replace(OF, **{name: few}) for name in ("is_good", "is_query", "is_gallery")]
    paths = [graph_path(tmp_path, each, Distance.COSINE, 3) for each in [OF, *others]]
    paths += [graph_path(tmp_path, OF, Distance.EUCLIDEAN, 3), graph_path(tmp_path, OF, Distance.COSINE, 4)]
    assert graph_path(tmp_path, OF, Distance.COSINE, 3) == paths[0]
    monkeypatch.setattr(saved_module, "GRAPH_VERSION", 0)
    paths.append(graph_path(tmp_path, OF, Distance.COSINE, 3))
    assert len(set(paths)) == len(paths)


@pytest.mark.parametrize("length", [0, 10, 700])
def test_a_damaged_file_is_as_good_as_none(tmp_path: Path, length: int) -> None:
    path = tmp_path / "one.graph.npz"
    save_graph(GRAPH, path)
    path.write_bytes(path.read_bytes()[:length])
    assert load_graph(path) is None


def test_what_cannot_be_written_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be written"):
        save_graph(GRAPH, tmp_path / "nowhere" / "one.graph.npz")
    (tmp_path / "taken.npz").mkdir()
    with pytest.raises(DataError, match="cannot be written"):
        save_graph(GRAPH, tmp_path / "taken.npz")
    assert [each.name for each in tmp_path.iterdir()] == ["taken.npz"]
