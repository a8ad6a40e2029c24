"""Two versions paired by id, against pandas: every move, repeated ids, ids of one version, and labels that differ."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from lib.errors import Cancelled
from lib.metrics.support_vectors import BEGINS, kind_of
from lib.scan.pairs import ABSENT, MOST_ROWS, NO_MARGIN, REPEATED, PairQuery, held_pairs, list_moved, read_pairs
from lib.schema import EVERYTHING, Filter
from lib.sources import Run
from tests.scan.conftest import ScanOf

EDGES = tuple(BEGINS.values())


def two_versions(seed: int, n: int = 900, *, numbers: bool = False) -> pd.DataFrame:
    """Ids of both versions, of one, twice in one, with labels that differ or are missing, scores at the edges."""
    rng = np.random.default_rng(seed)
    parts: list[pd.DataFrame] = []
    label = rng.choice([-1, 1], n)
    for place, version in enumerate(("old", "new")):
        score = np.round(rng.normal(label * 0.9, 1.0), 2)
        part = pd.DataFrame({"id": np.arange(n) * 7, "version": version, "y": label, "decision_score": score})
        part["language"] = np.where(np.arange(n) % 3, "de", "pt")
        part = part[~part.index.isin(rng.choice(n, 60, replace=False))]
        again = part.sample(30, random_state=seed + place).assign(decision_score=0.5)
        parts.append(pd.concat([part, again], ignore_index=True))
    parts[1].loc[:25, "y"] *= -1
    frame = pd.concat(parts, ignore_index=True)
    frame["y"] = frame["y"].astype("Int64")
    frame.loc[rng.choice(len(frame), 40, replace=False), "y"] = pd.NA
    frame.loc[rng.choice(len(frame), 40, replace=False), "decision_score"] = np.nan
    if not numbers:
        frame["id"] = "r" + frame["id"].astype(str)
    return frame


def expected(frame: pd.DataFrame) -> dict[tuple[int, int, bool], int]:
    """How many ids make each move, by pandas."""
    sides: dict[str, dict[object, tuple[int, int]]] = {}
    for version, rows in frame.groupby("version"):
        held: dict[object, tuple[int, int]] = {}
        for name, own in rows.groupby("id"):
            row = own.iloc[0]
            if len(own) > 1:
                held[name] = REPEATED, 0
            elif pd.isna(row["y"]) or np.isnan(row["decision_score"]):
                held[name] = NO_MARGIN, 0
            else:
                held[name] = int(kind_of(np.array(row["y"]), np.array(row["decision_score"]))), int(row["y"])
        sides[str(version)] = held
    counts: dict[tuple[int, int, bool], int] = {}
    for name in {*sides["old"], *sides["new"]}:
        (before, first), (after, second) = (sides[each].get(name, (ABSENT, 0)) for each in ("old", "new"))
        key = before, after, bool(first and second and first != second)
        counts[key] = counts.get(key, 0) + 1
    return counts


def query(where: Filter = EVERYTHING) -> PairQuery:
    return PairQuery("old", "new", where, EDGES, cap=1.0)


@pytest.mark.parametrize("numbers", [False, True], ids=["texts", "numbers"])
@pytest.mark.parametrize("seed", range(2))
def test_every_move_is_counted(scan_of: ScanOf, numbers: bool, seed: int) -> None:
    frame = two_versions(seed, numbers=numbers)
    scan = scan_of(frame, roles={"id": "id"})
    assert held_pairs(scan, query()) is None
    pairs = read_pairs(scan, query())
    assert held_pairs(scan, query()) is pairs
    found: dict[tuple[int, int, bool], int] = {}
    for before, after, relabelled, n in zip(pairs.before, pairs.after, pairs.relabelled, pairs.n, strict=True):
        key = int(before), int(after), bool(relabelled)
        found[key] = found.get(key, 0) + int(n)
    assert found == expected(frame)


def test_sums_are_of_what_margins_changed_below_the_cap(scan_of: ScanOf) -> None:
    frame = two_versions(3)
    pairs = read_pairs(scan_of(frame, roles={"id": "id"}), query())
    once = frame[~frame.duplicated(["version", "id"], keep=False)].dropna()
    both = once[once["version"] == "old"].merge(once[once["version"] == "new"], on="id")
    capped = [np.minimum(both[f"y_{side}"].astype(float) * both[f"decision_score_{side}"], 1) for side in "xy"]
    d = capped[1] - capped[0]
    assert pairs.d.sum() == pytest.approx(d.sum())
    assert pairs.dd.sum() == pytest.approx((d**2).sum())


def test_what_moved_furthest_is_listed_with_its_own_columns(scan_of: ScanOf) -> None:
    frame = two_versions(4)
    scan = scan_of(frame, roles={"id": "id"})
    pairs = read_pairs(scan, query())
    entered = pairs.move([3], [0, 1, 2])
    assert 10 < len(entered) == pairs.count([3], [0, 1, 2]) <= 3 * MOST_ROWS
    assert entered["d"].abs().is_monotonic_decreasing
    listed = list_moved(scan, entered)
    assert len(listed) == len(entered)
    for row in listed.to_dict("records"):
        own = frame.iloc[row["record"] - 1]
        assert (own["version"], own["id"]) == ("new", row["id"])
        assert row["margin_after"] == pytest.approx(own["y"] * own["decision_score"])
        before = frame[(frame["version"] == "old") & (frame["id"] == row["id"])]
        assert row["margin_before"] == pytest.approx(float(before["y"].iloc[0] * before["decision_score"].iloc[0]))
        assert row["margin_before"] > 1 >= row["margin_after"] - 0.001


def test_a_filter_and_no_common_id(scan_of: ScanOf) -> None:
    frame = two_versions(5)
    scan = scan_of(frame, roles={"id": "id"})
    here = read_pairs(scan, query(Filter((("language", "pt"),))))
    own = frame[frame["language"] == "pt"]
    assert expected(own)[3, 3, False] == here.count([3], [3])
    apart = frame.assign(id=frame["version"] + frame["id"])
    none = read_pairs(scan_of(apart, name="apart", roles={"id": "id"}), query())
    assert none.count(range(4), range(4)) == 0
    assert none.rows.empty
    assert none.move([3], [0]).empty


def test_it_can_be_cancelled(scan_of: ScanOf) -> None:
    scan, run = scan_of(two_versions(6), roles={"id": "id"}), Run()
    run.cancel()
    with pytest.raises(Cancelled):
        read_pairs(scan, query(), run=run)
    assert held_pairs(scan, query()) is None
    assert not list(scan.stored.beside("x").parent.glob("*ids-*"))
