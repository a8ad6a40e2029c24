"""What tests of several folders share: one browser for a process, since two cannot be driven from one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from scripts.browsing import launch


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless chromium, started once."""
    with launch() as chromium:
        yield chromium
