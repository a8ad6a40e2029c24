"""Calibration and recalibration of the versions of a dataset under a filter: what depends on no other setting.

Results are kept as long as the cells that they are of; the margin target plays no part in them.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TypeAlias

import numpy as np

from lib.cells import Cells, kept, once
from lib.errors import SettingsError
from lib.metrics.calibration import (
    Calibration,
    MiscalibrationTest,
    compute_calibration,
    compute_miscalibration,
    no_calibration,
)
from lib.metrics.calibration_parts import CalibrationPart, CalibrationParts, calibration_parts
from lib.metrics.catalogue import RECALIBRATED_AS_A_WHOLE
from lib.metrics.estimates import NO_USABLE_ROWS, NOT_A_PROBABILITY, Estimate, Estimates, concatenate, undefined
from lib.metrics.forecasts import Forecasts
from lib.metrics.recalibration import LOSSES, CrossFitted, Recalibration, recalibrate
from lib.metrics.recalibration_maps import MapName
from lib.metrics.rounding import Rounding, find_rounding
from lib.metrics.summary import Summary
from lib.scan.held import HeldTables
from lib.schema import FOLD, ONE_VS_REST, TOP_LABEL, VERSION, Filter, ScoreKind
from lib.sources import Run

SEVERAL_CLASSES = "maps are of one score, and several classes have one each"
NO_TOP_LABEL = "these saved cells hold no table of the top label; write them again from their rows"

_Shown: TypeAlias = tuple[Forecasts | None, str, Cells, tuple[object, ...]]


class Calibrations:
    """Calibration of each version, of what is shown: the score's own probabilities, or those of a map over it.

    Of several classes the probability is that of the answer, the top label, and what may come true is that it is right
    (Guo et al. 2017); that of each class against the rest stands apart.
    """

    def __init__(self, tables: HeldTables, where: Filter, name: MapName | None) -> None:
        """Of the rows that pass a filter, recalibrated by the map of that name, if there is one."""
        self.tables, self.where, self.name = tables, where, name
        mapping = tables.facts.mapping
        self.is_multiclass = mapping.is_multiclass
        self.is_probability = mapping.score_kind.is_probabilistic
        self._top_label = (TOP_LABEL,) if self.is_multiclass and self.is_probability else ()

    @cached_property
    def reason(self) -> str:
        """Why versions have no probabilities to be judged; "" where they have."""
        if not self.is_probability and self.name is None:
            return NOT_A_PROBABILITY
        try:
            self._cells(VERSION)
        except SettingsError:
            if not self._top_label:
                raise
            return NO_TOP_LABEL
        return ""

    def of(self, version: str) -> Calibration:
        """Everything about the calibration of a version."""
        return self._compute(version, self._shown(version))

    def of_each(self, versions: Sequence[str]) -> dict[str, Calibration]:
        """Everything about the calibration of several versions, at least one, worked out at the same time."""
        # What they share is there before the threads begin, whose work is numpy's for the most part.
        shown = [self._shown(version) for version in versions]
        with ThreadPoolExecutor(len(versions)) as pool:
            return dict(zip(versions, pool.map(self._compute, versions, shown), strict=True))

    def _compute(self, version: str, shown: _Shown) -> Calibration:
        forecasts, why, cells, wanted = shown
        if forecasts is None:
            return no_calibration(self._n(version), why)
        return once(cells, ("calibration", *wanted), lambda: compute_calibration(forecasts))

    def test(self, version: str) -> MiscalibrationTest:
        """Whether a version is calibrated, without all the rest."""
        forecasts, why, cells, wanted = self._shown(version)
        if forecasts is None:
            return MiscalibrationTest(math.nan, math.nan, self._n(version), why)
        whole = kept(cells, ("calibration", *wanted))
        if isinstance(whole, Calibration):
            return whole.test
        return once(cells, ("test", *wanted), lambda: compute_miscalibration(forecasts))

    def forecasts(self, version: str) -> Forecasts | None:
        """The probabilities of a version that are shown; None where there are none."""
        return self._shown(version)[0]

    def rounding(self, version: str) -> Rounding | None:
        """How the probabilities of the file were rounded; None where they were not."""
        if self.reason or self.tables.facts.mapping.score_kind is not ScoreKind.PROBABILITY:
            return None
        forecasts = self._plain(version)
        return None if forecasts is None else find_rounding(forecasts)

    def of_class(self, version: str, name: str) -> Calibration:
        """Everything about the probability of one of several classes against the rest."""
        if not self.is_probability:
            return no_calibration(0, NOT_A_PROBABILITY)
        cells = self.tables.cells((VERSION, ONE_VS_REST), self.where)
        group = _group(cells, {VERSION: version, ONE_VS_REST: name})
        if group is None:
            return no_calibration(0, NO_USABLE_ROWS)
        return once(cells, ("calibration", group), lambda: compute_calibration(Forecasts.of(cells, group)))

    def parts(self, *keys: str) -> CalibrationParts | None:
        """Calibration by these keys; None where parts have no probabilities."""
        if self.reason or self.name is not None:
            return None
        cells = self._cells(*keys)
        return once(cells, ("parts",), lambda: calibration_parts(cells))

    def whole(self, version: str) -> CalibrationPart | None:
        """A version as a part, with the errors and floors of `of`; None where it has no probabilities to be judged."""
        parts, found = self.parts(VERSION), self.of(version)
        if parts is None or found.reason:
            return None
        part = parts[int(np.flatnonzero(parts.groups[VERSION] == version)[0])]
        return dataclasses.replace(part, errors={name: found.errors[name] for name in part.errors})

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

    def _shown(self, version: str) -> _Shown:
        """The forecasts that are shown or why there are none, and where what is made of them is kept."""
        if self.reason:
            return None, self.reason, self.tables.cells((VERSION,), self.where), ()
        cells = self._cells(VERSION)
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
        cells = self.tables.cells((VERSION,), self.where)
        group = _group(cells, {VERSION: version})
        return 0.0 if group is None else float(cells.margins.n[group].sum())

    def _cells(self, *keys: str) -> Cells:
        apart = () if ONE_VS_REST in keys else self._top_label
        return self.tables.cells((*keys, *apart), self.where)


def _group(cells: Cells, wanted: dict[str, str]) -> int | None:
    here = np.ones(cells.n_groups, np.bool_)
    for key, value in wanted.items():
        here &= cells.groups[key] == value
    return int(np.flatnonzero(here)[0]) if here.any() else None


def _single(each: Estimate) -> Estimates:
    value, lower, upper, n, bound = (np.array([x]) for x in (each.value, each.lower, each.upper, each.n, each.bound))
    return Estimates(value, lower, upper, n, (each.reason,), bound)
