"""Hinge and logistic loss fitted to the same rows: what they decide, how sure, and what they rest on.

Both minimise ½·|w|² + C·Σ loss(y(w·x + b)) with b free, so that C means the same: what multiplies the sum of losses.
Features are standardised by the mean and spread of the training rows alone. The kernel is K(x, z) = exp(−|x − z|²/d)
over d standardised features. Up to `MOST_EXACT` training rows the hinge fit with that kernel is exact (libsvm); the
logistic one, and both beyond, are linear in a Nyström map of `LANDMARKS` training rows, which is exact up to so many.

References: Cortes and Vapnik (1995); Williams and Seeger (2001) for the map.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, TypeAlias

import numpy as np
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC

from lib.errors import SettingsError
from lib.metrics.estimates import BoolArray, FloatArray, IntArray
from lib.metrics.hinge_fit import fit_hinge
from lib.metrics.margins import SUPPORT_VECTOR_TOLERANCE
from lib.metrics.planes import Plane, choose_plane

Kernel = Literal["linear", "rbf"]
LossName = Literal["hinge", "logistic"]
Score: TypeAlias = Callable[[FloatArray], FloatArray]
Report: TypeAlias = Callable[[float, str], None]

MOST_EXACT = 3_000
LANDMARKS = 300
LEAST_ROWS = 10
"""Of each class, in training and in test."""
SOLVER_TOLERANCE = 1e-4
"""Of libsvm, a tenth of what a support vector's margin may be beyond 1."""
MOST_STEPS = 1_000
SPLIT_WORDS = {True: "training", False: "test"}


@dataclass(frozen=True, eq=False)
class LabRows:
    """Rows to fit and to judge.

    Attributes:
        columns: the d features.
        values: shape (n, d), finite.
        label: shape (n,), −1 or +1.
        is_train: shape (n,), whether a row is fitted; the others are judged on.
        fold: shape (n,), by the hash of the id.
    """

    columns: tuple[str, ...]
    values: FloatArray
    label: IntArray
    is_train: BoolArray
    fold: IntArray

    def count(self, *, train: bool, label: int | None = None) -> int:
        """How many rows a part has, of one class or of both."""
        here = self.is_train == train
        return int((here if label is None else here & (self.label == label)).sum())

    def check(self) -> None:
        """See that there is enough to fit.

        Raises:
            SettingsError: fewer than two features, or a part with too few rows of a class.
        """
        if len(self.columns) < 2:
            raise SettingsError("A fit needs two features at least, so that there is a plane to show it in.")
        for train in (True, False):
            few = {label: self.count(train=train, label=label) for label in (-1, 1)}
            label = min(few, key=lambda each: few[each])
            if few[label] < LEAST_ROWS:
                raise SettingsError(
                    f"Of the {'positive' if label > 0 else 'negative'} class there are {few[label]} "
                    f"{SPLIT_WORDS[train]} rows with all of these features; a fit needs {LEAST_ROWS} of each class in "
                    "training and in test. Choose features with fewer missing values, or a filter with more rows."
                )


@dataclass(frozen=True)
class LabSettings:
    """What is fitted, and where it is looked at.

    `across` and `up` are the features of the plane; a projection where they are empty. `seed` chooses the landmarks.
    """

    kernel: Kernel = "linear"
    c: float = 1.0
    across: str = ""
    up: str = ""
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Fit:
    """One fit.

    Attributes:
        loss: which.
        score: shape (n,), decision scores of all rows; log odds of the logistic fit.
        seconds: how long the fit took, its feature map included.
        is_exact: whether it is the fit asked for, and not one in a map of landmarks.
        is_converged: whether the solver came to its end.
        weights: shape (d,), per standard deviation of each feature; empty with a kernel.
        grid: shape (G, G), decision scores in the plane, rows along y; empty where none can be drawn.
        agreement: share of training rows that lie in the plane on the side on which the fit has them; NaN without grid.
    """

    loss: LossName
    score: FloatArray
    seconds: float
    is_exact: bool
    is_converged: bool
    weights: FloatArray
    grid: FloatArray
    agreement: float


@dataclass(frozen=True, eq=False)
class LabFits:
    """Both fits of the same rows.

    Attributes:
        rows: what was fitted and judged.
        settings: how.
        hinge, logistic: the fits.
        plane: where they are looked at.
    """

    rows: LabRows
    settings: LabSettings
    hinge: Fit
    logistic: Fit
    plane: Plane

    @cached_property
    def support(self) -> IntArray:
        """Places among the training rows of those that the hinge fit rests on: margin at most 1 + tolerance."""
        train = self.rows.is_train
        margin = self.rows.label[train] * self.hinge.score[train]
        return np.flatnonzero(margin <= 1 + SUPPORT_VECTOR_TOLERANCE)


@dataclass(frozen=True, eq=False)
class _Made:
    """A fit before it is asked anything: of standardised rows to scores."""

    score: Score
    seconds: float
    weights: FloatArray
    is_exact: bool = True
    is_converged: bool = True


def fit_both(rows: LabRows, settings: LabSettings, report: Report = lambda _share, _words: None) -> LabFits:
    """Fit hinge and logistic loss to the training rows; the same at every call, but for the time.

    Raises:
        SettingsError: there is too little to fit.
    """
    rows.check()
    train, label = rows.values[rows.is_train], rows.label[rows.is_train]
    centre, scale = train.mean(axis=0), train.std(axis=0)
    # What is the same in all training rows says nothing: it is 0 there, and is kept from saying anything elsewhere.
    scale = np.where(scale > 1e-12 * np.abs(centre), scale, np.inf)
    z = (rows.values - centre) / scale
    x = z[rows.is_train]
    report(0.05, "Fitting hinge loss")
    hinge = _fit_hinge(x, label, settings)
    report(0.4, "Fitting logistic loss")
    logistic = _fit_logistic(x, label, settings)
    report(0.7, "Looking at the plane")
    places = tuple(rows.columns.index(name) for name in (settings.across, settings.up) if name)
    plane = choose_plane(x, places, (hinge.weights, logistic.weights), centre, scale)
    return LabFits(
        rows, settings, _finish("hinge", hinge, z, x, plane), _finish("logistic", logistic, z, x, plane), plane
    )


def _finish(loss: LossName, made: _Made, z: FloatArray, x: FloatArray, plane: Plane) -> Fit:
    grid, agreement = np.zeros((0, 0)), np.nan
    if plane.has_lines:
        grid = made.score(plane.grid_points()).reshape(len(plane.grid_y), len(plane.grid_x))
        agreement = float(((made.score(plane.flattened(x)) > 0) == (made.score(x) > 0)).mean())
    return Fit(loss, made.score(z), made.seconds, made.is_exact, made.is_converged, made.weights, grid, agreement)


def _fit_hinge(x: FloatArray, label: IntArray, settings: LabSettings) -> _Made:
    began = time.perf_counter()
    if settings.kernel == "rbf" and len(x) <= MOST_EXACT:
        machine = SVC(C=settings.c, kernel="rbf", gamma="auto", tol=SOLVER_TOLERANCE, cache_size=400)
        machine.fit(x, label)
        return _Made(machine.decision_function, time.perf_counter() - began, np.zeros(0))
    mapped = _map_of(x, settings)
    linear = fit_hinge(mapped(x), label, settings.c)
    made = _Made(linear, time.perf_counter() - began, linear.weights, is_converged=linear.gap < 1e-4)
    return made if settings.kernel == "linear" else _through(mapped, made, exact=False)


def _fit_logistic(x: FloatArray, label: IntArray, settings: LabSettings) -> _Made:
    began = time.perf_counter()
    mapped = _map_of(x, settings)
    machine = LogisticRegression(C=settings.c, solver="newton-cholesky", tol=1e-8, max_iter=MOST_STEPS)
    machine.fit(mapped(x), label)
    made = _Made(
        machine.decision_function,
        time.perf_counter() - began,
        machine.coef_[0],
        is_converged=int(machine.n_iter_[0]) < MOST_STEPS,
    )
    return made if settings.kernel == "linear" else _through(mapped, made, exact=len(x) <= LANDMARKS)


def _through(mapped: Score, made: _Made, *, exact: bool) -> _Made:
    """A fit of mapped rows as one of the rows."""
    inner = made.score
    return replace(made, score=lambda z: inner(mapped(z)), weights=np.zeros(0), is_exact=exact)


def _map_of(x: FloatArray, settings: LabSettings) -> Score:
    """The features in which a fit is linear: the rows' own, or those of the kernel's landmarks."""
    if settings.kernel == "linear":
        return lambda z: z
    landmarks = Nystroem(gamma=1 / x.shape[1], n_components=min(LANDMARKS, len(x)), random_state=settings.seed)
    return landmarks.fit(x).transform
