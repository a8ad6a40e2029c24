"""The candidate as it would be without what was found: one remedy for each hypothesis, applied one after the other.

A remedy uses only what either version holds. Rows are worked on as directions and lengths; lengths stay what they
were unless they are what is remedied.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lib.metrics.estimates import BoolArray
from lib.metrics.hypotheses.rows import Kind, RowStates
from lib.metrics.hypotheses.sets import GalleryRows
from lib.metrics.hypotheses.shared import SharedRows
from lib.metrics.hypotheses.values import ValueStates
from lib.vectors import Flags, Matrix, Vectors

REMEDIES = {
    "misaligned-ids": "every id has its own vector",
    "stale-rows": "the stale rows are embedded anew",
    "mixed-models": "all rows are of one model",
    "query-gallery-mismatch": "queries and gallery are of one version",
    "truncated": "no dimension is cut off",
    "dead-dimensions": "no dimension is dead",
    "collapse": "the variance is spread as it was",
    "not-normalised": "norms are as they were",
    "duplicates": "each vector is in the gallery once",
    "gallery-growth": "the gallery is as large as it was",
}
"""What can be remedied, in the order in which it is, and the remedy in words."""
MOST_SPREAD = 50.0
"""A direction is stretched by so much at most."""
UNIFORM = 0.01
"""Norms whose logarithms are spread by less than this are one norm."""
SEED = 0


@dataclass(frozen=True, eq=False)
class Found:
    """What is known of the two versions when remedies are applied."""

    rows: SharedRows
    states: RowStates
    values: ValueStates | None
    galleries: tuple[GalleryRows, GalleryRows]
    is_odd: BoolArray  # shape (m,): of the cohort whose norms are unlike the others'


def remedied(after: Vectors, found: Found, names: set[str]) -> Vectors:
    """The candidate with some of `REMEDIES` applied."""
    made = after
    if names & _OF_ROWS:
        made = replace(made, matrix=_rows_remedied(after, found, names))
    gallery = made.is_gallery.copy()
    asks = made.is_query
    if "duplicates" in names:
        gallery[surplus(found, "duplicates")] = False
    if "gallery-growth" in names:
        gallery[surplus(found, "gallery-growth")] = False
        new = np.ones(made.n, np.bool_)
        new[found.galleries[1].rows] = ~found.galleries[1].is_known
        # Rows that ask only are as they were; rows that came with the gallery ask no more.
        asks = asks & ~(new & made.is_gallery & ~gallery)
    return replace(made, is_gallery=gallery, is_query=asks)


_OF_ROWS = {
    "misaligned-ids",
    "stale-rows",
    "mixed-models",
    "query-gallery-mismatch",
    "truncated",
    "dead-dimensions",
    "collapse",
    "not-normalised",
}


def _rows_remedied(after: Vectors, found: Found, names: set[str]) -> Matrix:
    rows, states, values = found.rows, found.states, found.values
    b, length = rows.after.copy(), rows.norm_after.copy()
    expected = rows.before @ states.rotation if states.rotation is not None else rows.before
    if "misaligned-ids" in names:
        misplaced = states.of(Kind.MISPLACED)
        # Where no map fits at all, each id is given back what it had.
        b = b[states.partner] if misplaced.any() else np.where(states.of(Kind.UNEXPLAINED)[:, None], rows.before, b)
        length = length[states.partner]
    if "stale-rows" in names:
        same = states.of(Kind.SAME)
        b[same] = expected[same]
        length[same] = rows.norm_before[same] * _stretch(found)[same]
    if "mixed-models" in names and states.other is not None and states.rotation is not None:
        other = states.of(Kind.OTHER_MODEL)
        b[other] = b[other] @ (states.other.T @ states.rotation)
    if "query-gallery-mismatch" in names and states.query_map is not None and states.gallery_map is not None:
        asks = rows.is_query & ~rows.is_gallery
        b[asks] = b[asks] @ (states.query_map.T @ states.gallery_map)
    if values is not None and names & {"truncated", "dead-dimensions"}:
        b = _filled(b, expected, values.dead)
    if "collapse" in names:
        b = _spread_as(b, rows.before)
    if "not-normalised" in names:
        length = rows.norm_before * np.exp(np.median(rows.log_ratio))
    width = b.shape[1] if names & {"truncated", "dead-dimensions"} else after.dimension
    made = np.zeros((after.n, width), np.float32)
    made[:, : after.dimension] = after.matrix
    logs = np.log(rows.norm_before)
    if "not-normalised" in names and logs.std() < UNIFORM:
        norm = np.linalg.norm(made, axis=1, keepdims=True)
        np.divide(made * np.float32(np.median(length)), norm, out=made, where=norm > 0)
    made[rows.second] = b[:, :width] * length[:, None].astype(np.float32)
    return made


def _stretch(found: Found) -> NDArray[np.float64]:
    """Shape (m,): how much longer a row would be, embedded anew: as one of its cohort is that was, drawn at random."""
    made = np.ones(found.rows.n)
    ratio = np.exp(found.rows.log_ratio)
    generator = np.random.default_rng(SEED)
    for is_odd in (True, False):
        here = found.is_odd == is_odd
        known = np.flatnonzero(here & found.states.of(Kind.FITS))
        if len(known):
            made[here] = generator.choice(ratio[known], int(here.sum()))
    return made


def _filled(directions: Matrix, expected: Matrix, dead: BoolArray) -> Matrix:
    """Directions with what the baseline says of the lost dimensions, the others as long as they are in it."""
    live = np.linalg.norm(np.where(dead, 0, expected), axis=1, keepdims=True)
    return np.where(dead, expected, directions * live)


def _spread_as(directions: Matrix, before: Matrix) -> Matrix:
    """Directions stretched along their principal axes until second moments are the baseline's, at length 1."""
    old = np.linalg.eigvalsh((before.T @ before).astype(np.float64))
    new, axes = np.linalg.eigh((directions.T @ directions).astype(np.float64))
    stretch = np.sqrt(np.maximum(old, 0) / np.maximum(new, 1e-12 * new.max()))
    stretch = np.minimum(stretch, MOST_SPREAD * stretch.min())
    made = directions @ ((axes * stretch) @ axes.T).astype(np.float32)
    norm = np.linalg.norm(made, axis=1, keepdims=True)
    return np.divide(made, norm, out=np.zeros_like(made), where=norm > 0)


def surplus(found: Found, name: str) -> list[int]:
    """Rows that a remedy takes out of the gallery: copies, or new vectors by which it is larger, drawn at random."""
    before, after = found.galleries
    if name == "duplicates":
        return after.rows[after.is_copy].tolist()
    new = after.rows[~after.is_known & ~after.is_copy]
    more = int((~after.is_copy).sum()) - int((~before.is_copy).sum())
    return np.random.default_rng(SEED).permutation(new)[: max(0, more)].tolist()


def centred(vectors: Vectors, gallery: Flags) -> Vectors:
    """Vectors from the gallery's mean, at length 1, which makes hubs fewer.

    Suzuki et al., Centering similarity measures to reduce hubs, EMNLP 2013.
    """
    rows = np.flatnonzero(vectors.is_good)
    moved = vectors.matrix - vectors.matrix[gallery & vectors.is_good].mean(axis=0, dtype=np.float64).astype(np.float32)
    norm = np.linalg.norm(moved[rows], axis=1, keepdims=True)
    moved[rows] = np.divide(moved[rows], norm, out=np.zeros_like(moved[rows]), where=norm > 0)
    return replace(vectors, matrix=np.ascontiguousarray(moved))
