"""Cohort columns with thousands of values: the same numbers as from the rows, for values that tables gather too."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lib.metrics.margins import violation_rate
from lib.scan import RowQuery, Scan, count_rows, list_rows
from lib.scan.lookup import MOST_MATCHES
from lib.schema import EVERYTHING, VERSION, WINDOW, Filter, cohort_key
from lib.sources import Answers, build_dataset, infer_mapping, read_table
from tests.scan.conftest import ScanOf, predictions

TENANT = cohort_key("tenant")


def tenants(seed: int = 0, n: int = 20_000, distinct: int = 3_000) -> pd.DataFrame:
    """Rows of many tenants, the first of which have most."""
    generator = np.random.default_rng(seed)
    place = np.minimum(generator.geometric(0.002, n) - 1, distinct - 1)
    return predictions(seed, n).drop(columns="sample_weight").assign(tenant=[f"Tenant {each:05d}" for each in place])


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_any_value_is_a_filter_with_the_numbers_of_its_rows(scan_of: ScanOf, suffix: str) -> None:
    frame = tenants()
    frame.loc[::37, "decision_score"] = np.inf
    scan = scan_of(frame, suffix=suffix, cohorts=("tenant",))
    assert scan.gathering == ("tenant",)
    usable = frame[np.isfinite(frame["decision_score"])]
    counts = usable["tenant"].value_counts()
    for tenant in (counts.index[0], counts.index[400], counts.index[-1]):
        own = usable[usable["tenant"] == tenant]
        where = Filter(cohorts=(("tenant", tenant),))
        cells = scan.cells((VERSION, TENANT), where)
        assert set(cells.groups[TENANT]) == {tenant}
        rates = violation_rate(cells, 1.0)
        for place, version in enumerate(cells.groups[VERSION]):
            mine = own[own["version"] == version]
            margin = np.where(mine["y_true"] == 1, 1, -1) * mine["decision_score"]
            assert rates.n[place] == len(mine)
            assert rates.value[place] == pytest.approx((margin < 1.0).mean())
        assert scan.cells((WINDOW,), where).scored.n.sum() == len(own)
        assert count_rows(scan, RowQuery(where)) == len(own)
        assert set(list_rows(scan, RowQuery(where))["tenant"]) == {tenant}
        assert scan.value_cells("tenant", (VERSION,), where).n.sum() == len(own)
        found = scan.find_values("tenant", tenant)
        assert (found.values, found.rows, found.n) == ((tenant,), (len(own),), 1)


def test_tables_hold_the_most_frequent_values_and_the_others_together(scan_of: ScanOf) -> None:
    frame = tenants(1)
    counts = frame["tenant"].value_counts().sort_index().sort_values(ascending=False, kind="stable")
    scan = scan_of(frame, cohorts=("tenant", "language"))
    assert scan.gathering == ("tenant",)
    assert scan.facts.gathered == {"tenant": len(counts) - 199}
    cells = scan.cells((TENANT,))
    rows = dict(zip(cells.groups[TENANT], cells.scored.n.sum(axis=1), strict=True))
    assert rows.pop("other") == counts[199:].sum()
    assert rows == counts[:199].to_dict()
    assert scan.cells((), Filter(cohorts=(("tenant", "other"),))).scored.n.sum() == counts[199:].sum()
    assert count_rows(scan, RowQuery(Filter(cohorts=(("tenant", "nobody"),)))) == 0


def test_what_is_kept_is_decided_once_for_all_files(tmp_path: Path) -> None:
    """Each file by itself has few values enough; together they have not."""
    frames = [tenants(seed, 4_000, 150).assign(version=f"v{seed}") for seed in (2, 3)]
    frames[1]["tenant"] = frames[1]["tenant"].str.replace("Tenant", "Client")
    tables = []
    for place, frame in enumerate(frames):
        path = tmp_path / f"{place}.csv"
        frame.to_csv(path, index=False)
        tables.append(read_table(path, path.name, tmp_path / "store"))
    mapping = infer_mapping(tables, Answers(cohorts=("tenant",))).mapping
    scan = Scan(build_dataset(tables, mapping), tmp_path / "store")
    counts = pd.concat(frames)["tenant"].value_counts()
    ranked = sorted(counts.index, key=lambda each: (-counts[each], each))
    assert set(scan.prepared.categories[TENANT]) == {*ranked[:199], "other"}
    assert scan.cells((TENANT,)).scored.n.sum() == 8_000
    gathered = ranked[-1]
    assert count_rows(scan, RowQuery(Filter(cohorts=(("tenant", gathered),)))) == counts[gathered]


def test_what_is_searched_for_stands_for_itself(scan_of: ScanOf) -> None:
    names = ["100 % wool", "a_b", "a.b", r"back\slash", "O'Brien; DROP TABLE", "ÄÖÜ Straße", "<b>bold</b>", "100 wool"]
    frame = tenants(4)
    frame.loc[: 30 * len(names) - 1, "tenant"] = np.repeat(names, 30)
    scan = scan_of(frame, suffix="csv", cohorts=("tenant",))

    def found(part: str) -> set[str]:
        return set(scan.find_values("tenant", part).values)

    assert found("%") == {"100 % wool"}
    assert found("_") == {"a_b"}
    assert found("A.B") == {"a.b"}
    assert found("\\") == {r"back\slash"}
    assert found("o'brien;") == {"O'Brien; DROP TABLE"}
    assert found("äöü") == {"ÄÖÜ Straße"}
    assert found("<B>") == {"<b>bold</b>"}
    assert found("nobody at all") == set()
    assert found("x" * 10_000) == set()


def test_a_search_lists_few_and_tells_how_many(scan_of: ScanOf) -> None:
    frame = tenants(5)
    scan = scan_of(frame, cohorts=("tenant",))
    counts = frame["tenant"].value_counts()
    matches = scan.find_values("tenant", "tenant")
    assert (len(matches.values), matches.n) == (MOST_MATCHES, len(counts))
    assert matches.rows == tuple(sorted(counts, reverse=True)[:MOST_MATCHES])
    assert matches.rows == tuple(counts[list(matches.values)])
    # The very name comes first, however few rows it has.
    frame.loc[:1, "tenant"] = "00"
    renamed = scan_of(frame, name="renamed", cohorts=("tenant",)).find_values("tenant", "00")
    assert renamed.values[0] == "00"
    assert renamed.rows[0] == 2


def test_a_value_called_other_is_not_taken_for_the_others(scan_of: ScanOf) -> None:
    frame = tenants(6)
    frame.loc[:1_999, "tenant"] = "other"
    frame.loc[2_000:2_099, "tenant"] = None
    scan = scan_of(frame, cohorts=("tenant",))
    cells = scan.cells((TENANT,), EVERYTHING)
    rows = dict(zip(cells.groups[TENANT], cells.scored.n.sum(axis=1), strict=True))
    assert rows["other"] == 2_000
    assert rows[""] == 100
    assert rows["(other)"] > 0
    assert sum(rows.values()) == 20_000
    assert count_rows(scan, RowQuery(Filter(cohorts=(("tenant", "other"),)))) == 2_000
    assert scan.find_values("tenant", "other").values == ("other",)
