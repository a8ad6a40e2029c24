"""Work that takes longer than a blink: done in a thread, shown with its progress, cancelled by its owner.

The engine releases the interpreter while it works, so a thread of this process does not hold up other sessions.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

import streamlit as st

from lib.errors import Cancelled, MarginaliaError
from lib.sources import Run
from lib.ui import state
from lib.ui.ending import end_page
from lib.ui.html import show_note

T = TypeVar("T")
Progress = Callable[[float, str], None]

ASKED = "yes"
"""What the view says of work that a button has begun."""
PATIENCE_SECONDS = 0.8
"""Work that is done within this needs no progress bar."""


class Job(Generic[T]):
    """One piece of work in a thread of its own."""

    def __init__(self, words: str, work: Callable[[Run, Progress], T]) -> None:
        """Begin `work(run, report)` at once; `words` say what it is until it reports."""
        self.run = Run()
        self.share, self.words = 0.0, words
        self.result: T | None = None
        self.problem: str | None = None
        self._work = work
        self._thread = threading.Thread(target=self._do, daemon=True)
        self._thread.start()

    def _do(self) -> None:
        try:
            self.result = self._work(self.run, self._report)
        except Cancelled:
            self.problem = ""
        except MarginaliaError as error:
            self.problem = str(error)
        except Exception:
            # A person gets a sentence, the log the rest.
            logging.getLogger("marginalia").exception("a job failed")
            self.problem = (
                "Something went wrong inside Marginalia while it worked on this; what was loaded before is as it was. "
                "The server's log has the details."
            )

    def _report(self, share: float, words: str) -> None:
        self.share, self.words = min(max(share, 0.0), 1.0), words

    def wait(self, seconds: float = PATIENCE_SECONDS) -> bool:
        """Whether it is done, after waiting for it a little."""
        self._thread.join(seconds)
        return not self._thread.is_alive()


def begin(name: str, words: str, work: Callable[[Run, Progress], T]) -> Job[T]:
    """Begin a job of this session under a name; one of that name that still runs is cancelled."""
    held = st.session_state.get(f"job:{name}")
    if isinstance(held, Job):
        held.run.cancel()
    job = st.session_state[f"job:{name}"] = Job(words, work)
    return job


def resume(name: str, job: Job[object]) -> None:
    """Take up, in this session, a job that another one has begun."""
    st.session_state[f"job:{name}"] = job


def settle(name: str) -> Job[object] | None:
    """The job of that name if it is done, taken off the list; None if there is none.

    While it runs, draws its progress with a button to cancel it, and ends the run of the page.
    """
    job = st.session_state.get(f"job:{name}")
    if not isinstance(job, Job):
        return None
    if not job.wait():
        _show_progress(name)
        end_page()
    del st.session_state[f"job:{name}"]
    return job


def finish(name: str, words: str, work: Callable[[Run, Progress], T], *, cancelled: str, again: str) -> None:
    """Do work without which the page cannot go on: draws its progress, and ends the run of the page until it is done.

    Where it was cancelled or failed that is said, with a button to begin again, and the run ends as well.

    Args:
        name: of the job.
        words: what it is, until it reports.
        work: what is begun unless a job of the name is there; its result has to be held by somebody else.
        cancelled: what is said where its owner cancelled it.
        again: what the button says.
    """
    job = settle(name)
    if job is None:
        begin(name, words, work)
        job = settle(name)
    if job is not None and job.problem is not None:
        show_note(job.problem or cancelled)
        st.button(again)
        end_page()


def settle_asked(
    name: str,
    request: object,
    held: Callable[[], T | None],
    work: Callable[[Run, Progress], T],
    *,
    button: str,
    words: str,
    cancelled: str,
    follows: bool = True,
) -> T | None:
    """What a person has asked for; until it is there the button, or the progress, and None where nothing is begun.

    Once the button was pressed, and in a link to what it gave, the view says so under the job's name, and what is asked
    next is begun without it.

    Args:
        name: of the job, and in the view.
        request: what is asked for; of another one work is begun anew.
        held: gives what was found before.
        work: finds it, so that `held` has it.
        button: what the button says.
        words: what the work is, until it reports.
        cancelled: what is said where its owner cancelled it.
        follows: whether this request may follow the controls without the button.
    """
    found = held()
    if found is not None:
        # Done since the run of the page that waited for it.
        forget(name)
        return found
    if not (is_at_work(name) and st.session_state.get(f"asked:{name}") == request):
        is_asked = state.get(name) == ASKED and follows
        if not is_asked and not st.button(button, type="primary", key=f"{name}:button"):
            forget(name)
            return None
        state.put(name, ASKED)
        st.session_state[f"asked:{name}"] = request
        begin(name, words, work)
    job = settle(name)
    if job is not None and job.problem is not None:
        state.put(name, "")
        show_note(job.problem or cancelled)
        st.button(button, type="primary", key=f"{name}:again", on_click=state.put, args=(name, ASKED))
        return None
    return held()


def is_at_work(name: str) -> bool:
    """Whether there is a job of that name, at work or just done."""
    return isinstance(st.session_state.get(f"job:{name}"), Job)


def watch(name: str) -> bool:
    """Whether the job of that name is done; while it works, draws its progress without ending the run of the page."""
    job = st.session_state.get(f"job:{name}")
    is_done = isinstance(job, Job) and job.wait()
    if not is_done:
        _show_progress(name)
    return is_done


def forget(name: str) -> None:
    """Take a job off the list whose result is no longer needed; what it has begun it finishes."""
    st.session_state.pop(f"job:{name}", None)


@st.fragment(run_every=0.5)
def _show_progress(name: str) -> None:
    job = st.session_state.get(f"job:{name}")
    if not isinstance(job, Job) or job.wait(0):
        st.rerun()
    st.progress(job.share, text=job.words)
    if st.button("Cancel", key=f"cancel:{name}"):
        job.run.cancel()
        job.words = "Cancelling"
