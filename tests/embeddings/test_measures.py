from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import silhouette_score

from lib.embeddings import EmbeddingDiagnosis
from lib.embeddings import diagnosis as diagnosis_module
from lib.embeddings.measures import (
    holds,
    paired_rows,
    read_ann,
    read_dimensions,
    read_drift,
    read_duplicates,
    read_geometry,
    read_index,
    read_leakage,
    read_outliers,
    read_triplets,
)
from lib.figures.near_duplicates_view import DuplicatesView
from lib.metrics.alignment import Space
from lib.metrics.dimensions import Way
from lib.metrics.geometry import PAIR_ROWS
from tests.checks.embeddings.sets import diagnosis_of, made


def test_geometry_is_read_once_and_is_that_of_scikit_learn(diagnosis: EmbeddingDiagnosis) -> None:
    found, vectors, labels = read_geometry(diagnosis, "pixels"), diagnosis.vectors("pixels"), diagnosis.labels("pixels")
    assert holds(diagnosis, "geometry", "pixels")
    assert read_geometry(diagnosis, "pixels") is found
    assert labels is not None
    assert vectors.n <= PAIR_ROWS
    assert found.silhouette.value == pytest.approx(silhouette_score(vectors.matrix, labels, metric="cosine"), abs=1e-6)
    assert found.norms.mean.value == pytest.approx(np.linalg.norm(vectors.matrix, axis=1).mean())
    assert 1 < found.spectrum.participation_ratio < 64
    assert found.intrinsic_dimension.lower < found.intrinsic_dimension.value < found.intrinsic_dimension.upper


def test_drift_of_other_dimensions_is_told_by_what_can_be_turned(diagnosis: EmbeddingDiagnosis) -> None:
    found = read_drift(diagnosis)
    assert found.rows is None
    assert found.pairs is None
    assert found.reason == "the versions have vectors of 64 and of 4 values, which cannot be compared value by value"
    assert found.alignment is not None
    assert found.alignment.n == len(paired_rows(diagnosis)[0]) == 600
    assert found.alignment.space is Space.CHANGED


def test_a_rotation_is_called_one(rotated: EmbeddingDiagnosis) -> None:
    found = read_drift(rotated)
    assert found.alignment is not None
    assert found.alignment.space is Space.ROTATION
    assert found.pairs is not None
    assert found.pairs.has_drifted  # Coordinates are all others; neighbours are the same.
    assert set(found.cohorts["half"]) == {"high", "low"}


def test_smaller_vectors_find_less(diagnosis: EmbeddingDiagnosis) -> None:
    found = read_dimensions(diagnosis, "pixels")
    assert found is not None
    by_pca = [each for each in found.points if each.setting.way is Way.PCA]
    assert [each.setting.dimension for each in by_pca] == sorted({each.setting.dimension for each in by_pca})[::-1]
    assert by_pca[-1].recall.value < by_pca[0].recall.value <= 1
    assert found.smallest.setting.n_bytes < found.full.setting.n_bytes


def test_triplets_duplicates_and_outliers_are_those_of_the_rows(diagnosis: EmbeddingDiagnosis) -> None:
    drawn = read_triplets(diagnosis, "pixels")
    labels = diagnosis.labels("pixels")
    assert drawn is not None
    assert labels is not None
    triplets, proxy = drawn
    assert (labels[triplets.anchor] == labels[triplets.positive]).all()
    assert (labels[triplets.anchor] != labels[triplets.negative]).all()
    assert np.isfinite(proxy.value)
    close = read_duplicates(diagnosis, "pixels", 0.03)
    assert len(close.found.first) > len(read_duplicates(diagnosis, "pixels", 0.001).found.first)
    assert close.precision.value > 0.9
    assert close.leaks is None
    assert read_outliers(diagnosis, "pixels").n == 600


def test_what_nobody_gave_is_not_there(diagnosis: EmbeddingDiagnosis) -> None:
    assert read_leakage(diagnosis, "pixels") == {}
    assert read_ann(diagnosis, "pixels") is None
    assert read_index(diagnosis, "pixels").share == 1


def test_rows_that_do_not_ask_have_near_duplicates_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(0).normal(size=(120, 8))
    values[60:70] = values[70:80]  # rows of the gallery
    values[1] = values[0]  # queries
    values[2] = values[100]  # a query and a row of the gallery
    asks = np.arange(120) < 20
    version = made(values, is_query=asks, is_gallery=~asks)
    found = read_duplicates(diagnosis_of(tmp_path, version), "v1")
    pairs = set(zip(found.found.first.tolist(), found.found.second.tolist(), strict=True))
    assert pairs == {(0, 1), (2, 100), *((row, row + 10) for row in range(60, 70))}
    assert (found.n_unasked, found.found.n_queries) == (0, 120)
    assert "do not ask" not in DuplicatesView({"v1": found}, "Equal").sentence()
    monkeypatch.setattr(diagnosis_module, "WHOLE_UP_TO", 100)
    few = read_duplicates(diagnosis_of(tmp_path, version), "v1")
    assert (few.found.first.tolist(), few.found.second.tolist(), few.n_unasked) == ([2], [100], 100)
    assert "Of v1 100 rows that do not ask were not compared" in DuplicatesView({"v1": few}, "Equal").sentence()
