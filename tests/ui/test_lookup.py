"""A cohort column with thousands of values: any of them is found by its name and looked at like any other cohort."""

from __future__ import annotations

import io
import re
from urllib.parse import parse_qsl

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.conftest import assert_sound, go_to, htmls, open_app, run, tables, text_of, upload

TENANTS = 1_200
HOSTILE = "<b>50%</b> *off*"


def rows() -> pd.DataFrame:
    """Two versions of tenants, the later of which have fewer rows; the last is wrong about every row."""
    generator = np.random.default_rng(5)
    n = 9_000
    place = (TENANTS * generator.beta(1, 3, n)).astype(int)
    names = np.array([*(f"Shop {number:04d}" for number in range(TENANTS - 1)), HOSTILE])
    tenant = names[place]
    tenant[:12] = HOSTILE
    label = generator.integers(0, 2, n)
    score = np.where(tenant == HOSTILE, 1 - 2 * label, 2 * label - 1) * generator.gamma(4, 0.5, n)
    frame = pd.DataFrame({"version": np.where(np.arange(n) % 2, "v1", "v2"), "label": label, "decision_score": score})
    return frame.assign(tenant=tenant, shift=generator.choice(["day", "night"], n))


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return rows()


@pytest.fixture(scope="module")
def dataset(frame: pd.DataFrame) -> str:
    """The token of the file, opened with its tenants as a cohort column."""
    text = io.StringIO()
    frame.to_csv(text, index=False)
    app = open_app()
    upload(app, "tenants.csv", text.getvalue().encode())
    assert "as a cohort column each is found by its name" in text_of(app)
    app.multiselect(key="map:cohorts").set_value(["tenant", "shift"])
    run(app)
    (apply,) = (button for button in app.button if button.label == "Open with this mapping")
    apply.click()
    run(app)
    assert_sound(app)
    assert "each is found by its name" in text_of(app)
    return app.query_params["dataset"]


def find(app: AppTest, where: str, part: str) -> None:
    app.text_input(key=f"find:{where}:tenant").set_value(part)
    run(app)
    assert_sound(app)


def test_a_value_that_tables_gather_is_found_in_the_sidebar_and_holds_everywhere(
    dataset: str, frame: pd.DataFrame
) -> None:
    app = open_app("home", dataset=dataset, cohort_column="tenant")
    box = app.selectbox(key="control:cohort")
    assert len(box.options) == 201
    assert HOSTILE not in box.options
    find(app, "filter", "50%")
    assert "1 value holds “50%”." in text_of(app)
    own = frame[frame["tenant"] == HOSTILE]
    box = app.selectbox(key="control:cohort")
    assert box.options[1:] == [f"{HOSTILE} ({len(own)} rows)"]
    box.set_value(HOSTILE)
    run(app)
    assert_sound(app)
    assert (app.query_params["cohort_column"], app.query_params["cohort"]) == ("tenant", HOSTILE)
    assert tables(app)[0]["v1", "Rows"].text == str((own["version"] == "v1").sum())
    assert tables(app)[0]["v1", "Violation rate"].text == "100.0\N{NO-BREAK SPACE}%"
    # A fresh browser with the same link.
    for page in ("home", "margins", "cohorts", "samples", "features", "losses"):
        linked = open_app(page, dataset=dataset, cohort_column="tenant", cohort=HOSTILE)
        assert_sound(linked)
        assert linked.selectbox(key="control:cohort").value == HOSTILE
        assert "Not all of the link" not in text_of(linked)
        assert not any("<b>50" in each for each in htmls(linked))
        if page == "samples":
            assert text_of(linked).startswith(f"{len(own)} rows")


def test_what_nobody_is_called_is_said(dataset: str) -> None:
    app = open_app("home", dataset=dataset, cohort_column="tenant")
    find(app, "filter", "_")
    assert "No value holds “_”. Try a shorter part, or empty the field to list the most frequent." in text_of(app)
    assert app.selectbox(key="control:cohort").options == ["All cohorts"]
    find(app, "filter", "")
    assert len(app.selectbox(key="control:cohort").options) == 201
    find(app, "filter", "shop")
    assert re.search(r"[\d,]+ values hold “shop”; the list has the 50 with most rows\.", text_of(app))
    assert len(app.selectbox(key="control:cohort").options) == 51
    linked = open_app("home", dataset=dataset, cohort_column="tenant", cohort="nobody")
    assert "cohort = nobody (shown instead: All cohorts)" in text_of(linked)


def test_a_search_on_cohorts_that_finds_nothing_offers_nothing(dataset: str) -> None:
    app = open_app("cohorts", dataset=dataset, by="tenant")
    offered = {"Look only at this cohort"}
    assert offered <= {button.label for button in app.button}
    links = len(app.get("page_link"))
    find(app, "one", "nobody at all")
    assert "No value holds “nobody at all”. Try a shorter part" in text_of(app)
    assert not offered & {button.label for button in app.button}
    assert len(app.get("page_link")) < links
    assert "control:one" not in {box.key for box in app.selectbox}
    find(app, "one", "shop")
    assert len(app.selectbox(key="control:one").options) == 50


def test_one_of_many_is_compared_with_the_rest_on_the_cohorts_page(dataset: str, frame: pd.DataFrame) -> None:
    app = open_app("cohorts", dataset=dataset, by="tenant")
    assert_sound(app)
    find(app, "one", "%</B>")
    app.selectbox(key="control:one").set_value(HOSTILE)
    run(app)
    assert_sound(app)
    table = tables(app)[0]
    margin = np.where(frame["label"] == 1, 1, -1) * frame["decision_score"]
    for version in ("v1", "v2"):
        here = frame["version"] == version
        rest = margin[here & (frame["tenant"] != HOSTILE)]
        assert table[version, "Rows"].text == str((here & (frame["tenant"] == HOSTILE)).sum())
        assert table[version, "Violation rate"].text == "100.0\N{NO-BREAK SPACE}%"
        assert table[version, "The rest"].text == f"{100 * (rest < 1).mean():.1f}\N{NO-BREAK SPACE}%"
        assert table[version, "Difference"].text == f"+{100 * (1 - (rest < 1).mean()):.1f}\N{NO-BREAK SPACE}points"
    (look,) = (button for button in app.button if button.label == "Look only at this cohort")
    look.click()
    run(app)
    assert_sound(app)
    assert app.query_params["cohort"] == HOSTILE
    go_to(app, "samples")
    assert text_of(app).startswith(f"{(frame['tenant'] == HOSTILE).sum()} rows")


def test_a_link_to_one_of_many_shows_its_numbers(dataset: str, frame: pd.DataFrame) -> None:
    app = open_app("cohorts", dataset=dataset, by="tenant", one=HOSTILE)
    assert_sound(app)
    assert "Not all of the link" not in text_of(app)
    assert app.selectbox(key="control:one").value == HOSTILE
    own = frame[frame["tenant"] == HOSTILE]
    assert tables(app)[0]["v1", "Rows"].text == str((own["version"] == "v1").sum())
    nobody = open_app("cohorts", dataset=dataset, by="tenant", one="nobody")
    assert "one = nobody (shown instead:" in text_of(nobody)


def test_sure_and_wrong_rows_lead_to_themselves() -> None:
    app = open_app("samples", dataset="sample-incident")
    assert_sound(app)
    (table,) = tables(app)
    assert table.heads == ["Cohort", "Sure and wrong", "Share", "The rest", "Difference"]
    links = [link.proto for link in app.get("page_link") if "these" in link.proto.label]
    first = table.rows[0]
    assert (first[0].text, first[4].tone) == ("language = pt", "worse")
    assert links[0].label == f"pt: these {first[1].text} rows"
    view = dict(parse_qsl(links[0].query_string))
    assert view["margin_to"] == "-2"
    linked = open_app("samples", **view)
    assert_sound(linked)
    assert text_of(linked).startswith(f"{first[1].text} rows of version 2026.04 with a margin below \u22122.00")
    # The filter holds a cohort now, and the links from here hold it too.
    views = [
        dict(parse_qsl(each.proto.query_string)) for each in linked.get("page_link") if "these" in each.proto.label
    ]
    assert {(each["cohort"], each["cohort_column_2"]) for each in views} == {("pt", "tenant"), ("pt", "platform")}
