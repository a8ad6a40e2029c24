"""Thresholds in the JSON: against scikit-learn on the file's own rows, and where there are none."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as reference

from lib.reports import Report, render_json, render_text
from lib.reports.thresholds import NO_INTERVAL, SEVERAL_CLASSES
from lib.thresholds import DECLARED
from tests.reports.conftest import SAMPLES, report_of, sample_report, saved_sample_report, scan_of


def thresholds(report: Report, version: str) -> dict[str, Any]:
    return json.loads(render_json(report))["versions"][version]["thresholds"]


@pytest.mark.parametrize(("name", "score"), [("digits_logistic.csv", "y_prob"), ("digits_hinge.csv", "decision_score")])
def test_the_usual_threshold_has_the_numbers_of_scikit_learn(name: str, score: str) -> None:
    rows, half = pd.read_csv(SAMPLES / name), 0.5 if score == "y_prob" else 0.0
    for version, part in rows.groupby("version"):
        y, flagged = part["y_true"] > 0, part[score] > half
        (given,) = thresholds(sample_report(name), str(version))["at"]
        assert given["threshold"] == half
        ((tn, fp), (fn, tp)) = reference.confusion_matrix(y, flagged)
        cuts = ("true_negative", "false_positive", "false_negative", "true_positive")
        assert [given[cut] for cut in cuts] == [tn, fp, fn, tp]
        assert given["precision"] == pytest.approx(reference.precision_score(y, flagged), rel=1e-9)
        assert given["recall"] == pytest.approx(reference.recall_score(y, flagged), rel=1e-9)
        assert given["f_beta"] == pytest.approx(reference.fbeta_score(y, flagged, beta=1), rel=1e-9)
        assert given["flagged_share"] == pytest.approx(flagged.mean(), rel=1e-9)
        assert given["expected_cost"] == pytest.approx((y != flagged).mean(), rel=1e-9)
        assert ("net_benefit" in given["undefined"]) == (score != "y_prob")


def test_what_is_chosen_reaches_its_target_on_all_rows_and_about_on_others(report: Report) -> None:
    for version in report.versions:
        found = thresholds(report, version.name)
        assert [each["rule"]["by"] for each in found["chosen"]] == [rule.by for rule in DECLARED]
        for each in found["chosen"]:
            held = each["held_out"]
            if held is None:
                assert each["undefined"]["held_out"]
                continue
            assert ("held_out.ci" in each["undefined"]) == (held["flagged_share_ci"] is None)
            low, high = each["threshold_ci"]
            assert low is None or low <= each["threshold"]
            assert high is None or each["threshold"] <= high
            if each["rule"]["by"] in ("recall", "flagged_share") and "held_out.ci" not in each["undefined"]:
                name, target = each["rule"]["by"], each["rule"]["target"]
                assert held[f"{name}_ci"][0] <= target <= held[f"{name}_ci"][1]


def test_what_a_threshold_of_least_cost_does_has_no_interval_and_says_why() -> None:
    for each in thresholds(sample_report("digits_logistic.csv"), "logistic-2")["chosen"]:
        is_cost = each["rule"]["by"] == "cost"
        assert (each["held_out"]["precision_ci"] is None) == is_cost
        assert (each["undefined"].get("held_out.ci") == NO_INTERVAL) == is_cost
        assert each["threshold_ci"][0] < each["threshold"] < each["threshold_ci"][1]


def test_the_threshold_of_a_recall_is_that_of_the_rows() -> None:
    rows = pd.read_csv(SAMPLES / "digits_logistic.csv")
    for version, part in rows.groupby("version"):
        chosen = next(
            each for each in thresholds(sample_report("digits_logistic.csv"), str(version))["chosen"]
            if each["rule"]["by"] == "recall"
        )  # fmt: skip
        y, p = part["y_true"] > 0, part["y_prob"]
        reaches = [t for t in np.unique(p) if (p[y] > t).mean() >= 0.9]
        assert chosen["threshold"] == pytest.approx(max(reaches), rel=1e-9)


def test_saved_cells_choose_the_same_thresholds() -> None:
    saved = thresholds(saved_sample_report("digits_logistic.csv"), "logistic-2")
    whole = thresholds(sample_report("digits_logistic.csv"), "logistic-2")
    assert saved["at"] == whole["at"]
    assert saved["chosen"] == whole["chosen"]
    assert saved["chosen"]


def test_several_classes_have_none(tmp_path) -> None:
    report = report_of(scan_of(SAMPLES / "which_digit.csv.gz"))
    found = thresholds(report, report.versions[0].name)
    assert (found["at"], found["chosen"]) == ([], [])
    assert found["undefined"] == dict.fromkeys(("at", "chosen"), SEVERAL_CLASSES)


def test_without_labels_flags_are_chosen_and_nothing_else(report_of_csv: Callable[..., Report]) -> None:
    rng = np.random.default_rng(0)
    lines = [f"{value:.3f},id{place}" for place, value in enumerate(rng.random(400))]
    found = thresholds(report_of_csv("y_prob,id\n" + "\n".join(lines), "rows.csv"), "rows")
    by = {each["rule"]["by"]: each for each in found["chosen"]}
    assert by["flagged_share"]["held_out"]["flagged_share"] == pytest.approx(0.05, abs=0.02)
    assert by["flagged_share"]["held_out"]["undefined"]["recall"] == "no positive rows"
    for name in ("precision", "recall", "cost"):
        assert by[name]["threshold"] is None
        assert by[name]["undefined"]["threshold"] == "no row has both a label and a score"


def test_the_text_says_one_of_them() -> None:
    said = render_text(sample_report("digits_logistic.csv"))
    flat = " ".join(said.replace("\N{NO-BREAK SPACE}", " ").split())
    assert "To reach a precision of 90.0" in flat
    assert "900 of 1,797 labelled rows of logistic-2 are of the split train: a model looks better on rows that" in flat
