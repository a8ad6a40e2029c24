"""Monitoring: what was missed, when somebody would have been told, and what deploys and rollbacks did to it."""

import streamlit as st

from lib.checks import first_rate
from lib.diagnose import Diagnosis
from lib.figures.monitoring_lines import offered_widths
from lib.figures.monitoring_parts import crossings_of, led_by, part_words
from lib.figures.monitoring_view import MonitoringView
from lib.figures.monitoring_words import answer, first_words, lag_words, range_words, width_words
from lib.metrics.incidents import Part
from lib.monitoring import ALL, Monitoring, missing_for_monitoring
from lib.scan import WindowGrid
from lib.ui import state
from lib.ui.findings import findings_at_all_times
from lib.ui.html import show_answer, show_note
from lib.ui.monitoring import asked_crossing, choose_objectives, watched
from lib.ui.monitoring_views import choose_metric, show_debug, show_executive, show_on_call
from lib.ui.page import open_page

VIEWS = {"executive": "Executive", "on-call": "On call", "debug": "Debug"}
CLEAREST = "what changed most"
FROM_ROWS = "rows"
"""The window that is chosen from the rows of what is drawn."""
ROWS_ALONE = "Objectives and onsets count rows, each as one: their rates are not weighted."
WORDS = """
**Objective**: the share of bad rows that is allowed. **Error budget**: as many bad rows as that allows in thirty days.

**Burn rate**: the share of bad rows over the share that is allowed; at 1 the budget lasts just as long as its period.

**Page, ticket**: the burn rate is above a bound over a long window and over a short one, so that it matters and still
lasts, and the long one is surely above the objective, with all parts and times that are watched taken together. A page
wakes somebody; a ticket waits for the morning. For a while after a deploy no alert opens.

**Replay**: what would have been told, if every row's label had been known when the row was served.

**Onset**: the time at which a rate changed, with its 95 % interval, beyond what hour of day and weekday make of it.

**Restored**: surely at most a fifth of the rise is left after the rollback, beside before the deploy.
"""


def choose_part(diagnosis: Diagnosis, made: Monitoring) -> Part | None:
    """The part that is drawn beside all rows; None for the clearest rise, or else what was paged first.

    Where cohorts cross only what a finding names is offered, as the first, and what a link asks for, such as a slice's.
    What a finding says to have begun at a deploy is drawn until something else is chosen.
    """
    crossings = crossings_of(diagnosis, findings_at_all_times(diagnosis))
    led = led_by(diagnosis, findings_at_all_times(diagnosis), made.parts)
    asked = asked_crossing(made)
    parts = {part_words(each): each for each in (*crossings, *((asked,) if asked else ()), *made.parts)}
    found = {part_words(each): f"Of a finding: {part_words(each)}" for each in crossings}
    plain = {CLEAREST: CLEAREST.capitalize(), part_words(ALL): part_words(ALL).capitalize()}
    name = state.choose(
        "part", "Beside all rows", [CLEAREST, *parts], default=CLEAREST if led is None else part_words(led),
        words=lambda each: (found | plain).get(each, each),
    )  # fmt: skip
    return parts.get(name)


def show_monitoring(diagnosis: Diagnosis) -> None:
    """The page of a dataset with times and labels."""
    words = st.container()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        shown = state.choose(
            "role", "View", list(VIEWS), default="on-call", draw=st.segmented_control, words=VIEWS.__getitem__
        )
        made = watched(diagnosis)
        part = choose_part(diagnosis, made)
        widths = [str(each) for each in offered_widths(made.timeline())]
        per = state.choose(
            "per", "Window", [FROM_ROWS, *widths], default=FROM_ROWS,
            words=lambda each: "As the rows allow" if each == FROM_ROWS else WindowGrid(int(each)).words,
        )  # fmt: skip
        width = None if per == FROM_ROWS else int(per)
    results = findings_at_all_times(diagnosis)
    first = first_rate(diagnosis, results, made)
    objectives = choose_objectives(diagnosis, made, first)
    with st.spinner("Replaying the objectives", show_time=True):
        view = MonitoringView.of(diagnosis, made, objectives, results, part=part, width=width)
    with words:
        show_answer(answer(view))
        why = width_words(view) if width is None and not view.nothing else ""
        weights = ROWS_ALONE if diagnosis.facts.weighted else ""
        begins = first_words(first, results) if not view.nothing and view.metric == first else ""
        show_note(begins, range_words(diagnosis.settings.where), *lag_words(view), why, weights)
    if view.nothing:
        return
    {"executive": show_executive, "on-call": show_on_call, "debug": show_debug}[shown](view, diagnosis)
    if shown != "executive":
        choose_metric(diagnosis, view)


diagnosis = open_page("monitoring", "Monitoring")
with st.popover("What the words mean", icon=":material/dictionary:", type="tertiary"):
    st.markdown(WORDS)
if missing := missing_for_monitoring(diagnosis.tables):
    show_answer(f"Monitoring needs times and labels; here are no {missing.replace(' and', ' and no')}.")
    show_note(
        f"Give a column the role of the {missing.removesuffix('s').replace('s and', ' and one that of the')}, on the "
        "Home page under how the columns were read."
    )
else:
    show_monitoring(diagnosis)
