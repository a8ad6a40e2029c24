"""What a worker works out of vectors in one go, topic by topic: a page's numbers, told how far it is between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from lib.metrics.alignment import ROTATED, Alignment, align, procrustes
from lib.metrics.drift import MOST_ROWS, Drift, compare_pairs, compare_parts, compare_samples
from lib.metrics.estimates import Estimate, FloatArray, IntArray
from lib.metrics.geometry import (
    Anisotropy,
    Norms,
    alignment_of_labels,
    anisotropy,
    norms,
    silhouette,
    two_nn_dimension,
    uniformity,
)
from lib.metrics.intervals import LEVEL, mean_interval
from lib.metrics.leakage import Leakage, probe_column
from lib.metrics.sample_means import mean_of
from lib.metrics.triplets import Triplets, draw_triplets, proxy_loss
from lib.metrics.variance_spectrum import (
    Quantisation,
    Truncation,
    VarianceSpectrum,
    quantisation,
    truncation,
    variance_spectrum,
)
from lib.metrics.vector_rows import draw_rows, take
from lib.vectors import Distance, NeighbourGraph, Rows, Truth, Vectors

Report = Callable[[float, str], None]

NO_LABELS = "no column is the label"
NO_ROWS = "there are no rows"
OTHER_DIMENSION = "the versions have vectors of {} and of {} values, which cannot be compared value by value"
LEAST_PART = 50
"""A cohort value of fewer rows in either version is not compared by itself."""
MOST_PARTS = 30
TURNED = 0.75
"""Coordinates are others where turning leaves no more than this share of how far rows have moved."""


@dataclass(frozen=True, eq=False)
class Geometry:
    """How the vectors of a version lie.

    Attributes:
        norms: their lengths.
        anisotropy: whether they point the same way.
        spectrum: how many dimensions they use.
        quantisation: what their values have been rounded to.
        intrinsic_dimension: by the two nearest neighbours.
        alignment: mean squared distance of two directions with the same label.
        uniformity: the logarithm of the mean Gaussian kernel of two directions; lower is more even.
        silhouette: by label.
    """

    norms: Norms
    anisotropy: Anisotropy
    spectrum: VarianceSpectrum
    quantisation: Quantisation
    intrinsic_dimension: Estimate
    alignment: Estimate
    uniformity: Estimate
    silhouette: Estimate


@dataclass(frozen=True, eq=False)
class VectorDrift:
    """How far a candidate's vectors are from a baseline's.

    Attributes:
        rows: the rows of all that can be compared by value, as samples; None where dimensions differ, for `reason`.
        pairs: the same of ids that are in both, as pairs; None where there are none, or dimensions differ.
        alignment: the ids that are in both, turned onto each other; None where there are none.
        truncation: whether the candidate is the baseline, cut short; None where no id is in both.
        cohorts: by column, each value of the candidate against the same value of the baseline.
        residuals: by column, the mean distance of each value's rows from where turning puts them, in units of the
            baseline's spread; empty where nothing was turned.
        furthest: by column of these, the value furthest from there, where it is further than all rows beyond chance.
        turned: the pairs with the candidate turned onto the baseline; None where its coordinates are the baseline's.
        reason: why vectors were not compared by value; "" where they were.
    """

    rows: Drift | None
    pairs: Drift | None
    alignment: Alignment | None
    truncation: Truncation | None
    cohorts: dict[str, dict[str, Drift]] = field(default_factory=dict[str, dict[str, Drift]])
    turned: Drift | None = None
    residuals: dict[str, dict[str, Estimate]] = field(default_factory=dict[str, dict[str, Estimate]])
    furthest: dict[str, str] = field(default_factory=dict[str, str])
    reason: str = ""


def compute_geometry(
    vectors: Vectors, graph: NeighbourGraph, labels: IntArray | None, distance: Distance, report: Report
) -> Geometry:
    """Of the usable rows of a version.

    Args:
        vectors: the version.
        graph: its neighbours.
        labels: shape (n,), `NO_LABEL` where a row has none; None where no row has.
        distance: under the cosine distance the spectrum is that of directions.
        report: told between measures.
    """
    matrix, rows = vectors.matrix, np.flatnonzero(vectors.usable(distance))
    report(0.0, "Measuring lengths and directions")
    lengths, directions = norms(matrix, np.flatnonzero(vectors.is_good)), anisotropy(matrix, rows)
    report(0.3, "Measuring dimensions")
    spectrum, rounded = variance_spectrum(matrix, rows, distance), quantisation(matrix, rows)
    report(0.6, "Measuring labels")
    none = Estimate(np.nan, np.nan, np.nan, 0, NO_LABELS)
    aligned = apart = none
    if labels is not None:
        own = labels[rows]
        aligned = alignment_of_labels(matrix, rows, own, int(own.max(initial=-1)) + 1)
        apart = silhouette(matrix, rows, own, distance)[0]
    return Geometry(
        lengths, directions, spectrum, rounded, two_nn_dimension(graph), aligned, uniformity(matrix, rows), apart
    )


def compute_drift(
    before: Vectors,
    after: Vectors,
    paired: tuple[Rows, Rows],
    cohorts: Mapping[str, tuple[IntArray, IntArray, Sequence[str]]],
    distance: Distance,
    report: Report,
) -> VectorDrift:
    """Compare two versions.

    Args:
        before: the baseline.
        after: the candidate.
        paired: the usable rows of both that have the same id.
        cohorts: by column the codes of the rows of both, and what codes stand for.
        distance: under the cosine distance directions are compared.
        report: told between comparisons.
    """
    report(0.0, "Turning one version onto the other")
    first, second = paired
    has_pairs = len(first) > 1
    aligned = align(before.matrix, after.matrix, first, second, distance) if has_pairs else None
    cut = truncation(before.matrix, after.matrix, first, second) if has_pairs else None
    if before.dimension != after.dimension:
        return VectorDrift(None, None, aligned, cut, reason=OTHER_DIMENSION.format(before.dimension, after.dimension))
    report(0.2, "Comparing all rows")
    rows = [np.flatnonzero(each.usable(distance)) for each in (before, after)]
    samples = compare_samples(before.matrix, after.matrix, rows[0], rows[1], distance)
    report(0.5, "Comparing the same ids")
    pairs = compare_pairs(before.matrix, after.matrix, first, second, distance) if has_pairs else None
    named: list[tuple[str, str]] = []
    parts: list[tuple[Rows, Rows]] = []
    for column, (old, new, values) in cohorts.items():
        for code, value in list(enumerate(values))[:MOST_PARTS]:
            own, other = rows[0][old[rows[0]] == code], rows[1][new[rows[1]] == code]
            if min(len(own), len(other)) >= LEAST_PART:
                named.append((column, value))
                parts.append((own, other))
    by_column: dict[str, dict[str, Drift]] = {column: {} for column in cohorts}
    compared = compare_parts(
        before.matrix, after.matrix, parts, distance, lambda share, words: report(0.7 + 0.3 * share, words)
    )
    for (column, value), each in zip(named, compared, strict=True):
        by_column[column][value] = each
    turned, residuals, furthest = None, dict[str, dict[str, Estimate]](), dict[str, str]()
    if aligned is not None and aligned.total_residual <= TURNED * aligned.total_displacement:
        # What is left after turning is more than other coordinates.
        drawn = draw_rows(np.arange(len(first)), MOST_ROWS, 0)
        x, y = take(before.matrix, first[drawn], distance), take(after.matrix, second[drawn], distance)
        same = np.arange(len(drawn))
        other = y @ turn_onto(before, after, paired, distance)
        turned = compare_pairs(x.astype(np.float32), other.astype(np.float32), same, same, distance)
        for column, (_old, new, values) in cohorts.items():
            own = new[second]
            counts = np.bincount(own, minlength=len(values))
            residuals[column] = {
                value: mean_of(aligned.residual[own == code], NO_ROWS)
                for code, value in list(enumerate(values))[:MOST_PARTS]
                if counts[code] >= LEAST_PART
            }
            value = furthest_cohort(aligned.residual, own, residuals[column], values)
            furthest |= {} if value is None else {column: value}
    return VectorDrift(samples, pairs, aligned, cut, by_column, turned, residuals, furthest)


def furthest_cohort(
    residual: FloatArray, own: IntArray, means: Mapping[str, Estimate], values: Sequence[str]
) -> str | None:
    """The value of the largest mean, None where that is rounding or not above the mean of all rows beyond chance.

    Args:
        residual: shape (n,), of all rows.
        own: shape (n,), their codes in `values`.
        means: of the values that are compared; the interval is one for all of them (Bonferroni).
        values: by code.
    """
    if not means:
        return None
    value = max(means, key=lambda each: means[each].value)
    rows = residual[own == list(values).index(value)]
    error = float(rows.std(ddof=1)) / np.sqrt(len(rows))
    lower, _upper = mean_interval(rows.mean(), error, len(rows) - 1, 1 - (1 - LEVEL) / len(means))
    return value if lower > max(float(residual.mean()), ROTATED) else None


def turn_onto(before: Vectors, after: Vectors, paired: tuple[Rows, Rows], distance: Distance) -> FloatArray:
    """The rotation, shape (d, d), that takes a candidate onto its baseline, by `MOST_ROWS` of the ids in both."""
    drawn = draw_rows(np.arange(len(paired[0])), MOST_ROWS, 0)
    x, y = (take(each.matrix, rows[drawn], distance) for each, rows in zip((before, after), paired, strict=True))
    return procrustes(y.T @ x)


def compute_leakage(
    vectors: Vectors, columns: Mapping[str, tuple[IntArray, int]], distance: Distance, report: Report
) -> dict[str, Leakage]:
    """How well each sensitive column, as codes of all rows and how many there are, can be told from the vectors."""
    rows = np.flatnonzero(vectors.usable(distance))
    found: dict[str, Leakage] = {}
    for place, (column, (codes, n)) in enumerate(columns.items()):
        report(place / len(columns), f"Probing for {column}")
        found[column] = probe_column(vectors.matrix, rows, codes[rows], n, distance)
    return found


def compute_triplets(vectors: Vectors, truth: Truth, distance: Distance, report: Report) -> tuple[Triplets, Estimate]:
    """Triplets that were drawn, and the proxy loss, which is undefined without labels."""
    report(0.0, "Drawing triplets")
    rows = np.flatnonzero(vectors.usable(distance))
    drawn = draw_triplets(vectors.matrix, rows, truth, distance)
    report(0.7, "Measuring distances to labels")
    if truth.labels is None:
        return drawn, Estimate(np.nan, np.nan, np.nan, 0, NO_LABELS)
    return drawn, proxy_loss(vectors.matrix, rows, truth.labels[rows])
