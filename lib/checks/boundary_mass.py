"""H-F8: far more rows lie exactly at one score than a smooth distribution or rounding puts there.

A score is compared with its neighbours: with the mean number of rows at the distinct scores just below and just above.
Rounded scores are ties too, but so are their neighbours. At the ends of a rounded scale everything beyond gathers, so
these are not compared. Where neighbours have nothing in common the model answers in steps (trees), and none is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from lib.cells import Cells
from lib.checks import words
from lib.checks.blocks import FloatArray
from lib.checks.certain_errors import CERTAIN, find_certain_errors, findings_of_certain_errors
from lib.checks.constant_score import Constants, find_constants
from lib.checks.memory import once_for_every_margin_target
from lib.checks.result import ALARM_RATE, Answer, Check, Finding, NotApplicable, Passed, Severity, Status, Where
from lib.checks.separation import Part, cells_of, part_of
from lib.checks.shares import HITS
from lib.grid import MISSING_BIN
from lib.metrics.intervals import wilson
from lib.schema import VERSION, Mapping, ScoreKind

if TYPE_CHECKING:
    from lib.diagnose import Diagnosis

LEAST_ROWS, LEAST_DISTINCT = 200, 20
LEAST_SHARE, LEAST_SHARE_AT_END = 0.05, 0.2
"""Sure rows are clipped for safety before a logarithm; that is told only where it ties a fifth of all rows."""
RATIO = 5.0
NEIGHBOURS = 5
FILLED, FEWEST_STEPS, ROUGH = 30, 10, 0.3
"""Where ten scores or more that hold so many rows differ from the mean of the two beside them by so much (in the middle
one of them, as a logarithm), the model answers in steps. By chance alone it would be half of that."""
ROUNDED = 2.0
"""Rows per distinct score, around the one in question, from which on scores are taken as rounded there."""


@dataclass(frozen=True)
class Mass:
    """One score of a version that holds too many rows: its rows, those to be expected, the version's, adjusted p."""

    version: str
    score: float
    n_at: float
    expected: float
    n: float
    p: float

    @property
    def share(self) -> float:
        """Of the version's rows."""
        return self.n_at / self.n


def expected_rows(n: FloatArray) -> FloatArray:
    """Shape (K,): the mean rows of the neighbours below or above, whichever is more; `n` is by score, ascending."""
    cumulative = np.concatenate(([0.0], np.cumsum(n)))
    place = np.arange(len(n))
    low, high = np.maximum(place - NEIGHBOURS, 0), np.minimum(place + 1 + NEIGHBOURS, len(n))
    below = (cumulative[place] - cumulative[low]) / np.maximum(place - low, 1)
    above = (cumulative[high] - cumulative[place + 1]) / np.maximum(high - place - 1, 1)
    return np.maximum(np.maximum(below, above), 1.0)


def p_of_excess(n: FloatArray, expected: FloatArray) -> FloatArray:
    """Shape (K,): p that rows come from at most `RATIO` times what is expected, over all K."""
    return np.minimum(special.gammainc(np.maximum(n, 1.0), RATIO * expected) * len(n), 1.0)


def answers_in_steps(n: FloatArray) -> bool:
    """Whether well filled scores, ascending, hold numbers of rows that have nothing to do with each other."""
    own, beside = n[1:-1], (n[:-2] + n[2:]) / 2
    filled = own >= FILLED
    return bool(filled.sum() >= FEWEST_STEPS and np.median(np.abs(np.log(own[filled] / beside[filled]))) > ROUGH)


def _distinct(cells: Cells, group: int) -> tuple[FloatArray, FloatArray]:
    """Scores of a group in ascending order with their rows; off exact resolution those of bins."""
    here = (cells.block // 3 == group) & (cells.score_bin != MISSING_BIN)
    by = cells.score[here] if cells.resolution.is_exact else cells.score_bin[here]
    _, place = np.unique(by, return_inverse=True)
    n, s = (np.bincount(place, weights=cells.sums[here, column]).astype(np.float64) for column in (0, 1))
    return s / n, n


def _is_at_end(place: int, n: FloatArray) -> bool:
    """Whether nearly all rows lie on one side."""
    return min(n[:place].sum(), n[place + 1 :].sum()) <= 0.01 * n.sum()


def _is_last_step(p: FloatArray, place: int) -> bool:
    """Whether a probability is the last one before 0 or 1 on the scale that it and its neighbours are rounded to."""
    step = float(np.diff(p[max(place - 1, 0) : place + 2]).min())
    return min(p[place], 1 - p[place]) <= 1.5 * step


@once_for_every_margin_target
def find_masses(diagnosis: Diagnosis) -> list[Mass]:
    """Scores of each version at which far too many rows lie, even without those that constant-score names."""
    cells = diagnosis.cells(VERSION)
    constants = find_constants(diagnosis)
    is_probability = diagnosis.facts.mapping.score_kind is ScoreKind.PROBABILITY
    found: list[Mass] = []
    for group, version in enumerate(str(each) for each in cells.groups[VERSION]):
        score, n = _distinct(cells, group)
        total = float(n.sum())
        if total < LEAST_ROWS or len(score) < LEAST_DISTINCT:
            continue
        expected = expected_rows(n)
        p = p_of_excess(n, expected)
        if answers_in_steps(n):
            continue
        for place in np.flatnonzero(p <= ALARM_RATE):
            is_end = _is_at_end(int(place), n)
            is_rounded = cells.resolution.is_exact and expected[place] >= ROUNDED
            if is_probability:
                is_rounded &= _is_last_step(special.expit(score), int(place))
            if is_end and is_rounded:
                continue
            named = sum(
                float(each.unit[HITS])
                for each, constant in constants.found
                if each.place.version in (None, constants.axes.versions.index(version))
                and _is_near(score[place], constant)
            ) + _answered_alike(diagnosis, constants, version, float(score[place]))
            if n[place] - named < (LEAST_SHARE_AT_END if is_end else LEAST_SHARE) * total:
                continue
            p_adjusted = min(1.0, float(p[place]) * len(cells.groups[VERSION]))
            if p_adjusted <= ALARM_RATE:
                mass = Mass(version, float(score[place]), float(n[place]), float(expected[place]), total, p_adjusted)
                found.append(mass)
    return found


def _is_near(score: float, other: float) -> bool:
    return abs(score - other) <= 1e-6 * max(1.0, abs(other))


def _answered_alike(diagnosis: Diagnosis, constants: Constants, version: str, score: float) -> float:
    """Rows of a version with a margin that lie in parts with one answer, where each class has few margins."""
    rows = 0.0
    for found, _name in constants.answers:
        part = part_of(found.place, found.block, constants.axes).intersect(Part((version,)))
        if part is not None:
            cells = cells_of(diagnosis, part)
            near = (cells.score_bin != MISSING_BIN) & (np.abs(cells.score - score) <= 1e-6 * max(1.0, abs(score)))
            rows += float(cells.sums[near, 0].sum())
    return rows


def check_boundary_mass(diagnosis: Diagnosis) -> Answer:
    """Warn of each score that holds far more rows of a version than the scores around it, and of certain errors."""
    cells = diagnosis.cells(VERSION)
    n = int(cells.scored.n.sum())
    if n < LEAST_ROWS:
        return NotApplicable("There are too few rows with a score.")
    certain = find_certain_errors(diagnosis)
    told = {each.version for each in certain}
    # Where certain rows are wrong that is the finding, not that there are so many.
    found = [each for each in find_masses(diagnosis) if abs(each.score) < CERTAIN or each.version not in told]
    if not found and not certain:
        return Passed(
            f"No score holds more rows than those around it let expect, rounding apart, and rows with p exactly 0 or "
            f"1 do not make the log loss (n = {words.count(n)}).",
            {"n": n},
        )
    alike: dict[float, list[Mass]] = {}
    for each in found:
        near = next((score for score in alike if abs(score - each.score) <= 1e-6 * max(1.0, abs(score))), each.score)
        alike.setdefault(near, []).append(each)
    return [*findings_of_certain_errors(diagnosis), *(_finding(diagnosis, each) for each in alike.values())]


def _finding(diagnosis: Diagnosis, alike: list[Mass]) -> Finding:
    """One score, in one version or in several; told of that in which its share is largest."""
    mass = max(alike, key=lambda each: each.share)
    facts = diagnosis.facts
    version = mass.version if len(alike) == 1 and len(facts.versions) > 1 else None
    low, high = wilson(mass.share, mass.n)
    exactly = "exactly" if diagnosis.cells(VERSION).resolution.is_exact else "almost exactly"
    also = f", the most in version {mass.version or '(none)'}" if len(alike) > 1 else ""
    return Finding(
        Status.WARN,
        version,
        Where(),
        f"{words.percent(mass.share)} of rows lie {exactly} at {_said(mass.score, facts.mapping)}"
        f"{words.place(version, Where(), facts)} (n = {words.count(mass.n)}), {words.count(mass.n_at)} rows where the "
        f"scores around it hold about {words.count(mass.expected)} each{also}",
        {
            "n": int(mass.n),
            "score": mass.score,
            "share": mass.share,
            "share_ci": [float(low), float(high)],
            "n_at": int(mass.n_at),
            "n_expected": mass.expected,
            "p_adjusted": mass.p,
            "versions": [{"version": each.version, "share": each.share} for each in alike],
            "consequences": [],
        },
        mass.share,
    )


def _said(score: float, mapping: Mapping) -> str:
    """A score in the unit of the file; a probability that was clipped before its logit as 0 or 1."""
    if mapping.is_multiclass:
        return f"a margin of {score:.4g}"
    if mapping.score_kind is not ScoreKind.PROBABILITY:
        return f"a score of {words.score(score, mapping)}"
    return words.score(score, mapping)


BOUNDARY_MASS = Check(
    code="H-F8",
    name="boundary-mass",
    reference="H-F8. Rows at each distinct score of a version against five times the mean of the five scores "
    "on either side, Poisson's tail, Bonferroni over all scores and versions. Where neighbours have nothing in "
    "common the model answers in steps, and none is told; the ends of a rounded scale are not compared. Rows with "
    "p exactly 0 or 1 that are wrong, in each version, against what writing p in steps allows (binomial tail, "
    "Bonferroni over versions)",
    minimum_effect="at least 5 % of a version's rows at one score, 20 % at an end of the scale, and five times "
    "what the scores around it hold; or at least five wrong rows with p exactly 0 or 1 that carry at least 20 % of "
    "a version's log loss (clipped at 2·10⁻¹⁶)",
    alarm_rate=ALARM_RATE,
    severity=Severity.WARNING,
    cause="A default or a fallback answers in place of the model (p = 0.5, a score of 0), scores are clipped at a "
    "limit, or training rows rest on the margin at ±1: the classes overlap more than the model can part them. "
    "A p of exactly 0 or 1 is no answer of a model that answers in between: decisions or fallbacks are logged for "
    "some rows, p was rounded, or a tree's leaf holds one class only; each wrong one costs what clipping allows.",
    remedy="Look at some of these rows. A default: mend what the model was not given, or log that it did not "
    "answer. A limit: log scores before they are clipped. The margin: add features, or a more able kernel. Certain "
    "errors: log p with all its digits, leave decisions out, or smooth the leaves and calibrate.",
    topic="margins",
    function=check_boundary_mass,
)
