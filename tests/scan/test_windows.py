"""How wide windows are, and when they begin."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.scan.windows import MAX_WINDOWS, choose_windows


@pytest.mark.parametrize(
    ("days", "rows", "words"),
    [
        (30, 80_000, "day"),
        (30, 10_000_000, "6 hours"),
        (1, 5_000, "hour"),
        (0.01, 10_000_000, "minute"),
        (365, 100_000, "week"),
        (365, 20_000, "4 weeks"),
        (0, 10, "minute"),
    ],
)
def test_the_width_fits_the_span_and_the_rows(days: float, rows: int, words: str) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
    assert choose_windows(start, start + days * 86_400, rows).words == words


@given(st.floats(0, 4e9), st.floats(0, 2e9), st.integers(1, 10**9))
def test_there_are_never_too_many_windows_and_each_holds_its_start(first: float, span: float, rows: int) -> None:
    grid = choose_windows(first, first + span, rows)
    count = (grid.start(first + span) - grid.start(first)) // grid.width + 1
    assert 1 <= count <= MAX_WINDOWS
    assert grid.start(first) <= first < grid.start(first) + grid.width
    assert grid.start(grid.start(first)) == grid.start(first)


def test_weeks_begin_on_mondays() -> None:
    start = datetime(2025, 1, 1, tzinfo=UTC).timestamp()
    grid = choose_windows(start, start + 200 * 86_400, 1_000)
    assert grid.words == "week"
    assert datetime.fromtimestamp(grid.start(start), UTC).strftime("%A") == "Monday"
