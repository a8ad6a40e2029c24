"""The Thresholds page: its sentence, its controls in the link, tables, the download, and where nothing is chosen."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from lib.scan import save_cells
from lib.ui.thresholds import HOW
from tests.reports.conftest import SAMPLES, scan_of
from tests.ui.conftest import answer, assert_sound, go_to, open_app, run, tables, text_of, upload


@pytest.mark.parametrize("token", ["sample-incident", "sample-hinge", "sample-digits"])
@pytest.mark.parametrize("how", list(HOW))
def test_every_way_to_choose_is_sound_and_in_the_link(token: str, how: str) -> None:
    app = open_app("thresholds", dataset=token, threshold_by=how)
    assert_sound(app)
    assert app.query_params["threshold_by"] == how
    assert "flags " in answer(app) or "no such threshold" in answer(app)
    measures = tables(app)[0]
    assert {"Version", "Threshold", "Precision", "Recall", "Expected cost"} <= set(measures.heads)
    assert ("Net benefit" in measures.heads) == (token != "sample-hinge")
    assert len(app.get("plotly_chart")) == 2
    assert any("Own threshold" in table.heads for table in tables(app)) == (how == "equal_recall")


def test_the_slider_sets_the_threshold_and_the_link() -> None:
    app = open_app("thresholds", dataset="sample-logistic")
    assert answer(app).startswith("Flagging above 0.500 flags ")
    app.slider(key="control:threshold").set_value(0.95)
    run(app)
    assert app.query_params["threshold"] == "0.95"
    assert answer(app).startswith("Flagging above 0.950 flags ")


def test_what_decisions_cost_moves_the_threshold() -> None:
    app = open_app("thresholds", dataset="sample-logistic", threshold_by="cost")
    cheap = float(tables(app)[0]["logistic-2", "Threshold"].text)
    app.number_input(key="control:cost_of_miss").set_value(20.0)
    run(app)
    assert app.query_params["cost_of_miss"] == "20"
    assert float(tables(app)[0]["logistic-2", "Threshold"].text) < cheap
    app.number_input(key="control:cost_of_alarm").set_value(0.0)
    app.number_input(key="control:cost_of_miss").set_value(0.0)
    run(app)
    assert "Decisions that cost nothing cannot be weighed" in text_of(app)


def test_flags_a_day_are_offered_where_there_are_times() -> None:
    app = open_app("thresholds", dataset="sample-incident", threshold_by="flagged_share", flags_unit="a day")
    assert_sound(app)
    app.number_input(key="control:flags_a_day").set_value(50.0)
    run(app)
    assert app.query_params["flags_a_day"] == "50"
    assert "To flag at most" in answer(app)
    without = open_app("thresholds", dataset="sample-logistic", threshold_by="flagged_share")
    assert "control:flags_unit" not in without.session_state


def test_saved_cells_show_a_given_threshold_and_choose_one(tmp_path) -> None:
    save_cells(scan_of(SAMPLES / "digits_logistic.csv"), tmp_path / "cells.parquet")
    app = upload(open_app(), "cells.parquet", (tmp_path / "cells.parquet").read_bytes())
    page = go_to(app, "thresholds")
    assert_sound(page)
    assert "Flagging above 0.500" in answer(page)
    page.segmented_control(key="control:threshold_by").set_value("recall")
    run(page)
    assert_sound(page)
    assert answer(page).startswith("To reach a recall of")


def test_without_labels_the_page_says_so() -> None:
    frame = pd.DataFrame({"id": range(50), "y_prob": np.round(np.random.default_rng(0).random(50), 3)})
    app = upload(open_app(), "rows.csv", frame.to_csv(index=False).encode())
    if any(button.label == "Open with this mapping" for button in app.button):
        next(button for button in app.button if button.label == "Open with this mapping").click()
        run(app)
    page = go_to(app, "thresholds")
    assert_sound(page)
    assert "there is nothing to decide" in answer(page)


def test_the_download_holds_what_is_shown() -> None:
    from lib.diagnose import Diagnosis
    from lib.figures.thresholds_view import Question, ThresholdsView
    from lib.settings import Settings
    from lib.ui.thresholds import choice_text

    scan = scan_of(SAMPLES / "incident.csv.gz")
    diagnosis = Diagnosis(scan, Settings.choose(scan.facts))
    view = ThresholdsView.of(diagnosis, Question("equal_recall", target=0.9, column="language"))
    whole = json.loads(choice_text(diagnosis, view))
    assert whole["flag"] == "score > threshold"
    assert set(whole["versions"]) == {"2026.03", "2026.04"}
    assert {each["value"] for each in whole["cohorts"]} == {each.version for each in view.cohorts}
    assert whole["versions"]["2026.04"]["rule"] == {"by": "recall", "target": 0.9}
    assert "incident.csv.gz" in whole["provenance"]
    assert "Marginalia" in whole["provenance"]
