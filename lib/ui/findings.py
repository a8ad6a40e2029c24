"""Finding cards: what a check found, in a sentence with numbers, what to do, and the way to the page that shows why."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from html import escape

import streamlit as st

from lib.checks import BEGAN, CheckResult, Status, run_checks, says_worse
from lib.diagnose import Diagnosis
from lib.figures.format import format_plural, format_verdicts
from lib.figures.monitoring_parts import crossing_of, crossings_of, part_words
from lib.figures.text import MISSING
from lib.monitoring import at_all_times, missing_for_monitoring
from lib.schema import CLASS, VERSION, cohort_key
from lib.sources.columns import join_names
from lib.ui import state
from lib.ui.histories import held_training

PAGES = {
    "home": "pages/home.py",
    "losses": "pages/losses.py",
    "margins": "pages/margins.py",
    "cohorts": "pages/cohorts.py",
    "features": "pages/features.py",
    "training": "pages/training.py",
    "calibration": "pages/calibration.py",
    "support_vectors": "pages/support_vectors.py",
    "thresholds": "pages/thresholds.py",
    "comparison": "pages/comparison.py",
    "monitoring": "pages/monitoring.py",
    "slices": "pages/slices.py",
    "retrieval": "pages/retrieval.py",
    "recall": "pages/recall.py",
    "geometry": "pages/geometry.py",
    "drift": "pages/drift.py",
    "dimensions": "pages/dimensions.py",
}
WAYS = {"recall": "Show what happened to recall"}
"""The words of a link to a page whose title is not its topic."""
METRICS = {"label-flip": "roc_auc"}
"""The metric that shows a finding by cohort, by the check's name; the violation rate for all others."""
EXCHANGED = "exchanged"
"""What the evidence of a finding holds that is of several classes: accuracy shows it by cohort, margins by class."""
TONES = {"error": "wrong", "warning": "care", "info": "note"}


def findings_of(diagnosis: Diagnosis) -> tuple[CheckResult, ...]:
    """The results of all checks, most serious first; run once for a diagnosis."""
    held, training = st.session_state.setdefault("findings", {}), held_training()
    if held.get("of") is not diagnosis or held.get("training") is not training:
        held["of"], held["training"], held["results"] = diagnosis, training, run_checks(diagnosis, training)
    return held["results"]


def findings_at_all_times(diagnosis: Diagnosis) -> tuple[CheckResult, ...]:
    """The same without the range of times that is chosen; run once for a range after the other."""
    wide = dataclasses.replace(diagnosis.settings, where=at_all_times(diagnosis.settings.where))
    if wide == diagnosis.settings:
        return findings_of(diagnosis)
    held, training = st.session_state.setdefault("findings_at_all_times", {}), held_training()
    wanted = diagnosis.facts.key, wide
    if held.get("of") != wanted or held.get("training") is not training:
        held["of"], held["training"] = wanted, training
        held["results"] = run_checks(diagnosis.with_settings(where=wide.where), training)
    return held["results"]


def column_of_findings(diagnosis: Diagnosis) -> str | None:
    """The cohort column of the most serious finding that the Cohorts page shows; None where none names one."""
    shown = [each for each in findings_of(diagnosis) if each.is_finding and page_of(each) == "cohorts"]
    return next((column for each in shown for column in each.where.cohort), None)


def forget_findings() -> None:
    """Let the checks run anew, where they can say more than before."""
    for name in ("findings", "findings_at_all_times"):
        st.session_state.pop(name, None)


def explaining(diagnosis: Diagnosis, column: str) -> list[CheckResult]:
    """The findings in the candidate, from which its change may come: those of a cohort column's values first.

    At most two, the most serious.
    """
    own = [each for each in findings_of(diagnosis) if each.is_finding and each.version == diagnosis.settings.candidate]
    return sorted(own, key=lambda each: column not in each.where.cohort)[:2]


def show_cards(results: Sequence[CheckResult], diagnosis: Diagnosis | None = None) -> None:
    """Cards for the findings among some results; with a diagnosis, each with the way to the page that shows why."""
    for index, result in enumerate(result for result in results if result.is_finding):
        links = (None, None) if diagnosis is None else (link_of(result, diagnosis), over_time(result, diagnosis))
        show_finding(result, index, *links)


def _none_found(diagnosis: Diagnosis) -> str:
    """That there is no finding; where the filter leaves no row of a version, in which there are rows."""
    with_rows = set(diagnosis.versions.groups[VERSION].tolist())
    if not with_rows:
        return "No findings, as no row passes the filter"
    without = [version for version in diagnosis.shown_versions if version not in with_rows]
    return f"No findings; no row of {join_names(without)} passes the filter" if without else "No findings"


def show_findings(diagnosis: Diagnosis, *, topic: str | None = None) -> None:
    """Cards for what failed or warns, most serious first; of one topic, or of all.

    When there is nothing to show for a topic nothing is drawn; for all, a line that says what was checked.
    """
    results = findings_of(diagnosis)
    raised = [
        result
        for result in results
        if result.status in (Status.FAIL, Status.WARN) and (topic is None or is_of(result, topic))
    ]
    for index, result in enumerate(raised):
        # A page shows its own findings; of a crossing Slices and Monitoring each show a half, and lead to the other.
        is_elsewhere = topic is None or (page_of(result) != topic and over_time(result, diagnosis) is not None)
        link = link_of(result, diagnosis) if is_elsewhere else None
        show_finding(result, index, link, None if topic == "monitoring" else over_time(result, diagnosis))
    if topic is None and not says_worse(results):
        _show_verdicts(diagnosis, has_findings=bool(raised))
        show_passed(results, "" if raised else _none_found(diagnosis))


def show_passed(results: Sequence[CheckResult], none_found: str) -> None:
    """How many checks passed, which they are unfolded; `none_found` opens that where there is no finding, else ""."""
    passed = sum(result.status is Status.PASS for result in results)
    skipped = sum(result.status is Status.NOT_APPLICABLE for result in results)
    words = f"{format_plural(passed, 'check')} passed" + (f", {skipped} not applicable." if skipped else ".")
    with st.expander(f"{none_found}: {words}" if none_found else words):
        for result in results:
            if not result.is_finding:
                st.html(
                    f"<p class='m-line'><b>{escape(result.name)}</b> <span class='m-light'>{escape(result.code)}"
                    f"</span> {escape(result.title)}</p>"
                )


def _show_verdicts(diagnosis: Diagnosis, *, has_findings: bool) -> None:
    """In how many numbers the candidate is better or worse, by however little; where no finding says it is worse."""
    if not diagnosis.is_compared:
        return
    names = (diagnosis.settings.baseline or MISSING, diagnosis.settings.candidate or MISSING)
    verdicts = [diagnosis.verdict(name) for name in diagnosis.change_p_values]
    if said := format_verdicts(*names, verdicts, has_findings=has_findings):
        st.html(f"<p class='m-line'>{escape(said)}</p>")


def show_finding(
    result: CheckResult, index: int, link: dict[str, str] | None, in_time: dict[str, str] | None = None
) -> None:
    """A card, the `index`-th of its page; with views, the ways to the page that shows why and to Monitoring."""
    tone = TONES[result.severity.value]
    with st.container(key=f"finding-{tone}-{index}-{result.topic}", border=False):
        show_card(
            tone,
            result.severity.value,
            result.title,
            result.explanation,
            result.remedy,
            f"{result.code} · {result.name}",
            [str(each) for each in result.evidence.get("consequences") or []],
        )
        page = page_of(result)
        if link is not None and page != "home":
            st.page_link(
                PAGES[page],
                label=WAYS.get(page, f"Show why on {page.capitalize().replace('_', ' ')}"),
                icon=":material/arrow_forward:",
                query_params=link,
            )
        if in_time is not None and page != "monitoring":
            st.page_link(PAGES["monitoring"], label="Show over time", icon=":material/timeline:", query_params=in_time)


def show_card(
    tone: str, tag: str, title: str, text: str, remedy: str, code: str, consequences: Sequence[str] = ()
) -> None:
    """The words of a card, within a container whose key begins with "finding-" and the tone.

    Args:
        tone: of `TONES`.
        tag: a word before the title.
        title: what was found, in a sentence.
        text: why, with numbers.
        remedy: what to do.
        code: what it is known by.
        consequences: what follows from it.
    """
    follows = "".join(f"<li>{escape(each)}</li>" for each in consequences)
    st.html(
        f"<p class='m-finding'><span class='m-tag m-{tone}'>{escape(tag)}</span> {escape(title)}</p>"
        f"<p class='m-light'>{escape(text)} <b>What to do:</b> {escape(remedy)}</p>"
        + (
            f"<details class='m-light'><summary>What follows from it</summary><ul>{follows}</ul></details>"
            if follows
            else ""
        )
        + f"<p class='m-code'>{escape(code)}</p>"
    )


def link_of(result: CheckResult, diagnosis: Diagnosis) -> dict[str, str]:
    """The view that shows a finding: the present one, narrowed to where it was found.

    The finding's version becomes the candidate unless it is one of the two that are compared already. Its cohort column
    is chosen, its time too where the page has no axis of time, and the metric in which it shows.
    """
    view, page, windows = _view_of(result, diagnosis), page_of(result), diagnosis.facts.windows
    for column in result.where.cohort:
        view |= {"apart": cohort_key(column)} if page == "margins" else {"by": column}
    for column, value in result.where.cohort.items():
        if page == "cohorts" and column in diagnosis.facts.gathered:
            view["one"] = value
    by_class = EXCHANGED in result.evidence
    if page == "cohorts":
        view["metric"] = "accuracy" if by_class else METRICS.get(result.name, "violation_rate")
    if page == "margins" and by_class:
        view["apart"] = CLASS
    if page == "features":
        # The page has an axis of time; a filter would leave out what the part is compared with.
        view["feature"] = str(result.evidence["features"][0]["feature"])
        return view
    if (page != "margins" or by_class) and result.where.window is not None and windows is not None:
        start, end = result.where.window
        view["windows"] = f"{start}..{end - windows.width}"
    return view


def over_time(result: CheckResult, diagnosis: Diagnosis) -> dict[str, str] | None:
    """The view in which Monitoring shows the rows of a finding where cohorts cross, which are none of its usual parts.

    None for other findings, and where there are no times or no labels.
    """
    part = next(iter(crossings_of(diagnosis, [result])), None)
    if part is None or missing_for_monitoring(diagnosis.tables):
        return None
    return _view_of(result, diagnosis) | {"part": part_words(part)}


def _view_of(result: CheckResult, diagnosis: Diagnosis) -> dict[str, str]:
    """The present view, with the finding's version as the candidate unless it is one of the two already."""
    is_shown = not result.version or result.version in diagnosis.shown_versions
    return state.current() | ({} if is_shown else {"candidate": str(result.version)})


def is_of(result: CheckResult, topic: str) -> bool:
    """Whether a page opens with a finding: its own; Monitoring with what has a time, began at one or crosses."""
    is_timed = result.where.window is not None or BEGAN in result.evidence
    if topic == "monitoring" and (is_timed or crossing_of(result) is not None):
        return True
    return page_of(result) == topic


def page_of(result: CheckResult) -> str:
    """The page that shows why: the check's own, except that losses are drawn neither by cohort nor by class.

    What lies where two cohorts cross is shown by Slices, and what is worse for a time by Monitoring.
    """
    if len(result.where.cohort) > 1:
        return "slices"
    if result.topic in ("comparison", "thresholds") and (result.where.window is not None or result.where.cohort):
        return "cohorts" if result.where.cohort else "monitoring"
    if result.topic == "losses" and result.where.cohort:
        return "cohorts"
    return "margins" if EXCHANGED in result.evidence else result.topic
