"""The Monitoring page: three views, objectives set and given as a file, what is wrong with one, versions abreast."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from lib.diagnose import Diagnosis
from lib.policy import objectives_text, read_policy
from lib.scan import save_cells
from lib.settings import Settings
from sample_data.make import make_clean
from tests.checks.crossed import BACK, DAY, DEPLOYED, crossed_world
from tests.reports.conftest import SAMPLES, scan_of
from tests.ui.conftest import (
    answer,
    assert_sound,
    figures,
    findings,
    go_to,
    open_app,
    open_frame,
    run,
    tables,
    text_of,
    upload,
)

POLICY = b"""
[[objectives]]
name = "Errors"
metric = "error_rate"
at_most = 0.12

[[deploys]]
at = 2026-04-02T09:00:00Z
name = "release 4"
"""


@pytest.mark.parametrize(
    ("role", "heads"),
    [("executive", "Budget left"), ("on-call", "Restored"), ("debug", "")],
)
def test_every_view_opens_with_the_finding_and_the_sentence(role: str, heads: str) -> None:
    app = open_app("monitoring", dataset="sample-incident", role=role)
    assert_sound(app)
    (finding,) = findings(app)
    assert finding.startswith("error Scores are reversed for language = pt in version 2026.04")
    assert answer(app).startswith("Violation rate of language = pt rose from ")
    assert any(heads in table.heads for table in tables(app)) is bool(heads)
    assert len(figures(app)) == 2
    assert app.query_params["role"] == role


def test_the_objective_is_set_on_the_page_and_in_the_link() -> None:
    app = open_app("monitoring", dataset="sample-incident", role="executive", most_violation_rate="97")
    table = next(table for table in tables(app) if "Pages" in table.heads)
    assert table["Violation rate", "Pages"].text == "0"
    assert table["Error rate", "Pages"].text == "1"
    app.number_input(key="control:most_violation_rate").set_value(20.0)
    run(app)
    assert app.query_params["most_violation_rate"] == "20"
    table = next(table for table in tables(app) if "Pages" in table.heads)
    assert table["Violation rate", "Objective"].detail == "at most 20.0\N{NO-BREAK SPACE}%"
    assert table["Violation rate", "Pages"].text == "1"


def test_a_policy_file_is_taken_and_taken_back() -> None:
    app = open_app("monitoring", dataset="sample-incident")
    app.file_uploader(key="policy file").upload("ours.toml", POLICY)
    run(app)
    assert_sound(app)
    assert "for language = pt" in answer(app)
    assert any(row[0].text == "release 4" for table in tables(app) for row in table.rows)
    assert answer(app).startswith("Error rate of language = pt rose")
    next(button for button in app.button if button.label == "Without ours.toml").click()
    run(app)
    assert answer(app).startswith("Violation rate of language = pt rose")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ((b"0.12", b"12"), "ours.toml, line 5: at_most is 12; a number from 0 to 1 is expected."),
        ((POLICY, b"# nothing"), "ours.toml has no [[objectives]] and no [[deploys]]."),
        ((b'"error_rate"', b'"error_rate"\ncohorts = ["region"]'), "watches the cohort column 'region'; there are:"),
    ],
)
def test_what_is_wrong_with_a_policy_is_said(change: tuple[bytes, bytes], sentence: str) -> None:
    app = open_app("monitoring", dataset="sample-incident")
    app.file_uploader(key="policy file").upload("ours.toml", POLICY.replace(*change))
    run(app)
    assert not app.exception
    assert [sentence in each.value for each in app.error] == [True]
    assert answer(app).startswith("Violation rate of language = pt rose")


def test_many_rows_are_counted_in_a_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lib.ui.monitoring.ROWS_WITHOUT_WAITING", 0)
    app = open_app("monitoring", dataset="sample-incident", gamma="0.8")
    assert_sound(app)
    assert answer(app).startswith("Violation rate of language = pt rose")
    assert "job:monitoring" not in app.session_state


def test_versions_side_by_side_show_the_candidate_and_no_deploys() -> None:
    rng = np.random.default_rng(0)
    frame = make_clean(1, 6000).drop(columns=["tenant", "cost", "latency_ms"])
    frame["version"] = rng.choice(["a", "b"], len(frame))
    app = upload(open_app(), "rows.csv", frame.to_csv(index=False).encode())
    if any(button.label == "Open with this mapping" for button in app.button):
        next(button for button in app.button if button.label == "Open with this mapping").click()
        run(app)
    page = go_to(app, "monitoring")
    assert_sound(page)
    assert page.selectbox(key="control:monitored").value == "b"
    assert "No version took over from another" in text_of(page)
    assert "paged nobody" in answer(page)
    page.segmented_control(key="control:role").set_value("debug")
    run(page)
    assert_sound(page)
    (said,) = (line for line in text_of(page).splitlines() if " violations of all rows, " in line)
    assert said.endswith(": the last day of the log, for no rise stands out and nobody would have been told of one.")
    assert links(page)["Violations of all times on Samples"].startswith("samples?")


def test_a_canary_is_a_row_below_its_deploy() -> None:
    frame = make_clean(1, 6000).drop(columns=["tenant", "cost", "latency_ms"])
    at = pd.to_datetime(frame["time"])
    hours = (at - at.min()).dt.total_seconds() / 3600
    early = (hours >= 240) & (hours < 300) & (np.arange(len(frame)) % 5 == 0)
    frame["version"] = np.where((hours >= 300) | early, "b", "a")
    page = open_frame("monitoring", frame)
    assert_sound(page)
    (table,) = (each for each in tables(page) if each.heads[0] == "Deploy")
    assert [row[0].text for row in table.rows] == ["b", "b"]
    deploy, canary = (row[0].detail.replace("\N{NO-BREAK SPACE}", " ") for row in table.rows)
    assert deploy.startswith("deploy, ")
    assert re.fullmatch(r"canary, \S+ \S+ UTC, (19|20|21) % of rows", canary)
    assert [cell.text for cell in table.rows[1][1:]] == [""] * 4


def test_saved_cells_are_monitored_by_their_windows(tmp_path) -> None:
    save_cells(scan_of(SAMPLES / "incident.csv.gz"), tmp_path / "cells.parquet")
    app = upload(open_app(), "cells.parquet", (tmp_path / "cells.parquet").read_bytes())
    page = go_to(app, "monitoring")
    assert_sound(page)
    assert "Violation rate of language = pt rose" in answer(page)


def test_without_times_or_labels_the_page_says_what_is_needed() -> None:
    app = open_app("monitoring", dataset="sample-hinge")
    assert_sound(app)
    assert "Monitoring needs times and labels" in text_of(app)


def test_the_download_is_a_policy_that_is_read_back() -> None:
    scan = scan_of(SAMPLES / "incident.csv.gz")
    watched = Diagnosis(scan, Settings.choose(scan.facts)).watched()
    objectives = watched.usual_objectives
    assert read_policy(objectives_text(objectives), "p").objectives == objectives
    assert pd.Series([each.at_most for each in objectives]).between(0.05, 0.3).all()


def links(app: AppTest) -> dict[str, str]:
    """The links of cards and pages, by their words: the page with its view."""
    return {each.proto.label: f"{each.proto.page}?{each.proto.query_string}" for each in app.get("page_link")}


def test_a_finding_where_cohorts_cross_is_shown_over_time_by_one_click_and_back() -> None:
    app = open_frame("home", crossed_world().rename(columns={"score": "y_prob"}))
    words = "tenant = b and channel = web"
    assert any(f"More false positives for {words} in version v2" in each for each in findings(app))
    linked = links(app)
    assert linked["Show over time"].startswith("monitoring?")
    assert "part=tenant+%3D+b+and+channel+%3D+web" in linked["Show over time"]
    assert linked["Show why on Slices"].startswith("slices?")
    app.query_params["part"] = words
    app = go_to(app, "monitoring")
    assert_sound(app)
    assert any(words in each for each in findings(app))
    assert links(app)["Show why on Slices"].startswith("slices?")
    assert "Show over time" not in links(app)
    assert app.selectbox(key="control:part").value == words
    assert f"Of a finding: {words}" in app.selectbox(key="control:part").options
    assert answer(app).startswith(f"Error rate of {words} rose from ")
    assert "It begins with the error rate, which the gravest finding of a part is about." in text_of(app)
    assert "Rates are per week, the finest of at most 200 windows of which a typical one has 30" in text_of(app)
    table = next(table for table in tables(app) if "Last day" in table.heads)
    assert words in [row[0].text for row in table.rows]
    app.selectbox(key="control:per").set_value("86400")
    run(app)
    assert "Rates are per" not in text_of(app)
    app = go_to(app, "slices")
    assert_sound(app)
    assert "Show over time" in links(app)


def test_a_range_of_times_leaves_what_happened_as_it_is_and_a_version_alone_has_objectives_too() -> None:
    app = open_frame("home", crossed_world().rename(columns={"score": "y_prob"}))
    words = "tenant = b and channel = web"
    whole = answer(go_to(app, "monitoring"))
    assert whole.startswith(f"Error rate of {words} rose from ")
    # The candidate's own time: what it is compared with lies outside.
    windows = f"{DEPLOYED + DAY}..{BACK - 2 * DAY}"
    app = go_to(app, "home")
    app.query_params["windows"] = windows
    app = go_to(app, "monitoring")
    assert_sound(app)
    assert app.query_params["windows"] == windows
    assert answer(app) == whole
    assert app.selectbox(key="control:part").value == words
    app.selectbox(key="control:monitored").set_value("v2")
    run(app)
    assert_sound(app)
    assert "there is nothing to monitor" not in answer(app)
    assert len(figures(app)) == 2


def test_within_a_cohort_what_began_at_a_deploy_is_told_and_leads() -> None:
    app = open_frame("home", crossed_world(30_000).rename(columns={"score": "y_prob"}))
    chosen = {"cohort_column": "tenant", "cohort": "b", "cohort_column_2": "channel", "cohort_2": "web"}
    for name, value in chosen.items():
        app.query_params[name] = value
    app = go_to(app, "monitoring")
    assert_sound(app)
    assert any("The threshold flags more in version v2: " in each for each in findings(app))
    assert "It began on 2026-01-17 00:00 UTC, when v2 was deployed." in text_of(app)
    assert "Roll that deploy back" in text_of(app)
    assert answer(app).startswith("Error rate of all rows rose from ")


def test_the_window_follows_the_rows_until_somebody_chooses_one() -> None:
    app = open_app("monitoring", dataset="sample-incident")
    assert "Rates are per 6 hours, the finest" in text_of(app)
    app.selectbox(key="control:cohort_column").set_value("language")
    run(app)
    app.selectbox(key="control:cohort").set_value("ja")
    run(app)
    assert_sound(app)
    assert "Rates are per week, the finest" in text_of(app)
    assert "per" not in app.query_params
