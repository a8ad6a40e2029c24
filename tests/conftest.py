"""What tests of several folders share: a browser for each process, and which of them are to share a process."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings
from playwright.sync_api import Browser
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from scripts.browsing import launch

# Tests run side by side: matrices of a few hundred rows are shared among threads at many times their cost, most of it
# waiting. It holds for processes that tests start, too; it has to be said before numpy is imported.
os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

# Of each property so many examples, unless it asks for others.
settings.register_profile("suite", max_examples=40)
settings.load_profile("suite")

TOGETHER = {
    "browser": "browser",
    "ui": "views",
    "ui/test_pages.py": "pages",
    "test_parity.py": "pages",
    "reports": "reports",
    "figures": "figures",
}
"""Folders and files whose tests share servers, browsers or opened samples, and the groups that share them."""


class GroupScheduling(LoadScopeScheduling):
    """Of several processes one takes a whole group, the largest groups first; other tests go where there is time."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0].removeprefix("tests/")
        return TOGETHER.get(path) or TOGETHER.get(path.partition("/")[0], nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> GroupScheduling:
    return GroupScheduling(config, log)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless chromium, started once."""
    with launch() as chromium:
        yield chromium
