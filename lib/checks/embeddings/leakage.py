"""E-F5: sensitive columns that can be told from the vectors."""

from __future__ import annotations

import numpy as np

from lib.checks import words
from lib.checks.embeddings.versions import Seen, look_at, short
from lib.checks.result import ALARM_RATE, Answer, NotApplicable, Passed, Status
from lib.embeddings import EmbeddingDiagnosis
from lib.embeddings.measures import read_leakage
from lib.metrics.intervals import holm
from lib.metrics.leakage import LEAST_AREA

STRONG = 0.8


def check_leakage(diagnosis: EmbeddingDiagnosis) -> Answer:
    """A linear probe tells a sensitive column from the vectors: one finding for each column."""
    columns = diagnosis.embeddings.roles.sensitive
    if not columns:
        return NotApplicable("no column is marked as sensitive")
    found = {version: read_leakage(diagnosis, version) for version in diagnosis.settings.versions}
    keys = [(version, column) for version in found for column in found[version] if not found[version][column].reason]
    if not keys:
        reasons = dict.fromkeys(each.reason for of in found.values() for each in of.values())
        return NotApplicable(words.listing(list(reasons)))
    p = dict(zip(keys, holm(np.array([found[version][column].p for version, column in keys])), strict=True))

    def seen(version: str, column: str) -> Seen | None:
        if (version, column) not in p:
            return None
        each, sure = found[version][column], float(p[version, column])
        if sure > ALARM_RATE or each.area < LEAST_AREA:
            return None
        clause = (
            f"The sensitive column {short(column)} can be told from the vectors: ROC AUC {each.area:.2f}, where chance "
            f"stays below {each.area_floor:.2f} (n = {words.count(each.n_used)})"
        )
        numbers = {
            "column": column,
            "n": each.n_used,
            "roc_auc": each.area,
            "roc_auc_floor": each.area_floor,
            "balanced_accuracy": each.balanced_accuracy.value,
            "p_adjusted": sure,
        }
        return Seen(clause, numbers, each.area, Status.FAIL if each.area >= STRONG else Status.WARN)

    findings = [
        each for column in columns for each in look_at(diagnosis, lambda version, column=column: seen(version, column))
    ]
    if findings:
        return findings
    largest = max(found[version][column].area for version, column in keys)
    return Passed(
        f"No sensitive column can be told from the vectors beyond chance and with a ROC AUC of {LEAST_AREA:g} or more "
        f"(largest {largest:.2f}).",
        {"n_columns": len({column for _version, column in keys}), "roc_auc": largest},
    )
