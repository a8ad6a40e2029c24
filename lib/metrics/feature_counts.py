"""Rows of one feature by version, split, window and bin, from which all its comparisons come.

A feature is any numeric column beside the score, or a cohort column by its values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lib.cells import ValueBins, ValueCells
from lib.metrics.estimates import FloatArray, IntArray, divide
from lib.metrics.feature_moves import LEAST_CHANGE, Against, Move, What
from lib.metrics.shift import (
    Pair,
    change_floor,
    chi_square,
    exact_p_value,
    ks_bound,
    ks_distance,
    ks_floor,
    ks_p_value,
    stability_index,
    telling_change,
    wasserstein,
    wasserstein_floor,
)
from lib.metrics.values import pieces_of
from lib.schema import NO_WINDOW, SPLIT, VERSION, WINDOW

LEAST_ROWS = 30
NEAR = 10
"""Within so many windows the ends of a run are moved to where it stands out most."""


@dataclass(frozen=True, eq=False)
class FeatureCounts:
    """Rows of one feature by version, split, window and bin.

    Attributes:
        bins: the cut, B bins.
        versions, splits, windows: what the axes are; the last place of the third axis holds rows without a time.
        n: shape (V, S, W + 1, B + 1).
        sums: shape (V, S, B, 3): n, Σv and Σv².
        width: of a window, in seconds.
    """

    bins: ValueBins
    versions: tuple[str, ...]
    splits: tuple[str, ...]
    windows: IntArray
    n: FloatArray
    sums: FloatArray
    width: int

    @classmethod
    def of(cls, cells: ValueCells, versions: Sequence[str], splits: Sequence[str], width: int) -> FeatureCounts:
        """From cells by version, split and window."""
        starts = np.unique(cells.groups[WINDOW].astype(np.int64))
        windows = starts[starts != NO_WINDOW]
        known = [*splits, *(str(each) for each in np.unique(cells.groups[SPLIT]) if str(each) not in splits)]
        version = np.array([list(versions).index(str(each)) for each in cells.groups[VERSION]], np.int64)
        split = np.array([known.index(str(each)) for each in cells.groups[SPLIT]], np.int64)
        own = cells.groups[WINDOW].astype(np.int64)
        window = np.where(own == NO_WINDOW, len(windows), np.searchsorted(windows, own))
        # Each group has a place of its own.
        table = np.zeros((len(versions), max(len(known), 1), len(windows) + 1, len(cells.bins) + 1, 3))
        table[version, split, window] = cells.whole[..., :3]
        sums = table[:, :, :, :-1].sum(axis=2)
        return cls(cells.bins, tuple(versions), tuple(known), windows, table[..., 0].copy(), sums, width)

    @cached_property
    def pieces(self) -> IntArray:
        """Shape (B,): the bins in about ten pieces, for the stability index and for scans over categories."""
        return pieces_of(self.bins, self.n.sum(axis=(0, 1, 2)))[:-1]

    def compare(
        self,
        sample: FloatArray,
        reference: FloatArray,
        against: Against,
        version: int,
        split: int | None = None,
        window: tuple[int, int] | None = None,
        choices: float = 1.0,
        floors: bool = True,
    ) -> Move:
        """A sample and a reference, each of shape (S, B + 1), as a `Move`; one of so many that could be told."""
        pair, bins = Pair.of(sample[:, :-1], reference[:, :-1]), self.bins
        category, floor = "", float(ks_floor(pair, choices))
        transport = bound = transport_floor = share = share_reference = float("nan")
        if bins.is_categorical:
            place, distance = telling_change(pair, LEAST_CHANGE)
            category, share, share_reference = bins.categories[place], float(pair.p[place]), float(pair.r[place])
            p = exact_p_value(pair, place)
            floor = change_floor(pair, choices)
            distance_bound = 0.0
        else:
            distance, p = float(ks_distance(pair)), float(ks_p_value(pair))
            distance_bound = float(ks_bound(pair, bins))
            sums = self.sums.sum(axis=(0, 1))
            transport, bound = wasserstein(pair, sums)
            # Of a choice among many it would have to be drawn as often more.
            transport_floor = wasserstein_floor(pair, sums) if choices == 1 and floors else transport_floor
            spread = self._spread(reference, sums)
            unit = 1 / spread if spread > 0 else float("nan")
            transport, bound, transport_floor = transport * unit, bound * unit, transport_floor * unit
        index, index_floor = stability_index(pair, self.pieces, choices)
        present = Pair.of(_presence(sample), _presence(reference))
        return Move(
            against=against,
            version=self.versions[version],
            split=None if split is None else self.splits[split],
            window=window,
            n_rows=int(sample.sum()),
            n=int(sample[:, :-1].sum()),
            n_reference=int(reference[:, :-1].sum()),
            distance=distance,
            distance_bound=distance_bound,
            distance_floor=floor,
            p=min(p * choices, 1.0) if np.isfinite(pair.noise) else 1.0,
            p_adjusted=float("nan"),
            stability_index=index,
            stability_floor=index_floor,
            wasserstein=transport,
            wasserstein_bound=bound,
            wasserstein_floor=transport_floor,
            category=category,
            share=share,
            share_reference=share_reference,
            missing=float(present.p[1]),
            missing_reference=float(present.r[1]),
            missing_p=min(choices * exact_p_value(Pair(present.p[1:], present.r[1:], present.n, present.m), 0), 1.0),
        )

    def _spread(self, reference: FloatArray, sums: FloatArray) -> float:
        """The reference's standard deviation, each bin's rows at the mean and spread of all rows of that bin."""
        share = reference[:, :-1].sum(axis=0)
        share = np.nan_to_num(divide(share, share.sum()))
        mean, square = (np.nan_to_num(divide(sums[:, each], sums[:, 0])) for each in (1, 2))
        return float(np.sqrt(max(share @ square - (share @ mean) ** 2, 0.0)))

    # --- the three comparisons -----------------------------------------------------------------------------------

    def between_versions(self, n: FloatArray | None = None) -> Move | None:
        """The last version against the first, split by split; None where there is one."""
        if len(self.versions) < 2:
            return None
        counts = (self.n if n is None else n).sum(axis=2)
        return self._large(counts[-1], counts[0], "baseline", len(self.versions) - 1, floors=n is None)

    def between_splits(self, version: int, n: FloatArray | None = None) -> list[Move]:
        """Each split of a version against its others; of two the later one."""
        counts = (self.n if n is None else n)[version].sum(axis=1)
        filled = [int(each) for each in np.flatnonzero(counts.sum(axis=1) > 0)]
        chosen = filled if len(filled) > 2 else filled[1:]
        whole, choices = counts.sum(axis=0), float(len(chosen) * len(self.versions))
        moves = [
            self._large(
                counts[each][None], (whole - counts[each])[None], "other splits", version, each, choices, n is None
            )
            for each in chosen
        ]
        return [move for move in moves if move is not None]

    def _large(
        self,
        sample: FloatArray,
        reference: FloatArray,
        against: Against,
        version: int,
        split: int | None = None,
        choices: float = 1.0,
        floors: bool = True,
    ) -> Move | None:
        if min(sample.sum(), reference.sum()) < LEAST_ROWS:
            return None
        return self.compare(sample, reference, against, version, split, choices=choices, floors=floors)

    def over_time(self, version: int, what: What = "distribution", n: FloatArray | None = None) -> Move | None:
        """The run of windows of a version that stands out most from its other times, split by split."""
        counts = (self.n if n is None else n)[version, :, :-1].swapaxes(0, 1)
        n_windows = len(counts)
        if n_windows < 2:
            return None
        seen = _presence(counts) if what == "missing" else self._scanned(counts)
        lengths = np.unique(np.geomspace(1, max(n_windows // 2, 1), 12).astype(np.int64))
        first, size = (each.ravel() for each in np.meshgrid(np.arange(n_windows), lengths, indexing="ij"))
        run = self._best(seen, first, first + size, what)
        if run is None:
            return None
        near = np.arange(-NEAR, NEAR + 1)
        first, end = (each.ravel() for each in np.meshgrid(run[0] + near, run[1] + near, indexing="ij"))
        run = self._best(seen, first, end, what) or run
        inside = counts[run[0] : run[1]].sum(axis=0)
        window = (int(self.windows[run[0]]), int(self.windows[run[1] - 1]) + self.width)
        choices = len(self.versions) * n_windows * (n_windows + 1) / 2
        return self.compare(inside, counts.sum(axis=0) - inside, "other times", version, None, window, choices=choices)

    def _scanned(self, counts: FloatArray) -> FloatArray:
        """Shape (W, S, …): counts without missing values, categories in pieces."""
        if not self.bins.is_categorical:
            return counts[..., :-1]
        into = np.zeros((len(self.bins), int(self.pieces.max(initial=0)) + 1))
        into[np.arange(len(self.bins)), self.pieces] = 1.0
        return counts[..., :-1] @ into

    def _best(self, counts: FloatArray, first: IntArray, end: IntArray, what: What) -> tuple[int, int] | None:
        """Of the runs from `first` up to `end` the one whose difference from the rest is least likely by chance."""
        fitting = (first >= 0) & (end <= len(counts)) & (end > first) & (end - first < len(counts))
        first, end = first[fitting], end[fitting]
        running = np.concatenate((np.zeros_like(counts[:1]), np.cumsum(counts, axis=0)))
        inside = running[end] - running[first]
        pair = Pair.of(inside, running[-1] - inside)
        # Of two parts the smaller one is the one that moved.
        rows = inside.sum(axis=(1, 2))
        enough = (pair.n >= LEAST_ROWS) & (pair.m >= LEAST_ROWS) & (2 * rows <= running[-1].sum())
        if not enough.any():
            return None
        strength = (
            chi_square(pair) if self.bins.is_categorical or what == "missing" else ks_distance(pair) ** 2 / pair.noise
        )
        place = int(np.argmax(np.where(enough, strength, -1.0)))
        return int(first[place]), int(end[place])


def _presence(counts: FloatArray) -> FloatArray:
    """Counts of rows with a value and without one, from counts whose last bin is that of missing values."""
    return np.stack([counts[..., :-1].sum(axis=-1), counts[..., -1]], axis=-1)
