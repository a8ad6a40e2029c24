"""Burn rates: the SRE Workbook's worked figures, alerts by hand, certainty with few rows, suppression, budgets."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from lib.metrics.burn_rate import (
    ALARM_RATE,
    DAY,
    HOUR,
    MINUTE,
    PERIOD,
    RATE_RULES,
    SRE_RULES,
    Alert,
    BurnRule,
    Objective,
    alert_level,
    budget_left,
    burn_rates,
    default_rules,
    exceeding_p_value,
    replay,
    seconds_to_exhaustion,
)

SLO = Objective("availability", "error_rate", 0.001, rules=SRE_RULES, minimum_duration=MINUTE, suppress_after_deploy=0)
MINUTES = 4 * 24 * 60
BEFORE = 3 * 24 * 60
ROWS = 1_000_000.0


def edges_of(n: np.ndarray, width: int = MINUTE) -> np.ndarray:
    return width * np.arange(len(n) + 1)


def outage(error: float, minutes: int = MINUTES - BEFORE, rows: float = ROWS) -> tuple[np.ndarray, np.ndarray]:
    """Three days without an error, then so large a share of errors for so many minutes, then none."""
    n, hits = np.full(MINUTES, rows), np.zeros(MINUTES)
    hits[BEFORE : BEFORE + minutes] = error * rows
    return hits, n


def first(error: float, rule: BurnRule, minutes: int = MINUTES - BEFORE) -> Alert | None:
    """The first alert of one rule, its times in seconds since the outage began."""
    hits, n = outage(error, minutes)
    found = replay(hits, n, edges_of(n), replace(SLO, rules=(rule,)))
    if not found:
        return None
    closed = None if found[0].closed is None else found[0].closed - BEFORE * MINUTE
    return replace(found[0], opened=found[0].opened - BEFORE * MINUTE, closed=closed)


def test_the_table_of_the_workbook() -> None:
    # Ch. 5, "recommended parameters": 2 % of the budget in 1 hour, 5 % in 6 hours, 10 % in 3 days; short is 1/12.
    assert [(rule.long, rule.short, rule.burn, rule.action) for rule in SRE_RULES] == [
        (3600, 300, 14.4, "page"),
        (21_600, 1800, 6.0, "page"),
        (259_200, 21_600, 1.0, "ticket"),
    ]
    assert [rule.burn * rule.long / PERIOD for rule in SRE_RULES] == pytest.approx([0.02, 0.05, 0.10])
    assert all(rule.short * 12 == rule.long for rule in SRE_RULES)


def test_burn_rates_and_time_to_exhaustion_of_the_workbook() -> None:
    # Table 5-4: burn rate 1, 2, 10, 1000 at 99.9 %: errors of 0.1 %, 0.2 %, 1 %, 100 %; 30, 15, 3 days, 43 minutes.
    for burn, error, lasts in ((1, 0.001, 30 * DAY), (2, 0.002, 15 * DAY), (10, 0.01, 3 * DAY), (1000, 1.0, 2592)):
        hits, n = outage(error)
        assert burn_rates(hits, n, MINUTE, SRE_RULES[0], 0.001).short[-1] == pytest.approx(burn)
        assert seconds_to_exhaustion(burn) == pytest.approx(lasts)
    assert seconds_to_exhaustion(0) == math.inf


@pytest.mark.parametrize(
    ("error", "rule", "seconds"),
    [
        # Detection time = share allowed / error rate x window x burn rate: 52 s, 8.6 min, 1 h; 2.2, 36 min; 7.2 h.
        (1.0, SRE_RULES[0], 51.84),
        (0.1, SRE_RULES[0], 518.4),
        (0.0144, SRE_RULES[0], 3600),
        (1.0, SRE_RULES[1], 129.6),
        (0.06, SRE_RULES[1], 2160),
        (0.01, SRE_RULES[2], 25_920),
    ],
)
def test_detection_times_of_the_workbook(error: float, rule: BurnRule, seconds: float) -> None:
    found = first(error, rule)
    assert found is not None
    assert found.opened == MINUTE * math.ceil(seconds / MINUTE)


def test_the_short_window_ends_the_alert_soon_after_the_outage() -> None:
    # Workbook, fig. 5-7: 15 % errors for ten minutes; the alert ends five minutes later, not an hour later.
    found = first(0.15, SRE_RULES[0], 10)
    assert found is not None
    assert found.opened == 6 * MINUTE
    assert found.closed == pytest.approx(15 * MINUTE, abs=MINUTE)
    assert first(0.0143, SRE_RULES[0]) is None
    assert first(0.001, SRE_RULES[2], 60) is None


def test_few_rows_alert_only_when_they_are_sure() -> None:
    rule = BurnRule(HOUR, 15 * MINUTE, 4.0, "page")
    objective = Objective("few", "violation_rate", 0.2, rules=(rule,), minimum_duration=0, suppress_after_deploy=0)
    n, hits = np.zeros(100), np.zeros(100)
    n[10:90:4] = hits[10:90:4] = 1.0  # three rows an hour, all of them bad
    edges = edges_of(n, 5 * MINUTE)
    assert burn_rates(hits, n, 300, rule, 0.2).long[40] == 5.0
    assert replay(hits, n, edges, objective, n_parts=30) == []
    (alert,) = replay(hits, n, edges, replace(objective, rules=(replace(rule, long=6 * HOUR),)), n_parts=30)
    assert alert.p <= alert_level(30, 1, 300)
    assert alert.n == alert.hits == math.ceil(math.log(alert_level(30, 1, 300)) / math.log(0.2))


def test_the_test_is_the_exact_binomial_one() -> None:
    hits, n = np.array([0.0, 3, 12, 40]), np.array([0.0, 20, 20, 1000])
    expected = [
        stats.binomtest(int(k), int(m), 0.05, "greater").pvalue if m else 1.0 for k, m in zip(hits, n, strict=True)
    ]
    assert exceeding_p_value(hits, n, 0.05) == pytest.approx(expected)
    assert alert_level(30, 2, 300) == pytest.approx(ALARM_RATE / (30 * 2 * 8640))


def test_deploys_are_given_time_and_durations_are_waited_for() -> None:
    hits, n = outage(1.0)
    begin = BEFORE * MINUTE
    late = replace(SLO, suppress_after_deploy=30 * MINUTE)
    assert replay(hits, n, edges_of(n), late, [begin])[0].opened == begin + 31 * MINUTE
    assert replay(hits, n, edges_of(n), late, [begin - HOUR])[0].opened == begin + MINUTE
    slow = replace(SLO, minimum_duration=20 * MINUTE)
    assert replay(hits, n, edges_of(n), slow)[0].opened == begin + 20 * MINUTE


def test_bursts_within_a_long_window_are_one_alert() -> None:
    hits, n = outage(1.0, 10)
    hits[BEFORE + 40 : BEFORE + 50] = ROWS
    alerts = [each for each in replay(hits, n, edges_of(n), SLO) if each.rule == SRE_RULES[0]]
    assert len(alerts) == 1
    hits[BEFORE + 400 : BEFORE + 410] = ROWS
    alerts = [each for each in replay(hits, n, edges_of(n), SLO) if each.rule == SRE_RULES[0]]
    assert len(alerts) == 2
    assert not alerts[0].overlaps(alerts[1])
    assert alerts[0].overlaps(alerts[1], DAY)
    lasting = replay(*outage(1.0)[:2], edges_of(n), SLO)
    assert lasting[0].closed is None
    assert lasting[0].overlaps(lasting[1])


def test_the_budget_of_a_period_worked_by_hand() -> None:
    n, hits = np.full(10, 100.0), np.array([0.0, 5, 0, 0, 5, 0, 0, 0, 0, 0])
    objective = Objective("x", "error_rate", 0.02, period=10 * DAY)
    # Allowed: 2 % of 1,000 rows = 20.
    assert budget_left(hits, n, DAY, objective).tolist() == [1.0, *[0.75] * 3, *[0.5] * 6]
    # Of five days: 10; the first five bad rows are forgotten on day 7.
    shorter = budget_left(hits, n, DAY, replace(objective, period=5 * DAY))
    assert shorter.tolist() == pytest.approx([1.0, 0.5, 0.5, 0.5, 0.0, 0.0, 0.5, 0.5, 0.5, 1.0])
    assert np.isnan(budget_left(np.zeros(3), np.zeros(3), DAY, objective)).all()


def test_an_objective_takes_the_table_that_fits() -> None:
    assert default_rules(0.001) == SRE_RULES
    assert default_rules(0.2) == RATE_RULES
    # At 40 % all rows bad burn 2.5 times as fast: a page at 1.75 times, which 70 % of the rows reach.
    assert [rule.burn for rule in default_rules(0.4)] == [1.75, 1.75, 1.0]
    assert all(rule.burn * at_most < 1 for at_most in np.linspace(0.001, 0.99, 200) for rule in default_rules(at_most))
    assert max(rule.burn for rule in RATE_RULES) * 0.2 <= 1
    assert PERIOD == 30 * DAY


def test_nothing_alerts_without_rows() -> None:
    assert replay(np.zeros(0), np.zeros(0), np.zeros(1, np.int64), SLO) == []
    assert replay(np.zeros(50), np.zeros(50), edges_of(np.zeros(50)), SLO) == []
    assert np.isnan(burn_rates(np.zeros(5), np.zeros(5), 60, SRE_RULES[0], 0.1).long).all()


def test_what_just_keeps_its_objective_hardly_pages() -> None:
    pages = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        at_most, rows = rng.uniform(0.02, 0.5), rng.uniform(0.2, 20)
        n = rng.poisson(rows, 8640)
        hits = rng.binomial(n, at_most).astype(float)
        objective = Objective("x", "error_rate", at_most, rules=default_rules(at_most))
        found = replay(hits, n.astype(float), edges_of(n, 300), objective, n_parts=30)
        pages += any(each.rule.action == "page" for each in found)
        for each in found:
            assert each.burn >= each.rule.burn
            assert each.closed is None or each.closed > each.opened
    assert pages <= 2  # of months at the very edge of the objective; those that keep it are in tests/test_monitoring.py
