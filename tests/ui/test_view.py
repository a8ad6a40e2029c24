"""The view of a link: what it asks for and there is not, and what a page says where there is nothing to show."""

import io
from collections.abc import Iterator
from unittest.mock import patch

import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from lib.ui.downloads import PROVENANCE, csv_bytes
from lib.ui.rows import TABLE_HEIGHT
from lib.ui.sidebar import window_words
from lib.ui.upload_folder import close_upload_store
from tests.ui.conftest import answer, assert_sound, figures, go_to, open_app, run, tables, text_of, upload

NOT_ALL = "Not all of the link fits this dataset"


@pytest.fixture(autouse=True, scope="module")
def uploads_are_removed() -> Iterator[None]:
    yield
    close_upload_store()


def notes(app: AppTest) -> list[str]:
    """What is said of the link."""
    return [line for line in text_of(app).splitlines() if line.startswith(NOT_ALL)]


@pytest.mark.parametrize(
    ("page", "view", "said"),
    [
        ("home", {"baseline": "zzz"}, "baseline = zzz (shown instead: 2026.03)"),
        ("home", {"gamma": "7"}, "gamma = 7 (shown instead: 3)"),
        ("home", {"gamma": "1.234567"}, "gamma = 1.234567 (shown instead: 1.24)"),
        ("home", {"windows": "5..3"}, "windows = 5..3 (shown instead: 16 Mar 2026 to 14 Apr 2026)"),
        ("home", {"split": "test"}, "split = test (shown instead: all rows, there are no splits)"),
        ("home", {"cohort_column": "town"}, "cohort_column = town (shown instead: All cohorts)"),
        ("home", {"cohort": "pt"}, "cohort = pt (shown instead: all cohorts)"),
        ("cohorts", {"metric": "zzz", "by": "town"}, "metric = zzz (shown instead: Violation rate)"),
        ("losses", {"losses": "focal,zzz"}, "losses = focal,zzz (shown instead: Focal)"),
        ("samples", {"margin_from": "x"}, "margin_from = x (shown instead: any)"),
        ("slices", {"slice_columns": "zzz"}, "slice_columns = zzz (shown instead: none)"),
        ("calibration", {"recalibration": "foo"}, "recalibration = foo (shown instead: Nothing)"),
        (
            "monitoring",
            {"part": "language = xx", "per": "7"},
            "part = language = xx (shown instead: language = pt)",
        ),
    ],
)
def test_what_a_link_asks_for_and_there_is_not_is_said(page: str, view: dict[str, str], said: str) -> None:
    app = open_app(page, dataset="sample-incident", **view)
    assert_sound(app)
    (note,) = notes(app)
    assert said.lower() in note.lower()
    assert [name for name in view if f"{name} = " in note] == list(view)


def test_another_cohort_than_that_of_the_link_is_never_shown() -> None:
    good = open_app("cohorts", dataset="sample-incident")
    app = open_app("cohorts", dataset="sample-incident", cohort_column="language", cohort="xx")
    assert notes(app) == [f"{NOT_ALL}: cohort = xx (shown instead: All cohorts)."]
    assert answer(app) == answer(good)
    assert notes(good) == []
    run(app)
    assert notes(app), "it stays until one chooses"
    app.selectbox(key="control:cohort").set_value("pt")
    run(app)
    assert notes(app) == []
    app.selectbox(key="control:cohort_column").set_value("tenant")
    run(app)
    assert app.selectbox(key="control:cohort").value == ""
    assert "cohort" not in app.query_params


def test_a_control_of_another_page_says_so_there() -> None:
    app = open_app(dataset="sample-incident", metric="zzz", gamma="0.5")
    assert notes(app) == []
    go_to(app, "cohorts")
    assert "metric = zzz" in notes(app)[0]
    app.selectbox(key="control:metric").set_value("accuracy")
    run(app)
    assert notes(app) == []


def test_a_missing_cohort_value_is_a_filter_too() -> None:
    rows = [f"r{k},{k % 2},{(k % 7 - 3) / 2 + k / 1000},{('', 'red', 'blue')[k % 3]}" for k in range(90)]
    app = open_app()
    upload(app, "file.csv", "\n".join(["id,label,decision,group", *rows]).encode())
    assert_sound(app)
    app.selectbox(key="control:cohort_column").set_value("group")
    run(app)
    assert tables(app)[0]["file", "Rows"].text == "90"
    app.selectbox(key="control:cohort").set_value("(missing)")
    run(app)
    assert tables(app)[0]["file", "Rows"].text == "30"
    linked = open_app("home", **{name: app.query_params[name] for name in ("dataset", "cohort_column", "cohort")})
    assert tables(linked)[0]["file", "Rows"].text == "30"


def test_a_version_against_itself_is_said() -> None:
    app = open_app("margins", dataset="sample-losses", baseline="logistic-2", candidate="logistic-2")
    assert "Baseline and candidate are both logistic-2: one version is shown, nothing is compared." in text_of(app)


def test_the_cohort_that_is_looked_at_is_not_ranked_alone() -> None:
    app = open_app("cohorts", dataset="sample-incident", by="language")
    app.selectbox(key="control:one").set_value("pt")
    run(app)
    next(each for each in app.button if each.label == "Look only at this cohort").click()
    run(app)
    assert_sound(app)
    assert app.selectbox(key="control:by").value != "language"
    app.selectbox(key="control:by").set_value("language")
    run(app)
    assert answer(app) == "Only language pt is left: there are no others to compare it with."


def test_a_file_without_labels_has_no_empty_figures() -> None:
    rows = [f"r{k},2026-04-{1 + k % 9:02},{k / 700 - 1},{'ab'[k % 2]}" for k in range(1_400)]
    app = open_app()
    upload(app, "file.csv", "\n".join(["id,time,decision,group", *rows]).encode())
    assert_sound(app)
    assert figures(app) == []
    for page in ("losses", "margins", "cohorts"):
        go_to(app, page)
        assert_sound(app)
        assert answer(app).startswith("No row has a label: there ")
        assert figures(app) == []
        assert "filter" not in text_of(app)
        assert not any("small" in each.label for each in app.expander)


def test_a_table_says_in_its_last_column_where_it_comes_from() -> None:
    table = pd.DataFrame({"version": ["=v", "a,b"], PROVENANCE: ["own", "own"], "rows": [1, 2]})
    text = csv_bytes(table, "a &lt;b&gt;.csv · sha256 12 · γ = 1")
    read = pd.read_csv(io.BytesIO(text))
    assert list(read.columns) == ["version", PROVENANCE, "rows", f"{PROVENANCE}.1"]
    assert set(read[f"{PROVENANCE}.1"]) == {"a <b>.csv · sha256 12 · γ = 1"}
    assert read["version"].tolist() == ["'=v", "a,b"]
    assert read["rows"].dtype.kind == "i"


def test_windows_under_a_day_are_named_from_their_first_to_their_last_moment() -> None:
    rows = "".join(f"{'01'[k % 2]},{k / 60 - 2},2026-03-01T{k // 10:02d}:{k % 10 * 6:02d}:00Z\n" for k in range(240))
    app = open_app()
    upload(app, "day.csv", f"label,decision,time\n{rows}".encode())
    (slider,) = app.select_slider
    assert slider.options[0] == "01 Mar 00:00–01:00"
    assert slider.options[-1] == "01 Mar 23:00–24:00"
    assert slider.label == "From … to (UTC, by hour)"


def test_windows_of_minutes_and_of_days() -> None:
    assert window_words(86_400, 300) == "02 Jan 00:00–00:05"
    assert window_words(2 * 86_400 - 21_600, 21_600) == "02 Jan 18:00–24:00"
    assert window_words(86_400, 86_400) == "02 Jan 1970"


def test_a_file_of_one_row_is_told_without_what_it_cannot_have() -> None:
    app = open_app()
    upload(app, "one.csv", b"id,time,version,label,decision\nr0,2026-03-01,a,1,1.6\n")
    assert_sound(app)
    token = app.query_params["dataset"]
    (trend,) = figures(app)
    assert trend["layout"]["meta"]["title"].endswith("in a; one window holds all rows of it")
    losses = open_app("losses", dataset=token)
    titles = [each["layout"]["meta"]["title"] for each in figures(losses)]
    assert titles[-1] == "The worst 1\N{NO-BREAK SPACE}% of rows of a carry 1.0\N{NO-BREAK SPACE}% of its logistic loss"
    assert not any("undefined" in each for each in titles)
    # A list takes no more room than its rows need.
    with patch.object(st, "dataframe", wraps=st.dataframe) as drawn:
        for each in (token, "sample-logistic"):
            assert_sound(open_app("samples", dataset=each))
    assert [call.kwargs["height"] for call in drawn.call_args_list] == ["content", TABLE_HEIGHT]


def test_one_sure_and_wrong_row_is_one() -> None:
    sides = [(2 * (k % 2) - 1) * (-1 if k == 59 else 1) for k in range(60)]
    rows = "".join(f"r{k},{k % 2},{side * (2 + k / 100)},{'xy'[k % 3 // 2]}\n" for k, side in enumerate(sides))
    app = open_app()
    upload(app, "sure.csv", f"id,label,decision,site\n{rows}".encode())
    samples = open_app("samples", dataset=app.query_params["dataset"])
    assert_sound(samples)
    assert "1 is labelled otherwise: " in text_of(samples)


def draw_one_choice() -> None:
    # Run as a script of its own: it imports what it needs.
    import streamlit as st

    from lib.ui import state

    state.read_view("page", "")
    default = st.session_state.get("default now", "family")
    state.choose("v_by", "Cohorts of", ["family", "source", "place"], default=default)
    state.write_view()


@pytest.fixture
def one_choice() -> AppTest:
    return AppTest.from_function(draw_one_choice).run()


def change_default(app: AppTest, default: str) -> tuple[str, dict[str, str | list[str]]]:
    app.session_state["default now"] = default
    app.run()
    assert not app.exception
    return str(app.selectbox[0].value), dict(app.query_params)


def test_a_control_goes_with_a_default_that_changes_without_a_step_in_the_history(one_choice: AppTest) -> None:
    assert change_default(one_choice, "family") == ("family", {})
    assert change_default(one_choice, "source") == ("source", {})
    assert change_default(one_choice, "place") == ("place", {})


@pytest.mark.parametrize("chosen", [["place"], ["source"], ["place", "family"]])
def test_what_a_person_chose_stays_when_the_default_changes(one_choice: AppTest, chosen: list[str]) -> None:
    for each in chosen:
        one_choice.selectbox[0].set_value(each).run()
    assert change_default(one_choice, "source") == (chosen[-1], {"v_by": chosen[-1]})
    assert change_default(one_choice, "family") == (chosen[-1], {"v_by": chosen[-1]})


def test_what_is_chosen_in_the_run_in_which_the_default_changes_stays(one_choice: AppTest) -> None:
    one_choice.selectbox[0].set_value("place")
    assert change_default(one_choice, "source") == ("place", {"v_by": "place"})
