"""What tests of several folders share: one browser for a process, since two cannot be driven from one."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from scripts.browsing import launch

# Tests run side by side: matrices of a few hundred rows are shared among threads at many times their cost, most of it
# waiting. It holds for processes that tests start, too; it has to be said before numpy is imported.
os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless chromium, started once."""
    with launch() as chromium:
        yield chromium
