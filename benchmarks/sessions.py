"""Ten people with three datasets each on one server: `python -m benchmarks.sessions FOLDER ROWS` prints JSON.

A real server and a real browser. Each of the people uploads three files of their own through the page, and goes
through the pages of the last one. The browser tells how long each took: from its question to the last word of the
server's answer, and from the click until the page stood, drawing included.
"""

from __future__ import annotations

import json
import statistics
import sys
from pathlib import Path

from playwright.sync_api import CDPSession, Page, expect

from benchmarks.data import file_of, write_files
from benchmarks.measure import Peak
from scripts.browsing import launch, link_to, serve, settle

SESSIONS, DATASETS = 10, 3
PAGES = ("Losses", "Margins", "Cohorts", "Samples", "Home")
ROUNDS = 2

SWITCH = """link => new Promise((resolve) => {
  const app = document.querySelector("[data-testid=stApp]")
  const before = location.pathname, begin = performance.now()
  let ran = false
  link.click()
  const look = () => {
    const running = app.getAttribute("data-test-script-state") === "running"
    ran = ran || running
    const stands = ran && !running && location.pathname !== before
      && !document.querySelector("[data-stale=true], [data-testid=stSkeleton]")
    stands ? resolve(performance.now() - begin) : setTimeout(look, 5)
  }
  look()
})"""


class Talk:
    """When a page asked its server, and when it had the last word of the answer."""

    def __init__(self, page: Page) -> None:
        self._asked: list[float] = []
        self._answered: list[float] = []
        session: CDPSession = page.context.new_cdp_session(page)
        session.on("Network.webSocketFrameSent", lambda frame: self._asked.append(frame["timestamp"]))
        session.on("Network.webSocketFrameReceived", lambda frame: self._answered.append(frame["timestamp"]))
        session.send("Network.enable")

    def begin(self) -> None:
        """Forget what was said before."""
        self._asked.clear()
        self._answered.clear()

    @property
    def seconds(self) -> float:
        """From the first question since `begin` to the last word of the answer."""
        return self._answered[-1] - self._asked[0]


def main(folder: Path, rows: int) -> None:
    """Measure, and print seconds by page and the most memory of the server."""
    answered: dict[str, list[float]] = {page: [] for page in PAGES}
    drawn: dict[str, list[float]] = {page: [] for page in PAGES}
    with serve(folder / "server") as server, launch() as browser, Peak(server.pid) as peak:
        people: list[tuple[Page, Talk]] = []
        for person in range(SESSIONS):
            page = browser.new_context(viewport={"width": 1440, "height": 1000}).new_page()
            page.goto(server.address)
            for dataset in range(DATASETS):
                _open(page, folder, rows, seed=person * DATASETS + dataset, is_first=dataset == 0)
            people.append((page, Talk(page)))
        for page, talk in people * ROUNDS:
            for name in PAGES:
                link = link_to(page, name)
                talk.begin()
                drawn[name].append(link.evaluate(SWITCH) / 1e3)
                answered[name].append(talk.seconds)
                settle(page)
    pages = {name: {"answered": _summary(answered[name]), "drawn": _summary(drawn[name])} for name in PAGES}
    print(json.dumps({"sessions": SESSIONS, "datasets": DATASETS, "peak": peak.bytes, "pages": pages}))


def _summary(seconds: list[float]) -> dict[str, float]:
    return {"median": statistics.median(seconds), "slowest": max(seconds)}


def _open(page: Page, folder: Path, rows: int, seed: int, *, is_first: bool) -> None:
    """Upload a file that nobody else has, and open it; how files of its shape are read is asked once."""
    write_files(rows, folder, ["parquet"], seed)
    path = file_of(folder, rows, "parquet")
    name = path.with_name(f"predictions-{seed}.parquet")
    path.rename(name)
    settle(page)
    page.locator("input[type=file]").first.set_input_files(name)
    if is_first:
        page.get_by_role("button", name="Probability: its logit").click(timeout=120_000)
        settle(page)
        page.get_by_role("button", name="Open with this mapping").click()
    expect(page.get_by_role("heading", name=name.name, level=1)).to_be_visible(timeout=120_000)
    settle(page)
    name.unlink()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
