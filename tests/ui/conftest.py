"""The dashboard without a browser: opened on a page and a view, run until its jobs are done, and read."""

from __future__ import annotations

import functools
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pandas as pd
import pytest
from streamlit.components.v2 import manifest_scanner
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest

from lib.ui import vector_checks
from lib.ui.datasets import workspace
from lib.ui.upload_folder import upload_store

ROOT = Path(__file__).resolve().parents[2]
PAGES = (
    "home", "losses", "margins", "calibration", "thresholds", "support_vectors", "comparison", "cohorts", "slices",
    "monitoring", "features", "gate", "samples",
)  # fmt: skip
SAMPLES = ("sample-incident", "sample-losses", "sample-hinge", "sample-logistic", "sample-digits", "sample-wrong")
JOBS = (
    "fit", "files", "open", "filter", "features", "folds", "pairs", "comparison", "dual", "slices", "monitoring",
    "geometry", "triplets", "outliers", "duplicates", "drift", "leakage", "dimensions", "vectors",
    "vector-sample", "layout", "map-quality", "row-measure", "graphs", "v_churn", "retrieval", "recall-drop",
    "drift-windows", "seasons", "checks", "beside", "predictions", "cohort",
    *(f"sample:{token}" for token in SAMPLES)
)  # fmt: skip
PATIENCE = 90
SESSION = "test session id"
"""What AppTest calls each of its sessions."""


@pytest.fixture(scope="session", autouse=True)
def components_are_looked_for_once() -> Iterator[None]:
    """A server looks through all installed packages once when it starts; AppTest does in each of its sessions."""
    with patch.object(
        manifest_scanner, "scan_component_manifests", functools.cache(manifest_scanner.scan_component_manifests)
    ):
        yield


@pytest.fixture(scope="session", autouse=True)
def checks_of_vectors_are_asked_for() -> Iterator[None]:
    """As of many rows: else each page of vectors would run them all behind it."""
    with patch.object(vector_checks, "RUN_UP_TO", 0):
        yield


@pytest.fixture(autouse=True)
def uploads_are_closed_after_each_test() -> Iterator[None]:
    """A server keeps so many datasets open and no more; what the tests of a module share stays, and the samples."""
    before = {*workspace()._open, *SAMPLES}
    yield
    for token in workspace()._open.keys() - before:
        workspace().close(token)


_make_manager = PagesManager.__init__


def _make_navigated(manager: PagesManager, *args: Any, **kwargs: Any) -> None:
    # As under the server entry: `app.py` chooses the page. AppTest forgets that before each run.
    PagesManager.uses_pages_directory = False
    _make_manager(manager, *args, **kwargs)


def run(app: AppTest) -> AppTest:
    """Run the app, again while one of its jobs is at work: ever more seldom, since its process has to get a turn."""
    deadline, pause = time.monotonic() + 4 * PATIENCE, 0.02
    with patch.object(PagesManager, "__init__", _make_navigated):
        app.run(timeout=PATIENCE)
        while any(f"job:{name}" in app.session_state for name in JOBS):
            assert time.monotonic() < deadline, "a job was not done in time"
            time.sleep(pause)
            pause = min(1.5 * pause, 1.0)
            app.run(timeout=PATIENCE)
    return app


def open_app(page: str = "home", /, **view: str) -> AppTest:
    """The dashboard on a page, with the view that a link would bring, in a session of its own."""
    upload_store().drop_session(SESSION)
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=PATIENCE)
    if page != "home":
        run(app)  # only then are the pages known
        app.switch_page(f"pages/{page}.py")
    for name, value in view.items():
        app.query_params[name] = value
    return run(app)


def go_to(app: AppTest, page: str) -> AppTest:
    """The same session on another page."""
    app.switch_page(f"pages/{page}.py")
    return run(app)


def upload(app: AppTest, name: str, content: bytes) -> AppTest:
    """Give a file to the plain uploader of the Home page and wait until it is read."""
    app.file_uploader[0].upload(name, content)
    return run(app)


def press(app: AppTest, label: str) -> AppTest:
    """Press the first button of that name."""
    next(button for button in app.button if button.label == label).click()
    return run(app)


def open_frame(page: str, frame: pd.DataFrame) -> AppTest:
    """A page over an uploaded table, whose mapping is taken as it was inferred where it is asked for."""
    app = upload(open_app(), "world.csv", frame.to_csv(index=False).encode())
    if any(button.label == "Open with this mapping" for button in app.button):
        press(app, "Open with this mapping")
    return app if page == "home" else go_to(app, page)


def assert_sound(app: AppTest) -> None:
    """No traceback, no sentence that stands for one, no error."""
    assert not app.exception
    assert [each.value for each in app.error] == []
    assert "Something went wrong" not in text_of(app)


def htmls(app: AppTest) -> list[str]:
    """The bodies of the HTML elements of the page, in order."""
    return [each.proto.body for each in app.get("html") if not each.proto.body.startswith("<style>")]


def text_of(app: AppTest) -> str:
    """All words of the page's HTML, as a reader sees them."""
    return "\n".join(map(words_of, htmls(app)))


def findings(app: AppTest) -> list[str]:
    """The sentences of the finding cards: "error Scores are reversed …"."""
    return [words_of(found) for each in htmls(app) for found in re.findall(r"<p class='m-finding'>(.*?)</p>", each)]


def answer(app: AppTest) -> str:
    """The sentence that the page opens with."""
    return words_of(next(each for each in htmls(app) if "class='m-answer'" in each))


def figures(app: AppTest) -> list[dict[str, Any]]:
    """The plotly figures of the page."""
    return [json.loads(each.proto.spec) for each in app.get("plotly_chart")]


@dataclass(frozen=True)
class Shown:
    """A cell of a table: its value, the lighter line beneath it, and whether it is marked better or worse."""

    text: str
    detail: str = ""
    tone: str = ""


@dataclass(frozen=True)
class ShownTable:
    """A table for reading values: its heads, and its rows by what their first cells say."""

    heads: list[str]
    rows: list[list[Shown]]

    def __getitem__(self, at: tuple[str, str]) -> Shown:
        """The cell of a row and a column; a row is named by its first cell."""
        (row,) = (row for row in self.rows if row[0].text == at[0])
        return row[self.heads.index(at[1])]


class _Tables(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tables: list[ShownTable] = []
        self.words: list[str] = []
        self._cell: list[str] | None = None
        self._detail: list[str] | None = None
        self._tone = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self.tables.append(ShownTable([], []))
        elif tag == "tr":
            self.tables[-1].rows.append([])
        elif tag in ("th", "td"):
            self._cell, self._detail = [], None
            self._tone = (dict(attrs).get("class") or "").removeprefix("m-").replace("-", " ")
        elif tag == "small":
            self._detail = []

    def handle_data(self, data: str) -> None:
        self.words.append(data)
        if self._cell is not None:
            (self._cell if self._detail is None else self._detail).append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag in ("th", "td") and self._cell is not None:
            text = "".join(self._cell)
            if tag == "th":
                self.tables[-1].heads.append(text)
            else:
                self.tables[-1].rows[-1].append(Shown(text, "".join(self._detail or []), self._tone))
            self._cell = None


def _parsed(html: str) -> _Tables:
    parser = _Tables()
    parser.feed(html)
    parser.close()
    return parser


def words_of(html: str) -> str:
    """The text of HTML, tags left out."""
    return "".join(_parsed(html).words).strip()


def tables(app: AppTest) -> list[ShownTable]:
    """The tables of the page, heads and rows."""
    found = [table for each in htmls(app) for table in _parsed(each).tables]
    return [ShownTable(table.heads, [row for row in table.rows if row]) for table in found]
