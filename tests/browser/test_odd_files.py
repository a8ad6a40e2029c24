"""Some of the odd files through the real browser: what is said stands on the page, and what was open stays open."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from scripts.browsing import settle
from tests.browser.conftest import Opener, give_file
from tests.sources.odd_files import ODD_FILES

pytestmark = pytest.mark.browser

REFUSED = (
    "Latin-1", "empty", "a header alone", "a PNG picture", "an Excel workbook", "an error page", "a pickle",
    "a gzip file cut short", "Parquet cut short", "an Arrow file cut short", "a JSON array", "scores that are words",
)  # fmt: skip
READ = (
    "plain", "UTF-16 as Excel saves it", "decimal commas", "old Macintosh line ends", "HTML and scripts in values",
    "names with quotes, brackets and per cent", "names with emoji, right-to-left and combining letters",
    "JSON lines with nested values", "an Arrow stream", "a quotation mark that never closes",
)  # fmt: skip
NAMED = {each.what: each for each in ODD_FILES}


def give(page: Page, name: str, content: bytes) -> None:
    more = page.get_by_text("Load other files or a sample")
    if more.count():
        more.click()
        settle(page)
    give_file(page, name, content)


def test_what_cannot_be_used_is_said_and_leaves_what_was_open(visit: Opener) -> None:
    page = visit()
    give(page, "first.csv", NAMED["plain"].build())
    first = page.get_by_role("heading", name="first.csv", level=1)
    expect(first).to_be_visible()
    settle(page)
    for place, what in enumerate(REFUSED):
        odd = NAMED[what]
        name = f"{place}-{odd.name}"
        give(page, name, odd.build())
        said = page.get_by_role("alert").filter(has_text=name if odd.name in odd.said[0] else odd.said[0])
        expect(said).to_be_visible()
        expect(first).to_be_visible()
        expect(page.get_by_text("Something went wrong")).to_have_count(0)
        settle(page)


def test_what_is_odd_and_can_be_read_is_open(visit: Opener) -> None:
    page = visit()
    for place, what in enumerate(READ):
        odd = NAMED[what]
        name = f"{place}-{odd.name}"
        give(page, name, odd.build())
        expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
        settle(page)
        expect(page.get_by_role("alert")).to_have_count(0)
