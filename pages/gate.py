"""Gate: what a policy would decide of the candidate, and a policy written from what is shown."""

import streamlit as st

from lib.diagnose import Diagnosis
from lib.errors import SettingsError
from lib.figures.frame import provenance_line
from lib.figures.gate_view import GateView
from lib.gate import judge_gate
from lib.policy import read_policy
from lib.ui.downloads import offer_csv
from lib.ui.findings import findings_of, show_cards
from lib.ui.gate import ask_policy, offer_policy, offer_result, show_decisions
from lib.ui.html import show_answer, show_note
from lib.ui.page import open_page, watch_features

WORDS = """
**Policy**: limits that a candidate has to keep, in a file beside the model's code. `python -m lib gate` holds a
candidate against it and ends with status 1 where it does not pass.

**Kept, broken, cannot be told**: a limit is kept where the whole interval is within it, broken where the whole interval
is beyond it. Otherwise more labelled rows have to tell; `on_cannot_tell` says what happens until then.

**Limit against the baseline**: `worsens_by_at_most` bounds by how much the candidate is worse (a non-inferiority
margin).

**By cohort, by class**: each value has to keep the limit. Their intervals are wider, so that with many values chance
does not fail one of them (Bonferroni).
"""


def show_gate(diagnosis: Diagnosis) -> None:
    """The page of a dataset."""
    decided = st.container()
    with decided:
        # Before the controls: a run that ends here would take their values with it.
        watch_features(diagnosis)
    st.subheader("The policy", anchor=False)
    text, name = ask_policy(diagnosis)
    offer_policy(text, name)
    with decided:
        try:
            policy = read_policy(text, name)
            result = judge_gate(diagnosis, policy, () if policy.findings is None else findings_of(diagnosis))
        except SettingsError as error:
            st.error(str(error), icon=":material/error:")
            return
        view = GateView.of(result)
        show_answer(view.answer())
        if not diagnosis.settings.where.is_everything:
            show_note("Only rows that pass the filter are judged; the command line judges all.")
        show_cards(result.forbidden, diagnosis)
        if view.rows:
            show_decisions(view)
            show_note(view.correction)
        with st.container(horizontal=True):
            offer_result(result)
            offer_csv(view.frame, "gate", provenance=provenance_line(diagnosis), key="gate:csv")


diagnosis = open_page("gate", "Gate")
with st.popover("What the words mean", icon=":material/dictionary:", type="tertiary"):
    st.markdown(WORDS)
show_gate(diagnosis)
