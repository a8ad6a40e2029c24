"""The map in a real browser: drawn, zoomed, lassoed to exactly the points within, shared between two maps."""

import base64
import json
import math
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from lib.ui.projection_map import read_selection

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import numpy as np
import streamlit as st

from lib.figures.projection_map import MapLabel, MapView, colour_by_category, encode_map
from lib.figures.theme import Look
from lib.ui.projection_map import render_map

side = int(st.query_params.get("side", "50"))
n = side * side
ids = np.array([f"id-{row}" for row in range(n)])
coordinates = np.column_stack(np.divmod(np.arange(n), side)).astype(np.float32)
colours = colour_by_category([("left", "right")[int(x > side / 2)] for x, _y in coordinates], Look())
for name, points in (("one", coordinates), ("two", coordinates[:, ::-1])):
    labels = (MapLabel("<b>corner</b>", 0.0, 0.0),)
    view = MapView(points, ids, colours, f"Map {name} of {n} points", "both", labels=labels)
    rows = render_map(encode_map(view), name, "both", n)
st.text(f"SELECTED {len(rows)} SUM {int(rows.sum())} FIRST {rows[:5].tolist()}")
"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    script = tmp_path_factory.mktemp("map") / "script.py"
    script.write_text(SCRIPT, "utf-8")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", str(script), "--server.address=127.0.0.1", f"--server.port={port}"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(f"{address}/_stcore/health", timeout=5).close()
            break
        except OSError:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
    yield address
    process.terminate()
    process.wait(20)


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1000, "height": 1500})
    page = context.new_page()
    page.goto(address)
    expect(page.locator(".map[data-drawn='2500']")).to_have_count(2, timeout=60_000)
    yield page
    context.close()


def place_of(page: Page, x: float, y: float, which: int = 0) -> tuple[float, float]:
    """Where a place of the map (from 0 to 1) is on the screen before anything was moved."""
    box = page.locator(".map canvas").nth(which).bounding_box()
    assert box
    unit = min(box["width"] - 24, box["height"] - 56)
    return box["x"] + box["width"] / 2 + (x - 0.5) * unit, box["y"] + box["height"] / 2 - (y - 0.5) * unit


def lasso(page: Page, corners: list[tuple[float, float]]) -> None:
    first, *others = [place_of(page, *corner) for corner in corners]
    page.mouse.move(*first)
    page.mouse.down()
    for corner in [*others, first]:
        page.mouse.move(*corner, steps=8)
    page.mouse.up()


@pytest.mark.browser
def test_a_lasso_holds_exactly_the_points_within_on_both_maps(page: Page) -> None:
    page.get_by_role("button", name="Lasso").first.click()
    lasso(page, [(0.214, 0.296), (0.602, 0.296), (0.602, 0.704), (0.214, 0.704)])
    side = np.arange(50) / 49
    xs, ys = side[(side > 0.214) & (side < 0.602)], side[(side > 0.296) & (side < 0.704)]
    rows = [round(x * 49) * 50 + round(y * 49) for x in xs for y in ys]
    expect(page.get_by_text(re.compile("^SELECTED"))).to_contain_text(f"SELECTED {len(rows)} SUM {sum(rows)} ")
    expect(page.locator(f".map[data-selected='{len(rows)}']")).to_have_count(2)
    # Where it was drawn stays to be seen, also when the map moves, as long as that is what is selected.
    outline = page.locator(".map path").first
    page.wait_for_timeout(300)
    before, zoomed = outline.get_attribute("d"), page.locator(".map[data-zoom='1.400']")
    page.get_by_role("button", name="Zoom in").first.click()
    expect(zoomed).to_have_count(1)
    assert before
    assert outline.get_attribute("d") not in ("", before)
    page.locator(".map .clear").first.click()
    expect(outline).to_have_attribute("d", "")
    expect(page.get_by_text("SELECTED 0 SUM 0")).to_be_visible()
    expect(page.locator(".map[data-selected='0']")).to_have_count(2)


@pytest.mark.browser
def test_a_click_takes_the_nearest_point_and_says_its_id(page: Page) -> None:
    spot = place_of(page, 10 / 49, 20 / 49)
    page.mouse.move(spot[0] + 2, spot[1] - 1)
    expect(page.locator(".map .tip").first).to_have_text("id-520 · left")
    page.mouse.click(spot[0] + 2, spot[1] - 1)
    expect(page.get_by_text("SELECTED 1 SUM 520 ")).to_be_visible()
    page.mouse.click(*place_of(page, 0.5, 1.015))
    expect(page.get_by_text("SELECTED 0 ")).to_be_visible()


@pytest.mark.browser
def test_it_is_moved_by_keyboard_wheel_and_buttons(page: Page) -> None:
    frame = page.locator(".map").first
    zoom = lambda: float(frame.get_attribute("data-zoom") or "nan")  # noqa: E731
    frame.get_by_role("button", name="Zoom in").click()
    expect(frame).to_have_attribute("data-zoom", "1.400")
    page.mouse.move(*place_of(page, 0.5, 0.5))
    page.mouse.wheel(0, 200)
    page.wait_for_timeout(200)
    assert zoom() == 1.4, "the page scrolls over a map that nobody has gone to"
    hint = frame.locator(".hint")
    expect(hint).to_have_text("Ctrl and the wheel zoom the map; so does the wheel once it was clicked")
    expect(hint).to_be_visible()
    page.mouse.wheel(0, -200)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -100)
    page.keyboard.up("Control")
    expect(frame).to_have_attribute("data-zoom", f"{1.4 * math.exp(0.2):.3f}")
    expect(hint).to_be_hidden()
    canvas = frame.get_by_role("application")
    canvas.press("0")
    frame.get_by_role("button", name="Zoom in").click()
    expect(frame).to_have_attribute("data-zoom", "1.400")
    canvas.focus()
    page.mouse.move(*place_of(page, 0.5, 0.5))
    page.mouse.wheel(0, -200)
    expect(frame).not_to_have_attribute("data-zoom", "1.400")
    assert math.isclose(zoom(), 1.4 * math.exp(0.4), abs_tol=0.01)
    canvas.press("0")
    expect(frame).to_have_attribute("data-zoom", "1.000")
    canvas.press("Enter")
    expect(page.get_by_text(re.compile("SELECTED 1 "))).to_be_visible()
    canvas.press("Escape")
    expect(page.get_by_text("SELECTED 0 ")).to_be_visible()


@pytest.mark.browser
def test_points_are_where_they_belong_in_their_colours_and_words_are_words(page: Page) -> None:
    expect(page.locator(".map .labels span").first).to_have_text("<b>corner</b>")
    expect(page.locator(".map .legend").first).to_have_text(re.compile("left.*right|right.*left"))
    shot = page.screenshot()
    pixels = page.evaluate(
        """async ([url, spots]) => {
          const image = new Image()
          image.src = url
          await image.decode()
          const sheet = new OffscreenCanvas(image.width, image.height).getContext("2d")
          sheet.drawImage(image, 0, 0)
          return spots.map(([x, y]) => [...sheet.getImageData(Math.round(x), Math.round(y), 1, 1).data.slice(0, 3)])
        }""",
        [
            f"data:image/png;base64,{base64.b64encode(shot).decode()}",
            [place_of(page, 10 / 49, 30 / 49), place_of(page, 40 / 49, 30 / 49), place_of(page, 0.5, 1.02)],
        ],
    )
    left, right, nothing = (np.array(each) for each in pixels)
    assert np.abs(left - right).max() > 40
    assert np.abs(left - nothing).max() > 40
    assert nothing.min() > 245


def test_a_message_is_read_with_care() -> None:
    bits = base64.b64encode(np.packbits([1, 0, 1, 0, 0, 0, 0, 0, 0, 1], bitorder="little").tobytes()).decode()
    assert read_selection({"bits": bits}, 100).tolist() == [0, 2, 9]
    assert read_selection({"bits": bits}, 9).tolist() == [0, 2]
    assert read_selection({"rows": [5, 3, 3, -1, 7, True, "x", None, 2.5]}, 6).tolist() == [3, 5]
    for bad in (None, 3, [], {}, {"bits": "%%%"}, {"bits": 4}, {"rows": "12"}, json.loads("{}")):
        assert read_selection(bad, 10).tolist() == []
