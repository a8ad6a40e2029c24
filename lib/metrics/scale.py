"""Whether two sets of decision scores are on one scale: what is counted in units of the score compares only then.

A decision score has no unit of its own. Multiplied by any number it ranks and decides the same, while hinge loss, the
violation rate at a fixed γ and the median margin change with it. Log odds do have a unit.
"""

from __future__ import annotations

from lib.cells import Cells
from lib.metrics.estimates import FloatArray, divide
from lib.metrics.margins import margin_quantile

SCALE_FACTOR = 1.5
"""Beyond this ratio two scales are called different: models trained alike stay well within, another loss or another
regularisation goes beyond."""


def margin_spread(cells: Cells) -> FloatArray:
    """Shape (G,): the interquartile range of the margins, NaN without labelled, scored rows.

    Of a spread rather than of sizes: margins that move towards zero because classes are no longer told apart keep it,
    and a few far rows do not move it.
    """
    return margin_quantile(cells, 0.75).value - margin_quantile(cells, 0.25).value


def scale_ratio(cells: Cells, baseline: int, candidate: int) -> float:
    """How many times as wide the margins of one group spread as those of another; NaN where that is not known."""
    spread = margin_spread(cells)
    return float(divide(spread[candidate], spread[baseline]))


def is_same_scale(ratio: float) -> bool:
    """Whether two spreads are within `SCALE_FACTOR` of each other; so are those of which nothing is known."""
    return not (ratio > SCALE_FACTOR or ratio < 1 / SCALE_FACTOR)
