"""Support vectors as JSON."""

from __future__ import annotations

from typing import Any

from lib.figures.support_vectors_view import SupportRow
from lib.reports.numbers_json import metrics_as_json
from lib.reports.versions import SupportNumbers


def support_vectors_as_json(support: SupportNumbers) -> dict[str, Any]:
    """Kinds of rows and their slack, whole, by class and by split, and what theory says of the training rows."""
    training = support.training
    whole = _support_row(support.whole)
    return {
        **whole,
        "classes": {label: _support_row(row) for label, row in support.classes.items()},
        "splits": {split: _support_row(row) for split, row in support.splits.items()},
        "training": None
        if training is None
        else {
            "n": training.n,
            "n_bounded": training.n_bounded,
            "n_support": training.n_support,
            "nu": training.nu,
            "nu_balanced": training.nu_balanced,
            "nu_most": training.nu_most,
            "mean_slack": training.mean_slack,
        },
        "undefined": whole["undefined"] | ({"training": support.reason} if training is None else {}),
    }


def _support_row(row: SupportRow) -> dict[str, Any]:
    measured = {"share": row.share, **row.kinds, "mean_slack": row.slack}
    of = metrics_as_json(measured)
    if not row.share.is_defined:
        of["undefined"]["slack_quantiles"] = row.share.reason
    return {
        "n": row.n,
        "n_support": row.n_support,
        "n_by_kind": row.hits,
        **of,
        "total_slack": row.total,
        "slack_quantiles": {f"{q:g}": each.value for q, each in row.quantiles.items()},
    }
