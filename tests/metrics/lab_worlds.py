"""Two-class data sets for fits: scikit-learn's real ones and simulated ones, standardised."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import datasets

from lib.metrics.fit_lab import LabRows

Rows = tuple[NDArray[np.float64], NDArray[np.int64]]


def pair(found: Any, first: int, second: int) -> Rows:
    """Two classes of several, the second positive."""
    x, y = found
    kept = (y == first) | (y == second)
    return x[kept].astype(np.float64), np.where(y[kept] == second, 1, -1)


def worlds() -> dict[str, Rows]:
    """Ten data sets of 100 to 600 rows and 2 to 64 features: separable and not, of even classes and not."""
    digits = datasets.load_digits(return_X_y=True)
    blobs = datasets.make_blobs(400, centers=2, cluster_std=2.0, random_state=3)
    rare = datasets.make_classification(500, 8, n_informative=4, weights=[0.9], flip_y=0.05, random_state=1)
    return {
        "breast cancer": pair(datasets.load_breast_cancer(return_X_y=True), 0, 1),
        "wine 0 and 1": pair(datasets.load_wine(return_X_y=True), 0, 1),
        "wine 1 and 2": pair(datasets.load_wine(return_X_y=True), 1, 2),
        "iris 1 and 2": pair(datasets.load_iris(return_X_y=True), 1, 2),
        "digits 3 and 8": pair(digits, 3, 8),
        "digits 4 and 9": pair(digits, 4, 9),
        "moons": pair(datasets.make_moons(400, noise=0.3, random_state=0), 0, 1),
        "circles": pair(datasets.make_circles(400, noise=0.15, factor=0.5, random_state=0), 0, 1),
        "blobs": pair(blobs, 0, 1),
        "a rare class": pair(rare, 0, 1),
    }


def lab_rows(rows: Rows, seed: int = 0, share: float = 0.7) -> LabRows:
    """Rows with a part for training and folds, drawn."""
    x, y = rows
    generator = np.random.default_rng(seed)
    columns = tuple(f"x{place}" for place in range(x.shape[1]))
    return LabRows(columns, x, y, generator.random(len(y)) < share, generator.integers(0, 10, len(y)))
