"""The search for the worst slices: a hand-worked strength, an obvious slow search, planted slices and none."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from lib.metrics.estimates import NO_USABLE_ROWS
from lib.metrics.intervals import excess_p_value
from lib.metrics.slice_choice import LEAST_EFFECT, LEAST_ROWS, LEAST_STRENGTH, shortlist, strength
from lib.metrics.slice_sums import CodedRows, Condition, OverlapSums, Place, SearchedColumn, SliceSums
from lib.metrics.slices import compare_with
from tests.metrics.slice_worlds import coded_rows, columns_of, described, planted, search

SIZES = (8, 6, 5, 4, 6)


def rate_sums(n: float, hits: float) -> np.ndarray:
    return np.array([n, hits, hits])


# --- strength --------------------------------------------------------------------------------------------------------


def test_strength_by_hand() -> None:
    # 30 of 100 against 100 of 900. Variances: 0.3·0.7·100/99 = 0.21212, 1/9·8/9·900/899 = 0.09888,
    # of all 0.13·0.87·1000/999 = 0.11321; the largest is the first. 90 rows tell: √(0.21212/90) = 0.048548.
    effect, found = strength(rate_sums(100, 30)[None], rate_sums(900, 100)[None])
    assert effect == pytest.approx(0.3 - 1 / 9)
    assert found == pytest.approx((0.3 - 1 / 9) / 0.0485479, rel=1e-5)


def test_strata_weigh_as_many_rows_as_tell_the_difference() -> None:
    # 50 and 50 rows tell as 25, 10 and 90 as 9: (25·0.2 + 9·0.5)/34.
    group = np.stack([rate_sums(50, 20), rate_sums(10, 6)])
    rest = np.stack([rate_sums(50, 10), rate_sums(90, 9)])
    effect, _found = strength(group, rest)
    assert effect == pytest.approx((25 * 0.2 + 9 * 0.5) / 34)
    # A stratum without rows of one side says nothing.
    alone = np.stack([*group, rate_sums(500, 500)]), np.stack([*rest, rate_sums(0, 0)])
    assert np.array(strength(*alone)) == pytest.approx(np.array(strength(group, rest)))


def test_strength_is_that_of_the_rows() -> None:
    generator = np.random.default_rng(1)
    own, rest = generator.lognormal(0.4, 1, 80), generator.lognormal(0, 1, 900)
    sums = [np.array([[len(x), x.sum(), x @ x]]) for x in (own, rest)]
    variance = max(each.var(ddof=1) for each in (own, rest, np.concatenate((own, rest))))
    effect, found = strength(*sums)
    assert effect == pytest.approx(own.mean() - rest.mean())
    assert found == pytest.approx((own.mean() - rest.mean()) / np.sqrt(variance * (1 / 80 + 1 / 900)))


def test_equal_weights_change_nothing_and_no_rows_tell_nothing() -> None:
    def weighted(n: float, hits: float, w: float) -> np.ndarray:
        return np.array([n, w * hits, w * w * hits, w * n, w * w * n, w * w * hits])

    plain = strength(rate_sums(100, 30)[None], rate_sums(900, 100)[None])
    heavy = strength(weighted(100, 30, 2.5)[None], weighted(900, 100, 2.5)[None])
    assert np.array(heavy) == pytest.approx(np.array(plain))
    assert np.isnan(strength(rate_sums(100, 30)[None], rate_sums(0, 0)[None])).all()


# --- an obvious search ----------------------------------------------------------------------------------------------


def obvious(rows: CodedRows, sizes: tuple[int, ...]) -> set[Place]:
    """Every slice of up to three columns, each by a mask over the rows."""
    x, mine = rows.outcome, rows.explored

    def beyond(inside: np.ndarray, others: np.ndarray) -> tuple[float, float]:
        own, rest = x[inside], x[others]
        if not len(own) or not len(rest):
            return np.nan, np.nan
        with np.errstate(all="ignore"):
            spread = np.nanmax([each.var(ddof=1) for each in (own, rest, x[inside | others]) if len(each) > 1])
            return own.mean() - rest.mean(), (own.mean() - rest.mean()) / np.sqrt(
                spread * (1 / len(own) + 1 / len(rest))
            )

    found: set[Place] = set()
    for size in (1, 2, 3):
        for chosen in itertools.combinations(range(len(sizes)), size):
            for levels in itertools.product(*(range(sizes[each]) for each in chosen)):
                masks = [rows.codes[column] == level for column, level in zip(chosen, levels, strict=True)]
                inside = np.all(masks, axis=0)
                if min((inside & mine).sum(), (inside & ~mine).sum()) < LEAST_ROWS:
                    continue
                effect, strong = beyond(inside & mine, ~inside & mine)
                holding = [np.all([*masks[:k], *masks[k + 1 :]], axis=0) for k in range(size)] if size > 1 else []
                tests = [strong, *(beyond(inside & mine, each & ~inside & mine)[1] for each in holding)]
                if effect >= LEAST_EFFECT * x[mine].std(ddof=1) and min(tests) >= LEAST_STRENGTH:
                    found.add(tuple((column, level, level) for column, level in zip(chosen, levels, strict=True)))
    return found


@pytest.mark.parametrize("seed", range(3))
def test_the_shortlist_is_that_of_an_obvious_search(seed: int) -> None:
    sizes = (3, 4, 2, 3)
    rate = planted(({0: 1}, 0.3), ({1: 2, 3: 0}, 0.45), ({0: 2, 2: 1, 3: 2}, 0.6))
    rows = coded_rows(seed, 9_000, sizes, rate)
    sums = SliceSums(columns_of(*sizes), 3, weighted=False)
    sums.add(rows)
    found = shortlist(sums)
    assert set(found.places) == obvious(rows, sizes)
    assert len(found.places) > 3
    assert found.n_looked == 12 + 53 + 102


# --- planted slices -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(8))
def test_a_planted_slice_is_found_and_nothing_else_and_none_where_none_is(seed: int) -> None:
    rate = planted(({0: 3, 1: 4}, 0.48))
    result = search(coded_rows(seed, 30_000, SIZES, rate), columns_of(*SIZES))
    assert described(result) == [{"c0": "3", "c1": "4"}]
    (found,) = result.slices
    assert abs(found.excess.value - 0.28) < 0.11
    assert found.share == pytest.approx(1 / 48, abs=0.004)
    assert not search(coded_rows(seed, 30_000, SIZES, planted()), columns_of(*SIZES)).slices


def test_numbers_are_of_the_other_half() -> None:
    rows = coded_rows(1, 30_000, SIZES, planted(({0: 3, 1: 4}, 0.48)))
    result = search(rows, columns_of(*SIZES))
    (found,) = result.slices
    inside = (rows.codes[0] == 3) & (rows.codes[1] == 4)
    own, rest = rows.outcome[inside & ~rows.explored], rows.outcome[~inside & ~rows.explored]
    assert found.value.value == pytest.approx(own.mean())
    assert found.rest.value == pytest.approx(rest.mean())
    assert found.n == inside.sum()
    assert found.value.n == len(own)
    assert found.explained == pytest.approx(len(own) * (own.mean() - rest.mean()) / (own.sum() + rest.sum()))
    first = rows.outcome[inside & rows.explored].mean() - rows.outcome[~inside & rows.explored].mean()
    assert found.explored.value == pytest.approx(first)
    held = (rows.codes[0] == 3, rows.codes[1] == 4)
    against = [~inside, held[0] & ~inside, held[1] & ~inside]
    p = max(
        excess_p_value(own.sum(), len(own), rows.outcome[each & ~rows.explored].sum(), (each & ~rows.explored).sum())
        for each in against
    )
    # Beside those no other slice is stronger evidence against it.
    assert found.p >= p
    assert found.p_adjusted <= 0.01
    assert result.overall.value == pytest.approx(rows.outcome.mean())
    assert result.n == (rows.explored.sum(), (~rows.explored).sum())


def test_what_only_one_half_has_is_not_confirmed() -> None:
    rows = coded_rows(2, 30_000, SIZES, planted(({0: 3, 1: 4}, 0.48)))
    generator = np.random.default_rng(0)
    outcome = np.where(rows.explored, rows.outcome, (generator.random(30_000) < 0.2).astype(float))
    result = search(CodedRows(rows.codes, outcome, rows.explored), columns_of(*SIZES))
    assert result.n_tried > 0
    assert not result.slices


def test_one_two_and_three_columns_and_one_within_another() -> None:
    rate = planted(({4: 2}, 0.3), ({0: 3, 1: 4}, 0.5), ({1: 1, 2: 0, 3: 3}, 0.6), ({4: 2, 0: 5}, 0.6))
    found = described(search(coded_rows(5, 60_000, SIZES, rate), columns_of(*SIZES)))
    expected = [{"c4": "2"}, {"c0": "3", "c1": "4"}, {"c1": "1", "c2": "0", "c3": "3"}, {"c0": "5", "c4": "2"}]
    assert sorted(map(str, found)) == sorted(map(str, expected))


def test_no_deeper_than_it_is_asked_to_look() -> None:
    rows = coded_rows(5, 60_000, SIZES, planted(({0: 3, 1: 4}, 0.6)))
    assert described(search(rows, columns_of(*SIZES), depth=1)) == [{"c0": "3"}, {"c1": "4"}]


def test_overlapping_slices_are_merged_into_the_one_that_explains_them() -> None:
    rows = coded_rows(6, 40_000, (8, 6, 5), planted(({0: 3}, 0.4)))
    generator = np.random.default_rng(0)
    # The same column once more, with one row in ten of it wrong.
    twin = np.where(generator.random(40_000) < 0.1, generator.integers(0, 8, 40_000), rows.codes[0])
    doubled = CodedRows((*rows.codes, twin), rows.outcome, rows.explored)
    result = search(doubled, columns_of(8, 6, 5, 8))
    assert described(result) == [{"c0": "3"}]
    assert (Condition("c3", "3"),) in result.slices[0].merged


def test_the_order_of_columns_and_of_rows_changes_nothing() -> None:
    rows = coded_rows(7, 30_000, SIZES, planted(({0: 3, 1: 4}, 0.48), ({2: 1}, 0.3)))
    first = search(rows, columns_of(*SIZES))
    order = np.random.default_rng(1).permutation(30_000)
    moved = CodedRows(tuple(code[order] for code in rows.codes[::-1]), rows.outcome[order], rows.explored[order])
    second = search(moved, columns_of(*SIZES)[::-1])
    assert [set(each.conditions) for each in first.slices] == [set(each.conditions) for each in second.slices]
    assert [each.excess for each in first.slices] == [each.excess for each in second.slices]


def test_neighbouring_bins_are_joined_as_far_as_they_are_worse() -> None:
    def rate(codes: tuple[np.ndarray, ...]) -> np.ndarray:
        return np.where((codes[0] == 3) & (codes[4] >= 3), 0.5, np.where(codes[2] == 1, 0.3, 0.2))

    numbers = SearchedColumn("c4", numbers_of("c4", 5), (-np.inf, 1, 2, 3, 4, np.inf))
    columns = (*columns_of(*SIZES)[:4], numbers)
    result = search(coded_rows(3, 60_000, SIZES, rate), columns)
    ends = [[(each.column, each.value, each.lower, each.upper) for each in found.conditions] for found in result.slices]
    # The level behind the ordered ones, of missing values, is as bad, and a slice of its own.
    expected = [("c4", None, 3.0, np.inf), ("c4", None, np.nan, np.nan)]
    assert [found[0][0] for found in ends].count("c0") == 2
    np.testing.assert_equal([found[1] for found in ends if found[0][0] == "c0"], expected)
    assert [found[0][:2] for found in ends if found[0][0] == "c2"] == [("c2", "1")]


def numbers_of(name: str, n: int) -> tuple[Condition, ...]:
    """So many levels between whole numbers, and one of missing values."""
    ends = (-np.inf, *range(1, n), np.inf)
    return (*(Condition(name, None, ends[each], ends[each + 1]) for each in range(n)), Condition(name))


def test_weights_count() -> None:
    rows = coded_rows(8, 30_000, SIZES, planted(({0: 3, 1: 4}, 0.48)), weighted=True)
    (found,) = search(rows, columns_of(*SIZES)).slices
    assert rows.weight is not None
    inside = (rows.codes[0] == 3) & (rows.codes[1] == 4) & ~rows.explored
    assert found.value.value == pytest.approx(np.average(rows.outcome[inside], weights=rows.weight[inside]))
    # Rows that weigh nothing are as good as gone.
    hidden = CodedRows(rows.codes, rows.outcome, rows.explored, np.where(rows.outcome > 0, 0.0, rows.weight))
    assert search(hidden, columns_of(*SIZES)).reason == "every row has the same outcome"


@pytest.mark.parametrize("seed", range(4))
def test_a_loss_with_a_long_tail(seed: int) -> None:
    rows = coded_rows(seed, 30_000, SIZES, planted())
    loss = np.random.default_rng(seed).lognormal(0, 1.2, 30_000)
    columns = columns_of(*SIZES)
    assert not search(CodedRows(rows.codes, loss, rows.explored), columns, is_rate=False).slices
    inside = (rows.codes[0] == 3) & (rows.codes[1] == 4)
    result = search(CodedRows(rows.codes, loss * np.where(inside, 2.5, 1), rows.explored), columns, is_rate=False)
    assert described(result) == [{"c0": "3", "c1": "4"}]
    (found,) = result.slices
    own, rest = (loss[each & ~rows.explored] for each in (inside, ~inside))
    assert found.value.value == pytest.approx(2.5 * own.mean())
    # Student's, with the larger spread and the fewer rows, is never surer than Welch's.
    p = np.array(stats.ttest_ind(2.5 * own, rest, equal_var=False, alternative="greater"))[1]
    assert found.p >= p


def test_what_the_excess_was_before() -> None:
    columns, rate = columns_of(*SIZES), planted(({0: 3, 1: 4}, 0.48))
    result = search(coded_rows(1, 30_000, SIZES, rate), columns)
    older = coded_rows(2, 20_000, SIZES, planted(({0: 3, 1: 4}, 0.3)))
    sums = OverlapSums([each.place for each in result.slices], weighted=False)
    sums.add(older)
    (found,) = compare_with(result, sums, is_rate=True).slices
    inside = (older.codes[0] == 3) & (older.codes[1] == 4)
    before = older.outcome[inside].mean() - older.outcome[~inside].mean()
    assert found.before is not None
    assert found.change is not None
    assert found.before.value == pytest.approx(before)
    assert found.change.value == pytest.approx(found.excess.value - before)
    assert found.change.lower < 0.18 < found.change.upper
    # By square-and-add of both intervals.
    below = np.hypot(found.excess.value - found.excess.lower, found.before.upper - found.before.value)
    assert found.change.lower == pytest.approx(found.change.value - below)
    assert result.slices[0].before is None
    few = OverlapSums([each.place for each in result.slices], weighted=False)
    few.add(coded_rows(2, 500, SIZES, rate))
    (found,) = compare_with(result, few, is_rate=True).slices
    assert found.change is not None
    assert found.change.reason == "fewer than 30 rows of it in the baseline"


# --- where there is nothing to search -------------------------------------------------------------------------------


def test_why_nothing_could_be_searched() -> None:
    columns = columns_of(3, 3)
    none = coded_rows(0, 0, (3, 3), planted())
    assert search(none, columns).reason == NO_USABLE_ROWS
    few = coded_rows(0, 100, (3, 3), planted())
    assert "too few rows" in search(few, columns).reason
    alike = coded_rows(0, 1_000, (3, 3), planted(base=0.0))
    assert search(alike, columns).reason == "every row has the same outcome"
    weightless = CodedRows(alike.codes, alike.outcome, alike.explored, np.zeros(1_000))
    assert search(weightless, columns).reason == "the weights add up to zero"
    assert search(none, columns).frame().empty


def test_a_level_that_is_no_slice_is_not_searched_and_the_only_level_has_no_rest() -> None:
    rows = coded_rows(0, 20_000, (4, 1), planted(({0: 3}, 0.6)))
    levels = (*columns_of(4, 1)[0].levels[:3], None)
    columns = (SearchedColumn("c0", levels), columns_of(4, 1)[1])
    result = search(rows, columns)
    # Three levels, each once more with the only level of the other column, which has no rest itself.
    assert not result.slices
    assert result.n_looked == 6
    assert described(search(rows, columns_of(4, 1))) == [{"c0": "3"}]


def test_the_frame_has_a_row_for_each() -> None:
    rows = coded_rows(5, 30_000, SIZES, planted(({0: 3, 1: 4}, 0.6)))
    numbers = SearchedColumn("c1", tuple(Condition("c1", None, float(k), k + 1.0) for k in range(6)))
    result = search(rows, (columns_of(8)[0], numbers, *columns_of(*SIZES)[2:]))
    (row,) = result.frame().to_dict("records")
    assert (row["column_1"], row["value_1"], row["column_2"], row["from_2"], row["to_2"]) == ("c0", "3", "c1", 4, 5)
    assert row["column_3"] == ""
    assert np.isnan(row["from_1"])
    assert np.isnan(row["to_3"])
    assert row["excess_lower"] < row["excess"] < row["excess_upper"]
    assert row["explored_excess"] > 0.2
