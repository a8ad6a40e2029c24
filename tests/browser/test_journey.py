"""The main job through the real page: from a file to a finding, and the finding by its link in a fresh browser."""

import csv
import io
import re
import struct
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from scripts.browsing import settle
from tests.browser.conftest import (
    FLIPPED,
    FORMULA,
    IMAGE,
    Opener,
    choose,
    chosen,
    give_file,
    go,
    make_file,
    open_flipped,
    view_of,
    wait_for_view,
)

pytestmark = pytest.mark.browser

FINDING = f"Scores are reversed for tenant = {FLIPPED} in version v2"


def gamma_of(page: Page) -> str:
    return page.get_by_role("slider", name="Margin target γ").input_value()


def finding_of(page: Page) -> str:
    return page.locator(".m-finding").filter(has_text="reversed").inner_text()


def shown(page: Page) -> dict[str, object]:
    """What a reader compares: words and choices, not the moment at which figures were drawn."""
    return {
        "path": urlsplit(page.url).path,
        "view": view_of(page),
        "title": page.get_by_role("heading", level=1).inner_text(),
        "answer": page.locator(".m-answer").first.inner_text(),
        "finding": finding_of(page),
        "column": chosen(page, "Cohorts of"),
        "metric": chosen(page, "Metric"),
        "gamma": gamma_of(page),
        "table": page.locator(".m-table").inner_text(),
        "figure": page.get_by_test_id("stPlotlyChart").get_attribute("aria-label"),
    }


def test_from_a_file_to_a_finding_and_by_its_link_to_the_same_view(visit: Opener) -> None:
    page = visit()
    give_file(page, "predictions.csv", make_file())
    expect(page.get_by_role("heading", name="How the columns are read")).to_be_visible()
    settle(page)
    question = page.get_by_text("score lies within 0 and 1: is it a probability or a raw decision score?")
    expect(question).to_be_visible()
    expect(page.get_by_role("button", name="Open with this mapping")).to_be_disabled()
    page.get_by_role("button", name="Probability: its logit").click()
    expect(question).to_have_count(0)
    settle(page)
    # Taken for the label by its name, though it is noise.
    assert chosen(page, "Label") == "label"
    choose(page, "Label", "reviewed")
    assert chosen(page, "Label") == "reviewed"
    page.get_by_role("button", name="Open with this mapping").click()
    expect(page.get_by_role("heading", name="predictions.csv", level=1)).to_be_visible()
    settle(page)
    finding = finding_of(page)
    assert FINDING in finding
    slider = page.get_by_role("slider", name="Margin target γ")
    slider.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    wait_for_view(page, gamma="1.1")

    link = page.get_by_role("link", name="Show why on Cohorts").first
    link.click()
    expect(page.get_by_role("heading", name="Cohorts", level=1)).to_be_visible()
    settle(page)
    first = shown(page)
    assert first["path"] == "/cohorts"
    assert first["column"] == "tenant"
    assert first["finding"] == finding
    assert float(str(first["gamma"])) == 1.1
    assert first["metric"] == "ROC AUC"
    assert f"on top: {FLIPPED} with 0.0" in str(first["answer"])

    other = visit(page.url)
    assert shown(other) == first
    other.reload()
    expect(other.get_by_role("heading", name="Cohorts", level=1)).to_be_visible()
    settle(other)
    assert shown(other) == first


def test_gamma_by_keyboard_is_in_the_link_and_holds_on_every_page(visit: Opener) -> None:
    page = visit("/losses?dataset=sample-hinge")
    was = page.locator(".m-answer").first.inner_text()
    slider = page.get_by_role("slider", name="Margin target γ")
    slider.focus()
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    wait_for_view(page, gamma="0.94")
    assert page.locator(".m-answer").first.inner_text() != was
    assert "γ = 0.94" in page.locator(".m-answer").first.inner_text()
    for name in ("Margins", "Cohorts", "Home"):
        go(page, name)
        assert float(gamma_of(page)) == 0.94
        assert view_of(page)["gamma"] == "0.94"
    page.go_back()
    expect(page.get_by_role("heading", name="Cohorts", level=1)).to_be_visible()
    settle(page)
    assert float(gamma_of(page)) == 0.94


def test_names_from_data_are_text_on_the_page_and_harmless_in_its_table(visit: Opener, flipped_view: str) -> None:
    page = visit(flipped_view.replace("/?", "/cohorts?") + "&by=tenant&apart=cohort:tenant")
    cells = page.locator(".m-table td:first-child")
    assert {IMAGE, FORMULA} <= set(cells.all_inner_texts())
    assert page.locator("img[src=x]").count() == 0
    labels = " ".join(page.locator(".js-plotly-plot .yaxislayer-above text").all_text_contents())
    assert "<img" in labels
    page.locator(".js-plotly-plot .scatterlayer .point").first.hover(force=True)
    choose(page, "Only one cohort", "tenant")
    choose(page, "tenant", IMAGE)
    wait_for_view(page, cohort=IMAGE)
    for name in ("Margins", "Losses", "Home", "Cohorts"):
        go(page, name)
        assert page.locator("img[src=x]").count() == 0
    choose(page, "Only one cohort", "All cohorts")
    wait_for_view(page, cohort=None)
    with page.expect_download() as arriving:
        page.get_by_test_id("stDownloadButton").first.get_by_role("button").click()
    text = arriving.value.path().read_text("utf-8")
    values = [value for row in csv.reader(io.StringIO(text)) for value in row]
    assert IMAGE in values
    assert f"'{FORMULA}" in values
    for value in values:
        assert not value.startswith(("=", "+", "@", "\t")), value
        assert not value.startswith("-") or float(value) < 0


def test_sessions_do_not_see_each_others_datasets(visit: Opener) -> None:
    mine, theirs = visit(), visit()
    open_flipped(mine)
    assert chosen(mine, "Dataset") == "predictions.csv"
    theirs.reload()
    expect(theirs.get_by_role("heading", name="Marginalia")).to_be_visible()
    settle(theirs)
    theirs.get_by_role("combobox", name="Dataset").click()
    options = theirs.get_by_role("option").all_inner_texts()
    assert len(options) >= 5
    assert all(option.startswith("Sample: ") or option == "None yet" for option in options)
    theirs.keyboard.press("Escape")
    mine.get_by_role("combobox", name="Dataset").click()
    assert "predictions.csv" in mine.get_by_role("option").all_inner_texts()
    mine.keyboard.press("Escape")
    url = mine.url
    mine.get_by_role("button", name="Close this dataset").click()
    expect(mine.get_by_role("heading", name="Marginalia")).to_be_visible()
    gone = visit(url)
    expect(gone.get_by_text("no longer open here")).to_be_visible()


@pytest.mark.parametrize(("path", "name"), [("/losses", "losses-over-margins"), ("/cohorts", "cohorts-violation_rate")])
def test_a_figure_is_downloaded_as_a_picture(visit: Opener, path: str, name: str) -> None:
    page = visit(f"{path}?dataset=sample-losses")
    figure = page.locator(".js-plotly-plot").first
    figure.hover()
    with page.expect_download() as arriving:
        figure.get_by_role("button", name="Download plot as a PNG").click()
    assert arriving.value.suggested_filename == f"{name}.png"
    content = arriving.value.path().read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", content[16:24])
    assert width >= 1200
    assert height >= 400
    assert len(content) > 20_000


def test_a_bar_shows_the_rows_behind_it(visit: Opener) -> None:
    page = visit("/margins?dataset=sample-hinge", height=1400)
    before = page.locator(".m-answer").last.inner_text()
    bars = page.locator(".js-plotly-plot").first.locator(".barlayer .point path")
    assert bars.count() > 10
    box = max((each.bounding_box() for each in bars.all()), key=lambda each: each["height"] if each else 0)
    assert box
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.9)
    expect(page).to_have_url(re.compile(r"[?&]margins=[^&]*\.\."))
    settle(page)
    assert page.locator(".m-answer").last.inner_text() != before
    again = visit(page.url, height=1400)
    assert again.locator(".m-answer").last.inner_text() == page.locator(".m-answer").last.inner_text()


def test_what_was_left_out_is_listed_and_downloaded(visit: Opener) -> None:
    page = visit("/?dataset=sample-wrong")
    expect(page.get_by_role("heading", name="How the columns are read")).to_be_visible()
    page.get_by_role("button", name="Probability: its logit").click()
    settle(page)
    page.get_by_role("button", name="Open with this mapping").click()
    expect(page.get_by_role("heading", name="many_things_wrong.csv", level=1)).to_be_visible()
    settle(page)
    page.get_by_text("with a problem").click()
    settle(page)
    with page.expect_download() as arriving:
        opened = page.get_by_test_id("stExpander").filter(has_text="with a problem")
        opened.get_by_test_id("stDownloadButton").get_by_role("button").click()
    # Streamlit's own download of a table would write formulas as they are.
    expect(page.get_by_role("button", name="Download as CSV")).to_have_count(0)
    rows = list(csv.DictReader(io.StringIO(arriving.value.path().read_text("utf-8"))))
    assert len(rows) >= 13
    records = {int(value) for row in rows for name, value in row.items() if name == "record" and value}
    assert {7, 19, 33, 34, 47, 72, 260} <= records


@pytest.mark.parametrize("dark", [False, True])
def test_pages_fit_a_phone(visit: Opener, *, dark: bool) -> None:
    for path in ("/", "/?dataset=sample-losses", "/losses?dataset=sample-losses", "/cohorts?dataset=sample-losses"):
        page = visit(path, width=420, height=900, dark=dark)
        assert page.evaluate("document.documentElement.scrollWidth") <= 420
        main = page.get_by_test_id("stMain")
        assert main.evaluate("each => each.scrollWidth - each.clientWidth") <= 0
        ground = page.get_by_test_id("stApp").evaluate("each => getComputedStyle(each).backgroundColor")
        assert ground == ("rgb(19, 24, 27)" if dark else "rgb(252, 252, 251)")


@pytest.mark.parametrize("name", ["monitoring", "gate"])
def test_tables_of_few_columns_stand_within_a_phone(visit: Opener, name: str) -> None:
    page = visit(f"/{name}?dataset=sample-incident", width=420, height=900)
    wide = "all => all.map(each => [each.scrollWidth - each.clientWidth, each.innerText.slice(0, 80)])"
    tables = page.locator(".m-table").evaluate_all(wide)
    assert tables
    assert [heads for beyond, heads in tables if beyond > 1] == []


def test_on_a_phone_pages_are_reached_without_the_sidebar_and_their_list_closes(visit: Opener) -> None:
    page = visit("/losses?dataset=sample-losses", width=420, height=900)
    # One of the same group, whose list would stay open.
    go(page, "Margins")
    expect(page.get_by_test_id("stExpandSidebarButton")).to_be_visible()
    expect(page.get_by_role("heading", name="Margins", level=1)).to_be_in_viewport()
    expect(page.get_by_test_id("stPopoverBody")).to_have_count(0)


def test_all_choices_are_in_sight_of_a_small_screen(visit: Opener) -> None:
    page = visit("/comparison?dataset=sample-incident", width=1024, height=768)
    for choice in ("Dataset", "Baseline", "Candidate", "Margin target γ", "Only one cohort"):
        label = page.get_by_test_id("stSidebar").get_by_text(choice, exact=True)
        expect(label.first).to_be_in_viewport(ratio=1)
    expect(page.get_by_test_id("stSidebar").get_by_text("From … to (UTC, by day)")).to_be_in_viewport(ratio=1)


def test_an_empty_server_shows_a_page_by_its_link_first_thing(visit: Opener) -> None:
    page = visit("/margins")
    expect(page.get_by_text("Nothing is loaded yet")).to_be_visible()
    page.get_by_role("link", name="Go to Home").click()
    expect(page.get_by_role("heading", name="Marginalia")).to_be_visible()
