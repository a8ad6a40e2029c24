"""Vectors through the real page: two files and their metadata, the id corrected, a lasso, its neighbours, its link."""

import csv
import io
import random

import numpy as np
import pytest
from playwright.sync_api import FilePayload, Page, expect

from scripts.browsing import link_to, settle
from tests.browser.conftest import IMAGE, Opener, choose, chosen, go, view_of

pytestmark = pytest.mark.browser

ROWS, DIMENSION = 240, 12
KINDS = ("apple", "pear", IMAGE)


def make_vectors() -> list[FilePayload]:
    """Three groups far from each other in two versions, the second turned; metadata in another order.

    The ids of the vectors are in `item`; `id` holds other texts, and is taken for the id by its name.
    """
    chance = np.random.default_rng(4)
    centres = 8 * np.eye(3, DIMENSION)
    kind = np.arange(ROWS) % 3
    first = (centres[kind] + chance.normal(size=(ROWS, DIMENSION))).astype(np.float32)
    turn, _upper = np.linalg.qr(chance.normal(size=(DIMENSION, DIMENSION)))
    names = np.array([f"item-{row:03}" for row in range(ROWS)])
    files: list[FilePayload] = []
    for name, matrix in (("v1", first), ("v2", (first @ turn).astype(np.float32))):
        block = io.BytesIO()
        np.savez(block, vectors=matrix)
        files.append(FilePayload(name=f"{name}.npz", mimeType="application/zip", buffer=block.getvalue()))
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(("id", "item", "kind"))
    tickets = random.Random(4).sample(range(1_000, 9_999), ROWS)
    for row in range(ROWS):
        writer.writerow((f"ticket {tickets[row]}", names[row], KINDS[kind[row]]))
    files.append(FilePayload(name="items.csv", mimeType="text/csv", buffer=text.getvalue().encode()))
    return files


def make_predictions() -> bytes:
    """Decision scores of the same ids, in another order."""
    chance = random.Random(5)
    rows = [f"item-{row:03},{row % 2},{2 * (row % 2) - 1 + chance.gauss(0, 1):.3f}\n" for row in range(ROWS)]
    chance.shuffle(rows)
    return ("item,label,score\n" + "".join(rows)).encode()


def is_drawn(page: Page) -> None:
    """Wait until both maps are laid out and judged."""
    expect(page.get_by_text("It keeps")).to_have_count(2, timeout=90_000)
    expect(page.get_by_test_id("stProgress")).to_have_count(0, timeout=90_000)
    expect(page.locator(".map[data-drawn]")).to_have_count(2)
    settle(page)


def lasso(page: Page, left: float, top: float, right: float, bottom: float) -> None:
    """Draw around a part of the first map, in shares of its width and height."""
    page.get_by_role("button", name="Lasso").first.click()
    canvas = page.locator(".map canvas").first
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    places = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
    for at, (x, y) in enumerate(places):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=6)
        if at == 0:
            page.mouse.down()
    page.mouse.up()
    expect(page.get_by_role("heading", name="selected samples")).to_be_visible()
    settle(page)


def selected(page: Page) -> list[str | None]:
    return [each.get_attribute("data-selected") for each in page.locator(".map").all()]


def test_from_files_of_vectors_to_a_lasso_by_its_link_to_the_same_and_to_a_cohort(visit: Opener) -> None:
    page = visit()
    page.locator("input[type=file]").set_input_files(make_vectors())
    expect(page.get_by_role("heading", name="v1.npz and 1 more", level=1)).to_be_visible()
    settle(page)
    page.get_by_test_id("stExpander").filter(has_text="How the vectors were read").locator("summary").click()
    assert chosen(page, "Id") == "id"
    choose(page, "Id", "item")
    choose(page, "Label", "kind")
    expect(page.get_by_text("right answers by kind")).to_be_visible()
    page.get_by_role("link", name="Look at the map").click()
    expect(page.get_by_role("heading", name="Map", level=1)).to_be_visible()
    is_drawn(page)
    assert page.locator(".map .labels span").all_inner_texts().count(IMAGE) == 2, "names are texts"

    lasso(page, 0.02, 0.02, 0.98, 0.5)
    there = selected(page)
    assert there[0] == there[1]
    n = int(there[0] or 0)
    assert 0 < n < ROWS
    expect(page.get_by_text("are among them in the original space")).to_have_count(2)
    neighbours = chosen(page, "Neighbours of")
    assert neighbours.startswith("item-")
    expect(page.get_by_role("heading", name="Nearest in the original space")).to_be_visible()
    assert "v_rows" in view_of(page)

    choose(page, "Versions", "Candidate")
    expect(page.locator(".map")).to_have_count(1)
    assert selected(page) == [there[1]]
    choose(page, "Versions", "Both, side by side")

    again = visit(page.url)
    is_drawn(again)
    assert selected(again) == there
    assert chosen(again, "Neighbours of") == neighbours
    expect(again.get_by_role("heading", name=f"{n:,} selected samples")).to_be_visible()

    go(again, "Home")
    beside = FilePayload(name="predictions.csv", mimeType="text/csv", buffer=make_predictions())
    again.locator("input[type=file]").last.set_input_files([beside])
    expect(again.get_by_text("predictions.csv").first).to_be_visible()
    settle(again)
    link_to(again, "Map").click()
    is_drawn(again)
    again.get_by_role("button", name="Use as a cohort").click()
    again.get_by_role("textbox", name="Name of the column").fill("lassoed")
    settle(again)
    again.get_by_role("button", name="Make the cohort").click()
    expect(again.get_by_role("heading", name="Cohorts", level=1)).to_be_visible()
    settle(again)
    assert chosen(again, "Cohorts of") == "lassoed"
    assert (view_of(again)["by"], view_of(again)["one"]) == ("lassoed", "selected")
    figure = again.locator(".js-plotly-plot").first
    expect(figure).to_contain_text("selected")
    expect(figure).to_contain_text("others")
    again.go_back()
    expect(again.get_by_role("heading", name="Map", level=1)).to_be_visible()
    is_drawn(again)
    assert selected(again) == there
