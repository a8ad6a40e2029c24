"""Margins as bars: edges that hold γ and nearly all rows, and shares per bar with the tails in the end bars."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lib.cells import Cells
from lib.figures.format import format_score, format_share
from lib.grid import LINEAR_LIMIT, Resolution, score_at, score_axis
from lib.metrics.estimates import FloatArray
from lib.metrics.margins import MarginHistogram, margin_histogram, margin_quantile
from lib.schema import VERSION

MOST_BARS = 64
TAIL = 0.005
WIDTHS = (0.02, 0.04, 0.1, 0.2, 0.5, 1.0, 2.0, 4.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0)
LABELS = (-1, 1)


def choose_edges(cells: Cells, margin_target: float, most: int = MOST_BARS) -> FloatArray:
    """Edges of bars on steps of the resolution: equally wide up to ±20, γ among them, 0 shown.

    They cover the middle 99 % of every group that has labelled rows, so that a few far rows do not flatten the rest.
    Beyond ±20 the steps widen with the margin, as those of the cells do.
    """
    ends = [margin_quantile(cells, q).value for q in (TAIL, 1 - TAIL)]
    known = np.concatenate([each[np.isfinite(each)] for each in ends])
    low = min([-0.5, margin_target - 1.0, *known])
    high = max([0.5, margin_target + 1.0, *known])
    width = next((each for each in _widths(cells.resolution) if (high - low) / each <= most), WIDTHS[-1])
    if (high - low) / width > 4 * most:
        width = float(10 ** np.ceil(np.log10((high - low) / most)))
    first = np.floor(np.round((low - margin_target) / width, 6))
    last = np.ceil(np.round((high - margin_target) / width, 6))
    nominal = margin_target + width * np.arange(first, last + 1)
    factor = cells.resolution.score_factor
    snapped = score_at(np.rint(score_axis(nominal) / factor) * factor)
    return np.unique(np.where(np.abs(nominal) <= LINEAR_LIMIT, np.round(nominal, 10), snapped))


def _widths(resolution: Resolution) -> list[float]:
    step = max(resolution.step, WIDTHS[0])
    return [width for width in WIDTHS if width >= step and abs(width / step - round(width / step)) < 1e-9]


@dataclass(frozen=True, eq=False)
class Bars:
    """The margins, or another number, of one group of rows, as the bars of a figure.

    Attributes:
        version: whose rows.
        panel: what else the rows share: a class, a split; "" for all.
        label: the class, or None for both.
        left, right: shape (B,), the bars' edges.
        n: shape (B,), rows per bar; rows beyond the edges are counted in the end bars.
        share: shape (B,), share of the group's labelled, scored rows, by weight where there are weights.
        total: rows in all.
        beyond: share of rows beyond the edges.
        symbol: what the number is called.
    """

    version: str
    panel: str
    label: int | None
    left: FloatArray
    right: FloatArray
    n: FloatArray
    share: FloatArray
    total: float
    beyond: float
    symbol: str = "m"

    @property
    def centre(self) -> FloatArray:
        """Shape (B,): the middle of each bar."""
        return (self.left + self.right) / 2

    @property
    def width(self) -> FloatArray:
        """Shape (B,): how wide each bar is."""
        return self.right - self.left

    def words(self) -> list[str]:
        """For each bar the numbers that it holds; the end bars are open."""
        last, m = len(self.n) - 1, self.symbol
        return [
            f"{m} < {format_score(high)}"
            if place == 0
            else f"{m} ≥ {format_score(low)}"
            if place == last
            else f"{format_score(low)} ≤ {m} < {format_score(high)}"
            for place, (low, high) in enumerate(zip(self.left.tolist(), self.right.tolist(), strict=True))
        ]


@dataclass(frozen=True, eq=False)
class Distribution:
    """Margins of several groups on the same bars."""

    edges: FloatArray
    bars: tuple[Bars, ...]

    @classmethod
    def of(cls, cells: Cells, margin_target: float, *, by_class: bool = False, by: str | None = None) -> Distribution:
        """The distribution of each version, and of each class or value of another key within it.

        Args:
            cells: by version, and by `by` where it is given.
            margin_target: γ, which becomes an edge.
            by_class: one group per class.
            by: another key of the cells, such as the split.
        """
        edges = choose_edges(cells, margin_target)
        return cls(edges, tuple(_bars(margin_histogram(cells, edges), cells, by_class=by_class, by=by)))

    @property
    def panels(self) -> tuple[str, ...]:
        """What the panels are, in order."""
        return tuple(dict.fromkeys(each.panel for each in self.bars))

    @property
    def most_beyond(self) -> float:
        """The largest share of a group's rows that lie beyond the edges."""
        return max((each.beyond for each in self.bars), default=0.0)

    @property
    def clipped_words(self) -> str:
        """A sentence on the rows beyond the edges; "" when there are none."""
        if not self.most_beyond > 0:
            return ""
        return f"Up to {format_share(self.most_beyond)} of rows lie beyond the axis and are counted in the end bars."

    def frame(self) -> pd.DataFrame:
        """One row per group and bar; the end bars are open, as the rows beyond the axis are counted in them."""
        parts = [
            pd.DataFrame(
                {
                    "version": each.version,
                    "group": each.panel,
                    "margin_from": np.append(-np.inf, each.left[1:]),
                    "margin_to": np.append(each.right[:-1], np.inf),
                    "rows": each.n.astype(np.int64),
                    "share": each.share,
                }
            )
            for each in self.bars
        ]
        names = ["version", "group", "margin_from", "margin_to", "rows", "share"]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=names)


def _bars(counted: MarginHistogram, cells: Cells, *, by_class: bool, by: str | None) -> list[Bars]:
    made: list[Bars] = []
    whole = cells.margins
    for group in range(cells.n_groups):
        version = str(counted.groups[VERSION][group])
        value = None if by is None else str(counted.groups[by][group])
        for classes in [[0], [1]] if by_class else [[0, 1]]:
            label = LABELS[classes[0]] if by_class else None
            inner, inner_w = counted.n[group, classes].sum(axis=0), counted.w[group, classes].sum(axis=0)
            below, above = counted.n_below[group, classes].sum(), counted.n_above[group, classes].sum()
            total, weight = whole.n[group, classes].sum(), whole.w[group, classes].sum()
            # By weight the two tails are told apart in the proportion of their rows.
            spare = max(weight - inner_w.sum(), 0.0)
            tails = below + above
            rows, weights = inner.copy(), inner_w.copy()
            rows[0], rows[-1] = rows[0] + below, rows[-1] + above
            if tails > 0:
                weights[0] += spare * below / tails
                weights[-1] += spare * above / tails
            made.append(
                Bars(
                    version=version,
                    panel=_panel(label, value),
                    label=label,
                    left=counted.edges[:-1],
                    right=counted.edges[1:],
                    n=rows,
                    share=_shares(weights, weight),
                    total=float(total),
                    beyond=float(tails / total) if total else 0.0,
                )
            )
    return made


def _panel(label: int | None, value: str | None) -> str:
    if label is not None:
        return "positive class" if label > 0 else "negative class"
    return value if value is not None else ""


def _shares(weights: FloatArray, whole: float) -> NDArray[np.float64]:
    return weights / whole if whole > 0 else np.full(len(weights), np.nan)
