"""What the gate has decided on its four faces: text, Markdown, JUnit by its schema, OpenMetrics by its parser."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest
import xmlschema
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_prometheus

from lib.checks import CheckResult, Severity, Status, Where
from lib.figures.format import NO_BREAK
from lib.figures.gate_view import DecisionRow, GateView, OpenLimit, bound_words
from lib.gate import WHOLE, Decision, GateResult, judge_gate
from lib.metrics.estimates import Estimate
from lib.metrics.intervals import wilson
from lib.policy import Kind, Limit, read_policy
from lib.reports import gate_outline, render_junit, render_markdown, render_openmetrics, render_text
from tests.checks.tables import diagnose
from tests.test_gate import WORSE, by_language, limit, rows

SCHEMA = xmlschema.XMLSchema(Path(__file__).parent / "JUnit.xsd")
HOSTILE = (
    'a"b\\c\nd',
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A1",
    "]]>&amp;",
    "x\u202ey\x00\x1b[31m\ufffe",
    "[link](http://x.y) @someone",
    "| a | b |",
    "",
)
BROKEN = HOSTILE[4] + "\ud800"
"""Files may be called so; texts in tables are not."""
FINDING = CheckResult(
    "H-F5", "label-flip", Status.FAIL, Severity.ERROR, "v2", Where(), f"Reversed for {HOSTILE[1]}{BROKEN}.", {},
    "What it means.", f"Look at {HOSTILE[3]}.", "margins",
)  # fmt: skip
ALL = limit(metric="accuracy", at_least=0.8) + limit(metric="accuracy", at_most=0.8)
OPEN = limit(metric="violation_rate", worsens_by_at_most=0)
LET = limit(metric="violation_rate", at_most=0.1, on_cannot_tell="pass")


def judged(policy: str, *frames: pd.DataFrame, findings: tuple[CheckResult, ...] = ()) -> GateResult:
    made = frames or (rows(1_000, 100), rows(1_000, 100, "v2"))
    return judge_gate(diagnose(pd.concat(made), ("language",)), read_policy(policy), findings)


def hostile() -> GateResult:
    frames = [
        rows(400, 40, version, language=name) for name in HOSTILE for version in ("v1", f"v2 {HOSTILE[1]}{HOSTILE[0]}")
    ]
    policy = limit(metric="accuracy", at_least=0.5, cohorts="language") + OPEN + '[findings]\nforbid = ["label-flip"]\n'
    result = judged(policy, *frames, findings=(dataclasses.replace(FINDING, version=None),))
    return dataclasses.replace(result, facts=dataclasses.replace(result.facts, name=BROKEN + HOSTILE[0]))


def junit(result: GateResult) -> ElementTree.Element:
    document = ElementTree.fromstring(render_junit(result))
    SCHEMA.validate(document)
    return document


RESULTS = {
    "passed": judged(limit(metric="accuracy", at_least=0.8)),
    "failed": judged(ALL),
    "open": judged(ALL + OPEN + LET),
    "open, but let pass": judged(LET),
    "findings": judged(ALL + '[findings]\nseverity = "error"\n', findings=(FINDING,)),
    "findings alone, none": judged('[findings]\nseverity = "error"\n'),
    "hostile": hostile(),
}


def test_sentences() -> None:
    assert {name: GateView.of(result).answer() for name, result in RESULTS.items() if name != "hostile"} == {
        "passed": "Version v2 passes: the limit kept.",
        "failed": "Version v2 does not pass: of 2 limits 1 kept, 1 broken.",
        "open": "Version v2 does not pass: of 4 limits 1 kept, 1 broken, 2 cannot be told.",
        "open, but let pass": "Version v2 passes: the limit cannot be told.",
        "findings": "Version v2 does not pass: of 2 limits 1 kept, 1 broken, 1 finding forbidden.",
        "findings alone, none": "Version v2 passes: no finding forbidden.",
    }
    assert [GateView.of(each).answer().startswith("Version v2 passes") for each in RESULTS.values()] == [
        each.passed for each in RESULTS.values()
    ]


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (Limit("violation_rate", "at_most", 0.05), "Violation rate at most 5 %"),
        (Limit("violation_rate", "at_most", 0.07123), "Violation rate at most 7.123 %"),
        (Limit("roc_auc", "at_least", 0.9), "ROC AUC at least 0.9"),
        (Limit("median_margin", "at_least", -1.5), "Median margin at least −1.5"),
        (Limit("accuracy", "worsens_by_at_most", 0.005), "Accuracy at most 0.5 points below the baseline"),
        (Limit("accuracy", "worsens_by_at_most", 0.01), "Accuracy at most 1 point below the baseline"),
        (Limit("log_loss", "worsens_by_at_most", 0.01), "Log loss at most 0.01 above the baseline"),
    ],
)
def test_limits_in_words(made: Limit, words: str) -> None:
    assert f"{made.of.label} {bound_words(made)}".replace("\N{NO-BREAK SPACE}", " ") == words


NARROW: list[tuple[dict[str, object], tuple[str, str], str]] = [
    # Wilson's interval of 900 of 1,000 is 87.98480 to 91.70906 %.
    ({"at_least": 0.8}, ("90.0 %", "88.0 to 91.7 %"), "pass"),
    ({"at_least": 0.879}, ("90.0 %", "88.0 to 91.7 %"), "pass"),
    ({"at_least": 0.88}, ("90.00 %", "87.98 to 91.71 %"), "cannot tell"),
    ({"at_least": 0.8798}, ("90.000 %", "87.985 to 91.709 %"), "pass"),
    ({"at_least": 0.917}, ("90.00 %", "87.98 to 91.71 %"), "cannot tell"),
    ({"at_least": 0.9171}, ("90.000 %", "87.985 to 91.709 %"), "fail"),
    ({"at_most": 0.9171}, ("90.000 %", "87.985 to 91.709 %"), "pass"),
    ({"at_least": float(wilson(0.9, 1_000)[0])}, ("90.0 %", "88.0 to 91.7 %"), "pass"),
    # Five points fewer are right, 3.554642 to 6.447384.
    ({"worsens_by_at_most": 0.01}, ("−5.0 points", "−6.4 to −3.6 points"), "fail"),
    ({"worsens_by_at_most": 0.036}, ("−5.00 points", "−6.45 to −3.55 points"), "cannot tell"),
    ({"worsens_by_at_most": 0.03552}, ("−5.000 points", "−6.447 to −3.555 points"), "fail"),
    ({"worsens_by_at_most": 0.0645}, ("−5.0 points", "−6.4 to −3.6 points"), "pass"),
]


@pytest.mark.parametrize(("keys", "words", "outcome"), NARROW)
def test_digits_tell_a_limit_from_the_end_that_decides(
    keys: dict[str, object], words: tuple[str, str], outcome: str
) -> None:
    result = judged(limit(metric="accuracy", **keys), *(WORSE if "worsens_by_at_most" in keys else ()))
    (row,) = GateView.of(result).rows
    assert (row.verdict, row.number.replace(NO_BREAK, " "), row.interval.replace(NO_BREAK, " ")) == (outcome, *words)
    number, interval = words
    outline = gate_outline(result)
    for told in (render_text(outline, 200), render_markdown(outline)):
        assert f"{number} ({interval})" in " ".join(told.replace(NO_BREAK, " ").split())
    document = ElementTree.fromstring(render_junit(result))
    assert all(f"{number} ({interval})" in each.get("message", "") for each in document.iter("failure"))


@given(
    held_at=st.integers(1, 9_999).map(lambda each: each / 10_000),
    steps=st.tuples(st.integers(2, 9), st.integers(2, 9)),
    signs=st.sampled_from([(-1, 1), (-1, -1), (1, 1)]),
    bound=st.sampled_from([0.0, 1e-4, 2.5e-3]),
    asked=st.sampled_from([("accuracy", "at_least"), ("log_loss", "at_most"), ("accuracy", "worsens_by_at_most")]),
)
def test_ends_of_an_interval_read_on_their_side_of_the_limit(
    held_at: float, steps: tuple[int, int], signs: tuple[int, int], bound: float, asked: tuple[str, Kind]
) -> None:
    made = Limit(asked[0], asked[1], held_at)
    lower, upper = sorted(made.held_at + sign * 10.0**-step for sign, step in zip(signs, steps, strict=True))
    number = Estimate((lower + upper) / 2, lower, upper, 100, "", bound)
    row = DecisionRow.of(Decision(made, WHOLE, "fail", number, None, number))
    times = 1 if made.of.unit != "share" else 100
    told, *binned = row.interval.replace(NO_BREAK, " ").replace("−", "-").removesuffix(" by binning").split(" ± ")
    shown = [each.strip("+ ") for each in told.removesuffix("%").removesuffix("points").split(" to ")]
    if any(each.startswith(("<", ">", "-<")) for each in shown):
        return
    for end, exact in zip(shown, (lower, upper), strict=True):
        assert (float(end) > times * made.held_at) == (exact > made.held_at)
        # No more than are needed: of so many digits the last may differ, and two more.
        assert len(end.split(".")[1]) <= max(steps) + 3
    assert bool(binned) == bool(bound)


def test_what_matters_most_comes_first() -> None:
    rows_shown = GateView.of(RESULTS["open"]).rows
    assert [(row.verdict, row.lets_pass) for row in rows_shown] == [
        ("fail", False), ("cannot tell", False), ("cannot tell", True), ("pass", True),
    ]  # fmt: skip
    assert rows_shown[1].remark.startswith("too close to tell with data of this kind: known to ")
    assert rows_shown[2].remark.endswith("(the policy lets it pass)")


@pytest.mark.parametrize("name", RESULTS)
def test_junit_is_valid_by_its_schema(name: str) -> None:
    result = RESULTS[name]
    document = junit(result)
    cases = document.findall("testcase")
    failures = [case for case in cases if case.find("failure") is not None]
    assert int(document.get("tests", "")) == len(cases)
    assert int(document.get("failures", "")) == len(failures)
    assert bool(failures) == (not result.passed)
    skipped = sum(each.outcome == "cannot tell" and each.lets_pass for each in result.decisions)
    assert int(document.get("skipped", "")) == len(document.findall("testcase/skipped")) == skipped
    assert len(cases) == len(result.decisions) + max(len(result.forbidden), result.policy.findings is not None)


def test_the_schema_finds_what_is_wrong() -> None:
    document = junit(RESULTS["failed"])
    del document.attrib["hostname"]
    assert not SCHEMA.is_valid(document)


def test_what_a_case_of_junit_says() -> None:
    cases = {case.get("name"): case for case in junit(RESULTS["failed"]).findall("testcase")}
    failure = cases["Accuracy at most 80 %: all rows"].find("failure")
    assert failure is not None
    assert failure.get("message") == "fail: 90.0 % (88.0 to 91.7 %), n = 1,000"
    assert len(cases["Accuracy at least 80 %: all rows"]) == 0


@pytest.mark.parametrize("parse", [parse_openmetrics, parse_prometheus], ids=["openmetrics", "prometheus"])
@pytest.mark.parametrize("name", RESULTS)
def test_openmetrics_is_read_by_both_parsers(name: str, parse) -> None:
    result = RESULTS[name]
    text = render_openmetrics(result)
    assert text.endswith("# EOF\n")
    families = {family.name: family for family in parse(text)}
    assert {family.type for family in families.values()} == {"gauge"}

    def value(family: str) -> float:
        (sample,) = families[f"marginalia_gate_{family}"].samples
        return sample.value

    assert value("passed") == result.passed
    assert value("forbidden_findings") == len(result.forbidden)
    assert value("timestamp_seconds") == pytest.approx(result.made_at.timestamp())
    counts = {sample.labels["verdict"]: sample.value for sample in families["marginalia_gate_decisions"].samples}
    assert counts == {word: result.count(word) for word in ("pass", "fail", "cannot tell")}
    if not result.decisions:
        assert "marginalia_gate_kept" not in families
        return
    for family, read in (
        ("kept", lambda it: {"pass": 1, "fail": 0}.get(it.outcome, math.nan)),
        ("value", lambda it: it.number.value),
        ("lower", lambda it: it.number.lower),
        ("upper", lambda it: it.number.upper),
        ("rows", lambda it: it.number.n),
        ("limit", lambda it: it.limit.value),
    ):
        samples = families[f"marginalia_gate_{family}"].samples
        assert [each.value for each in samples] == pytest.approx([read(it) for it in result.decisions], nan_ok=True)
        labels = [tuple(sorted(each.labels.items())) for each in samples]
        assert len(set(labels)) == len(labels)
        named = [name.encode("utf-8", "replace").decode() for name in (it.part.value for it in result.decisions)]
        assert [each.labels["value"] for each in samples] == named


def test_text_and_markdown_have_every_number() -> None:
    result = RESULTS["open"]
    outline = gate_outline(result)
    for told in (render_text(outline), render_markdown(outline).replace("\\", "")):
        flat = " ".join(told.replace("\N{NO-BREAK SPACE}", " ").split())
        assert GateView.of(result).answer() in flat
        for row in GateView.of(result).rows:
            for words in (row.number, row.interval, row.remark):
                assert words.replace("\N{NO-BREAK SPACE}", " ") in flat
    findings = render_text(gate_outline(RESULTS["findings"]))
    assert "ERROR Reversed for <script>" in findings


def test_names_from_data_do_nothing() -> None:
    outline = gate_outline(RESULTS["hostile"])
    text, markdown = render_text(outline), render_markdown(outline)
    assert all(
        each.isprintable() or each in "\n\N{NO-BREAK SPACE}\ufffe" for each in text + markdown.replace("\u2060", "")
    )
    assert "<script>" not in markdown
    assert "http://" not in markdown
    assert "| '=cmd" not in markdown  # the name stands behind its column's
    assert markdown.count("\n| pass |") == len(HOSTILE)
    lines = [line for line in markdown.splitlines() if line.startswith("| pass")]
    assert {line.replace(r"\|", "").count("|") for line in lines} == {6}


def test_of_very_many_parts_those_that_matter_are_shown() -> None:
    frames = by_language(**{f"l{place:03}": (200, 100 if place == 90 else 4) for place in range(150)})
    told = render_markdown(gate_outline(judged(limit(metric="accuracy", at_least=0.7, cohorts="language"), *frames)))
    assert told.count("language = l") == 60
    assert "language = l090" in told.split("| pass |")[0]
    assert "90 more numbers not shown, of which 90 pass." in told
    assert "150 at most here" in told


def test_what_cannot_be_told_of_many_parts_is_one_line() -> None:
    sizes = {f"l{place:03}": (20 + place % 10, 1) for place in range(40)} | {"aa": (300, 200), "zz": (300, 1)}
    keys: dict[str, object] = {"metric": "accuracy", "at_least": 0.7, "cohorts": "language"}
    result = judged(limit(**keys) + LET, *by_language(**sizes))
    view = GateView.of(result)
    assert [line.rows[0].verdict if isinstance(line, OpenLimit) else line.verdict for line in view.lines] == [
        "fail", "fail", "cannot tell", "pass",
    ]  # fmt: skip
    gathered = view.lines[2]
    assert isinstance(gathered, OpenLimit)
    assert gathered.share == "40 of 42 values of language"
    needed = [int(row.why.split(", ")[1].split()[0]) for row in gathered.rows]
    assert needed == sorted(needed)
    assert {needed[0], needed[-1]} == {1, 10}
    assert len(view.rows) == len(result.decisions) == 43
    text = " ".join(render_text(gate_outline(result)).split())
    assert text.count("more are needed") == 3
    assert (
        "Accuracy at least 70 %: 40 of 42 values of language cannot be told; nearest language = l009: fewer than 30 "
        "rows, 1 more are needed; language = l019: fewer than 30 rows, 1 more are needed; language = l029: fewer than "
        "30 rows, 1 more are needed; 37 more."
    ) in text.replace(NO_BREAK, " ")
    assert (
        view.answer() == "Version v1 does not pass: of 43 numbers under 2 limits 1 kept, 2 broken, 40 cannot be told."
    )
    passing = judged(limit(**keys, on_cannot_tell="pass"), *by_language(**sizes))
    (line,) = (line for line in GateView.of(passing).lines if isinstance(line, OpenLimit))
    assert line.sentence(1).startswith("40 of 42 values of language cannot be told (the policy lets them pass); near")
    assert len(junit(passing).findall("testcase/skipped")) == 40
