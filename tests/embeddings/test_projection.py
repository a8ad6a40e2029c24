import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from sklearn.manifold import trustworthiness
from sklearn.neighbors import NearestNeighbors

from lib.embeddings import EmbeddingDiagnosis, EmbeddingSettings, projection
from lib.embeddings.diagnosis import ELSEWHERE, Report
from lib.embeddings.map_quality import holds_quality, read_churn, read_quality
from lib.embeddings.projection import holds_map, number_rows, read_map
from lib.embeddings.row_measures import (
    KEPT,
    LOST,
    OCCURRENCE,
    OUTLIER,
    OVERLAP,
    SPARSENESS,
    column_values,
    holds_row_measure,
    offered_measures,
    read_row_measure,
)
from lib.embeddings.samples import describe_samples, list_neighbours, list_samples
from lib.jobs.projection import LayoutRequest, lay_out
from lib.projection import Layout, LayoutSettings
from lib.sources import Run

LAYOUT = LayoutSettings()


def test_a_turned_version_lies_where_the_baseline_does(rotated: EmbeddingDiagnosis) -> None:
    first, second = (read_map(rotated, version, LAYOUT) for version in rotated.settings.versions)
    assert holds_map(rotated, "new", LAYOUT)
    assert not holds_map(rotated, "new", LayoutSettings(seed=1))
    assert second.disparity < 0.2
    span = np.ptp(first.coordinates, axis=0).max()
    assert np.median(np.linalg.norm(first.coordinates - second.coordinates, axis=1)) < span / 10
    planes = [read_map(rotated, version, None) for version in rotated.settings.versions]
    assert planes[1].disparity == pytest.approx(0, abs=1e-6)
    assert planes[1].coordinates == pytest.approx(planes[0].coordinates, abs=1e-4)
    assert planes[0].shares is not None


def test_the_quality_of_a_map_is_that_of_scikit_learn(diagnosis: EmbeddingDiagnosis) -> None:
    found = read_quality(diagnosis, "pixels", LAYOUT)
    assert holds_quality(diagnosis, "pixels", LAYOUT)
    matrix = diagnosis.vectors("pixels").matrix
    unit = matrix / np.linalg.norm(matrix, axis=1, keepdims=True)
    coordinates = read_map(diagnosis, "pixels", LAYOUT).coordinates
    assert found.trustworthiness.value == pytest.approx(trustworthiness(unit, coordinates, n_neighbors=10), abs=1e-4)
    assert found.kept_mean.value == pytest.approx(float(np.nanmean(found.kept)))
    assert found.expected < 0.1 < found.kept_mean.value
    assert read_quality(diagnosis, "pixels", None).kept_mean.value < found.kept_mean.value


def test_a_turn_moves_no_more_than_chance(rotated: EmbeddingDiagnosis) -> None:
    churn = read_churn(rotated, LAYOUT)
    assert 0 < churn.of_seeds < 1
    assert churn.of_versions < churn.of_seeds + 0.1


def test_samples_have_one_number_in_both_versions(diagnosis: EmbeddingDiagnosis) -> None:
    numbering = number_rows(diagnosis)
    assert numbering.n == 600
    listed = list_samples(diagnosis, numbering, np.array([3, 7]))
    assert listed["id"].tolist() == ["d3", "d7"]
    assert listed["in"].tolist() == ["pixels, components"] * 2
    assert list(listed.columns) == ["id", "in", "label", "half"]


def test_neighbours_are_the_nearest_of_the_original_space(diagnosis: EmbeddingDiagnosis) -> None:
    found = list_neighbours(diagnosis, number_rows(diagnosis), 5)
    for version in ("pixels", "components"):
        frame, matrix = found[version], diagnosis.vectors(version).matrix.astype(np.float64)
        unit = matrix / np.linalg.norm(matrix, axis=1, keepdims=True)
        far = 1 - unit @ unit[5]
        far[5] = np.inf
        nearest = np.argsort(far)[:10]
        assert frame is not None
        assert set(frame["id"]) == {f"d{row}" for row in nearest}
        assert frame["distance"].to_numpy() == pytest.approx(far[nearest], abs=1e-5)
    assert found["pixels"] is not None
    assert found["components"] is not None
    both = set(found["pixels"]["id"]) & set(found["components"]["id"])
    assert (found["pixels"]["also near in components"] == "yes").sum() == len(both)


def test_what_samples_share_is_told(diagnosis: EmbeddingDiagnosis) -> None:
    low = np.flatnonzero(diagnosis.embeddings.texts("pixels", "half") == "low")
    found = describe_samples(diagnosis, number_rows(diagnosis), low)
    assert (found.shared[0].column, found.shared[0].value) == ("half", "low")
    assert found.shared[0].share == 1
    assert found.together["pixels"].inside > 0.8


def test_every_measure_has_a_value_for_each_row(diagnosis: EmbeddingDiagnosis) -> None:
    assert offered_measures(diagnosis) == [KEPT, LOST, OVERLAP, OCCURRENCE, SPARSENESS, OUTLIER]
    for measure in (LOST, OVERLAP, OCCURRENCE, SPARSENESS, OUTLIER):
        found = read_row_measure(diagnosis, measure, LAYOUT)
        assert holds_row_measure(diagnosis, measure, LAYOUT)
        assert {version: len(each) for version, each in found.items()} == {"pixels": 600, "components": 600}
    lost = read_row_measure(diagnosis, LOST, LAYOUT)
    assert (lost["pixels"] == lost["components"]).all(), "rows have one id and one fate"
    assert read_row_measure(diagnosis, OCCURRENCE, LAYOUT)["pixels"].sum() == 600 * 10
    matrix = diagnosis.vectors("pixels").matrix
    search = NearestNeighbors(n_neighbors=11, metric="cosine").fit(matrix)
    expected = search.kneighbors(matrix)[0][:, -1]
    assert read_row_measure(diagnosis, SPARSENESS, LAYOUT)["pixels"] == pytest.approx(expected, abs=1e-6)


def test_numbers_are_a_scale_and_labels_are_not(diagnosis: EmbeddingDiagnosis) -> None:
    assert column_values(diagnosis, "label", 8)["pixels"].dtype == object
    alone = EmbeddingDiagnosis(diagnosis.embeddings, EmbeddingSettings("pixels", "pixels"), diagnosis.folder)
    assert number_rows(alone).n == 600
    assert offered_measures(alone) == [KEPT, OCCURRENCE, SPARSENESS, OUTLIER]


def test_two_sessions_that_ask_for_a_layout_at_once_have_it_made_once(
    diagnosis: EmbeddingDiagnosis, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, made = LayoutSettings(seed=7), list[str]()
    begun, may_go_on = threading.Event(), threading.Event()

    def lay_out_slowly(folder: Path, request: LayoutRequest, run: Run, on_progress: Report) -> Layout:
        made.append(request.key)
        begun.set()
        assert may_go_on.wait(20)
        return lay_out(folder, request, run, on_progress)

    monkeypatch.setattr(projection, "lay_out", lay_out_slowly)
    told: list[str] = []
    with ThreadPoolExecutor(2) as sessions:
        first = sessions.submit(read_map, diagnosis, "pixels", settings, Run())
        assert begun.wait(20)
        # Of the same set, under settings that differ in what the layout does not depend on.
        other = EmbeddingDiagnosis(
            diagnosis.embeddings, EmbeddingSettings.choose(diagnosis.embeddings, ks=(1,)), diagnosis.folder
        )
        second = sessions.submit(read_map, other, "pixels", settings, Run(), lambda _share, words: told.append(words))
        while ELSEWHERE not in told:
            assert not second.done()
        may_go_on.set()
        assert first.result(60) is second.result(60)
    assert len(made) == 1
