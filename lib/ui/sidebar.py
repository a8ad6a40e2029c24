"""The sidebar: the choices that hold on every page."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from lib.diagnose import CellTables, Settings
from lib.scan import Facts
from lib.schema import MISSING_KEY, NO_WINDOW, VERSION, WINDOW, Filter, cohort_key
from lib.ui import state
from lib.ui.datasets import held_tokens, sample_named, workspace
from lib.ui.html import show_note
from lib.workspace import SAMPLES, OpenDataset

ALL = ""
GAMMA_HELP = (
    "The margin that a correct decision should keep. A row whose margin m = y·score is below γ is a violation; "
    "hinge loss is max(0, γ − m)."
)


def show_datasets(opened: OpenDataset | None) -> None:
    """The list of datasets: this session's and the samples."""
    tokens = [token for token in held_tokens() if sample_named(token) is None]
    options = ["", *tokens, *(sample.token for sample in SAMPLES)]
    chosen = state.choose(
        "dataset",
        "Dataset",
        options,
        default="" if opened is None else opened.token,
        words=_dataset_words,
        always=True,
        draw=st.selectbox,
    )
    if chosen != ("" if opened is None else opened.token):
        state.restart({"dataset": chosen} if chosen else {})
        st.rerun()


def show_link(opened: OpenDataset) -> None:
    """Who can see this, and the way to take it back."""
    if sample_named(opened.token) is not None:
        show_note("The address of this page is a link to this view.")
        return
    show_note("The address of this page is a link to this view: whoever you give it to sees the dataset.")
    if st.button("Close this dataset", help="Removes its files from the server; links to it no longer work."):
        workspace().close(opened.token)
        state.restart({})
        st.rerun()


def choose_settings(tables: CellTables) -> Settings:
    """Baseline, candidate, γ and filter, as chosen."""
    facts = tables.facts
    defaults = Settings.choose(facts)
    baseline = candidate = defaults.baseline
    if len(facts.versions) > 1:
        baseline = state.choose(
            "baseline", "Baseline", facts.versions, default=defaults.baseline, draw=st.selectbox, always=True
        )
        candidate = state.choose(
            "candidate", "Candidate", facts.versions, default=defaults.candidate, draw=st.selectbox, always=True
        )
    gamma = state.slide("gamma", "Margin target γ", 0.0, 3.0, _step(tables), default=1.0, help=GAMMA_HELP)
    return Settings.choose(
        facts, baseline=baseline, candidate=candidate, margin_target=gamma, where=_choose_filter(tables, facts)
    )


def _choose_filter(tables: CellTables, facts: Facts) -> Filter:
    split = ALL
    if facts.splits:
        split = state.choose(
            "split", "Split", [ALL, *facts.splits], default=ALL, words=lambda name: name or "All splits"
        )
    cohorts: tuple[tuple[str, str], ...] = ()
    if facts.cohorts:
        column = state.choose(
            "cohort_column",
            "Only one cohort",
            [ALL, *facts.cohorts],
            default=ALL,
            words=lambda name: name or "All cohorts",
        )
        if column:
            values = sorted(set(tables.cells((VERSION, cohort_key(column))).groups[cohort_key(column)].tolist()))
            value = state.choose(
                "cohort", column, values, default=values[0], words=lambda text: text or "(missing)", always=True
            )
            cohorts = ((column, value),)
        else:
            state.put("cohort", "")
    start, end = _choose_windows(tables, facts)
    return Filter(cohorts, split or None, start, end)


def _choose_windows(tables: CellTables, facts: Facts) -> tuple[int | None, int | None]:
    if facts.windows is None:
        return None, None
    found = set(tables.cells((VERSION, WINDOW)).groups[WINDOW].tolist()) - {NO_WINDOW}
    starts = [str(start) for start in sorted(found)]
    if len(starts) < 2:
        return None, None
    width = facts.windows.width
    first, last = state.slide_between(
        "windows",
        f"From … to (UTC, by {facts.windows.words})",
        starts,
        words=lambda start: window_words(int(start), width),
    )
    if (first, last) == (starts[0], starts[-1]):
        return None, None
    return int(first), int(last) + width


def window_words(start: int, width: int) -> str:
    """When a window begins, as exactly as its width needs."""
    moment = datetime.fromtimestamp(start, UTC)
    return f"{moment:%d %b %Y}" if width % 86_400 == 0 else f"{moment:%d %b %H:%M}"


def _step(tables: CellTables) -> float:
    """The step at which γ is exact."""
    return max(0.02, tables.cells((VERSION,)).resolution.step)


def _dataset_words(token: str) -> str:
    if token == MISSING_KEY:
        return "None yet"
    sample = sample_named(token)
    if sample is not None:
        return f"Sample: {sample.title}"
    opened = workspace().get(token)
    return opened.name if opened else "No longer open"
