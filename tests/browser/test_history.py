"""Controls, Back, Forward and reload in a real browser: one action is one entry of the history, and nothing is lost."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from lib.ui.sidebar import window_words
from scripts.browsing import settle
from tests.browser.conftest import (
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

DAY = 86_400
SECOND_DAY, LAST_DAY = 1_773_705_600, 1_776_124_800
"""Of the incident: 17 March and 14 April 2026."""


def entries(page: Page) -> int:
    return int(page.evaluate("history.length"))


def one_step(page: Page, act: Callable[[], object], **wanted: str | None) -> None:
    """Do something and wait until the address says so; it is one entry of the history."""
    before = entries(page)
    act()
    wait_for_view(page, **wanted)
    assert entries(page) == before + 1, page.url


def provenance(page: Page) -> str:
    return page.locator(".js-plotly-plot").first.inner_text()


def press(page: Page, slider: str, key: str) -> None:
    """Press a key on the first thumb of a slider, which the keyboard reaches with Tab."""
    thumb = page.get_by_role("slider", name=slider).first
    for _ in range(60):
        if thumb.evaluate("each => each === document.activeElement"):
            break
        page.keyboard.press("Tab")
    expect(thumb).to_be_focused()
    page.keyboard.press(key)


def test_the_range_of_windows_is_chosen_by_keyboard_and_by_mouse_and_followed_back_and_forward(visit: Opener) -> None:
    page = visit("/?dataset=sample-incident")
    whole = provenance(page)
    assert "2026-03-17" not in whole
    narrowed = f"{SECOND_DAY}..{LAST_DAY}"
    one_step(page, lambda: press(page, "From … to", "ArrowRight"), windows=narrowed)
    thumbs = page.get_by_role("slider", name="From … to")
    expect(thumbs.first).to_have_attribute("aria-valuetext", window_words(SECOND_DAY, DAY))
    assert "2026-03-17 00:00 to" in provenance(page)
    page.go_back()
    wait_for_view(page, windows=None)
    expect(thumbs.first).to_have_attribute("aria-valuetext", window_words(SECOND_DAY - DAY, DAY))
    assert "2026-03-17" not in provenance(page)
    page.go_forward()
    wait_for_view(page, windows=narrowed)
    expect(thumbs.first).to_have_attribute("aria-valuetext", window_words(SECOND_DAY, DAY))
    assert "2026-03-17 00:00 to" in provenance(page)

    # What is seen of a thumb lies around the control that a reader hears of.
    place = thumbs.last.locator("xpath=../..").bounding_box()
    assert place
    x, y = place["x"] + place["width"] / 2, place["y"] + place["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 60, y, steps=5)
    page.mouse.up()
    page.wait_for_function("was => !location.search.includes(was)", arg=str(LAST_DAY))
    settle(page)
    first, last = view_of(page)["windows"].split("..")
    assert int(first) == SECOND_DAY < int(last) < LAST_DAY
    go(page, "Margins")
    assert view_of(page)["windows"] == f"{first}..{last}"
    expect(page.get_by_role("slider", name="From … to").last).to_have_attribute(
        "aria-valuetext", window_words(int(last), DAY)
    )


def test_the_range_of_margins_is_chosen_by_keyboard(visit: Opener) -> None:
    page = visit("/margins?dataset=sample-hinge")
    before = page.locator(".m-answer").last.inner_text()
    thumb = page.get_by_role("slider", name="Margin from … up to").first
    thumb.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile(r"[?&]margins=[^&]*\.\."))
    settle(page)
    assert page.locator(".m-answer").last.inner_text() != before


def test_every_change_of_a_control_and_of_the_page_is_one_step_back(visit: Opener) -> None:
    page = visit("/?dataset=sample-losses")
    start = entries(page)
    one_step(page, lambda: choose(page, "Split", "test"), split="test")
    one_step(page, lambda: press(page, "Margin target γ", "ArrowRight"), gamma="1.02")
    one_step(page, lambda: choose(page, "Only one cohort", "ink"), cohort_column="ink")
    one_step(page, lambda: choose(page, "Baseline", "logistic-2"), baseline="logistic-2")
    one_step(page, lambda: choose(page, "Candidate", "hinge-2"), candidate="hinge-2")
    one_step(page, lambda: go(page, "Cohorts"))
    one_step(page, lambda: choose(page, "Metric", "ROC AUC"), metric="roc_auc")
    one_step(page, lambda: go(page, "Home"))
    views: list[dict[str, str]] = []
    for _ in range(entries(page) - start):
        views.append(view_of(page))
        was = page.url
        page.go_back()
        page.wait_for_function("was => location.href !== was", arg=was)
        settle(page)
    assert view_of(page) == {"dataset": "sample-losses"}
    assert page.get_by_role("slider", name="Margin target γ").input_value() == "1"
    assert len({tuple(sorted(view.items())) for view in views}) == len(views) - 2, "two of them were changes of page"


def test_choosing_a_dataset_is_one_step_and_back_leads_to_none(visit: Opener) -> None:
    page = visit()
    one_step(page, lambda: page.get_by_role("button", name="Two hinge versions").click(), dataset="sample-hinge")
    one_step(page, lambda: choose(page, "Dataset", "Sample: Two logistic versions"), dataset="sample-logistic")
    page.go_back()
    expect(page.get_by_role("heading", name="Two hinge versions", level=1)).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Marginalia", level=1)).to_be_visible()


def test_a_finding_is_shown_where_it_was_found_and_one_step_back_is_home(visit: Opener) -> None:
    page = visit("/?dataset=sample-incident")
    link = page.get_by_role("link", name="Show why on Cohorts")
    one_step(page, link.click, metric="roc_auc", by="language", windows="1775088000..1775347200")
    expect(page.get_by_role("heading", name="Cohorts", level=1)).to_be_visible()
    labels = page.locator(".js-plotly-plot .yaxislayer-above text").all_text_contents()
    assert labels[0].startswith("pt"), labels
    assert "2026-04-02 00:00 to 2026-04-06 00:00" in provenance(page)
    page.go_back()
    expect(page.get_by_role("heading", name="An incident", level=1)).to_be_visible()
    settle(page)
    assert view_of(page) == {"dataset": "sample-incident"}
    expect(page.get_by_role("link", name="Show why on Cohorts")).to_be_visible()


def test_a_change_that_is_made_while_the_page_is_drawn_is_not_lost(visit: Opener) -> None:
    page = visit("/losses?dataset=sample-incident")
    slider = page.get_by_role("slider", name="Margin target γ")
    slider.focus()
    for _ in range(12):
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(150)  # not a wait for anything: the pace of a person
    wait_for_view(page, gamma="1.24")
    assert float(slider.input_value()) == 1.24


def test_a_reload_keeps_an_upload_whose_questions_are_open(visit: Opener) -> None:
    page = visit()
    heading = page.get_by_role("heading", name="How the columns are read")

    def upload() -> None:
        give_file(page, "predictions.csv", make_file())
        expect(heading).to_be_visible()

    one_step(page, upload)
    assert chosen(page, "Dataset") == "predictions.csv, not open yet"
    choose(page, "Label", "reviewed")
    token = view_of(page)["dataset"]
    page.reload()
    expect(heading).to_be_visible()
    settle(page)
    assert chosen(page, "Label") == "reviewed"
    go(page, "Losses")
    expect(page.get_by_text("How the columns of predictions.csv are read")).to_be_visible()
    page.get_by_role("link", name="Go to Home").click()
    expect(heading).to_be_visible()
    settle(page)
    page.get_by_role("button", name="Probability: its logit").click()
    settle(page)
    page.get_by_role("button", name="Open with this mapping").click()
    expect(page.get_by_role("heading", name="predictions.csv", level=1)).to_be_visible()
    settle(page)
    assert view_of(page) == {"dataset": token}
    choose(page, "Dataset", "None yet")
    page.go_back()
    expect(page.get_by_role("heading", name="predictions.csv", level=1)).to_be_visible()


def test_closing_ones_own_dataset_leads_home_without_a_warning(visit: Opener) -> None:
    page = visit()
    open_flipped(page)
    go(page, "Margins")
    page.get_by_role("button", name="Close this dataset").click()
    expect(page.get_by_text("predictions.csv was closed and its files were removed.")).to_be_visible()
    expect(page.get_by_role("heading", name="Marginalia", level=1)).to_be_visible()
    settle(page)
    assert view_of(page) == {}
    expect(page.get_by_text("no longer open")).to_have_count(0)
    go(page, "Losses")
    expect(page.get_by_text("Nothing is loaded yet")).to_be_visible()
    expect(page.get_by_text("was closed")).to_have_count(0)


def test_a_reload_while_a_file_is_read_finds_the_reading_again(visit: Opener) -> None:
    row = b"v%d,%d,%.4f,c%d\n"
    content = b"version,label,logit,city\n" + b"".join(
        row % (k % 2, k % 2, (k * 7919 % 4001) / 500 - 4 + k % 2, k % 9) for k in range(600_000)
    )
    page = visit()
    give_file(page, "many.csv", content)
    page.wait_for_function("/(reading|dataset)=/.test(location.search)")
    page.reload()
    expect(page.get_by_role("heading", name="many.csv", level=1)).to_be_visible()
    settle(page)
    assert "reading" not in view_of(page)
