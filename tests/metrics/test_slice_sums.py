"""The sums behind a search for slices: what pandas adds up by brute force, in one piece or in several."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.metrics.slice_sums import CONFIRM, EXPLORE, CodedRows, Condition, OverlapSums, SliceSums, moments_of
from tests.metrics.slice_worlds import coded_rows, columns_of, planted

SIZES = (3, 2, 4, 2)


def piece(rows: CodedRows, chosen: slice) -> CodedRows:
    weight = None if rows.weight is None else rows.weight[chosen]
    return CodedRows(tuple(code[chosen] for code in rows.codes), rows.outcome[chosen], rows.explored[chosen], weight)


def brute(rows: CodedRows, inside: np.ndarray) -> dict[str, float]:
    x, w = rows.outcome[inside], (np.ones(len(rows.outcome)) if rows.weight is None else rows.weight)[inside]
    terms = {"n": np.ones(len(x)), "w": w, "w2": w**2, "wx": w * x, "w2x": w**2 * x, "w2xx": w**2 * x**2}
    return {name: float(term.sum()) for name, term in terms.items()}


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), depth=st.integers(1, 3), weighted=st.booleans(), cut=st.integers(0, 300))
def test_sums_of_any_slice_are_those_of_its_rows(seed: int, depth: int, weighted: bool, cut: int) -> None:
    rows = coded_rows(seed, 300, SIZES, planted(), weighted=weighted)
    sums = SliceSums(columns_of(*SIZES), depth, weighted=weighted)
    sums.add(piece(rows, slice(0, cut)))
    sums.add(piece(rows, slice(cut, None)))
    for size in range(depth + 1):
        for chosen in itertools.combinations(range(len(SIZES)), size):
            for levels in itertools.product(*(range(SIZES[each]) for each in chosen)):
                place = tuple((column, level, level) for column, level in zip(chosen, levels, strict=True))
                inside = np.all([rows.codes[c] == level for c, level, _last in place] or [rows.explored | True], axis=0)
                for half, own in ((EXPLORE, inside & rows.explored), (CONFIRM, inside & ~rows.explored)):
                    found = moments_of(sums.at(place)[half])
                    for name, value in brute(rows, own).items():
                        assert getattr(found, name) == pytest.approx(value, abs=1e-9), (place, half, name)


def test_a_table_is_a_group_by_of_pandas() -> None:
    rows = coded_rows(3, 5_000, SIZES, planted(({0: 1, 2: 2}, 0.9)))
    sums = SliceSums(columns_of(*SIZES), 3, weighted=False)
    sums.add(rows)
    frame = pd.DataFrame({**{f"c{i}": code for i, code in enumerate(rows.codes)}, "x": rows.outcome})
    by = frame[rows.explored].groupby(["c0", "c2"])["x"].agg(["size", "sum"])
    np.testing.assert_array_equal(sums.of((0, 2))[EXPLORE][..., 0], by["size"].unstack())
    np.testing.assert_array_equal(sums.of((0, 2))[EXPLORE][..., 1], by["sum"].unstack())


def test_levels_that_are_joined_are_a_sum() -> None:
    rows = coded_rows(3, 2_000, SIZES, planted(({0: 1, 2: 2}, 0.9)))
    sums = SliceSums(columns_of(*SIZES), 2, weighted=False)
    sums.add(rows)
    inside = (rows.codes[0] == 1) & (rows.codes[2] >= 1) & (rows.codes[2] <= 3) & ~rows.explored
    assert sums.at(((0, 1, 1), (2, 1, 3)))[CONFIRM, :2].tolist() == [inside.sum(), rows.outcome[inside].sum()]


@pytest.mark.parametrize("weighted", [False, True])
def test_overlaps_tell_which_slices_hold_a_row(weighted: bool) -> None:
    rows = coded_rows(4, 3_000, SIZES, planted(), weighted=weighted)
    places = (((0, 1, 1),), ((0, 1, 1), (2, 2, 3)), ((1, 0, 0), (3, 1, 1)))
    overlaps = OverlapSums(places, weighted=weighted)
    for begin in range(0, 3_000, 700):
        overlaps.add(piece(rows, slice(begin, begin + 700)))
    held = np.array(
        [
            np.all([(rows.codes[c] >= low) & (rows.codes[c] <= high) for c, low, high in place], axis=0)
            for place in places
        ]
    )
    for half, own in ((EXPLORE, rows.explored), (CONFIRM, ~rows.explored)):
        member, sums = overlaps.of(half)
        assert member.shape == (3, len(sums))
        assert len(np.unique(member.T, axis=0)) == len(sums)
        for kind in range(len(sums)):
            found = moments_of(sums[kind])
            for name, value in brute(rows, own & (held == member[:, kind][:, None]).all(axis=0)).items():
                assert getattr(found, name) == pytest.approx(value, abs=1e-9)


def test_as_many_slices_as_can_be_told_apart() -> None:
    rows = coded_rows(5, 500, (63,), planted())
    overlaps = OverlapSums([((0, level, level),) for level in range(63)], weighted=False)
    overlaps.add(rows)
    for half, own in ((EXPLORE, rows.explored), (CONFIRM, ~rows.explored)):
        member, sums = overlaps.of(half)
        np.testing.assert_array_equal(
            [sums[each, 0].sum() for each in member], np.bincount(rows.codes[0][own], minlength=63)
        )
    with pytest.raises(ValueError, match="64 slices are more than the 63"):
        OverlapSums([((0, level, level),) for level in range(64)], weighted=False)


@pytest.mark.parametrize(("sizes", "depth"), [((), 1), ((2, 2), 0), ((2, 2), 4)])
def test_what_cannot_be_searched_is_refused(sizes: tuple[int, ...], depth: int) -> None:
    with pytest.raises(ValueError, match=rf"{len(sizes)} columns cannot be searched {depth} at a time"):
        SliceSums(columns_of(*sizes), depth, weighted=False)


def test_no_deeper_than_there_are_columns() -> None:
    assert SliceSums(columns_of(2, 2), 3, weighted=False).depth == 2


def test_what_is_missing_says_so() -> None:
    assert Condition("language", "").is_missing
    assert Condition("width").is_missing
    assert not Condition("language", "pt").is_missing
    assert not Condition("width", None, -np.inf, 2.0).is_missing
