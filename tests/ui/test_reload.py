"""A reload of the browser while a file is being read: the reading is found again by the link, running or done."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from lib.ui.arrivals import read_uploads
from lib.ui.datasets import workspace
from lib.ui.jobs import Job
from tests.ui.conftest import PATIENCE, ROOT, assert_sound, open_app, run, text_of

CONTENT = b"version,label,logit\n" + b"".join(b"v%d,%d,%d\n" % (k % 2, k % 2, k % 5 - 2 + k % 2) for k in range(200))


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Reading waits until this is set."""
    opened = threading.Event()

    def slowly(*arguments: Any) -> object:
        assert opened.wait(PATIENCE)
        return read_uploads(*arguments)

    monkeypatch.setattr("lib.ui.intake.read_uploads", slowly)
    yield opened
    opened.set()


def begin() -> str:
    """The token of a file that is being read, of which AppTest does not see that it is in the link."""
    app = open_app()
    app.file_uploader[0].upload("slow.csv", CONTENT)
    app.run(timeout=PATIENCE)
    return str(app.session_state["intake-reading"])


def test_a_reading_that_runs_is_found_by_its_link(gate: threading.Event) -> None:
    token = begin()
    other = AppTest.from_file(str(ROOT / "app.py"), default_timeout=PATIENCE)
    other.query_params["reading"] = token
    other.run()
    assert "Cancel" in [button.label for button in other.button]
    gate.set()
    run(other)
    assert_sound(other)
    assert "slow.csv" in [title.value for title in other.title]
    assert "reading" not in other.query_params
    assert workspace().draft(token) is None


def test_a_reading_that_is_done_meanwhile_is_found_by_its_link(gate: threading.Event) -> None:
    token = begin()
    held = workspace().draft(token)
    assert held is not None
    assert isinstance(held.content, Job)
    gate.set()
    assert held.content.wait(PATIENCE)
    other = open_app("home", reading=token)
    assert_sound(other)
    assert "slow.csv" in [title.value for title in other.title]


def test_a_reading_that_is_gone_leaves_the_page_as_it_is() -> None:
    app = open_app("home", reading="nothing", dataset="sample-hinge")
    assert_sound(app)
    assert "reading" not in app.query_params
    assert "hinge" in text_of(app)
