"""Rows as the scan sees them: one Ibis expression that turns a raw table into typed roles, scores, losses and bins.

Nothing here is special to one engine. What cannot be used is not dropped: `problem` says why, and `usable` whether
the row still counts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import ibis
from ibis import _

from lib.grid import (
    EPSILON,
    LINEAR_LIMIT,
    LOG_STEP,
    MAX_ABS_SCORE,
    MISSING_BIN,
    PROBABILITY_STEPS,
    SCORE_STEPS_PER_UNIT,
    SNAP,
    score_id,
)
from lib.scan.classes import class_problems, with_class_margins
from lib.scan.columns import (
    Expression,
    finite_or_null,
    is_among,
    is_given,
    is_unreadable,
    label_of,
    number_of,
    place_of,
    text_of,
    time_of,
)
from lib.schema import (
    CLASS,
    MISSING_KEY,
    PREDICTED,
    SPLIT,
    VERSION,
    Mapping,
    ScoreKind,
    cohort_key,
)
from lib.sources import MISSING_TEXTS, Dataset, RawTable

Categories: TypeAlias = dict[str, tuple[str, ...]]
"""For each categorical key its texts in ascending order."""

Gathered: TypeAlias = dict[str, str]
"""For each cohort key with more values than its tables hold, the text of `Categories` that stands for the others."""

ROW_INDEX = "file_row_number"
"""The 0-based place of a row in its file, which the raw relation carries beside the file's own columns."""

ROWS_SCHEMA_VERSION = 2
"""Changes whenever the prepared rows do, so that nothing that was written before is taken for them."""

N_FOLDS = 10

PROBLEMS: dict[str, tuple[bool, str]] = {
    "score-unreadable": (False, "the score is not a number"),
    "score-infinite": (False, "the score is infinite or beyond 1e100"),
    "score-not-a-probability": (False, "the score is outside [0, 1] though it is read as a probability"),
    "probabilities-sum": (False, "the probabilities of the classes do not add up to 1"),
    "label-unknown": (False, "the label is neither of the two classes"),
    "class-unknown": (False, "the label is of a class without a column"),
    "weight-invalid": (False, "the weight is missing, negative or not a number"),
    "time-unreadable": (True, "the time does not fit the date format; the row counts, but in no window"),
}
"""Code of a problem: whether the row still counts, and the words for it. Earlier ones win."""

_KINDS = {
    "integer": "int64",
    "float": "float64",
    "float32": "float32",
    "boolean": "boolean",
    "timestamp": "timestamp(6)",
    "date": "date",
    "text": "string",
}


def raw_relation(table: RawTable, columns: list[str]) -> Expression:
    """The unbound relation `raw` with the named columns of a file and the row index."""
    kinds = {column.name: _KINDS[column.kind] for column in table.columns}
    return ibis.table({**{name: kinds[name] for name in columns}, ROW_INDEX: "int64"}, name="raw")


def columns_read(table: RawTable, mapping: Mapping) -> list[str]:
    """The columns of a file that the scan needs under a mapping."""
    wanted = [
        *mapping.score_columns,
        mapping.label,
        mapping.id,
        mapping.version,
        mapping.split,
        mapping.time,
        mapping.weight,
    ]
    present = {column.name for column in table.columns}
    return list(dict.fromkeys(name for name in (*wanted, *mapping.cohorts) if name is not None and name in present))


def category_texts(dataset: Dataset, index: int) -> Expression:
    """The text of every categorical key of each record of the file: `version`, `split`, `cohort:<column>`.

    Of a cohort column all texts, also those that its tables gather.
    """
    table, mapping = dataset.tables[index], dataset.mapping
    raw = raw_relation(table, columns_read(table, mapping))
    return raw.select(**_categories(raw, table, mapping))


def _categories(raw: Expression, table: RawTable, mapping: Mapping) -> dict[str, Any]:
    present = {column.name: column for column in table.columns}
    texts = {
        VERSION: text_of(raw, present.get(mapping.version or ""), table.stem),
        SPLIT: text_of(raw, present.get(mapping.split or ""), MISSING_KEY),
    }
    return texts | {cohort_key(column): text_of(raw, present.get(column), MISSING_KEY) for column in mapping.cohorts}


def value_key(key: str) -> str:
    """The column of the prepared rows that tells all values of a cohort key apart, where its tables gather some."""
    return f"value:{key}"


def hash_of(text: Any) -> Any:
    """By what `value_key` tells texts apart."""
    return _hash_text(text).cast("uint64")


def prepared_rows(dataset: Dataset, index: int, categories: Categories, gathered: Gathered) -> Expression:
    """One row for each record of one file of a dataset.

    Columns: `file`, `row`, `label` (−1, 0, +1), `score` (null where missing), `probability`, `loss`, `score_bin`,
    `probability_bin`, `fold`, `problem` (null if none), `usable`; `id_number` where ids are whole numbers, else
    `id_hash` (of version and id), null without an id; `weight` and `time` where the mapping has them; `class`,
    `predicted` and `class_scores` with several classes, as `lib.scan.classes` says; and `version`, `split` and
    `cohort:<column>` as the place of their text in `categories`: small integers are written, filtered and grouped at a
    fraction of the cost of texts. Of a key in `gathered` a text that is not there has the place of the one that stands
    for the others, and `value:` before the key is the hash of the text itself.
    """
    table, mapping = dataset.tables[index], dataset.mapping
    raw = raw_relation(table, columns_read(table, mapping))
    present = {column.name: column for column in table.columns}
    fields: dict[str, Any] = {
        "file": ibis.literal(index, "int32"),
        "row": raw[ROW_INDEX],
        "fold": _fold(raw, dataset),
    }
    if mapping.is_multiclass:
        columns = [present[name] for name in mapping.score_columns]
        place, label_known = place_of(raw, present, mapping)
        fields |= {
            "label": ibis.ifelse(place.isnull(), 0, 1).cast("int8"),
            "place": place,
            "label_known": label_known,
            "given_scores": ibis.array([finite_or_null(number_of(raw, column)) for column in columns]),
            "score_unreadable": ibis.array([is_unreadable(raw, column) for column in columns]).anys(),
        }
    else:
        label, label_known = label_of(raw, present, mapping)
        fields |= {
            "label": label,
            "given": finite_or_null(number_of(raw, present[mapping.score])),
            "score_unreadable": is_unreadable(raw, present[mapping.score]),
            "label_known": label_known,
        }
    for key, text in _categories(raw, table, mapping).items():
        place: Expression
        if key in gathered:
            # Numbers are sought in a list at a third of the cost of texts that hardly occur twice.
            fields[value_key(key)] = hashed = hash_of(text)
            place = ibis.array([hash_of(ibis.literal(each, "string")) for each in categories[key]]).index(hashed)
            place = ibis.ifelse(place < 0, categories[key].index(gathered[key]), place)
        else:
            place = ibis.array(list(categories[key])).index(text)
        fields[key] = place.cast("int32")
    if mapping.weight is not None:
        weight = present.get(mapping.weight)
        fields["weight"] = ibis.null("float64") if weight is None else finite_or_null(number_of(raw, weight))
    if mapping.time is not None:
        fields["time"], fields["time_given"] = time_of(raw, present.get(mapping.time), mapping.time_format)
    if mapping.id is not None:
        fields["id"] = _id(raw, dataset, index)
    rows = raw.select(**fields)
    rows = _with_problem(rows, mapping)
    if mapping.id is not None:
        if has_number_ids(dataset):
            rows = rows.mutate(id_number=rows.id)
        else:
            hashed: Expression = _hash_text_in(rows[VERSION], rows.id)
            rows = rows.mutate(id_hash=ibis.ifelse(rows.id.isnull(), ibis.null("uint64"), hashed))
    if mapping.is_multiclass:
        rows = with_class_margins(rows, mapping, categories[CLASS])
    return _with_statistics(rows, mapping)


def id_rows(dataset: Dataset, index: int) -> Expression:
    """The ids of one file: `at`, the place of the row, and `id`, null where there is none."""
    table = dataset.tables[index]
    raw = raw_relation(table, [name for name in (dataset.mapping.id,) if name is not None and table.has_column(name)])
    return raw.select(at=raw[ROW_INDEX], id=_id(raw, dataset, index))


def value_rows(table: RawTable, column: str) -> Expression:
    """The numbers of another column of a file: `at`, the place of the row, and `value`, null where there is none.

    What is infinite or beyond what a sum of squares can hold is no value.
    """
    return value_columns(table, [column]).rename(value="value_0")


def value_columns(table: RawTable, columns: Sequence[str]) -> Expression:
    """The same of several columns: `at`, and `value_0`, `value_1` … in their order."""
    raw = raw_relation(table, list(columns))
    numbers = [finite_or_null(number_of(raw, table.column(column))) for column in columns]
    return raw.select(
        at=raw[ROW_INDEX],
        **{
            f"value_{place}": ibis.ifelse(number.abs() <= MAX_ABS_SCORE, number, ibis.null("float64"))
            for place, number in enumerate(numbers)
        },
    )


def is_below(rows: Expression, margin: float) -> Any:
    """Whether the margin of a row is below a number: by its bin where that is an edge, else by itself."""
    edge = int(score_id(margin))
    is_edge = edge % 2 == 0
    return rows.label * rows.score_bin < edge if is_edge else rows.label * rows.score < margin


def in_sample(rows: Expression, place: str, one_in: int) -> Expression:
    """One row in so many, told by its place alone and apart from its fold."""
    hashed: Expression = _hash_number(rows[place] * 2 + 1)
    return rows if one_in == 1 else rows.filter((hashed % one_in) == 0)


def chance_of(rows: Expression, seed: int) -> Any:
    """A number of each row by which rows are in no order, told by file, place and seed alone, apart from its fold."""
    return _hash_number(rows.row * 1_000_000 + rows.file.cast("int64") * 100 + seed)


def _with_problem(rows: Expression, mapping: Mapping) -> Expression:
    probability = mapping.score_kind is ScoreKind.PROBABILITY
    branches: list[tuple[Any, str]] = [(_.score_unreadable, "score-unreadable")]
    if mapping.is_multiclass:
        branches += class_problems(mapping)
    else:
        branches.append((_.given.abs() > MAX_ABS_SCORE, "score-infinite"))
    if probability and not mapping.is_multiclass:
        branches.append(((_.given < 0) | (_.given > 1), "score-not-a-probability"))
    branches.append((~_.label_known, "class-unknown" if mapping.is_multiclass else "label-unknown"))
    if mapping.weight is not None:
        branches.append((_.weight.isnull() | (_.weight < 0) | (_.weight > MAX_ABS_SCORE), "weight-invalid"))
    if mapping.time is not None:
        branches.append((ibis.ifelse(rows.time.isnull(), is_given(rows.time_given), False), "time-unreadable"))
    keeps = [code for code, (usable, _words) in PROBLEMS.items() if usable]
    return rows.mutate(problem=ibis.cases(*branches, else_=ibis.null("string"))).mutate(
        usable=_.problem.isnull() | _.problem.isin(keeps)
    )


def _with_statistics(rows: Expression, mapping: Mapping) -> Expression:
    usable = rows.mutate(given=ibis.ifelse(rows.usable, rows.given, ibis.null("float64")))
    kept = ["file", "row", VERSION, SPLIT, "fold", "problem", "usable"]
    kept += [cohort_key(column) for column in mapping.cohorts]
    others = ["class_scores", "id_number", "id_hash", "weight", "time", *map(value_key, kept)]
    kept += [name for name in (CLASS, PREDICTED, *others) if name in usable.columns]
    if mapping.score_kind is ScoreKind.PROBABILITY and not mapping.is_multiclass:
        # Not `clip`, which the engine would work out five times.
        least, most = EPSILON, 1 - EPSILON
        clipped = ibis.cases((usable.given < least, least), (usable.given > most, most), else_=usable.given)
        usable = usable.mutate(probability=clipped)
        usable = usable.mutate(score=(usable.probability / (1 - usable.probability)).ln())
    else:
        usable = usable.mutate(score=usable.given)
    return with_losses(usable, kept)


def with_losses(rows: Expression, kept: Sequence[str]) -> Expression:
    """The columns kept of rows with `label` and `score` (and `probability`, else σ(s)), with their losses and bins."""
    usable: Expression = rows.mutate(decay=(-rows.score.abs()).exp())
    if "probability" not in usable.columns:
        usable = usable.mutate(
            probability=ibis.ifelse(usable.score >= 0, 1 / (1 + usable.decay), usable.decay / (1 + usable.decay))
        )
    # log(1 + e) by its series where 1 + e would lose the digits of e.
    small = usable.decay * (1 - usable.decay / 2 + usable.decay * usable.decay / 3)
    softplus: Expression = ibis.ifelse(usable.decay < 1e-4, small, (1 + usable.decay).ln())
    margin = usable.label * usable.score
    linear = SCORE_STEPS_PER_UNIT * usable.score
    beyond = LINEAR_LIMIT * SCORE_STEPS_PER_UNIT + (usable.score.abs() / LINEAR_LIMIT).ln() / math.log(LOG_STEP)
    position = ibis.ifelse(usable.score.abs() <= LINEAR_LIMIT, linear, usable.score.sign() * beyond)
    return usable.select(
        *kept,
        "label",
        "score",
        "probability",
        loss=ibis.ifelse(usable.label == 0, 0.0, softplus + ibis.ifelse(margin < 0, -margin, 0.0)),
        score_bin=_bin(position),
        probability_bin=_bin(PROBABILITY_STEPS * usable.probability),
    )


def _bin(position: Any) -> Any:
    """Ids as `lib.grid.axis_id` gives them; missing scores get the missing bin."""
    nearest = position.round().cast("float64")
    ids: Expression = ibis.ifelse((position - nearest).abs() <= SNAP, 2 * nearest, 2 * position.floor() + 1)
    return ids.cast("int32").fill_null(MISSING_BIN).cast("int32")


def coarse_bin(ids: Any, factor: int) -> Any:
    """Ids at the finest step to ids at a step `factor` times as wide, as `lib.grid.coarsen_id` does."""
    if factor == 1:
        return ids
    position = ids / float(2 * factor)
    # Twice the integer on an edge, one more between two.
    coarser = (position.floor() + position.ceil()).cast("int32")
    return ibis.ifelse(ids == MISSING_BIN, MISSING_BIN, coarser).cast("int32")


def _fold(raw: Expression, dataset: Dataset) -> Any:
    """hash(id) mod 10, or of the row's place where there is no id: halves and cross-fitting need no rows.

    An id has one fold in all files: it is hashed as a number only where every file has numbers.
    """
    name = dataset.mapping.id
    hashed: Expression
    if name not in raw.columns:
        hashed = _hash_number(raw[ROW_INDEX])
    elif has_number_ids(dataset):
        hashed = _hash_number(raw[name])
    else:
        hashed = _hash_text(raw[name].cast("string"))
    return ((hashed % N_FOLDS + N_FOLDS) % N_FOLDS).fill_null(0).cast("int8")


def has_number_ids(dataset: Dataset) -> bool:
    """Whether the ids are whole numbers in every file."""
    name = dataset.mapping.id
    return all(column.kind == "integer" for table in dataset.tables for column in table.columns if column.name == name)


def _id(raw: Expression, dataset: Dataset, index: int) -> Any:
    """What names a row: a number where every file has numbers, else a text; null where a missing value is written."""
    column = {column.name: column for column in dataset.tables[index].columns}.get(dataset.mapping.id or "")
    if column is None:
        return ibis.null("int64" if has_number_ids(dataset) else "string")
    if has_number_ids(dataset):
        return raw[column.name]
    # Taken as it stands: to strip ten million texts would cost as much as all else.
    text: Expression = raw[column.name].cast("string")
    return ibis.ifelse(is_among(text, MISSING_TEXTS), ibis.null("string"), text)


@ibis.udf.scalar.builtin(name="hash", signature=(("int64",), "int64"))
def _hash_number(number: Any) -> Any:
    """The engine's own hash, whatever integer that is; Ibis's goes through a string of bits, at ten times the cost."""


@ibis.udf.scalar.builtin(name="hash", signature=(("string",), "int64"))
def _hash_text(text: Any) -> Any:
    """The same of a text."""


@ibis.udf.scalar.builtin(name="hash", signature=(("float64",), "uint64"))
def hash_score(score: Any) -> Any:
    """The same of a score."""


@ibis.udf.scalar.builtin(name="hash", signature=(("int32", "int64"), "uint64"))
def hash_number_in(version: Any, number: Any) -> Any:
    """The same of a number within a version."""


@ibis.udf.scalar.builtin(name="hash", signature=(("int32", "string"), "uint64"))
def _hash_text_in(version: Any, text: Any) -> Any:
    """The same of a text within a version."""
