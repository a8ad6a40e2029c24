"""Where the distribution of a version's scores moves for a time, or differs between splits.

Every score becomes r, its mid-rank within its version as a share, less what is usual for its cohort value: what differs
between cohorts all the time is no drift. A run of windows has drifted where its mean r is far from that of the others,
upwards or downwards. Windows that differ from each other more than rows do by chance, as days and nights may, widen
what counts as chance. A drift is told apart by labels: whether the classes have another mix, or score otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from lib.cells import Cells
from lib.checks.blocks import Axes, Block, FloatArray, Place, make_block, read_tables, where_of
from lib.checks.causes import cause_places
from lib.checks.memory import once_for_every_margin_target
from lib.checks.moves import LEAST_ROWS, Move
from lib.checks.result import ALARM_RATE, Where
from lib.checks.search import Found, count_trials, find_parts, widened
from lib.grid import MISSING_BIN
from lib.metrics.ranks import Ranks
from lib.scan.ids import TRAIN_SPLITS
from lib.schema import SPLIT, VERSION

if TYPE_CHECKING:
    from lib.diagnose import Diagnosis


ROWS, R, R_SQUARES = range(3)
LEAST_SHIFT = 0.1
"""In mean rank: a row of the part scores above one of the rest with 60 % instead of 50 %."""
USUAL_SHIFT = 0.12
WIDE_BIN = 1 - 2**-0.5
"""For normal scores that are moved by δ standard deviations: Φ(δ) against Φ(δ/√2)."""
FEWEST_WINDOWS = 6
ALARM_EACH = ALARM_RATE / 3
"""Upwards, downwards, and between splits."""


@dataclass(frozen=True)
class Shifted:
    """The rule: the mean rank of a part is higher, or with `sign` −1 lower. Moments are (rows, Σr, Σr²), r centred.

    `dispersion` is how much more windows differ than rows do by chance; at least 1.
    """

    sign: float
    dispersion: float
    ranks: Ranks
    within: bool = True

    def size(self, moments: FloatArray) -> FloatArray:
        """Rows with a score."""
        return moments[..., ROWS]

    def gain(self, moments: FloatArray) -> FloatArray:
        """Log likelihood ratio of a shift by the usual amount, with the variance of a rank, 1/12."""
        return 12 * USUAL_SHIFT * (self.sign * moments[..., R] - moments[..., ROWS] * USUAL_SHIFT / 2) / self.dispersion

    def total_gain(self, unit: FloatArray, rest: FloatArray) -> FloatArray:
        """The likelihood ratio of a shift by what is seen."""
        del rest
        n = np.maximum(unit[..., ROWS], 1.0)
        shift = np.maximum(self.sign * unit[..., R] / n, 0.0)
        return 6 * n * shift**2 / self.dispersion

    def p_value(self, unit: FloatArray, rest: FloatArray, runs: FloatArray, trials: float) -> FloatArray:
        """Normal test of two mean ranks, over everything scanned."""
        del runs
        n, other = np.maximum(unit[..., ROWS], 1.0), np.maximum(rest[..., ROWS], 1.0)
        here, there = unit[..., R] / n, rest[..., R] / other
        both = unit + rest
        total = np.maximum(both[..., ROWS], 1.0)
        # Of both together, as if nothing had moved: that of a few rows alone may be next to nothing.
        variance = np.maximum(both[..., R_SQUARES] / total - (both[..., R] / total) ** 2, 1e-4) * (1 / n + 1 / other)
        p = special.ndtr(-self.sign * (here - there) / np.sqrt(variance * self.dispersion)) * trials
        matters = (self.sign * (here - there) >= LEAST_SHIFT) & (n >= LEAST_ROWS) & (other >= LEAST_ROWS)
        return np.where(matters, np.minimum(p, 1.0), 1.0)

    def confirm(self, block: Block, place: Place) -> bool:
        """The distribution has moved by the stability index too, beyond what so few rows move it by chance."""
        if place.run is None:
            return False
        here = block.inside(place) & block.is_left()
        there = block.inside(Place(place.version, place.column, place.value)) & block.is_left() & ~here
        return Move.of(block.cells, here, there, self.ranks).is_large


@dataclass(frozen=True, eq=False)
class Drift:
    """One drift: of a run of windows, or of a split, of one version or of all."""

    version: str | None
    where: Where
    split: str | None
    move: Move
    p: float
    place: Place | None
    gain: float


@dataclass(frozen=True, eq=False)
class Drifts:
    """What has drifted by itself, what follows from parts that other checks name, and how much was looked at."""

    found: list[Drift]
    explained: list[Drift]
    trials: float
    n: int


@once_for_every_margin_target
def find_drifts(diagnosis: Diagnosis) -> Drifts:
    """Search versions, cohorts and windows for scores that moved for a time, and compare splits."""
    axes, tables = read_tables(diagnosis)
    by_version = diagnosis.cells(VERSION)
    ranks = Ranks(by_version)
    causes = cause_places(diagnosis)
    taken = [widened(place, len(axes.windows)) for place in causes]
    found, trials = _in_time(axes, tables, ranks, taken)
    explained: list[Drift] = []
    if taken:
        again, _trials = _in_time(axes, tables, ranks, [])
        explained = [each for each in again if each.place and any(_overlap(each.place, cause) for cause in taken)]
    versions = [axes.versions[place.version] for place in taken if place.version is not None]
    if all(place.version is not None for place in taken):
        apart, pairs = _between_splits(diagnosis, ranks, versions)
        found, trials = found + apart, trials + pairs
    return Drifts(found, explained, trials, int(by_version.scored.n.sum()))


def _overlap(place: Place, other: Place) -> bool:
    if None not in (place.version, other.version) and place.version != other.version:
        return False
    if place.run is None or other.run is None:
        return True
    return place.run[0] <= other.run[1] and other.run[0] <= place.run[1]


def _in_time(axes: Axes, tables: list[Cells], ranks: Ranks, taken: list[Place]) -> tuple[list[Drift], float]:
    """Runs of windows that have drifted, without those parts that are taken; and how many were looked at."""
    if len(axes.windows) < 2:
        return [], 0.0

    def features(cells: Cells) -> FloatArray:
        rows = np.where(cells.score_bin == MISSING_BIN, 0.0, cells.sums[:, 0])
        middle, below, above = ranks.places(cells)
        # In a bin that holds many ranks, the rank of the mean is farther from the middle than the mean of the ranks.
        width, centre = above - below, (below + above) / 2
        r = centre + (middle - centre) * (1 - WIDE_BIN * width)
        return np.stack([rows, rows * r, rows * (r**2 + width**2 / 12)], axis=1)

    drifts: list[Drift] = []
    places, trials = list(taken), 0.0
    for sign in (1.0, -1.0):
        blocks = [_centred(make_block(table, axes, features)) for table in tables]
        rule = Shifted(sign, _dispersion(blocks[0]), ranks)
        trials += count_trials(blocks, axes, rule)
        found = find_parts(blocks, axes, rule, ALARM_EACH, places)
        places += [each.place for each in found]
        drifts += [_drift(each, axes, ranks) for each in found]
    return drifts, trials


def _centred(block: Block) -> Block:
    """Ranks less what is usual for their cohort value in their version: the mean of its middle window."""
    moments = block.moments
    rows, r = moments[..., :-1, ROWS], moments[..., :-1, R]
    mean = r / np.maximum(rows, 1.0)
    order = np.argsort(np.where(rows > 0, mean, np.inf), axis=2, kind="stable")
    reach = np.cumsum(np.take_along_axis(rows, order, axis=2), axis=2)
    middle = np.argmax(reach >= reach[..., -1:] / 2, axis=2)[..., None]
    usual = np.take_along_axis(np.take_along_axis(mean, order, axis=2), middle, axis=2)
    moments[..., R_SQUARES] += usual * (usual * moments[..., ROWS] - 2 * moments[..., R])
    moments[..., R] -= usual * moments[..., ROWS]
    return block


def _dispersion(whole: Block) -> float:
    """How much farther windows are from the middle one of their version than chance puts them: the median over all.

    Less what that median may be above 1 by chance itself.
    """
    ratios: list[FloatArray] = []
    for moments in whole.moments[:, 0, :-1]:
        filled = moments[moments[:, ROWS] >= LEAST_ROWS]
        if len(filled) < FEWEST_WINDOWS:
            continue
        mean = filled[:, R] / filled[:, ROWS]
        variance = np.maximum(filled[:, R_SQUARES] / filled[:, ROWS] - mean**2, 1e-4) / filled[:, ROWS]
        ratios.append((mean - np.median(mean)) ** 2 / variance)
    if not ratios:
        return 1.0
    every = np.concatenate(ratios)
    # The median of χ² with one degree of freedom is 0.455, and its standard error 1.06/√n.
    return max(1.0, float(np.median(every)) / 0.455 / (1 + 3 * 2.3 / np.sqrt(len(every))))


def _drift(found: Found, axes: Axes, ranks: Ranks) -> Drift:
    place, block = found.place, found.block
    here = block.inside(place)
    there = block.inside(Place(place.version, place.column, place.value)) & ~here
    version = None if place.version is None else axes.versions[place.version]
    where = where_of(place, block, axes, found.extent)
    return Drift(version, where, None, Move.of(block.cells, here, there, ranks), found.p, place, found.gain)


def _between_splits(diagnosis: Diagnosis, ranks: Ranks, taken: list[str]) -> tuple[list[Drift], int]:
    """Splits that score unlike the others of their version, training left out; and how many were compared."""
    cells = diagnosis.cells(VERSION, SPLIT)
    versions, splits = (np.array([str(each) for each in cells.groups[key]]) for key in (VERSION, SPLIT))
    judged = ~np.isin(np.char.lower(splits), TRAIN_SPLITS)
    rows = cells.scored.n.sum(axis=1)
    pairs: list[tuple[str, str]] = []
    for version in dict.fromkeys(versions.tolist()):
        own = np.flatnonzero(judged & (versions == version) & (rows >= LEAST_ROWS))
        if len(own) > 1 and version not in taken:
            # Of two splits one is enough: they are as far from each other.
            pairs += [(version, str(splits[each])) for each in (own[1:] if len(own) == 2 else own)]
    found: list[Drift] = []
    for version, split in pairs:
        here = (versions == version) & (splits == split)
        there = (versions == version) & (splits != split) & judged
        move = Move.of(cells, here, there, ranks)
        n, other = float(rows[here].sum()), float(rows[there].sum())
        p = min(1.0, 2 * float(np.exp(-2 * move.ks**2 * n * other / (n + other))) * len(pairs))
        if p <= ALARM_EACH and move.is_large:
            found.append(Drift(version, Where(), split, move, p, None, move.psi * n))
    return found, len(pairs)
