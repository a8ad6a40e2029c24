"""What the Monitoring page watches: which versions, which objectives, and the policy file that says so."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from lib.diagnose import Diagnosis
from lib.errors import SettingsError
from lib.figures.format import format_share
from lib.figures.monitoring_alerts import rule_words
from lib.figures.monitoring_parts import crossings_of, part_said
from lib.metrics.burn_rate import Action, Objective, RateName, default_rules
from lib.metrics.incidents import SLIS, Part
from lib.monitoring import SUGGESTED, Monitoring, are_read, at_all_times, missing_for_monitoring, read_timelines
from lib.policy import Policy, objectives_text, read_policy
from lib.ui import state
from lib.ui.findings import findings_at_all_times
from lib.ui.html import Cell, Column, show_note, show_table
from lib.ui.jobs import finish, forget
from lib.ui.page import ROWS_WITHOUT_WAITING

EVERY_VERSION = "all"
_POLICY = "policy"
POLICY_HELP = (
    "Objectives as [[objectives]] and deploys as [[deploys]], in TOML. The button below gives a file to begin with; "
    "deploys in it take the place of those that the version column shows."
)


def watched(diagnosis: Diagnosis) -> Monitoring:
    """The monitoring of the versions that are chosen; of many rows it is read with progress and cancel."""
    found = crossings_of(diagnosis, findings_at_all_times(diagnosis))
    _read(diagnosis, found)
    versions = diagnosis.facts.versions
    policy = held_policy(diagnosis)
    made = diagnosis.watched(policy.deploys)
    if len(versions) > 1:
        chosen = state.choose(
            "monitored", "Versions", [EVERY_VERSION, *versions], default=made.version or EVERY_VERSION,
            words=lambda name: "All that were served" if name == EVERY_VERSION else name,
        )  # fmt: skip
        made = diagnosis.monitoring(None if chosen == EVERY_VERSION else chosen, policy.deploys)
    if asked := asked_crossing(made):
        _read(diagnosis, (*found, asked))
    return made


def asked_crossing(made: Monitoring) -> Part | None:
    """The rows where cohorts cross that a link asks for, such as a slice's; None of saved cells, which hold none."""
    asked = None if made.tables.facts.saved else part_said(state.get("part"), made.parts)
    return asked if asked is not None and asked.is_crossing else None


def _read(diagnosis: Diagnosis, crossings: tuple[Part, ...]) -> None:
    """Count rows along time, unless that is done; of many rows with progress and cancel."""
    tables, where = diagnosis.tables, at_all_times(diagnosis.settings.where)
    gamma = diagnosis.settings.margin_target
    if diagnosis.facts.n_rows <= ROWS_WITHOUT_WAITING or are_read(tables, where, gamma, crossings):
        forget("monitoring")
        return
    finish(
        "monitoring",
        "Counting rows over time",
        lambda run, report: read_timelines(tables, where, gamma, crossings, run, report),
        cancelled="Cancelled: the rows were not counted over time.",
        again="Count them",
    )
    st.rerun()


def held_policy(diagnosis: Diagnosis) -> Policy:
    """The policy of this session for this dataset; an empty one where none was given."""
    held = st.session_state.get(_POLICY)
    return held[1] if held is not None and held[0] == diagnosis.facts.key else Policy("")


def watched_at_once(diagnosis: Diagnosis) -> Monitoring | None:
    """The monitoring of a dataset with times and labels, where that takes no time: of few rows, or once it is read."""
    tables, where = diagnosis.tables, at_all_times(diagnosis.settings.where)
    if missing_for_monitoring(tables):
        return None
    if diagnosis.facts.n_rows > ROWS_WITHOUT_WAITING and not are_read(tables, where, diagnosis.settings.margin_target):
        return None
    return diagnosis.watched(held_policy(diagnosis).deploys)


def choose_objectives(diagnosis: Diagnosis, made: Monitoring, first: RateName) -> tuple[Objective, ...]:
    """The objectives of the policy, or those set here, that of one rate before others; the drawn one is in front."""
    policy = held_policy(diagnosis)
    with st.expander("Objectives and policy", icon=":material/policy:"):
        objectives = policy.objectives or _set_objectives(made)
        _offer_policy(diagnosis, policy, objectives)
    if len(objectives) < 2:
        return objectives
    names = [each.name for each in objectives]
    usual = next((each.name for each in objectives if each.metric == first and not policy.objectives), names[0])
    drawn = state.choose("objective", "Objective", names, default=usual)
    return tuple(sorted(objectives, key=lambda each: each.name != drawn))


def _set_objectives(made: Monitoring) -> tuple[Objective, ...]:
    """A field for each rate; what is usual before the first deploy, and a quarter, unless something else is said."""
    show_note(
        "At most so many per cent may be bad. Without a number it is a quarter above what there was before the first "
        "deploy."
    )
    found: list[Objective] = []
    with st.container(horizontal=True):
        for name in SUGGESTED:
            usual = made.suggested(name)
            if usual is None:
                continue
            said = state.number(
                f"most_{name}", f"{SLIS[name].label}, at most %", 0.1, min_value=0.01, max_value=99.0, width=220,
                placeholder=f"{100 * usual.at_most:g}",
            )  # fmt: skip
            if said is None:
                found.append(usual)
                continue
            at_most = said / 100
            found.append(replace(usual, at_most=at_most, rules=default_rules(at_most)))
    return tuple(found)


def _rules_cell(objective: Objective, action: Action) -> Cell:
    first, *others = [rule_words(rule) for rule in objective.rules if rule.action == action] or ["never"]
    return Cell(first, ", ".join(others), wordy=True)


def _offer_policy(diagnosis: Diagnosis, policy: Policy, objectives: tuple[Objective, ...]) -> None:
    """Give a policy file, take it back, download what holds."""
    pages = "Times the burn rate over a long and a short window at which somebody is woken"
    tickets = "Times the burn rate over a long and a short window that can wait for the morning"
    heads = [
        Column("Objective"),
        Column("At most"),
        Column("Watches"),
        Column("Page", pages),
        Column("Ticket", tickets),
    ]
    rows = [
        [
            Cell(each.name, SLIS[each.metric].definition),
            Cell(format_share(each.at_most)),
            Cell("all cohorts" if each.cohorts is None else ", ".join(each.cohorts) or "all rows alone", wordy=True),
            _rules_cell(each, "page"),
            _rules_cell(each, "ticket"),
        ]
        for each in objectives
    ]
    if rows:
        show_table(heads, rows)
    given = st.file_uploader(
        "Policy file (TOML)", type=["toml"], key="policy file", help=POLICY_HELP, max_upload_size=1
    )
    if given is None:
        st.session_state.pop("policy problem", None)
    elif st.session_state.get("policy read") != given.file_id:
        st.session_state["policy read"] = given.file_id
        try:
            read = read_policy(given.getvalue().decode("utf-8", "replace"), given.name)
            if not read.objectives and not read.deploys:
                raise SettingsError(f"{given.name} has no [[objectives]] and no [[deploys]].")
            for each in read.objectives:
                diagnosis.monitoring(None, read.deploys).tell(each)
        except SettingsError as error:
            st.session_state["policy problem"] = str(error)
        else:
            st.session_state[_POLICY] = (diagnosis.facts.key, read)
            st.session_state.pop("policy problem", None)
            st.rerun()
    if problem := st.session_state.get("policy problem"):
        st.error(problem, icon=":material/error:")
    with st.container(horizontal=True):
        st.download_button(
            "Policy",
            data=objectives_text(objectives, policy.deploys),
            file_name="policy.toml",
            mime="application/toml",
            icon=":material/download:",
            type="tertiary",
            on_click="ignore",
            help="What holds here as a file, to keep, to change and to give again",
        )
        if policy.name and st.button(f"Without {policy.name}"):
            del st.session_state[_POLICY]
            st.rerun()
