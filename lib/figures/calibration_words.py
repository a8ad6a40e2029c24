"""Words for what a probability is of, and for calibration errors."""

from __future__ import annotations

from dataclasses import dataclass

from lib.metrics.calibration import BINS


@dataclass(frozen=True)
class OutcomeWords:
    """What comes true of a probability: "positive", its share over rows, and what p is of."""

    came: str
    share: str
    probability: str


POSITIVE = OutcomeWords("positive", "share of positives", "p, the probability of the positive class")
RIGHT = OutcomeWords("right", "share of right answers", "p, the probability of the class that is answered")
"""Of the top label of several classes."""
TOP_LABEL = "(top label)"
"""What stands for the top label among the names of classes."""


def class_words(name: str) -> str:
    """What may be looked at: the top label, or a class."""
    return "the answer (top label)" if name == TOP_LABEL else f"{name}, against the rest"


ERROR_WORDS = {
    "smooth_calibration_error": (
        "Smooth ECE",
        "Mean distance between p and the share of positives, smoothed along p by a kernel as wide as the error itself "
        "(Błasiok and Nakkiran 2023): no bins to choose.",
    ),
    "debiased_calibration_error": (
        "Debiased error",
        f"Root mean square distance over {BINS} bins of equal mass, less what chance adds to its square (Kumar, Liang "
        "and Ma 2019): 0 is what a calibrated model has on average.",
    ),
    "expected_calibration_error": (
        "ECE",
        f"Mean |mean p − share of positives| over {BINS} bins of equal width, each by its rows. Bins are left-closed, "
        "the last closed.",
    ),
    "adaptive_calibration_error": ("ACE", f"The same over {BINS} bins of equal mass."),
    "maximum_calibration_error": ("MCE", f"The largest distance of a bin, of {BINS} of equal width."),
}
"""Name to label and convention, in the order of the table."""
