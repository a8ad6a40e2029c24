"""Rows of one version by cohort, label and place of the score, and what a ratio would be of them were they others.

A ratio Σ top / Σ bottom of a sample is told in counterfactual worlds: with the other sample's shares of cohorts, with
its shares of labels within cohorts, and with its ranking under this sample's distribution of scores, by matching
quantiles within each cohort. All are sums over cells, so that a draw of counts gives all of them anew.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lib.cells import Cells, Sums
from lib.grid import EXACT, MISSING_BIN, coarsen_id
from lib.metrics.catalogue import Metric, MetricSettings
from lib.metrics.estimates import FloatArray, IntArray, add_up
from lib.metrics.influence import fraction

N_LABELS = 3
_SPAN = 2**10


@dataclass(frozen=True, eq=False)
class Sample:
    """The scored rows of one version that take part in a metric.

    Attributes:
        cohort: shape (N,), of each cell the place of its cohort value among all values of both versions.
        label: shape (N,), 0 for −1, 1 for none, 2 for +1.
        place: shape (N,), of its score among the B ascending places of this sample.
        n, mass, w2: shape (N,), rows, Σw, Σw².
        top, bottom: shape (N,), what a unit of mass adds to numerator and denominator.
        top_at, bottom_at: shape (3, B), the same of a row of any label at a place.
        is_above: shape (B,), whether a score at the place is a positive decision.
        score_bin: shape (B,), the id of the place at the steps of the cells.
    """

    cohort: IntArray
    label: IntArray
    place: IntArray
    n: FloatArray
    mass: FloatArray
    w2: FloatArray
    top: FloatArray
    bottom: FloatArray
    top_at: FloatArray
    bottom_at: FloatArray
    is_above: NDArray[np.bool_]
    score_bin: IntArray

    @classmethod
    def of(cls, cells: Cells, key: str, values: NDArray[np.str_], metric: Metric, settings: MetricSettings) -> Sample:
        """From the cells of one version by a cohort key; `values` are all values that it has in either version."""
        assert metric.parts is not None
        sums, label = Sums(cells.sums, cells.weighted), cells.block % N_LABELS
        top, bottom = fraction(metric.parts(cells.apart(), settings))
        takes_part = (cells.score_bin != MISSING_BIN) & (sums.w > 0)
        if not (bottom[takes_part & (label == 1)] > 0).any():
            takes_part &= label != 1
        kept = np.flatnonzero(takes_part)
        keys = cells.score if cells.resolution.is_exact else cells.score_bin * _SPAN + cells.probability_bin
        _distinct, first, place = np.unique(keys[kept], return_index=True, return_inverse=True)
        mass, leading = sums.w[kept], kept[first]
        at = _at_places(cells, kept, place, leading, metric, settings)
        return cls(
            cohort=np.searchsorted(values, cells.groups[key].astype(str)[cells.block[kept] // N_LABELS]),
            label=label[kept],
            place=place,
            n=sums.n[kept],
            mass=mass,
            w2=sums.w2[kept],
            top=top[kept] / mass,
            bottom=bottom[kept] / mass,
            top_at=at[0],
            bottom_at=at[1],
            is_above=cells.score[leading] > 0 if cells.resolution.is_exact else cells.score_bin[leading] > 0,
            score_bin=cells.score_bin[leading],
        )

    def merged(self, factor: int) -> Sample:
        """The same rows with places `factor` steps of the cells wide, everything at its mean: for draws."""
        ids, place = np.unique(coarsen_id(self.score_bin, factor), return_inverse=True)
        size, own = len(ids), place[self.place]
        key = (self.cohort * N_LABELS + self.label) * size + own
        distinct, at = np.unique(key, return_inverse=True)
        mass = add_up(at, self.mass, len(distinct))
        held = add_up(self.place, self.mass, len(self.is_above))
        weight = add_up(place, held, size)

        def mean(values: FloatArray) -> FloatArray:
            return add_up(at, self.mass * values, len(distinct)) / mass

        def table(values: FloatArray) -> FloatArray:
            return np.stack([add_up(place, held * row, size) / weight for row in values])

        return replace(
            self,
            cohort=distinct // (N_LABELS * size),
            label=distinct // size % N_LABELS,
            place=distinct % size,
            n=add_up(at, self.n, len(distinct)),
            mass=mass,
            w2=add_up(at, self.w2, len(distinct)),
            top=mean(self.top),
            bottom=mean(self.bottom),
            top_at=table(self.top_at),
            bottom_at=table(self.bottom_at),
            is_above=ids > 0,
            score_bin=ids,
        )


def _at_places(
    cells: Cells, kept: IntArray, place: IntArray, leading: IntArray, metric: Metric, settings: MetricSettings
) -> tuple[FloatArray, FloatArray]:
    """Shape (3, B) each: numerator and denominator of a row of each label at each place.

    Where no row of a label has that place it is what those of the others would be with it: l(−) = l(+) + s.
    """
    size, label = len(leading), cells.block[kept] % N_LABELS
    raw = cells.sums[kept, :7]
    by_label = np.stack(
        [np.stack([add_up(place, np.where(label == y, c, 0.0), size) for c in raw.T], axis=1) for y in range(N_LABELS)]
    )
    # Without a label the loss is none; with +1 it is that of −1 less the score.
    as_positive = by_label.sum(axis=0)
    as_positive[:, 3] = by_label[2, :, 3] + by_label[0, :, 3] - by_label[0, :, 1]
    labelled = by_label[0, :, 0] + by_label[2, :, 0]
    means = as_positive / as_positive[:, :1]
    with np.errstate(invalid="ignore", divide="ignore"):
        loss = np.where(labelled > 0, as_positive[:, 3] / labelled, np.logaddexp(0.0, -means[:, 1]))
    rows: list[FloatArray] = []
    for y in range(N_LABELS):
        made = means.copy()
        made[:, 3] = np.maximum(loss + (means[:, 1] if y == 0 else 0.0), 0.0) if y != 1 else 0.0
        made[:, 4] = made[:, 3] ** 2
        own = by_label[y, :, 0] > 0
        made[own] = by_label[y][own] / by_label[y][own][:, :1]
        rows.append(made)
    synthetic = Cells.build(
        {key: np.repeat(values[:1], N_LABELS * size) for key, values in cells.groups.items()},
        np.repeat([-1, 0, 1], size),
        np.tile(cells.score_bin[leading], N_LABELS),
        np.tile(cells.probability_bin[leading], N_LABELS),
        np.concatenate(rows),
        resolution=cells.resolution,
        score=np.tile(cells.score[leading], N_LABELS) if cells.resolution == EXACT else None,
    )
    assert metric.parts is not None
    top, bottom = fraction(metric.parts(synthetic.apart(), settings))
    # Built cells are sorted by label, then by the same places in the same order.
    return top.reshape(N_LABELS, size), bottom.reshape(N_LABELS, size)


@dataclass(frozen=True)
class Fraction:
    """A numerator and a denominator."""

    top: float
    bottom: float

    def __add__(self, other: Fraction) -> Fraction:
        return Fraction(self.top + other.top, self.bottom + other.bottom)


class Path:
    """The worlds from one sample to another, for any masses of their cells."""

    def __init__(self, start: Sample, end: Sample, n_values: int) -> None:
        self._start, self._end = start, end
        self._size = n_values * N_LABELS
        self._of_start = start.cohort * N_LABELS + start.label
        self._of_end = end.cohort * N_LABELS + end.label

    def worlds(self, start_mass: FloatArray, end_mass: FloatArray) -> tuple[Fraction, ...]:
        """The start, with the end's cohorts, with its labels, with its ranking, with its decisions, the end itself.

        Of a cohort, or of a label within one, that the start lacks, the end's own rows stand in.
        """
        start, end, size = self._start, self._end, self._size
        shape = (-1, N_LABELS)
        first, last = add_up(self._of_start, start_mass, size), add_up(self._of_end, end_mass, size)
        by_start = [add_up(self._of_start, start_mass * each, size) for each in (start.top, start.bottom)]
        by_end = [add_up(self._of_end, end_mass * each, size) for each in (end.top, end.bottom)]
        cohort_first, cohort_last = first.reshape(shape).sum(axis=1), last.reshape(shape).sum(axis=1)
        times = np.repeat(_ratio(cohort_last, cohort_first), N_LABELS)
        absent = np.repeat(cohort_first <= 0, N_LABELS)
        with_mix = [(times * a).sum() + b[absent].sum() for a, b in zip(by_start, by_end, strict=True)]
        times, missing = _ratio(last, first), first <= 0
        with_labels = [(times * a).sum() + b[missing].sum() for a, b in zip(by_start, by_end, strict=True)]
        # From here on labels that the start lacks stay as they are in the end.
        kept = Fraction(*(float(each[missing].sum()) for each in by_end))
        moved_start, moved_end = start_mass * times[self._of_start], np.where(missing[self._of_end], 0.0, end_mass)
        return (
            Fraction(*(float(each.sum()) for each in by_start)),
            Fraction(*map(float, with_mix)),
            Fraction(*map(float, with_labels)),
            kept + self._mapped(moved_start, moved_end, apart=False),
            kept + self._mapped(moved_start, moved_end, apart=True),
            Fraction(*(float(each.sum()) for each in by_end)),
        )

    def _mapped(self, start_mass: FloatArray, end_mass: FloatArray, *, apart: bool) -> Fraction:
        """The end's rows with the scores that the start has at the same quantiles of their cohort.

        With `apart` positive and negative decisions are matched among themselves, so that decisions stay the end's;
        where the start has none of a kind, its rows keep their scores.
        """
        start, end = self._start, self._end
        blocks = [each.cohort * 2 + (each.is_above[each.place] if apart else 0) for each in (start, end)]
        size = int(max((each.max(initial=0) for each in blocks), default=0)) + 1
        held, wanted = (add_up(b, m, size) for b, m in zip(blocks, (start_mass, end_mass), strict=True))
        alone = (held <= 0)[blocks[1]]
        own = np.where(alone, end_mass, 0.0)
        end_mass = np.where(alone, 0.0, end_mass)
        wanted = np.where(held > 0, wanted, 0.0)
        start_mass = start_mass * _ratio(wanted, held)[blocks[0]]
        # All blocks lie on one axis of mass, one after the other, of equal length in both samples.
        knots, knot = _axis(blocks[0], start.place, start_mass)
        ends, piece = _axis(blocks[1], end.place, end_mass)
        reach = np.concatenate(([0.0], np.cumsum(ends)))
        along = np.concatenate(([0.0], np.cumsum(knots)))
        place_of_knot = np.zeros(len(knots), np.int64)
        place_of_knot[knot] = start.place
        share = _ratio(end_mass, ends[piece])
        found: list[float] = []
        for at, given in ((start.top_at, end.top), (start.bottom_at, end.bottom)):
            total = float((own * given).sum())
            for label in range(N_LABELS):
                here = end.label == label
                running = np.concatenate(([0.0], np.cumsum(knots * at[label][place_of_knot])))
                held_at = np.diff(np.interp(reach, along, running))
                total += float((share[here] * held_at[piece[here]]).sum())
            found.append(total)
        return Fraction(*found)


def _axis(block: IntArray, place: IntArray, mass: FloatArray) -> tuple[FloatArray, IntArray]:
    """The mass at each (block, place) in their order, and for each cell which of them it is in."""
    size = int(place.max(initial=0)) + 1
    distinct, at = np.unique(block * size + place, return_inverse=True)
    return add_up(at, mass, len(distinct)), at


def _ratio(part: FloatArray, whole: FloatArray) -> FloatArray:
    """Elementwise division, 0 where the whole is."""
    return np.divide(part, whole, out=np.zeros(np.broadcast_shapes(part.shape, whole.shape)), where=whole > 0)
