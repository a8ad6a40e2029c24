"""Which gallery rows are right answers to which queries."""

from __future__ import annotations

import numpy as np

from lib.vectors import NO_LABEL, NO_ROW, Flags, Rows, Truth


class Relevance:
    """A truth, kept to the rows that can be found."""

    def __init__(self, truth: Truth, n: int, gallery: Rows) -> None:
        """Sort the gallery by label, or take the pairs whose answer is in it.

        Args:
            truth: labels or pairs, of n rows.
            n: how many rows there are.
            gallery: shape (g,), the rows that can be found, ascending.
        """
        self._gallery, self._n, self._labels = gallery, n, truth.labels
        self._place = np.full(n, NO_ROW, np.int64)
        self._place[gallery] = np.arange(len(gallery))
        if truth.labels is not None:
            group, value = truth.labels, truth.labels[gallery]
            self._answers = np.argsort(value, kind="stable")
            self._starts = np.searchsorted(value[self._answers], np.arange(group.max(initial=0) + 2))
            self._keys = np.empty(0, np.int64)
        elif truth.offsets is not None and truth.relevant is not None:
            query = np.repeat(np.arange(n), np.diff(truth.offsets))
            is_found = (self._place[truth.relevant] != NO_ROW) & (truth.relevant != query)
            query, relevant = query[is_found], truth.relevant[is_found]
            self._answers = self._place[relevant]
            self._starts = np.searchsorted(query, np.arange(n + 1))
            self._keys = query * n + relevant
        else:
            raise ValueError("a truth is labels or pairs")

    def count(self, queries: Rows) -> Rows:
        """Shape (q,): how many right answers each has, itself left out."""
        if self._labels is None:
            return np.diff(self._starts)[queries]
        label = self._labels[queries]
        counts = np.diff(self._starts)[label] - (self._place[queries] != NO_ROW)
        return np.where(label == NO_LABEL, 0, counts)

    def places(self, query: int) -> Rows:
        """The places in the gallery of the right answers to a row, which has a label if there are labels."""
        group = query if self._labels is None else int(self._labels[query])
        places = self._answers[self._starts[group] : self._starts[group + 1]]
        return places[places != self._place[query]] if self._labels is not None else places

    def holds(self, queries: Rows, rows: Rows) -> Flags:
        """Shape (q, k): which rows, of the gallery or absent, are right answers to the query of their line."""
        is_there = rows != NO_ROW
        if self._labels is not None:
            label = self._labels[queries][:, None]
            return is_there & (self._labels[rows] == label) & (label != NO_LABEL)
        if not len(self._keys):
            return np.zeros(rows.shape, np.bool_)
        keys = queries[:, None] * self._n + rows
        at = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        return is_there & (self._keys[at] == keys)

    def strata(self, queries: Rows) -> Rows:
        """Shape (q,): the labels of queries, or how many right answers each has where there are no labels."""
        return self.count(queries) if self._labels is None else self._labels[queries]
