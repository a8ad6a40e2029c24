"""The uploader in a real browser: by keyboard, refused, cancelled, kept over pages, and gone with its session."""

import hashlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FileChooser, FilePayload, Page, expect
from streamlit.testing.v1 import AppTest

from lib.ui.upload_folder import close_upload_store

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import streamlit as st

from lib.ui.uploader import render_uploader


def files():
    st.title("Files")
    for upload in render_uploader("files"):
        st.text(f"HAVE {upload.name} {upload.size} {upload.sha256}")


def other():
    st.title("Other")


st.navigation([st.Page(files, title="Files"), st.Page(other, title="Other")]).run()
"""
CHROMIUM_OPTIONS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)


@contextmanager
def serve(folder: Path, *, streaming: bool) -> Generator[str]:
    """The script above under the server entry, or under plain `streamlit run`; its address."""
    script = folder / "script.py"
    script.write_text(SCRIPT, "utf-8")
    (folder / "uploads").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    entry = (
        ["-m", "lib.ui.server", "--host", "127.0.0.1", "--port", str(port), "--app", str(script)]
        if streaming
        else ["-m", "streamlit", "run", str(script), "--server.address=127.0.0.1", f"--server.port={port}"]
    )
    limits = {"MARGINALIA_MAX_UPLOAD_GB": "0.03", "MARGINALIA_UPLOAD_DIR": str(folder / "uploads")}
    process = subprocess.Popen(
        [sys.executable, *entry],
        cwd=ROOT,
        env={**os.environ, **limits, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 60
        while not is_healthy(address):
            assert process.poll() is None, "the server ended by itself"
            assert time.monotonic() < deadline, "the server did not start within a minute"
            time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait(20)
    assert list((folder / "uploads").iterdir()) == [], "a server that was stopped leaves no uploads"


def is_healthy(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/_stcore/health", timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


@pytest.fixture(scope="module")
def streaming(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serve(tmp_path_factory.mktemp("streaming"), streaming=True) as address:
        yield address


@pytest.fixture
def page(browser: Browser, streaming: str) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 420, "height": 800}, reduced_motion="reduce")
    page = context.new_page()
    page.goto(streaming)
    expect(page.get_by_role("button", name="Choose files")).to_be_visible(timeout=30_000)
    yield page
    context.close()


def some_file(name: str, content: bytes) -> FilePayload:
    return FilePayload(name=name, mimeType="text/csv", buffer=content)


def test_files_are_chosen_by_keyboard_kept_over_pages_and_removed(page: Page, tmp_path: Path) -> None:
    content = os.urandom(5_000_000)
    (tmp_path / "b.csv.gz").write_bytes(content)
    (tmp_path / "a & <b>.csv").write_bytes(b"x")
    choosers: list[FileChooser] = []
    page.on("filechooser", lambda chooser: choosers.append(chooser))
    page.bring_to_front()
    button = page.get_by_role("button", name="Choose files")
    # A key that is pressed while the page is drawn anew is lost; a person would press it again.
    for _ in range(10):
        button.press("Enter")
        page.wait_for_timeout(500)
        if choosers:
            break
    choosers[0].set_files([tmp_path / "b.csv.gz", tmp_path / "a & <b>.csv"])
    expect(page.get_by_text("HAVE")).to_have_count(2)
    expect(page.get_by_text(f"HAVE b.csv.gz 5000000 {hashlib.sha256(content).hexdigest()}")).to_be_visible()
    expect(page.get_by_role("button", name="Remove a & <b>.csv")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 420

    page.get_by_test_id("stExpandSidebarButton").click()
    page.get_by_role("link", name="Other").click()
    expect(page.get_by_role("heading", name="Other")).to_be_visible()
    page.get_by_role("link", name="Files").click()
    expect(page.get_by_text("HAVE")).to_have_count(2)
    page.get_by_test_id("stSidebarCollapseButton").get_by_role("button").click()
    page.get_by_role("button", name="Remove b.csv.gz").click()
    expect(page.get_by_text("HAVE")).to_have_count(1)
    expect(page.get_by_role("button", name="Remove b.csv.gz")).to_have_count(0)


def test_more_files_than_tokens_arrive_in_order(page: Page) -> None:
    names = [f"{i}.csv" for i in range(12)]
    page.locator("input[type=file]").set_input_files([some_file(name, name.encode()) for name in names])
    expect(page.get_by_text("HAVE")).to_have_count(12)
    assert [text.split()[1] for text in page.get_by_text("HAVE").all_inner_texts()] == names


def test_a_file_that_is_too_large_is_refused_with_a_sentence_and_the_others_arrive(page: Page, tmp_path: Path) -> None:
    (tmp_path / "large.csv").write_bytes(bytes(30_000_001))
    (tmp_path / "small.csv").write_bytes(b"x")
    page.locator("input[type=file]").set_input_files([tmp_path / "large.csv", tmp_path / "small.csv"])
    expect(page.get_by_role("alert")).to_contain_text("large.csv is larger than 30 MB")
    expect(page.get_by_text("HAVE small.csv").first).to_be_visible()
    expect(page.get_by_text("HAVE large.csv")).to_have_count(0)


def test_stale_permissions_are_renewed_by_the_page_itself(page: Page) -> None:
    # What a page meets that lay open for an hour: none of its tokens work any more.
    refused: list[str] = []

    def make_stale(route, request) -> None:
        refused.append(request.headers["x-upload-token"])
        headers = {**request.headers, "x-upload-token": "stale"} if len(refused) == 1 else request.headers
        route.continue_(headers=headers)

    page.route("**/api/uploads", make_stale)
    page.locator("input[type=file]").set_input_files([some_file("late.csv", b"x")])
    expect(page.get_by_text("HAVE late.csv")).to_be_visible()
    assert len(refused) == 2


def test_an_upload_can_be_cancelled(page: Page) -> None:
    page.route("**/api/uploads", lambda route: None)  # never answered
    page.locator("input[type=file]").set_input_files([some_file("slow.csv", b"x")])
    page.get_by_role("button", name="Cancel slow.csv").click()
    expect(page.get_by_text("slow.csv", exact=True)).to_have_count(0)
    page.unroute("**/api/uploads")
    page.locator("input[type=file]").set_input_files([some_file("fast.csv", b"x")])
    expect(page.get_by_text("HAVE fast.csv")).to_be_visible()


def test_what_the_server_says_is_shown(page: Page) -> None:
    answer = {"error": "There is no room for a.csv.", "retry": False, "next_token": None}
    page.route("**/api/uploads", lambda route: route.fulfill(status=413, json=answer))
    page.locator("input[type=file]").set_input_files([some_file("a.csv", b"x")])
    expect(page.get_by_role("alert")).to_have_text("There is no room for a.csv.")
    page.unroute("**/api/uploads")
    page.route("**/api/uploads", lambda route: route.abort())
    page.locator("input[type=file]").set_input_files([some_file("b.csv", b"x")])
    expect(page.get_by_role("alert")).to_contain_text("b.csv could not be uploaded: the connection to the server broke")


def test_plain_streamlit_works_too(browser: Browser, tmp_path: Path) -> None:
    with serve(tmp_path, streaming=False) as address:
        page = browser.new_page()
        page.goto(address)
        page.locator("input[type=file]").set_input_files([some_file("a.csv", b"one"), some_file("b.csv", b"two")])
        expect(page.get_by_text("HAVE")).to_have_count(2, timeout=30_000)
        expect(page.get_by_text(f"HAVE b.csv 3 {hashlib.sha256(b'two').hexdigest()}")).to_be_visible()
        page.get_by_role("link", name="Other").click()
        expect(page.get_by_role("heading", name="Other")).to_be_visible()
        page.get_by_role("link", name="Files").click()
        expect(page.get_by_text("HAVE")).to_have_count(2)
        page.get_by_role("button", name="Remove").first.click()
        expect(page.get_by_text("HAVE")).to_have_count(1)
        page.close()


def test_an_app_test_uploads_through_the_plain_uploader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    # The store of this process is made anew with the small limit, and leaves with it.
    close_upload_store()
    request.addfinalizer(close_upload_store)
    monkeypatch.setenv("MARGINALIA_MAX_UPLOAD_GB", "0.00001")
    monkeypatch.setenv("MARGINALIA_UPLOAD_DIR", str(tmp_path))
    app = AppTest.from_string(
        "from lib.ui.uploader import render_uploader\nst_files = render_uploader('files')\n" + SHOW
    )
    app.run()
    assert not app.exception
    app.file_uploader[0].upload("a.csv", b"x" * 100).run()
    app.file_uploader[0].upload("large.csv", b"x" * 20_000).run()
    assert [text.value for text in app.text if text.value.startswith("HAVE")] == ["HAVE a.csv 100"]
    assert [error.value[:28] for error in app.error] == ["large.csv is larger than 10 "]


SHOW = "import streamlit as st\nfor u in st_files:\n    st.text(f'HAVE {u.name} {u.size}')\n"
