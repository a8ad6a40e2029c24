"""What may have happened to recall, in words: each hypothesis by itself and in a sentence, and what to do about it."""

from __future__ import annotations

from lib.metrics.hypotheses.finding import Verdict

TITLES = {
    "misaligned-ids": "Vectors stand under other ids",
    "stale-rows": "Stale rows",
    "mixed-models": "Two models in one index",
    "not-normalised": "Lengths are not what they were",
    "truncated": "Dimensions cut off",
    "quantised": "Fewer levels of values",
    "dead-dimensions": "Dead dimensions",
    "collapse": "Collapse",
    "rotation": "A rotation, and nothing else",
    "query-gallery-mismatch": "Queries and gallery of different versions",
    "duplicates": "More duplicates",
    "gallery-growth": "A larger gallery",
    "cohort-mix": "Other cohorts ask",
}
"""Every hypothesis by its words."""
CAUSES = {
    "misaligned-ids": "vectors under other ids",
    "stale-rows": "stale rows",
    "mixed-models": "two models in one index",
    "not-normalised": "lengths that are not what they were",
    "truncated": "dimensions that were cut off",
    "quantised": "fewer levels of values",
    "dead-dimensions": "dead dimensions",
    "collapse": "collapse",
    "rotation": "a rotation",
    "query-gallery-mismatch": "queries and gallery of different versions",
    "duplicates": "duplicates",
    "gallery-growth": "a larger gallery",
    "cohort-mix": "another mix of cohorts",
}
"""The same within a sentence."""
REMEDIES = {
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
"""What to do about each."""
VERDICTS = {Verdict.CONFIRMED: "confirmed", Verdict.RULED_OUT: "ruled out", Verdict.UNDECIDED: "cannot tell"}
