"""Dimensions in use and what values have been rounded to: against scikit-learn, by hand, and each fault told."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from lib.metrics.variance_spectrum import Precision, quantisation, truncation, variance_spectrum
from tests.metrics.vector_worlds import matrix, rotation

N, D = 400, 16
ROWS = np.arange(N)


@pytest.fixture(scope="module")
def cloud() -> np.ndarray:
    rng = np.random.default_rng(0)
    return matrix(rng.normal(0.2, 1, (N, D)) / np.sqrt(np.arange(1, D + 1)))


def test_spectrum_is_scikit_learns(cloud: np.ndarray) -> None:
    found, pca = variance_spectrum(cloud, ROWS), PCA().fit(cloud.astype(float))
    assert found.share == pytest.approx(np.cumsum(pca.explained_variance_ratio_))
    assert found.eigenvalues * N / (N - 1) == pytest.approx(pca.explained_variance_)
    assert found.axes_for(0.5) == int(np.searchsorted(found.share, 0.5)) + 1
    assert found.axes_for(1.0) == D


def test_participation_ratio_by_hand() -> None:
    square = matrix([[1, 0], [-1, 0], [0, 1], [0, -1]])
    assert variance_spectrum(square, np.arange(4)).participation_ratio == pytest.approx(2)
    assert variance_spectrum(matrix(square * [1, 0]), np.arange(4)).participation_ratio == pytest.approx(1)
    # λ = 4 and 1: 25/17.
    assert variance_spectrum(matrix(square * [2, 1]), np.arange(4)).participation_ratio == pytest.approx(25 / 17)


def test_a_rotation_changes_no_eigenvalue(cloud: np.ndarray) -> None:
    turned = variance_spectrum(matrix(cloud @ rotation(D, 1)), ROWS)
    assert turned.participation_ratio == pytest.approx(variance_spectrum(cloud, ROWS).participation_ratio, rel=1e-5)


def test_dead_dimensions_are_told(cloud: np.ndarray) -> None:
    x = cloud.copy()
    x[:, 3] = 0.1
    x[:, 5] = 0.3 + 1e-5 * cloud[:, 5]
    found = variance_spectrum(x, ROWS)
    assert np.flatnonzero(found.is_constant).tolist() == [3]
    assert np.flatnonzero(found.is_dead).tolist() == [3, 5]
    assert not variance_spectrum(cloud, ROWS).is_dead.any()


def test_vectors_without_variance_have_a_reason() -> None:
    for x in (matrix(np.ones((5, 3))), matrix(np.ones((1, 3))), matrix(np.ones((0, 3)))):
        found = variance_spectrum(x, np.arange(len(x)))
        assert found.reason
        assert np.isnan(found.participation_ratio)
        assert found.axes_for(0.9) == 0


@pytest.mark.parametrize("rows", [100, N])
def test_precision_is_told(cloud: np.ndarray, rows: int) -> None:
    x = cloud[:rows]
    scale = np.abs(x).max(axis=0) / 127
    bfloat = (x.view(np.uint32) & 0xFFFF0000).view(np.float32)
    made = {
        Precision.FLOAT32: x,
        Precision.FLOAT16: x.astype(np.float16).astype(np.float32),
        Precision.BFLOAT16: bfloat,
        Precision.INT8: matrix(np.rint(x / scale) * scale),
        Precision.BINARY: matrix(np.where(x > 0, 0.25, -0.25)),
    }
    for precision, values in made.items():
        assert quantisation(values, np.arange(rows)).precision is precision
    whole = matrix(np.rint(x * 40))
    assert quantisation(whole, np.arange(rows)).precision is Precision.INT8


def test_few_rows_or_no_variance_tell_no_precision(cloud: np.ndarray) -> None:
    assert quantisation(matrix(np.sign(cloud[:10])), np.arange(10)).precision is Precision.FLOAT32
    assert np.isnan(quantisation(matrix(np.ones((50, 2))), np.arange(50)).levels)


def test_cut_vectors_are_told(cloud: np.ndarray) -> None:
    short = matrix(cloud[:, :6])
    unit = matrix(short / np.linalg.norm(short, axis=1, keepdims=True))
    padded = cloud.copy()
    padded[:, 6:] = 0
    for candidate, zeros in ((short, 0), (unit, 0), (padded, D - 6)):
        found = truncation(cloud, candidate, ROWS, ROWS)
        assert (found.kept, found.zeros, found.share) == (6, zeros, 1.0)


def test_what_is_not_cut_is_not_called_so(cloud: np.ndarray) -> None:
    for candidate in (
        cloud,
        matrix(3 * cloud),
        matrix(cloud @ rotation(D, 1)),
        matrix((cloud @ rotation(D, 1))[:, :6]),
    ):
        found = truncation(cloud, candidate, ROWS, ROWS)
        assert (found.kept, found.zeros) == (0, 0)
    assert np.isnan(truncation(cloud, cloud, ROWS[:5], ROWS[:5]).share)
