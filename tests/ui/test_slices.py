"""The Slices page: what it finds, the link, one slice with its rows, the button of large files, what it cannot do."""

from __future__ import annotations

from urllib.parse import parse_qsl

import numpy as np
import pandas as pd
import pytest

from tests.ui.conftest import (
    answer,
    assert_sound,
    figures,
    go_to,
    open_app,
    open_frame,
    press,
    run,
    tables,
    text_of,
)


def world(n: int = 8_000) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"y_true": rng.integers(0, 2, n)})
    for name, values in (("language", ["de", "en", "pt"]), ("platform", ["ios", "web"]), ("tenant", ["a", "b", "c"])):
        frame[name] = rng.choice(values, n)
    wrong = rng.random(n) < np.where((frame.language == "pt") & (frame.platform == "ios"), 0.5, 0.1)
    frame["y_prob"] = np.where(wrong, 1 - frame["y_true"], frame["y_true"]) * 0.8 + rng.random(n) / 10 + 0.05
    return frame


def test_the_incident_is_found_and_leads_to_its_rows_and_the_filter() -> None:
    app = open_app("slices", dataset="sample-incident", slice_metric="error_rate")
    assert_sound(app)
    assert answer(app).startswith("Where language = pt, 92")
    (figure,) = figures(app)
    assert figure["layout"]["meta"]["title"] == answer(app)
    (table,) = tables(app)
    assert table.heads[:3] == ["Slice", "Rows", "Error rate"]
    assert "In 2026.03" in table.heads
    assert table["language = pt", "Difference"].tone == "worse"
    assert any("Open these rows" in link.proto.label for link in app.get("page_link"))
    press(app, "Look only at this cohort")
    assert_sound(app)
    assert (app.query_params["cohort_column"], app.query_params["cohort"]) == ("language", "pt")
    assert "language" not in app.multiselect(key="control:slice_columns").options


def test_two_columns_at_once_their_rows_and_the_link() -> None:
    app = open_frame("slices", world())
    assert_sound(app)
    assert answer(app).startswith("Where language = pt and platform = ios, ")
    (link,) = (each.proto for each in app.get("page_link") if each.proto.label == "Open these rows on Samples")
    rows = open_app("samples", **dict(parse_qsl(link.query_string))).dataframe[0].value
    assert (set(rows["language"]), set(rows["platform"])) == ({"pt"}, {"ios"})
    app.segmented_control(key="control:slice_depth").set_value("1")
    run(app)
    assert_sound(app)
    assert app.query_params["slice_depth"] == "1"
    (table,) = tables(app)
    assert {row[0].text for row in table.rows} == {"language = pt", "platform = ios"}
    app.multiselect(key="control:slice_columns").set_value(["tenant"])
    run(app)
    assert_sound(app)
    assert answer(app).startswith("No slice of one column of 1 column is worse")
    app.multiselect(key="control:slice_columns").set_value([])
    run(app)
    assert "Choose one column at least." in text_of(app)


def test_the_rows_of_a_slice_that_numbers_cut_are_shown_in_its_place() -> None:
    frame = world()
    frame["size"] = np.random.default_rng(3).random(len(frame)).round(4)
    flipped = (frame["size"] < 0.3) & (np.arange(len(frame)) % 3 == 0)
    app = open_frame("slices", frame.assign(y_prob=np.where(flipped, 1 - frame["y_prob"], frame["y_prob"])))
    assert_sound(app)
    assert answer(app).startswith("Where size < 0.")
    assert not [each for each in app.get("page_link") if each.proto.label == "Open these rows on Samples"]
    app.toggle(key="slice:rows").set_value(True)
    run(app)
    assert app.dataframe[0].value["size"].max() < 0.31


def test_a_slice_of_two_cohorts_becomes_the_filter_of_every_page() -> None:
    frame = world()
    app = open_frame("slices", frame)
    press(app, "Look only at these rows")
    assert_sound(app)
    said = {"cohort_column": "language", "cohort": "pt", "cohort_column_2": "platform", "cohort_2": "ios"}
    assert said.items() <= app.query_params.items()
    assert app.multiselect(key="control:slice_columns").options == ["tenant"]
    inside = (frame.language == "pt") & (frame.platform == "ios")
    home = go_to(app, "home")
    assert_sound(home)
    assert tables(home)[0].rows[0][tables(home)[0].heads.index("Rows")].text == f"{inside.sum():,}"
    # Within these one of a third column; taking the first away leaves the others.
    assert home.selectbox(key="control:cohort_column_3").options == ["All cohorts", "tenant"]
    home.selectbox(key="control:cohort_column").set_value("")
    run(home)
    assert_sound(home)
    assert "cohort" not in home.query_params
    assert home.query_params["cohort_2"] == "ios"
    only = (frame.platform == "ios").sum()
    assert tables(home)[0].rows[0][tables(home)[0].heads.index("Rows")].text == f"{only:,}"


def with_times() -> pd.DataFrame:
    """Two versions, a week each, with as many violations; in the second those of "pt" on "ios" are errors as well."""
    frame = world(12_000)
    n, rng = len(frame), np.random.default_rng(4)
    inside = (frame.language == "pt") & (frame.platform == "ios")
    is_second, is_near = np.arange(n) >= n // 2, rng.random(n) < 0.4
    right = np.where(inside & is_near, np.where(is_second, 0.45, 0.55), np.where(rng.random(n) < 0.05, 0.2, 0.9))
    return frame.assign(
        ts=pd.date_range("2026-01-01", periods=n, freq="2min"),
        version=np.where(is_second, "2", "1"),
        y_prob=np.where(frame["y_true"] == 1, right, 1 - right) + 0.01 * rng.random(n),
    )


def test_where_only_errors_changed_pages_begin_with_them_and_a_slice_leads_to_its_course() -> None:
    app = open_frame("slices", with_times())
    assert_sound(app)
    begins = "It begins with the error rate, which the gravest finding of a part is about."
    assert app.selectbox(key="control:slice_metric").value == "error_rate"
    assert begins in text_of(app)
    assert "slice_metric" not in app.query_params
    words = "language = pt and platform = ios"
    assert answer(app).startswith(f"Where {words}, ")
    (link,) = (each.proto for each in app.get("page_link") if each.proto.label == "This slice over time")
    said = dict(parse_qsl(link.query_string))
    assert (link.page, said["part"], said["objective"]) == ("monitoring", words, "Error rate")
    # What a person has chosen stays, and what Monitoring has no objective of is not carried there.
    app.selectbox(key="control:slice_metric").set_value("miss_rate")
    run(app)
    assert_sound(app)
    assert begins not in text_of(app)
    assert answer(app).startswith(f"Where {words}, ")
    assert "of positive rows are misses" in answer(app)
    assert tables(app)[0].heads[1:3] == ["Positive rows", "Miss rate"]
    (link,) = (each.proto for each in app.get("page_link") if each.proto.label == "This slice over time")
    assert "objective" not in dict(parse_qsl(link.query_string))
    app.query_params["part"] = said["part"]
    app = go_to(app, "monitoring")
    assert_sound(app)
    assert app.selectbox(key="control:objective").value == "Error rate"
    assert begins in text_of(app)
    assert app.selectbox(key="control:part").value == words
    assert answer(app).startswith(f"Error rate of {words} rose from ")
    assert words in next(table for table in tables(app) if "Last day" in table.heads).rows[1][0].text
    assert figures(app)[1]["layout"]["meta"]["title"].startswith("Average hinge loss")


def test_of_many_rows_the_search_waits_for_its_button_and_then_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lib.ui.slices.ROWS_WITHOUT_WAITING", 100)
    app = open_app("slices", dataset="sample-incident")
    assert_sound(app)
    assert figures(app) == []
    press(app, "Search")
    assert_sound(app)
    assert len(figures(app)) == 1
    assert app.query_params["slices"] == "yes"
    app.selectbox(key="control:slice_metric").set_value("average_logistic_loss")
    run(app)
    assert_sound(app)
    assert ", logistic loss averages " in answer(app)


def test_where_there_is_nothing_to_search_it_says_why() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"y_true": rng.integers(0, 2, 200), "y_prob": rng.random(200).round(6)})
    app = open_frame("slices", frame)
    assert_sound(app)
    assert "nothing to cut slices by" in text_of(app)
    app = open_frame("slices", world(80))
    assert_sound(app)
    assert "too few rows" in answer(app)
