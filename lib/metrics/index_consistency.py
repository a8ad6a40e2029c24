"""Whether the vectors of a version can be relied on, row by row: what is missing, broken or there twice (E-M6).

Arrays only; what stood in a file in place of a vector is handed in by row.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lib.vectors import Flags, Matrix, Rows, Vectors

LISTED: Final = 10
"""How many places of each problem are named."""
_BLOCK_VALUES: Final = 2_000_000
_DIGITS: Final = 18
"""Digits that a 64-bit number surely holds."""

NAN = "nan"
INFINITE = "infinite"
ZERO_NORM = "zero_norm"
WRONG_DIMENSION = "wrong_dimension"
UNREADABLE = "unreadable"
MISSING_ID = "missing_id"
REPEATED_ID = "repeated_id"
MISSING_VECTOR = "missing_vector"
EQUAL_VECTOR = "equal_vector"
CONSTANT_DIMENSION = "constant_dimension"
UNSORTED_ID = "unsorted_id"
NO_METADATA = "no_metadata"

SENTENCES: Final = {
    NAN: "holds NaN, and has no distance to anything: it is neither a query nor found",
    INFINITE: "holds an infinite value, or one above what float32 holds: it is neither a query nor found",
    ZERO_NORM: "is zero throughout and has no direction: under the cosine distance it is neither a query nor found",
    WRONG_DIMENSION: "has another number of values than the other vectors, or none: it cannot be compared with them",
    UNREADABLE: "could not be read; its row is kept, without a vector, so that the others keep their places",
    MISSING_ID: "has no id: it cannot be found in another version, in pairs or in metadata",
    REPEATED_ID: "has the id of an earlier row: an index holds it twice, and it is not compared between versions",
    MISSING_VECTOR: "is in the metadata and has no vector: it can never be found",
    EQUAL_VECTOR: "has exactly the vector of an earlier row: one input twice, or a default in place of an embedding",
    CONSTANT_DIMENSION: "has one value in all vectors: it says nothing, and may be padding",
    UNSORTED_ID: "has a smaller number as its id than the row before: no fault, but rows are not in their order",
    NO_METADATA: "has no row in the metadata: it is in no cohort",
}
"""What is wrong with one that has a problem."""
FAULTS: Final = (NAN, INFINITE, ZERO_NORM, WRONG_DIMENSION, UNREADABLE, MISSING_ID, REPEATED_ID, MISSING_VECTOR)
"""Problems that make an index inconsistent; the others are told and may be right."""


@dataclass(frozen=True)
class IndexProblem:
    """One kind of problem: how many rows (or ids, or dimensions) have it, and the first of them.

    `name` is a key of `SENTENCES`; `places` name the first ten: "row 7 (id a12)", "dimension 3", "id b4". Rows count
    from 1 as lines of a file do, dimensions from 0 as columns of an array do.
    """

    name: str
    n: int
    places: tuple[str, ...]

    @property
    def is_fault(self) -> bool:
        """Whether it makes the index inconsistent."""
        return self.name in FAULTS

    @property
    def sentence(self) -> str:
        """What it is, in one sentence, with the first places."""
        more = f" and {self.n - len(self.places):,} more" if self.n > len(self.places) else ""
        noun = {CONSTANT_DIMENSION: "dimension", MISSING_VECTOR: "id"}.get(self.name, "row")
        each = f"each {SENTENCES[self.name]}" if self.n > 1 else SENTENCES[self.name]
        return f"{self.n:,} {noun}{'s' if self.n > 1 else ''}: {each}. {', '.join(self.places)}{more}."


@dataclass(frozen=True)
class IndexReport:
    """Whether an index is consistent.

    Attributes:
        version: its name.
        sha256: of its content, in hex.
        n: rows, with a vector or not.
        n_missing: ids that have metadata and no vector.
        n_fine: rows without any fault.
        problems: those that were found, faults first.
    """

    version: str
    sha256: str
    n: int
    n_missing: int
    n_fine: int
    problems: tuple[IndexProblem, ...]

    @property
    def share(self) -> float:
        """The index consistency: rows without fault among rows and missing vectors; 1 is expected, NaN without rows."""
        whole = self.n + self.n_missing
        return self.n_fine / whole if whole else float("nan")

    def count(self, name: str) -> int:
        """How many have a problem; 0 where none was found."""
        return next((each.n for each in self.problems if each.name == name), 0)


def compute_index_report(
    vectors: Vectors,
    odd_rows: Rows | None = None,
    odd_lengths: Rows | None = None,
    unmatched_rows: Rows | None = None,
    missing: tuple[str, ...] = (),
) -> IndexReport:
    """What is wrong with the vectors of a version, read block by block.

    Args:
        vectors: the version; rows named in `odd_rows` are NaN in its matrix and are told only by that.
        odd_rows: shape (o,), rows whose vector had another length.
        odd_lengths: shape (o,), that length; 0 for none, below 0 for a line that could not be read.
        unmatched_rows: rows without metadata.
        missing: ids with metadata and without a vector.
    """
    n = vectors.n
    odd = np.zeros(n, bool)
    unreadable = np.zeros(n, bool)
    lengths = np.zeros(n, np.int64)
    if odd_rows is not None and odd_lengths is not None:
        odd[odd_rows], lengths[odd_rows] = True, odd_lengths
        unreadable[odd_rows] = odd_lengths < 0
    has_nan, has_infinite, is_zero, is_constant, hashes = _look(vectors.matrix)
    has_nan &= ~odd
    ids = np.asarray(vectors.ids, object)
    no_id = np.asarray(ids == "", bool)
    repeated = pd.Series(ids).duplicated().to_numpy() & ~no_id
    finite = ~(has_nan | has_infinite | odd)
    flags = {
        NAN: has_nan,
        INFINITE: has_infinite,
        ZERO_NORM: is_zero,
        WRONG_DIMENSION: odd & ~unreadable,
        UNREADABLE: unreadable,
        # A line that could not be read has no id either.
        MISSING_ID: no_id & ~unreadable,
        REPEATED_ID: repeated,
        EQUAL_VECTOR: _find_equals(vectors.matrix, hashes, finite & ~is_zero),
        UNSORTED_ID: _find_descents(ids),
    }
    if unmatched_rows is not None:
        flags[NO_METADATA] = np.zeros(n, bool)
        flags[NO_METADATA][unmatched_rows] = True
    found = {name: _problem(name, np.flatnonzero(held), ids, lengths) for name, held in flags.items() if held.any()}
    if missing:
        found[MISSING_VECTOR] = IndexProblem(
            MISSING_VECTOR, len(missing), tuple(f"id {each}" for each in missing[:LISTED])
        )
    dimensions = np.flatnonzero(is_constant)
    if len(dimensions):
        places = tuple(f"dimension {each}" for each in dimensions[:LISTED])
        found[CONSTANT_DIMENSION] = IndexProblem(CONSTANT_DIMENSION, len(dimensions), places)
    faulty = np.zeros(n, bool)
    for name in FAULTS:
        if name in flags:
            faulty |= flags[name]
    ordered = tuple(found[name] for name in sorted(found, key=list(SENTENCES).index))
    ordered = tuple(sorted(ordered, key=lambda each: not each.is_fault))
    return IndexReport(vectors.version, vectors.sha256, n, len(missing), n - int(faulty.sum()), ordered)


def _look(matrix: Matrix) -> tuple[Flags, Flags, Flags, Flags, NDArray[np.uint64]]:
    """Per row whether it has NaN, has an infinity, is zero; per dimension whether it is constant; two hashes a row.

    A dimension is constant if at least two rows are finite and all finite rows have one value there.
    """
    n, d = matrix.shape
    has_nan, has_infinite, is_zero = np.zeros(n, bool), np.zeros(n, bool), np.zeros(n, bool)
    low, high = np.full(d, np.inf, np.float32), np.full(d, -np.inf, np.float32)
    hashes = np.zeros((n, 2), np.uint64)
    factors = np.random.default_rng(0).integers(0, 2**63, (d, 2), np.uint64) | np.uint64(1)
    step = max(1, _BLOCK_VALUES // d)
    n_finite = 0
    for first in range(0, n, step):
        block = np.asarray(matrix[first : first + step])
        here = slice(first, first + len(block))
        has_nan[here] = np.isnan(block).any(axis=1)
        has_infinite[here] = np.isinf(block).any(axis=1) & ~has_nan[here]
        is_zero[here] = ~block.any(axis=1)
        finite = block[~(has_nan[here] | has_infinite[here])]
        n_finite += len(finite)
        if len(finite):
            low, high = np.minimum(low, finite.min(axis=0)), np.maximum(high, finite.max(axis=0))
        # −0 and 0 are equal, so that they have to have the same bits.
        bits = np.ascontiguousarray(block + np.float32(0)).view(np.uint32).astype(np.uint64)
        bits ^= bits << np.uint64(29)
        for place in range(2):
            hashes[here, place] = (bits * factors[:, place]).sum(axis=1, dtype=np.uint64)
    return has_nan, has_infinite, is_zero, (low == high) & (n_finite > 1), hashes


def _find_equals(matrix: Matrix, hashes: NDArray[np.uint64], usable: Flags) -> Flags:
    """Rows whose vector is exactly that of an earlier row: equal hashes first, then the values themselves."""
    rows = np.flatnonzero(usable)
    order = rows[np.lexsort((rows, hashes[rows, 1], hashes[rows, 0]))]
    same = (hashes[order[1:]] == hashes[order[:-1]]).all(axis=1)
    found = np.zeros(len(matrix), bool)
    step = max(1, _BLOCK_VALUES // matrix.shape[1])
    candidates = np.flatnonzero(same)
    for first in range(0, len(candidates), step):
        some = candidates[first : first + step]
        equal = (matrix[order[some + 1]] == matrix[order[some]]).all(axis=1)
        found[order[some + 1][equal]] = True
    return found


def _find_descents(ids: NDArray[np.object_]) -> Flags:
    """Rows whose id is below that of the row before, where ids are numbers behind a common beginning; else none."""
    found, named = np.zeros(len(ids), bool), np.flatnonzero(ids != "")
    if len(named) < 2:
        return found
    # Texts stay objects: as an array of texts each would be as long as the longest.
    texts = pd.Series(ids[named])
    pairs = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(texts.min(), texts.max(), strict=False))
    beginning = "".join(first for first, _second in pairs).rstrip("0123456789")
    texts = texts.str.slice(len(beginning))
    if not bool((texts.str.isdecimal() & (texts.str.len() <= _DIGITS)).all()):
        return found
    values = texts.astype(np.int64).to_numpy()
    found[named[1:][values[1:] < values[:-1]]] = True
    return found


def _problem(name: str, rows: Rows, ids: NDArray[np.object_], lengths: Rows) -> IndexProblem:
    places: list[str] = []
    for row in rows[:LISTED].tolist():
        place = f"row {row + 1}" + (f" (id {ids[row]})" if ids[row] else "")
        places.append(f"{place} with {lengths[row]} values" if name == WRONG_DIMENSION else place)
    return IndexProblem(name, len(rows), tuple(places))
