"""Whether probabilities were rounded, and how much that alone can move."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lib.metrics.forecasts import Forecasts

MOST_DECIMALS = 4
LEAST_VALUES = 5
"""Of fewer distinct probabilities one does not say that they are rounded."""
SLACK = 1e-9
"""How far from its decimals a probability may be that went through its log odds."""


@dataclass(frozen=True)
class Rounding:
    """Rounded probabilities.

    Attributes:
        decimals: 1 to 4, after which all probabilities end.
        n_distinct: how many different ones there are.
        brier_bound: how much the Brier score can have been moved at most, if each p was rounded to the nearest.
    """

    decimals: int
    n_distinct: int
    brier_bound: float


def find_rounding(forecasts: Forecasts) -> Rounding | None:
    """The rounding of probabilities; None where they are not rounded, or where bins do not tell.

    With e the rounding error, |e| ≤ δ = ½·10^−decimals, (p + e − y)² differs from (p − y)² by at most 2δ|p − y| + δ².
    """
    if len(forecasts.rows) < LEAST_VALUES or (forecasts.lower < forecasts.upper).any():
        return None
    p = forecasts.lower
    for decimals in range(1, MOST_DECIMALS + 1):
        scaled = p * 10**decimals
        if (np.abs(scaled - np.rint(scaled)) <= SLACK * 10**decimals).all():
            break
    else:
        return None
    # As many different values as there are decimals for, or repeated ones: a few rows may end so by chance.
    if len(p) == forecasts.n_rows and decimals == MOST_DECIMALS:
        return None
    delta = 0.5 * 10.0**-decimals
    away = (forecasts.w[:, 1] * (1 - p) + forecasts.w[:, 0] * p).sum() / forecasts.weight.sum()
    return Rounding(decimals, len(p), float(2 * delta * away + delta**2))
