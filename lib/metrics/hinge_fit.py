"""The linear hinge fit, solved to the end: ½·|w|² + C·Σ max(0, 1 − y(w·x + b)), the intercept b free.

A primal-dual interior point method on the dual, min ½|Σ αᵢyᵢxᵢ|² − Σ αᵢ over 0 ≤ αᵢ ≤ C and Σ αᵢyᵢ = 0. Each step costs
n·d² whatever C is, and a few dozen steps do: coordinate descent (liblinear) stops short where C is large, and does not
leave the intercept free; libsvm's time grows with C and with n².

References: Ferris and Munson (2003) for the method, Mehrotra (1992) for its steps.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import linalg

from lib.metrics.estimates import FloatArray, IntArray

GAP = 1e-9
"""Of the objective: how far it may be from the least there is."""
MOST_STEPS = 100
STALLED = 8
"""Steps without a smaller gap after which rounding is all that is left."""
SHORT_OF_THE_EDGE = 0.995
RIDGE = 1e-14
"""What keeps equations solvable in which a few rows outweigh all others by sixteen digits."""


@dataclass(frozen=True, eq=False)
class LinearFit:
    """A linear decision score w·x + b.

    Attributes:
        weights: shape (d,).
        intercept: b.
        gap: how far its objective is above the least there can be, as a share of it.
    """

    weights: FloatArray
    intercept: float
    gap: float

    def __call__(self, x: FloatArray) -> FloatArray:
        """The score of rows, shape (n, d) to (n,)."""
        return x @ self.weights + self.intercept


def fit_hinge(x: FloatArray, label: IntArray, c: float) -> LinearFit:
    """The fit of rows of both classes.

    Args:
        x: shape (n, d), each column of a spread of about one.
        label: shape (n,), −1 or +1, both there.
        c: C > 0, what multiplies the sum of losses.
    """
    y = np.asarray(label, np.float64)
    point = _Point.start(np.concatenate([x * y[:, None], y[:, None]], axis=1), c)
    best, at = point.fit(), 0
    for step in range(MOST_STEPS):
        if best.gap <= GAP or step - at > STALLED:
            break
        try:
            point = point.moved()
        except linalg.LinAlgError:
            break
        now = point.fit()
        if now.gap < best.gap:
            best, at = now, step
    return best


@dataclass(frozen=True, eq=False)
class _Point:
    """Where the method stands: m = 1 + beyond − short is to hold, and α·beyond = left·short = 0.

    Attributes:
        signed: shape (n, d + 1), y·x and y.
        alpha, left: shape (n,), above 0, together C; both are held, as a small one is lost in a difference.
        beyond, short: shape (n,), above 0: how far a margin is beyond 1, or short of it (the row's loss).
        intercept: b.
        c: C.
    """

    signed: FloatArray
    alpha: FloatArray
    left: FloatArray
    beyond: FloatArray
    short: FloatArray
    intercept: float
    c: float

    @classmethod
    def start(cls, signed: FloatArray, c: float) -> _Point:
        n = len(signed)
        return cls(signed, np.full(n, c / 2), np.full(n, c / 2), np.ones(n), np.ones(n), 0.0, c)

    @property
    def weights(self) -> FloatArray:
        return self.signed[:, :-1].T @ self.alpha

    def fit(self) -> LinearFit:
        """The fit here, with the gap between its objective and what the dual says is the least."""
        weights = self.weights
        margin = self.signed @ np.append(weights, self.intercept)
        size = weights @ weights / 2
        objective = size + self.c * np.maximum(1 - margin, 0.0).sum()
        uneven = self.intercept * (self.signed[:, -1] @ self.alpha)
        least = self.alpha.sum() - size - abs(uneven)
        return LinearFit(weights, self.intercept, max(float((objective - least) / objective), 0.0))

    def moved(self) -> _Point:
        """One step of Mehrotra's: ahead as far as there is room, then again with what that has shown."""
        signed, alpha, left, beyond, short = self.signed, self.alpha, self.left, self.beyond, self.short
        d = signed.shape[1] - 1
        ease = 1 / (beyond / alpha + short / left)
        normal = signed.T @ (signed * ease[:, None])
        normal[np.arange(d), np.arange(d)] += 1.0
        scale = 1 / np.sqrt(np.diag(normal))
        factor = linalg.cho_factor(normal * scale * scale[:, None] + RIDGE * np.eye(d + 1))
        stray = 1 + beyond - short - signed @ np.append(self.weights, self.intercept)

        def towards(of_beyond: FloatArray | float, of_short: FloatArray | float) -> tuple[FloatArray, ...]:
            """The move after which α·beyond and left·short are these, to first order."""
            given = stray + of_beyond / alpha - beyond - of_short / left + short
            right = signed.T @ (ease * given)
            right[-1] += signed[:, -1] @ alpha
            move = scale * linalg.cho_solve(factor, scale * right)
            by = ease * (given - signed @ move)
            return by, (of_beyond - beyond * by) / alpha - beyond, (of_short + short * by) / left - short, move

        def room(moves: tuple[FloatArray, ...]) -> float:
            pairs = ((alpha, moves[0]), (left, -moves[0]), (beyond, moves[1]), (short, moves[2]))
            return min(1.0, *(float((-at[by < 0] / by[by < 0]).min(initial=np.inf)) for at, by in pairs))

        def product(along: float, moves: tuple[FloatArray, ...]) -> float:
            ahead = (alpha + along * moves[0]) @ (beyond + along * moves[1])
            return float(ahead + (left - along * moves[0]) @ (short + along * moves[2])) / (2 * len(alpha))

        guess = towards(0.0, 0.0)
        still = (np.zeros_like(alpha),) * 3
        centre = product(room(guess), guess) ** 3 / product(0.0, still) ** 2
        moves = towards(centre - guess[0] * guess[1], centre + guess[0] * guess[2])
        along = min(1.0, SHORT_OF_THE_EDGE * room(moves))
        return replace(
            self,
            alpha=alpha + along * moves[0],
            left=left - along * moves[0],
            beyond=beyond + along * moves[1],
            short=short + along * moves[2],
            intercept=self.intercept + along * float(moves[3][-1]),
        )
