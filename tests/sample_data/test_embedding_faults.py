"""Pairs of versions: one seed one pair, clean ones alike, faults where the truth says; committed files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sample_data import make
from sample_data.embedding_faults import CLEAN, FAULTS, Fault, Version, make_versions
from sample_data.embeddings import (
    DIGIT_VERSIONS,
    INDEX_COHORT,
    INDEX_VERSIONS,
    make_digit_items,
    make_digit_vectors,
    make_index,
    make_index_items,
)

DIRECTORY = Path(make.__file__).parent


def recall(version: Version) -> float:
    """Share of the queries whose nearest row of the gallery has their label, ties by expectation; itself left out."""
    apart = np.linalg.norm(version.matrix[:, None].astype(np.float64) - version.matrix[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    apart[:, ~version.is_gallery] = np.inf
    nearest = apart <= apart.min(axis=1, keepdims=True) + 1e-9
    right = (nearest & (version.label[:, None] == version.label[None])).sum(axis=1) / nearest.sum(axis=1)
    same = (version.label[:, None] == version.label[None]) & version.is_gallery
    able = version.is_query & (version.label >= 0) & (same.sum(axis=1) > version.is_gallery)
    return float(right[able].mean())


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_where_the_truth_says_and_hurts(fault: Fault) -> None:
    _before, after, truth = make_versions(3, 400, 16, faults=(fault,))
    again = make_versions(3, 400, 16, faults=(fault,))[1]
    assert np.array_equal(after.matrix, again.matrix)
    assert np.array_equal(after.ids, again.ids)
    assert len(np.unique(after.ids)) == len(after.ids)
    assert truth.rows[fault].any()
    if len(after.ids) == len(truth.clean if truth.clean is not None else ()):
        changed = (after.matrix != truth.clean).any(axis=1)
        assert not changed[~truth.rows[fault]].any()
    change = [
        recall(b) - recall(a) for a, b, _truth in (make_versions(seed, 300, 16, faults=(fault,)) for seed in range(4))
    ]
    if fault == "rotation":
        assert np.abs(change).max() < 0.005
    else:
        assert np.mean(change) < -0.02


@pytest.mark.parametrize("clean", CLEAN)
def test_clean_pairs_are_alike(clean) -> None:
    change = []
    for seed in range(6):
        before, after, truth = make_versions(seed, 400, 16, clean=clean)
        assert not truth.faults
        change.append(recall(after) - recall(before))
    assert abs(np.mean(change)) < 0.05


def test_faults_and_clean_pairs_exclude_one_another() -> None:
    with pytest.raises(ValueError, match="a clean pair has none"):
        make_versions(0, faults=("collapse",), clean="two-seeds")
    with pytest.raises(ValueError, match="a strength is that of one fault"):
        make_versions(0, faults=("collapse", "rotation"), strength=1.0)


def test_committed_index_is_what_the_script_makes() -> None:
    versions = make_index()
    for name, version in zip(INDEX_VERSIONS, versions[:2], strict=True):
        with np.load(DIRECTORY / f"index_{name}.npz", allow_pickle=False) as held:
            assert held["vectors"].dtype == np.float16
            # Another processor's linear algebra may move a value across a rounding edge, and nothing else.
            np.testing.assert_allclose(held["vectors"].astype(np.float32), version.matrix, rtol=2e-3, atol=1e-4)
            assert np.array_equal(held["ids"], version.ids)
    pd.testing.assert_frame_equal(pd.read_csv(DIRECTORY / "index_items.csv"), make_index_items())


def test_the_index_is_as_described() -> None:
    before, after, truth = make_index()
    stale, unlike = truth.rows["stale-rows"], truth.rows["not-normalised"]
    assert stale.mean() == pytest.approx(1 / 3, abs=0.02)
    assert np.array_equal(after.matrix[stale & ~unlike], before.matrix[stale & ~unlike])
    assert set(after.cohort[unlike]) == {INDEX_COHORT}
    norms = np.linalg.norm(after.matrix, axis=1)
    assert np.allclose(norms[~unlike], 1, atol=1e-3)
    assert np.log(norms[unlike]).std() > 0.5


def test_committed_digits_are_what_the_script_makes() -> None:
    items = pd.read_csv(DIRECTORY / "digit_items.csv")
    pd.testing.assert_frame_equal(items, make_digit_items())
    made = make_digit_vectors()
    assert tuple(made) == DIGIT_VERSIONS
    for name, vectors in made.items():
        with np.load(DIRECTORY / f"digits_{name}.npz", allow_pickle=False) as held:
            assert held["vectors"].dtype == vectors.dtype
            np.testing.assert_allclose(
                held["vectors"].astype(np.float64), vectors.astype(np.float64), rtol=5e-3, atol=5e-2
            )
            assert held["ids"].tolist() == items["id"].tolist()
