"""The few pieces of a page that are HTML: the style of the frame, sentences, and tables for reading values.

Whatever comes from data is escaped here, once.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import streamlit as st

from lib.checks.words import plural

_STYLE = Path(__file__).parent / "assets" / "style.css"
_INTERVAL, _UNBROKEN = re.compile(r"^(\S+) (to \S+)"), r"\1 <span>\2</span>"
"""In a narrow cell an interval is broken before its second end, and nowhere else."""
_COLOURS = {
    False: "--m-wrong:#B3261E;--m-care:#9A5B00;--m-note:#5F6B6F;--m-better:#1F7A4D;--m-rule:#D9DFE0;--m-ground:#FCFCFB;"
    "--m-focus:#0F5E6E;--m-shadow:#0003",
    True: "--m-wrong:#F2857B;--m-care:#E8A15C;--m-note:#9AA6AA;--m-better:#7CC79B;--m-rule:#333E43;--m-ground:#13181B;"
    "--m-focus:#7CC4D0;--m-shadow:#FFF3",
}


@dataclass(frozen=True)
class Column:
    """A column of a table: its head, and what it means. One of sentences `is_text`: they begin at the left."""

    head: str
    help: str = ""
    is_text: bool = False


@dataclass(frozen=True)
class Cell:
    """A value, the lighter line beneath it, and a tone: "better", "worse", "not comparable" or none.

    A line of several words is `wordy`: it is broken where there is no room, which numbers are not.
    """

    text: str
    detail: str = ""
    tone: str = ""
    wordy: bool = False


def show_style(*, dark: bool) -> None:
    """Put the style of the frame on the page."""
    st.html(f"<style>:root{{{_COLOURS[dark]}}}{_STYLE.read_text('utf-8')}</style>")


def show_answer(sentence: str) -> None:
    """The sentence that a page opens with."""
    st.html(f"<p class='m-answer'>{escape(sentence)}</p>")


def show_note(*sentences: str) -> None:
    """Lighter sentences, each on a line of its own; empty ones are left out."""
    if said := "".join(f"<p class='m-light'>{escape(sentence)}</p>" for sentence in sentences if sentence):
        st.html(said)


def show_table(columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> None:
    """A table for reading values; the first column names the row and stays in sight."""
    heads = "".join(
        f'<th scope="col"{_side(column)}><abbr title="{escape(column.help)}">{escape(column.head)}</abbr></th>'
        if column.help
        else f'<th scope="col"{_side(column)}>{escape(column.head)}</th>'
        for column in columns
    )
    body = "".join("<tr>" + "".join(map(_cell, columns, row)) + "</tr>" for row in rows)
    st.html(
        f"<div class='m-table' tabindex='0'><table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def show_long_table(columns: Sequence[Column], rows: Sequence[Sequence[Cell]], most: int, noun: str) -> None:
    """A table of which the first rows stand open, and the others, such as "3 more numbers", behind a line to unfold."""
    show_table(columns, rows[:most])
    if left := rows[most:]:
        with st.expander(plural(len(left), f"more {noun}")):
            show_table(columns, left)


def _side(column: Column) -> str:
    return " data-text" if column.is_text else ""


def _cell(column: Column, cell: Cell) -> str:
    tone = f" class='m-{cell.tone.replace(' ', '-')}'" if cell.tone else ""
    words = " data-words" if cell.wordy else ""
    detail = f"<small>{_INTERVAL.sub(_UNBROKEN, escape(cell.detail))}</small>" if cell.detail else ""
    return f"<td{tone}{words}{_side(column)}>{escape(cell.text)}{detail}</td>"
