"""What JSON says of every sample against scikit-learn on the rows themselves, to 1e-9; weighted, too."""

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import special
from sklearn import metrics

from lib.reports import Report, render_json
from lib.sources import Answers
from tests.reports.conftest import SAMPLES, sample_report

TOLERANCE = 1e-9


@functools.cache
def sample_rows(name: str) -> pd.DataFrame:
    """A sample as a careful reader would clean it: version, split, y in ±1 or NaN, s, p, weight, cohorts."""
    if name == "many_things_wrong.csv":
        return cleaned(pd.read_csv(SAMPLES / name, dtype=str, keep_default_na=False, on_bad_lines="skip"))
    frame = pd.read_csv(SAMPLES / name, dtype={"version": str}, keep_default_na=False, na_values={"y_true": [""]})
    frame["y"] = np.where(frame.y_true.isna(), np.nan, np.where(frame.y_true == 1, 1.0, -1.0))
    return scored(frame)


def cleaned(frame: pd.DataFrame) -> pd.DataFrame:
    """The file with many things wrong, minus its useless rows. Short lines are told by their missing weight."""
    label = frame.y_true.str.strip().str.lower()
    probability, weight = (pd.to_numeric(frame[name], errors="coerce") for name in ("y_prob", "weight"))
    usable = label.isin(["yes", "no", ""]) & (weight > 0) & ((frame.y_prob == "") | probability.between(0, 1))
    kept = frame.assign(
        y=label.map({"yes": 1.0, "no": -1.0}), y_prob=probability, weight=weight, language=frame.language.str.strip()
    )[usable & frame.weight.notna()]
    return scored(kept)


def scored(frame: pd.DataFrame) -> pd.DataFrame:
    if "y_prob" in frame:
        eps = np.finfo(np.float64).eps
        return frame.assign(s=special.logit(frame.y_prob.clip(eps, 1 - eps)), p=frame.y_prob)
    return frame.assign(s=frame.decision_score, p=special.expit(frame.decision_score))


def expected_metrics(rows: pd.DataFrame, probabilistic: bool) -> dict[str, float | None]:
    """scikit-learn on the labelled, scored rows; None where the product says undefined."""
    rows = rows[rows.y.notna() & rows.s.notna()]
    y, s, p = (rows[name].to_numpy() for name in ("y", "s", "p"))
    w = rows["weight"].to_numpy() if "weight" in rows else None
    if not len(y):
        return {}
    predicted, two = np.where(s > 0, 1.0, -1.0), len(np.unique(y)) == 2
    margin, labels = y * s, [-1.0, 1.0]
    precision, recall, f1 = (
        float(function(y, predicted, sample_weight=w, zero_division=np.nan))  # pyright: ignore[reportArgumentType]
        for function in (metrics.precision_score, metrics.recall_score, metrics.f1_score)
    )
    expected: dict[str, float | None] = {
        # scikit-learn takes the only class of one-class data for the negative one.
        "average_hinge_loss": metrics.hinge_loss(y, s, sample_weight=w)
        if two
        else float(np.average(np.maximum(1 - margin, 0), weights=w)),
        "average_logistic_loss": float(np.average(np.logaddexp(0, -margin), weights=w)),
        "violation_rate": float(np.average(margin < 1, weights=w)),
        "accuracy": metrics.accuracy_score(y, predicted, sample_weight=w),
        "precision": None if np.isnan(precision) else precision,
        "recall": None if np.isnan(recall) else recall,
        "f1": None if np.isnan(f1) else f1,
        "roc_auc": metrics.roc_auc_score(y, s, sample_weight=w) if two else None,
        "average_precision": metrics.average_precision_score(y, s, pos_label=1, sample_weight=w) if two else None,
        "log_loss": metrics.log_loss(y, p, labels=labels, sample_weight=w) if probabilistic else None,
        "brier_score": metrics.brier_score_loss(y, p, pos_label=1, sample_weight=w) if probabilistic else None,
        "zero_hinge_gradient_share": float(np.average(margin >= 1, weights=w)),
        "support_vector_share": float(np.average(margin <= 1.001, weights=w)),
        "logistic_gradient_share_from_correct": float(
            np.average(margin > 0, weights=special.expit(-margin) * (1 if w is None else w))
        ),
    }
    method = "linear" if w is None else "inverted_cdf"
    expected["median_margin"] = float(np.quantile(margin, 0.5, weights=w, method=method))
    expected["hinge_loss_p90"] = float(np.quantile(np.maximum(1 - margin, 0), 0.9, weights=w, method=method))
    return expected


def assert_equal(numbers: dict[str, Any], rows: pd.DataFrame, probabilistic: bool, where: str) -> None:
    assert numbers["resolution"] == "exact"
    assert numbers["n"] == len(rows), where
    assert numbers["n_labelled"] == rows.y.notna().sum(), where
    for name, value in expected_metrics(rows, probabilistic).items():
        if value is None:
            assert numbers[name] is None, (where, name)
        else:
            assert numbers[name] == pytest.approx(value, rel=0, abs=TOLERANCE), (where, name)


def assert_document_equal(report: Report, rows: pd.DataFrame) -> None:
    document = json.loads(render_json(report))
    probabilistic = document["inputs"][0]["score_kind"] != "decision"
    for version, numbers in document["versions"].items():
        mine = rows[rows.version == version]
        assert_equal(numbers, mine, probabilistic, version)
        for label, rate in numbers["violation_rate_by_class"].items():
            of_class = mine[(mine.y == float(label)) & mine.s.notna()]
            weights = of_class.weight if "weight" in of_class else None
            assert rate == pytest.approx(np.average(of_class.y * of_class.s < 1, weights=weights), rel=0, abs=TOLERANCE)
        for split, part in numbers["splits"].items():
            assert_equal(part, mine[mine.split == split], probabilistic, f"{version} {split}")
    for each in document["cohorts"]:
        part = rows[(rows.version == each["version"]) & (rows[each["column"]].astype(str) == each["value"])]
        assert_equal(each, part, probabilistic, f"{each['version']} {each['column']} {each['value']}")
    seconds = pd.to_datetime(rows.time, utc=True, errors="coerce", format="ISO8601") if "time" in rows else None
    for each in document.get("windows", [])[::5]:
        assert seconds is not None
        inside = seconds.isna() if each["start"] is None else seconds.between(each["start"], each["end"], "left")
        assert_equal(each, rows[(rows.version == each["version"]) & inside], probabilistic, str(each["start"]))


def test_json_equals_scikit_learn(sample: str) -> None:
    assert_document_equal(sample_report(sample), sample_rows(sample))


def test_json_equals_scikit_learn_with_weights(report_of_csv: Callable[..., Report], tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    rows = sample_rows("digits_logistic.csv").sample(900, random_state=5)
    rows = rows.assign(weight=np.round(rng.gamma(2, 1, len(rows)) + 0.01, 2))
    columns = ["id", "version", "split", "y_true", "y_prob", "digit", "weight"]
    report = report_of_csv(rows[columns].to_csv(index=False), answers=Answers(roles={"weight": "weight"}))
    assert report.facts.weighted
    assert_document_equal(report, rows)


def test_json_equals_scikit_learn_on_decision_scores_with_weights(report_of_csv: Callable[..., Report]) -> None:
    rng = np.random.default_rng(6)
    rows = sample_rows("digits_hinge.csv").sample(700, random_state=6)
    rows = rows.assign(weight=rng.integers(1, 5, len(rows)))
    columns = ["id", "version", "split", "y_true", "decision_score", "ink", "weight"]
    report = report_of_csv(rows[columns].to_csv(index=False))
    assert report.facts.weighted
    assert_document_equal(report, rows)
