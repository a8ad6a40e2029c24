"""A real server and a real browser, for the browser tests and for the pictures in the documentation."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
CHROMIUM_OPTIONS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --force-color-profile=srgb --font-render-hinting=none"
)
START_SECONDS, SETTLE_SECONDS = 90, 60

_IS_SETTLED = """quiet => {
  const app = document.querySelector("[data-testid=stApp]")
  const done = app !== null
    && app.getAttribute("data-test-script-state") === "notRunning"
    && !document.querySelector("[data-testid=stProgress], [data-testid=stSkeleton], [data-stale=true]")
    && [...document.querySelectorAll(".js-plotly-plot")].every((plot) => plot.calcdata)
    && document.fonts.status === "loaded"
  window.settledSince = done ? (window.settledSince ?? performance.now()) : undefined
  return done && performance.now() - window.settledSince > quiet
}"""


@dataclass(frozen=True)
class Server:
    """A server that runs: where it answers, and the number of its process."""

    address: str
    pid: int


@contextmanager
def serve(folder: Path) -> Generator[Server]:
    """The dashboard under its server entry on a free port. All its files lie below the folder.

    Raises:
        RuntimeError: it did not start; the end of its log is in the message.
    """
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    (folder / "tmp").mkdir(parents=True)
    environment = {**os.environ, "TMPDIR": str(folder / "tmp"), "PYTHONPATH": str(ROOT)}
    environment.pop("MARGINALIA_UPLOAD_DIR", None)
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "lib.ui.server", "--host", "127.0.0.1", "--port", str(port)],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        address = f"http://127.0.0.1:{port}"
        try:
            deadline = time.monotonic() + START_SECONDS
            while not _is_healthy(address):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"The server did not start:\n{log.read_text('utf-8', 'replace')[-2000:]}")
                time.sleep(0.1)
            yield Server(address, process.pid)
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(20)


def _is_healthy(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/_stcore/health", timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


@contextmanager
def launch() -> Generator[Browser]:
    """Debian's chromium without a window: its headless shell, which takes less of the processor, where there is one.

    Raises:
        RuntimeError: there is none.
    """
    path = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    if path is None:
        raise RuntimeError("There is no chromium here. Install Debian's package: apt-get install chromium.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_OPTIONS.split())
        try:
            yield browser
        finally:
            browser.close()


def settle(page: Page, quiet: int = 400) -> None:
    """Wait until nothing moves: no script or job runs, every figure is drawn, fonts are there, for `quiet` ms."""
    page.evaluate("window.settledSince = undefined")
    # Not at every frame, which the browser would draw for this alone.
    page.wait_for_function(_IS_SETTLED, arg=quiet, timeout=SETTLE_SECONDS * 1000, polling=50)


def link_to(page: Page, name: str) -> Locator:
    """The link to another page in the line above the title; the group that it is in is unfolded.

    Raises:
        RuntimeError: there is no link of that name.
    """
    line, unfolded = page.locator(".st-key-pages"), page.get_by_test_id("stPopoverBody")
    link = line.get_by_role("link", name=name, exact=True)
    if link.count():
        return link
    for group in line.get_by_role("button").all():
        group.click()
        unfolded.get_by_role("link").first.wait_for()
        link = unfolded.get_by_role("link", name=name, exact=True)
        if link.count():
            return link
        group.click()
        unfolded.wait_for(state="detached")
    raise RuntimeError(f"No page is called {name}.")
