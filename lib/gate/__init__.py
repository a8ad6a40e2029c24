"""The gate: what a policy says of a candidate, and a policy written from what a version does.

A limit is kept, broken, or cannot be told: its interval reaches over the limit, there are too few rows, or no number at
all. The policy says whether a candidate may pass with what cannot be told.
"""

from lib.gate.judge import NO_BASELINE, TWO_SCALES, WHOLE, Decision, GateResult, Part, judge_gate
from lib.gate.written import PER_CENT, POINTS, write_policy

__all__ = [
    "NO_BASELINE",
    "PER_CENT",
    "POINTS",
    "TWO_SCALES",
    "WHOLE",
    "Decision",
    "GateResult",
    "Part",
    "judge_gate",
    "write_policy",
]
