"""Hypotheses about the values of vectors: norms, cut-off and dead dimensions, few levels, collapse."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.metrics.estimates import BoolArray, FloatArray
from lib.metrics.hypotheses.finding import Finding, Verdict
from lib.metrics.hypotheses.shared import SharedRows
from lib.vectors import Distance, Matrix, Vectors

NORM_SPREAD = 0.05
"""A vector is of another length if the logarithm of its ratio to the baseline's is so far from the median."""
LOST_SHARE = 0.02
"""So large a share of the dimensions has to be lost, and one at least."""
DEAD = 1e-6
"""A dimension holds one value if its spread is below this share of the largest."""
LEVELS, FINER = 256, 8
"""int8 has so many levels; the baseline has to have so many times as many."""
MOST_VALUES = 200_000
COLLAPSED = 0.5
"""The share of effective dimensions that is left at most, compared with the baseline."""
PREFIX = 0.999


@dataclass(frozen=True, eq=False)
class ValueStates:
    """What the values of the candidate are like.

    Attributes:
        dead: shape (d,), which dimensions hold one value that did not before; those that are missing too.
        is_tail: whether the dead ones are all behind the last that lives.
        effective: effective dimensions of baseline and candidate as a share of those that live.
        levels: distinct values of a sample of baseline and candidate.
        spread: root mean square distance of the logarithm of the norm from its median, in baseline and candidate.
        step: the distance between two levels where there are few, relative to the largest value; NaN else.
        rounding: how much the norms of the baseline's vectors would vary if they were rounded to such levels.
    """

    dead: BoolArray
    is_tail: bool
    effective: tuple[float, float]
    levels: tuple[int, int]
    spread: tuple[float, float]
    step: float
    rounding: float

    @property
    def is_quantised(self) -> bool:
        """Whether the candidate has few levels and the baseline had more."""
        return not np.isnan(self.step)


def quantise(vectors: NDArray[np.float32], step: float) -> NDArray[np.float32]:
    """Vectors rounded to multiples of a step, which is relative to the largest of their values."""
    size = step * float(np.abs(vectors).max(initial=0.0))
    return np.rint(vectors / size) * np.float32(size) if size > 0 else vectors


def value_states(rows: SharedRows, before: Vectors, after: Vectors) -> ValueStates:
    """Look at the values of two versions, at the rows that both have, of which there is one at least."""
    gone = [_dead(each, n) for each, n in zip((rows.before, rows.after), rows.dimensions, strict=True)]
    dead = gone[1] & ~gone[0]
    last = np.flatnonzero(~gone[1])
    is_tail = bool(dead.any()) and (len(last) == 0 or bool(np.flatnonzero(dead)[0] > last[-1]))
    shares = [
        _effective(each) / max(1, int((~lost).sum()))
        for each, lost in zip((rows.before, rows.after), gone, strict=True)
    ]
    effective = shares[0], shares[1]
    levels = _levels(before.matrix, rows.first), _levels(after.matrix, rows.second)
    spread = _varies(rows.norm_before), _varies(rows.norm_after)
    few = levels[1] <= LEVELS and levels[0] >= FINER * levels[1]
    step = _step(after.matrix, rows.second) if few else np.nan
    rounding = 0.0
    if few:
        norms = np.linalg.norm(quantise(_sampled(before.matrix, rows.first), step).astype(np.float64), axis=1)
        rounding = _varies(norms[norms > 0])
    return ValueStates(dead, is_tail, effective, levels, spread, step, rounding)


def judge_values(
    rows: SharedRows,
    states: ValueStates | None,
    distance: Distance,
    cohorts: dict[str, NDArray[np.str_]],
    *,
    has_fallen: bool,
) -> list[Finding]:
    """The findings on norms, truncation, few levels, dead dimensions and collapse.

    Args:
        rows: what the versions share.
        states: of these; None if there are none.
        distance: what near means.
        cohorts: by column the value of each shared row, shape (m,).
        has_fallen: whether recall is lower beyond chance: without, a spectrum that is steeper is no collapse.
    """
    if states is None:
        names = ("not-normalised", "truncated", "quantised", "dead-dimensions", "collapse")
        return [
            Finding(name, Verdict.UNDECIDED, "It cannot be told: the versions share no rows.", {}) for name in names
        ]
    return [
        _norms(rows, states, distance, cohorts),
        *_dimensions(rows, states),
        _quantised(states),
        _collapse(states, has_fallen=has_fallen),
    ]


def _norms(rows: SharedRows, states: ValueStates, distance: Distance, cohorts: dict[str, NDArray[np.str_]]) -> Finding:
    name = "not-normalised"
    old, new = states.spread
    evidence: dict[str, float] = {"norm_spread_before": old, "norm_spread_after": new}
    if distance is Distance.COSINE:
        return Finding(name, Verdict.RULED_OUT, "The cosine distance does not look at norms.", evidence)
    off = is_off(rows)
    evidence |= {"n_off": float(off.sum()), "share": float(off.mean())}
    if not (off.mean() >= 0.02 and off.sum() >= 20 and new > 2 * max(old, states.rounding) + 0.01):
        return Finding(name, Verdict.RULED_OUT, "Norms vary as they did in the baseline.", evidence)
    place = cohort_of(off, cohorts)
    ratio = rows.log_ratio - np.median(rows.log_ratio)
    where = f" of {place[0]} = {place[1]}" if place else ""
    low, high = np.exp(np.quantile(ratio[off], [0.05, 0.95]))
    sentence = (
        f"{int(off.sum()):,} of {rows.n:,} vectors{where} are not of the length of the others ({low:.2g} to {high:.2g} "
        "times), which the Euclidean distance takes for distance."
    )
    return Finding(name, Verdict.CONFIRMED, sentence, evidence)


def _varies(norms: FloatArray) -> float:
    logs = np.log(norms)
    return float(np.sqrt(np.mean((logs - np.median(logs)) ** 2)))


def is_off(rows: SharedRows) -> BoolArray:
    """Shape (m,): the rows that are not of the length that the others are, relative to the baseline."""
    return np.abs(rows.log_ratio - (np.median(rows.log_ratio) if rows.n else 0.0)) > NORM_SPREAD


def cohort_of(off: BoolArray, cohorts: dict[str, NDArray[np.str_]]) -> tuple[str, str] | None:
    """The one value of a column that holds nearly all of some rows; None if there is none."""
    for column, values in cohorts.items() if off.any() else ():
        found, counts = np.unique(values[off], return_counts=True)
        value = found[counts.argmax()]
        if counts.max() >= 0.95 * off.sum() and (values == value).mean() <= 0.8:
            return column, str(value)
    return None


def _dimensions(rows: SharedRows, states: ValueStates) -> list[Finding]:
    n, d = int(states.dead.sum()), rows.dimensions[0]
    lost = n >= 1 and n >= LOST_SHARE * d
    found: list[Finding] = []
    is_shorter = rows.dimensions[1] < rows.dimensions[0]
    for name, at_tail in (("truncated", True), ("dead-dimensions", False)):
        evidence = {"n_lost": float(n if states.is_tail == at_tail else 0), "dimension": float(d)}
        if not lost or states.is_tail != at_tail:
            text = "No dimension behind the last was cut off." if at_tail else "Every dimension that varied still does."
            found.append(Finding(name, Verdict.RULED_OUT, text, evidence))
        elif not at_tail:
            text = f"{n} of {d} dimensions hold one value in all vectors, and varied before."
            found.append(Finding(name, Verdict.CONFIRMED, text, evidence))
        elif is_shorter and not _is_prefix(rows):
            text = (
                f"The candidate's vectors have {rows.dimensions[1]} values instead of {d}, and they are not the "
                "first of the baseline's: a smaller model, or a cut-off one in other coordinates."
            )
            found.append(Finding(name, Verdict.UNDECIDED, text, evidence))
        else:
            text = f"The last {n} of {d} dimensions are cut off."
            found.append(Finding(name, Verdict.CONFIRMED, text, evidence))
    return found


def _is_prefix(rows: SharedRows) -> bool:
    """Whether the candidate's shorter vectors are the first values of the baseline's."""
    head = rows.before[:, : rows.dimensions[1]]
    norm = np.linalg.norm(head, axis=1)
    cosine = np.einsum("md,md->m", head, rows.after[:, : rows.dimensions[1]])
    return bool(np.median(np.divide(cosine, norm, out=np.zeros_like(norm), where=norm > 0)) > PREFIX)


def _quantised(states: ValueStates) -> Finding:
    evidence = {"levels_before": float(states.levels[0]), "levels_after": float(states.levels[1])}
    if not states.is_quantised:
        return Finding("quantised", Verdict.RULED_OUT, "Values are as fine as they were.", evidence)
    few, many = states.levels[1], states.levels[0]
    text = f"All values of the candidate are among {few} levels; the baseline has {many:,} or more."
    return Finding("quantised", Verdict.CONFIRMED, text, evidence)


def _collapse(states: ValueStates, *, has_fallen: bool) -> Finding:
    old, new = states.effective
    evidence = {"effective_share_before": old, "effective_share_after": new}
    if new >= COLLAPSED * old:
        text = "The variance is spread over as many dimensions as before."
        return Finding("collapse", Verdict.RULED_OUT, text, evidence)
    share = f"{100 * new / old:.0f} %"
    text = f"The effective dimensions fell to {share} of what they were: vectors point into few directions."
    verdict = Verdict.CONFIRMED if has_fallen else Verdict.UNDECIDED
    return Finding("collapse", verdict, text if has_fallen else f"{text} Recall did not fall with it.", evidence)


def _dead(directions: Matrix, dimension: int) -> BoolArray:
    spread = directions.std(axis=0)
    dead = spread <= DEAD * max(float(spread.max(initial=0.0)), 1e-30)
    dead[dimension:] = True
    return dead


def _effective(directions: Matrix) -> float:
    """(Σλ)²/Σλ² of the second moments: how many dimensions hold the vectors, 1 to d."""
    values = np.linalg.eigvalsh((directions.T @ directions).astype(np.float64))
    return float(values.sum() ** 2 / (values**2).sum())


def _sampled(matrix: Matrix, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    step = max(1, len(rows) * matrix.shape[1] // MOST_VALUES)
    return np.asarray(matrix[rows[::step]], np.float32)


def _levels(matrix: Matrix, rows: NDArray[np.int64]) -> int:
    """Distinct values, or distinct multiples of the largest value of a row, whichever are fewer."""
    values = _sampled(matrix, rows)
    plain = len(np.unique(values))
    largest = np.abs(values).max(axis=1, keepdims=True, initial=0.0)
    scaled = np.divide(values, largest, out=np.zeros_like(values), where=largest > 0)
    return min(plain, len(np.unique(np.rint(scaled * 2**18))))


def _step(matrix: Matrix, rows: NDArray[np.int64]) -> float:
    values = _sampled(matrix, rows)
    largest = float(np.abs(values).max(initial=0.0))
    levels = np.unique(np.rint(values / largest * 2**18)) / 2**18
    gaps = np.diff(levels)
    return float(np.median(gaps)) if len(gaps) else np.nan
