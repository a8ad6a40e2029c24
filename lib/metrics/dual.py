"""A solver's support vectors against those that predictions show: where they agree, and what its coefficients give.

By the conditions of Karush, Kuhn and Tucker α is C where m < 1, between 0 and C where m = 1, and 0 where m > 1; on the
margin it may be either end too, so that only rows off it can contradict.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.metrics.estimates import BoolArray, FloatArray
from lib.metrics.support_vectors import KINDS, Kind, kind_of

FULL = 1 - 1e-6
"""From this share of C on α is C."""


@dataclass(frozen=True, eq=False)
class DualAgreement:
    """One set against the other, over the rows that are in either.

    Attributes:
        n: labelled, scored rows, in either set or not.
        n_uploaded: support vectors of the solver.
        n_missing: those of them that no such row is found for.
        counts: rows by kind and by whether α is 0, between or full; without C those that are not 0 are between.
        differs: shape (R,), rows whose α and margin cannot both be.
        turned: how many coefficients have another sign than the label.
        balance: |Σ yα| over Σα; 0 with a free intercept.
        nu: Σα/(nC); NaN without C, or where the classes have different ones.
        norm: |w|, from Σ yα·s, where Σ yα is 0; NaN otherwise.
    """

    n: int
    n_uploaded: int
    n_missing: int
    counts: dict[Kind, tuple[int, int, int]]
    differs: BoolArray
    turned: int
    balance: float
    nu: float
    norm: float

    @property
    def in_both(self) -> int:
        """Rows of both sets."""
        return sum(sum(of[1:]) for kind, of in self.counts.items() if kind != "free")

    @property
    def only_uploaded(self) -> int:
        """Rows that only the solver counts."""
        return sum(self.counts["free"][1:])

    @property
    def only_predicted(self) -> int:
        """Rows that only predictions show."""
        return sum(of[0] for kind, of in self.counts.items() if kind != "free")


def compare_sets(
    label: NDArray[np.int64],
    score: FloatArray,
    coef: FloatArray,
    n: int,
    n_missing: int,
    c: tuple[float, float] = (math.nan, math.nan),
) -> DualAgreement:
    """Compare the two sets.

    Args:
        label: shape (R,), −1 or +1, of the rows in either set.
        score: shape (R,).
        coef: shape (R,), y·α; 0 where a row is not in the solver's set.
        n: labelled, scored rows in all.
        n_missing: support vectors that are none of the rows.
        c: the most that α can be for the negative and the positive class.
    """
    place, alpha = kind_of(label.astype(np.float64), score), np.abs(coef)
    most = np.where(label < 0, *c)
    state = np.where(alpha == 0, 0, np.where(alpha >= FULL * most, 2, 1))
    counts: dict[Kind, tuple[int, int, int]] = {}
    for number, kind in enumerate(KINDS):
        of = np.bincount(state[place == number], minlength=3)
        counts[kind] = (int(of[0]), int(of[1]), int(of[2]))
    free, on = KINDS.index("free"), KINDS.index("on_margin")
    short = place < on
    total = float(alpha.sum())
    balance = abs(float(coef.sum())) / total if total else math.nan
    squared = float((coef * score).sum())
    is_one = c[0] == c[1]
    return DualAgreement(
        n=n,
        n_uploaded=int((alpha > 0).sum()) + n_missing,
        n_missing=n_missing,
        counts=counts,
        differs=np.where(short, state == 0, (place == free) & (state > 0)) | (short & (state == 1) & ~np.isnan(most)),
        turned=int((coef * label < 0).sum()),
        balance=balance,
        nu=total / (n * c[0]) if is_one and n else math.nan,
        norm=math.sqrt(squared) if balance <= 1e-6 and squared > 0 and not n_missing else math.nan,
    )
