"""A set of embeddings as all above the files sees it: vectors by version, what is known of each row, the truth."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lib.schema import Evidence, TimeFormat
from lib.sources.embeddings.times import epoch_seconds
from lib.vectors import Truth, Vectors

SINGLE_ROLES: Final = ("id", "label", "version", "split", "time", "query", "text", "image")
"""Roles of the metadata that one column plays at most; `cohorts` and `sensitive` are lists."""


@dataclass(frozen=True)
class EmbeddingAnswers:
    """What a person or the command line has settled; None or absent means: infer it.

    `roles` maps one of `SINGLE_ROLES` to a column, or to an empty text for "no column plays it"; the id is empty to
    join metadata by row order. `vectors` is the array or column that holds the vectors.
    """

    roles: dict[str, str] = field(default_factory=dict[str, str])
    cohorts: tuple[str, ...] | None = None
    sensitive: tuple[str, ...] | None = None
    vectors: str | None = None


@dataclass(frozen=True)
class EmbeddingRoles:
    """Which column of the metadata plays which role, and why; `unused` are the others, each with the reason."""

    single: dict[str, str] = field(default_factory=dict[str, str])
    time_format: TimeFormat | None = None
    cohorts: tuple[str, ...] = ()
    sensitive: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    unused: tuple[tuple[str, str], ...] = ()

    def column(self, role: str) -> str | None:
        """The column of one of `SINGLE_ROLES`; None where no column plays it."""
        return self.single.get(role)


@dataclass(frozen=True, eq=False)
class RowFaults:
    """What the file held in place of a row's vector or of a row; numpy only, for `lib.metrics.index_consistency`.

    Attributes:
        odd_rows, odd_lengths: shape (o,), rows whose vector has another length than the others, and which: 0 for
            none, −1 where its line could not be read.
        unmatched_rows: shape (u,), rows for which the metadata has no row.
        missing: ids for which the metadata has a row and the file no vector.
    """

    odd_rows: NDArray[np.int64]
    odd_lengths: NDArray[np.int64]
    unmatched_rows: NDArray[np.int64]
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class FoundNeighbours:
    """What an index has answered, to be judged.

    Attributes:
        queries: shape (q,), the rows that were asked, ascending.
        rows: shape (q, k), int32, the rows found, by rank; `NO_ROW` where there are no more or the id is unknown.
    """

    queries: NDArray[np.int64]
    rows: NDArray[np.int32]


@dataclass(frozen=True)
class EmbeddingInput:
    """A file that was read: `kind` is "vectors", "metadata", "pairs", "qrels" or "neighbours"."""

    name: str
    kind: str
    sha256: str
    rows: int
    rows_rejected: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class EmbeddingSet:
    """Vectors by version with what is known of their rows.

    Attributes:
        name: of the first file, and how many more.
        versions: name to vectors, in the order of the files or, of a column, in natural order.
        metadata: version to a pyarrow table with a row for each vector; without columns where nothing is known.
        roles: which column is what.
        truth: version to the right answers, where labels, pairs or qrels tell any.
        neighbours: version to what an index has answered, where such a file was given.
        faults: version to what stood in place of vectors.
        inputs: the files.
        notes: sentences about what was found, joined and left out.
    """

    name: str
    versions: dict[str, Vectors]
    metadata: dict[str, Any]
    roles: EmbeddingRoles
    truth: dict[str, Truth]
    neighbours: dict[str, FoundNeighbours]
    faults: dict[str, RowFaults]
    inputs: tuple[EmbeddingInput, ...]
    notes: tuple[str, ...]

    @property
    def key(self) -> str:
        """Sixteen hexadecimal digits that change with the content of any file or with the roles."""
        parts = [f"{each.name} {each.kind} {each.sha256}" for each in self.inputs]
        parts += [f"{name} {vectors.sha256}" for name, vectors in self.versions.items()]
        parts.append(repr((sorted(self.roles.single.items()), self.roles.cohorts, self.roles.sensitive)))
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]

    def texts(self, version: str, column: str) -> NDArray[np.object_]:
        """The values of a column of the metadata as texts, shape (n,); empty where there is none."""
        return texts_of(self.metadata[version].column(column))

    def seconds(self, version: str) -> NDArray[np.float64] | None:
        """When each row was made, in epoch seconds, shape (n,), NaN where that is not known; None without times."""
        column, table = self.roles.column("time"), self.metadata[version]
        if column is None or self.roles.time_format is None or column not in table.column_names:
            return None
        return epoch_seconds(table.column(column), self.roles.time_format)


def texts_of(column: Any) -> NDArray[np.object_]:
    """A pyarrow column as texts: whole numbers without a point, nothing for what is missing."""
    if hasattr(column, "combine_chunks"):
        column = column.combine_chunks()
    values = column.cast("string").fill_null("")
    return np.asarray(values.to_numpy(zero_copy_only=False), object)
