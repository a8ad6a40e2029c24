"""The JSON contract of the design: keys, kinds, how undefined numbers and times are written."""

import json
import math
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from lib.errors import SettingsError
from lib.reports import Report, render_json, render_markdown, render_text
from lib.reports.json import report_as_json
from lib.reports.json_values import as_plain, rounded
from lib.scan import Scan
from lib.sources import Answers
from tests.reports.conftest import SAMPLES, STORE, report_of, sample_report, saved_sample_report, scan_of

METRICS = {
    "average_hinge_loss", "average_logistic_loss", "violation_rate", "median_margin", "hinge_loss_p90", "log_loss",
    "brier_score", "roc_auc", "average_precision", "accuracy", "precision", "recall", "f1",
    "expected_calibration_error", "support_vector_share", "zero_hinge_gradient_share",
    "logistic_gradient_share_from_correct",
}  # fmt: skip
COUNTS = {"n", "n_labelled", "n_unlabelled", "n_unscored"}
BESIDE = {"violation_rate_by_class", "undefined", "bounds", "resolution", "n_by_metric"}
NUMBERS = METRICS | {f"{name}_ci" for name in METRICS} | COUNTS | BESIDE
TOP = {"format_version", "inputs", "settings", "versions", "cohorts", "comparison", "checks"}
INPUT = {"name", "sha256", "rows", "rows_rejected", "mapping", "score_kind", "pos_label"}
SETTINGS = {"margin_target", "baseline", "candidate", "window_width_seconds", "product_version", "n_rejected"}
COHORT = {"column", "value", "version", "n", "violation_rate", "ci", "p_adjusted"}
COMPARISON = {"baseline", "candidate", "n_paired", "flips", "mcnemar_p", "deltas", "undefined"}
CHECK = {
    "code",
    "name",
    "status",
    "severity",
    "version",
    "where",
    "evidence",
    "explanation",
    "remedy",
    "title",
    "topic",
}
ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def parsed(report: Report) -> dict[str, Any]:
    """The document as another program reads it: NaN and infinities are no JSON."""

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} in JSON")

    return json.loads(render_json(report), parse_constant=refuse)


def numbers_in(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Everything that has the metrics of a group of rows."""
    for version in document["versions"].values():
        yield version
        yield from version["splits"].values()
    yield from document["cohorts"]
    yield from document.get("windows", [])


def test_the_keys_of_the_contract_are_there(report: Report) -> None:
    document = parsed(report)
    assert document.keys() >= TOP
    assert document["format_version"] == 1
    for each in document["inputs"]:
        assert each.keys() >= INPUT
    assert document["settings"].keys() >= SETTINGS
    for numbers in numbers_in(document):
        assert numbers.keys() >= NUMBERS
        assert numbers["violation_rate_by_class"].keys() == {"-1", "1"}
    for each in document["cohorts"]:
        assert each.keys() >= COHORT
    assert document["comparison"].keys() >= COMPARISON
    for each in document["checks"]:
        assert each.keys() >= CHECK
        assert each["status"] in {"fail", "warn", "pass", "not_applicable"}
        assert each["severity"] in {"error", "warning", "info"}
        assert each["where"].keys() == {"cohort", "window"}


def test_a_number_is_there_with_its_interval_or_null_with_its_reason(report: Report) -> None:
    document = parsed(report)
    for numbers in numbers_in(document):
        is_whole = any(numbers is each for each in document["versions"].values())
        for name in METRICS:
            if numbers[name] is None:
                assert numbers["undefined"][name]
                assert numbers[f"{name}_ci"] is None
            else:
                assert name not in numbers["undefined"]
                low, high = numbers[f"{name}_ci"]
                if name == "expected_calibration_error":
                    # Of few rows it is mostly noise: its interval is that of the error without it, and has no lower
                    # end where a calibrated model is not ruled out. Parts have a floor.
                    assert (low or 0) <= high if is_whole else (low, high) == (None, None)
                    assert numbers["expected_calibration_error_floor"] >= 0
                    continue
                bound = numbers["bounds"].get(name, 0) + 1e-9
                assert low is None or low <= numbers[name] + bound
                assert high is None or high >= numbers[name] - bound
        for label, rate in numbers["violation_rate_by_class"].items():
            assert (rate is None) == (f"violation_rate_by_class.{label}" in numbers["undefined"])
        assert set(numbers["bounds"]) <= METRICS | set(numbers["n_by_metric"])


def test_groups_add_up(report: Report) -> None:
    document = parsed(report)
    assert sum(each["n"] for each in document["versions"].values()) == document["settings"]["n_rows"]
    for name, version in document["versions"].items():
        assert version["n"] == version["n_labelled"] + version["n_unlabelled"]
        if version["splits"]:
            assert version["n"] == sum(each["n"] for each in version["splits"].values())
        for column in document["inputs"][0]["mapping"]["cohort"]:
            rows = [each for each in document["cohorts"] if (each["column"], each["version"]) == (column, name)]
            assert sum(each["n"] for each in rows) == version["n"]
            assert [each["rank"] for each in rows] == list(range(1, len(rows) + 1))
        if "windows" in document:
            assert version["n"] == sum(each["n"] for each in document["windows"] if each["version"] == name)


def test_every_cohort_value_and_version_is_there(report: Report) -> None:
    keys = [(each["column"], each["value"], each["version"]) for each in parsed(report)["cohorts"]]
    assert len(keys) == len(set(keys))
    assert {column for column, _, _ in keys} == set(report.facts.cohorts)


def test_times_are_iso_with_z(report: Report) -> None:
    document = parsed(report)
    assert ("windows" in document) == (report.facts.windows is not None)
    times = [each[end] for each in document.get("windows", []) for end in ("start", "end")]
    times += [time for each in document["checks"] for time in each["where"]["window"] or []]
    times += [document["settings"]["first"], document["settings"]["last"]]
    for time in times:
        assert time is None or ISO.fullmatch(time)
    for each in document.get("windows", []):
        assert (each["start"] is None) == ("start" in each["undefined"])


def test_deltas_are_paired_where_ids_match(report: Report) -> None:
    document = parsed(report)
    comparison, versions = document["comparison"], document["versions"]
    before, after = versions[comparison["baseline"]], versions[comparison["candidate"]]
    is_paired = comparison["n_paired"] is not None
    # Rows of the incident are other rows in each version.
    assert is_paired is not document["inputs"][0]["name"].startswith("incident")
    names = {"n_paired", "flips", "mcnemar_p", "agreement"}
    assert names & comparison["undefined"].keys() == (set() if is_paired else names)
    assert METRICS - {"expected_calibration_error"} <= comparison["deltas"].keys()
    for name, delta in comparison["deltas"].items():
        assert delta["paired"] is (is_paired and delta["value"] is not None)
        assert ("correlation" in delta) is delta["paired"]
        if delta["value"] is None:
            assert delta["undefined"]["value"]
        else:
            assert delta["value"] == pytest.approx(after[name] - before[name], abs=1e-8)
        if "judgement" in delta:
            assert delta["judgement"] in {"better", "worse", "unchanged", "cannot tell yet"}
            assert (delta["judgement"] == delta["verdict"]) is (delta["judgement"] in {"better", "worse"})


def test_flips_and_parts_add_up(report: Report) -> None:
    comparison = parsed(report)["comparison"]
    for parts in comparison["parts"]:
        if parts["value"] is not None:
            told = [parts[name]["value"] for name in ("mix", "labels", "ranking", "threshold", "calibration")]
            assert sum(told) == pytest.approx(parts["value"], abs=1e-9)
            assert parts["within"]["value"] == pytest.approx(sum(told[1:]), abs=1e-9)
            assert parts["value"] == pytest.approx(comparison["deltas"][parts["metric"]]["value"], abs=1e-9)
    flips = comparison["flips"]
    if flips is None:
        return
    assert sum(flips[name] for name in ("fixed", "broken", "both_right", "both_wrong")) == flips["labelled"]
    assert flips["labelled"] + flips["relabelled"] <= comparison["n_paired"]
    assert comparison["agreement"] == pytest.approx(1 - flips["churned"] / comparison["n_paired"])
    accuracy, auc = comparison["deltas"]["accuracy"], comparison["deltas"]["roc_auc"]
    if flips["labelled"] == accuracy["n"]:
        assert accuracy["value"] == pytest.approx((flips["fixed"] - flips["broken"]) / flips["labelled"])
    half = (auc["ci"][1] - auc["ci"][0]) / 2
    assert half == pytest.approx(1.959963985 * comparison["delong"]["standard_error"], rel=1e-6)


def test_checks_are_in_order_and_each_is_there(report: Report) -> None:
    checks = parsed(report)["checks"]
    findings = [each["status"] in {"fail", "warn"} for each in checks]
    assert findings == sorted(findings, reverse=True)
    severities = [["error", "warning", "info"].index(each["severity"]) for each in checks[: sum(findings)]]
    assert severities == sorted(severities)
    names = {each["name"] for each in checks}
    assert names == {result.name for result in report.checks}


def test_the_incident_is_found_and_named() -> None:
    checks = parsed(sample_report("incident.csv.gz"))["checks"]
    errors = [each for each in checks if each["status"] == "fail" and each["severity"] == "error"]
    assert [each["code"] for each in errors] == ["H-F5"]
    assert errors[0]["where"] == {
        "cohort": {"language": "pt"},
        "window": ["2026-04-02T00:00:00Z", "2026-04-06T00:00:00Z"],
    }


def test_rejected_rows_are_counted_by_reason() -> None:
    document = parsed(sample_report("many_things_wrong.csv"))
    assert document["inputs"][0]["rows"] == 320
    assert document["inputs"][0]["rows_rejected"] == 10
    assert document["settings"]["n_rejected"] == {
        "not-a-record": 2,
        "label-unknown": 2,
        "score-not-a-probability": 3,
        "score-unreadable": 2,
        "time-unreadable": 3,
        "weight-invalid": 1,
    }
    assert document["settings"]["weighted"] is True


OF_OTHER_COLUMNS = ("feature-drift", "latency-regression", "cost-regression")


def test_saved_cells_say_the_same_as_the_rows(report: Report, saved_report: Report) -> None:
    rows, cells = report_as_json(report), report_as_json(saved_report)
    assert [each.pop("saved_cells") for each in rows["inputs"]] == [False]
    assert [each.pop("saved_cells") for each in cells["inputs"]] == [True]
    # Features, latencies and costs are what cells do not hold.
    assert "features" not in cells
    rows.pop("features", None)
    for each in (rows, cells):
        each["checks"] = [check for check in each["checks"] if check["name"] not in OF_OTHER_COLUMNS]
        # When it began is known to a bucket of time, or to a window.
        begun = [check for check in each["checks"] if check["evidence"].pop("began_at_deploy", None)]
        assert all("It began on 20" in check.pop("explanation") for check in begun)
    # Buckets of time are five minutes wide where there are rows, windows where there are none.
    fine, coarse = (each.pop("monitoring", None) for each in (rows, cells))
    assert (fine is None) == (coarse is None)
    if fine is not None:
        assert fine["unlabelled_share"] == coarse["unlabelled_share"]
        for ours, theirs in zip(fine["objectives"], coarse["objectives"], strict=True):
            assert (ours["metric"], ours["rate"], ours["n"]) == (theirs["metric"], theirs["rate"], theirs["n"])
    # Without ids nothing is paired, so intervals are wider; what changed is the same.
    compared = [each.pop("comparison") for each in (rows, cells)]
    assert rows == cells
    assert [each["n_paired"] for each in compared][1] is None
    values = [{name: delta["value"] for name, delta in each["deltas"].items()} for each in compared]
    assert values[0] == values[1]
    parts = [[{name: part[name] for name in ("column", "value")} for part in each["parts"]] for each in compared]
    assert parts[0] == parts[1]


def test_no_labels_is_undefined_and_not_zero(report_of_csv: Callable[..., Report]) -> None:
    document = parsed(
        report_of_csv("id,p\na,0.2\nb,0.9\nc,0.4\n", answers=Answers(score_kind="probability", roles={"score": "p"}))
    )
    (version,) = document["versions"].values()
    assert version["n"] == version["n_unlabelled"] == 3
    defined = {name for name in METRICS if version[name] is not None}
    assert defined == set()
    assert version["predicted_positive_share"] == pytest.approx(1 / 3)
    assert version["undefined"]["roc_auc"] == "no labelled rows"
    assert document["inputs"][0]["pos_label"] is None


def test_one_version_has_no_comparison(report_of_csv: Callable[..., Report]) -> None:
    document = parsed(report_of_csv("id,y,score\na,1,2\nb,0,-1\nc,1,0.5\n", answers=Answers(score_kind="decision")))
    assert document["comparison"]["deltas"] == {}
    assert document["comparison"]["undefined"]["deltas"] == "there is only one version"


def test_margin_target_is_what_was_asked(report_of_csv: Callable[..., Report]) -> None:
    text = "id,y,score\na,1,2\nb,0,-1\nc,1,0.5\nd,0,0.25\n"
    (version,) = parsed(report_of_csv(text, answers=Answers(score_kind="decision"), margin_target=0.5))[
        "versions"
    ].values()
    assert version["violation_rate"] == 0.25  # a margin of exactly γ is no violation
    assert version["average_hinge_loss"] == pytest.approx(0.75 / 4)


def test_unicode_stays_as_it_is(report_of_csv: Callable[..., Report]) -> None:
    rows = "".join(f"{i},{i % 2},{i / 7 - 3:.3f},{['日本', 'naïve 😀'][i % 2 ^ (i % 3 == 0)]}\n" for i in range(40))
    report = report_of_csv(f"id,y,score,größe\n{rows}", "größe.csv", Answers(score_kind="decision"))
    assert "日本" in render_json(report)
    document = parsed(report)
    assert {(each["column"], each["value"]) for each in document["cohorts"]} == {
        ("größe", "日本"),
        ("größe", "naïve 😀"),
    }
    assert list(document["versions"]) == ["größe"]


def test_numbers_keep_ten_digits() -> None:
    assert rounded(1 / 3) == 0.3333333333
    assert rounded(123456789012.0) == 123456789000.0
    assert rounded(-0.1) == -0.1
    assert rounded(1e-300) == 1e-300
    assert rounded(math.nan) is None
    assert rounded(math.inf) is None


def test_any_value_becomes_plain() -> None:
    value = {"a": np.float64(0.1), 2: (np.int64(3), math.nan), "c": np.array([1.0, np.nan]), "d": None, "e": True}
    assert as_plain(value) == {"a": 0.1, "2": [3, None], "c": [1.0, None], "d": None, "e": True}
    assert as_plain("a\udcff") == "a?"


def binned_report(margin_target: float = 1.0) -> Report:
    """A sample whose cells were over budget, so that its scores are in bins."""
    fine = scan_of(SAMPLES / "digits_hinge.csv")
    return report_of(Scan(fine.dataset, STORE, budget=400), margin_target)


def test_what_binning_may_have_moved_is_said() -> None:
    report = binned_report()
    document, exact = parsed(report), parsed(sample_report("digits_hinge.csv"))
    for name, version in document["versions"].items():
        assert version["resolution"] != "exact"
        assert version["bounds"]["median_margin"] > 0
        for metric in METRICS & set(version["n_by_metric"]):
            truth, bound = exact["versions"][name][metric], version["bounds"].get(metric, 0.0)
            if truth is not None:
                assert version[metric] == pytest.approx(truth, rel=0, abs=bound + 1e-9), metric
    assert "by binning" in render_text(report)
    assert "by binning" in render_markdown(report)


def test_a_margin_target_between_the_steps_is_a_sentence() -> None:
    with pytest.raises(SettingsError, match="step"):
        binned_report(0.333)


def test_no_verdict_on_score_units_between_scales() -> None:
    comparison = parsed(sample_report("digits_hinge_vs_logistic.csv"))["comparison"]
    assert comparison["scale_ratio"] == pytest.approx(1.87, abs=0.01)
    verdicts = {name: each["verdict"] for name, each in comparison["deltas"].items()}
    assert verdicts["average_hinge_loss"] == verdicts["violation_rate"] == "not comparable"
    assert (verdicts["roc_auc"], verdicts["accuracy"], verdicts["precision"]) == ("worse", "worse", "worse")
    # Cells hold no ids: unpaired, it is beyond chance if it were looked at alone, but it is one of many.
    unpaired = parsed(saved_sample_report("digits_hinge_vs_logistic.csv"))["comparison"]["deltas"]["accuracy"]
    assert unpaired["ci"][1] < 0
    assert unpaired["p"] < 0.05 < unpaired["p_adjusted"]
    assert unpaired["verdict"] is None
    comparison = parsed(sample_report("digits_logistic.csv"))["comparison"]
    assert comparison["scale_ratio"] == 1
    assert comparison["deltas"]["violation_rate"]["verdict"] == "better"


def test_no_score_at_all(report_of_csv: Callable[..., Report]) -> None:
    rows = "".join(f"{i},{i % 2},,v{i % 3 % 2}\n" for i in range(90))
    answers = Answers(score_kind="decision", roles={"score": "score"})
    document = parsed(report_of_csv(f"id,y,score,version\n{rows}", answers=answers))
    for version in document["versions"].values():
        assert set(version["undefined"].values()) - {version["undefined"]["expected_calibration_error"]} <= {
            "no scored rows",
            "no labelled, scored rows of class -1",
            "no labelled, scored rows of class +1",
        }
    first = document["checks"][0]
    assert (first["name"], first["status"], first["severity"]) == ("missing-telemetry", "fail", "error")
    assert first["title"] == "No row has a score (n = 90)"
    assert document["comparison"]["scale_ratio"] is None
    assert document["comparison"]["undefined"]["scale_ratio"] == "no row has both a label and a score"
