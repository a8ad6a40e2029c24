"""Policy files: what they say, written and read back, and sentences with line and key for what is wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.errors import DataError
from lib.metrics.burn_rate import RATE_NAMES, RATE_RULES, SRE_RULES, BurnRule, Objective
from lib.metrics.deploys import Deploy
from lib.policy import Policy, policy_text, read_policy

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
    ("at_most = 0.2", "at_most = 1.2", "line 6, objectives.at_most: found 1.2, expected a number above 0 and below 1."),
    ("at_most = 0.2", "", "line 3, objectives.at_most: this key is missing."),
    ("at_most = 0.2", "at_mots = 0.2", "line 6, objectives.at_mots: there is no such key"),
    ('"violation_rate"', '"roc_auc"', "line 5, objectives.metric: found 'roc_auc', expected one of violation_rate,"),
    ('["language"]', '"language"', "line 7, objectives.cohorts: found 'language', expected a list of texts."),
    ('long = "1 h"', 'long = "soon"', "line 8, objectives.windows.long: found 'soon', expected a length of time"),
    ('short = "6 h"', 'short = "6 d"', "line 8, objectives.windows.short: the short window is longer"),
    ("burn = 4", "burn = 14.4", "line 8, objectives.windows.burn: 14.4 times 0.2 is more than all rows"),
    ('"page"', '"shout"', "line 8, objectives.windows.action: found 'shout', expected one of page, ticket."),
    ('"20 min"', "true", "line 12, objectives.minimum_duration: found True, expected a length of time"),
    ("2026-04-02T09:00:00Z", '"yesterday"', "line 25, deploys.at: found 'yesterday', expected a date and time"),
    ('kind = "rollback"', 'kind = "undo"', "line 22, deploys.kind: found 'undo'"),
    ("[[deploys]]", "[[limits]]", "line 19, limits: there is no such table; there are [[objectives]], [[deploys]]."),
    ('metric = "error_rate"', 'metric = "error_rate', "line 16: this is no TOML: "),
    ('metric = "error_rate"', 'name = "Violations"\nmetric = "error_rate"', "line 4, objectives.name: two objectives"),
]


@pytest.mark.parametrize(("found", "instead", "sentence"), WRONG, ids=lambda value: str(value)[:30])
def test_what_is_wrong_is_said_with_its_line_and_key(found: str, instead: str, sentence: str) -> None:
    with pytest.raises(DataError) as caught:
        read_policy(FILE.replace(found, instead, 1), "policy.toml")
    assert str(caught.value).startswith(f"policy.toml, {sentence}")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "policy.toml says nothing: it has none of the tables [[objectives]], [[deploys]]."),
        ("[objectives]\nmetric = 1", "policy.toml, line 1, objectives: write [[objectives]] above the keys of each."),
        ("objectives = 3", "policy.toml, line 1, objectives: write [[objectives]] above the keys of each."),
        ("x = 3", "policy.toml, line 1, x: there is no such table"),
        ("#" * 1_000_001, "policy.toml has more than 1 MB"),
        ("[[objectives]]\nmetric = 'error_rate'\nat_most = .1", "policy.toml, line 3: this is no TOML"),
        (
            "[[objectives]]\nmetric = 'error_rate'\nat_most = 0.1\n[[objectives.windows]]\nlong = 'x'",
            "policy.toml, line 4, objectives.windows.long: found 'x'",
        ),
    ],
)
def test_files_that_are_no_policy(text: str, sentence: str) -> None:
    with pytest.raises(DataError) as caught:
        read_policy(text, "policy.toml")
    assert str(caught.value).startswith(sentence)


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
    if some or others:
        ordered = tuple(sorted(others, key=lambda each: each.at))
        assert read_policy(policy_text(Policy("p", tuple(some), ordered)), "p") == Policy("p", tuple(some), ordered)


def test_the_usual_windows_stand_in_the_file() -> None:
    text = policy_text(Policy("", (Objective("x", "violation_rate", 0.2, rules=RATE_RULES),)))
    assert '{ long = "1 h", short = "15 min", burn = 4, action = "page" }' in text
    assert "cohorts" not in text
