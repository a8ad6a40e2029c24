"""Losses of a row, and the bins of its score on both axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import ibis

from lib.grid import LINEAR_LIMIT, LOG_STEP, MISSING_BIN, PROBABILITY_STEPS, SCORE_STEPS_PER_UNIT, SNAP, score_id
from lib.scan.columns import Expression


def is_below(rows: Expression, margin: float) -> Any:
    """Whether the margin of a row is below a number: by its bin where that is an edge, else by itself."""
    edge = int(score_id(margin))
    is_edge = edge % 2 == 0
    return rows.label * rows.score_bin < edge if is_edge else rows.label * rows.score < margin


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
