"""`FrameTables` whose cohort columns gather what is beyond the most frequent values, told apart by plain numpy."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from lib.cells import Cells, Coded
from lib.diagnose import Diagnosis
from lib.grid import Resolution
from lib.scan.rare import LEAST_ROWS, MARGIN_STEPS, RareValues
from lib.schema import MAX_COHORT_VALUES, OTHER, VERSION, Filter, Outside, cohort_key
from lib.settings import Settings
from tests.checks.tables import FrameTables


class GatheredTables(FrameTables):
    """The most frequent values of each cohort column, the others as "other" and by themselves."""

    def __init__(self, frame: pd.DataFrame, cohorts: tuple[str, ...], **options: Any) -> None:
        super().__init__(frame, cohorts, **options)
        self.whole: dict[str, Coded] = {}
        beyond: dict[str, int] = {}
        for column in cohorts:
            coded = self.columns[cohort_key(column)]
            if len(coded.values) > MAX_COHORT_VALUES:
                counts = np.bincount(coded.codes)
                rare = np.argsort(-counts, kind="stable")[MAX_COHORT_VALUES - 1 :]
                names = coded.values.astype(object)
                names[rare] = OTHER
                self.whole[column], beyond[column] = coded, len(rare)
                values, places = np.unique(names.astype(str), return_inverse=True)
                self.columns[cohort_key(column)] = Coded(values, places[coded.codes])
        self.facts = dataclasses.replace(self.facts, gathered=beyond)

    def _make(self, keys: tuple[str, ...], where: Filter, finest: Resolution) -> Cells:
        held = dict(self.columns)
        for column, value in where.cohorts:
            if column in self.whole and value not in self.columns[cohort_key(column)].values:
                self.columns[cohort_key(column)] = self.whole[column]
        try:
            return super()._make(keys, where, finest)
        finally:
            self.columns = held

    def _passes(self, where: Filter) -> np.ndarray:
        keep = np.ones(len(self.s), bool)
        for column, value in where.cohorts:
            coded = self.columns[cohort_key(column)]
            if column in self.whole and value not in coded.values:
                coded = self.whole[column]
            keep &= coded.values[coded.codes] == value
        if where.start is not None:
            keep &= self.dated & (self.epoch >= where.start)
        if where.end is not None:
            keep &= self.dated & (self.epoch < where.end)
        return keep

    def _make_rare(self, column: str, where: Filter, outside: Outside) -> RareValues:
        coded, versions = self.whole[column], self.facts.versions
        counts = np.bincount(coded.codes, minlength=len(coded.values))
        ranked = np.argsort(-counts, kind="stable")[MAX_COHORT_VALUES - 1 :]
        ranked = ranked[counts[ranked] >= LEAST_ROWS]
        place = np.full(len(coded.values), -1)
        place[ranked] = np.arange(len(ranked))
        names = self.columns[VERSION].values[self.columns[VERSION].codes]
        version = np.array([versions.index(str(each)) for each in self.columns[VERSION].values])
        version = version[self.columns[VERSION].codes]
        keep, scored = self._passes(where), ~np.isnan(self.s)
        r = np.zeros(len(self.s))
        for each in range(len(versions)):
            here = keep & scored & (version == each)
            if here.any():
                r[here] = (rankdata(self.s[here]) - 0.5) / here.sum()
        for some, part in outside:
            keep &= ~(np.isin(names, some) & self._passes(part))
        keep &= place[coded.codes] >= 0
        shape = len(versions), len(ranked)
        at = (version * len(ranked) + place[coded.codes])[keep]
        scored, label, r, s = scored[keep], self.label[keep], r[keep], self.s[keep]

        def total(use: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
            counted = np.bincount(at[use], None if weights is None else weights[use], minlength=shape[0] * shape[1])
            return counted.astype(float).reshape(shape)

        positive, negative = scored & (label > 0), scored & (label < 0)
        both = positive | negative
        steps = np.linspace(0, 3, MARGIN_STEPS + 1)
        below = [total(both & (label * np.nan_to_num(s) < step - 1e-12)) for step in steps]
        frame: Any = pd.DataFrame({"place": at[scored] % max(1, shape[1]), "version": at[scored] // max(1, shape[1])})
        pairs = frame.assign(score=s[scored]).groupby(["place", "score"])["version"]
        held = {key: np.bincount(rows, minlength=shape[0]) for key, rows in pairs if len(rows) >= LEAST_ROWS / 2}
        rows = total(scored)
        modes: list[tuple[int, float, np.ndarray]] = []
        for (value, score), counts in held.items():
            of = np.append(rows[:, value], rows[:, value].sum())
            if ((of >= LEAST_ROWS) & (2 * np.append(counts, counts.sum()) >= of)).any():
                modes.append((value, score, counts))
        return RareValues(
            column,
            versions,
            tuple(str(each) for each in coded.values[ranked]),
            OTHER,
            total(np.ones(len(at), bool)),
            total(~scored),
            total(label == 0),
            np.stack(
                [total(positive), total(negative), total(positive, r), total(negative, r), total(both, r * r)],
                axis=-1,
            ),
            np.stack(below, axis=-1).astype(np.int32),
            np.array([each[1] for each in modes], float),
            np.array([each[0] for each in modes], np.int64),
            np.array([each[2] for each in modes], float).reshape(len(modes), shape[0]).T,
        )


def diagnose_gathered(frame: pd.DataFrame, cohorts: tuple[str, ...], **options: Any) -> Diagnosis:
    chosen = {key: options.pop(key) for key in ("baseline", "candidate", "margin_target") if key in options}
    tables = GatheredTables(frame, cohorts, **options)
    return Diagnosis(tables, Settings.choose(tables.facts, **chosen))
