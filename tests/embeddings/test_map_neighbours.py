"""Neighbours of a map: approximate where exact ones take long, for the picture alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lib.embeddings import EmbeddingDiagnosis, EmbeddingSettings, map_quality, projection
from lib.embeddings.map_quality import read_quality
from lib.embeddings.projection import read_map
from lib.jobs.projection import LayoutRequest
from lib.projection import Layout, LayoutSettings, Method
from lib.sources.embeddings import EmbeddingSet
from lib.vectors import NeighbourGraph


def test_a_large_map_is_laid_out_from_rough_neighbours_and_judged_by_exact_ones(
    digits: EmbeddingSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    diagnosis = EmbeddingDiagnosis(digits, EmbeddingSettings.choose(digits), tmp_path)
    settings = LayoutSettings(seed=77, distance=diagnosis.settings.distance)
    graphs: list[NeighbourGraph] = []

    def made(_folder: Path, request: LayoutRequest, *_rest: object) -> Layout:
        graphs.append(request.graph)
        return Layout(request.start, Method.UMAP, settings, 0, 0.0)

    judge = map_quality.judge_layout
    monkeypatch.setattr(projection, "lay_out", made)
    monkeypatch.setattr(
        map_quality,
        "judge_layout",
        lambda vectors, points, graph, *rest: graphs.append(graph) or judge(vectors, points, graph, *rest),
    )
    monkeypatch.setattr(projection.graph_of_map, "__defaults__", (0.0,))
    placed = read_map(diagnosis, "pixels", settings)
    quality = read_quality(diagnosis, "pixels", settings)
    assert [each.n_measured > 0 for each in graphs] == [True, False]
    assert np.isfinite(placed.coordinates).all()
    assert quality.expected < quality.kept_mean.value < 1
    assert np.nanmean(quality.kept) == pytest.approx(quality.kept_mean.value)
