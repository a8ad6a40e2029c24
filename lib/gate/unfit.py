"""What a limit asks for and a dataset cannot have, whatever its rows: said with the line of the policy."""

from __future__ import annotations

import difflib
from typing import NoReturn

from lib.diagnose import Diagnosis
from lib.errors import SettingsError
from lib.metrics.multiclass import AVERAGED
from lib.policy import Limit, Policy
from lib.schema import VERSION, cohort_key

MOST_PARTS = 2_000
"""Of a crossing: intervals that are corrected for more tell nothing."""
OF_BOTH_CLASSES = (*AVERAGED, "positive_share")
"""Metrics that compare two classes, and so are nothing of one of them."""


def refuse_unfit(diagnosis: Diagnosis, policy: Policy, limit: Limit) -> None:
    """Refuse a limit that this dataset cannot be held against.

    Raises:
        SettingsError: there is no such cohort column or crossing, or no such metric of its parts.
    """
    facts = diagnosis.facts
    several = facts.mapping.is_multiclass
    by = "crossing" if limit.crossing else "cohorts"
    for column in limit.columns:
        if column not in facts.cohorts:
            near = difflib.get_close_matches(column, facts.cohorts, 1)
            there = f"There are {', '.join(facts.cohorts)}." if facts.cohorts else "There are none."
            hint = f"Did you mean {near[0]!r}?" if near else there
            _fail(policy, limit, by, f"{column!r} is no cohort column of {facts.name}. {hint}")
    if limit.columns and several and not limit.of.of_margins:
        _fail(
            policy, limit, by,
            f"with several classes {limit.metric} is measured for whole versions and by class, not by cohort; "
            f"leave {by} out, or limit accuracy or the violation rate.",
        )  # fmt: skip
    if limit.crossing:
        _refuse_crossing(diagnosis, policy, limit)
    if limit.by_class and not several and limit.metric in OF_BOTH_CLASSES:
        _fail(
            policy, limit, "by_class",
            f"{limit.metric} compares two classes, so there is none of one of them; leave by_class out, or "
            "limit accuracy by class.",
        )  # fmt: skip


def _fail(policy: Policy, limit: Limit, key: str, sentence: str) -> NoReturn:
    """Say what is wrong with a key of a limit."""
    raise SettingsError(f"{policy.name}, line {limit.lines.get(key, limit.line)}: {sentence}")


def _refuse_crossing(diagnosis: Diagnosis, policy: Policy, limit: Limit) -> None:
    """Say where there are no cells of a crossing, or too many parts in it."""
    crossed = " and ".join(limit.crossing)
    try:
        groups = diagnosis.cells(VERSION, *map(cohort_key, limit.crossing)).groups
    except SettingsError:
        _fail(
            policy, limit, "crossing",
            f"saved cells hold no crossing of {crossed}; name the files themselves, or leave this limit out.",
        )  # fmt: skip
    n_parts = len(set(zip(*(groups[cohort_key(column)].tolist() for column in limit.crossing), strict=True)))
    if n_parts > MOST_PARTS:
        _fail(
            policy, limit, "crossing",
            f"{crossed} cross in {n_parts:,} parts, of which none would have rows enough; name columns with "
            f"fewer values ({MOST_PARTS:,} parts at most).",
        )  # fmt: skip
