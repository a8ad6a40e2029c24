"""What is known of a dataset once its rows were read: the frame in which every number stands."""

from __future__ import annotations

from dataclasses import dataclass, field

from lib.scan.windows import WindowGrid
from lib.schema import Mapping


@dataclass(frozen=True)
class InputFile:
    """One file that went in: rows are all its records, rejected ones included."""

    name: str
    sha256: str
    n_rows: int
    n_rejected: int


@dataclass(frozen=True)
class Facts:
    """The frame of a dataset.

    Attributes:
        name: what the dataset is called on screen.
        key: sixteen hexadecimal digits that identify files and mapping.
        inputs: the files.
        mapping: the roles of their columns.
        n_rows: usable rows.
        versions: in order of first appearance in time, in natural order without one.
        splits: in the order train, validation, test, then the others by name; empty without a split column.
        cohorts: the cohort columns, in the mapping's order.
        windows: the grid of windows; None without a time column or without a readable time.
        first, last: epoch seconds of the earliest and latest usable row; None likewise.
        weighted: whether rows have weights.
        problems: count of rows by problem code, over all files; structural ones included.
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
    saved: bool = False
