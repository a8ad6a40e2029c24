"""The policy of the Gate page: written from what is shown until somebody writes their own, and what it decides."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import cast

import streamlit as st

from lib.diagnose import Diagnosis
from lib.figures.format import NO_BREAK, format_plural
from lib.figures.gate_view import DecisionRow, GateView, OpenLimit
from lib.figures.text import plain
from lib.gate import PER_CENT, POINTS, GateResult, write_policy
from lib.policy import OnCannotTell
from lib.policy.table import MOST_BYTES
from lib.reports import gate_outline, render_junit, render_markdown, render_openmetrics
from lib.ui import state
from lib.ui.html import Cell, Column, show_long_table, show_note, show_table
from lib.ui.mapping import as_plain_markdown

_HELD, _TEXT, _FILE = "gate-policy", "gate-policy-text", "gate-policy-file"
POLICY_NAME = "policy.toml"
MOST_ROWS = 60
"""Decisions that the table shows before it is unfolded."""
TONES = {"fail": "worse", "cannot tell": "not comparable", "pass": ""}
LONGEST_LINE = 300
VERDICT = "Pass: the whole interval is within the limit. Fail: all of it is beyond."
NUMBER = "The candidate's, or its change against the baseline, with the interval that decides"


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
    """A row for each number that was held against a limit; what does not let the candidate pass comes first.

    What cannot be told of several parts of one limit stands behind a line to unfold.
    """
    for _kind, group in groupby(view.lines, type):
        lines = list(group)
        for line in lines:
            if isinstance(line, OpenLimit):
                _show_open(line)
        if rows := [line for line in lines if isinstance(line, DecisionRow)]:
            _show_rows(rows)


def _show_rows(rows: Sequence[DecisionRow]) -> None:
    named = [
        [
            Cell(row.limit, f"{row.part}, {_n(row)}", wordy=True),
            Cell(row.verdict, row.remark, TONES[row.verdict], wordy=bool(row.remark)),
        ]
        for row in rows
    ]
    heads = [Column("Limit"), Column("Verdict", VERDICT, is_text=True)]
    show_long_table(*_with_numbers(heads, named, rows), MOST_ROWS, "number")


def _show_open(line: OpenLimit) -> None:
    with st.expander(as_plain_markdown(plain(f"{line.limit}: {line.sentence(1)}", LONGEST_LINE))):
        rows = line.rows[:MOST_ROWS]
        named = [[Cell(row.part, _n(row), wordy=True), Cell(row.why, wordy=True)] for row in rows]
        show_table(*_with_numbers([Column("Rows"), Column("What would tell", is_text=True)], named, rows))
        if left := len(line.rows) - len(rows):
            show_note(f"{format_plural(left, 'more part')} in the CSV.")


def _n(row: DecisionRow) -> str:
    return f"n = {row.rows}".replace(" ", NO_BREAK)


def _with_numbers(
    heads: list[Column], named: list[list[Cell]], rows: Sequence[DecisionRow]
) -> tuple[list[Column], list[list[Cell]]]:
    """A table with the number of each row, and with the two that it is the change of where there are any."""
    sides = [Column("Baseline, candidate")] * any(row.sides for row in rows)
    cells = [
        [*cells, Cell(row.number, row.interval), *([Cell(row.sides, wordy=True)] if sides else [])]
        for cells, row in zip(named, rows, strict=True)
    ]
    return [*heads, Column("Number", NUMBER), *sides], cells


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
