"""H-F14: within a version, the distribution of its scores moves for a time, or differs between splits.

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

from lib.cells import POSITIVE, UNLABELLED, Cells
from lib.checks import words
from lib.checks.blocks import Axes, Block, FloatArray, Place, make_block, read_tables, where_of
from lib.checks.causes import cause_places
from lib.checks.memory import once_for_every_margin_target
from lib.checks.moves import LEAST_ROWS, Move
from lib.checks.result import ALARM_RATE, Answer, Check, Finding, NotApplicable, Passed, Severity, Status, Where
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


def check_score_drift(diagnosis: Diagnosis) -> Answer:
    """Warn of each part whose scores have moved; where only the mix of the classes has, it is information."""
    if diagnosis.cells(VERSION).scored.n.sum() < 2 * LEAST_ROWS:
        return NotApplicable("There are too few rows with a score.")
    by_label = diagnosis.cells(VERSION).scored.n.sum(axis=0)
    if diagnosis.facts.mapping.is_multiclass and by_label[UNLABELLED] and by_label[POSITIVE]:
        return NotApplicable(
            "Of several classes the score of a labelled row is its margin, of the others the lead of the first answer, "
            "and there are rows of both kinds: a drift could be one of labels."
        )
    judged = {str(each).lower() for each in diagnosis.cells(VERSION, SPLIT).groups[SPLIT]} - {*TRAIN_SPLITS}
    if diagnosis.facts.windows is None and len(judged) < 2:
        return NotApplicable("There are neither times nor two splits, training apart, to compare.")
    drifts = find_drifts(diagnosis)
    if not drifts.trials and not drifts.explained:
        return NotApplicable(
            f"There are neither two windows nor, training apart, two splits of {LEAST_ROWS:,} rows to compare."
        )
    if not drifts.found:
        beyond = ", beyond what other findings explain" if drifts.explained else ""
        return Passed(
            f"Within each version scores stay where they are{beyond} ({words.plural(drifts.trials, 'part')} looked at, "
            f"n = {words.count(drifts.n)}).",
            {"n": drifts.n, "n_parts": int(drifts.trials)},
        )
    return [_finding(diagnosis, each) for each in drifts.found]


def _finding(diagnosis: Diagnosis, drift: Drift) -> Finding:
    move = drift.move
    return Finding(
        Status.WARN,
        drift.version,
        drift.where,
        f"{_sentence(diagnosis, drift)}{'' if diagnosis.facts.mapping.is_multiclass else _why(move)}",
        {
            "n": int(move.n),
            "split": drift.split,
            "stability_index": move.psi,
            "ks": move.ks,
            "wasserstein": move.wasserstein,
            "positive_share": move.positive_share[0],
            "positive_share_reference": move.positive_share[1],
            "share_from_class_mix": move.mix,
            "p_adjusted": drift.p,
            "consequences": [],
        },
        drift.gain,
        Severity.INFO if move.is_mix else None,
    )


def _sentence(diagnosis: Diagnosis, drift: Drift) -> str:
    """What has moved where, by how much."""
    move = drift.move
    split = "" if drift.split is None else f" in split {drift.split or '(none)'}"
    scores = "Margins" if diagnosis.facts.mapping.is_multiclass else "Scores"
    what = f"{scores} have moved" if drift.split is None else f"{scores} are different"
    place = f"{split}{words.place(drift.version, drift.where, diagnosis.facts)}"
    return (
        f"{what} {'up' if move.shift > 0 else 'down'}{place}: PSI {move.psi:.2f}, by {move.wasserstein:.2f} standard "
        f"deviations (KS {move.ks:.2f}, n = {words.count(move.n)})"
    )


def _why(move: Move) -> str:
    if np.isnan(move.mix):
        return "; there are too few labels to tell why"
    shares = (
        f"{words.percent(move.positive_share[0])} of rows are positive against {words.percent(move.positive_share[1])}"
    )
    if move.is_mix:
        return f", because the classes have another mix: {shares}"
    return f", within the classes: {shares}"


def explained_drifts(diagnosis: Diagnosis) -> list[tuple[str | None, str]]:
    """(version, sentence) for each drift that the rows of another finding account for."""
    return [(each.version, _sentence(diagnosis, each)) for each in find_drifts(diagnosis).explained]


SCORE_DRIFT = Check(
    code="H-F14",
    name="score-drift",
    reference="H-F14. Mean rank of the scores of every run of windows, of all rows and of each cohort value, "
    "against the other windows of the same version (scan statistic, Kulldorff 1997), with the variance between "
    "windows where that is more than chance; splits of a version, training apart, by Kolmogorov–Smirnov; "
    "Bonferroni. Parts that other checks name are left out, versions are not compared with each other",
    minimum_effect="a population stability index of at least 0.2 over ten bins of equal rank, beyond what so few "
    "rows give by chance; in time also a row that scores above the others with at least 60 % (or at most 40 %)",
    alarm_rate=ALARM_RATE,
    severity=Severity.WARNING,
    cause="The model meets with other inputs than before: the world has changed, traffic comes from elsewhere, or "
    "a feature is computed otherwise. Where only the classes have another mix, the model itself may be as good as "
    "it was, but its threshold and its calibration are of the old mix.",
    remedy="Look at the features of this time or split for the one that has moved. Within the classes: restore "
    "the feature, or retrain on recent data. Another mix: choose the threshold and calibrate anew.",
    topic="margins",
    function=check_score_drift,
)
