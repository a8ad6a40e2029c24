"""H-F5: a proper part is reversed while the rest is right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lib.checks import words
from lib.checks.blocks import Block, BoolArray, Place, where_of
from lib.checks.result import Answer, Finding, NotApplicable, Passed, Status
from lib.checks.reversal import (
    NEGATIVES,
    POSITIVES,
    Reversals,
    Reversed,
    auc_of,
    find_reversals,
    order_statistics,
)
from lib.checks.search import Found, count_trials

if TYPE_CHECKING:
    from lib.diagnose import Diagnosis

NOTED = 5
DEGRADED = 0.05
LEAST_H = 30


def check_label_flip(diagnosis: Diagnosis) -> Answer:
    """Fail for each part whose scores are reversed."""
    reversals = find_reversals(diagnosis)
    if reversals.reason:
        return NotApplicable(f"{reversals.reason[0].upper()}{reversals.reason[1:]}.")
    if reversals.everything:
        return Passed("Everything is reversed, not a part: see label-encoding.", {"n": reversals.n})
    if not reversals.found:
        trials = count_trials(reversals.blocks, reversals.axes, Reversed())
        return Passed(
            f"No version, cohort or time range is reversed ({words.plural(trials, 'part')} looked at).",
            {"n": reversals.n, "roc_auc": reversals.auc, "n_parts": int(trials)},
        )
    return [_finding(reversals, number) for number in range(len(reversals.found))]


def _finding(reversals: Reversals, number: int) -> Finding:
    found, axes = reversals.found[number], reversals.axes
    facts = axes.facts
    where = where_of(found.place, found.block, axes, found.extent)
    version = None if found.place.version is None else axes.versions[found.place.version]
    here, elsewhere, same_version = _aucs(reversals, found)
    n = int(found.unit[POSITIVES] + found.unit[NEGATIVES])
    rest = "in the rest of it" if same_version and not where.cohort else "elsewhere"
    return Finding(
        Status.FAIL,
        version,
        where,
        f"Scores are reversed{words.place(version, where, facts)} "
        f"(AUC {here:.2f} against {elsewhere:.2f} {rest}, n = {words.count(n)})",
        {
            "n": n,
            "n_positive": int(found.unit[POSITIVES]),
            "roc_auc": here,
            "roc_auc_elsewhere": elsewhere,
            "z": float(order_statistics(found.unit)[0] / np.sqrt(order_statistics(found.unit)[2])),
            "p_adjusted": found.p,
            "n_parts": int(found.trials),
            "versions": [axes.versions[each] for each in found.versions],
            "consequences": _consequences(reversals, found),
        },
        found.gain,
    )


def _sound(reversals: Reversals, block: Block) -> BoolArray:
    """The groups of a block that no finding holds."""
    sound = np.ones(len(block.group), dtype=np.bool_)
    for each in reversals.found:
        if each.place.column is None or each.place.column == block.column:
            sound &= ~block.inside(each.place)
    return sound


def _aucs(reversals: Reversals, found: Found) -> tuple[float, float, bool]:
    block = found.block
    here = auc_of(block.cells, block.inside(found.place))
    sound = _sound(reversals, block)
    own = block.inside(Place(found.place.version)) & sound
    elsewhere = auc_of(block.cells, own)
    if np.isnan(elsewhere) or found.place == Place(found.place.version):
        return here, auc_of(block.cells, sound), False
    return here, elsewhere, found.place.version is not None


def _consequences(reversals: Reversals, found: Found) -> list[str]:
    """Coarser parts and parts of other columns that look worse for holding these rows."""
    axes, place = reversals.axes, found.place
    facts, said = axes.facts, list[tuple[float, str]]()
    sound = _sound(reversals, found.block)

    def compare(wider: Place, name: str) -> None:
        inside = found.block.inside(wider)
        before, after = auc_of(found.block.cells, inside), auc_of(found.block.cells, inside & sound)
        if after - before >= 0.01:
            said.append((1.0, f"{name}: AUC {before:.2f} in all, {after:.2f} without these rows"))

    for version in found.versions:
        if place.column is not None or place.run is not None:
            compare(Place(version), f"version {axes.versions[version]} as a whole")
    if place.column is not None and place.run is not None:
        name = f"{place.column} = {found.block.values[place.value or 0] or '(none)'} over all time"
        compare(Place(place.version, place.column, place.value), name)
    if place.column is not None:
        for block in reversals.untouched:
            if block.column not in (None, place.column):
                said += _degraded(reversals, found, block)
        if axes.width and found.extent is not None:
            run = place.run or found.extent
            window = (int(axes.windows[run[0]]), int(axes.windows[run[1]]) + axes.width)
            compare(Place(place.version, None, None, run), f"all rows {words.time_range(window, facts)}")
    return [sentence for _, sentence in sorted(said, key=lambda each: -each[0])[:NOTED]]


def _degraded(reversals: Reversals, found: Found, block: Block) -> list[tuple[float, str]]:
    """Values of another column that are worse in the time and version of the finding than outside it."""
    extent = (found.place.run or found.extent) if reversals.axes.width else None
    moments = block.moments
    inside = moments[block.slices(Place(found.place.version, None, None, extent))].sum(axis=(0, 2))
    outside = moments.sum(axis=(0, 2)) - inside
    said: list[tuple[float, str]] = []
    (d, h, _), (other_d, other_h, _) = order_statistics(inside), order_statistics(outside)
    for value in np.flatnonzero((h >= LEAST_H) & (other_h >= LEAST_H)):
        here, there = 0.5 + float(d[value] / h[value]), 0.5 + float(other_d[value] / other_h[value])
        if there - here >= DEGRADED:
            name = block.values[int(value)] or "(none)"
            said.append((there - here, f"{block.column} = {name}: AUC about {here:.2f} there, {there:.2f} outside"))
    return sorted(said, reverse=True)[:3]
