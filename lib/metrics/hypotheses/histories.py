"""Hypotheses about what became of rows: ids, stale rows, several models, rotation, queries and gallery apart."""

from __future__ import annotations

import numpy as np

from lib.metrics.alignment import LEAST_GAP, MOVED, lies_elsewhere
from lib.metrics.hypotheses.finding import Finding, Verdict
from lib.metrics.hypotheses.rows import SPECTRUM, Kind, RowStates, enough
from lib.metrics.hypotheses.shared import SharedRows

ROTATED = 0.05
"""A map is the whole difference if at most this is left of vectors of length 1: float16 and int8 round to less."""
WHOLE = 0.95
BLURRED = "The versions agree so little that rows with another history would not stand out."


def judge_histories(rows: SharedRows, states: RowStates) -> list[Finding]:
    """The findings on misaligned ids, stale rows, mixed models, rotation, and queries and gallery of two versions."""
    return [
        _misaligned(rows, states),
        _stale(rows, states),
        _mixed(rows, states),
        _rotation(rows, states),
        _mismatch(states),
    ]


def _misaligned(rows: SharedRows, states: RowStates) -> Finding:
    name = "misaligned-ids"
    n, m = int(states.of(Kind.MISPLACED).sum()), rows.n
    evidence = {"n_misplaced": float(n), "share": n / max(m, 1), "spectrum_difference": states.spectrum}
    if enough(n, m):
        sentence = f"{_of(n, m)} have the vector of another id: it is found at another row and not at their own."
        return Finding(name, Verdict.CONFIRMED, sentence, evidence)
    if states.reason:
        return Finding(name, Verdict.UNDECIDED, _why(states.reason), evidence)
    if states.of(Kind.UNEXPLAINED).any() and not states.fitted >= 0 and states.chance > 0:
        if states.spectrum <= SPECTRUM:
            sentence = (
                "The candidate's vectors have nothing to do with those of the same ids, and as a set they are spread "
                "as before: the ids were dealt out anew."
            )
            return Finding(name, Verdict.CONFIRMED, sentence, evidence)
        sentence = (
            "The candidate's vectors have nothing to do with those of the same ids, and as a set they are spread "
            "otherwise: another model, or ids that were dealt out anew."
        )
        return Finding(name, Verdict.UNDECIDED, sentence, evidence)
    if enough(int(states.of(Kind.UNEXPLAINED).sum()), m):
        sentence = f"{_of(int(states.of(Kind.UNEXPLAINED).sum()), m)} are not where the others are, nor at another row."
        return Finding(name, Verdict.UNDECIDED, sentence, evidence)
    if states.is_blurred:
        return Finding(name, Verdict.UNDECIDED, BLURRED, evidence)
    return Finding(name, Verdict.RULED_OUT, "Every id has a vector that fits its old one.", evidence)


def _stale(rows: SharedRows, states: RowStates) -> Finding:
    name = "stale-rows"
    m = rows.n
    same, fits = states.of(Kind.SAME), states.of(Kind.FITS) & states.judged
    n = int(same.sum())
    shift = np.nan
    if states.rotation is not None and fits.any():
        shift = float(np.median(np.linalg.norm(rows.after[fits] - rows.before[fits], axis=1)))
    evidence = {"n_stale": float(n), "share": n / max(m, 1), "moved": shift, "residual": states.fitted}
    if not enough(n, m):
        return Finding(name, Verdict.RULED_OUT, f"{_of(n, m)} hold the vector that they held before.", evidence)
    if n > m - max(20, 0.01 * m):
        return Finding(name, Verdict.RULED_OUT, f"{_of(n, m)} are as they were: nothing was embedded anew.", evidence)
    if states.rotation is None or not states.fitted >= 0:
        if states.moved <= MOVED:
            sentence = f"{_of(n, m)} are as they were, and the others kept their directions: no row is behind."
            return Finding(name, Verdict.RULED_OUT, sentence, evidence)
        sentence = f"{_of(n, m)} are as they were, and no map takes the others to where they are now."
        return Finding(name, Verdict.UNDECIDED, sentence, evidence)
    if lies_elsewhere(shift, states.fitted):
        sentence = (
            f"{_of(n, m)} still hold the baseline's vector, while the others lie in other coordinates: the index was "
            "not rebuilt for them."
        )
        return Finding(name, Verdict.CONFIRMED, sentence, evidence)
    sentence = f"{_of(n, m)} are as they were, and the others lie in the same coordinates."
    verdict = Verdict.RULED_OUT if shift <= MOVED else Verdict.UNDECIDED
    return Finding(name, verdict, sentence, evidence)


def _mixed(rows: SharedRows, states: RowStates) -> Finding:
    name = "mixed-models"
    n, m = int(states.of(Kind.OTHER_MODEL).sum()), rows.n
    evidence = {"n_other_model": float(n), "share": n / max(m, 1), "residual": states.fitted}
    if states.other is not None and enough(n, m):
        sentence = f"{_of(n, m)} lie in coordinates of their own, apart from the others: two models are in one index."
        return Finding(name, Verdict.CONFIRMED, sentence, evidence)
    unexplained = int(states.of(Kind.UNEXPLAINED).sum())
    if states.reason:
        return Finding(name, Verdict.UNDECIDED, _why(states.reason), evidence)
    if enough(unexplained, m):
        sentence = f"{_of(unexplained, m)} do not lie where the others do, and no second map takes them there."
        return Finding(name, Verdict.UNDECIDED, sentence, evidence)
    if states.is_blurred:
        return Finding(name, Verdict.UNDECIDED, BLURRED, evidence)
    return Finding(name, Verdict.RULED_OUT, "One map fits all rows that were embedded anew.", evidence)


def _rotation(rows: SharedRows, states: RowStates) -> Finding:
    name = "rotation"
    m = rows.n
    evidence = {"moved": states.moved, "residual": states.fitted}
    if states.reason:
        return Finding(name, Verdict.UNDECIDED, _why(states.reason), evidence)
    is_whole = bool(states.of(Kind.FITS).mean() >= WHOLE) and not states.is_mismatch
    if is_whole and states.fitted <= ROTATED and states.moved > max(MOVED, 4 * states.fitted):
        sentence = (
            "The candidate is the baseline in other coordinates: one rotation takes every vector to its new place. "
            "Embed both sides anew, the model is fine."
        )
        return Finding(name, Verdict.CONFIRMED, sentence, evidence)
    sentence = "No rotation alone takes the baseline to the candidate."
    if not states.moved > MOVED:
        sentence = "The coordinates are those of the baseline."
    return Finding(name, Verdict.RULED_OUT, sentence, evidence | {"n": float(m)})


def _mismatch(states: RowStates) -> Finding:
    name = "query-gallery-mismatch"
    evidence = {"residual_own": states.own, "residual_crossed": states.crossed}
    if states.reason and not states.has_sides:
        return Finding(name, Verdict.UNDECIDED, _why(states.reason), evidence)
    if not states.has_sides:
        sentence = "Queries and gallery are the same rows, or too few are only one of both."
        return Finding(name, Verdict.RULED_OUT, sentence, evidence)
    if states.is_mismatch:
        sentence = "Queries and gallery lie in different coordinates: they are of two versions."
        return Finding(name, Verdict.CONFIRMED, sentence, evidence)
    if LEAST_GAP * states.own > states.chance:
        sentence = "No map fits the queries well enough to say whether they lie where the gallery does."
        return Finding(name, Verdict.UNDECIDED, sentence, evidence)
    return Finding(name, Verdict.RULED_OUT, "The map that fits the gallery fits the queries too.", evidence)


def _of(n: int, m: int) -> str:
    return f"{n:,} of {m:,} rows" if m else "no rows"


def _why(reason: str) -> str:
    return f"It cannot be told: {reason}."
