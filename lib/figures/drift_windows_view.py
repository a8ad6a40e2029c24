"""What the Drift page says of windows of time: which moved, by what measure, and whether a shift comes back."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from lib.embeddings import EmbeddingDiagnosis
from lib.embeddings.drift_windows import DriftWindows
from lib.figures.drift_view import SAID, verdict_words
from lib.figures.format import (
    NO_BREAK,
    format_count,
    format_loss,
    format_plural,
    format_share,
    format_span,
    format_time,
)
from lib.figures.text import escape, plain
from lib.metrics.drift import Drift
from lib.metrics.drift_windows import Against
from lib.metrics.permutations import NOISE_LEVEL
from lib.metrics.seasons import SEASONS, Season
from lib.metrics.vector_measures import LEAST_PART

PHASES = {
    "week": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    "day": ("0–4 h", "4–8 h", "8–12 h", "12–16 h", "16–20 h", "20–24 h"),
}
OF_PHASE = {"week": "the day of the week", "day": "the hour of the day"}


@dataclass(frozen=True, eq=False)
class DriftWindowsView:
    """Drift of each window.

    Attributes:
        found: the numbers.
        baseline, candidate: their names.
    """

    found: DriftWindows
    baseline: str
    candidate: str

    @classmethod
    def of(cls, diagnosis: EmbeddingDiagnosis, found: DriftWindows) -> DriftWindowsView:
        """The view of what was read."""
        return cls(found, diagnosis.settings.baseline, diagnosis.settings.candidate)

    def when(self, place: int) -> str:
        """The time of a window."""
        start, width = self.found.starts[place], self.found.grid.width
        return format_time(start, width) if self.found.grid.words == "day" else format_span(start, start + width, width)

    def sentence(self) -> str:
        """How many windows moved, and which furthest (plain text)."""
        found, n = self.found, len(self.found.drifts)
        moved = [place for place, each in enumerate(found.drifts) if each.has_drifted]
        grid = found.grid.words
        windows = f"{format_count(n)} windows of {grid}" if grid[0].isdigit() else format_plural(n, grid)
        against = f"from {plain(self.baseline)}" if found.against is not Against.OTHER_TIMES else "from the others"
        if not moved:
            return f"Over time: none of {windows} moved {against} beyond chance and far enough to matter"
        far = max(moved, key=lambda place: _furthest(found.drifts[place])[1])
        name, _effect, value = _furthest(found.drifts[far])
        return (
            f"Over time: {format_count(len(moved))} of {windows} moved {against}; {self.when(far)} furthest, "
            f"{name}{NO_BREAK}{format_loss(value)}"
        )

    def subtitle(self) -> str:
        """What is compared with what (escaped)."""
        found, first, second = self.found, escape(self.baseline), escape(self.candidate)
        n = [each.m for each in found.drifts]
        reference = {
            Against.BASELINE: f"all rows of {first}",
            Against.TURNED: f"all rows of {first}, onto which {second} is turned first",
            Against.OTHER_TIMES: f"the other windows of {second}",
        }[found.against]
        left = (
            (found.n_left_out, f"of windows with fewer than {LEAST_PART}"),
            (found.n_without_time, "without a readable time"),
        )
        said = " and ".join(f"{format_plural(n, 'row')} {words}" for n, words in left if n)
        return (
            f"Each window of {second} against {reference}; n = {format_count(min(n))} to {format_count(max(n))} a "
            f"window. Verdicts are corrected for all of them; a floor is exceeded by chance in "
            f"{format_share(NOISE_LEVEL, 0)} of cases. Times are UTC.{f' Left out: {said}.' if said else ''}"
        )

    def frame(self) -> pd.DataFrame:
        """One row per window and measure."""
        width = self.found.grid.width
        return pd.DataFrame(
            [
                {
                    "start": pd.Timestamp(start, unit="s", tz="UTC"),
                    "end": pd.Timestamp(start + width, unit="s", tz="UTC"),
                    "against": self.found.against.value,
                    "measure": one.measure.value,
                    "drift": one.value,
                    "floor": one.floor,
                    "p": one.p,
                    "p_adjusted": one.p_adjusted,
                    "verdict": verdict_words(one),
                    "n": each.n,
                    "m": each.m,
                }
                for start, each in zip(self.found.starts, self.found.drifts, strict=True)
                for one in each.measures
            ]
        )


def _furthest(drift: Drift) -> tuple[str, float, float]:
    """The measure that moved furthest beyond what matters: its name, its effect and its value."""
    most = max((each for each in drift.measures if each.is_drift), key=lambda each: each.effect)
    return SAID[most.measure], most.effect, most.value


def cycles_of(seasons: dict[str, list[Season]]) -> list[str]:
    """The cycles of which some version has enough."""
    found = {each.cycle for of in seasons.values() for each in of}
    return [name for name, _length, _parts in SEASONS if name in found]


def seasons_title(seasons: dict[str, list[Season]]) -> str:
    """Which shift comes back (escaped)."""
    said = [
        f"{escape(plain(version))} shifts with {OF_PHASE[each.cycle]} by {format_loss(each.shift)} of the spread and "
        "comes back"
        for version, of in seasons.items()
        for each in of
        if each.returns
    ]
    if said:
        return "; ".join(said)
    return f"No shift returns with {' or '.join(f'the {cycle}' for cycle in cycles_of(seasons))}"


def seasons_subtitle(seasons: dict[str, list[Season]]) -> str:
    """What the numbers are of (escaped)."""
    told = [
        f"{escape(plain(version))}: "
        + ", ".join(f"{format_plural(each.n_cycles, each.cycle)} ({format_plural(each.n, 'row')})" for each in of)
        for version, of in seasons.items()
        if of
    ]
    return (
        f"{'; '.join(told)}. How far the mean of each part lies from the mean of all, less what goes on from cycle to "
        "cycle; chance alone keeps it above 0. Times are UTC."
    )


def seasons_frame(seasons: dict[str, list[Season]]) -> pd.DataFrame:
    """One row per version, cycle and part of it."""
    return pd.DataFrame(
        [
            {
                "version": version,
                "cycle": each.cycle,
                "part": part,
                "distance": distance,
                "shift": each.shift,
                "p_adjusted": each.p,
                "returns": each.returns,
                "n": each.n,
            }
            for version, of in seasons.items()
            for each in of
            for part, distance in zip(PHASES[each.cycle], each.phases.tolist(), strict=True)
        ]
    )
