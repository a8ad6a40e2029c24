"""What mends what made recall fall."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from lib.metrics.hypotheses.finding import Hypothesis

REMEDIES: Final = {
    "misaligned-ids": "Join vectors and ids again, by id and not by row order, and build the index anew.",
    "stale-rows": "Embed the rows that still hold the old vector, and those alone, with the candidate's model.",
    "mixed-models": "Embed all rows with one model before the index is switched.",
    "not-normalised": "Normalise every vector in the same step, of queries and gallery, or search by cosine.",
    "truncated": "Look where dimensions are cut off on the way, and store the full vectors.",
    "quantised": "Store more levels, or rank the first hits again by the full vectors.",
    "dead-dimensions": "Look for a layer, a pooling or a type that gives the same value for every input.",
    "collapse": "Do not use this model: look at its loss, its temperature and its projection head.",
    "rotation": "The model is as good as before. Embed both sides anew, queries and gallery, and never mix them.",
    "query-gallery-mismatch": "Serve queries with the model that made the gallery; switch both at once.",
    "duplicates": "Take copies out of the gallery, or show each vector once.",
    "gallery-growth": "Compare at the same gallery; a larger one is harder, and the model may be no worse.",
    "cohort-mix": "Compare within cohorts: the model may be no worse in any of them.",
}
"""What to do about each hypothesis, by name."""
OF_THE_MODEL: Final = {"dead-dimensions", "collapse"}
"""Causes that lie in the model: nothing but another one mends them."""
OF_THE_COMPARISON: Final = {"gallery-growth", "cohort-mix"}
"""Causes that are no fault: there is nothing to wait for."""
NEARLY_ALL: Final = 0.8
CAUSE: Final = (
    "Without what is named, recall would be nearly what it was or better: that made it fall, and not the model."
)
UNTIL: Final = "Roll back only for as long as that has to wait."


def mending_of(causes: Sequence[Hypothesis]) -> str:
    """What to do where the causes account for nearly all of a fall; nothing where they do not, or the model is one."""
    names = {each.name for each in causes}
    if not sum(each.explains for each in causes) >= NEARLY_ALL or names & OF_THE_MODEL:
        return ""
    return " ".join([*(REMEDIES[each.name] for each in causes), *([UNTIL] if names - OF_THE_COMPARISON else [])])
