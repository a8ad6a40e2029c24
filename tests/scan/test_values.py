"""Cells of another value column: the same as a loop over the rows, under any keys, filter and file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lib.cells import ValueCells
from lib.errors import Cancelled, SettingsError
from lib.metrics.margins import violation_rate
from lib.metrics.values import value_mean, value_quantile
from lib.scan import SavedCells, Scan, read_cells, save_cells
from lib.schema import FOLD, SPLIT, VERSION, WINDOW, Filter, cohort_key
from lib.sources import Answers, Run, build_dataset, infer_mapping, read_table
from tests.scan.conftest import ScanOf, predictions

DAY = 86_400


def world(seed: int = 0, n: int = 4_000) -> pd.DataFrame:
    frame = predictions(seed, n)
    rng = np.random.default_rng([seed, 1])
    frame["latency_ms"] = np.exp(rng.normal(3, 0.7, n))
    frame["amount"] = np.where(rng.random(n) < 0.3, 0.0, rng.gamma(2, 50, n))
    frame.loc[rng.random(n) < 0.1, "amount"] = np.nan
    frame["visits"] = rng.poisson(3, n)
    return frame


def of_group(cells: ValueCells, **values: object) -> int:
    return int(np.flatnonzero(np.logical_and.reduce([cells.groups[key] == value for key, value in values.items()]))[0])


@pytest.mark.parametrize("column", ["amount", "visits", "latency_ms"])
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_counts_and_sums_are_those_of_a_loop(scan_of: ScanOf, column: str, suffix: str) -> None:
    frame = world()
    scan = scan_of(frame, suffix=suffix, score_kind="decision", cohorts=("language",))
    cells = scan.value_cells(column, (VERSION, SPLIT), margins=True)
    assert cells.n.sum() == len(frame)
    for version in ("v9", "v10"):
        for split in ("train", "test"):
            part = frame[(frame.version == version) & (frame.split == split)]
            place = of_group(cells, version=version, split=split)
            assert cells.n[place, -1] == part[column].isna().sum()
            bins = np.bincount(cells.bins.place(part[column]), minlength=len(cells.bins) + 1)
            assert cells.n[place].tolist() == bins.tolist()
            held = part[column].dropna()
            assert cells.whole[place, :, 1].sum() == pytest.approx(held.sum())
            assert cells.whole[place, :, 2].sum() == pytest.approx((held**2).sum())
            assert cells.whole[place, :, 3].sum() == pytest.approx(part.sample_weight.sum())
            margin = (2 * part.y_true - 1) * part.decision_score
            for gamma in (0.0, 0.02, 1.0, 2.98):
                below, doubt = cells.below(gamma)
                assert below[place, :, 0].sum() == (margin < gamma).sum()
                assert doubt.sum() == 0


def test_few_values_have_a_bin_each_and_many_have_quantiles(scan_of: ScanOf) -> None:
    scan = scan_of(world(), score_kind="decision", cohorts=("language",))
    assert scan.value_cells("visits", (VERSION,)).bins.is_exact
    amount = scan.value_cells("amount", (VERSION,)).bins
    assert amount.lower[0] == amount.upper[0] == 0.0
    assert not amount.is_exact
    assert len(amount) <= 202


def test_a_cohort_column_is_told_by_its_values(scan_of: ScanOf) -> None:
    frame = world()
    scan = scan_of(frame, score_kind="decision", cohorts=("language",))
    cells = scan.value_cells("language", (VERSION,), margins=True)
    assert cells.bins.categories == ("de", "en", "pt")
    rates = violation_rate(scan.cells((VERSION, cohort_key("language"))), 1.0)
    names = scan.cells((VERSION, cohort_key("language"))).groups
    below, _ = cells.below(1.0)
    for place, (version, language) in enumerate(zip(names[VERSION], names[cohort_key("language")], strict=True)):
        group, column = of_group(cells, version=version), cells.bins.categories.index(language)
        share = below[group, column, 3] / cells.with_margin[group, column, 3]
        assert share == pytest.approx(rates.value[place])


def test_windows_folds_filters_and_versions(scan_of: ScanOf) -> None:
    frame = world()
    scan = scan_of(frame, score_kind="decision", cohorts=("language",))
    start = int(pd.Timestamp("2026-01-05").timestamp())
    where = Filter(cohorts=(("language", "pt"),), split="test", start=start, end=start + 5 * DAY)
    second = frame.time.astype("datetime64[s]").astype("int64")
    part = frame[(frame.language == "pt") & (frame.split == "test") & (second >= start) & (second < start + 5 * DAY)]
    cells = scan.value_cells("amount", (VERSION, WINDOW), where, versions=("v9",))
    assert set(cells.groups[VERSION]) == {"v9"}
    days = second[part.index][part.version == "v9"] // DAY * DAY
    assert dict(zip(cells.groups[WINDOW].tolist(), cells.n.sum(axis=1).tolist(), strict=True)) == (
        days.value_counts().to_dict()
    )
    folds = scan.value_cells("amount", (FOLD,))
    assert folds.groups[FOLD].tolist() == list(range(10))
    assert folds.n.sum() == len(frame)


def test_latency_has_its_mean_and_quantiles(scan_of: ScanOf) -> None:
    """What a check of the serving columns needs: exact means, quantiles within their bound."""
    frame = world(2)
    scan = scan_of(frame, score_kind="decision", cohorts=("language",))
    cells = scan.value_cells("latency_ms", (VERSION,))
    for version in ("v9", "v10"):
        place, own = of_group(cells, version=version), frame.latency_ms[frame.version == version]
        assert value_mean(cells).value[place] == pytest.approx(own.mean())
        for q in (0.5, 0.95, 0.99):
            found = value_quantile(cells, q)
            assert abs(found.value[place] - own.quantile(q)) <= found.bound[place]
            assert found.bound[place] < 0.1 * own.quantile(q)


def test_a_column_that_one_file_lacks_is_missing_there(tmp_path: Path) -> None:
    first, second = world(0, 600), world(1, 500).drop(columns=["amount", "version"])
    first = first.drop(columns="version")
    tables = []
    for name, frame in (("one", first), ("two", second)):
        frame.to_parquet(tmp_path / f"{name}.parquet", index=False)
        tables.append(read_table(tmp_path / f"{name}.parquet", f"{name}.parquet", tmp_path / "store"))
    mapping = infer_mapping(tables, Answers(score_kind="decision", cohorts=("language",))).mapping
    cells = Scan(build_dataset(tables, mapping), tmp_path / "store").value_cells("amount", (VERSION,))
    assert cells.groups[VERSION].tolist() == ["one", "two"]
    assert cells.n[:, -1].tolist() == [first.amount.isna().sum(), 500]
    assert cells.n[0].sum() == 600


def test_what_is_no_number_is_missing(scan_of: ScanOf) -> None:
    frame = world(0, 400)
    frame["amount"] = frame.amount.fillna(1.0).astype(float)
    frame.loc[:3, "amount"] = [np.inf, -np.inf, np.nan, 1e200]
    cells = scan_of(frame, score_kind="decision", cohorts=("language",)).value_cells("amount", (VERSION,))
    assert cells.n[:, -1].sum() == 4
    assert np.isfinite(cells.whole).all()


def test_a_sample_is_a_share_of_the_rows_apart_from_folds(scan_of: ScanOf) -> None:
    scan = scan_of(world(0, 8_000).drop(columns="id"), score_kind="decision", cohorts=("language",))
    cells = scan.value_cells("visits", (FOLD,), one_in=4)
    assert cells.n.sum() == pytest.approx(2_000, rel=0.1)
    assert len(cells.groups[FOLD]) == 10
    assert cells.n.sum(axis=1).min() > 120


def test_tables_are_held_and_made_once(scan_of: ScanOf) -> None:
    scan = scan_of(world(), score_kind="decision", cohorts=("language",))
    assert scan.value_cells("visits", (VERSION,)) is scan.value_cells("visits", (VERSION,))
    assert scan.value_cells("visits", (VERSION,), keep=False) is scan.value_cells("visits", (VERSION,))


def test_what_cannot_be_asked(scan_of: ScanOf, tmp_path: Path) -> None:
    scan = scan_of(world(), score_kind="decision", cohorts=("language",))
    with pytest.raises(SettingsError, match="no column nowhere"):
        scan.value_cells("nowhere", (VERSION,))
    save_cells(scan, tmp_path / "cells.parquet")
    saved: SavedCells = read_cells(tmp_path / "cells.parquet", "cells.parquet")
    with pytest.raises(SettingsError, match="open the rows themselves"):
        saved.value_cells("visits", (VERSION,))
    run = Run()
    run.cancel()
    with pytest.raises(Cancelled):
        scan.value_cells("amount", (SPLIT,), run=run)
