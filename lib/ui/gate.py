"""The policy of the Gate page: written from what is shown until somebody writes their own, and what it decides."""

from __future__ import annotations

from typing import cast

import streamlit as st

from lib.diagnose import Diagnosis
from lib.figures.gate_view import DecisionRow, GateView
from lib.gate import PER_CENT, POINTS, GateResult, write_policy
from lib.policy import OnCannotTell
from lib.policy.table import MOST_BYTES
from lib.reports import gate_outline, render_junit, render_markdown, render_openmetrics
from lib.ui import state
from lib.ui.html import Cell, Column, show_long_table, show_note

_HELD, _TEXT, _FILE = "gate-policy", "gate-policy-text", "gate-policy-file"
POLICY_NAME = "policy.toml"
MOST_ROWS = 60
"""Decisions that the table shows before it is unfolded."""
TONES = {"fail": "worse", "cannot tell": "not comparable", "pass": ""}
COLUMNS = (
    Column("Limit"),
    Column("Verdict", "Pass: the whole interval is within the limit. Fail: all of it is beyond."),
    Column("Number", "The candidate's, or its change against the baseline, with the interval that decides"),
    Column("Baseline, candidate"),
    Column("Rows"),
)


def ask_policy(diagnosis: Diagnosis) -> tuple[str, str]:
    """Draw the controls of the policy; its text and its name.

    It is written from what is shown, and follows the view, until somebody changes it; then it is theirs.
    """
    held = st.session_state.setdefault(_HELD, {})
    is_own = "text" in held
    with st.container(horizontal=True, vertical_alignment="bottom"):
        points = state.slide(
            "gate_points", "Margin of shares, in points", 0.0, 10.0, 0.5, default=POINTS, disabled=is_own
        )
        per_cent = state.slide(
            "gate_per_cent", "Margin of losses, in %", 0.0, 20.0, 0.5, default=PER_CENT, disabled=is_own
        )
        rule = state.choose(
            "gate_open",
            "What cannot be told",
            ["fail", "pass"],
            default="fail",
            draw=st.segmented_control,
            words={"fail": "does not pass", "pass": "passes"}.__getitem__,
            disabled=is_own,
        )
    if not is_own:
        st.session_state[_TEXT] = write_policy(
            diagnosis, points=points, per_cent=per_cent, on_cannot_tell=cast(OnCannotTell, rule)
        )
    elif _TEXT not in st.session_state:
        # Streamlit forgets what a field held while another page was shown.
        st.session_state[_TEXT] = held["text"]
    text = str(st.text_area("The policy, in TOML", key=_TEXT, height=420, on_change=_keep_text))
    if is_own:
        show_note("A policy of your own is not in the link of this view: hand it on as a file, with the button below.")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.file_uploader("Take a policy from a file", type="toml", key=_FILE, max_upload_size=1, on_change=_keep_file)
        st.button(
            "Write it from what is shown",
            on_click=_forget,
            disabled=not is_own,
            help="What was changed here is replaced by limits that the baseline keeps by the margins",
        )
    return text, str(held.get("name", POLICY_NAME))


def _keep_text() -> None:
    st.session_state.setdefault(_HELD, {})["text"] = str(st.session_state[_TEXT])


def _keep_file() -> None:
    """What was uploaded takes the place of the text; without a file, nothing changes."""
    uploaded = st.session_state[_FILE]
    if uploaded is not None:
        # One byte more than is allowed is enough for the reader to say so.
        text = uploaded.read(MOST_BYTES + 1).decode("utf-8", "replace")
        st.session_state[_HELD] = {"text": text, "name": uploaded.name}
        st.session_state[_TEXT] = text


def _forget() -> None:
    st.session_state[_HELD] = {}


def show_decisions(view: GateView) -> None:
    """A row for each number that was held against a limit; what does not let the candidate pass comes first."""
    show_long_table(COLUMNS, [_cells(row) for row in view.rows], MOST_ROWS, "number")


def _cells(row: DecisionRow) -> list[Cell]:
    return [
        Cell(row.metric, f"{row.bound}, {row.part}", wordy=True),
        Cell(row.verdict, row.remark, TONES[row.verdict], wordy=True),
        Cell(row.number, row.interval),
        Cell(row.sides),
        Cell(row.rows),
    ]


def offer_policy(text: str, name: str) -> None:
    """A button for the policy as a file."""
    _offer("Policy", text, name, "application/toml", "The policy, for the command line: python -m lib gate")


def offer_result(result: GateResult) -> None:
    """Buttons for what the policy decides, as continuous integration takes it."""
    _offer("Markdown", render_markdown(gate_outline(result)), "gate.md", "text/markdown", "For a pull request")
    _offer("JUnit", render_junit(result), "gate.xml", "application/xml", "For the test report of a CI system")
    _offer("OpenMetrics", render_openmetrics(result), "gate.prom", "text/plain", "For Prometheus")


def _offer(label: str, text: str, name: str, mime: str, words: str) -> None:
    st.download_button(
        label,
        data=text.encode("utf-8", "replace"),
        file_name=name,
        mime=mime,
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
        help=words,
    )
