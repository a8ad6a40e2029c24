"""The gate as a table of edge cases: what a policy says of small worlds whose numbers are known."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from lib.checks import CheckResult, Severity, Status, Where
from lib.diagnose import Diagnosis
from lib.errors import SettingsError
from lib.gate import NO_BASELINE, TWO_SCALES, WHOLE, Decision, Part, judge_gate, write_policy
from lib.metrics.intervals import wilson
from lib.metrics.limits import stretch, times_for
from lib.metrics.summary import unpaired_change
from lib.policy import read_policy
from lib.schema import VERSION, Filter, ScoreKind
from lib.settings import Settings
from tests.checks.class_worlds import diagnose_classes, make_classes
from tests.checks.conftest import make_world
from tests.checks.tables import diagnose
from tests.reports.conftest import SAMPLES, scan_of


def rows(n: int, wrong: int, version: str = "v1", *, language: str = "en", labels: tuple[float, ...] = (0.0, 1.0)):
    """So many rows, so many of them decided wrongly, spread evenly over the labels."""
    label = np.array(labels)[np.arange(n) % len(labels)]
    score = np.where((np.arange(n) < wrong) == (label == 1), 0.1, 0.9)
    return pd.DataFrame({"label": label, "score": score, "version": version, "language": language})


def unlabelled(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(label=np.nan)


def limit(**keys: object) -> str:
    shown = {key: f'"{value}"' if isinstance(value, str) else str(value).lower() for key, value in keys.items()}
    return "[[limits]]\n" + "".join(f"{key} = {value}\n" for key, value in shown.items())


def decide(diagnosis: Diagnosis, **keys: object) -> tuple[Decision, ...]:
    return judge_gate(diagnosis, read_policy(limit(**keys))).decisions


def one(*frames: pd.DataFrame, **keys: object) -> Decision:
    (decision,) = decide(diagnose(pd.concat(frames), ("language",)), **keys)
    return decision


LOWER, UPPER = (float(end) for end in wilson(0.9, 1_000))
BIG = (rows(1_000, 100), rows(1_000, 100, "v2"))
WORSE = (rows(4_000, 400), rows(4_000, 600, "v2"))  # five points, ± 1.5

EDGES: list[tuple[str, tuple[pd.DataFrame, ...], dict[str, object], str, str]] = [
    ("well within", BIG, {"at_least": 0.8}, "pass", ""),
    ("the worse end on the limit", BIG, {"at_least": LOWER}, "pass", ""),
    ("just beyond it", BIG, {"at_least": LOWER + 1e-9}, "cannot tell", ""),
    ("the number on the limit", BIG, {"at_least": 0.9}, "cannot tell", ""),
    ("the better end on the limit", BIG, {"at_least": UPPER}, "cannot tell", ""),
    ("just beyond that", BIG, {"at_least": UPPER + 1e-9}, "fail", ""),
    ("at most, well within", BIG, {"at_most": 0.95}, "pass", ""),
    ("at most, well beyond", BIG, {"at_most": 0.8}, "fail", ""),
    ("the candidate counts, not the baseline", (rows(900, 0), rows(900, 450, "v2")), {"at_least": 0.8}, "fail", ""),
    ("29 rows", (rows(29, 0),), {"at_least": 0.5}, "cannot tell", "fewer than 30 rows"),
    ("30 rows", (rows(30, 0),), {"at_least": 0.5}, "pass", ""),
    ("29 rows, which are enough here", (rows(29, 0),), {"at_least": 0.5, "minimum_rows": 20}, "pass", ""),
    ("no labels", (unlabelled(BIG[0]),), {"at_least": 0.5}, "cannot tell", "no labelled rows"),
    ("one class", (rows(500, 9, labels=(1.0,)),), {"metric": "roc_auc", "at_least": 0.5}, "cannot tell", "one class"),
    ("not one error", (rows(500, 0),), {"at_least": 1}, "cannot tell", ""),
    ("what is always so", (rows(500, 0),), {"at_most": 1}, "pass", ""),
    ("worse by more", WORSE, {"worsens_by_at_most": 0.02}, "fail", ""),
    ("worse, but by less", WORSE, {"worsens_by_at_most": 0.08}, "pass", ""),
    ("worse by about so much", WORSE, {"worsens_by_at_most": 0.05}, "cannot tell", ""),
    ("better", WORSE[::-1], {"worsens_by_at_most": 0.08}, "pass", ""),
    ("as good, but who knows", BIG, {"worsens_by_at_most": 0}, "cannot tell", ""),
    ("less is better", WORSE, {"metric": "violation_rate", "worsens_by_at_most": 0.02}, "fail", ""),
    ("no baseline", BIG[:1], {"worsens_by_at_most": 0.5}, "cannot tell", NO_BASELINE),
    (
        "a candidate without labels", (BIG[0], unlabelled(BIG[1])), {"worsens_by_at_most": 0.5}, "cannot tell",
        "undefined in the candidate: no labelled rows",
    ),
    (
        "a baseline without labels", (unlabelled(BIG[0]), BIG[1]), {"worsens_by_at_most": 0.5}, "cannot tell",
        "undefined in the baseline: no labelled rows",
    ),
    (
        "too few rows of the baseline", (rows(20, 2), BIG[1]), {"worsens_by_at_most": 0.9}, "cannot tell",
        "fewer than 30 rows",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("frames", "keys", "outcome", "reason"), [e[1:] for e in EDGES], ids=[e[0] for e in EDGES])
def test_edge_case(frames: tuple[pd.DataFrame, ...], keys: dict[str, object], outcome: str, reason: str) -> None:
    frames = frames if frames is not WORSE[::-1] else (WORSE[1].assign(version="v1"), WORSE[0].assign(version="v2"))
    decision = one(*frames, **{"metric": "accuracy", **keys})
    assert decision.outcome == outcome
    assert reason in decision.reason
    assert bool(decision.reason) == bool(reason)
    assert (decision.part, decision.judged) == (WHOLE, 1)
    for said in ("pass", "fail"):
        same = one(*frames, **{"metric": "accuracy", **keys, "on_cannot_tell": said})
        assert same.outcome == outcome
        assert same.lets_pass == (outcome == "pass" or (outcome == "cannot tell" and said == "pass"))


def test_better_is_better() -> None:
    frames = (WORSE[1].assign(version="v1"), WORSE[0].assign(version="v2"))
    decision = one(*frames, metric="accuracy", worsens_by_at_most=0)
    assert decision.outcome == "pass"
    assert decision.number.value == pytest.approx(0.05)


def test_what_a_limit_against_the_baseline_is_held_against() -> None:
    diagnosis = diagnose(pd.concat(WORSE), ("language",))
    (decision,) = decide(diagnosis, metric="accuracy", worsens_by_at_most=0.05)
    assert decision.number == diagnosis.change("accuracy")
    before, after = diagnosis.versions["accuracy"]
    assert (decision.before, decision.after) == (before, after)
    (decision,) = decide(diagnosis, metric="accuracy", at_least=0.5)
    assert decision.before is None
    assert decision.number == after


def test_the_gate_passes_with_all_and_fails_with_one() -> None:
    diagnosis = diagnose(pd.concat(BIG), ("language",))
    kept, broken, open_ = (limit(metric="accuracy", at_least=value) for value in (0.5, 0.99, 0.9))
    other = limit(metric="violation_rate", at_most=0.9)
    for text, passed, counts in (
        (kept, True, (1, 0, 0)),
        (kept + other, True, (2, 0, 0)),
        (broken + other, False, (1, 1, 0)),
        (open_ + other, False, (1, 0, 1)),
        ('[gate]\non_cannot_tell = "pass"\n' + open_ + other, True, (1, 0, 1)),
        ('[gate]\non_cannot_tell = "pass"\n' + open_ + 'on_cannot_tell = "fail"\n' + other, False, (1, 0, 1)),
        ('[gate]\non_cannot_tell = "pass"\n' + broken + other, False, (1, 1, 0)),
    ):
        result = judge_gate(diagnosis, read_policy(text))
        assert result.passed == passed
        assert (result.count("pass"), result.count("fail"), result.count("cannot tell")) == counts


def test_so_many_more_rows_would_tell() -> None:
    """Of 98 % right in 200 rows it cannot be said that they are 96 %; with the rows that are asked for it can."""
    decision = one(rows(200, 4), metric="accuracy", at_least=0.96)
    assert decision.outcome == "cannot tell"
    assert 100 < decision.more_rows < 200
    n = math.ceil((200 + decision.more_rows) / 50) * 50
    assert one(rows(n, n // 50), metric="accuracy", at_least=0.96).outcome == "pass"
    assert one(rows(20, 0), metric="accuracy", at_least=0.5).more_rows == 10
    assert math.isnan(one(*BIG, metric="accuracy", at_least=0.9).more_rows)


def by_language(**languages: tuple[int, int]) -> list[pd.DataFrame]:
    return [rows(n, wrong, language=name) for name, (n, wrong) in languages.items()]


def test_each_value_of_a_cohort_column_is_judged_and_corrected_for() -> None:
    frame = pd.concat(by_language(en=(2_000, 100), pt=(400, 48), tiny=(12, 6), es=(900, 60)))
    found = decide(diagnose(frame, ("language",)), metric="accuracy", at_least=0.9, cohorts="language")
    outcomes = {each.part.value: each.outcome for each in found}
    assert outcomes == {"en": "pass", "es": "pass", "pt": "cannot tell", "tiny": "cannot tell"}
    assert {each.judged for each in found} == {3}  # without the one that is too small
    (en,) = (each for each in found if each.part.value == "en")
    lower, upper = wilson(0.95, 2_000, 1 - 0.05 / 3)
    assert (en.number.lower, en.number.upper) == pytest.approx((float(lower), float(upper)))
    (tiny,) = (each for each in found if each.part.value == "tiny")
    assert (tiny.reason, tiny.more_rows) == ("fewer than 30 rows", 18)


def test_one_of_many_cohorts_has_to_be_worse_by_more_to_fail() -> None:
    """12 % ± 3.2 points of errors is above 8.5 % alone, not as one of twenty."""
    frame = pd.concat(by_language(pt=(400, 48)))
    assert one(frame, metric="accuracy", at_least=0.91).outcome == "fail"
    frame = pd.concat([frame, *by_language(**{f"l{place}": (400, 20) for place in range(19)})])
    found = decide(diagnose(frame, ("language",)), metric="accuracy", at_least=0.91, cohorts="language")
    (pt,) = (each for each in found if each.part.value == "pt")
    assert pt.outcome == "cannot tell"
    assert pt.judged == 20
    assert pt.number.upper == pytest.approx(float(wilson(0.88, 400, 1 - 0.05 / 20)[1]))
    assert times_for(20) > 1.5


def test_cohorts_against_the_baseline() -> None:
    """A value of the candidate alone has nothing to be compared with, one of the baseline alone no rows any more."""
    frame = pd.concat(
        [
            *by_language(en=(3_000, 150), pt=(3_000, 150), old=(500, 25)),
            rows(3_000, 150, "v2", language="en"),
            rows(3_000, 600, "v2", language="pt"),
            rows(500, 25, "v2", language="new"),
        ]
    )
    diagnosis = diagnose(frame, ("language",))
    found = {
        each.part.value: each
        for each in decide(diagnosis, metric="accuracy", worsens_by_at_most=0.03, cohorts="language")
    }
    assert {name: each.outcome for name, each in found.items()} == {
        "en": "pass", "pt": "fail", "new": "cannot tell", "old": "cannot tell",
    }  # fmt: skip
    assert found["new"].reason == "undefined in the baseline: no rows of v1"
    assert found["old"].reason == "undefined in the candidate: no rows of v2"
    assert found["en"].before is not None
    assert found["en"].number.value == unpaired_change(found["en"].before, found["en"].after).value
    assert {each.judged for each in found.values()} == {2}
    held = decide(diagnosis, metric="accuracy", at_least=0.5, cohorts="language")
    assert {each.part.value for each in held} == {"en", "pt", "new"}


def test_rows_of_both_versions_are_paired_by_id() -> None:
    """The change is the same number; that the rows are the same narrows its interval, of all and of each cohort."""
    scan = scan_of(SAMPLES / "digits_hinge.csv")
    diagnosis = Diagnosis(scan, Settings.choose(scan.facts))
    for keys in ({}, {"cohorts": "ink"}):
        found = decide(diagnosis, metric="accuracy", worsens_by_at_most=0.05, **keys)
        for each in found:
            assert each.before is not None
            plain = stretch(unpaired_change(each.before, each.after), times_for(len(found)), "plain")
            assert each.number.value == pytest.approx(plain.value)
            assert each.number.lower > plain.lower
            assert each.number.upper < plain.upper
    assert len(found) == 3


def test_rows_without_a_value_are_a_cohort() -> None:
    frame = pd.concat([rows(100, 0), rows(100, 0).assign(language=None)])
    found = decide(diagnose(frame, ("language",)), metric="accuracy", at_least=0.9, cohorts="language")
    assert {each.part.value for each in found} == {"", "en"}


def test_a_filter_that_leaves_nothing() -> None:
    diagnosis = diagnose(pd.concat(BIG), ("language",))
    empty = diagnosis.with_settings(where=Filter(cohorts=(("language", "xx"),)))
    for keys in ({}, {"cohorts": "language"}, {"by_class": True}):
        (decision,) = decide(empty, metric="accuracy", at_least=0.5, **keys)
        assert (decision.outcome, decision.part) == ("cannot tell", WHOLE)
        assert decision.reason == "no rows of v2"


def test_classes_of_two() -> None:
    frame = pd.concat([rows(500, 5, labels=(1.0,)), rows(500, 200, labels=(0.0,))])
    found = decide(diagnose(frame), metric="accuracy", at_least=0.9, by_class=True)
    assert [(each.part, each.outcome) for each in found] == [
        (Part(of_class="1"), "pass"),
        (Part(of_class="0"), "fail"),
    ]
    assert found[0].judged == 2


def test_weights_count_and_widen_the_interval() -> None:
    """One row of ten weighs 50: it makes the rate, and what is known of it is known from few rows."""
    frame = rows(1_000, 0)
    frame["weight"] = np.where(np.arange(1_000) % 10 == 0, 50.0, 1.0)
    frame.loc[frame.index % 10 == 0, "score"] = 1 - frame["score"]
    decision = one(frame, metric="accuracy", at_most=0.2)
    assert decision.outcome == "pass"
    assert decision.number.value == pytest.approx(900 / 5_900)
    plain = one(frame.drop(columns="weight"), metric="accuracy", at_most=0.2)
    assert plain.outcome == "fail"
    half = rows(1_000, 100)
    half["weight"] = np.where(np.arange(1_000) % 10 == 0, 50.0, 1.0)
    assert one(half, metric="accuracy", at_least=0.86).outcome == "cannot tell"
    assert one(half.drop(columns="weight"), metric="accuracy", at_least=0.86).outcome == "pass"


def test_several_classes() -> None:
    diagnosis = diagnose_classes(make_classes(3, k=4))
    names = diagnosis.facts.mapping.class_names
    recalls = diagnosis.against_the_rest(VERSION)
    assert recalls is not None
    found = decide(diagnosis, metric="recall", at_least=0.5, by_class=True)
    assert [each.part.of_class for each in found] == list(names)
    place = diagnosis.versions.groups[VERSION].tolist().index(diagnosis.settings.candidate)
    last = recalls["recall"][place]
    assert [each.number.value for each in found] == [last[name].value for name in names]
    assert {each.judged for each in found} == {4}
    found = decide(diagnosis, metric="violation_rate", worsens_by_at_most=0.5, by_class=True)
    assert [each.outcome for each in found] == ["pass"] * 4
    (whole,) = decide(diagnosis, metric="recall", at_least=0.5)
    assert whole.number == diagnosis.versions["recall"][place]
    assert len(decide(diagnosis, metric="accuracy", at_least=0.1, cohorts="language")) > 1
    with pytest.raises(SettingsError, match=r"line 4: with several classes roc_auc is measured .* by class"):
        decide(diagnosis, metric="roc_auc", at_least=0.1, cohorts="language")


KEPT = {"metric": "accuracy", "at_least": 0.5}
REFUSED: list[tuple[Callable[[], Diagnosis], str, str]] = [
    (lambda: diagnose(BIG[0], ("language",)), limit(**KEPT, cohorts="langauge"), "Did you mean 'language'?"),
    (lambda: diagnose(BIG[0], ("language",)), limit(**KEPT, cohorts="x"), "There are language."),
    (lambda: diagnose(BIG[0], ()), limit(**KEPT, cohorts="x"), "There are none."),
    (lambda: diagnose(BIG[0]), limit(metric="roc_auc", at_least=0.5, by_class=True), "leave by_class out"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "text", "words"), REFUSED, ids=[words for _, _, words in REFUSED])
def test_what_the_dataset_does_not_have_is_refused(make: Callable[[], Diagnosis], text: str, words: str) -> None:
    with pytest.raises(SettingsError, match=r"policy\.toml, line 5: ") as caught:
        judge_gate(make(), read_policy("\n" + text))
    assert words in str(caught.value)


def test_a_policy_that_limits_nothing_is_refused() -> None:
    with pytest.raises(SettingsError, match="limits nothing"):
        judge_gate(diagnose(BIG[0]), read_policy('[gate]\non_cannot_tell = "pass"\n'))


def test_decision_scores_on_two_scales_are_not_compared() -> None:
    frame = make_world(4_000, versions=2)
    frame["score"] = np.log(frame["score"] / (1 - frame["score"])) * np.where(frame["version"] == "v2", 10, 1)
    diagnosis = diagnose(frame, (), score_kind=ScoreKind.DECISION)
    (decision,) = decide(diagnosis, metric="violation_rate", worsens_by_at_most=1)
    assert (decision.outcome, decision.reason) == ("cannot tell", TWO_SCALES)
    (decision,) = decide(diagnosis, metric="roc_auc", worsens_by_at_most=0.2)
    assert decision.outcome == "pass"
    (decision,) = decide(diagnosis, metric="violation_rate", at_most=1)
    assert decision.outcome == "pass"


def finding(name: str, severity: Severity, version: str | None = "v2", status: Status = Status.WARN) -> CheckResult:
    return CheckResult("H-F0", name, status, severity, version, Where(), f"{name}.", {}, "", "", "margins")


FOUND = (
    finding("label-flip", Severity.ERROR),
    finding("score-drift", Severity.WARNING),
    finding("label-flip", Severity.ERROR, "v1"),
    finding("small-sample", Severity.INFO, None),
    finding("noisy-labels", Severity.ERROR, None, Status.PASS),
)
RULES = [
    ('severity = "error"', ["label-flip"]),
    ('severity = "warning"', ["label-flip", "score-drift"]),
    ('severity = "info"', ["label-flip", "score-drift", "small-sample"]),
    ('severity = "info"\nallow = ["score-drift"]', ["label-flip", "small-sample"]),
    ('severity = "error"\nforbid = ["small-sample"]', ["label-flip", "small-sample"]),
    ('forbid = ["score-drift", "noisy-labels"]', ["score-drift"]),
    ('severity = "error"\nallow = ["label-flip"]', []),
]


@pytest.mark.parametrize(("rules", "names"), RULES, ids=[rules.replace("\n", ", ") for rules, _ in RULES])
def test_findings_that_are_forbidden(rules: str, names: list[str]) -> None:
    diagnosis = diagnose(pd.concat(BIG), ())
    result = judge_gate(diagnosis, read_policy(f"[findings]\n{rules}\n"), FOUND)
    assert [each.name for each in result.forbidden] == names
    assert result.passed == (not names)
    assert result.n_findings == 4
    without = judge_gate(diagnosis, read_policy(limit(metric="accuracy", at_least=0.5)), FOUND)
    assert (without.forbidden, without.passed) == ((), True)
    assert math.isnan(without.n_findings)


def test_a_written_policy_by_hand() -> None:
    """90 % of 1,000 rows are right, 88.0 % at least: 86.0 % and one point of margin, rounded down to a tenth."""
    diagnosis = diagnose(pd.concat(BIG), ("language",))
    policy = read_policy(write_policy(diagnosis, on_cannot_tell="pass"))
    found = {(each.metric, each.kind, each.cohorts, each.by_class): each.value for each in policy.limits}
    assert pytest.approx(0.87985, abs=1e-5) == LOWER
    assert found["accuracy", "at_least", "", False] == 0.849
    assert found["accuracy", "worsens_by_at_most", "", False] == 0.01
    assert found["violation_rate", "at_most", "language", False] == found["violation_rate", "at_most", "", False]
    worst = float(wilson(0.9, 500, 1 - 0.05 / 2)[0])  # of each class 50 of 500 are wrong, and two are judged at once
    assert found["accuracy", "at_least", "", True] == math.floor(1_000 * (2 * worst - 0.9) - 10) / 1_000
    assert policy.findings is not None
    assert policy.findings.severity is Severity.ERROR
    assert {each.on_cannot_tell for each in policy.limits} == {"pass"}
    wide = read_policy(write_policy(diagnosis, points=10, per_cent=50))
    assert {each.metric: each.value for each in wide.limits if not each.is_relative}["accuracy"] < 0.76
    assert all(
        (each.value > other.value) == (each.kind != "at_least")
        for each, other in zip(wide.limits, policy.limits, strict=True)
    )


def test_a_candidate_that_is_as_good_keeps_what_is_written() -> None:
    """Two versions alike, with cohorts, in twenty files: no absolute limit is broken, and few cannot be told."""
    counts = Counter[str]()
    for seed in range(20):
        diagnosis = diagnose(make_world(1_000, seed=seed, versions=2), ("language",))
        policy = read_policy(write_policy(diagnosis))
        counts.update(each.outcome for each in judge_gate(diagnosis, policy).decisions if not each.limit.is_relative)
    assert counts["pass"] > 0.88 * counts.total()
    assert counts["fail"] == 0


WORLDS: dict[str, Callable[[], Diagnosis]] = {
    "probabilities": lambda: diagnose(make_world(4_000, versions=2), ("language", "plan")),
    "one version": lambda: diagnose(make_world(800), ("language",)),
    "decision scores": lambda: diagnose(make_world(2_000, versions=2), (), score_kind=ScoreKind.DECISION),
    "several classes": lambda: diagnose_classes(make_classes(3, k=4)),
    "small cohorts": lambda: diagnose(
        pd.concat([*by_language(en=(900, 90), pt=(12, 1)), rows(900, 90, "v2")]), ("language",)
    ),
    "no errors": lambda: diagnose(pd.concat([rows(500, 0), rows(500, 0, "v2")]), ("language",)),
    "no labels": lambda: diagnose(unlabelled(BIG[0]), ("language",)),
    "hostile names": lambda: diagnose(
        rows(500, 50, 'v"1"\n\u2028#').rename(columns={"language": 'a"b\\c\n\x7f\U0001f600'}), None
    ),
}


@pytest.mark.parametrize("name", WORLDS)
def test_the_baseline_keeps_the_policy_that_is_written_from_it(name: str) -> None:
    diagnosis = WORLDS[name]()
    policy = read_policy(write_policy(diagnosis))
    alone = diagnosis.with_settings(candidate=diagnosis.settings.baseline)
    result = judge_gate(alone, policy)
    for each in result.decisions:
        if each.limit.is_relative:
            assert each.reason == NO_BASELINE
        else:
            assert each.outcome == "pass" or (each.lets_pass and each.number.n < 30)
    assert any(each.is_relative for each in policy.limits) == (name != "no labels" and diagnosis.is_compared)
    if name == "no labels":
        assert policy.limits == ()
    if name == "small cohorts":
        assert [each.on_cannot_tell for each in policy.limits if each.cohorts] == ["pass"]
    if name == "several classes":
        assert [each.metric for each in policy.limits if each.by_class] == ["recall"]
