"""How numbers are written: hand-made examples and what must hold for all."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.figures import format as f
from lib.metrics.estimates import Estimate

NAN = math.nan


@pytest.mark.parametrize(
    ("share", "digits", "text"),
    [
        (0.165, 1, "16.5 %"),
        (0.0, 1, "0.0 %"),
        (1.0, 0, "100 %"),
        (0.9999, 0, "99.99 %"),
        (0.996, 0, "99.6 %"),
        (0.0004, 1, "0.04 %"),
        (1e-9, 1, "<0.001 %"),
        (1 - 1e-9, 1, ">99.999 %"),
        (NAN, 1, "undefined"),
    ],
)
def test_share(share: float, digits: int, text: str) -> None:
    assert f.format_share(share, digits).replace("\xa0", " ") == text


@given(st.floats(0, 1, exclude_min=True, exclude_max=True))
def test_a_share_is_never_none_or_all_unless_it_is(share: float) -> None:
    assert f.format_share(share, 0) not in ("0\xa0%", "100\xa0%")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0.000"),
        (0.1091, "0.109"),
        (12.345, "12.35"),
        (1234.4, "1,234"),
        (0.00012, "0.00012"),
        (1e-9, "1.0e−09"),
        (math.inf, "∞"),
    ],
)
def test_loss(value: float, text: str) -> None:
    assert f.format_loss(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(2.076, "2.08"), (-4.129, "−4.13"), (0, "0.00"), (0.001, "0.001"), (1e12, "1.0e+12"), (NAN, "undefined")],
)
def test_score(value: float, text: str) -> None:
    assert f.format_score(value) == text


def test_minus_zero_has_no_sign() -> None:
    assert f.format_loss(-0.0) == "0.000"
    assert f.format_score(-0.0) == "0.00"


def test_interval() -> None:
    assert f.format_interval(0.141, 0.179, "share") == "14.1 to 17.9\xa0%"
    assert f.format_interval(-1.0, 2.0, "score") == "−1.00 to 2.00"
    assert f.format_interval(NAN, 2.0, "score") == "at most 2.00"
    assert f.format_interval(1.0, NAN, "score") == "at least 1.00"
    assert f.format_interval(NAN, NAN, "score") == ""


def test_estimate() -> None:
    assert f.format_estimate(Estimate(0.5, 0.4, 0.6, 10), "share") == "50.0\xa0% (40.0 to 60.0\xa0%)"
    assert f.format_estimate(Estimate(NAN, NAN, NAN, 0, "no labelled rows"), "share") == "undefined: no labelled rows"
    assert f.format_estimate(Estimate(2.0, NAN, NAN, 1, "", 0.02), "score") == "2.00 ± 0.020 by binning"


@pytest.mark.parametrize(
    ("change", "unit", "text"),
    [
        (0.032, "share", "+3.2 points"),
        (-0.032, "share", "−3.2 points"),
        (0.0, "share", "±0.0 points"),
        (-0.045, "loss", "−0.045"),
        (1.5, "score", "+1.50"),
        (NAN, "score", "undefined"),
    ],
)
def test_change(change: float, unit: f.Unit, text: str) -> None:
    assert f.format_change(change, unit).replace("\xa0", " ") == text


def test_time() -> None:
    assert f.format_time(1_775_088_000) == "2026-04-02 00:00:00 UTC"
    assert f.format_time(1_775_088_000, 86_400) == "2026-04-02"
    assert f.format_time(1_775_088_000 + 32_400, 3600) == "2026-04-02 09:00 UTC"
    assert f.format_span(1_775_088_000, 1_775_347_200, 86_400) == "2026-04-02 to 2026-04-05"


def test_counts() -> None:
    assert f.format_count(80_000) == "80,000"
    assert f.format_plural(1, "row") == "1 row"
    assert f.format_plural(2, "class", "classes") == "2 classes"
