"""Calibration and recalibration of the versions of a dataset under a filter: what depends on no other setting.

Results are kept as long as the cells that they are of; the margin target plays no part in them.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence

import numpy as np

from lib.cells import Cells, once
from lib.metrics.calibration import (
    Calibration,
    MiscalibrationTest,
    compute_calibration,
    compute_miscalibration,
    no_calibration,
)
from lib.metrics.calibration_gaps import CalibrationGaps, calibration_gaps
from lib.metrics.catalogue import RECALIBRATED_AS_A_WHOLE
from lib.metrics.estimates import NO_USABLE_ROWS, NOT_A_PROBABILITY, Estimate, Estimates, concatenate, undefined
from lib.metrics.forecasts import Forecasts
from lib.metrics.recalibration import LOSSES, CrossFitted, Recalibration, recalibrate
from lib.metrics.recalibration_maps import MapName
from lib.metrics.rounding import Rounding, find_rounding
from lib.metrics.summary import Summary
from lib.scan.held import HeldTables
from lib.schema import FOLD, ONE_VS_REST, VERSION, Filter, ScoreKind, cohort_key
from lib.sources import Run

SEVERAL_CLASSES = "of several classes it is measured for each class, against the rest"


class Calibrations:
    """Calibration of each version, of what is shown: the score's own probabilities, or those of a map over it."""

    def __init__(self, tables: HeldTables, where: Filter, name: MapName | None) -> None:
        """Of the rows that pass a filter, recalibrated by the map of that name, if there is one."""
        self.tables, self.where, self.name = tables, where, name
        mapping = tables.facts.mapping
        self.is_multiclass = mapping.is_multiclass
        self.is_probability = mapping.score_kind.is_probabilistic

    @property
    def reason(self) -> str:
        """Why versions have no probabilities to be judged; "" where they have."""
        if self.is_multiclass:
            return SEVERAL_CLASSES
        return "" if self.is_probability or self.name is not None else NOT_A_PROBABILITY

    def of(self, version: str) -> Calibration:
        """Everything about the calibration of a version."""
        forecasts, why, cells, wanted = self._shown(version)
        if forecasts is None:
            return no_calibration(self._n(version), why)
        return once(cells, ("calibration", *wanted), lambda: compute_calibration(forecasts))

    def test(self, version: str) -> MiscalibrationTest:
        """Whether a version is calibrated, without all the rest."""
        forecasts, why, cells, wanted = self._shown(version)
        if forecasts is None:
            return MiscalibrationTest(math.nan, math.nan, self._n(version), why)
        return once(cells, ("test", *wanted), lambda: compute_miscalibration(forecasts))

    def forecasts(self, version: str) -> Forecasts | None:
        """The probabilities of a version that are shown; None where there are none."""
        return self._shown(version)[0]

    def rounding(self, version: str) -> Rounding | None:
        """How the probabilities of the file were rounded; None where they were not."""
        forecasts = self._plain(version)
        is_given = self.tables.facts.mapping.score_kind is ScoreKind.PROBABILITY
        return None if forecasts is None or not is_given or self.is_multiclass else find_rounding(forecasts)

    def of_class(self, version: str, name: str) -> Calibration:
        """Everything about the probability of one of several classes against the rest."""
        if not self.is_probability:
            return no_calibration(0, NOT_A_PROBABILITY)
        cells = self._cells(VERSION, ONE_VS_REST)
        group = _group(cells, {VERSION: version, ONE_VS_REST: name})
        if group is None:
            return no_calibration(0, NO_USABLE_ROWS)
        return once(cells, ("calibration", group), lambda: compute_calibration(Forecasts.of(cells, group)))

    def gaps(self, *keys: str) -> CalibrationGaps | None:
        """The calibration gap by these keys; None where parts have no probabilities."""
        if not self.is_probability or self.name is not None:
            return None
        if self.is_multiclass and ONE_VS_REST not in keys:
            return None
        cells = self._cells(*keys)
        return once(cells, ("gaps",), lambda: calibration_gaps(cells))

    def gaps_of_cohorts(self, column: str) -> CalibrationGaps | None:
        """The calibration gap by version and value of a cohort column."""
        return self.gaps(VERSION, cohort_key(column))

    @property
    def has_folds(self) -> bool:
        """Whether the table by fold is held: it is read on demand."""
        return self.tables.holds((VERSION, FOLD), self.where)

    def read_folds(self, *, run: Run | None = None, on_progress: Callable[[float, str], None] | None = None) -> None:
        """Read the table by fold, from which maps are fitted and judged.

        Raises:
            Cancelled: `run` was cancelled.
            SettingsError: saved cells that have no such table, or not under this filter.
        """
        if on_progress is not None:
            on_progress(0.0, "Reading the rows by fold")
        self.tables.read((VERSION, FOLD), self.where, run=run)

    def recalibration(self, version: str) -> Recalibration:
        """All maps of a version, fitted and judged over folds of the id; reads the table by fold if it is not held."""
        if self.is_multiclass:
            return Recalibration((), self.is_probability, (), SEVERAL_CLASSES)
        cells = self._cells(VERSION, FOLD)

        def compute() -> Recalibration:
            groups = np.flatnonzero(cells.groups[VERSION] == version)
            folds = [Forecasts.of(cells, int(group)) for group in groups]
            return recalibrate(folds, is_probability=self.is_probability)

        return once(cells, ("recalibration", version), compute)

    def replaced(self, summary: Summary, keys: Sequence[str]) -> Summary:
        """A summary with log loss and Brier score of the recalibrated probabilities, which only versions have."""
        if self.name is None or self.is_multiclass:
            return summary
        metrics = dict(summary.metrics)
        for loss in LOSSES:
            if tuple(keys) != (VERSION,):
                metrics[loss] = undefined(summary.n_labelled, RECALIBRATED_AS_A_WHOLE)
                continue
            of_versions = [self._loss(str(version), loss) for version in summary.groups[VERSION]]
            metrics[loss] = concatenate([_single(each) for each in of_versions])
        return dataclasses.replace(summary, metrics=metrics)

    def _loss(self, version: str, loss: str) -> Estimate:
        made, why = self._made(version)
        return Estimate(math.nan, math.nan, math.nan, self._n(version), why) if made is None else made.losses[loss]

    def _made(self, version: str) -> tuple[CrossFitted | None, str]:
        """The chosen map of a version, or why there is none."""
        found = self.recalibration(version)
        made = next((each for each in found.maps if each.name == self.name), None)
        return made, found.reason

    def _shown(self, version: str) -> tuple[Forecasts | None, str, Cells, tuple[object, ...]]:
        """The forecasts that are shown or why there are none, and where what is made of them is kept."""
        cells = self._cells(VERSION)
        if self.reason:
            return None, self.reason, cells, ()
        if self.name is None:
            forecasts = self._plain(version)
            return forecasts, "" if forecasts else NO_USABLE_ROWS, cells, (version,)
        made, why = self._made(version)
        return (None if made is None else made.forecasts), why, self._cells(VERSION, FOLD), (version, self.name)

    def _plain(self, version: str) -> Forecasts | None:
        cells = self._cells(VERSION)
        group = _group(cells, {VERSION: version})
        return None if group is None else once(cells, ("forecasts", group), lambda: Forecasts.of(cells, group))

    def _n(self, version: str) -> float:
        forecasts = self._plain(version)
        return 0.0 if forecasts is None else forecasts.n_rows

    def _cells(self, *keys: str) -> Cells:
        return self.tables.cells(keys, self.where)


def _group(cells: Cells, wanted: dict[str, str]) -> int | None:
    here = np.ones(cells.n_groups, np.bool_)
    for key, value in wanted.items():
        here &= cells.groups[key] == value
    return int(np.flatnonzero(here)[0]) if here.any() else None


def _single(each: Estimate) -> Estimates:
    value, lower, upper, n, bound = (np.array([x]) for x in (each.value, each.lower, each.upper, each.n, each.bound))
    return Estimates(value, lower, upper, n, (each.reason,), bound)
