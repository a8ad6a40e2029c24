"""H-F19: no version or no time that a change of the numbers could be traced to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lib.checks import words
from lib.checks.result import ALARM_RATE, Answer, Check, Finding, NotApplicable, Passed, Severity, Status, Where
from lib.schema import MISSING_KEY, NO_WINDOW, VERSION, WINDOW

if TYPE_CHECKING:
    from lib.diagnose import Diagnosis

MOSTLY = 0.5
"""Rows without it beyond this share are most of what one would look at."""
ADD = {
    "version": "a column with the model's version, or one file for each version",
    "time": "a column with the time of each prediction",
}


def check_missing_deploy_context(diagnosis: Diagnosis) -> Answer:
    """Tell which of version and time most rows lack."""
    lacking = shares_lacking(diagnosis)
    n = int(diagnosis.cells(VERSION).sums[:, 0].sum())
    if not n:
        return NotApplicable("There are no rows.")
    most = {what: share for what, share in lacking.items() if share > MOSTLY}
    if not most:
        return Passed(f"Rows say which version made them, and when (n = {words.count(n)}).", {"n": n})
    said = [
        f"there is no {what}" if share == 1 else f"{words.percent(share)} of rows have no {what}"
        for what, share in most.items()
    ]
    title = (
        f"Nothing to trace a change to: {words.listing(said)} (n = {words.count(n)}); "
        f"add {words.listing([ADD[what] for what in most])}"
    )
    return [
        Finding(
            Status.WARN,
            None,
            Where(),
            title,
            {"n": n, "lacking": list(most), "share_lacking": lacking, "consequences": []},
            float(len(most)),
        )
    ]


def shares_lacking(diagnosis: Diagnosis) -> dict[str, float]:
    """The share of rows without a version and without a time.

    Without a version column each of several files is a version, and one alone is none.
    """
    facts = diagnosis.facts
    named = facts.mapping.version is not None or len(facts.versions) > 1
    shares = {"version": 0.0 if named else 1.0, "time": 1.0}
    keys = {VERSION: MISSING_KEY} if named else {}
    if facts.windows is not None:
        keys |= {WINDOW: NO_WINDOW}
    for key, none in keys.items():
        cells = diagnosis.cells(VERSION) if key == VERSION else diagnosis.cells(VERSION, WINDOW)
        rows = cells.sums[:, 0]
        without = (cells.groups[key] == none)[cells.block // 3]
        total = rows.sum()
        shares["version" if key == VERSION else "time"] = float(rows[without].sum() / total) if total else 0.0
    return shares


MISSING_DEPLOY_CONTEXT = Check(
    code="H-F19",
    name="missing-deploy-context",
    reference="H-F19. Share of rows without a version (a column, or several files) and without a readable time, "
    "counted over all rows: nothing is estimated",
    minimum_effect="more than half of the rows lack it",
    alarm_rate=ALARM_RATE,
    severity=Severity.INFO,
    cause="What looks wrong cannot be tied to a deploy: where the version is missing nothing can be compared, "
    "where the time is missing nothing tells when it began.",
    remedy="Write the model's version and the time of the prediction with every row, or give one file for each "
    "version.",
    topic="home",
    function=check_missing_deploy_context,
)
