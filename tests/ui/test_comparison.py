"""The Comparison page: the numbers of the JSON, flips that open rows, parts that add up, any two samples, many rows."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from lib.diagnose import Diagnosis
from lib.figures.format import format_change, format_count
from lib.metrics.catalogue import METRICS
from lib.reports import build_report
from lib.reports.json import report_as_json
from lib.settings import Settings
from lib.workspace import SAMPLES_FOLDER
from tests.reports.conftest import ANSWERS, scan_of
from tests.ui.conftest import answer, assert_sound, figures, findings, open_app, run, tables, text_of, upload

LABELS = {metric.label: metric for metric in METRICS}


@pytest.fixture(scope="module")
def hinge() -> AppTest:
    return open_app("comparison", dataset="sample-hinge")


def test_the_table_shows_the_numbers_of_the_json(hinge: AppTest) -> None:
    assert_sound(hinge)
    scan = scan_of(SAMPLES_FOLDER / "digits_hinge.csv", ANSWERS["digits_hinge.csv"])
    report = report_as_json(build_report(Diagnosis(scan, Settings.choose(scan.facts)), ()))["comparison"]
    table = tables(hinge)[0]
    assert len(table.rows) > 15
    for row in table.rows:
        metric = LABELS[row[0].text]
        delta, change, verdict = report["deltas"][metric.name], row[2], row[1]
        assert change.text == format_change(delta["value"], metric.unit)
        assert change.detail.endswith("unpaired") is (not delta["paired"] and "undefined" not in delta)
        assert verdict.text == delta.get("judgement", "")
        assert verdict.tone == (delta["verdict"] or "")
    flips = next(each for each in tables(hinge) if each.heads == ["In hinge-1", "Right in hinge-2", "Wrong in hinge-2"])
    counts = [int(cell.text.replace(",", "")) for row in flips.rows for cell in row[1:]]
    assert counts == [report["flips"][name] for name in ("both_right", "broken", "fixed", "both_wrong")]
    assert f"{report['flips']['fixed']} were fixed and {report['flips']['broken']} broken" in answer(hinge)
    assert f"paired by id: {format_count(report['n_paired'])} rows in both" in text_of(hinge)


def test_every_pair_is_in_the_quadrants_and_in_a_cohort(hinge: AppTest) -> None:
    (sides,) = (table for table in tables(hinge) if "Right, short of γ in hinge-2" in table.heads)
    assert sum(int(cell.text.replace(",", "")) for row in sides.rows for cell in row[1:]) == 1797
    cohorts = [table for table in tables(hinge) if "Another decision" in table.heads]
    assert sum(int(row[1].text) for table in cohorts for row in table.rows) == 1797
    titles = [each["layout"]["meta"]["title"] for each in figures(hinge)]
    assert titles[0] == "hinge-2 fixed 104 rows that hinge-1 had wrong, and broke 8 that it had right"
    assert titles[1].startswith("Violation rate changed by −20.3")


def test_a_flip_opens_its_rows() -> None:
    app = open_app("comparison", dataset="sample-hinge", flip="fixed")
    listed = app.dataframe[0].value
    assert len(listed) == 104
    assert (listed["margin_before"] <= 0).all()
    assert (listed["margin_after"] > 0).all()
    assert (listed["version"] == "hinge-2").all()
    app.selectbox(key="control:flip").set_value("broken")
    run(app)
    assert len(app.dataframe[0].value) == 8
    assert app.query_params["flip"] == "broken"


def test_other_parts_are_of_another_metric_and_column() -> None:
    app = open_app("comparison", dataset="sample-hinge", parts_by="ink", parts_of="accuracy", points="0.5", gamma="0.5")
    assert_sound(app)
    assert figures(app)[1]["layout"]["meta"]["title"].startswith("Accuracy changed by +5.3")
    assert "within each ink" in text_of(app)
    assert app.query_params["points"] == "0.5"


@pytest.mark.parametrize("key", ["window", "cohort:language"])
def test_two_windows_or_cohorts_are_other_rows(key: str) -> None:
    app = open_app("comparison", dataset="sample-incident", compare=key)
    assert_sound(app)
    kind = key.removeprefix("cohort:")
    assert f"rows of two {kind}s are other rows" in text_of(app)
    before, after = app.selectbox(key="control:before").value, app.selectbox(key="control:after").value
    assert before != after
    table = tables(app)[0]
    assert not any("paired" in row[2].detail for row in table.rows)
    assert "Flips" not in [each.value for each in app.subheader]
    (figure,) = figures(app)
    assert "2026.04 against 2026.03" not in figure["layout"]["meta"]["provenance"]
    assert " against " in figure["layout"]["meta"]["provenance"]


def test_cost_stands_beside_quality() -> None:
    app = open_app("comparison", dataset="sample-incident")
    assert_sound(app)
    assert "Intervals are unpaired: no scored row has the same id in both." in text_of(app)
    serving = next(table for table in tables(app) if "Cost per 1,000 rows" in table.heads)
    assert [row[0].text for row in serving.rows] == ["2026.03", "2026.04"]
    # What a change is made of leads to the finding that it comes from.
    assert [each.startswith("error Scores are reversed for language = pt") for each in findings(app)] == [True]
    (link,) = (each.proto for each in app.get("page_link") if each.proto.label == "Show why on Cohorts")
    assert "by=language" in link.query_string
    assert {"Median latency", "95th percentile latency", "Unanswered"} <= set(serving.heads)


def three_versions(n: int = 400) -> bytes:
    """Three versions of the same rows; the last two are identical, and Simpson's paradox lies between the first two."""
    rng = np.random.default_rng(0)
    label = rng.integers(0, 2, n)
    parts = []
    for version, right in (("v1", {"easy": 0.9, "hard": 0.5}), ("v2", {"easy": 0.98, "hard": 0.6})):
        group = np.where(np.arange(n) < (320 if version == "v1" else 80), "easy", "hard")
        hit = np.concatenate([np.arange((group == each).sum()) < right[each] * (group == each).sum() for each in right])
        score = np.where(hit == 1, 1.5, -1.5) * np.where(label == 1, 1, -1)
        parts.append(pd.DataFrame({"id": np.arange(n), "version": version, "group": group, "y": label, "score": score}))
    frame = pd.concat([*parts, parts[1].assign(version="v3")])
    file = io.BytesIO()
    frame.to_csv(file, index=False)
    return file.getvalue()


@pytest.fixture(scope="module")
def uploaded() -> AppTest:
    app = upload(open_app(), "three.csv", three_versions())
    for button in app.button:
        if button.key == "answer:score_kind:decision":
            button.click()
            run(app)
            break
    opening = [button for button in app.button if button.label == "Open with this mapping"]
    if opening:
        opening[0].click()
        run(app)
    assert_sound(app)
    return app


def test_identical_predictions_and_simpsons_paradox_are_named(uploaded: AppTest) -> None:
    app = uploaded
    for name, value in {"baseline": "v2", "candidate": "v3"}.items():
        app.selectbox(key=f"control:{name}").set_value(value)
        run(app)
    app.switch_page("pages/comparison.py")
    run(app)
    assert_sound(app)
    assert answer(app) == (
        "v3 against v2: the predictions are identical, nothing changed. All 400 rows in both have the same score."
    )
    assert {row[1].text for row in tables(app)[0].rows} == {"unchanged", ""}
    assert "3 versions side by side" in [each["layout"]["meta"]["title"] for each in figures(app)]
    app.selectbox(key="control:baseline").set_value("v1")
    run(app)
    app.selectbox(key="control:candidate").set_value("v2")
    run(app)
    app.selectbox(key="control:parts_of").set_value("accuracy")
    run(app)
    assert_sound(app)
    (warning,) = (each.value for each in app.warning)
    assert warning.startswith("Simpson's paradox: Accuracy fell as a whole and rose in every group")


def test_one_version_without_cohorts_has_nothing_to_compare() -> None:
    app = open_app("comparison", dataset="sample-logistic", candidate="logistic-1", baseline="logistic-1")
    assert_sound(app)
    assert app.selectbox(key="control:compare").value == "split"


def test_many_rows_are_paired_at_a_wish(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lib.diagnose.PAIRED_AT_ONCE", 10)
    monkeypatch.setattr("lib.ui.comparison.PAIRED_AT_ONCE", 10)
    # Another choice of rows than those of other tests, whose pairs are held.
    app = open_app("comparison", dataset="sample-hinge", split="validation")
    assert_sound(app)
    assert "Intervals are unpaired: the rows were not paired yet." in text_of(app)
    next(button for button in app.button if button.label == "Pair 3,594 rows by id").click()
    run(app)
    assert_sound(app)
    assert "Of 400 labelled rows in both" in answer(app)
