"""Policies: what is read from a sound file, and a table of wrong ones with the line that each error names."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.checks import Severity
from lib.errors import SettingsError
from lib.policy import FindingRules, Limit, Policy, read_policy
from lib.policy.limits import FINDINGS_KEYS, GATE_KEYS, LIMIT_KEYS
from lib.policy.table import MOST_BYTES, Source, statement_lines

SOUND = """\
# What a candidate has to keep.
[gate]
on_cannot_tell = "pass"

[[limits]]
metric = "violation_rate"
at_most = 0.05

[[limits]]  # against the baseline
metric = "roc_auc"
worsens_by_at_most = 0.01
on_cannot_tell = "fail"

[[limits]]
metric = "recall"
at_least = 1
cohorts = "language"
minimum_rows = 200

[[limits]]
metric = "median_margin"
at_least = -2.5
by_class = true

[findings]
severity = "error"
forbid = [
  "feature-drift",
]
allow = ["small-sample"]
"""


def test_a_sound_policy() -> None:
    assert read_policy(SOUND, "p.toml") == Policy(
        "p.toml",
        (
            Limit("violation_rate", "at_most", 0.05, on_cannot_tell="pass", line=5),
            Limit("roc_auc", "worsens_by_at_most", 0.01, line=9),
            Limit("recall", "at_least", 1.0, "language", minimum_rows=200, on_cannot_tell="pass", line=14),
            Limit("median_margin", "at_least", -2.5, by_class=True, on_cannot_tell="pass", line=20),
        ),
        FindingRules(Severity.ERROR, ("feature-drift",), ("small-sample",), line=25),
    )


def test_nothing_said_is_a_policy_without_limits() -> None:
    assert read_policy("# nothing\n") == Policy("policy.toml")


@pytest.mark.parametrize("text", ["\0\1\2", b"\x89PNG\xff".decode("utf-8", "replace")])
def test_what_is_no_text_is_said_to_be_none(text: str) -> None:
    with pytest.raises(SettingsError, match=r"^it\.toml is no text file \(UTF-8\)"):
        read_policy(text, "it.toml")


LIMIT = '[[limits]]\nmetric = "accuracy"\n'

WRONG = [
    ("[gate\n", 1, "this is no TOML"),
    ("[gate]\nx = \n", 2, "this is no TOML"),
    ("[gate]\n\nx = [1,\n", 3, "this is no TOML"),
    ('[gate]\non_cannot_tell = "pass"\non_cannot_tell = "fail"\n', 3, "this is no TOML"),
    ("[[limit]]\n", 1, "there is no section 'limit'. Did you mean limits?"),
    ("a = 1\n", 1, "there is no section 'a'. There are gate, limits, findings, objectives, deploys."),
    ("gate = 1\n", 1, "[gate] is a table"),
    ("[[gate]]\n", 1, "[gate] is a table"),
    ("[limits]\n", 1, "headed [[limits]]"),
    ("limits = [1]\n", 1, "[[limits]] is a table"),
    ('\n[gate]\non_canot_tell = "fail"\n', 3, "there is no key of [gate] called 'on_canot_tell'. Did you mean on_"),
    ('[gate]\non_cannot_tell = "fial"\n', 2, "on_cannot_tell is 'fial'. Did you mean fail?"),
    ('[gate]\non_cannot_tell = "x"\n', 2, "It is one of fail, pass."),
    ("[gate]\non_cannot_tell = true\n", 2, "on_cannot_tell is true, not a text"),
    ("[[limits]]\nat_most = 1\n", 1, "names no metric"),
    ('[[limits]]\nmetric = ""\nat_most = 1\n', 2, "metric is '', not a text"),
    ('[[limits]]\nmetric = "acuracy"\nat_most = 1\n', 2, "Did you mean accuracy?"),
    ('[[limits]]\nmetric = "x"\nat_most = 1\n', 2, "It is one of average_hinge_loss, "),
    (LIMIT, 1, "the limit on accuracy has no value; give it one of at_most, at_least and worsens_by_at_most"),
    (LIMIT + "at_least = 0.1\nat_most = 0.9\n", 4, "has at_least and at_most; give it only one of them"),
    (LIMIT + "at_least = 90\n", 3, "at_least is 90; a number from 0 to 1 is expected"),
    (LIMIT + "at_least = -0.1\n", 3, "a number from 0 to 1"),
    (LIMIT + "at_least = nan\n", 3, "at_least is nan"),
    (LIMIT + 'at_least = "0.9"\n', 3, "at_least is '0.9'"),
    (LIMIT + "at_least = true\n", 3, "at_least is true"),
    (LIMIT + "worsens_by_at_most = -0.01\n", 3, "worsens_by_at_most is -0.01"),
    ('[[limits]]\nmetric = "log_loss"\nat_most = -1\n', 3, "a number of at least 0"),
    ('[[limits]]\nmetric = "log_loss"\nat_most = inf\n', 3, "a finite number"),
    ('[[limits]]\nmetric = "median_margin"\nat_least = -inf\n', 3, "a finite number"),
    ('[[limits]]\nmetric = "positive_share"\nworsens_by_at_most = 0.1\n', 3, "neither better nor worse"),
    (LIMIT + 'at_least = 0.9\ncohorts = ["a"]\n', 4, "cohorts is ['a'], not a text"),
    (LIMIT + 'at_least = 0.9\ncohorts = "a"\nby_class = true\n', 5, "write two limits for both"),
    (LIMIT + 'at_least = 0.9\ncrossing = ["a", "b"]\nby_class = true\n', 5, "write two limits for both"),
    (LIMIT + 'at_least = 0.9\ncohorts = "a"\ncrossing = ["a", "b"]\n', 5, "by one cohort column or by a crossing"),
    (LIMIT + 'at_least = 0.9\ncrossing = "a"\n', 4, "crossing is 'a', not a list of texts"),
    (LIMIT + 'at_least = 0.9\ncrossing = ["a", 1]\n', 4, "not a list of texts"),
    (LIMIT + 'at_least = 0.9\ncrossing = []\n', 4, "crossing names 2 or 3 cohort columns, each of them once"),
    (LIMIT + 'at_least = 0.9\ncrossing = ["a"]\n', 4, "crossing names 2 or 3 cohort columns"),
    (LIMIT + 'at_least = 0.9\ncrossing = ["a", "a"]\n', 4, "each of them once"),
    (LIMIT + 'at_least = 0.9\ncrossing = ["a", "b", "c", "d"]\n', 4, "crossing names 2 or 3 cohort columns"),
    (
        LIMIT + 'at_least = 0.9\ncrossing = ["a", "b"]\n' + LIMIT + 'at_least = 0.8\ncrossing = ["b", "a"]\n',
        5,
        "line 1 limits the same numbers in the same way",
    ),
    (LIMIT + "at_least = 0.9\nby_class = 1\n", 4, "by_class is 1, neither true nor false"),
    (LIMIT + "at_least = 0.9\nminimum_rows = 0\n", 4, "a whole number of at least 1"),
    (LIMIT + "at_least = 0.9\nminimum_rows = 10.0\n", 4, "minimum_rows is 10.0"),
    (LIMIT + "at_least = 0.9\nby_clas = true\n", 4, "Did you mean by_class?"),
    (LIMIT + "at_least = 0.9\n" + LIMIT + "at_least = 0.8\n", 4, "line 1 limits the same numbers in the same way"),
    ("[findings]\n", 1, "forbids nothing"),
    ('[findings]\nseverity = "errors"\n', 2, "Did you mean error?"),
    ('[findings]\nforbid = "label-flip"\n', 2, "not a list of texts"),
    ("[findings]\nforbid = [1]\n", 2, "not a list of texts"),
    ('[findings]\nforbid = ["label-flop"]\n', 2, "forbid names 'label-flop', which there is not. Did you mean label-"),
    ('[findings]\nforbid = ["label-flip"]\nallow = ["label-flip"]\n', 3, "label-flip is both forbidden and allowed"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "words"), WRONG, ids=[f"{line}: {words}" for _, line, words in WRONG])
def test_what_is_wrong_is_named_with_its_line(text: str, line: int, words: str) -> None:
    for each in (text, text.replace("\n", "\r\n")):
        with pytest.raises(SettingsError) as caught:
            read_policy(each, "p.toml")
        assert str(caught.value).startswith(f"p.toml, line {line}: ")
        assert words in str(caught.value)


def test_a_file_that_no_policy_is() -> None:
    with pytest.raises(SettingsError, match="larger than 256 kB"):
        read_policy("#" * (MOST_BYTES + 1))
    with pytest.raises(SettingsError, match=r"no TOML|beyond all bounds"):
        read_policy("a = " + "[" * 100_000)


def test_two_limits_of_one_kind_may_differ_in_their_parts() -> None:
    parts = ("", 'cohorts = "a"\n', 'cohorts = "b"\n', "by_class = true\n", 'crossing = ["a", "b"]\n')
    limits = read_policy("".join(f"{LIMIT}at_least = 0.9\n{part}" for part in parts)).limits
    assert [each.columns for each in limits] == [(), ("a",), ("b",), (), ("a", "b")]


def test_lines_of_statements() -> None:
    text = """
a = \"\"\"
b = 1
[c]
\"\"\"
d.e = [
  1,
  # [x]
  { f = 2 },
]
[t]
"g h" = { i = 1, j = 2 }
[[u.v]]
k = 1
[u.v.w]
l = 2
[[u.v]]
k = 3
"""
    lines = statement_lines(text)
    assert lines == {
        ("a",): 2, ("d",): 6, ("d", "e"): 6, ("t",): 11, ("t", "g h"): 12, ("u",): 13, ("u", "v"): 13,
        ("u", "v", 0): 13,
        ("u", "v", 0, "k"): 14, ("u", "v", 0, "w"): 15, ("u", "v", 0, "w", "l"): 16, ("u", "v", 1): 17,
        ("u", "v", 1, "k"): 18,
    }  # fmt: skip
    source = Source(text, "p.toml")
    assert source.line_of(("t", "g h", "j")) == 12
    assert source.line_of(("nowhere",)) == 1


VALUES = (
    "1", "-inf", "true", "2026-04-02T09:00:00Z", '"a # b [ \\" \\\\"', "'c \\'",
    '"""\nd = 1\n"" ] \\""" \n"""', "\'\'\'\n[x]\n\'\'\'",
    '""""e""""', "[1, # f = [\n 2]", "{g = 1, h = [\n]}", "[\n{i = 1},\n[],\n]",
)  # fmt: skip


@given(
    st.lists(
        st.tuples(st.sampled_from(("", "# j\n", "\n", "[k{}]\n", "[[l]]\n")), st.sampled_from(VALUES)), max_size=12
    )
)
def test_any_sound_file_is_cut_into_its_statements(parts: list[tuple[str, str]]) -> None:
    """Keys are numbered: each is found in the line in which it is written."""
    text = "".join(f"{before.format(place)}m{place} = {value}\n" for place, (before, value) in enumerate(parts))
    tomllib.loads(text)
    lines = {path[-1]: line for path, line in statement_lines(text).items()}
    expected = {f"m{place}": 1 + text[: text.index(f"m{place} =")].count("\n") for place in range(len(parts))}
    assert {name: lines[name] for name in expected} == expected


def test_a_large_file_is_read_at_once() -> None:
    text = "[gate]\nx = [\n" + "1,\n" * 80_000 + "]\n"
    with pytest.raises(SettingsError, match=r"line 2: there is no key of \[gate\] called 'x'"):
        read_policy(text)


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_in_a_sentence(text: str) -> None:
    try:
        read_policy(text)
    except SettingsError as error:
        assert str(error).startswith("policy.toml")  # noqa: PT017


def test_the_policy_of_the_manual_is_sound_and_the_manual_has_every_key() -> None:
    manual = (Path(__file__).resolve().parents[2] / "docs" / "ci.md").read_text("utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", manual, re.DOTALL)
    assert len(read_policy(example).limits) == 5
    assert {*LIMIT_KEYS, *FINDINGS_KEYS, *GATE_KEYS} <= set(re.findall(r"`(\w+)`", manual))
