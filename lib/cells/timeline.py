"""Counts along time: how many rows were served, labelled, wrong, in each of many short buckets.

Only what some row has is held, so that ten thousand buckets of two hundred cohorts cost what their rows do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.cells.sums import FloatArray, IntArray

COUNTS = (
    "n", "scored", "labelled", "violations", "positives", "missed", "false_alarms",
    "expected_violations", "expected_errors", "expected_violations_labelled", "expected_errors_labelled",
)  # fmt: skip
"""What is counted: rows; with a score; with a label too; of these m < γ, positive, positive and missed, negative and
flagged. Then what the scored rows are expected to have of violations and of errors where each is as likely positive as
its p says, and the same of the labelled ones among them."""


@dataclass(frozen=True, eq=False)
class Timeline:
    """Rows by version, value of a cohort column and bucket of time; rows without a time are left out.

    Attributes:
        start: the epoch second at which bucket 0 begins.
        width: of a bucket, in seconds.
        n_buckets: B, up to the one that holds the last row.
        margin_target: the γ of the violations.
        versions: names, by their number.
        values: of the cohort column, by their number; one empty text without a column.
        version, value, bucket: shape (K,), which entry it is.
        counts: shape (K, 11), in the order of `COUNTS`.
    """

    start: int
    width: int
    n_buckets: int
    margin_target: float
    versions: tuple[str, ...]
    values: tuple[str, ...]
    version: IntArray
    value: IntArray
    bucket: IntArray
    counts: FloatArray

    @property
    def edges(self) -> IntArray:
        """Shape (B + 1,): the epoch seconds between which the buckets lie."""
        return self.start + self.width * np.arange(self.n_buckets + 1, dtype=np.int64)

    def series(self, *names: str, value: str | None = None, version: str | None = None) -> FloatArray:
        """Shape (B,), of one name, or (names, B): counts in each bucket, of one cohort value and one version or of all.

        What no row has counts 0, a value or a version that is not there too.
        """
        keep = np.ones(len(self.bucket), np.bool_)
        if value is not None:
            keep &= self.value == (self.values.index(value) if value in self.values else -1)
        if version is not None:
            keep &= self.version == (self.versions.index(version) if version in self.versions else -1)
        at = self.bucket[keep]
        rows = [self._added(name, keep, at, self.n_buckets) for name in names]
        return rows[0] if len(rows) == 1 else np.stack(rows)

    def courses(self, *names: str, version: str | None = None) -> FloatArray:
        """Shape (values, names, B): the counts of every cohort value in each bucket, of one version or of all."""
        keep = np.ones(len(self.bucket), np.bool_)
        if version is not None:
            keep = self.version == (self.versions.index(version) if version in self.versions else -1)
        at, shape = self.value[keep] * self.n_buckets + self.bucket[keep], (len(self.values), self.n_buckets)
        rows = [self._added(name, keep, at, shape[0] * shape[1]).reshape(shape) for name in names]
        return np.stack(rows, axis=1)

    def _added(self, name: str, keep: NDArray[np.bool_], at: IntArray, size: int) -> FloatArray:
        return np.bincount(at, weights=self.counts[keep, COUNTS.index(name)], minlength=size).astype(np.float64)
