"""H-F20: rows on which the model is sure and wrong, gathered in a part, in a way that wrong labels explain best.

A weaker model errs too, but least where it is most sure. Labels that are wrong at random contradict the surest answers
as often as any. So a part in which more of the sure rows are wrong is told here only if a share ρ of wrong labels, with
the model as good as elsewhere (P = ρ + (1 − 2ρ)q), fits its rows better than a model that is less able there
(logit P = α + β·logit q, Akaike's criterion), q being the share of positives at that score in the rest; and better than
scores that have all moved by as much (P(s) = q(s + δ)), as a feature that is read otherwise moves them.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from lib.cells import Cells, merge
from lib.checks.blocks import Axes, Block, BoolArray, Features, FloatArray, Place, make_block, read_tables
from lib.checks.causes import cause_places
from lib.checks.crossing import find_crossing, part_found
from lib.checks.magnitudes import Magnitudes
from lib.checks.memory import once_for_every_margin_target
from lib.checks.result import ALARM_RATE
from lib.checks.reversal import find_reversals
from lib.checks.search import SPILT, Found, count_trials, find_parts, widened
from lib.checks.separation import Part, cells_of
from lib.checks.shares import HITS, ROWS, HigherShare, usual_share
from lib.grid import MISSING_BIN
from lib.metrics.confidence import sure_scores
from lib.schema import VERSION

if TYPE_CHECKING:
    from lib.diagnose import Diagnosis

LEAST_EXCESS, LEAST_SHARE = 0.05, 0.02
"""Of the sure rows so many more are wrong; and so many labels turned round explain it."""
BINS = 6
LEAST_REST = 0.1
"""So many rows, as a share of the part's, have to be left to say how often rows of a score are positive."""
PARAMETER = 1.0
"""What a parameter more is worth in log likelihood (Akaike): a weaker model has two, a share of wrong labels one.

For a time a weaker model is the likelier of the two, so there wrong labels have to be the better explanation by as much
without it."""
SHARES = np.linspace(0.0, 0.49, 50)
NO_ORDER = 0.4
"""So many labels turned round leave next to no order: the scores may as well be those of other rows."""
LEAST_SURE = 20
SHIFTS = 61
"""So many shifts of the scores are tried, up to the spread of the others."""


@dataclass(frozen=True)
class MoreWrong(HigherShare):
    """The rule: of the sure rows more are wrong, and wrong labels explain it better than a weaker model does.

    With `together`, where scores have a unit, a cohort over all time is judged by its rows of all versions: who labels
    is no matter of the version, and a part of the rows would only be one more chance to be taken for noise. A cohort
    for a time has to be unlike the other cohorts of that time: else it is the time, and not who labels there.
    """

    together: bool = True

    def confirm(self, block: Block, place: Place) -> bool:
        """A proper part of its version in which a share of wrong labels fits best."""
        if place.column is None and place.run is None:
            return False
        if place.column is not None and place.run is not None and not self._is_unlike_others(block, place):
            return False
        is_together = self.together and place.run is None
        # The version by itself too: in all rows together, wrong scores of one version look like wrong labels.
        judged = {None, place.version} if is_together else {self._version(block, place)}
        return all(self._is_noise(block, place, version) for version in judged)

    def _is_noise(self, block: Block, place: Place, version: int | None) -> bool:
        """Whether wrong labels explain the rows that a place has in a version, or in all."""
        here = block.inside(Place(version, place.column, place.value, place.run)) & block.is_left()
        there = block.inside(Place(version)) & block.is_left() & ~here
        sure, others = (block.moments[tuple(block.group[each].T)][:, ROWS].sum() for each in (here, there))
        if others < max(self.least_rows, LEAST_REST * sure):
            return False
        share, lead = noise_of(block.cells, here, there)
        return share >= LEAST_SHARE and lead >= _least_lead(place)

    def _version(self, block: Block, place: Place) -> int | None:
        """The version of a part; of a run in all versions the only one that has rows in it, if there is one."""
        rows = block.moments[block.slices(place)][..., ROWS].sum(axis=(1, 2))
        filled = np.flatnonzero(rows > SPILT * rows.sum())
        return int(filled[0]) if place.version is None and len(filled) == 1 else place.version

    def _is_unlike_others(self, block: Block, place: Place) -> bool:
        """Whether other values at the same time have fewer sure and wrong rows, by what matters."""
        own = block.moments[block.slices(place)].sum(axis=(0, 1, 2))
        others = block.moments[block.slices(Place(place.version, run=place.run))].sum(axis=(0, 1, 2)) - own
        if others[ROWS] < self.least_rows:
            return True
        return bool(own[HITS] / own[ROWS] - others[HITS] / others[ROWS] >= self.effect)


def noise_of(cells: Cells, here: BoolArray, there: BoolArray) -> tuple[float, float]:
    """The share of wrong labels that fits some groups of a table best, and how much better than wrong scores do.

    Args:
        cells: the table.
        here: shape (G,), the groups.
        there: shape (G,), those that tell how often rows of a score are positive.
    """
    label, group = cells.block % 3 - 1, cells.block // 3
    usable = (label != 0) & (cells.score_bin != MISSING_BIN) & (here | there)[group]
    score, positive, rows = cells.score[usable], label[usable] > 0, cells.sums[usable, 0]
    own = here[group[usable]]
    order = np.argsort(score, kind="stable")
    reach = np.cumsum(np.where(own, rows, 0.0)[order])
    place = np.empty(len(order), np.int64)
    # Bins hold as many rows of the part; rows of one score stay together.
    ends = np.searchsorted(score[order], score[order], side="right") - 1
    place[order] = (
        np.minimum((reach[ends] / max(reach[-1], 1.0) * BINS).astype(np.int64), BINS - 1) if len(order) else 0
    )

    def count(of: BoolArray) -> FloatArray:
        return np.bincount(place[of], rows[of], BINS).astype(np.float64)

    n, k = count(own), count(own & positive)
    q = (count(~own & positive) + 0.5) / (count(~own) + 1.0)

    def likelihood(p: FloatArray) -> FloatArray:
        return (special.xlogy(k, p) + special.xlogy(n - k, 1 - p)).sum(axis=-1)

    by_share = likelihood(SHARES[:, None] + (1 - 2 * SHARES[:, None]) * q)
    best = int(np.argmax(by_share))
    weaker = float(likelihood(_weaker(n, k, special.logit(q))))
    starts = np.array([score[place >= number].min(initial=np.inf) for number in range(1, BINS)])
    moved = float(likelihood(_moved(starts, score[~own], positive[~own], rows[~own])).max())
    return float(SHARES[best]), float(by_share[best]) - max(weaker, moved + PARAMETER)


def _moved(starts: FloatArray, score: FloatArray, positive: BoolArray, rows: FloatArray) -> FloatArray:
    """How often rows of the bins are positive if their scores have moved, shape (shifts, bins).

    Args:
        starts: shape (bins − 1,), where each bin but the first begins.
        score: shape (N,), scores of the rest.
        positive: whether these are positive.
        rows: how many rows each stands for.
    """
    order = np.argsort(score, kind="stable")
    score = score[order]
    n, k = (np.concatenate(([0.0], np.cumsum(each[order]))) for each in (rows, rows * positive))
    if not n[-1]:
        return np.full((1, len(starts) + 1), 0.5)
    low, high = score[np.searchsorted(n[1:], np.array([0.05, 0.95]) * n[-1])]
    ends = np.searchsorted(score, starts + np.linspace(low - high, high - low, SHIFTS)[:, None])
    ends = np.concatenate((np.zeros((SHIFTS, 1), np.int64), ends, np.full((SHIFTS, 1), len(score))), axis=1)
    return (np.diff(k[ends], axis=1) + 0.5) / (np.diff(n[ends], axis=1) + 1.0)


def _weaker(n: FloatArray, k: FloatArray, x: FloatArray) -> FloatArray:
    """The logistic fit α + βx of k among n, by Newton's method, held in place by a trace of a prior."""
    design = np.stack([np.ones_like(x), x], axis=1)
    beta = np.array([0.0, 0.5])
    for _ in range(25):
        p = special.expit(np.clip(design @ beta, -30, 30))
        gradient = design.T @ (k - n * p) - 1e-6 * beta
        curvature = (design * (n * p * (1 - p))[:, None]).T @ design + 1e-6 * np.eye(2)
        beta = beta + np.clip(np.linalg.solve(curvature, gradient), -2.0, 2.0)
    return special.expit(np.clip(design @ beta, -30, 30))


@dataclass(frozen=True, eq=False)
class Noise:
    """Parts with wrong labels, the share of wrong labels in each, how many parts were looked at, and the sure rows."""

    axes: Axes
    found: list[tuple[Found, float]]
    trials: float
    n: int


@once_for_every_margin_target
def find_noise(diagnosis: Diagnosis) -> Noise:
    """Search versions, cohorts and windows for sure and wrong rows."""
    axes, tables = read_tables(diagnosis)
    features = sure_features(diagnosis)
    blocks = [make_block(table, axes, features) for table in tables]
    is_in_units = diagnosis.facts.mapping.score_kind.is_probabilistic
    rule = MoreWrong(usual_share(blocks[0]), LEAST_EXCESS, LEAST_EXCESS, together=is_in_units)
    n, trials = int(blocks[0].moments[..., ROWS].sum()), count_trials(blocks, axes, rule)
    taken = [widened(place, len(axes.windows)) for place in cause_places(diagnosis)]
    found: list[tuple[Found, float]] = []
    for each in find_parts(blocks, axes, rule, ALARM_RATE, taken):
        if not _holds_where_it_lies(diagnosis, axes, each):
            continue
        here = each.block.inside(each.place)
        there = each.block.inside(Place(each.place.version)) & ~here
        found.append((each, noise_of(each.block.cells, here, there)[0]))
    return Noise(axes, found, trials, n)


def _holds_where_it_lies(diagnosis: Diagnosis, axes: Axes, found: Found) -> bool:
    """Whether wrong labels explain those rows too in which the fault lies: of one version, or of a crossing.

    In a cohort of which some rows have wrong scores and most have right ones, these look like wrong labels.
    """
    part = part_found(found, axes)
    if found.place.column is None:
        return True
    sure = _sure_by_version(diagnosis, part)
    excess = {version: hits / rows - found.rest[HITS] / found.rest[ROWS] for version, (hits, rows) in sure.items()}
    is_everywhere = len(sure) == len(axes.versions) and min(excess.values()) >= LEAST_EXCESS
    if excess and not is_everywhere:
        part = dataclasses.replace(part, versions=(max(excess, key=lambda each: excess[each]),))
    crossing = find_crossing(diagnosis, part)
    if (crossing is None and part.versions == part_found(found, axes).versions) or (crossing and crossing.is_reversed):
        return True
    here = cells_of(diagnosis, part) if crossing is None else crossing.cells.rollup([])
    there = cells_of(diagnosis, Part(part.versions, (), part.window)).without(here)
    table = merge([here.keyed("part", "here"), there.keyed("part", "there")])
    own = table.groups["part"] == "here"
    share, lead = noise_of(table, own, ~own)
    # Scores that know nothing of these rows, in every version, are told with labels: which of the two nobody can tell.
    return (is_everywhere and share >= NO_ORDER) or (share >= LEAST_SHARE and lead >= _least_lead(found.place))


def _sure_by_version(diagnosis: Diagnosis, part: Part) -> dict[str, FloatArray]:
    """Of a part the wrong and all of the sure rows of each version, of those versions with rows enough."""
    cells = cells_of(diagnosis, part, VERSION)
    summed = np.zeros((cells.n_groups, 2))
    np.add.at(summed, cells.block // 3, sure_features(diagnosis)(cells))
    named = zip(cells.groups[VERSION].astype(str), summed, strict=True)
    return {version: each for version, each in named if each[ROWS] >= LEAST_SURE}


def _least_lead(place: Place) -> float:
    """By how much wrong labels must be the better explanation."""
    return -PARAMETER if place.run is None else PARAMETER


def sure_features(diagnosis: Diagnosis) -> Features:
    """Of cells by version and perhaps more: the rows that are sure and wrong, and those that are sure."""
    sure = _sure_scores(diagnosis)

    def features(cells: Cells) -> FloatArray:
        magnitudes = Magnitudes.of(cells, labelled=True)
        by_group = np.array([sure[str(version)] for version in cells.groups[VERSION]])
        rows = magnitudes.n - magnitudes.below(np.nextafter(by_group, np.inf)[cells.block // 3])
        wrong = magnitudes.classes * cells.score < 0
        return np.stack([np.where(wrong, rows, 0.0), rows], axis=1)

    return features


def _sure_scores(diagnosis: Diagnosis) -> dict[str, float]:
    """By version, the size of score above which an answer is sure."""
    cells = diagnosis.cells(VERSION)
    sure = np.nan_to_num(sure_scores(cells, diagnosis.facts.mapping.score_kind))
    return dict(zip(map(str, cells.groups[VERSION]), sure.tolist(), strict=True))


def noisy_places(diagnosis: Diagnosis) -> list[Place]:
    """The parts that this check names; none where nothing can be said of labels."""
    if diagnosis.facts.mapping.is_multiclass or find_reversals(diagnosis).reason:
        return []
    return [found.place for found, _share in find_noise(diagnosis).found]
