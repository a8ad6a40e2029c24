"""What tests of several folders share: a browser for each process, and which of them are to share a process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from scripts.browsing import launch

# Tests run side by side: matrices of a few hundred rows are shared among threads at many times their cost, most of it
# waiting. It holds for processes that tests start, too; it has to be said before numpy is imported.
os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

TOGETHER = {
    "browser": "browser",
    "ui": "pages",
    "test_parity.py": "pages",
    "reports": "reports",
    "figures": "figures",
}
"""Folders and files whose tests share servers, browsers or opened samples, and the groups that share them."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of several processes (`--dist loadgroup`) one takes a whole group, the largest groups first."""
    here = Path(__file__).parent
    for item in items:
        group = TOGETHER.get(item.path.relative_to(here).parts[0])
        if group is not None:
            item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless chromium, started once."""
    with launch() as chromium:
        yield chromium
