"""A dataset, scanned: rows are prepared once, cells are computed from them on demand and kept."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from lib.cells import AnswerCounts, Cells, Timeline, ValueBins, ValueCells, WrongAnswers
from lib.grid import FINE, Resolution
from lib.scan.answers import count_answers, count_wrong
from lib.scan.classes import class_categories
from lib.scan.compute import CELL_BUDGET, USUAL_BINS, compute_cells, may_be_exact
from lib.scan.features import FeatureCells, FeatureRows, compute_feature_cells
from lib.scan.held import HeldTables, ValueQuery
from lib.scan.ids import count_ids
from lib.scan.look import look_at
from lib.scan.lookup import Matches, choose_categories, find_values
from lib.scan.rare import RareValues, choose_values, sum_values
from lib.scan.row_ids import N_FOLDS
from lib.scan.stored_rows import StoredRows
from lib.scan.tables import default_tables_of, words_of
from lib.scan.timeline import choose_buckets, count_timeline
from lib.scan.values import choose_all_bins, choose_bins, compute_value_cells
from lib.schema import (
    EVERYTHING,
    FOLD,
    MAX_COHORT_VALUES,
    SPLIT,
    VERSION,
    WINDOW,
    Filter,
    Outside,
    cohort_column,
    cohort_key,
)
from lib.sources import Dataset
from lib.sources.engine import Run
from lib.sources.sql import table_of

Progress = Callable[[float, str], None]


class Scan(HeldTables):
    """Cells and facts of one dataset.

    Rows are read when it is made; afterwards `cells` answers from what it holds or groups the prepared rows once
    more. Safe to use from several threads.
    """

    def __init__(
        self,
        dataset: Dataset,
        store: Path,
        *,
        run: Run | None = None,
        on_progress: Progress | None = None,
        budget: int = CELL_BUDGET,
    ) -> None:
        """Prepare the rows of `dataset` below the folder `store`; a second time this is instant.

        Raises:
            Cancelled: `run` was cancelled; nothing is left behind.
            DataError: hardly any row is usable.
        """
        super().__init__()
        self.dataset = dataset
        self._budget = budget
        self._bins: dict[tuple[str, int], ValueBins] = {}
        self.stored = StoredRows(dataset, store)
        report = on_progress or (lambda _share, _words: None)
        work = run or Run()
        categories, gathered, texts = choose_categories(self.stored.count_texts(work))
        categories |= class_categories(dataset.mapping)
        self.stored.prepare(work, report, categories, gathered)
        with self.stored.rows(work) as cursor:
            self.facts, self.prepared = look_at(cursor, dataset, self.stored.path, categories, gathered, budget)
        self._found = {key: self.stored.write_values(work, self.prepared, key, table) for key, table in texts.items()}
        beyond = {column: len(texts[cohort_key(column)]) - MAX_COHORT_VALUES + 1 for column in self.gathering}
        self.facts = dataclasses.replace(self.facts, gathered=beyond)
        if self.prepared.has_id:
            report(1.0, "Comparing ids")
            ids = count_ids(dataset, self.prepared, self.stored.open_raw(work), work)
            self.facts = dataclasses.replace(self.facts, ids=ids)

    @property
    def gathering(self) -> tuple[str, ...]:
        """The cohort columns with values that their tables gather under one name: those to search in."""
        return tuple(column for column in self.facts.cohorts if cohort_key(column) in self._found)

    def find_values(self, column: str, part: str, run: Run | None = None) -> Matches:
        """The values of one of `gathering` that hold a text, whatever their case, with most rows first."""
        with (run or Run()).cursor() as cursor:
            cursor.execute(self._view_of_values(column))
            return find_values(cursor, part)

    def _view_of_values(self, column: str) -> str:
        return f"CREATE OR REPLACE TEMP VIEW found AS SELECT * FROM {table_of(self._found[cohort_key(column)])}"

    def _make(self, keys: tuple[str, ...], where: Filter, finest: Resolution) -> Cells:
        larger = self._larger(keys, finest)
        if larger is not None:
            table = self.cells(larger, where, finest=finest)
            if table.resolution == (FINE if finest.is_exact else finest):
                return table.rollup(list(keys))
        with self.stored.rows(getattr(self._working, "run", None)) as cursor:
            return compute_cells(
                cursor,
                self.prepared,
                keys,
                where,
                self.facts.windows,
                finest=finest,
                budget=self._budget,
                n_groups=self.n_groups(keys),
            )

    def _make_rare(self, column: str, where: Filter, outside: Outside) -> RareValues | None:
        by_version = self.cells((VERSION,), where)
        versions = self.facts.versions
        with self.stored.rows(getattr(self._working, "run", None)) as cursor:
            cursor.execute(self._view_of_values(column))
            chosen = choose_values(cursor, self.prepared.categories[cohort_key(column)], len(versions))
            return sum_values(cursor, self.prepared, column, chosen, where, outside, by_version, versions)

    def answers(self, keys: Sequence[str], where: Filter = EVERYTHING) -> AnswerCounts:
        """What the rows of each of several classes were answered with, by `keys`; counted anew each time."""
        with self.stored.rows() as cursor:
            return count_answers(cursor, self.prepared, keys, where, self.facts.windows)

    def wrong_answers(
        self, keys: Sequence[str], where: Filter = EVERYTHING, outside: Outside = (), one_in: int = 1
    ) -> WrongAnswers:
        """As `HeldTables.wrong_answers`."""
        with self.stored.rows() as cursor:
            return count_wrong(cursor, self.prepared, keys, where, self.facts.windows, outside, one_in)

    def _make_timeline(self, column: str | None, where: Filter, margin_target: float, run: Run | None) -> Timeline:
        facts = self.facts
        assert facts.first is not None
        assert facts.last is not None
        n_groups = self.n_groups((VERSION, *([] if column is None else [cohort_key(column)])))
        with self.stored.rows(run) as cursor:
            return count_timeline(
                cursor,
                self.prepared,
                column,
                where,
                choose_buckets(facts.first, facts.last, facts.n_rows, n_groups),
                margin_target,
                first=facts.first,
                last=facts.last,
                is_calibratable=facts.mapping.score_kind.is_probabilistic and not facts.mapping.is_multiclass,
            )

    def _make_values(self, query: ValueQuery, run: Run | None) -> ValueCells:
        open_raw = self.stored.open_raw(run or Run())
        cut = query.column, query.most_bins
        if cut not in self._bins:
            self._bins[cut] = choose_bins(self.dataset, self.prepared, open_raw, *cut)
        n_groups = self.n_groups(tuple(key for key in query.keys if key != VERSION or not query.versions))
        return compute_value_cells(
            self.dataset,
            self.prepared,
            open_raw,
            self._bins[cut],
            query.keys,
            query.where,
            self.facts.windows,
            versions=query.versions,
            margins=query.margins,
            n_groups=n_groups * max(len(query.versions), 1),
            one_in=query.one_in,
        )

    def bins_of(self, columns: Sequence[str], most: int, run: Run) -> list[ValueBins]:
        """How numeric columns are cut into so many bins at most, the same whoever asks.

        Raises:
            Cancelled: `run` was cancelled.
            SettingsError: no file has one of the columns.
        """
        new = [column for column in columns if (column, most) not in self._bins]
        for bins in choose_all_bins(self.dataset, self.stored.open_raw(run), new, most):
            self._bins[bins.column, most] = bins
        return [self._bins[column, most] for column in columns]

    def feature_cells(
        self,
        columns: Sequence[str],
        versions: tuple[str, ...],
        where: Filter = EVERYTHING,
        *,
        most_bins: int,
        one_in: int,
        run: Run | None = None,
        on_column: Callable[[str], None] = lambda _column: None,
    ) -> Iterator[FeatureCells]:
        """As `HeldTables.feature_cells`; numeric columns are read several at once."""
        facts, work = self.facts, run or Run()
        numeric = [column for column in columns if column not in facts.cohorts]
        open_raw = self.stored.open_raw(work)
        rows = FeatureRows(
            self.dataset, self.prepared, open_raw, where, facts.windows, facts.first, facts.last, versions, one_in
        )
        for some in rows.batches(numeric, most_bins):
            on_column(some[0])
            bins = self.bins_of(some, most_bins, work)
            yield from compute_feature_cells(rows, bins, work)
        rest = columns[len(numeric) :]
        yield from super().feature_cells(
            rest, versions, where, most_bins=most_bins, one_in=one_in, run=run, on_column=on_column
        )

    def _larger(self, keys: tuple[str, ...], finest: Resolution) -> tuple[str, ...] | None:
        """Keys of the larger table that a default table is added up from; None where rows are grouped for it.

        Of many rows, cohort columns that fit the budget together share one pass, and the whole is a sum of any.
        """
        if may_be_exact(self.prepared, self._budget) or (keys, finest) not in self._default_tables():
            return None
        columns = {key for key in keys if cohort_column(key)}
        ending = keys[2 + len(columns) :]
        if ending and not columns:
            return None
        for shared in self._sharing(ending, FINE if finest.is_exact else finest):
            if columns <= set(shared):
                larger = (VERSION, SPLIT, *shared, *ending)
                return None if larger == keys else larger
        return None

    def _sharing(self, ending: tuple[str, ...], resolution: Resolution) -> list[tuple[str, ...]]:
        """The keys of the cohort columns, in groups whose crossing fits the budget."""
        groups: list[tuple[str, ...]] = []
        for key in map(cohort_key, self.facts.cohorts):
            grown = (*groups[-1], key) if groups else ()
            if grown and self.n_groups((VERSION, SPLIT, *grown, *ending)) * USUAL_BINS[resolution] <= self._budget:
                groups[-1] = grown
            else:
                groups.append((key,))
        return groups

    def n_groups(self, keys: tuple[str, ...]) -> int:
        """About how many combinations of key values there are."""
        facts, count = self.facts, N_FOLDS if FOLD in keys else 1
        for key in keys:
            count *= max(1, len(self.prepared.categories.get(key, ())))
        if WINDOW in keys and facts.windows is not None and facts.first is not None and facts.last is not None:
            count *= (facts.windows.start(facts.last) - facts.windows.start(facts.first)) // facts.windows.width + 1
        return count

    def _default_tables(self) -> list[tuple[tuple[str, ...], Resolution]]:
        return default_tables_of(self.facts)

    def warm(self, where: Filter = EVERYTHING, *, run: Run | None = None, on_progress: Progress | None = None) -> None:
        """Compute the default tables of the rows that pass a filter, telling how far it is.

        Raises:
            Cancelled: `run` was cancelled; the tables made so far are kept.
        """
        tables, serving = self._default_tables(), self._serving_tables()
        steps = len(tables) + len(serving) + len(self.gathering)
        for index, (keys, finest) in enumerate(tables):
            if on_progress is not None:
                on_progress(index / steps, f"Summarising by {words_of(keys)}")
            if run is not None:
                run.check()
            self.read(keys, where, finest=finest, run=run)
        for keys, finest in tables:
            larger = self._larger(keys, finest)
            if larger is not None and (larger, finest) not in tables:
                self.forget(larger, where, finest)
        for index, (column, keys, versions) in enumerate(serving, start=len(tables)):
            if on_progress is not None:
                on_progress(index / steps, f"Summarising {column}")
            self.value_cells(column, keys, where, versions=versions, run=run)
        for index, column in enumerate(self.gathering, start=len(tables) + len(serving)):
            if on_progress is not None:
                on_progress(index / steps, f"Summarising every {column}")
            self._working.run = run
            try:
                self.rare_values(column, where)
            finally:
                self._working.run = None

    def _serving_tables(self) -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
        """Columns of latency and cost, their keys, and the two versions that are compared unless others are chosen."""
        versions = self.facts.versions
        ends = (versions[0], versions[-1])
        if len(versions) < 2:
            return []
        latency = self.facts.mapping.latency
        by_cohort = [] if latency is None else [(latency, (VERSION, cohort_key(each))) for each in self.facts.cohorts]
        return [(column, keys, ends) for column, keys in (*by_cohort, *self.facts.serving_tables)]

    def is_warm(self, where: Filter) -> bool:
        """Whether the default tables of that filter are held."""
        return all(self.holds(keys, where, finest) for keys, finest in self._default_tables())
