"""Take the pictures of docs/screenshots again: every page at 1440 and 420 pixels, light and dark, in full height.

`python scripts/screenshots.py [NAME …]` takes only the views named; `home.png` is the one that the README shows.
"""

from __future__ import annotations

import io
import re
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, expect

# Started as a file, Python looks for modules beside it, not in the project.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from scripts.browsing import ROOT, launch, serve, settle

FOLDER = ROOT / "docs" / "screenshots"
SIZES = {1440: 900, 420: 860}
HIGHEST = 6000
MOST_BYTES = 12_000_000


def look(_page: Page) -> None:
    """Nothing to do: the view is as its link opens it."""


def open_mapping(page: Page) -> None:
    """Unfold how the columns were read."""
    page.get_by_test_id("stExpander").filter(has_text="How the columns were read").locator("summary").click()


@dataclass(frozen=True)
class View:
    """A picture: its name, the link, a heading to wait for, and what is done before it is taken."""

    name: str
    link: str
    heading: str
    prepare: Callable[[Page], None] = look


VIEWS = (
    View("home-empty", "/", "Marginalia"),
    View("home", "/?dataset=sample-incident", "An incident"),
    View("mapping", "/?dataset=sample-losses", "Hinge against logistic", open_mapping),
    View("question", "/?dataset=sample-wrong", "How the columns are read"),
    View("losses", "/losses?dataset=sample-losses", "Losses"),
    View("margins", "/margins?dataset=sample-incident", "Margins"),
    View("classes", "/margins?dataset=sample-digits&apart=class", "Margins"),
    View("calibration", "/calibration?dataset=sample-incident", "Calibration"),
    View("thresholds", "/thresholds?dataset=sample-logistic&threshold_by=precision&target_precision=95", "Thresholds"),
    View("equal-recall", "/thresholds?dataset=sample-incident&threshold_by=equal_recall", "Thresholds"),
    View("support_vectors", "/support_vectors?dataset=sample-hinge&sv_c=1", "Support vectors"),
    View("comparison", "/comparison?dataset=sample-hinge&parts_by=digit", "Comparison"),
    View("cohorts", "/cohorts?dataset=sample-incident", "Cohorts"),
    View("crossing", "/cohorts?dataset=sample-incident&crossed=platform", "Cohorts"),
    View("samples", "/samples?dataset=sample-incident&margin_to=-2&rows_class=positive", "Samples"),
    View("fit-lab", "/fit_lab?dataset=sample-incident&fit=yes", "Fit lab"),
    View("slices", "/slices?dataset=sample-incident&slice_metric=error_rate", "Slices"),
    View("monitoring", "/monitoring?dataset=sample-incident", "Monitoring"),
    View("features", "/features?dataset=sample-incident", "Features"),
    View("gate", "/gate?dataset=sample-logistic", "Gate"),
    View("training", "/training?histories=sample-training", "Training"),
    View("home-vectors", "/?vectors=sample-recall", "A recall drop"),
    View("projection", "/projection?vectors=sample-vectors", "Map"),
    View("retrieval", "/retrieval?vectors=sample-recall", "Retrieval"),
    View("recall", "/recall?vectors=sample-recall", "What happened to recall?"),
    View("geometry", "/geometry?vectors=sample-vectors", "Geometry"),
    View("drift", "/drift?vectors=sample-recall", "Drift"),
    View("dimensions", "/dimensions?vectors=sample-vectors", "Dimensions"),
)


def take(browser: Browser, address: str, view: View, width: int, *, dark: bool) -> bytes:
    """One picture as a PNG, as high as the page."""
    context = browser.new_context(
        viewport={"width": width, "height": SIZES[width]},
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
        locale="en-GB",
        timezone_id="UTC",
    )
    try:
        page = context.new_page()
        page.goto(address + view.link)
        expect(page.get_by_role("heading", name=view.heading, level=1)).to_be_visible(timeout=60_000)
        settle(page)
        view.prepare(page)
        settle(page)
        # Pages scroll within Streamlit's frame: the window is made as high as what it holds.
        for _ in range(2):
            high = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
            page.set_viewport_size({"width": width, "height": min(max(high, SIZES[width]), HIGHEST)})
            settle(page)
        page.mouse.move(1, 1)
        return page.screenshot(animations="disabled", caret="hide")
    finally:
        context.close()


def compress(picture: bytes) -> bytes:
    """The same picture in 256 colours, no pixel visibly changed."""
    full = Image.open(io.BytesIO(picture)).convert("RGB")
    # Not the default: cutting at medians gives up the few pixels of a rare colour, such as what is worse or better.
    few = full.quantize(256, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    output = io.BytesIO()
    few.save(output, "PNG", optimize=True)
    return output.getvalue()


def main(names: list[str]) -> int:
    """Take the pictures; returns the exit status."""
    unknown = set(names) - {view.name for view in VIEWS}
    if unknown:
        known = ", ".join(view.name for view in VIEWS)
        print(f"There is no view {', '.join(sorted(unknown))}; there are {known}.", file=sys.stderr)
        return 2
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, serve(Path(folder)) as server, launch() as browser:
        for view in VIEWS:
            for width in SIZES if not names or view.name in names else ():
                for dark in (False, True):
                    theme = "dark" if dark else "light"
                    picture = compress(take(browser, server.address, view, width, dark=dark))
                    name = "home.png" if (view.name, width, dark) == ("home", 1440, False) else ""
                    path = FOLDER / (name or f"{view.name}-{width}-{theme}.png")
                    path.write_bytes(picture)
                    print(f"{path.relative_to(ROOT)}  {len(picture) // 1000} kB")
    total = sum(path.stat().st_size for path in FOLDER.glob("*.png"))
    print(f"{total / 1e6:.1f} MB in all")
    return 0 if total < MOST_BYTES else 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except RuntimeError as error:
        print(re.sub(r"\s+$", "", str(error)), file=sys.stderr)
        sys.exit(2)
