"""The training histories of a session: held by token like datasets, named in the link, looked at together."""

from __future__ import annotations

import math
from collections.abc import Iterable

import streamlit as st

from lib.checks.training_runs import TrainingLook, least_constant_loss
from lib.diagnose import Diagnosis
from lib.figures.format import format_plural
from lib.settings import Settings
from lib.sources.training import NO_TRAINING, Training, read_history
from lib.ui import state
from lib.ui.datasets import workspace
from lib.ui.html import show_note
from lib.workspace import SAMPLES_FOLDER, TRAINING_SAMPLE

_TOKENS, _TRAINING, _LOOK = "histories", "training", "training-look"
LINK = "histories"
"""The parameter of the link that names them, with commas."""


def hold_histories(tokens: Iterable[str]) -> None:
    """Put histories on this session's list, and into the link."""
    held = _tokens()
    held += [token for token in tokens if token not in held]
    state.put(LINK, ",".join(held))


def held_histories() -> list[str]:
    """The tokens of this session's histories and of those that the link names, as far as they are still there."""
    said = [token for token in state.get(LINK).split(",") if token]
    for token in said:
        if token == TRAINING_SAMPLE.token and workspace().history(token) is None:
            sample = read_history(SAMPLES_FOLDER / TRAINING_SAMPLE.file, TRAINING_SAMPLE.file)
            assert sample is not None, "the sample is a history"
            workspace().keep(sample, token)
    found = [token for token in dict.fromkeys([*_tokens(), *said]) if workspace().history(token) is not None]
    st.session_state[_TOKENS] = found
    if said != found:
        state.put(LINK, ",".join(found))
    return list(found)


def lost_histories() -> int:
    """How many histories of the link are no longer there. Ask before `held_histories`, which mends the link."""
    said = [token for token in state.get(LINK).split(",") if token and token != TRAINING_SAMPLE.token]
    return sum(workspace().history(token) is None for token in said)


def _tokens() -> list[str]:
    return st.session_state.setdefault(_TOKENS, [])


def held_training() -> Training:
    """The histories of this session side by side; the same object as long as they are the same."""
    tokens = held_histories()
    kept: tuple[list[str], Training] | None = st.session_state.get(_TRAINING)
    if kept is None or kept[0] != tokens:
        found = [history for token in tokens if (history := workspace().history(token)) is not None]
        kept = (tokens, Training.of(found) if found else NO_TRAINING)
        st.session_state[_TRAINING] = kept
    return kept[1]


def training_look() -> TrainingLook:
    """What the Training page looks at: the histories, with the class balance of the dataset that is open."""
    training, opened = held_training(), workspace().get(state.get("dataset"))
    tables = None if opened is None else opened.tables
    kept: tuple[Training, object, TrainingLook] | None = st.session_state.get(_LOOK)
    if kept is None or kept[0] is not training or kept[1] is not tables:
        constant = math.nan
        if tables is not None:
            constant = least_constant_loss(Diagnosis(tables, Settings.choose(tables.facts)))
        kept = (training, tables, TrainingLook(training, constant))
        st.session_state[_LOOK] = kept
    return kept[2]


def show_training_link() -> None:
    """That training histories are held, and the way to them; nothing without any."""
    training = held_training()
    if training.histories:
        n_files = format_plural(len(training.histories), "file")
        st.page_link(
            "pages/training.py",
            label=f"Training curves of {format_plural(len(training.runs), 'run')}, read from {n_files}",
            icon=":material/timeline:",
            query_params=state.current(),
        )


def offer_training_sample() -> None:
    """The bundled history, as a sample beside those of predictions."""
    if st.button(TRAINING_SAMPLE.title, key=f"open:{TRAINING_SAMPLE.token}", width="stretch"):
        look_at_sample()
    show_note(TRAINING_SAMPLE.description)


def look_at_sample() -> None:
    """Hold the bundled history and go to it."""
    hold_histories([TRAINING_SAMPLE.token])
    st.switch_page("pages/training.py")


def show_readings() -> None:
    """How each file was read, and a button to remove it."""
    for token in held_histories():
        history = workspace().history(token)
        if history is not None:
            show_note(history.reading)
            st.button(f"Remove {history.name}", key=f"remove:{token}", on_click=_remove, args=(token,))


def _remove(token: str) -> None:
    if token != TRAINING_SAMPLE.token:
        workspace().close(token)
    st.session_state[_TOKENS] = [each for each in _tokens() if each != token]
    state.put(LINK, ",".join(st.session_state[_TOKENS]))
