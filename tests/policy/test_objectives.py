"""Objectives and deploys of a policy: what they say, written and read back, and sentences with the line of errors."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.errors import SettingsError
from lib.metrics.burn_rate import RATE_NAMES, RATE_RULES, SRE_RULES, BurnRule, Objective
from lib.metrics.deploys import Deploy
from lib.policy import objectives_text, read_policy

FILE = """
# What we promise.
[[objectives]]
name = "Violations"
metric = "violation_rate"
at_most = 0.2
cohorts = ["language"]
windows = [
    { long = "1 h", short = "15 min", burn = 4, action = "page" },
    { long = "3 d", short = "6 h", burn = 1.5, action = "ticket" },
]
minimum_duration = "20 min"
suppress_after_deploy = 0

[[objectives]]
metric = "error_rate"
at_most = 0.001

[[deploys]]
at = 2026-04-05T11:00:00+02:00
name = "2026.03"
kind = "rollback"

[[deploys]]
at = 2026-04-02T09:00:00Z
name = "2026.04"
"""


def test_a_file_is_read() -> None:
    policy = read_policy(FILE, "policy.toml")
    first, second = policy.objectives
    rules = (BurnRule(3600, 900, 4.0, "page"), BurnRule(259_200, 21_600, 1.5, "ticket"))
    assert first == Objective("Violations", "violation_rate", 0.2, ("language",), 1.0, rules, 1200, 0)
    assert second == Objective("error_rate", "error_rate", 0.001, None, 1.0, SRE_RULES)
    assert policy.deploys == (
        Deploy(1_775_120_400, "2026.04", "deploy"),
        Deploy(1_775_379_600, "2026.03", "rollback"),
    )


WRONG = [
    ("at_most = 0.2", "at_most = 1.2", "line 6: at_most is 1.2; a number from 0 to 1 is expected."),
    ("at_most = 0.2", "at_most = 0", "line 6: at_most is 0: that allows no row."),
    ("at_most = 0.2", "", "line 3: [[objectives]] has no at_most."),
    ("at_most = 0.2", "at_mots = 0.2", "line 6: there is no key of [[objectives]] called 'at_mots'. Did you mean"),
    ('"violation_rate"', '"roc_auc"', "line 5: metric is 'roc_auc'. It is one of violation_rate, error_rate,"),
    ('["language"]', '"language"', "line 7: cohorts is 'language', not a list of texts."),
    ('long = "1 h"', 'long = "soon"', "line 8: long is 'soon'; a length of time is expected, such as"),
    ('long = "1 h", ', "", "line 8: one of the windows has no long."),
    ('short = "6 h"', 'short = "6 d"', "line 8: the short window is longer than the long one."),
    ("burn = 4", "burn = 14.4", "line 8: 14.4 times 0.2 is more than all rows: that is never told."),
    ('"page"', '"shout"', "line 8: action is 'shout'. It is one of page, ticket."),
    ('"20 min"', "true", "line 12: minimum_duration is True; a length of time is expected"),
    ("2026-04-02T09:00:00Z", '"yesterday"', "line 25: at is 'yesterday'; a date and time is expected"),
    ('name = "2026.04"', "", "line 24: [[deploys]] has no name."),
    ('kind = "rollback"', 'kind = "undo"', "line 22: kind is 'undo'. It is one of deploy, rollback."),
    ('metric = "error_rate"', 'name = "Violations"\nmetric = "error_rate"', "line 16: two objectives are called"),
]


@pytest.mark.parametrize(("found", "instead", "sentence"), WRONG, ids=lambda value: str(value)[:30])
def test_what_is_wrong_is_said_with_its_line_and_key(found: str, instead: str, sentence: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_policy(FILE.replace(found, instead, 1), "policy.toml")
    assert str(caught.value).startswith(f"policy.toml, {sentence}")


@pytest.mark.parametrize("windows", ["3", "[]"])
def test_windows_are_a_list_of_tables(windows: str) -> None:
    text = f'[[objectives]]\nmetric = "error_rate"\nat_most = 0.1\nwindows = {windows}\n'
    with pytest.raises(SettingsError, match=r"p, line 4: windows is a list of tables in braces"):
        read_policy(text, "p")


def test_objectives_stand_beside_limits() -> None:
    both = read_policy(FILE + '\n[[limits]]\nmetric = "accuracy"\nat_least = 0.8\n', "policy.toml")
    assert len(both.objectives) == 2
    assert len(both.limits) == 1


rules = st.builds(
    BurnRule,
    st.integers(3600, 10**6),
    st.integers(60, 3600),
    st.sampled_from([0.5, 1.0, 1.25]),
    st.sampled_from(["page", "ticket"]),
)
objectives = st.builds(
    Objective,
    st.text(min_size=1, max_size=9).filter(lambda text: bool(text.strip())),
    st.sampled_from(RATE_NAMES),
    st.sampled_from([0.001, 0.05, 0.25]),
    st.none() | st.lists(st.text(max_size=5), max_size=2).map(tuple),
    st.sampled_from([0.0, 0.5, 1.0, 3.0]),
    st.lists(rules, min_size=1, max_size=3).map(tuple),
    st.integers(0, 10**5),
    st.integers(0, 10**5),
    st.integers(3600, 10**7),
)
deploys = st.builds(
    Deploy, st.integers(0, 2 * 10**9), st.sampled_from(["v 1", '"', "\\"]), st.sampled_from(["deploy", "rollback"])
)


@given(
    st.lists(objectives, max_size=3, unique_by=lambda each: each.name),
    st.lists(deploys, max_size=3, unique_by=lambda each: each.at),
)
def test_a_policy_is_written_and_read_back(some: list[Objective], others: list[Deploy]) -> None:
    ordered = tuple(sorted(others, key=lambda each: each.at))
    read = read_policy(objectives_text(some, ordered), "p")
    assert (read.objectives, read.deploys) == (tuple(some), ordered)


def test_the_usual_windows_stand_in_the_file() -> None:
    text = objectives_text([Objective("x", "violation_rate", 0.2, rules=RATE_RULES)])
    assert '{ long = "1 h", short = "15 min", burn = 4, action = "page" }' in text
    assert "cohorts" not in text
