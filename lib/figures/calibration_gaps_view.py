"""Calibration gaps of parts, as they are drawn: by cohort, by class, over time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from lib.diagnose import Diagnosis
from lib.figures.cohorts_view import LEVEL
from lib.figures.format import format_change, format_plural, format_time
from lib.metrics.calibration_gaps import CalibrationGaps
from lib.metrics.cohorts import SMALL
from lib.metrics.estimates import Estimate
from lib.schema import MISSING_KEY, NO_WINDOW, ONE_VS_REST, VERSION, WINDOW, cohort_key

MOST_ROWS = 20


@dataclass(frozen=True)
class GapRow:
    """One part of one version.

    Attributes:
        version, value: which.
        gap: positive share − mean p.
        positive_share, mean_probability: what it is made of.
        floor: what the gap's size stays below in 95 % of such parts where p is right.
        p_adjusted: corrected over the parts of the version.
    """

    version: str
    value: str
    gap: Estimate
    positive_share: float
    mean_probability: float
    floor: float
    p_adjusted: float

    @property
    def is_off(self) -> bool:
        """Whether it is off beyond chance."""
        return self.p_adjusted < LEVEL


@dataclass(frozen=True, eq=False)
class GapsView:
    """Gaps of the parts of the versions that are compared.

    Attributes:
        baseline, candidate: versions.
        versions: those with rows, baseline first.
        what: what the parts are called.
        rows: (version, value) to the part; of parts with enough labelled rows.
        ranked: values, those that are off by the largest sure distance first.
        n_small: values with too few labelled rows in each version.
    """

    baseline: str
    candidate: str
    versions: tuple[str, ...]
    what: str
    rows: dict[tuple[str, str], GapRow]
    ranked: tuple[str, ...]
    n_small: int

    @classmethod
    def of_cohorts(cls, diagnosis: Diagnosis, column: str) -> GapsView | None:
        """By value of a cohort column; None where parts have no probabilities."""
        gaps = diagnosis.calibrations.gaps_of_cohorts(column)
        return None if gaps is None else cls._of(diagnosis, gaps, cohort_key(column), column)

    @classmethod
    def of_classes(cls, diagnosis: Diagnosis) -> GapsView | None:
        """By class, of several."""
        gaps = diagnosis.calibrations.gaps(VERSION, ONE_VS_REST) if diagnosis.facts.mapping.is_multiclass else None
        return None if gaps is None else cls._of(diagnosis, gaps, ONE_VS_REST, "class")

    @classmethod
    def _of(cls, diagnosis: Diagnosis, gaps: CalibrationGaps, key: str, what: str) -> GapsView:
        rows: dict[tuple[str, str], GapRow] = {}
        seen: dict[str, None] = {}
        for place, (version, value) in enumerate(zip(gaps.groups[VERSION], gaps.groups[key], strict=True)):
            if version not in diagnosis.shown_versions or (key == ONE_VS_REST and value == MISSING_KEY):
                continue
            seen[str(value)] = None
            if gaps.gap.n[place] >= SMALL and gaps.gap[place].is_defined:
                rows[str(version), str(value)] = _row(gaps, place, str(version), str(value))
        values = list(dict.fromkeys(value for _version, value in rows))
        settings = diagnosis.settings

        def order(value: str) -> tuple[bool, float]:
            own = [row for version in diagnosis.shown_versions if (row := rows.get((version, value)))]
            candidate = rows.get((settings.candidate, value))
            return not any(row.is_off for row in own), -_surely_off(candidate or own[0])

        return cls(
            settings.baseline,
            settings.candidate,
            tuple(each for each in diagnosis.shown_versions if any(version == each for version, _value in rows)),
            what,
            rows,
            tuple(sorted(values, key=order)),
            len(seen) - len(values),
        )

    @property
    def drawn(self) -> tuple[str, ...]:
        """The values that are drawn."""
        return self.ranked[:MOST_ROWS]

    def sentence(self) -> str:
        """What is off most, without a full stop (plain text)."""
        off = [row for value in self.ranked for version in self.versions if (row := self.rows.get((version, value)))]
        off = [row for row in off if row.is_off]
        if not off:
            return f"No {self.what} has a mean probability that is off beyond chance"
        first = next((row for row in off if row.version == self.candidate), off[0])
        of = f" of version {first.version}" if len(self.versions) > 1 else ""
        side = "too low" if first.gap.value > 0 else "too high"
        return (
            f"Probabilities for {self.what} = {first.value or '(missing)'}{of} are {side} on average: mean p is "
            f"{100 * first.mean_probability:.1f} %, {100 * first.positive_share:.1f} % are positive "
            f"({format_change(first.gap.value, 'share')})"
        )

    def frame(self) -> pd.DataFrame:
        """One row per version and value."""
        return _frame([self.rows[each] for each in sorted(self.rows)], self.what)


@dataclass(frozen=True, eq=False)
class GapWindows:
    """Gaps over time: of each version where its windows begin, and the gap there."""

    baseline: str
    words: str
    lines: dict[str, tuple[tuple[int, GapRow], ...]]

    @classmethod
    def of(cls, diagnosis: Diagnosis) -> GapWindows | None:
        """The gaps of a diagnosis; None without times, or where windows have no probabilities."""
        grid = diagnosis.facts.windows
        gaps = None if grid is None else diagnosis.calibrations.gaps(VERSION, WINDOW)
        if gaps is None or grid is None:
            return None
        lines: dict[str, tuple[tuple[int, GapRow], ...]] = {}
        for version in diagnosis.shown_versions:
            here = np.flatnonzero((gaps.groups[VERSION] == version) & (gaps.groups[WINDOW] != NO_WINDOW))
            starts = gaps.groups[WINDOW][here].astype(np.int64).tolist()
            pairs = zip(starts, here.tolist(), strict=True)
            rows = [(start, _row(gaps, place, version, format_time(start, grid.width))) for start, place in pairs]
            if told := tuple(each for each in rows if each[1].gap.is_defined):
                lines[version] = told
        return cls(diagnosis.settings.baseline, grid.words, lines) if lines else None

    def sentence(self) -> str:
        """In how many windows probabilities were off, without a full stop (plain text)."""
        rows = [row for line in self.lines.values() for _start, row in line]
        off = [row for row in rows if row.is_off]
        if not off:
            return f"Probabilities were off beyond chance in none of {format_plural(len(rows), 'window')}"
        worst = max(off, key=_surely_off)
        return (
            f"Probabilities were off beyond chance in {len(off)} of {len(rows)} windows, most of all on {worst.value}: "
            f"{format_change(worst.gap.value, 'share')} in version {worst.version}"
        )

    def frame(self) -> pd.DataFrame:
        """One row per version and window."""
        return _frame([row for line in self.lines.values() for _start, row in line], "window")


def _surely_off(row: GapRow) -> float:
    """How far from 0 the nearer end of the interval is; below 0 where it holds 0."""
    return max(row.gap.lower, -row.gap.upper)


def _row(gaps: CalibrationGaps, place: int, version: str, value: str) -> GapRow:
    numbers = (gaps.positive_share, gaps.mean_probability, gaps.floor, gaps.p_adjusted)
    return GapRow(version, value, gaps.gap[place], *(float(each[place]) for each in numbers))


def _frame(rows: list[GapRow], what: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "version": [row.version for row in rows],
            what: [row.value for row in rows],
            "n": [int(row.gap.n) for row in rows],
            "positive_share": [row.positive_share for row in rows],
            "mean_probability": [row.mean_probability for row in rows],
            "calibration_gap": [row.gap.value for row in rows],
            "lower": [row.gap.lower for row in rows],
            "upper": [row.gap.upper for row in rows],
            "floor": [row.floor for row in rows],
            "p_adjusted": [row.p_adjusted for row in rows],
        }
    )
