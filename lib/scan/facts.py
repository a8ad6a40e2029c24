"""What is known of a dataset once its rows were read: the frame in which every number stands."""

from __future__ import annotations

from dataclasses import dataclass, field

from lib.scan.windows import WindowGrid
from lib.schema import VERSION, WINDOW, Mapping


@dataclass(frozen=True)
class InputFile:
    """One file that went in: rows are all its records, rejected ones included; notes say what was done to read it.

    `lacks` are the columns of the mapping that it does not have, and others do.
    """

    name: str
    sha256: str
    n_rows: int
    n_rejected: int
    notes: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()


@dataclass(frozen=True)
class IdCounts:
    """How often ids occur again in one version.

    Attributes:
        version: the version.
        n: usable rows with an id.
        n_repeated: rows beyond the first of their id in the same split.
        n_repeated_ids: ids with such rows.
        n_held_out: rows with an id in splits that the model is judged by.
        n_leaked: those of them whose id is in a split that it was fitted to as well.
        n_leaked_ids: the ids of these.
    """

    version: str
    n: int
    n_repeated: int
    n_repeated_ids: int
    n_held_out: int
    n_leaked: int
    n_leaked_ids: int


@dataclass(frozen=True)
class Facts:
    """The frame of a dataset.

    Attributes:
        name: what the dataset is called on screen.
        key: sixteen hexadecimal digits that identify files and mapping.
        inputs: the files.
        mapping: the roles of their columns.
        n_rows: usable rows.
        versions: those of a column in order of first appearance in time, in natural order without one and where they
            began together; files that are versions in the order in which they were given.
        splits: in the order train, validation, test, then the others by name; empty without a split column.
        cohorts: the cohort columns, in the mapping's order.
        windows: the grid of windows; None without a time column or without a readable time.
        first, last: epoch seconds of the earliest and latest usable row; None likewise.
        weighted: whether rows have weights.
        problems: count of rows by problem code, over all files; structural ones included.
        version_starts, version_ends: epoch seconds of the earliest and latest usable row of each version with a time.
        n_clipped: usable rows whose probability is so near 0 or 1 that it was clipped before its logit.
        gathered: of each cohort column with more values than its tables hold, how many of them are gathered as one.
        ids: how often ids occur again, by version; None without an id column, and where it is not known.
        saved: whether this comes from saved cells, so that there are no rows to ask.
    """

    name: str
    key: str
    inputs: tuple[InputFile, ...]
    mapping: Mapping
    n_rows: int
    versions: tuple[str, ...]
    splits: tuple[str, ...]
    cohorts: tuple[str, ...]
    windows: WindowGrid | None
    first: int | None
    last: int | None
    weighted: bool
    problems: dict[str, int] = field(default_factory=dict)
    version_starts: dict[str, float] = field(default_factory=dict)
    version_ends: dict[str, float] = field(default_factory=dict)
    n_clipped: int = 0
    gathered: dict[str, int] = field(default_factory=dict[str, int])
    ids: tuple[IdCounts, ...] | None = None
    saved: bool = False

    def files_without(self, column: str) -> tuple[str, ...]:
        """The files that lack a column of the mapping, which others have."""
        return tuple(each.name for each in self.inputs if column in each.lacks)

    @property
    def serving_tables(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The columns of latency and of cost, where there are such, with the keys by which versions are compared."""
        keys = (VERSION, WINDOW) if self.windows is not None else (VERSION,)
        return tuple((column, keys) for column in (self.mapping.latency, self.mapping.cost) if column is not None)
