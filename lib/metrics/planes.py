"""The plane in which fits of many features are looked at: a slice along two of them, or a projection.

A line in a plane is where a fit changes its mind *in that plane*. With two features that is the boundary. In a slice
the other features stand at their mean, which is not where the rows are. In a projection onto the plane that the
weights of both linear fits span, each row keeps both scores, so that both lines are exact. In one onto the first two
principal components no line is: none is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from lib.metrics.estimates import FloatArray

GRID = 81
TAIL = 0.005
ROOM = 0.12
"""What is added around the middle 99 % of the rows, as a share of their span."""

PlaneKind = Literal["features", "weights", "components"]


@dataclass(frozen=True, eq=False)
class Plane:
    """A plane through the mean of the training rows.

    Attributes:
        kind: along two features, spanned by the weights of both fits, or by the first two principal components.
        is_whole: whether there are but two features, so that the plane leaves nothing out.
        features: places of the two features; empty otherwise.
        basis: shape (2, d), of standardised features; rows of length one, at right angles.
        offset, unit: shape (2,), what a position in the plane is in the features' own units.
        points: shape (n, 2), where the training rows are seen, in these units.
        grid_x, grid_y: shape (G,), likewise.
    """

    kind: PlaneKind
    is_whole: bool
    features: tuple[int, ...]
    basis: FloatArray
    offset: FloatArray
    unit: FloatArray
    points: FloatArray
    grid_x: FloatArray
    grid_y: FloatArray

    @property
    def has_lines(self) -> bool:
        """Whether a line in it says anything about a fit."""
        return self.kind != "components" or self.is_whole

    @property
    def is_beyond(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Shape (n,): rows that lie outside of what the grid covers."""
        (x, y), (gx, gy) = self.points.T, (self.grid_x, self.grid_y)
        return (x < gx[0]) | (x > gx[-1]) | (y < gy[0]) | (y > gy[-1])

    def grid_points(self) -> FloatArray:
        """The grid in standardised features, shape (G·G, d), x running fastest."""
        x, y = np.meshgrid(self.grid_x, self.grid_y)
        places = (np.stack([x.ravel(), y.ravel()], axis=1) - self.offset) / self.unit
        return places @ self.basis

    def flattened(self, x: FloatArray) -> FloatArray:
        """Standardised rows where the plane shows them, shape (n, d)."""
        return x @ self.basis.T @ self.basis


def choose_plane(
    x: FloatArray,
    features: tuple[int, ...],
    weights: tuple[FloatArray, FloatArray],
    centre: FloatArray,
    scale: FloatArray,
) -> Plane:
    """The plane along two features; without any the projection that shows most.

    Args:
        x: shape (n, d), standardised training rows, d at least 2.
        features: places of two features, or none.
        weights: of both fits, shape (d,) each; empty where they are not linear.
        centre: shape (d,), by which features were standardised.
        scale: likewise; infinite where a feature is constant.
    """
    d = x.shape[1]
    offset, unit = np.zeros(2), np.ones(2)
    if features:
        kind, basis = "features", np.eye(d)[list(features)]
        offset, unit = centre[list(features)], scale[list(features)]
        unit = np.where(np.isfinite(unit), unit, 1.0)
    elif len(weights[0]) and np.linalg.norm(weights[0]) > 0:
        kind, basis = "weights", _spanned(*weights, x)
    else:
        kind, basis = "components", _components(x, 2)
    points = x @ basis.T * unit + offset
    grid_x, grid_y = (_axis(column) for column in points.T)
    return Plane(kind, d == 2, features, basis, offset, unit, points, grid_x, grid_y)


def _spanned(first: FloatArray, second: FloatArray, x: FloatArray) -> FloatArray:
    """Two directions at right angles, the first that of `first`; along the rows where both are one direction."""
    across = first / np.linalg.norm(first)
    rest = second - (second @ across) * across
    if not np.linalg.norm(rest) > 1e-9 * np.linalg.norm(second):
        rest = _components(x - np.outer(x @ across, across), 1)[0]
        rest = rest - (rest @ across) * across
    return np.stack([across, rest / np.linalg.norm(rest)])


def _components(x: FloatArray, most: int) -> FloatArray:
    """The first principal directions, shape (most, d), each with its largest part positive."""
    _values, vectors = np.linalg.eigh(x.T @ x)
    found = vectors[:, ::-1][:, :most].T
    sign = np.sign(found[np.arange(most), np.abs(found).argmax(axis=1)])
    return found * sign[:, None]


def _axis(values: FloatArray) -> FloatArray:
    low, high = np.quantile(values, [TAIL, 1 - TAIL])
    room = ROOM * (high - low) if high > low else 1.0
    return np.linspace(low - room, high + room, GRID)
