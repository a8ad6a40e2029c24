"""One server and one browser for the browser tests of a process, and a file with a fault to find."""

from __future__ import annotations

import csv
import io
import random
import re
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, FilePayload, Locator, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from scripts.browsing import link_to, serve, settle

IMAGE, FORMULA = "<img src=x onerror=alert(1)>", "=cmd()"
TENANTS = ("acme", IMAGE, FORMULA, "lumen")
FLIPPED = "acme"

Opener = Callable[..., Page]

expect.set_options(timeout=30_000)  # a machine that is busy with other tests is slow, not wrong


def make_file(seed: int = 3) -> bytes:
    """Two versions of 1,200 rows; in v2 the scores of one tenant are turned around.

    `label` is noise and is taken for the label by its name; the truth is in `reviewed`. The score lies within 0 and 1
    and does not say what it is.
    """
    chance = random.Random(seed)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(("id", "version", "label", "reviewed", "score", "tenant"))
    for version in ("v1", "v2"):
        for row in range(1_200):
            truth = int(chance.random() < 0.4)
            score = chance.betavariate(5, 2) if truth else chance.betavariate(2, 5)
            tenant = TENANTS[row % len(TENANTS)]
            if version == "v2" and tenant == FLIPPED:
                score = 1 - score
            writer.writerow((f"r{row:04}", version, int(chance.random() < 0.5), truth, f"{score:.4f}", tenant))
    return text.getvalue().encode()


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("server")
    with serve(folder) as server:
        yield server.address
    left = [path.name for path in (folder / "tmp").iterdir()]
    assert left == [], "a server that was stopped leaves nothing of anybody's data"
    assert "Traceback" not in (folder / "server.log").read_text("utf-8", "replace")


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Opener]:
    """Open a path of the server as somebody new, and wait until it is drawn."""
    contexts: list[BrowserContext] = []
    ran: list[str] = []
    asked: list[str] = []

    def open_page(path: str = "/", *, width: int = 1440, height: int = 1300, dark: bool = False) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            reduced_motion="reduce",
            color_scheme="dark" if dark else "light",
            locale="en-GB",
            timezone_id="UTC",
            accept_downloads=True,
        )
        context.set_default_timeout(30_000)
        contexts.append(context)
        page = context.new_page()
        page.on("dialog", lambda dialog: ran.append(dialog.message) or dialog.dismiss())
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path if path.startswith("http") else address + path)
        expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=60_000)
        settle(page)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert ran == [], "a page ran a script that stood in its data"
    elsewhere = [url for url in asked if not url.startswith((address, "data:", "blob:"))]
    assert elsewhere == [], "a page asked another server for something"


def wait_for_view(page: Page, **wanted: str | None) -> None:
    """Wait until the address says this of the view (None: nothing), and the page is drawn."""
    for name, value in wanted.items():
        page.wait_for_function(
            "([name, value]) => new URLSearchParams(location.search).get(name) === value", arg=[name, value]
        )
    settle(page)


def view_of(page: Page) -> dict[str, str]:
    """What the address says."""
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def go(page: Page, name: str) -> None:
    """Go to another page by its link above the title."""
    link_to(page, name).click()
    expect(page).to_have_url(re.compile(r"://[^/]*/(\?|$)" if name == "Home" else rf"/{name.lower()}(\?|$)"))
    settle(page)


def give_file(page: Page, name: str, content: bytes) -> None:
    """Upload through the page's own uploader."""
    page.locator("input[type=file]").set_input_files([FilePayload(name=name, mimeType="text/csv", buffer=content)])


def pick(page: Page, box: Locator, option: str) -> None:
    """Open a list and choose of it; again where it was closed, as it is when what it stands in is scrolled."""
    found = page.get_by_role("option", name=option, exact=True)
    for _each in range(4):
        box.scroll_into_view_if_needed()
        settle(page)
        box.press("ArrowDown")
        try:
            found.click(timeout=5_000)
        except PlaywrightTimeout:
            page.keyboard.press("Escape")
        else:
            return
    found.click()


def choose(page: Page, label: str, option: str) -> None:
    """Choose an option of a selectbox."""
    box = page.get_by_role("combobox", name=label, exact=True)
    pick(page, box, option)
    expect(page.get_by_role("option")).to_have_count(0)
    settle(page)


def chosen(page: Page, label: str) -> str:
    """What a selectbox holds."""
    return page.get_by_role("combobox", name=label, exact=True).input_value()


def open_flipped(page: Page) -> None:
    """Upload the file, answer its question, correct its mapping, open it."""
    give_file(page, "predictions.csv", make_file())
    expect(page.get_by_role("heading", name="How the columns are read")).to_be_visible()
    page.get_by_role("button", name="Probability: its logit").click()
    settle(page)
    choose(page, "Label", "reviewed")
    page.get_by_role("button", name="Open with this mapping").click()
    expect(page.get_by_role("heading", name="predictions.csv", level=1)).to_be_visible()
    settle(page)


@pytest.fixture(scope="session")
def flipped_view(browser: Browser, address: str) -> str:
    """The link to the file above, opened."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(address)
    open_flipped(page)
    url = page.url
    context.close()
    return url
