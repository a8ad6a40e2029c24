"""Calibration of parts, as it is drawn and tabled: by cohort, by class, over time, beside whole versions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lib.diagnose import Diagnosis
from lib.figures.calibration_words import POSITIVE, RIGHT, OutcomeWords
from lib.figures.cohorts_view import LEVEL
from lib.figures.format import format_change, format_plural, format_time
from lib.metrics.calibration_parts import CalibrationPart, CalibrationParts
from lib.metrics.cohorts import SMALL
from lib.schema import MISSING_KEY, NO_WINDOW, ONE_VS_REST, VERSION, WINDOW, cohort_key

MOST_ROWS = 20


@dataclass(frozen=True)
class GapRow:
    """The calibration of one part of one version; `is_whole` where it is all of its rows."""

    version: str
    value: str
    part: CalibrationPart
    is_whole: bool = False

    @property
    def is_off(self) -> bool:
        """Whether its mean probability is off beyond chance."""
        return self.part.p_adjusted < LEVEL

    @property
    def surely_off(self) -> float:
        """How far from 0 the nearer end of the gap's interval is; below 0 where it holds 0."""
        return max(self.part.gap.lower, -self.part.gap.upper)


def _words_of(diagnosis: Diagnosis) -> OutcomeWords:
    return RIGHT if diagnosis.facts.mapping.is_multiclass else POSITIVE


def whole_rows(diagnosis: Diagnosis) -> tuple[GapRow, ...]:
    """Each shown version that has probabilities; of several classes, its top label."""
    whole = {version: diagnosis.calibrations.whole(version) for version in diagnosis.shown_versions}
    return tuple(GapRow(version, "", part, True) for version, part in whole.items() if part is not None)


@dataclass(frozen=True, eq=False)
class GapsView:
    """Calibration of the parts of the versions that are compared.

    Attributes:
        baseline, candidate: versions.
        versions: those with rows, baseline first.
        what: what the parts are called.
        words: what p is of.
        rows: (version, value) to the part; of parts with enough labelled rows.
        whole: each version as a whole.
        ranked: values, those that are off by the largest sure distance first.
        n_small: values with too few labelled rows in each version.
    """

    baseline: str
    candidate: str
    versions: tuple[str, ...]
    what: str
    words: OutcomeWords
    rows: dict[tuple[str, str], GapRow]
    whole: tuple[GapRow, ...]
    ranked: tuple[str, ...]
    n_small: int

    @classmethod
    def of_cohorts(cls, diagnosis: Diagnosis, column: str) -> GapsView | None:
        """By value of a cohort column; None where parts have no probabilities."""
        key = cohort_key(column)
        parts = diagnosis.calibrations.parts(VERSION, key)
        return None if parts is None else cls._of(diagnosis, parts, key, column, _words_of(diagnosis))

    @classmethod
    def of_classes(cls, diagnosis: Diagnosis) -> GapsView | None:
        """By class against the rest, of several; the top label is the whole."""
        is_multiclass = diagnosis.facts.mapping.is_multiclass
        parts = diagnosis.calibrations.parts(VERSION, ONE_VS_REST) if is_multiclass else None
        return None if parts is None else cls._of(diagnosis, parts, ONE_VS_REST, "class", POSITIVE)

    @classmethod
    def _of(cls, diagnosis: Diagnosis, parts: CalibrationParts, key: str, what: str, words: OutcomeWords) -> GapsView:
        rows: dict[tuple[str, str], GapRow] = {}
        seen: dict[str, None] = {}
        for place, (version, value) in enumerate(zip(parts.groups[VERSION], parts.groups[key], strict=True)):
            if version not in diagnosis.shown_versions or (key == ONE_VS_REST and value == MISSING_KEY):
                continue
            seen[str(value)] = None
            part = parts[place]
            if part.gap.n >= SMALL and part.gap.is_defined:
                rows[str(version), str(value)] = GapRow(str(version), str(value), part)
        values = list(dict.fromkeys(value for _version, value in rows))
        settings = diagnosis.settings

        def order(value: str) -> tuple[bool, float]:
            own = [row for version in diagnosis.shown_versions if (row := rows.get((version, value)))]
            candidate = rows.get((settings.candidate, value))
            return not any(row.is_off for row in own), -(candidate or own[0]).surely_off

        return cls(
            settings.baseline,
            settings.candidate,
            tuple(each for each in diagnosis.shown_versions if any(version == each for version, _value in rows)),
            what,
            words,
            rows,
            whole_rows(diagnosis),
            tuple(sorted(values, key=order)),
            len(seen) - len(values),
        )

    @property
    def drawn(self) -> tuple[str, ...]:
        """The values that are drawn."""
        return self.ranked[:MOST_ROWS]

    @property
    def told(self) -> tuple[GapRow, ...]:
        """What a table tells: whole versions, then the values that are drawn."""
        values = [(version, value) for value in self.drawn for version in self.versions]
        return (*self.whole, *(self.rows[each] for each in values if each in self.rows))

    def sentence(self) -> str:
        """What is off most, without a full stop (plain text)."""
        off = [row for value in self.ranked for version in self.versions if (row := self.rows.get((version, value)))]
        off = [row for row in off if row.is_off]
        if not off:
            return f"No {self.what} has a mean probability that is off beyond chance"
        first = next((row for row in off if row.version == self.candidate), off[0])
        of = f" of version {first.version}" if len(self.versions) > 1 else ""
        part = first.part
        side = "too low" if part.gap.value > 0 else "too high"
        return (
            f"Probabilities for {self.what} = {first.value or '(missing)'}{of} are {side} on average: mean p is "
            f"{100 * part.mean_probability:.1f} %, {100 * part.positive_share:.1f} % are {self.words.came} "
            f"({format_change(part.gap.value, 'share')})"
        )

    def frame(self) -> pd.DataFrame:
        """One row per version and value, whole versions first."""
        return _frame([*self.whole, *(self.rows[each] for each in sorted(self.rows))], self.what)


@dataclass(frozen=True, eq=False)
class GapWindows:
    """Calibration over time: of each version where its windows begin, and the part there."""

    baseline: str
    width_words: str
    words: OutcomeWords
    lines: dict[str, tuple[tuple[int, GapRow], ...]]

    @classmethod
    def of(cls, diagnosis: Diagnosis) -> GapWindows | None:
        """The windows of a diagnosis; None without times, or where windows have no probabilities."""
        grid = diagnosis.facts.windows
        parts = None if grid is None else diagnosis.calibrations.parts(VERSION, WINDOW)
        if parts is None or grid is None:
            return None
        lines: dict[str, tuple[tuple[int, GapRow], ...]] = {}
        for version in diagnosis.shown_versions:
            here = np.flatnonzero((parts.groups[VERSION] == version) & (parts.groups[WINDOW] != NO_WINDOW))
            starts = parts.groups[WINDOW][here].astype(np.int64).tolist()
            pairs = zip(starts, here.tolist(), strict=True)
            rows = [(start, GapRow(version, format_time(start, grid.width), parts[place])) for start, place in pairs]
            if told := tuple(each for each in rows if each[1].part.gap.is_defined):
                lines[version] = told
        return cls(diagnosis.settings.baseline, grid.words, _words_of(diagnosis), lines) if lines else None

    @property
    def told(self) -> tuple[GapRow, ...]:
        """Every window of every version, in order of time."""
        rows = [each for line in self.lines.values() for each in line]
        return tuple(row for _start, row in sorted(rows, key=lambda each: each[0]))

    def sentence(self) -> str:
        """In how many windows probabilities were off, without a full stop (plain text)."""
        rows = self.told
        off = [row for row in rows if row.is_off]
        if not off:
            return f"Probabilities were off beyond chance in none of {format_plural(len(rows), 'window')}"
        worst = max(off, key=lambda row: row.surely_off)
        return (
            f"Probabilities were off beyond chance in {len(off)} of {len(rows)} windows, most of all on {worst.value}: "
            f"{format_change(worst.part.gap.value, 'share')} in version {worst.version}"
        )

    def frame(self) -> pd.DataFrame:
        """One row per version and window."""
        return _frame((row for line in self.lines.values() for _start, row in line), "window")


def _frame(rows: Iterable[GapRow], what: str) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "version": row.version,
                what: "(all rows)" if row.is_whole else row.value,
                "n": int(row.part.gap.n),
                "positive_share": row.part.positive_share,
                "mean_probability": row.part.mean_probability,
                "calibration_gap": row.part.gap.value,
                "lower": row.part.gap.lower,
                "upper": row.part.gap.upper,
                "floor": row.part.gap_floor,
                "p_adjusted": row.part.p_adjusted,
                **{name: each.estimate.value for name, each in row.part.errors.items()},
                **{f"{name}_floor": each.floor for name, each in row.part.errors.items()},
            }
            for row in rows
        ]
    )
