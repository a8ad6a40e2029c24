"""One of a thousand tenants, found by a part of its name and seen by its link in a fresh browser."""

import csv
import io
import random
import re

import pytest
from playwright.sync_api import Page, expect

from scripts.browsing import settle
from tests.browser.conftest import Opener, choose, chosen, give_file, go, pick, wait_for_view

pytestmark = pytest.mark.browser

NEEDLE = "Nadel & Söhne <b>50%</b>"
ROWS = 9


def make_file() -> bytes:
    chance = random.Random(4)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(("label", "score", "tenant"))
    for row in range(6_000):
        truth = int(chance.random() < 0.5)
        score = chance.betavariate(5, 2) if truth else chance.betavariate(2, 5)
        tenant = NEEDLE if row < ROWS else f"Tenant {int(1_000 * chance.random() ** 2):04}"
        writer.writerow((truth, f"{score:.4f}", tenant))
    return text.getvalue().encode()


def find(page: Page, part: str, said: str) -> None:
    """Type into the field of the sidebar and wait for what it says."""
    sidebar = page.get_by_test_id("stSidebar")
    field = sidebar.get_by_role("textbox", name="Find a tenant")
    field.fill(part)
    field.press("Enter")
    expect(sidebar.get_by_text(said)).to_be_visible()
    settle(page)


def test_a_tenant_among_a_thousand_is_found_and_its_link_shows_it(visit: Opener) -> None:
    page = visit(height=1000)
    give_file(page, "tenants.csv", make_file())
    expect(page.get_by_role("heading", name="How the columns are read")).to_be_visible()
    page.get_by_role("button", name="Probability: its logit").click()
    settle(page)
    expect(page.get_by_text("as a cohort column each is found by its name")).to_be_visible()
    pick(page, page.get_by_role("combobox", name="Cohorts"), "tenant")
    expect(page.get_by_text("each is found by its name.")).to_be_visible()
    settle(page)
    page.get_by_role("button", name="Open with this mapping").click()
    expect(page.get_by_role("heading", name="tenants.csv", level=1)).to_be_visible()
    settle(page)

    choose(page, "Only one cohort", "tenant")
    find(page, "nobody", "No value holds “nobody”.")
    find(page, "söhne <B>50%", "1 value holds “söhne <B>50%”.")
    choose(page, "tenant", f"{NEEDLE} ({ROWS} rows)")
    wait_for_view(page, cohort_column="tenant", cohort=NEEDLE)
    expect(page.get_by_text(re.compile(f"of {ROWS} labelled rows"))).to_be_visible()
    go(page, "Samples")
    expect(page.get_by_text(f"{ROWS} rows, highest loss first.")).to_be_visible()

    other = visit(page.url)
    assert chosen(other, "tenant").startswith(NEEDLE)
    expect(other.get_by_text(f"{ROWS} rows, highest loss first.")).to_be_visible()
    other.reload()
    expect(other.get_by_text(f"{ROWS} rows, highest loss first.")).to_be_visible()
