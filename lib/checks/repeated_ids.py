"""H-F21: the same id twice in one split of a version, or in its training and its held-out rows.

Both are counted over all rows, so nothing is left to chance; what is asked is only whether it matters.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lib.checks import words
from lib.checks.result import ALARM_RATE, Answer, Check, Finding, NotApplicable, Passed, Severity, Status, Where
from lib.scan.facts import IdCounts

if TYPE_CHECKING:
    from lib.diagnose import Diagnosis

LEAST_SHARE = 0.001
"""Fewer rows than one in a thousand can move no number that is shown."""
MATTERS = 0.01
"""From here on they can move a rate by a point: a warning."""


def check_duplicate_ids(diagnosis: Diagnosis) -> Answer:
    """Tell that rows repeat the id of another row of their version and split."""
    counts = diagnosis.facts.ids
    if not counts:
        return NotApplicable(_say_unknown(diagnosis))
    n = sum(each.n for each in counts)
    if not sum(each.n_repeated for each in counts):
        return Passed(f"No id occurs twice in a split of a version (n = {words.count(n)}).", {"n": n, "n_repeated": 0})
    return _answer(
        diagnosis,
        {each: (each.n_repeated, each.n_repeated_ids, each.n) for each in counts},
        lambda rows, ids, of, place: (
            f"Rows repeat an id{place}: {words.count(rows)} of {words.count(of)} ({words.percent(rows / of)}) have the "
            f"id of an earlier row of their split, {words.plural(ids, 'id')} in all"
        ),
        "n_repeated",
        "Ids occur twice in a split",
    )


def _say_unknown(diagnosis: Diagnosis) -> str:
    facts = diagnosis.facts
    if facts.ids is None and facts.mapping.id is not None:
        return "Saved cells of several files that share a version: whether an id is in two of them is not known."
    return "No row has an id."


def check_leaky_split(diagnosis: Diagnosis) -> Answer:
    """Tell that held-out rows have the id of a training row of their version."""
    counts = diagnosis.facts.ids
    if not counts:
        return NotApplicable(_say_unknown(diagnosis))
    held_out = sum(each.n_held_out for each in counts)
    if not held_out or held_out == sum(each.n for each in counts):
        return NotApplicable("There are no training and held-out splits to compare.")
    if not sum(each.n_leaked for each in counts):
        return Passed(
            f"No held-out row has the id of a training row of its version (n = {words.count(held_out)}).",
            {"n": held_out, "n_leaked": 0},
        )
    return _answer(
        diagnosis,
        {each: (each.n_leaked, each.n_leaked_ids, each.n_held_out) for each in counts},
        lambda rows, ids, of, place: (
            f"Held-out rows were trained on{place}: {words.count(rows)} of {words.count(of)} "
            f"({words.percent(rows / of)}) have the id of a training row, {words.plural(ids, 'id')} in all"
        ),
        "n_leaked",
        "Ids occur in training and held-out rows",
    )


def _answer(
    diagnosis: Diagnosis,
    counts: dict[IdCounts, tuple[int, int, int]],
    title: Callable[[int, int, int, str], str],
    key: str,
    few: str,
) -> Answer:
    """One finding for all versions in which it is as much, told of the version that has the largest share.

    Args:
        diagnosis: of what.
        counts: of each version the rows concerned, their ids, and the rows that they are among.
        title: says these numbers and a place.
        key: what the rows concerned are called in the evidence.
        few: what is said when they are too few to matter.
    """
    shares = {each.version: rows / of if of else 0.0 for each, (rows, _ids, of) in counts.items()}
    found = {each: numbers for each, numbers in counts.items() if shares[each.version] >= LEAST_SHARE}
    rows, ids, of = (sum(numbers[place] for numbers in (found or counts).values()) for place in range(3))
    evidence: dict[str, Any] = {"n": of, key: rows, f"{key}_ids": ids}
    if not found:
        return Passed(f"{few} in {words.count(rows)} of {words.count(of)} rows: too few to matter.", evidence)
    alone = len(found) == 1 and len(diagnosis.facts.versions) > 1
    version = next(iter(found)).version if alone else None
    return [
        Finding(
            Status.WARN,
            version,
            Where(),
            title(rows, ids, of, words.place(version, Where(), diagnosis.facts)),
            {
                **evidence,
                "share_rows": rows / of,
                "versions": [{"version": each.version, "share_rows": shares[each.version]} for each in found],
                "consequences": [],
            },
            float(rows / of),
            Severity.WARNING if max(shares.values()) >= MATTERS else None,
        )
    ]


DUPLICATE_IDS = Check(
    code="H-F21",
    name="duplicate-ids",
    reference="H-F21. Rows with the id of an earlier row of the same version and split, counted over all rows: "
    "nothing is estimated",
    minimum_effect="at least 1 in 1,000 rows of a version; a warning from 1 % on (they can move a rate by a point)",
    alarm_rate=ALARM_RATE,
    severity=Severity.INFO,
    cause="Something wrote rows twice (a retry, an overlapping export, a join that multiplies rows), or the id "
    "names something else than a row, such as a user. Repeated rows count several times, and intervals are too "
    "narrow.",
    remedy="Keep one row of each id, or name the column that tells rows apart as the id.",
    topic="home",
    function=check_duplicate_ids,
)

LEAKY_SPLIT = Check(
    code="H-F21",
    name="leaky-split",
    reference="H-F21. Rows of validation and test splits with the id of a training row of the same version, "
    "counted over all rows: nothing is estimated",
    minimum_effect="at least 1 in 1,000 held-out rows of a version; a warning from 1 % on (they can move a rate by "
    "a point)",
    alarm_rate=ALARM_RATE,
    severity=Severity.INFO,
    cause="The split was drawn by row instead of by id, or data was split anew after training. The model has seen "
    "these rows, so numbers of the held-out splits are too good.",
    remedy="Split by id, take these rows out of the held-out splits, and compare versions on what is left.",
    topic="home",
    function=check_leaky_split,
)
