"""What may have happened to an embedding between two versions, each tested on the rows that both have."""

from lib.metrics.hypotheses.finding import NAMES, Finding, Hypothesis, Verdict
from lib.metrics.hypotheses.rows import RowStates, row_states
from lib.metrics.hypotheses.shared import SharedRows, shared_rows

__all__ = [
    "NAMES",
    "Finding",
    "Hypothesis",
    "RowStates",
    "SharedRows",
    "Verdict",
    "row_states",
    "shared_rows",
]
