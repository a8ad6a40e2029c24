"""Where scores, labels or rows are missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lib.cells import UNLABELLED, Cells
from lib.checks.blocks import Axes, FloatArray, Place, make_block, read_tables
from lib.checks.memory import once_for_every_margin_target
from lib.checks.rare import RareSearch
from lib.checks.result import ALARM_RATE
from lib.checks.search import Found, find_parts
from lib.checks.shares import HITS, ROWS, HigherShare, usual_share
from lib.checks.traffic import Gap, find_gaps
from lib.grid import MISSING_BIN

if TYPE_CHECKING:
    from lib.diagnose import Diagnosis


LEAST_EXCESS = {"scores": 0.05, "labels": 0.10}
ALARM_EACH = ALARM_RATE / 3


def _unscored(cells: Cells) -> FloatArray:
    n = cells.sums[:, 0]
    return np.stack([np.where(cells.score_bin == MISSING_BIN, n, 0.0), n], axis=1)


def _unlabelled(cells: Cells) -> FloatArray:
    n = cells.sums[:, 0]
    return np.stack([np.where(cells.block % 3 == UNLABELLED, n, 0.0), n], axis=1)


@dataclass(frozen=True, eq=False)
class Missing:
    """What is missing.

    Attributes:
        axes: versions and windows.
        found: "scores" and "labels" to the parts that lack them; without a label column only scores.
        lacking: "scores" and "labels" to the rows without, of all.
        gaps: windows without rows.
        n: rows.
        n_rare: of each column that gathers values how many of these were looked at by themselves.
    """

    axes: Axes
    found: dict[str, list[Found]]
    lacking: dict[str, int]
    gaps: list[Gap]
    n: int
    n_rare: dict[str, int]


@once_for_every_margin_target
def find_missing(diagnosis: Diagnosis) -> Missing:
    """Search versions, cohorts and windows for missing scores and labels, and the traffic for gaps."""
    axes, tables = read_tables(diagnosis)
    found: dict[str, list[Found]] = {}
    lacking: dict[str, int] = {}
    n, gaps = 0, list[Gap]()
    n_rare: dict[str, int] = {}
    for kind, features, of_values in (
        ("scores", _unscored, lambda values: np.stack([values.unscored, values.n], axis=-1)),
        ("labels", _unlabelled, lambda values: np.stack([values.unlabelled, values.n], axis=-1)),
    ):
        if kind == "labels" and diagnosis.facts.mapping.label is None:
            continue
        blocks = [make_block(table, axes, features) for table in tables]
        rows = blocks[0].moments[..., ROWS].sum(axis=(0, 1))
        n = int(rows.sum())
        lacking[kind] = int(blocks[0].moments[..., HITS].sum())
        if kind == "scores":
            gaps = find_gaps(rows[:-1], axes, ALARM_EACH)
        effect = LEAST_EXCESS[kind]
        rule = HigherShare(usual_share(blocks[0]), effect, effect)
        rare = RareSearch(diagnosis, axes, features, of_values)
        n_rare = rare.count_values(rule, rule.least_rows)
        found[kind] = find_parts(blocks, axes, rule, ALARM_EACH, [], rare)
    return Missing(axes, found, lacking, gaps, n, n_rare)


def missing_places(diagnosis: Diagnosis) -> list[Place]:
    """The parts of tables without scores or labels that this check names."""
    return [each.place for parts in find_missing(diagnosis).found.values() for each in parts if not each.is_rare]
