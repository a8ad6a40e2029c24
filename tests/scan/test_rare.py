"""Sums of each value that tables gather: the same from the engine as from plain numpy, and bounded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lib.scan import merge_cells, read_cells, save_cells
from lib.scan.rare import LEAST_ROWS, MOST_SUMS, RareValues
from lib.schema import EVERYTHING, VERSION, Filter, cohort_key
from tests.checks.gathered import GatheredTables
from tests.scan.conftest import ScanOf
from tests.scan.test_lookup import tenants

PT = (("v9",), Filter(cohorts=(("language", "pt"),)))
DAYS = (("v9", "v10"), Filter(start=1_767_600_000, end=1_768_000_000))


def world(seed: int = 0) -> pd.DataFrame:
    """Tenants of which some lack scores or labels, and two have one score in most rows."""
    generator = np.random.default_rng(seed)
    frame = tenants(seed, 30_000, 900)
    ranked = frame["tenant"].value_counts().index
    score = frame["decision_score"].where(generator.random(len(frame)) > 0.03)
    score = score.mask((frame["tenant"] == ranked[250]) & (generator.random(len(frame)) < 0.8), 0.5)
    score = score.mask((frame["tenant"] == ranked[300]) & (frame["version"] == "v9"), -1.25)
    label = frame["y_true"].astype(float).where(generator.random(len(frame)) > 0.05)
    return frame.assign(decision_score=score, y_true=label)


def by_name(values: RareValues, name: str) -> dict[tuple[str, str], np.ndarray]:
    array = getattr(values, name)
    return {
        (version, value): array[i, j]
        for i, version in enumerate(values.versions)
        for j, value in enumerate(values.values)
    }


@pytest.mark.parametrize(
    ("where", "outside"),
    [
        (EVERYTHING, ()),
        (EVERYTHING, (PT, DAYS)),
        (Filter(cohorts=(("language", "de"),)), ()),
        (Filter(start=1_767_800_000), (PT,)),
    ],
)
def test_the_sums_are_those_of_the_rows(scan_of: ScanOf, where: Filter, outside: tuple) -> None:
    frame = world()
    scan = scan_of(frame, cohorts=("tenant", "language"))
    mine = scan.rare_values("tenant", where, outside)
    named = frame.rename(columns={"decision_score": "score", "y_true": "label"})
    named["time"] = named["time"].dt.tz_localize("UTC")
    kind = scan.facts.mapping.score_kind
    theirs = GatheredTables(named, ("tenant", "language"), score_kind=kind).rare_values("tenant", where, outside)
    assert mine is not None
    assert theirs is not None
    assert set(mine.versions) == {"v9", "v10"}
    assert mine.others == "other"
    kept = set(mine.values) & set(theirs.values)
    # Which of those with as many rows as the last that is kept are rare is the scan's to say.
    assert len(kept) >= len(theirs.values) - 3
    for name in ("n", "unscored", "unlabelled", "order", "below"):
        own, other = by_name(mine, name), by_name(theirs, name)
        for key in other:
            if key[1] in kept:
                np.testing.assert_allclose(own[key], other[key], rtol=1e-9, atol=1e-9)
    for score in (0.5, -1.25):
        held, expected = mine.holding(score), theirs.holding(score)
        for value in kept:
            i, j = mine.values.index(value), theirs.values.index(value)
            order = [mine.versions.index(version) for version in theirs.versions]
            np.testing.assert_array_equal(held[order, i], expected[:, j])
    if where.is_everything and not outside:
        assert mine.holding(0.5).sum() >= LEAST_ROWS
        assert mine.holding(-1.25).sum() > 0


def test_coarse_cells_rank_rows_as_closely_as_their_bins(scan_of: ScanOf) -> None:
    frame = world(1)
    exact = scan_of(frame, cohorts=("tenant",)).rare_values("tenant")
    coarse = scan_of(frame, name="coarse", budget=2_000, cohorts=("tenant",)).rare_values("tenant")
    assert exact is not None
    assert coarse is not None
    np.testing.assert_array_equal(exact.n, coarse.n)
    np.testing.assert_array_equal(exact.below, coarse.below)
    assert np.abs(exact.order - coarse.order).max() < 0.05 * exact.order.max()


def test_few_values_are_told_apart_where_there_are_very_many(scan_of: ScanOf, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = world(2)
    scan = scan_of(frame, cohorts=("tenant",))
    whole = scan.rare_values("tenant")
    assert whole is not None
    counts = frame["tenant"].value_counts()
    assert (counts[list(whole.values)] >= LEAST_ROWS).all()
    assert len(whole.values) == (counts >= LEAST_ROWS).sum() - 199
    assert list(counts[list(whole.values)]) == sorted(counts[list(whole.values)], reverse=True)
    monkeypatch.setattr("lib.scan.rare.MOST_VALUES", 40)
    few = scan_of(frame, name="few", cohorts=("tenant",)).rare_values("tenant")
    assert few is not None
    assert few.values == whole.values[:40]
    monkeypatch.setattr("lib.scan.rare.MOST_SUMS", 20)  # Of two versions: ten values.
    fewest = scan_of(frame, name="fewest", cohorts=("tenant",)).rare_values("tenant")
    assert fewest is not None
    assert fewest.values == whole.values[:10]


def test_a_table_at_its_bound_takes_under_fifty_megabytes(scan_of: ScanOf) -> None:
    values = scan_of(world(3), cohorts=("tenant",)).rare_values("tenant")
    assert values is not None
    per_sum = sum(each.nbytes for each in vars(values).values() if isinstance(each, np.ndarray)) / values.n.size
    assert MOST_SUMS * per_sum < 50e6


def test_it_is_held_once_and_let_go_with_its_filter(scan_of: ScanOf) -> None:
    scan = scan_of(world(4), cohorts=("tenant",))
    held = scan.rare_values("tenant")
    assert scan.rare_values("tenant") is held
    before = scan.n_bytes(EVERYTHING)
    scan.let_go(EVERYTHING)
    assert scan.n_bytes(EVERYTHING) < before
    assert scan.rare_values("tenant") is not held


def test_nothing_is_told_apart_where_nothing_is_gathered(scan_of: ScanOf, tmp_path: Path) -> None:
    scan = scan_of(world(5), cohorts=("tenant", "language"))
    assert scan.rare_values("language") is None
    rare = scan.find_values("tenant", "Tenant").values[-1]
    assert scan.rare_values("tenant", Filter(cohorts=(("tenant", rare),))) is None
    save_cells(scan, tmp_path / "cells.parquet")
    saved = read_cells(tmp_path / "cells.parquet", "cells.parquet")
    assert saved.facts.gathered == scan.facts.gathered
    assert saved.rare_values("tenant") is None
    assert cohort_key("tenant") in saved.cells((VERSION, cohort_key("tenant"))).groups


def test_merged_cells_say_what_the_most_gathering_of_them_lacks(scan_of: ScanOf, tmp_path: Path) -> None:
    """A file of few tenants and one of many: whichever is named first, values are gathered."""
    parts = []
    for place, distinct in enumerate((150, 700)):
        frame = tenants(6 + place, 8_000, distinct).assign(version=f"v{place}")
        scan = scan_of(frame, name=f"part{place}", cohorts=("tenant",))
        save_cells(scan, tmp_path / f"{place}.parquet")
        parts.append(read_cells(tmp_path / f"{place}.parquet", f"{place}.parquet"))
    assert parts[0].facts.gathered == {}
    for order in (parts, parts[::-1]):
        assert merge_cells(order, ["a", "b"]).facts.gathered == parts[1].facts.gathered != {}
