"""The Map page in a real browser: `python -m benchmarks.map_page WHAT FOLDER ROWS DIMENSION` prints JSON.

WHAT is "draw" (one person draws all points as principal components, moves, zooms, and draws a lasso) or "beside" (one
person's layout runs while another goes through the pages of a sample; then it is cancelled).
"""

from __future__ import annotations

import base64
import json
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect

from benchmarks.measure import memory_of, processes_of
from benchmarks.projection import make
from benchmarks.sessions import SWITCH, Talk
from scripts.browsing import launch, link_to, serve, settle

SAMPLE = "/?dataset=sample-incident"
PAGES = ("Losses", "Margins", "Cohorts", "Samples", "Home")
ROUNDS = 4
PATIENCE = 300_000
PRESSES = 10

_NEXT_FRAME = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


class Received:
    """Bytes that the server has sent to a page since `begin`."""

    def __init__(self, page: Page) -> None:
        self.bytes = 0
        session = page.context.new_cdp_session(page)
        session.on("Network.webSocketFrameReceived", self._count)
        session.send("Network.enable")

    def begin(self) -> None:
        self.bytes = 0

    def _count(self, frame: dict[str, Any]) -> None:
        text: str = frame["response"]["payloadData"]
        self.bytes += len(base64.b64decode(text)) if frame["response"]["opcode"] == 2 else len(text)


def upload(page: Page, path: Path) -> None:
    """Give the vectors to the Home page, and wait until they are open."""
    settle(page)
    page.locator("input[type=file]").first.set_input_files(path)
    expect(page.get_by_role("heading", name=path.name, level=1)).to_be_visible(timeout=PATIENCE)
    settle(page)


def renderer_bytes(browser: Browser) -> int:
    """Memory of the largest of the browser's processes that draw pages."""
    found = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    return max(memory_of(each["id"]) for each in found if each["type"] == "renderer")


def draw(folder: Path, rows: int, dimension: int) -> dict[str, Any]:
    """From the click on "Look at the map" to all points, and then what a hand does with them."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"vectors-{rows}.npy"
    make(path, rows, dimension)
    with serve(folder / "server") as server, launch() as browser:
        page = browser.new_context(viewport={"width": 1440, "height": 1000}).new_page()
        page.goto(server.address)
        upload(page, path)
        path.unlink()
        before, received = renderer_bytes(browser), Received(page)
        page.get_by_role("link", name="Look at the map").hover()
        received.begin()
        began = time.perf_counter()
        page.get_by_role("link", name="Look at the map").click()
        page.locator(f".map[data-drawn='{rows}']").wait_for(timeout=PATIENCE)
        page.evaluate(_NEXT_FRAME)
        drawn, sent = time.perf_counter() - began, received.bytes
        # What is worked out behind the page is another measure's.
        page.get_by_role("button", name="Cancel").first.click()
        settle(page)
        box = page.locator(".map canvas").first.bounding_box()
        assert box is not None
        zoom: list[float] = []
        for press in range(PRESSES):
            began = time.perf_counter()
            page.get_by_role("button", name="Zoom in" if press % 2 == 0 else "Zoom out").first.click()
            page.evaluate(_NEXT_FRAME)
            zoom.append(time.perf_counter() - began)
        middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.mouse.move(*middle)
        page.mouse.down()
        move: list[float] = []
        for step in range(1, PRESSES + 1):
            began = time.perf_counter()
            page.mouse.move(middle[0] + 4 * step, middle[1])
            page.evaluate(_NEXT_FRAME)
            move.append(time.perf_counter() - began)
        page.mouse.up()
        page.get_by_role("button", name="All", exact=True).first.click()
        page.get_by_role("button", name="Lasso").first.click()
        for at, (x, y) in enumerate(((0.3, 0.3), (0.7, 0.3), (0.7, 0.7), (0.3, 0.7), (0.3, 0.3))):
            page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=4)
            if at == 0:
                page.mouse.down()
        began = time.perf_counter()
        page.mouse.up()
        page.locator(".map[data-selected]:not([data-selected='0'])").first.wait_for(timeout=PATIENCE)
        lasso = time.perf_counter() - began
        return {
            "drawn": drawn,
            "payload": sent,
            "growth": renderer_bytes(browser) - before,
            "memory": renderer_bytes(browser),
            "zoom": statistics.median(zoom),
            "move": statistics.median(move),
            "lasso": lasso,
            "selected": int(page.locator(".map").first.get_attribute("data-selected") or 0),
        }


def beside(folder: Path, rows: int, dimension: int) -> dict[str, Any]:
    """Page switches of one person without and with another one's layout, and how soon that ends when cancelled."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"vectors-{rows}.npy"
    make(path, rows, dimension)
    with serve(folder / "server") as server, launch() as browser:
        busy, idle = (browser.new_context(viewport={"width": 1440, "height": 1000}).new_page() for _each in range(2))
        busy.goto(server.address)
        upload(busy, path)
        path.unlink()
        idle.goto(server.address + SAMPLE)
        expect(idle.get_by_role("heading", name="An incident", level=1)).to_be_visible(timeout=PATIENCE)
        settle(idle)
        talk = Talk(idle)
        switches(idle, talk, 1)  # what is worked out once is there
        alone = switches(idle, talk, ROUNDS)
        busy.get_by_role("link", name="Look at the map").click()
        cancel = busy.get_by_role("button", name="Cancel")
        cancel.first.wait_for(timeout=PATIENCE)
        together = switches(idle, talk, 1)  # a layout does not last for more
        is_running = cancel.count() > 0
        workers = [each for each in processes_of(server.pid) if each != server.pid]
        largest = max(workers, key=memory_of, default=server.pid)
        freed = memory_of(largest)
        began = time.perf_counter()
        if is_running:
            cancel.first.click()
            while _is_there(largest) and time.perf_counter() - began < PATIENCE / 1e3:
                time.sleep(0.01)
        return {
            "alone": _summary(alone),
            "beside": _summary(together),
            "is_running": is_running,
            "cancelled": time.perf_counter() - began,
            "freed": freed,
        }


def switches(page: Page, talk: Talk, rounds: int) -> list[float]:
    """Seconds from the question for a page to the last word of the server's answer."""
    found: list[float] = []
    for name in PAGES * rounds:
        link = link_to(page, name)
        talk.begin()
        link.evaluate(SWITCH)
        found.append(talk.seconds)
        settle(page)
    return found


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _summary(seconds: list[float]) -> dict[str, float]:
    return {"median": statistics.median(seconds), "slowest": max(seconds)}


if __name__ == "__main__":
    what = {"draw": draw, "beside": beside}[sys.argv[1]]
    print(json.dumps(what(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))))
