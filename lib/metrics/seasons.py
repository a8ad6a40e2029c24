"""Whether vectors shift with the day of the week or the hour of the day and come back: drift that is no alert.

Rows are put into windows of a cycle (the days of a week, or sixths of a day). Windows of the same phase in different
cycles hold different rows, so that the products of their means, less what goes on from cycle to cycle, are 0 on average
unless the shift returns. What chance does is known from dealing the phases anew within each cycle.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lib.metrics.estimates import FloatArray, IntArray
from lib.metrics.permutations import DRAWS, NOISE_LEVEL, permutation_p_value
from lib.metrics.vector_rows import draw_rows, take
from lib.vectors import Distance, Matrix, Rows

MOST_ROWS = 20_000
LEAST_ROWS = 20
"""A window of fewer rows has no mean that says anything."""
LEAST_CYCLES = 3
LEAST_SHIFT = 0.15
"""In units of the spread, as of a shift between versions."""
DAY = 86_400
MONDAY = 4 * DAY
"""The epoch began on a Thursday."""
SEASONS = (("week", 7 * DAY, 7), ("day", DAY, 6))
"""Each cycle, how long it is in seconds, and in how many windows it is looked at."""
TOO_SHORT = f"fewer than {LEAST_CYCLES} weeks or days, each with {LEAST_ROWS} rows in most of its parts"


@dataclass(frozen=True, eq=False)
class Season:
    """A shift that returns with a cycle.

    Attributes:
        cycle: "week" or "day".
        shift: root mean square distance of a phase from the course of the cycles' means that all share, in units of the
            root mean square distance of a row from the mean; 0 where its square is negative.
        p: how often chance does as much, corrected for the cycles that were looked at.
        phases: shape (phases,), the distance of each phase from the mean of all, in the same unit; NaN without rows.
        n_cycles: how many cycles have at least half of their windows.
        n: rows in windows that count.
    """

    cycle: str
    shift: float
    p: float
    phases: FloatArray
    n_cycles: int
    n: int

    @property
    def returns(self) -> bool:
        """Whether it is beyond chance, and large enough to matter."""
        return self.p <= NOISE_LEVEL and self.shift >= LEAST_SHIFT


def find_seasons(matrix: Matrix, rows: Rows, seconds: FloatArray, distance: Distance, seed: int = 0) -> list[Season]:
    """Every cycle of `SEASONS` that has enough rows, the largest shift first; empty where none has.

    Args:
        matrix: shape (N, d).
        rows: usable rows.
        seconds: shape (N,), epoch seconds; NaN for a row without a time.
        distance: under the cosine distance directions are looked at.
        seed: of what is drawn and dealt.
    """
    drawn = draw_rows(rows[np.isfinite(seconds[rows])], MOST_ROWS, seed)
    if len(drawn) < 2 * LEAST_ROWS:
        return []
    values, times = take(matrix, drawn, distance), seconds[drawn]
    values -= values.mean(axis=0)
    spread = math.sqrt(float(np.einsum("ij,ij->", values, values)) / len(values))
    if spread == 0:
        return []
    found = [_season(values / spread, times, *each, seed) for each in SEASONS]
    made = [each for each in found if each is not None]
    corrected = [Season(e.cycle, e.shift, min(1.0, len(made) * e.p), e.phases, e.n_cycles, e.n) for e in made]
    return sorted(corrected, key=lambda each: -each.shift)


def _season(values: FloatArray, times: FloatArray, name: str, length: int, parts: int, seed: int) -> Season | None:
    since = times - (MONDAY if name == "week" else 0)
    cycle, window = np.floor(since / length).astype(np.int64), np.floor(since / (length / parts)).astype(np.int64)
    names, code, counts = np.unique(window, return_inverse=True, return_counts=True)
    kept = counts >= LEAST_ROWS
    cycle_of = np.zeros(len(names), np.int64)
    cycle_of[code] = cycle
    cycles, n_windows = np.unique(cycle_of[kept], return_counts=True)
    whole = cycles[2 * n_windows >= parts]
    kept &= np.isin(cycle_of, whole)
    if len(whole) < LEAST_CYCLES:
        return None
    sums = np.zeros((len(names), values.shape[1]))
    np.add.at(sums, code, values)
    means, phase, own = (sums / counts[:, None])[kept], np.mod(names[kept], parts), cycle_of[kept]
    means -= _course(means, names[kept].astype(np.float64), own, whole)
    products = means @ means.T
    dealt = np.random.default_rng(seed)
    shared = np.array([_shared(products, each) for each in (phase, *_deals(phase, own, dealt))])
    from_mean = [
        np.linalg.norm(means[phase == each].mean(axis=0)) if (phase == each).any() else np.nan for each in range(parts)
    ]
    return Season(
        name,
        math.sqrt(max(float(shared[0]), 0.0)),
        permutation_p_value(float(shared[0]), shared[1:]),
        np.array(from_mean),
        len(whole),
        int(counts[kept].sum()),
    )


def _course(means: FloatArray, at: FloatArray, cycle: IntArray, cycles: IntArray) -> FloatArray:
    """What goes on from cycle to cycle, at each window: on lines through the means of cycles, and beyond them."""
    knots = np.array([at[cycle == each].mean() for each in cycles])
    levels = np.stack([means[cycle == each].mean(axis=0) for each in cycles])
    left = np.clip(np.searchsorted(knots, at) - 1, 0, len(knots) - 2)
    share = (at - knots[left]) / (knots[left + 1] - knots[left])
    return levels[left] + share[:, None] * (levels[left + 1] - levels[left])


def _deals(phase: IntArray, cycle: IntArray, rng: np.random.Generator) -> list[IntArray]:
    """The phases dealt anew within each cycle."""
    made: list[IntArray] = []
    for _ in range(DRAWS):
        dealt = phase.copy()
        for each in np.unique(cycle):
            inside = np.flatnonzero(cycle == each)
            dealt[inside] = phase[rng.permutation(inside)]
        made.append(dealt)
    return made


def _shared(products: FloatArray, phase: IntArray) -> float:
    """Mean product of two windows of the same phase."""
    same = phase[:, None] == phase[None, :]
    np.fill_diagonal(same, val=False)
    return float(products[same].mean()) if same.any() else math.nan
