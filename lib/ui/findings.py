"""Finding cards: what a check found, in a sentence with numbers, what to do, and the way to the page that shows why."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import streamlit as st

from lib.checks import CheckResult, Status, run_checks
from lib.diagnose import Diagnosis
from lib.schema import cohort_key
from lib.ui import state

PAGES = {
    "home": "pages/home.py",
    "losses": "pages/losses.py",
    "margins": "pages/margins.py",
    "cohorts": "pages/cohorts.py",
}
TONES = {"error": "wrong", "warning": "care", "info": "note"}


def findings_of(diagnosis: Diagnosis) -> tuple[CheckResult, ...]:
    """The results of all checks, most serious first; run once for a diagnosis."""
    held = st.session_state.setdefault("findings", {})
    if held.get("of") is not diagnosis:
        held["of"], held["results"] = diagnosis, run_checks(diagnosis)
    return held["results"]


def show_findings(results: Sequence[CheckResult], *, topic: str | None = None) -> None:
    """Cards for what failed or warns, most serious first; of one topic, or of all.

    When there is nothing to show for a topic nothing is drawn; for all, a line that says what was checked.
    """
    raised = [
        result
        for result in results
        if result.status in (Status.FAIL, Status.WARN) and (topic is None or page_of(result) == topic)
    ]
    for index, result in enumerate(raised):
        _show_card(result, index, linked=topic is None)
    if topic is None:
        passed = sum(result.status is Status.PASS for result in results)
        skipped = [result for result in results if result.status is Status.NOT_APPLICABLE]
        words = f"{passed} checks passed" + (f", {len(skipped)} not applicable." if skipped else ".")
        with st.expander(words if raised else f"No findings: {words}"):
            for result in results:
                if result.status in (Status.PASS, Status.NOT_APPLICABLE):
                    st.html(
                        f"<p class='m-line'><b>{escape(result.name)}</b> <span class='m-light'>{escape(result.code)}"
                        f"</span> {escape(result.title)}</p>"
                    )


def _show_card(result: CheckResult, index: int, *, linked: bool) -> None:
    tone = TONES[result.severity.value]
    consequences = result.evidence.get("consequences") or []
    follows = "".join(f"<li>{escape(str(each))}</li>" for each in consequences)
    with st.container(key=f"finding-{tone}-{index}-{result.topic}", border=False):
        st.html(
            f"<p class='m-finding'><span class='m-tag m-{tone}'>{escape(result.severity.value)}</span> "
            f"{escape(result.title)}</p>"
            f"<p class='m-light'>{escape(result.explanation)} <b>What to do:</b> {escape(result.remedy)}</p>"
            + (
                f"<details class='m-light'><summary>What follows from it</summary><ul>{follows}</ul></details>"
                if follows
                else ""
            )
            + f"<p class='m-code'>{escape(result.code)} · {escape(result.name)}</p>"
        )
        page = page_of(result)
        if linked and page != "home":
            st.page_link(
                PAGES[page],
                label=f"Show why on {page.capitalize()}",
                icon=":material/arrow_forward:",
                query_params=link_of(result),
            )


def link_of(result: CheckResult) -> dict[str, str]:
    """The view that shows a finding: the present one, with the finding's version and cohort column."""
    view = state.current()
    if result.version:
        view["candidate"] = result.version
    for column in result.where.cohort:
        if page_of(result) == "margins":
            view["apart"] = cohort_key(column)
        else:
            view["by"] = column
    return view


def page_of(result: CheckResult) -> str:
    """The page that shows why: the check's own, except that losses are not drawn by cohort."""
    return "cohorts" if result.topic == "losses" and result.where.cohort else result.topic
