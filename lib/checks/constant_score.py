"""H-F7: scores collapse to few values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from lib.cells import Cells
from lib.checks import words
from lib.checks.blocks import Axes, BoolArray, FloatArray, Place, make_block, read_tables, where_of
from lib.checks.memory import once_for_every_margin_target
from lib.checks.one_answer import find_one_answers, one_answer_finding
from lib.checks.rare import RareSearch, read_rare
from lib.checks.result import ALARM_RATE, Answer, Check, Finding, NotApplicable, Passed, Severity, Status, Where
from lib.checks.search import Found, find_parts
from lib.checks.shares import HITS, ROWS, HigherShare
from lib.grid import MISSING_BIN
from lib.metrics.intervals import wilson
from lib.scan.rare import RareValues
from lib.schema import CLASS, VERSION

if TYPE_CHECKING:
    from lib.diagnose import Diagnosis

LEAST_SHARE, LEAST_EXCESS = 0.5, 0.3
FEW_VALUES, LEAST_ROWS = 2, 30
MAX_SUSPECTS = 5
SUSPICIOUS_ROWS = 15


@dataclass(frozen=True, eq=False)
class Constants:
    """Parts in which one score holds most rows.

    Attributes:
        axes: versions and windows.
        found: the parts, and the score of each.
        few: versions with at most two distinct scores, of several classes margins in each: (version, these, rows).
        n: rows with a score.
        n_rare: of each column that gathers values how many of these were looked at by themselves.
        answers: of several classes the parts with one answer, and the place of its class.
    """

    axes: Axes
    found: list[tuple[Found, float]]
    few: list[tuple[str, list[float], int]]
    n: int
    n_rare: dict[str, int] = field(default_factory=dict[str, int])
    answers: list[tuple[Found, int]] = field(default_factory=list[tuple[Found, int]])


def is_constant(cells: Cells) -> BoolArray:
    """Shape (N,): cells whose rows all have the same score: all at exact resolution, else those without spread."""
    scored = cells.score_bin != MISSING_BIN
    if cells.resolution.is_exact:
        return scored
    n = np.maximum(cells.sums[:, 0], 1.0)
    mean = cells.sums[:, 1] / n
    spread = cells.sums[:, 2] / n - mean**2
    return scored & (spread <= 1e-10 * np.maximum(1.0, mean**2))


def _suspects(table: Cells) -> dict[float, float]:
    """Scores that hold most rows of some groups of a table, with the rows of those groups that they hold."""
    constant = is_constant(table)
    if not table.resolution.is_exact:
        constant &= table.sums[:, 0] > 1  # One row has no spread, whatever its score.
    rows = table.scored.n.sum(axis=1)
    group = table.block // 3
    cell = np.flatnonzero(constant & (rows[group] >= 3) & (4 * table.sums[:, 0] >= rows[group]))
    if not len(cell):
        return {}
    # Both labels of a group may hold the same score; seven places are what sums of floats can tell apart.
    values, places = np.unique(np.round(table.score[cell], 7), return_inverse=True)
    pairs, which = np.unique(group[cell] * len(values) + places, return_inverse=True)
    held = np.bincount(which, weights=table.sums[cell, 0])
    most = held >= LEAST_SHARE * rows[pairs // len(values)]
    total = np.bincount(pairs[most] % len(values), weights=held[most], minlength=len(values))
    return {float(values[each]): float(total[each]) for each in np.flatnonzero(total >= SUSPICIOUS_ROWS)}


@once_for_every_margin_target
def find_constants(diagnosis: Diagnosis) -> Constants:
    """Search all versions, cohorts and windows for parts in which one score holds most rows."""
    axes, tables = read_tables(diagnosis)
    by_version = diagnosis.cells(VERSION)
    n = int(by_version.scored.n.sum())
    is_multiclass = diagnosis.facts.mapping.is_multiclass
    few = _few_values(diagnosis.cells(VERSION, CLASS) if is_multiclass else by_version)
    collapsed = [Place(axes.versions.index(version)) for version, _scores, _n in few if version in axes.versions]
    if is_multiclass:
        return Constants(axes, [], few, n, answers=find_one_answers(diagnosis, collapsed))
    suspects: dict[float, float] = {}
    for table in tables:
        for score, rows in _suspects(table).items():
            suspects[score] = max(rows, suspects.get(score, 0.0))
    chosen, n_rare = _largest(suspects), dict[str, int]()
    alarm_rate = ALARM_RATE / MAX_SUSPECTS
    if diagnosis.facts.gathered:
        # As many scores again, that single values hold.
        chosen += [score for score in _largest(_rare_suspects(diagnosis, by_version)) if score not in chosen]
        alarm_rate /= 2
        n_rare = {
            table.column: int(((table.n - table.unscored).sum(axis=0) >= LEAST_ROWS).sum())
            for table in read_rare(diagnosis)
        }
    found: list[tuple[Found, float]] = []
    for score in chosen:

        def features(cells: Cells, score: float = score) -> FloatArray:
            return _holding(cells, score)

        def of_values(values: RareValues, score: float = score) -> FloatArray:
            return np.stack([values.holding(score), values.n - values.unscored], axis=-1)

        blocks = [make_block(table, axes, features) for table in tables]
        whole = blocks[0].moments.sum(axis=(0, 1, 2))
        series = blocks[0].moments.reshape(-1, 2)
        full = series[:, ROWS] > 0
        usual = float(np.median(series[full, HITS] / series[full, ROWS])) if full.any() else 0.0
        usual = min(usual, float(whole[HITS] / max(whole[ROWS], 1.0)))
        rule = HigherShare(usual, LEAST_EXCESS, LEAST_SHARE, LEAST_ROWS)
        taken = [*collapsed, *(each.place for each, _score in found if not each.is_rare)]
        rare = RareSearch(diagnosis, axes, features, of_values)
        found += [(each, score) for each in find_parts(blocks, axes, rule, alarm_rate, taken, rare)]
    return Constants(axes, found, few, n, n_rare)


def _holding(cells: Cells, score: float) -> FloatArray:
    """Per cell: rows with this very score, and rows with a score."""
    rows = np.where(cells.score_bin == MISSING_BIN, 0.0, cells.sums[:, 0])
    same = is_constant(cells) & (np.abs(cells.score - score) <= 1e-6 * max(1.0, abs(score)))
    return np.stack([np.where(same, rows, 0.0), rows], axis=1)


def _largest(suspects: dict[float, float]) -> list[float]:
    return sorted(suspects, key=lambda each: -suspects[each])[:MAX_SUSPECTS]


def _rare_suspects(diagnosis: Diagnosis, by_version: Cells) -> dict[float, float]:
    """Scores that hold most rows of some values that tables gather, and far more than of all, with their rows there."""
    suspects: dict[float, float] = {}
    for table in read_rare(diagnosis):
        scored = (table.n - table.unscored)[:, table.mode_values]
        held, of = np.vstack([table.mode_rows, table.mode_rows.sum(axis=0)]), np.vstack([scored, scored.sum(axis=0)])
        share = np.where(of >= LEAST_ROWS, held / np.maximum(of, 1.0), 0.0).max(axis=0)
        scores, places = np.unique(np.round(table.modes, 7), return_inverse=True)
        for place, score in enumerate(scores):
            hits, rows = _holding(by_version, float(score)).sum(axis=0)
            most = (places == place) & (share >= LEAST_SHARE) & (share >= hits / rows + LEAST_EXCESS)
            if most.any():
                suspects[float(score)] = suspects.get(float(score), 0.0) + float(table.mode_rows[:, most].sum())
    return suspects


def _few_values(cells: Cells) -> list[tuple[str, list[float], int]]:
    """Versions in whose every group, one or one of each class, there are few distinct scores; these, and the rows."""
    result: list[tuple[str, list[float], int]] = []
    constant, group = is_constant(cells), cells.block // 3
    scored = cells.score_bin != MISSING_BIN
    versions, of_group = np.unique(cells.groups[VERSION], return_inverse=True)
    for index, version in enumerate(versions):
        here = scored & (of_group[group] == index)
        rows = int(cells.sums[here, 0].sum())
        if rows < LEAST_ROWS or not constant[here].all():
            continue
        scores = np.round(cells.score[here], 7)
        kinds = np.unique(np.stack([group[here], scores]), axis=1)[0]
        if np.unique(kinds, return_counts=True)[1].max() <= FEW_VALUES:
            result.append((str(version), np.unique(scores).tolist(), rows))
    return result


def check_constant_score(diagnosis: Diagnosis) -> Answer:
    """Fail for each part in which one score, of several classes one answer, holds most rows unlike in the rest."""
    constants = find_constants(diagnosis)
    if constants.n < LEAST_ROWS:
        return NotApplicable(
            f"Only {words.plural(constants.n, 'row has', 'rows have')} a score."
            if constants.n
            else "No row has a score."
        )
    facts, findings = constants.axes.facts, list[Finding]()
    several = facts.mapping.is_multiclass
    for version, scores, rows in _joined(constants):
        said = words.listing([words.score(score, facts.mapping) for score in scores], MAX_SUSPECTS)
        named = f" in version {version or '(none)'}" if version is not None and len(facts.versions) > 1 else ""
        what = "All scores are equal" if len(scores) == 1 else "Only two distinct scores are left"
        if several:
            what = "No class has more than two distinct margins"
        findings.append(
            Finding(
                Status.FAIL,
                version,
                Where(),
                f"{what}{named} ({said}, n = {words.count(rows)})",
                {"n": rows, "n_distinct": len(scores), "scores": scores, "share": 1.0, "consequences": []},
                float(rows),
            )
        )
    for found, score in constants.found:
        version = None if found.place.version is None else constants.axes.versions[found.place.version]
        where = where_of(found.place, found.block, constants.axes, found.extent)
        findings.append(_finding(found, score, version, where, constants.axes))
    names = facts.mapping.class_names
    findings += [one_answer_finding(found, names[name], constants.axes) for found, name in constants.answers]
    if findings:
        return findings
    what = "answer" if several else "score"
    parts = words.parts_of(diagnosis.facts, constants.n_rare)
    return Passed(
        f"No {what} holds more of a {parts} than elsewhere (n = {words.count(constants.n)}).",
        {"n": constants.n},
    )


def _joined(constants: Constants) -> list[tuple[str | None, list[float], int]]:
    """Versions with few values; as one, without a name, when all of them have the same."""
    same = {tuple(scores) for _version, scores, _rows in constants.few}
    if len(same) == 1 and len(constants.few) == len(constants.axes.versions):
        return [(None, constants.few[0][1], sum(rows for _version, _scores, rows in constants.few))]
    return [*constants.few]


def _finding(found: Found, score: float, version: str | None, where: Where, axes: Axes) -> Finding:
    n, hits = float(found.unit[ROWS]), float(found.unit[HITS])
    share, rest = hits / n, float(found.rest[HITS] / found.rest[ROWS])
    low, high = wilson(share, n)
    return Finding(
        Status.FAIL,
        version,
        where,
        f"One score, {words.score(score, axes.facts.mapping)}, holds {words.percent(share)} of "
        f"rows{words.place(version, where, axes.facts)} "
        f"({words.percent(rest)} elsewhere, n = {words.count(n)})",
        {
            "n": int(n),
            "score": score,
            "share": share,
            "share_ci": [float(low), float(high)],
            "share_elsewhere": rest,
            "p_adjusted": found.p,
            "n_parts": int(found.trials),
            "consequences": [],
        },
        found.gain,
    )


def constant_places(diagnosis: Diagnosis) -> list[Place]:
    """The parts of tables that this check names, for those checks that must not name them again."""
    constants = find_constants(diagnosis)
    few = [Place(constants.axes.versions.index(version)) for version, _scores, _n in constants.few]
    found = [(each, score) for each, score in constants.found if not each.is_rare]
    return [*few, *(each.place for each, _what in (*found, *constants.answers))]


CONSTANT_SCORE = Check(
    code="H-F7",
    name="constant-score",
    reference="H-F7. Share of the most frequent score against the rest, Fisher's exact test, in every version, "
    "cohort value and run of windows; Bonferroni over all of them",
    minimum_effect="one score holds at least 50 % of a part's rows and at least 30 points more than elsewhere; or "
    "a version of 30 rows or more has at most two distinct scores",
    alarm_rate=ALARM_RATE,
    severity=Severity.ERROR,
    cause="The model answers the same whatever it is asked: its inputs are constants or defaults, a fallback "
    "answers in its place, or hard decisions were logged instead of scores.",
    remedy="Follow one of these rows through the pipeline to where its features become constant, or log the score "
    "instead of the decision.",
    topic="margins",
    function=check_constant_score,
)
