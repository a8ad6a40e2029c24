"""Alerts and changes of many parts as incidents and onsets; rates from counts; breaches that last."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.cells import COUNTS
from lib.metrics.burn_rate import DAY, HOUR, RATE_NAMES, Alert, BurnRule
from lib.metrics.incidents import (
    SLIS,
    Part,
    PartAlert,
    find_breaches,
    group_alerts,
    group_changes,
    sustained_share,
)
from lib.metrics.onset import Change, rate_of

PAGE, TICKET = BurnRule(HOUR, 900, 4.0, "page"), BurnRule(3 * DAY, 6 * HOUR, 1.0, "ticket")
PT, WEB, ALL = Part("language", "pt"), Part("platform", "web"), Part()


def alert(part: Part, rule: BurnRule, opened: int, closed: int | None, p: float, burn: float = 4.0) -> PartAlert:
    return PartAlert(part, Alert(rule, opened, closed, burn, p, 9, 10))


def change(at: int, wide: int, gain: float, *, rise: bool = True) -> Change:
    low, high = rate_of(1, 10), rate_of(9, 10)
    return Change(at, at - wide, at + wide, *((low, high) if rise else (high, low)), gain)


def test_what_is_open_at_one_time_is_one_incident_led_by_the_surest_page() -> None:
    alerts = [
        alert(ALL, TICKET, 3 * HOUR, 80 * HOUR, 1e-40, 1.2),
        alert(PT, PAGE, HOUR, 5 * HOUR, 1e-12),
        alert(WEB, PAGE, 2 * HOUR, 4 * HOUR, 1e-9),
        alert(PT, PAGE, 9 * HOUR, 12 * HOUR, 1e-20),
        alert(WEB, PAGE, 200 * HOUR, None, 1e-9),
    ]
    first, second = group_alerts(alerts)
    assert (first.action, first.opened, first.closed, first.lead.part) == ("page", HOUR, 12 * HOUR, PT)
    assert first.others == (WEB, ALL)
    assert len(first.alerts) == 4
    assert (second.opened, second.closed, second.lead.part) == (200 * HOUR, None, WEB)


def test_a_ticket_that_goes_on_does_not_tie_pages_together() -> None:
    alerts = [
        alert(WEB, TICKET, 0, 900 * HOUR, 1e-30, 1.1),
        alert(PT, PAGE, 10 * HOUR, 12 * HOUR, 1e-12),
        alert(PT, PAGE, 500 * HOUR, 502 * HOUR, 1e-12),
    ]
    assert [each.action for each in group_alerts(alerts)] == ["page", "page"]
    (alone,) = group_alerts(alerts[:1])
    assert (alone.action, alone.lead.part) == ("ticket", WEB)
    assert group_alerts([]) == ()


def test_of_parts_as_sure_the_one_that_burns_more_leads() -> None:
    both = [alert(ALL, PAGE, 0, 9, 0.0, 3.0), alert(PT, PAGE, 0, 9, 0.0, 5.0)]
    assert group_alerts(both)[0].lead.part == PT


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 10**5), st.booleans()), max_size=12))
def test_every_alert_is_in_one_incident(made: list[tuple[int, int, bool]]) -> None:
    alerts = [alert(PT, PAGE if page else TICKET, at, at + size, 0.1 / (at + 1)) for at, size, page in made]
    found = group_alerts(alerts)
    assert sorted(each.alert.opened for i in found for each in i.alerts) == sorted(at for at, _size, _page in made)
    for incident in found:
        assert incident.lead in incident.alerts
        assert incident.action == "page" or all(each.alert.rule == TICKET for each in incident.alerts)


def test_changes_that_may_be_at_one_time_are_one_onset() -> None:
    begin, end = change(10 * HOUR, 600, 500.0), change(90 * HOUR, 600, 400.0, rise=False)
    near, far = change(18 * HOUR, 2 * HOUR, 80.0), change(30 * HOUR, 3 * HOUR, 60.0)
    found = group_changes([(ALL, near), (PT, begin), (PT, end), (ALL, change(88 * HOUR, HOUR, 7.0, rise=False))])
    assert [(each.part, each.change, each.others) for each in found] == [(PT, begin, (ALL,)), (PT, end, (ALL,))]
    assert len(group_changes([(PT, begin), (WEB, change(10 * HOUR, 600, 3.0, rise=False))])) == 2
    assert len(group_changes([(PT, begin), (WEB, far)])) == 2


def test_the_rates_by_hand() -> None:
    counts = dict.fromkeys(COUNTS, 0.0) | {
        "labelled": 100, "violations": 16, "positives": 20, "missed": 5, "false_alarms": 4
    }  # fmt: skip
    array = np.array([[counts[name]] for name in COUNTS])
    found = {name: tuple(float(each[0]) for each in SLIS[name].counts(array)) for name in RATE_NAMES}
    assert found == {
        "violation_rate": (16, 100), "error_rate": (9, 100), "miss_rate": (5, 20), "false_positive_rate": (4, 80)
    }  # fmt: skip
    several = np.stack([array, 2 * array])
    assert SLIS["error_rate"].counts(several)[0].tolist() == [[9.0], [18.0]]


@pytest.mark.parametrize(("days", "sustained"), [(1, False), (5, True)])
def test_a_spike_is_no_sustained_breach(days: int, sustained: bool) -> None:
    edges = HOUR * np.arange(20 * 24 + 1)
    n = np.full(480, 40.0)
    rate = np.where((edges[:-1] >= 5 * DAY) & (edges[:-1] < (5 + days) * DAY), 0.4, 0.1)
    (breach,) = find_breaches(n * rate, n, edges, 0.2)
    assert breach.is_sustained is sustained
    assert 5 * DAY < breach.start < 5 * DAY + 12 * HOUR + HOUR
    # A rate of a day's window goes back under 20 % when two thirds of it are good again.
    assert (5 + days) * DAY < breach.end <= (6 + days) * DAY
    share = sustained_share((breach,), edges)
    assert share == pytest.approx((breach.end - breach.start) / (20 * DAY) if sustained else 0.0)


def test_without_rows_nothing_is_missed() -> None:
    assert find_breaches(np.zeros(0), np.zeros(0), np.zeros(1, np.int64), 0.2) == ()
    assert find_breaches(np.zeros(9), np.zeros(9), HOUR * np.arange(10), 0.2) == ()
    assert math.isnan(sustained_share((), np.zeros(1, np.int64)))
