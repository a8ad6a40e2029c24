"""How features moved, and what they explain, as JSON."""

from __future__ import annotations

import math
from typing import Any

from lib.figures.features_view import FeatureRow
from lib.metrics.feature_moves import Move
from lib.reports.estimates_json import ends
from lib.reports.json_values import moment

NO_ORDER = "categories have no order"
NO_SPREAD = "the reference has no spread"
NO_CATEGORIES = "a number has no categories"
CHOSEN = "chosen among many, for which no floor is drawn"


def feature_as_json(row: FeatureRow) -> dict[str, Any]:
    """One entry of `features`."""
    share = row.explained.share
    return {
        "feature": row.column,
        "kind": "category" if row.drift.is_categorical else "number",
        "n": row.drift.n,
        "missing": row.drift.missing,
        "has_moved": row.has_moved,
        "explained": share.value,
        "explained_ci": ends(share),
        "explained_n": int(share.n),
        "explained_p": row.explained.p,
        "explained_p_adjusted": row.explained.p_adjusted,
        "moves": [_move(move) for move in row.drift.moves],
        "undefined": {} if share.is_defined else {"explained": share.reason},
    }


def _move(move: Move) -> dict[str, Any]:
    numeric = ("wasserstein", "wasserstein_bound", "wasserstein_floor")
    undefined = {name: NO_ORDER if move.category else NO_SPREAD for name in numeric if math.isnan(getattr(move, name))}
    if not move.category and not math.isnan(move.wasserstein) and undefined:
        undefined = dict.fromkeys(undefined, CHOSEN)
    return {
        "against": move.against,
        "version": move.version,
        "split": move.split,
        "window": None if move.window is None else [moment(each) for each in move.window],
        "n": move.n_rows,
        "n_values": move.n,
        "n_values_reference": move.n_reference,
        "distance": move.distance,
        "distance_bound": move.distance_bound,
        "distance_floor": move.distance_floor,
        "p": move.p,
        "p_adjusted": move.p_adjusted,
        "stability_index": move.stability_index,
        "stability_floor": move.stability_floor,
        "wasserstein": move.wasserstein,
        "wasserstein_bound": move.wasserstein_bound,
        "wasserstein_floor": move.wasserstein_floor,
        "category": move.category or None,
        "share": move.share,
        "share_reference": move.share_reference,
        "missing": move.missing,
        "missing_reference": move.missing_reference,
        "missing_p": move.missing_p,
        "undefined": undefined | ({} if move.category else dict.fromkeys(("share", "share_reference"), NO_CATEGORIES)),
    }
