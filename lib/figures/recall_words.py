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
VERDICTS = {Verdict.CONFIRMED: "confirmed", Verdict.RULED_OUT: "ruled out", Verdict.UNDECIDED: "cannot tell"}
