from dataclasses import replace

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors

from lib.embeddings import EmbeddingDiagnosis, EmbeddingSettings
from lib.embeddings.comparison import holds_comparison, read_comparison
from lib.embeddings.retrieval import cohort_retrieval, holds_retrieval, read_retrieval
from lib.errors import SettingsError
from lib.metrics.estimates import FloatArray
from lib.sources.embeddings import EmbeddingSet
from lib.vectors import Distance


def hits_by_hand(matrix: FloatArray, labels: np.ndarray, k: int) -> FloatArray:
    """Whether one of the k nearest by cosine, the row left out, has the label."""
    unit = matrix / np.linalg.norm(matrix, axis=1, keepdims=True)
    found = NearestNeighbors(n_neighbors=k + 1, metric="cosine").fit(unit).kneighbors(unit, return_distance=False)
    right = [any(labels[other] == labels[row] for other in each if other != row) for row, each in enumerate(found)]
    return np.array(right, float)


@pytest.mark.parametrize("version", ["pixels", "components"])
def test_measures_are_those_of_scikit_learn(diagnosis: EmbeddingDiagnosis, version: str) -> None:
    found, vectors, truth = read_retrieval(diagnosis, version), diagnosis.vectors(version), diagnosis.truth(version)
    assert holds_retrieval(diagnosis, version)
    assert truth is not None
    assert truth.labels is not None
    matrix = vectors.matrix.astype(np.float64)
    for k in diagnosis.settings.ks:
        assert found.overall["recall_at_k", k].value == pytest.approx(hits_by_hand(matrix, truth.labels, k).mean())
    unit = matrix / np.linalg.norm(matrix, axis=1, keepdims=True)
    model = KNeighborsClassifier(1, metric="euclidean").fit(unit, truth.labels)
    nearest = model.kneighbors(return_distance=False)[:, 0]  # Of the rows it was fitted on, none is its own.
    assert found.overall["knn_accuracy", 1].value == pytest.approx((truth.labels[nearest] == truth.labels).mean())
    assert found.n_queries == found.n_ranked == vectors.n
    assert found.n_unanswerable == 0


def test_cohorts_add_up_to_the_whole(diagnosis: EmbeddingDiagnosis) -> None:
    whole = read_retrieval(diagnosis, "components").overall["recall_at_k", 5]
    parts = cohort_retrieval(diagnosis, "components", "half", "recall_at_k", 5)
    assert parts.values == ("high", "low")
    assert parts.estimates.n.sum() == whole.n
    assert (parts.estimates.value * parts.estimates.n).sum() / whole.n == pytest.approx(whole.value)


def test_changes_are_paired_and_the_ledger_adds_up(diagnosis: EmbeddingDiagnosis) -> None:
    found = read_comparison(diagnosis)
    assert holds_comparison(diagnosis)
    assert found.ledger is not None
    for key, change in found.changes.items():
        assert change.value == pytest.approx(found.after.overall[key].value - found.before.overall[key].value)
        assert change.lower <= change.value <= change.upper
    ledger, k = found.ledger, diagnosis.settings.k
    n = len(ledger.first)
    assert (ledger.is_gained.sum() - ledger.is_lost.sum()) / n == pytest.approx(found.changes["recall_at_k", k].value)
    assert found.floor < found.overlap_mean.value < 1
    codes, values = diagnosis.cohort_codes("components", "half")
    by = found.overlap_by(codes, len(values))
    assert (by.value * by.n).sum() / n == pytest.approx(found.overlap_mean.value)
    of_changes = found.changes_by("recall_at_k", k, codes, len(values))
    assert (of_changes.value * of_changes.n).sum() / n == pytest.approx(ledger.change.value)


def test_a_version_compared_with_itself_is_unchanged(digits: EmbeddingSet, diagnosis: EmbeddingDiagnosis) -> None:
    settings = EmbeddingSettings.choose(digits, baseline="pixels", candidate="pixels")
    found = read_comparison(EmbeddingDiagnosis(digits, settings, diagnosis.folder))
    assert found.overlap_mean.value == 1
    assert all(change.value == 0 for change in found.changes.values())


def test_what_was_worked_out_is_kept_for_other_settings(digits: EmbeddingSet, diagnosis: EmbeddingDiagnosis) -> None:
    read_retrieval(diagnosis, "pixels")
    again = EmbeddingDiagnosis(digits, EmbeddingSettings.choose(digits, candidate="pixels"), diagnosis.folder)
    assert read_retrieval(again, "pixels") is read_retrieval(diagnosis, "pixels")
    other = EmbeddingSettings.choose(digits, distance=Distance.EUCLIDEAN)
    assert not holds_retrieval(EmbeddingDiagnosis(digits, other, diagnosis.folder), "pixels")


@pytest.mark.parametrize(
    ("off", "turned", "expected"),
    [
        (0.0, False, Distance.COSINE),
        (0.01, False, Distance.COSINE),  # a few odd rows
        (0.1, False, Distance.EUCLIDEAN),
        (1.0, False, Distance.EUCLIDEAN),
        (0.1, True, Distance.COSINE),  # the baseline was not of one length either
    ],
)
def test_lengths_that_were_lost_are_looked_at(digits: EmbeddingSet, off: float, turned: bool, expected: str) -> None:
    pixels = digits.versions["pixels"]
    unit = pixels.matrix / np.linalg.norm(pixels.matrix, axis=1, keepdims=True)
    scale = np.where(np.arange(len(unit)) % 100 < 100 * off, 1.5, 1.0).astype(np.float32)
    versions = {"old": unit, "new": unit * scale[:, None]}
    names = ("new", "old") if turned else ("old", "new")
    made = replace(digits, versions={name: replace(pixels, version=name, matrix=versions[name]) for name in names})
    assert EmbeddingSettings.choose(made).distance == expected
    assert EmbeddingSettings.choose(made, distance=Distance.COSINE).distance == Distance.COSINE


def test_settings_that_cannot_be(digits: EmbeddingSet) -> None:
    chosen = EmbeddingSettings.choose(digits)
    assert (chosen.baseline, chosen.candidate) == ("pixels", "components")
    assert chosen.versions == ("pixels", "components")
    other = EmbeddingSettings.choose(digits, candidate="pixels")
    assert (other.baseline, other.candidate) == ("components", "pixels")
    with pytest.raises(SettingsError, match="There is no version v9 to be the candidate; there are pixels"):
        EmbeddingSettings.choose(digits, candidate="v9")
    with pytest.raises(SettingsError, match="Lists of neighbours hold 1 to 100 rows; 0, 5 was asked for"):
        EmbeddingSettings.choose(digits, ks=(0, 5))
