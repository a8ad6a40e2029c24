"""Calibration in the reports: numbers of others, the same in JSON, text and page, and reasons where there are none."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import log_loss

from lib.calibrations import NO_TOP_LABEL
from lib.checks import run_checks
from lib.diagnose import Diagnosis
from lib.errors import SettingsError
from lib.figures.calibration_view import CalibrationView
from lib.figures.format import format_share
from lib.reports import build_report, render_json, render_markdown, render_text
from lib.scan import SavedCells, Scan, merge_cells, read_cells, save_cells
from lib.schema import TOP_LABEL, VERSION
from lib.settings import Settings
from tests.reports.conftest import SAMPLES, sample_report, scan_of


def parsed(name: str) -> dict:
    return json.loads(render_json(sample_report(name)))


@pytest.fixture(scope="module")
def hinge() -> Scan:
    return scan_of(SAMPLES / "digits_hinge.csv")


def test_numbers_of_probabilities() -> None:
    frame, versions = pd.read_csv(SAMPLES / "digits_logistic.csv"), parsed("digits_logistic.csv")["versions"]
    for name, numbers in versions.items():
        own = frame[frame["model_version"] == name] if "model_version" in frame else frame[frame["version"] == name]
        y, p = own["y_true"].to_numpy() > 0, own["y_prob"].to_numpy()
        share, mean = calibration_curve(y, p, n_bins=15)
        counts = np.histogram(p, np.linspace(0, 1, 16))[0]
        expected = (np.abs(share - mean) * counts[counts > 0]).sum() / len(p)
        assert numbers["expected_calibration_error"] == pytest.approx(expected, abs=1e-9)
        assert numbers["calibration"]["expected_calibration_error"] == numbers["expected_calibration_error"]
        assert numbers["calibration"]["floors"]["expected_calibration_error"] > 0
        assert numbers["calibration_gap"] == pytest.approx(y.mean() - p.mean(), abs=1e-9)
        assert numbers["recalibrated_by"] is None
        assert numbers["calibration"]["undefined"]["maps"] == "no recalibration was asked for"
        made = numbers["calibration"]
        parts = made["brier_miscalibration"] - made["brier_discrimination"] + made["brier_uncertainty"]
        assert parts == pytest.approx(numbers["brier_score"], abs=1e-9)


def test_decision_scores_have_reasons_until_recalibration_is_asked_for(hinge: Scan) -> None:
    plain = parsed("digits_hinge.csv")["versions"]["hinge-1"]
    assert plain["expected_calibration_error"] is None
    assert "decision score" in plain["undefined"]["expected_calibration_error"]
    diagnosis = Diagnosis(hinge, Settings.choose(hinge.facts, recalibration="platt"))
    report = build_report(diagnosis, run_checks(diagnosis))
    document = json.loads(render_json(report))
    view, text, markdown = CalibrationView.of(diagnosis), render_text(report), render_markdown(report)
    assert document["settings"]["recalibration"] == "platt"
    for name, numbers in document["versions"].items():
        made = numbers["calibration"]
        assert numbers["recalibrated_by"] == "platt"
        assert numbers["log_loss"] == made["maps"]["platt"]["log_loss"]
        shown = view.calibrations[name].errors["expected_calibration_error"].estimate.value
        assert numbers["expected_calibration_error"] == pytest.approx(shown, rel=1e-9)
        for printed in (text, markdown):
            assert format_share(shown) in printed
            assert "recalibrated (Platt, cross-fitted)" in printed
    assert set(document["versions"]["hinge-1"]["calibration"]["maps"]) == {"platt", "temperature", "beta", "isotonic"}


def test_log_loss_is_of_rows_that_the_map_has_not_seen(hinge: Scan) -> None:
    """A map of one's own, fold by fold."""
    from sklearn.calibration import _SigmoidCalibration

    diagnosis = Diagnosis(hinge, Settings.choose(hinge.facts, recalibration="platt"))
    found = diagnosis.calibrations.recalibration("hinge-1")
    rows = [
        (np.repeat(fold.score, fold.n[:, label].astype(int)), np.full(int(fold.n[:, label].sum()), label), place)
        for place, fold in enumerate(found.folds)
        for label in (0, 1)
    ]
    score, y = (np.concatenate([each[part] for each in rows]) for part in (0, 1))
    at = np.concatenate([np.full(len(each[0]), each[2]) for each in rows])
    p = np.zeros(len(y))
    for place in np.unique(at):
        p[at == place] = _SigmoidCalibration().fit(score[at != place], y[at != place]).predict(score[at == place])
    assert len(y) == 1797
    assert diagnosis.versions["log_loss"][0].value == pytest.approx(log_loss(y, p), abs=1e-6)


def test_saved_cells_hold_the_folds(hinge: Scan, tmp_path: Path) -> None:
    save_cells(hinge, tmp_path / "cells.parquet")
    saved = read_cells(tmp_path / "cells.parquet", "cells.parquet")
    save_cells(saved, tmp_path / "again.parquet")
    for tables in (saved, merge_cells([read_cells(tmp_path / "again.parquet", "again.parquet")], ["again.parquet"])):
        made = Diagnosis(tables, Settings.choose(tables.facts, recalibration="beta"))
        rows = Diagnosis(hinge, made.settings)
        assert made.versions["log_loss"].value == pytest.approx(rows.versions["log_loss"].value, abs=1e-12)


def test_several_classes_are_not_recalibrated() -> None:
    scan = scan_of(SAMPLES / "which_digit.csv.gz")
    with pytest.raises(SettingsError, match="several classes"):
        Settings.choose(scan.facts, recalibration="platt")
    report = build_report(diagnosis := Diagnosis(scan, Settings.choose(scan.facts)), run_checks(diagnosis))
    version = json.loads(render_json(report))["versions"][scan.facts.versions[0]]
    assert version["calibration"]["undefined"]["maps"] == "no recalibration was asked for"


def ece(y: np.ndarray, p: np.ndarray) -> float:
    """By brute force: scikit-learn's bins are right-closed, which rounded probabilities tell apart."""
    place = np.minimum(np.floor(p * 15 + 1e-9), 14)
    return sum((place == each).mean() * abs((y - p)[place == each].mean()) for each in np.unique(place))


def test_of_several_classes_the_top_label_and_each_class_are_told() -> None:
    scan = scan_of(SAMPLES / "which_digit.csv.gz")
    diagnosis = Diagnosis(scan, Settings.choose(scan.facts))
    versions = json.loads(render_json(build_report(diagnosis, [])))["versions"]
    frame = pd.read_csv(SAMPLES / "which_digit.csv.gz")
    classes = {each.name: each for each in scan.facts.mapping.classes}
    label, version = scan.facts.mapping.label, scan.facts.mapping.version
    assert label is not None
    assert version is not None
    for name, numbers in versions.items():
        own = frame[frame[version] == name]
        p = own[[each.column for each in classes.values()]].to_numpy()
        truth = np.array([next(k for k, each in classes.items() if str(y) in each.labels) for y in own[label]])
        right = np.array(list(classes))[p.argmax(axis=1)] == truth
        found = numbers["calibration"]
        assert found["positive_share"] == pytest.approx(right.mean(), abs=1e-9)
        assert found["mean_probability"] == pytest.approx(p.max(axis=1).mean(), abs=1e-9)
        assert found["expected_calibration_error"] == pytest.approx(ece(right, p.max(axis=1)), abs=1e-9)
        assert numbers["calibration_gap"] == pytest.approx(right.mean() - p.max(axis=1).mean(), abs=1e-9)
        assert set(found["one_vs_rest"]) == set(classes)
        for place, (each, of) in enumerate(found["one_vs_rest"].items()):
            assert of["n"] == len(own)
            assert of["expected_calibration_error"] == pytest.approx(ece(truth == each, p[:, place]), abs=1e-9)
            assert of["calibration_gap"] == pytest.approx((truth == each).mean() - p[:, place].mean(), abs=1e-9)
            assert of["expected_calibration_error_floor"] > 0


def test_cohorts_and_windows_have_errors_with_floors() -> None:
    document = parsed("incident.csv.gz")
    roles = document["inputs"][0]["mapping"]
    texts = dict.fromkeys([roles["version"], *roles["cohort"]], str)
    blank = {roles["score"]: [""]}
    frame = pd.read_csv(SAMPLES / "incident.csv.gz", dtype=texts, keep_default_na=False, na_values=blank)
    for each in document["cohorts"][:12]:
        here = (frame[roles["version"]] == each["version"]) & (frame[each["column"]] == each["value"])
        own = frame[here & (frame[roles["label"]].astype(str) != "")].dropna(subset=[roles["score"]])
        y = own[roles["label"]].astype(str).to_numpy() == document["inputs"][0]["pos_label"]
        p = own[roles["score"]].to_numpy(float)
        assert each["expected_calibration_error"] == pytest.approx(ece(y, p), abs=1e-9)
        assert each["mean_probability"] == pytest.approx(p.mean(), abs=1e-9)
        assert each["debiased_calibration_error"] >= 0
        assert each["expected_calibration_error_floor"] > 0
    assert all("expected_calibration_error_floor" in each for each in document["windows"])


def test_saved_cells_hold_the_top_label_or_say_that_they_do_not(tmp_path: Path) -> None:
    scan = scan_of(SAMPLES / "which_digit.csv.gz")
    save_cells(scan, tmp_path / "cells.parquet")
    saved = read_cells(tmp_path / "cells.parquet", "cells.parquet")
    version = scan.facts.versions[0]
    one, other = (Diagnosis(each, Settings.choose(each.facts)).calibrations for each in (scan, saved))
    assert other.of(version).errors == one.of(version).errors
    # As a file has them that was written before there was such a table.
    earlier = SavedCells(saved.facts, [each for each in saved.tables if TOP_LABEL not in each[0].keys])
    made = Diagnosis(earlier, Settings.choose(earlier.facts)).calibrations
    assert made.of(version).reason == NO_TOP_LABEL
    assert made.parts(VERSION) is None
    assert made.of_class(version, scan.facts.mapping.class_names[0]).reason == ""
