"""The frame of every page: the way to the others, the global choices, the title and the findings."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Mapping, Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.navigation.page import StreamlitPage
from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.scriptrunner import RerunException

from lib.diagnose import Diagnosis
from lib.errors import MarginaliaError, SettingsError
from lib.figures.samples import COHORTS
from lib.scan import Scan
from lib.schema import FOLD, VERSION
from lib.sources import Run
from lib.ui import state
from lib.ui.datasets import first_dataset, hold, open_sample, sample_named, workspace
from lib.ui.ending import PageEnded, end_page
from lib.ui.figure import is_dark
from lib.ui.findings import forget_findings, show_findings
from lib.ui.html import show_note, show_style
from lib.ui.jobs import Progress, begin, finish, forget, is_at_work, settle, watch
from lib.ui.navigation import show_pages
from lib.ui.sidebar import choose_settings, show_datasets, show_link
from lib.ui.viewport import watch_viewport
from lib.workspace import HeldDraft, OpenDataset

_FRAMED = "framed"
FEATURES, READING = "features", "Reading the features"
"""The job that reads them, and what it is called."""
_REFUSED = "features not read"
ROWS_WITHOUT_WAITING = 300_000
"""A filter over fewer rows is scanned at once, without a progress bar."""


def use_navigation() -> None:
    """Tell Streamlit that `app.py` chooses the page, before it has said so itself.

    Until a first `st.navigation` Streamlit takes a folder `pages/` for pages that run on their own, so that a link to
    one, opened first thing after the server's start, would run it without its frame.
    """
    PagesManager.uses_pages_directory = False


def run_page(page: StreamlitPage, groups: Mapping[str, Sequence[StreamlitPage]]) -> None:
    """Run a page within the view: the URL before it and after it, and no traceback ever on it."""
    st.session_state[_FRAMED] = True
    show_style(dark=is_dark())
    watch_viewport()
    state.read_view(page.url_path, first_dataset())
    with st.container(key="pages"):
        links = st.empty()
    linked = state.current()
    show_pages(links, groups, page)
    unmet = st.empty()
    _show_unmet(unmet)
    is_over = True
    try:
        page.run()
    except PageEnded:
        pass
    except MarginaliaError as error:
        st.error(str(error), icon=":material/error:")
    except Exception:
        # A person gets a sentence, the log the rest.
        logging.getLogger("marginalia").exception("a page failed")
        st.error(
            "Something went wrong inside Marginalia while it drew this page. What you loaded is as it was; "
            "the server's log has the details.",
            icon=":material/error:",
        )
    except RerunException:
        is_over = False
        raise
    finally:
        st.session_state[_FRAMED] = False
        if is_over:
            state.write_view()
            if state.current() != linked:
                show_pages(links, groups, page, again=True)
            _show_unmet(unmet)


def _show_unmet(place: DeltaGenerator) -> None:
    """Say what of the link could not be applied, as far as the controls that were drawn know."""
    if sentence := state.unmet():
        with place:
            show_note(sentence)
    else:
        place.empty()


def current_draft() -> HeldDraft | None:
    """The draft of the view, if its columns are still to be settled; each session has its own of a sample."""
    token = state.get("dataset")
    return workspace().draft(st.session_state.get(f"draft:{token}", token))


def need_frame() -> None:
    """Draw the page anew within its frame where Streamlit has run it by itself."""
    if not st.session_state.get(_FRAMED):
        use_navigation()
        st.rerun()


def current_dataset() -> OpenDataset | None:
    """The dataset of the view; a sample is opened, anything that is no longer there is said."""
    need_frame()
    token = state.get("dataset")
    if not token:
        return None
    if current_draft() is not None:
        hold(token)
        return None
    opened = workspace().get(token)
    sample = sample_named(token)
    # By its token: a job that reads another sample is not this one's. Another session may have been faster.
    name = f"sample:{token}"
    if opened is not None:
        forget(name)
    elif sample is not None:
        job = settle(name)
        if job is None:
            begin(name, f"Opening {sample.title.lower()}", lambda run, report: open_sample(sample, run, report))
            job = settle(name)
        assert job is not None
        if isinstance(job.result, HeldDraft):
            st.session_state[f"draft:{token}"] = job.result.token
            return None
        opened = job.result if isinstance(job.result, OpenDataset) else None
        if opened is None:
            st.error(job.problem or "The sample was not opened.")
    else:
        st.warning(
            "The dataset of this link is no longer open here: datasets are kept for twelve hours after they were last "
            "looked at, and while the server runs. Load the file again; the link's settings are kept."
        )
    if opened is not None:
        hold(opened.token)
    return opened


def open_page(topic: str, title: str) -> Diagnosis:
    """Draw the frame of a topic's page and give the diagnosis that it shows.

    Without a dataset the page says how to get one, and ends.
    """
    opened = current_dataset()
    with st.sidebar:
        show_datasets()
    st.title(title, anchor=False)
    if opened is None:
        draft = current_draft()
        if draft is None:
            show_note("Nothing is loaded yet. Drop a file of predictions on the Home page, or pick a sample there.")
        else:
            show_note(f"How the columns of {draft.name} are read has to be settled on the Home page first.")
        st.page_link("pages/home.py", label="Go to Home", icon=":material/arrow_forward:", query_params=state.current())
        end_page()
    diagnosis = diagnose(opened)
    show_findings(diagnosis, topic=topic)
    return diagnosis


def need_rows(diagnosis: Diagnosis, problem: str) -> Scan:
    """The rows, for a page that reads them; says what stands against it, and ends the page, where something does."""
    if problem or not isinstance(diagnosis.tables, Scan):
        show_note(problem)
        end_page()
    return diagnosis.tables


def diagnose(opened: OpenDataset) -> Diagnosis:
    """The diagnosis under the sidebar's settings; a filter over many rows is scanned with progress and cancel."""
    with st.sidebar:
        settings = choose_settings(opened.tables)
        show_link(opened)
    tables = opened.tables
    if not isinstance(tables, Scan) or tables.is_warm(settings.where):
        # One that was done after its last look here would be taken for that of the next filter.
        forget("filter")
    else:
        if tables.facts.n_rows <= ROWS_WITHOUT_WAITING:
            tables.warm(settings.where)
        else:
            job = settle("filter")
            if job is None:
                begin(
                    "filter",
                    "Reading the rows",
                    lambda run, report: tables.warm(settings.where, run=run, on_progress=report),
                )
                job = settle("filter")
            if job is not None and job.problem is not None:
                whole = settings.where.is_everything
                show_note(
                    job.problem or f"Cancelled: {'the rows were not read' if whole else 'the filter was taken away'}."
                )
                for name in (*itertools.chain(*COHORTS), "split", "windows"):
                    state.put(name, "")
                st.button("Read the rows" if whole else "Go on without the filter")
                end_page()
    if settings.baseline == settings.candidate and len(tables.facts.versions) > 1:
        show_note(f"Baseline and candidate are both {settings.candidate}: one version is shown, nothing is compared.")
    diagnosis = opened.diagnosis(settings)
    if settings.recalibration is not None and (problem := read_folds(diagnosis)):
        show_note(problem)
        state.put("recalibration", "")
        st.button("Go on without recalibration")
        end_page()
    return diagnosis


def read_folds(diagnosis: Diagnosis, *tables: tuple[str, ...]) -> str:
    """Read tables by fold, of many rows with progress and cancel, unless that is done; why it could not be done.

    That by version, unless others are named by their keys.
    """
    held, where = diagnosis.tables, diagnosis.settings.where
    wanted = [keys for keys in tables or ((VERSION, FOLD),) if not held.holds(keys, where)]
    if not wanted:
        forget("folds")
        return ""

    def work(run: Run | None = None, report: Progress | None = None) -> None:
        for place, keys in enumerate(wanted):
            if report is not None:
                report(place / len(wanted), "Reading the rows by fold")
            held.read(keys, where, run=run)

    if diagnosis.facts.n_rows <= ROWS_WITHOUT_WAITING or diagnosis.facts.saved:
        try:
            work()
        except SettingsError as error:
            return str(error)
        return ""
    finish(
        "folds",
        "Reading the rows by fold",
        work,
        cancelled="Cancelled: the rows were not read by fold.",
        again="Read them",
    )
    forget_findings()
    st.rerun()


def read_features(diagnosis: Diagnosis) -> None:
    """Read the features of the diagnosis with progress and cancel, unless that is done."""
    if diagnosis.features is not None:
        return
    finish(
        FEATURES,
        READING,
        lambda run, report: diagnosis.read_features(run=run, on_progress=report),
        cancelled="Cancelled: the features were not read.",
        again="Read the features",
    )
    forget_findings()
    st.rerun()


def read_feature(diagnosis: Diagnosis, column: str) -> None:
    """Read one feature of many rows with progress and cancel, unless that is done."""
    if diagnosis.facts.n_rows <= ROWS_WITHOUT_WAITING or diagnosis.holds_feature(column):
        forget("feature")
        return
    finish(
        "feature",
        f"Reading {column}",
        lambda run, report: diagnosis.read_feature(column, run=run, on_progress=report),
        cancelled=f"Cancelled: {column} was not read.",
        again="Read it",
    )
    if not diagnosis.holds_feature(column):
        # The job was that of another feature or another choice of rows.
        st.rerun()


def watch_features(diagnosis: Diagnosis) -> None:
    """Read the features behind a page that is drawn without them, then draw it again with what they say."""
    asked = (diagnosis.facts.key, diagnosis.settings.baseline, diagnosis.settings.candidate, diagnosis.settings.where)
    if diagnosis.features is not None and is_at_work(FEATURES):
        # Read since this run of the page began, or what another filter has begun: neither is waited for any more.
        forget(FEATURES)
        forget_findings()
        st.rerun()
    if not diagnosis.can_read_features or diagnosis.features is not None or st.session_state.get(_REFUSED) == asked:
        return
    if not is_at_work(FEATURES):
        begin(FEATURES, READING, lambda run, report: diagnosis.read_features(run=run, on_progress=report))
    if not watch(FEATURES):
        return
    job = settle(FEATURES)
    if job is not None and job.problem is not None:
        st.session_state[_REFUSED] = asked
    forget_findings()
    st.rerun()
