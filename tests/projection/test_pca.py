"""Principal components: scikit-learn's, from blocks, of rows that can be used."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.preprocessing import normalize

from lib.errors import UndefinedError
from lib.projection import compute_pca
from lib.projection import pca as module
from lib.vectors import Distance

DIGITS = np.asarray(load_digits(return_X_y=True)[0], np.float32)
ALL = np.ones(len(DIGITS), bool)


@pytest.mark.parametrize("distance", list(Distance))
@pytest.mark.parametrize("block", [4_000_000, 7 * 64])
def test_it_is_scikit_learns(distance: Distance, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK_VALUES", block)
    mine = compute_pca(DIGITS, ALL, distance)
    theirs = PCA(2, svd_solver="full")
    points = theirs.fit_transform(DIGITS.astype(float) if distance is Distance.EUCLIDEAN else normalize(DIGITS))
    points *= np.sign((points * mine.coordinates).sum(axis=0))
    assert mine.coordinates == pytest.approx(points, abs=float(1e-3 * np.abs(points).max()))
    assert mine.shares == pytest.approx(theirs.explained_variance_ratio_, rel=1e-4)


def test_signs_do_not_depend_on_the_order_of_rows() -> None:
    turned = compute_pca(DIGITS[::-1], ALL, Distance.EUCLIDEAN).coordinates[::-1]
    assert turned == pytest.approx(compute_pca(DIGITS, ALL, Distance.EUCLIDEAN).coordinates, abs=1e-2)


def test_values_far_from_zero_lose_nothing() -> None:
    far = compute_pca(DIGITS + 10_000, ALL, Distance.EUCLIDEAN)
    assert far.shares == pytest.approx(compute_pca(DIGITS, ALL, Distance.EUCLIDEAN).shares, rel=1e-3)


def test_it_reads_a_memory_map_and_leaves_out_what_cannot_be_used(tmp_path: Path) -> None:
    np.save(tmp_path / "matrix.npy", np.vstack([DIGITS, np.full((1, 64), np.nan, np.float32)]))
    usable = np.append(ALL, False)
    made = compute_pca(np.load(tmp_path / "matrix.npy", mmap_mode="r"), usable, Distance.EUCLIDEAN)
    assert np.isnan(made.coordinates[-1]).all()
    assert made.coordinates[:-1] == pytest.approx(compute_pca(DIGITS, ALL, Distance.EUCLIDEAN).coordinates, abs=1e-3)
    assert made.n == len(DIGITS)


def test_of_many_rows_some_give_the_plane_and_all_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SUMMED_ROWS", 600)
    made = compute_pca(DIGITS, ALL, Distance.EUCLIDEAN)
    assert made.n == 599
    assert np.isfinite(made.coordinates).all()
    assert made.shares == pytest.approx(compute_pca(DIGITS, ALL, Distance.EUCLIDEAN).shares, rel=0.1)


def test_one_dimension_and_one_place() -> None:
    line = compute_pca(np.arange(5, dtype=np.float32)[:, None], np.ones(5, bool), Distance.EUCLIDEAN)
    assert line.coordinates[:, 0].tolist() == [-2, -1, 0, 1, 2]
    assert line.coordinates[:, 1].tolist() == [0] * 5
    assert line.shares.tolist() == [1, 0]
    same = compute_pca(np.ones((5, 3), np.float32), np.ones(5, bool), Distance.COSINE)
    assert np.abs(same.coordinates).max() < 1e-6
    assert same.shares.tolist() == pytest.approx([0, 0])


def test_large_values_have_a_direction() -> None:
    made = compute_pca(DIGITS * np.float32(1e30), ALL, Distance.COSINE)
    assert made.shares == pytest.approx(compute_pca(DIGITS, ALL, Distance.COSINE).shares, rel=1e-4)


def test_nothing_to_draw_is_said() -> None:
    with pytest.raises(UndefinedError, match="no vector that can be drawn"):
        compute_pca(DIGITS, ~ALL, Distance.EUCLIDEAN)
