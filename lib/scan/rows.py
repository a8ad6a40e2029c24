"""Rows as the scan sees them: one Ibis expression that turns a raw table into typed roles, scores, losses and bins.

Nothing here is special to one engine. What cannot be used is not dropped: `problem` says why, and `usable` whether
the row still counts.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import ibis

from lib.grid import EPSILON
from lib.scan.classes import with_class_margins
from lib.scan.columns import Expression, finite_or_null, is_unreadable, label_of, number_of, place_of, text_of, time_of
from lib.scan.hashes import hash_of, hash_text_in
from lib.scan.raw import ROW_INDEX, columns_read, raw_relation
from lib.scan.row_bins import with_losses
from lib.scan.row_ids import fold_of, has_number_ids, id_of
from lib.scan.row_problems import with_problem
from lib.schema import CLASS, MISSING_KEY, PREDICTED, SPLIT, VERSION, Mapping, ScoreKind, cohort_key
from lib.sources import Dataset, RawTable

Categories: TypeAlias = dict[str, tuple[str, ...]]
"""For each categorical key its texts in ascending order."""

Gathered: TypeAlias = dict[str, str]
"""For each cohort key with more values than its tables hold, the text of `Categories` that stands for the others."""

ROWS_SCHEMA_VERSION = 2
"""Changes whenever the prepared rows do, so that nothing that was written before is taken for them."""


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
        "fold": fold_of(raw, dataset),
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
        fields["id"] = id_of(raw, dataset, index)
    rows = raw.select(**fields)
    rows = with_problem(rows, mapping)
    if mapping.id is not None:
        if has_number_ids(dataset):
            rows = rows.mutate(id_number=rows.id)
        else:
            hashed: Expression = hash_text_in(rows[VERSION], rows.id)
            rows = rows.mutate(id_hash=ibis.ifelse(rows.id.isnull(), ibis.null("uint64"), hashed))
    if mapping.is_multiclass:
        rows = with_class_margins(rows, mapping, categories[CLASS])
    return _with_statistics(rows, mapping)


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
