"""H-F18: scores, labels or rows are missing in some part."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lib.cells import UNLABELLED, Cells
from lib.checks import words
from lib.checks.blocks import Axes, Block, FloatArray, Place, make_block, read_tables, where_of
from lib.checks.memory import once_for_every_margin_target
from lib.checks.result import ALARM_RATE, Answer, Finding, NotApplicable, Passed, Severity, Status, Where
from lib.checks.search import Found, find_parts
from lib.checks.shares import HITS, ROWS, HigherShare
from lib.checks.traffic import Gap, find_gaps
from lib.grid import MISSING_BIN
from lib.metrics.intervals import wilson

if TYPE_CHECKING:
    from lib.diagnose import Diagnosis

LEAST_EXCESS = {"scores": 0.05, "labels": 0.10}
MOSTLY = 0.5
ALARM_EACH = ALARM_RATE / 3


def _unscored(cells: Cells) -> FloatArray:
    n = cells.sums[:, 0]
    return np.stack([np.where(cells.score_bin == MISSING_BIN, n, 0.0), n], axis=1)


def _unlabelled(cells: Cells) -> FloatArray:
    n = cells.sums[:, 0]
    return np.stack([np.where(cells.block % 3 == UNLABELLED, n, 0.0), n], axis=1)


def _usual(block: Block) -> float:
    """The share that is missing in the middle one of the versions and windows, or overall where that is less."""
    hits, rows = block.moments[..., HITS].ravel(), block.moments[..., ROWS].ravel()
    full = rows > 0
    if not full.any():
        return 0.0
    order = np.argsort(hits[full] / rows[full])
    reach = np.cumsum(rows[full][order])
    middle = order[int(np.searchsorted(reach, reach[-1] / 2))]
    return float(min(hits[full][middle] / rows[full][middle], hits.sum() / rows.sum()))


@once_for_every_margin_target
def find_missing(diagnosis: Diagnosis) -> tuple[Axes, dict[str, list[Found]], list[Gap], int]:
    """Parts with missing scores, parts with missing labels, gaps in the traffic, and how many rows there are."""
    axes, tables = read_tables(diagnosis)
    found: dict[str, list[Found]] = {}
    n, gaps = 0, list[Gap]()
    for kind, features in (("scores", _unscored), ("labels", _unlabelled)):
        if kind == "labels" and diagnosis.facts.mapping.label is None:
            continue
        blocks = [make_block(table, axes, features) for table in tables]
        rows = blocks[0].moments[..., ROWS].sum(axis=(0, 1))
        n = int(rows.sum())
        if kind == "scores":
            gaps = find_gaps(rows[:-1], axes, ALARM_EACH)
        effect = LEAST_EXCESS[kind]
        rule = HigherShare(_usual(blocks[0]), effect, effect)
        found[kind] = find_parts(blocks, axes, rule, ALARM_EACH, [])
    return axes, found, gaps, n


def missing_places(diagnosis: Diagnosis) -> list[Place]:
    """The parts without scores or labels that this check names."""
    _axes, found, _gaps, _n = find_missing(diagnosis)
    return [each.place for parts in found.values() for each in parts]


def check_missing_telemetry(diagnosis: Diagnosis) -> Answer:
    """Warn of each part in which scores or labels are missing, and of windows without rows."""
    axes, found, gaps, n = find_missing(diagnosis)
    if n == 0:
        return NotApplicable("There are no rows.")
    findings = [_of_part(kind, each, axes) for kind, parts in found.items() for each in parts]
    findings += [_of_gap(gap, axes) for gap in gaps]
    if findings:
        return findings
    what = " and ".join(found)
    return Passed(f"No version, cohort or time range lacks {what} more than the rest (n = {words.count(n)}).", {"n": n})


def _of_part(kind: str, found: Found, axes: Axes) -> Finding:
    version = None if found.place.version is None else axes.versions[found.place.version]
    where = where_of(found.place, found.block, axes, found.extent)
    n, share = float(found.unit[ROWS]), float(found.unit[HITS] / found.unit[ROWS])
    rest = float(found.rest[HITS] / found.rest[ROWS])
    low, high = wilson(share, n)
    recent = kind == "labels" and _is_recent(found, axes)
    told = f"{kind.capitalize()} are missing{words.place(version, where, axes.facts)}"
    late = "; recent labels may still be on their way" if recent else ""
    return Finding(
        Status.FAIL if share >= MOSTLY and not recent else Status.WARN,
        version,
        where,
        f"{told}: {words.percent(share)} of rows against {words.percent(rest)} elsewhere (n = {words.count(n)}){late}",
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
