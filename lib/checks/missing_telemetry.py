"""H-F18: scores, labels, times or rows are missing in some part or everywhere, or records cannot be used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lib.checks import words
from lib.checks.blocks import Axes, where_of
from lib.checks.missing import ALARM_EACH, Missing, find_missing
from lib.checks.result import ALARM_RATE, Answer, Check, Finding, NotApplicable, Passed, Severity, Status, Where
from lib.checks.search import Found
from lib.checks.shares import HITS, ROWS
from lib.checks.traffic import Gap
from lib.metrics.intervals import wilson
from lib.scan import PROBLEMS, STRUCTURAL
from lib.scan.facts import Facts
from lib.schema import NO_WINDOW, VERSION, WINDOW

if TYPE_CHECKING:
    from lib.diagnose import Diagnosis


EVERYWHERE = {"scores": 0.5, "labels": 1.0}
"""The share of all rows at which a lack that is the same in every part is told: much of a log may wait for labels."""
LEAST_UNUSABLE = 0.01
"""Of all records: fewer than these can move no rate by more than a point, whichever rows they were."""
LEAST_UNTIMED = 0.01
"""Of all rows or those of a version: fewer than these move no number of a window by more than a point."""
MOSTLY = 0.5


def check_missing_telemetry(diagnosis: Diagnosis) -> Answer:
    """Warn of parts that lack scores, labels or times, of windows without rows, and of records that cannot be used."""
    missing = find_missing(diagnosis)
    findings = _of_records(diagnosis.facts) + _of_times(diagnosis)
    if missing.n:
        for kind, parts in missing.found.items():
            findings += [_of_part(kind, each, missing.axes) for each in parts] or _of_all(kind, missing)
        findings += [_of_gap(gap, missing.axes) for gap in missing.gaps]
    if findings:
        return findings
    if not missing.n:
        return NotApplicable("There are no rows.")
    what = " and ".join(missing.found)
    parts = words.parts_of(diagnosis.facts, missing.n_rare)
    return Passed(
        f"No {parts} lacks {what} more than the rest (n = {words.count(missing.n)}).",
        {"n": missing.n},
    )


def _of_records(facts: Facts) -> list[Finding]:
    """Records that cannot be used, over all inputs and whatever the filter: nothing else counts them."""
    n, unusable = sum(each.n_rows for each in facts.inputs), sum(each.n_rejected for each in facts.inputs)
    share = unusable / n if n else 0.0
    low, high = (float(end) for end in wilson(share, n))
    if not low > LEAST_UNUSABLE:
        return []
    reasons = {
        code: number
        for code, number in sorted(facts.problems.items(), key=lambda each: -each[1])
        if code == STRUCTURAL or not PROBLEMS[code][0]
    }
    said = [f"{words.problem(code)} ({words.count(number)})" for code, number in reasons.items()]
    return [
        Finding(
            Status.FAIL if share >= MOSTLY else Status.WARN,
            None,
            Where(),
            f"{words.percent(share)} of records cannot be used ({words.count(unusable)} of {words.count(n)})"
            + (f": {words.listing(said)}" if said else ""),
            {
                "n": n,
                "missing": "records",
                "n_unusable": unusable,
                "share_missing": share,
                "share_missing_ci": [low, high],
                "reasons": reasons,
                "consequences": [],
            },
            float(unusable),
            Severity.ERROR if share >= MOSTLY else None,
        )
    ]


def _of_times(diagnosis: Diagnosis) -> list[Finding]:
    """Rows whose time cannot be read, of all and by version, whatever the filter: they are in no window."""
    facts = diagnosis.facts
    unreadable = facts.problems.get("time-unreadable", 0)
    if not unreadable:
        return []
    rows, untimed = _count_untimed(diagnosis)
    # Where times are missing too, so many of a version's rows without a window are certain to have had one.
    missing = sum(untimed.values()) - unreadable
    counts = {version: (max(number - missing, 0), rows[version]) for version, number in untimed.items()}
    hit = {version: each for version, each in counts.items() if _beyond_chance(*each, len(counts))}
    whole = unreadable, sum(rows.values())
    if not hit and not _beyond_chance(*whole, 1):
        return []
    shares = {version: number / n for version, (number, n) in hit.items()}
    severe = max([whole[0] / whole[1], *shares.values()]) >= MOSTLY
    only = next(iter(hit)) if len(hit) == 1 and len(rows) > 1 else None
    number, n = whole if only is None else hit[only]
    title = f"The time of {words.percent(number / n)} of rows{words.place(only, Where(), facts)} cannot be read "
    title += f"({words.count(number)} of {words.count(n)}); they are in no window"
    if len(hit) > 1:
        worst = sorted(shares.items(), key=lambda each: -each[1])
        said = [f"{words.percent(share)} of {version or '(none)'}" for version, share in worst]
        title += f": {words.listing(said)}"
    low, high = (float(end) for end in wilson(number / n, n))
    return [
        Finding(
            Status.FAIL if severe else Status.WARN,
            only,
            Where(),
            title,
            {
                "n": n,
                "missing": "times",
                "n_unreadable": number,
                "share_missing": number / n,
                "share_missing_ci": [low, high],
                "share_missing_by_version": shares,
                "consequences": [],
            },
            float(unreadable),
            Severity.ERROR if severe else None,
        )
    ]


def _count_untimed(diagnosis: Diagnosis) -> tuple[dict[str, int], dict[str, int]]:
    """Rows of each version, and those without a window."""
    timed = diagnosis.facts.windows is not None
    cells = diagnosis.tables.cells((VERSION, WINDOW) if timed else (VERSION,))
    n, group = cells.sums[:, 0], cells.block // 3
    without = cells.groups[WINDOW][group] == NO_WINDOW if timed else np.ones(len(n), dtype=np.bool_)
    version = cells.groups[VERSION][group]
    names = [str(each) for each in np.unique(version)]
    return (
        {name: int(n[version == name].sum()) for name in names},
        {name: int(n[without & (version == name)].sum()) for name in names},
    )


def _beyond_chance(unreadable: int, n: int, trials: int) -> bool:
    low, _high = wilson(unreadable / n, n, 1 - ALARM_EACH / trials)
    return float(low) > LEAST_UNTIMED


def _of_all(kind: str, missing: Missing) -> list[Finding]:
    """Scores or labels that are missing everywhere alike, so that no part stands out; no score at all is an error."""
    share = missing.lacking[kind] / missing.n
    if share < EVERYWHERE[kind]:
        return []
    low, high = wilson(share, missing.n)
    one = kind.removesuffix("s")
    return [
        Finding(
            Status.FAIL,
            None,
            Where(),
            f"No row has a {one} (n = {words.count(missing.n)})"
            if share == 1
            else f"{words.percent(share)} of rows have no {one} (n = {words.count(missing.n)})",
            {
                "n": missing.n,
                "missing": kind,
                "share_missing": share,
                "share_missing_ci": [float(low), float(high)],
                "consequences": [],
            },
            float(missing.lacking[kind]),
            Severity.ERROR if kind == "scores" and share == 1 else None,
        )
    ]


def _of_part(kind: str, found: Found, axes: Axes) -> Finding:
    version = None if found.place.version is None else axes.versions[found.place.version]
    where = where_of(found.place, found.block, axes, found.extent)
    n, share = float(found.unit[ROWS]), float(found.unit[HITS] / found.unit[ROWS])
    rest = float(found.rest[HITS] / found.rest[ROWS])
    low, high = wilson(share, n)
    recent = kind == "labels" and _is_recent(found, axes)
    told = f"{kind.capitalize()} are missing{words.place(version, where, axes.facts)}"
    absent = words.only_in(axes.facts.mapping.label or "", axes.facts) if kind == "labels" else ""
    column = f"; the column {axes.facts.mapping.label} {absent}" if absent else ""
    why = column + ("; recent labels may still be on their way" if recent else "")
    return Finding(
        Status.FAIL if share >= MOSTLY and not recent else Status.WARN,
        version,
        where,
        f"{told}: {words.percent(share)} of rows against {words.percent(rest)} elsewhere (n = {words.count(n)}){why}",
        {
            "n": int(n),
            "missing": kind,
            "share_missing": share,
            "share_missing_ci": [float(low), float(high)],
            "share_missing_elsewhere": rest,
            "p_adjusted": found.p,
            "n_parts": int(found.trials),
            "recent": recent,
            "consequences": [],
        },
        found.gain,
        Severity.INFO if recent else None,
    )


def _is_recent(found: Found, axes: Axes) -> bool:
    """Whether a run of windows reaches the end of the data, so that labels may be late rather than lost."""
    run = found.place.run
    n_windows = len(axes.windows)
    return run is not None and run[1] == n_windows - 1 and run[0] > 0


def _of_gap(gap: Gap, axes: Axes) -> Finding:
    where = Where({}, (gap.start, gap.end))
    return Finding(
        Status.WARN,
        None,
        where,
        f"Rows are missing {words.time_range((gap.start, gap.end), axes.facts)}: {words.count(gap.n)} where about "
        f"{words.count(gap.expected)} were to be expected",
        {"n": gap.n, "missing": "rows", "n_expected": gap.expected, "p_adjusted": gap.p, "consequences": []},
        gap.expected,
    )


MISSING_TELEMETRY = Check(
    code="H-F18",
    name="missing-telemetry",
    reference="H-F18. Share of rows without a score or label against the rest, Fisher's exact test, in every "
    "version, cohort value and run of windows; windows without rows against their like, quasi-Poisson; "
    "Bonferroni. Records that cannot be used, of all records, and rows whose time cannot be read, of all and of "
    "each version, Wilson's interval",
    minimum_effect="5 points more missing scores, 10 points more missing labels; at most a tenth of the rows that "
    "were to be expected; scores missing in half of all rows, or every label; beyond doubt more than 1 % of "
    "records unusable, or of the times of all rows or a version unreadable (fewer move no rate by more than 1 "
    "point); half of them or more is an error",
    alarm_rate=ALARM_RATE,
    severity=Severity.WARNING,
    cause="What happened there was not recorded, or not so that it can be read: a logger was switched off or "
    "broke, a join lost rows, a column has changed its format, or labels come late. Every number over this part is "
    "over what is left.",
    remedy="Repair the logging of this part, fill in what can be recovered, and read its numbers with care.",
    topic="home",
    function=check_missing_telemetry,
)
