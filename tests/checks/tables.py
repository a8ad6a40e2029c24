"""Cells of a frame in numpy, so that checks can be tried on hundreds of small data sets without files or an engine."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from lib.cells import NO_MARGIN, UNWEIGHTED, WEIGHTED, Cells, Coded, ValueBins, ValueCells, WrongAnswers, bin_ids
from lib.diagnose import Diagnosis
from lib.grid import EXACT, RESOLUTIONS, Resolution, score_id
from lib.scan.facts import Facts, IdCounts
from lib.scan.held import HeldTables, ValueQuery
from lib.scan.ids import HELD_OUT_SPLITS, TRAIN_SPLITS
from lib.scan.values import levels
from lib.scan.windows import WindowGrid, choose_windows
from lib.schema import (
    FOLD,
    NO_WINDOW,
    SPLIT,
    VERSION,
    WINDOW,
    Filter,
    LabelEncoding,
    Mapping,
    Outside,
    ScoreKind,
    cohort_key,
)
from lib.settings import Settings
from lib.sources import Run


class FrameTables(HeldTables):
    """`HeldTables` over a frame with columns score, and perhaps label (0, 1, NaN), version, time, split, weight."""

    def __init__(
        self,
        frame: pd.DataFrame,
        cohorts: tuple[str, ...] = (),
        *,
        score_kind: ScoreKind = ScoreKind.PROBABILITY,
        windows: WindowGrid | None = None,
        budget: int = 250_000,
    ) -> None:
        super().__init__()
        self.frame, self.budget = frame, budget
        n = len(frame)
        raw = frame["score"].to_numpy(np.float64)
        if score_kind is ScoreKind.PROBABILITY:
            eps = np.finfo(np.float64).eps
            self.s = logit(np.clip(raw, eps, 1 - eps))
            self.p = raw
        else:
            self.s, self.p = raw, expit(raw)
        has_label = "label" in frame
        label = frame["label"].to_numpy(np.float64) if has_label else np.full(n, np.nan)
        self.label = np.where(np.isnan(label), 0, np.where(label > 0, 1, -1)).astype(np.int64)
        times = None
        if "time" in frame:
            times = frame["time"]
        seconds = None
        if times is not None:
            seconds = times.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy("datetime64[s]")
        dated = np.zeros(n, bool) if seconds is None else ~np.isnat(seconds)
        epoch = np.zeros(n, np.int64) if seconds is None else np.where(dated, seconds.astype(np.int64), 0)
        self.epoch, self.dated = epoch, dated
        first = int(epoch[dated].min()) if dated.any() else None
        last = int(epoch[dated].max()) if dated.any() else None
        if windows is None and first is not None and last is not None:
            windows = choose_windows(first, last, int(dated.sum()))
        version = frame["version"].astype(str).to_numpy(str) if "version" in frame else np.full(n, "file")
        split = frame["split"].astype(str).to_numpy(str) if "split" in frame else np.full(n, "")
        self.columns: dict[str, Coded] = {VERSION: Coded.of(version), SPLIT: Coded.of(split)}
        for column in cohorts:
            self.columns[cohort_key(column)] = Coded.of(frame[column].fillna("").astype(str).to_numpy(str))
        window = np.full(n, NO_WINDOW, np.int64)
        if windows is not None:
            window = np.where(dated, (epoch - windows.origin) // windows.width * windows.width + windows.origin, window)
        self.columns[WINDOW] = Coded.of(window)
        self.columns[FOLD] = Coded.of(np.arange(n) % 10)
        missing = np.isnan(self.s)
        margin = np.where(missing, 0.0, self.label * np.nan_to_num(self.s))
        loss = np.where(self.label == 0, 0.0, np.logaddexp(0.0, -margin))
        moments = [self.s, self.s**2, loss, loss**2, self.p, self.p**2]
        moments = [np.where(missing, 0.0, each) for each in moments]
        sums = [np.ones(n), *moments]
        if "weight" in frame:
            w = frame["weight"].to_numpy(np.float64)
            sums += [w, w * w, *(w * each for each in moments), *(w * w * each for each in moments)]
        assert len(sums) in (len(UNWEIGHTED), len(WEIGHTED))
        self.sums = np.stack(sums, axis=1)
        versions = list(
            dict.fromkeys(version[np.argsort(epoch, kind="stable")].tolist() if dated.any() else sorted(version))
        )
        self.facts = Facts(
            name="frame",
            key="0" * 16,
            inputs=(),
            mapping=Mapping(
                score="score",
                score_kind=score_kind,
                label="label" if has_label else None,
                label_encoding=LabelEncoding(("1",), ("0",)) if has_label else None,
                id="id" if "id" in frame else None,
                version="version" if "version" in frame else None,
                time="time" if times is not None else None,
                latency="latency" if "latency" in frame else None,
                cost="cost" if "cost" in frame else None,
                weight="weight" if "weight" in frame else None,
                cohorts=cohorts,
            ),
            n_rows=n,
            versions=tuple(versions),
            splits=(),
            cohorts=cohorts,
            windows=windows,
            first=first,
            last=last,
            weighted="weight" in frame,
            ids=count_ids(frame.assign(version=version, split=split)) if "id" in frame else None,
        )

    def cells(self, keys: Any, where: Filter = Filter(), *, finest: Resolution = EXACT) -> Cells:
        # Without the detour over splits that rows need: half the time of these tests.
        wanted = (tuple(keys), where, finest.name)
        if wanted not in self._held:
            self._held[wanted] = self._make(tuple(keys), where, finest)
        return self._held[wanted]

    def _passing(self, where: Filter) -> np.ndarray:
        keep = np.ones(len(self.s), bool)
        for column, value in where.cohorts:
            coded = self.columns[cohort_key(column)]
            keep &= coded.values[coded.codes] == value
        if where.start is not None:
            keep &= self.dated & (self.epoch >= where.start)
        if where.end is not None:
            keep &= self.dated & (self.epoch < where.end)
        return keep

    def wrong_answers(
        self, keys: Any, where: Filter = Filter(), outside: Outside = (), one_in: int = 1
    ) -> WrongAnswers:
        assert one_in == 1, "no test has so many rows"
        keep = self._passing(where) & (self.label != 0) & ~np.isnan(self.s)
        version = self.columns[VERSION]
        for versions, part in outside:
            keep &= ~(np.isin(version.values, versions)[version.codes] & self._passing(part))
        columns = [Coded(self.columns[key].values, self.columns[key].codes[keep]) for key in keys]
        shape = [len(each.values) for each in columns]
        place = np.ravel_multi_index([each.codes for each in columns], shape)
        kept, group = np.unique(place, return_inverse=True)
        label, flagged = self.label[keep], self.s[keep] > 0
        negative = label < 0
        wrong = flagged == negative
        rows = np.stack([wrong, np.ones(len(label), bool), wrong & negative, negative], axis=1).astype(np.float64)
        counts = np.zeros((len(kept), 4))
        np.add.at(counts, group, rows)
        codes = np.unravel_index(kept, shape)
        named = zip(keys, columns, codes, strict=True)
        return WrongAnswers({key: Coded(column.values, code) for key, column, code in named}, counts)

    def _make(self, keys: tuple[str, ...], where: Filter, finest: Resolution) -> Cells:
        keep = self._passing(where)
        made: Cells | None = None
        for resolution in RESOLUTIONS[finest.order :]:
            if resolution.is_exact:
                score_bin, probability_bin = self.exact_bins
            else:
                score_bin, probability_bin = bin_ids(self.s, self.p, resolution)
            made = Cells.build(
                {key: Coded(self.columns[key].values, self.columns[key].codes[keep]) for key in keys},
                self.label[keep],
                score_bin[keep],
                probability_bin[keep],
                self.sums[keep],
                resolution=resolution,
                score=np.nan_to_num(self.s[keep]),
            )
            if len(made.score) <= self.budget:
                break
        assert made is not None
        return made

    def _make_values(self, query: ValueQuery, run: Run | None) -> ValueCells:
        n, column = len(self.s), query.column
        if column in self.facts.cohorts:
            coded = self.columns[cohort_key(column)]
            bins = ValueBins.of_categories(column, [str(each) for each in coded.values])
            place = np.where(coded.values[coded.codes] == "", len(bins), coded.codes)
            value = np.zeros(n)
        else:
            value = self.frame[column].to_numpy(np.float64)
            held = value[~np.isnan(value)]
            most = query.most_bins
            if len(np.unique(held)) <= most:
                bins = ValueBins.of_values(column, held)
            else:
                bins = ValueBins.of_edges(column, np.quantile(held, levels(most)), held.min(), held.max())
            place = bins.place(value)
            value = np.nan_to_num(value)
        step = np.full(n, NO_MARGIN)
        if query.margins:
            usable = (self.label != 0) & ~np.isnan(self.s)
            margin = np.clip(self.label * score_id(np.nan_to_num(self.s)), -1, 300)
            step = np.where(usable, margin // 2, NO_MARGIN)
        keep = np.ones(n, bool)
        if query.versions:
            keep = np.isin(self.columns["version"].values, query.versions)[self.columns["version"].codes]
        for cohort, chosen in query.where.cohorts:
            coded = self.columns[cohort_key(cohort)]
            keep = keep & (coded.values[coded.codes] == chosen)
        sums = np.stack([np.ones(n), value, value**2], axis=1)
        return ValueCells.build(
            {key: Coded(self.columns[key].values, self.columns[key].codes[keep]) for key in query.keys},
            bins,
            place[keep],
            step[keep],
            sums[keep],
            factor=1 if query.margins else 0,
        )

    @property
    def exact_bins(self) -> tuple[np.ndarray, np.ndarray]:
        if not hasattr(self, "_exact"):
            self._exact = bin_ids(self.s, self.p, EXACT)
        return self._exact


def count_ids(frame: pd.DataFrame) -> tuple[IdCounts, ...]:
    """How often ids occur again, told by pandas; a split is train, or the model is judged by it."""
    counts: list[IdCounts] = []
    for version, rows in frame[frame["id"].notna()].groupby("version"):
        again = rows.duplicated(["split", "id"])
        train = rows["split"].str.lower().isin(TRAIN_SPLITS)
        held_out = rows["split"].str.lower().isin(HELD_OUT_SPLITS)
        leaked = rows[held_out & rows["id"].isin(rows["id"][train])]
        counts.append(
            IdCounts(
                str(version),
                n=len(rows),
                n_repeated=int(again.sum()),
                n_repeated_ids=len(rows[again].drop_duplicates("id")),
                n_held_out=int(held_out.sum()),
                n_leaked=len(leaked),
                n_leaked_ids=leaked["id"].nunique(),
            )
        )
    return tuple(counts)


def cohort_columns(frame: pd.DataFrame) -> tuple[str, ...]:
    roles = {"id", "time", "version", "split", "label", "score", "weight", "latency", "cost"}
    return tuple(str(column) for column in frame.columns if column not in roles)


def diagnose(frame: pd.DataFrame, cohorts: tuple[str, ...] | None = None, **options: Any) -> Diagnosis:
    chosen = {key: options.pop(key) for key in ("baseline", "candidate", "margin_target") if key in options}
    tables = FrameTables(frame, cohort_columns(frame) if cohorts is None else cohorts, **options)
    return Diagnosis(tables, Settings.choose(tables.facts, **chosen))
