"""Leakage: how well a linear probe tells a sensitive column from the vectors, against labels dealt at random.

The probe sees the leading principal components of a sample of rows, and is judged in held-out folds. The floor is that
of the whole procedure with the column shuffled. Rows must not repeat one thing: where several rows are of one person,
keep one of each, or what tells persons apart passes for what tells groups apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lib.metrics.estimates import Estimate, Estimates, FloatArray, IntArray, divide, estimates
from lib.metrics.intervals import wilson
from lib.metrics.permutations import DRAWS, NOISE_LEVEL, noise_floor, permutation_p_value
from lib.metrics.probe import areas, deal_folds, out_of_fold, standardise
from lib.metrics.vector_rows import draw_rows, take
from lib.vectors import NO_LABEL, Distance, Matrix, Rows

MOST_ROWS = 5_000
COMPONENTS = 64
LEAST_ROWS = 20
"""A group of fewer rows is not probed."""
MOST_GROUPS = 20
"""Of more groups the largest are probed."""
LEAST_AREA = 0.6
"""A probe of less is too weak to matter, however certain it is."""
TOO_FEW = f"fewer than {LEAST_ROWS} rows"
NOT_AMONG = f"not among the {MOST_GROUPS} largest groups"
ONE_GROUP = f"fewer than two groups of {LEAST_ROWS} rows or more"


@dataclass(frozen=True, eq=False)
class Leakage:
    """How well a column can be told from the vectors.

    Attributes:
        area: mean over the probed groups of the ROC AUC of a group against the rest, 0 to 1, about ½ without leakage.
        area_floor: what shuffled labels exceed with `NOISE_LEVEL`.
        balanced_accuracy: mean over the probed groups of the share that is recognised, with a 95 % interval;
            1/groups without leakage.
        accuracy_floor: what shuffled labels exceed with `NOISE_LEVEL`.
        p: how often shuffled labels have an AUC as large; NaN where undefined.
        by_group: the ROC AUC of each group against the rest, with its own reason where there is none.
        n: rows with a label; `n_used` of them, in groups that are probed, were drawn with `seed`.
        reason: "" where there is a number, else why not.
    """

    area: float
    area_floor: float
    balanced_accuracy: Estimate
    accuracy_floor: float
    p: float
    by_group: Estimates
    n: int
    n_used: int
    seed: int
    reason: str = ""

    @property
    def leaks(self) -> bool:
        """Whether the AUC is beyond chance, and large enough to matter; the column is the only one that is asked."""
        return self.p <= NOISE_LEVEL and self.area >= LEAST_AREA


def probe_column(
    matrix: Matrix, rows: Rows, codes: IntArray, n_groups: int, distance: Distance, seed: int = 0
) -> Leakage:
    """Probe for one column.

    Args:
        matrix: shape (N, d).
        rows: usable rows.
        codes: shape (len(rows),), the group of each from 0, `NO_LABEL` where it has none.
        n_groups: how many groups there are.
        distance: under the cosine distance the probe sees directions.
        seed: of what is drawn and shuffled.
    """
    labelled = np.flatnonzero(codes != NO_LABEL)
    chosen = draw_rows(labelled, MOST_ROWS, seed)
    counts = np.bincount(codes[chosen], minlength=n_groups)
    largest = np.zeros(n_groups, np.bool_)
    largest[np.argsort(-counts, kind="stable")[:MOST_GROUPS]] = True
    probed = np.flatnonzero((counts >= LEAST_ROWS) & largest)
    used = chosen[np.isin(codes[chosen], probed)]
    values = standardise(_components(take(matrix, rows[used], distance))) if len(probed) > 1 else np.zeros((0, 0))
    reason = ONE_GROUP if len(probed) < 2 else "all vectors are equal" if not values.shape[1] else ""
    problems = [(counts < LEAST_ROWS, TOO_FEW), (~largest, NOT_AMONG), (np.full(n_groups, bool(reason)), reason)]
    none = np.full(n_groups, np.nan)
    if reason:
        nothing = Estimate(np.nan, np.nan, np.nan, len(used), reason)
        groups = estimates(none, none, none, counts, problems)
        return Leakage(np.nan, np.nan, nothing, np.nan, np.nan, groups, len(labelled), len(used), seed, reason)
    code = np.searchsorted(probed, codes[used])
    area, recognised = _probe(values, code, len(probed), seed)
    by_group, errors = none.copy(), none.copy()
    by_group[probed] = area[0]
    errors[probed] = _area_errors(area[0], counts[probed], len(used))
    lower, upper = np.clip(by_group - 1.96 * errors, 0, 1), np.clip(by_group + 1.96 * errors, 0, 1)
    mean, accuracy = area.mean(axis=1), recognised.mean(axis=1)
    ends = np.array(wilson(recognised[0], counts[probed]))
    half = np.sqrt(((ends - recognised[0]) ** 2).sum(axis=1)) / len(probed)
    balanced = Estimate(float(accuracy[0]), float(accuracy[0] - half[0]), float(accuracy[0] + half[1]), len(used))
    return Leakage(
        area=float(mean[0]),
        area_floor=noise_floor(mean[1:]),
        balanced_accuracy=balanced,
        accuracy_floor=noise_floor(accuracy[1:]),
        p=permutation_p_value(float(mean[0]), mean[1:]),
        by_group=estimates(by_group, lower, upper, counts, problems[:2]),
        n=len(labelled),
        n_used=len(used),
        seed=seed,
    )


def _components(values: FloatArray) -> FloatArray:
    """The leading principal components of rows, at most `COMPONENTS` and a third of the rows."""
    centred = values - values.mean(axis=0)
    most = max(min(COMPONENTS, len(values) // 3), 1)
    if values.shape[1] <= most:
        return centred
    variances, axes = np.linalg.eigh(centred.T @ centred)
    kept = np.argsort(-variances)[:most]
    return centred @ axes[:, kept[variances[kept] > 1e-12 * max(float(variances.max()), 1e-300)]]


def _probe(values: FloatArray, code: IntArray, size: int, seed: int) -> tuple[FloatArray, FloatArray]:
    """Shape (draws + 1, G) each: ROC AUC and share recognised, by group; the labels as they are first, then shuffled.

    A row is given to the group to whose mean score it is nearest, on the way there from the mean score of the others:
    large groups are not favoured.
    """
    dealt = np.random.default_rng(seed).permuted(np.broadcast_to(code, (DRAWS, len(code))), axis=1)
    dealt = np.concatenate([code[None], dealt])
    share = np.bincount(code, minlength=size) / len(code)
    folds, area, hits = deal_folds(len(code), seed), [], np.zeros((len(dealt), size))
    targets = np.concatenate([(dealt == group).T.astype(np.float64) for group in range(size)], axis=1)
    for rows, score, fitted in out_of_fold(values, targets, folds):
        area.append(areas(score, targets[rows]).reshape(size, -1).T)
        left = len(code) - len(rows)
        inside = targets.sum(axis=0) - targets[rows].sum(axis=0)
        # Mean scores of a group and of the others lie on both sides of the mean of all, which is the group's share.
        up, down = divide(fitted, inside), divide(fitted, left - inside)
        nearness = divide(score - inside / left - (up - down) / 2, up + down)
        told = np.nan_to_num(nearness, nan=-np.inf).reshape(len(rows), size, -1).argmax(axis=1)
        shuffled = dealt[:, rows].T
        for group in range(size):
            hits[:, group] += ((told == group) & (shuffled == group)).sum(axis=0)
    held = np.stack(area)
    return np.nan_to_num(np.nanmean(held, axis=0), nan=0.5), divide(hits, share * len(code))


def _area_errors(area: FloatArray, n: IntArray, total: int) -> FloatArray:
    """Standard errors of an AUC (Hanley and McNeil 1982)."""
    rest = total - n
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    variance = area * (1 - area) + (n - 1) * (q1 - area**2) + (rest - 1) * (q2 - area**2)
    return np.sqrt(np.maximum(variance, 0.0) / (n * rest))
