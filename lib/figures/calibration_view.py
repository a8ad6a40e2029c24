"""What the Calibration page shows of the versions that are compared, or of one of several classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from lib.checks import ALARM_RATE
from lib.checks.miscalibration import Judged, judge_versions
from lib.diagnose import Diagnosis
from lib.figures.calibration_words import POSITIVE, RIGHT, OutcomeWords
from lib.figures.format import format_count, format_loss, format_plural, format_share
from lib.figures.nothing import nothing_words
from lib.metrics.calibration import Calibration
from lib.metrics.estimates import NOT_A_PROBABILITY, Estimate
from lib.metrics.recalibration_maps import recalibrated_words
from lib.metrics.reliability import ReliabilityBins, farthest_bin, reliability_bins
from lib.metrics.rounding import Rounding

EQUAL_WIDTH, EQUAL_MASS = "width", "mass"
DECISION_SCORES = (
    "Scores are raw decision scores, not probabilities: there is nothing yet that could come true. Recalibration makes "
    "probabilities of them: choose a map in the sidebar, and everything here is of rows that their map has not seen."
)
SCORE_WORDS = {"brier": "Brier score", "log_loss": "Log loss"}
LEAST_ROWS = 30
"""Of fewer neither an error nor its absence is told."""


@dataclass(frozen=True, eq=False)
class CalibrationView:
    """Calibration of the versions that are shown; of several classes, of the top label or of one of them.

    Attributes:
        baseline, candidate: versions; the same where there is one.
        versions: those with probabilities that can be judged, baseline first.
        calibrations: of each of them.
        judged: the test of each.
        class_name: which of several classes against the rest; "" with two, and of the top label.
        words: what p is of.
        marked: how recalibrated numbers are marked; "" where the score is shown as it is.
        rounding: of each version whose probabilities were rounded.
        nothing: why there is nothing to show, if there is nothing.
    """

    baseline: str
    candidate: str
    versions: tuple[str, ...]
    calibrations: dict[str, Calibration]
    judged: dict[str, Judged]
    class_name: str
    words: OutcomeWords
    marked: str
    rounding: dict[str, Rounding]
    nothing: str

    @classmethod
    def of(cls, diagnosis: Diagnosis, class_name: str = "") -> CalibrationView:
        """The view of a diagnosis; of several classes, of the top label or of one of them."""
        settings, calibrations = diagnosis.settings, diagnosis.calibrations
        nothing = nothing_words(diagnosis)
        made: dict[str, Calibration] = {}
        if not nothing:
            versions = diagnosis.shown_versions
            made = (
                {version: calibrations.of_class(version, class_name) for version in versions}
                if class_name
                else calibrations.of_each(versions)
            )
        usable = {version: each for version, each in made.items() if not each.reason}
        if not usable and not nothing:
            nothing = next(iter(made.values())).reason
        is_top_label = diagnosis.facts.mapping.is_multiclass and not class_name
        found = {} if class_name else {version: calibrations.rounding(version) for version in usable}
        return cls(
            settings.baseline,
            settings.candidate,
            tuple(usable),
            usable,
            _judge_class(usable, diagnosis) if class_name else judge_versions(diagnosis) if usable else {},
            class_name,
            RIGHT if is_top_label else POSITIVE,
            recalibrated_words(settings.recalibration) if settings.recalibration is not None else "",
            {version: each for version, each in found.items() if each is not None},
            nothing,
        )

    @property
    def focus(self) -> str:
        """The version that sentences speak of."""
        return self.candidate if self.candidate in self.versions else self.versions[0]

    def bins(self, version: str, n_bins: int, by: str) -> ReliabilityBins:
        """The binned diagram of a version."""
        forecasts = self.calibrations[version].forecasts
        assert forecasts is not None
        return reliability_bins(forecasts, n_bins, by_mass=by == EQUAL_MASS)

    @property
    def can_recalibrate(self) -> bool:
        """Whether there are labelled scores of one kind, from which a map could be fitted."""
        return self.words is POSITIVE and not self.class_name and self.nothing in ("", NOT_A_PROBABILITY)

    def marked_words(self) -> str:
        """That numbers are recalibrated; "" where they are not."""
        return f"All numbers here are {self.marked}: of rows that their map has not seen." if self.marked else ""

    def is_too_coarse(self) -> bool:
        """Whether scores are kept too coarsely for bins of equal width."""
        forecasts = [each.forecasts for each in self.calibrations.values()]
        return any(each is not None and each.straddles for each in forecasts)

    def answer(self) -> str:
        """Is it calibrated, in one sentence (plain text)."""
        if self.nothing == NOT_A_PROBABILITY and self.can_recalibrate:
            return DECISION_SCORES
        if self.nothing:
            return f"{self.nothing[0].upper()}{self.nothing[1:]}: there is nothing to say about calibration."
        return f"{self.sentence()}."

    def sentence(self) -> str:
        """The answer about the version in focus, without a full stop (plain text)."""
        found, judged = self.calibrations[self.focus], self.judged[self.focus]
        of = f"version {self.focus}" if len(self.versions) > 1 else "the model"
        of = f"{of} for {self.class_name} against the rest" if self.class_name else of
        of = f"{of} for its answers (top label)" if self.words is RIGHT else of
        n = format_plural(judged.test.n, "labelled row")
        error = found.errors["debiased_calibration_error"]
        marked = f", {self.marked}" if self.marked else ""
        if judged.test.n < LEAST_ROWS:
            return f"Too few rows to tell: {n} of {of}, where {LEAST_ROWS} at least would be needed"
        if judged.is_miscalibrated:
            came = f"{format_share(found.positive_share)} are {self.words.came}"
            means = f"mean p of {of} is {found.mean_probability:.3f}, {came}"
            return f"Not calibrated{marked}: {self._where(found) or means}"
        if judged.p_adjusted < ALARM_RATE:
            return (
                f"Nearly calibrated{marked}: probabilities of {of} are off by about "
                f"{format_share(error.estimate.value)}, more than chance gives {n} but too little to matter"
            )
        return (
            f"No sign of miscalibration{marked}: the debiased error of {of} is {format_share(error.estimate.value)}, "
            f"and chance alone gives {n} up to {format_share(error.floor)}"
        )

    def _where(self, found: Calibration) -> str:
        """Where the curve leaves the diagonal with most rows."""
        assert found.forecasts is not None
        bins = reliability_bins(found.forecasts, 10, by_mass=True)
        worst = farthest_bin(bins)
        if worst is None:
            return ""
        version = f" of version {self.focus}" if len(self.versions) > 1 else ""
        of_class = f" for {self.class_name}" if self.class_name else " for the answer" if self.words is RIGHT else ""
        return (
            f"of the {format_count(bins.n[worst])} rows{version} with p near {bins.mean_probability[worst]:.2f}"
            f"{of_class}, {format_share(bins.positive_share[worst], 0)} are {self.words.came}"
        )

    def rounding_words(self) -> str:
        """That probabilities are rounded, and what that can do; "" where they are not."""
        each = self.rounding.get(self.focus) if self.versions else None
        if each is None:
            return ""
        return (
            f"Probabilities of {self.focus} are rounded to {format_plural(each.decimals, 'decimal')}: "
            f"{format_count(each.n_distinct)} distinct values. That alone can have moved the Brier score by at most "
            f"{format_loss(each.brier_bound)}."
        )

    def curve_frame(self) -> pd.DataFrame:
        """One row per version and bin of the isotonic fit."""
        parts = [
            each.curve.frame().assign(version=version)
            for version, each in self.calibrations.items()
            if each.curve is not None
        ]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()

    def bins_frame(self, n_bins: int, by: str) -> pd.DataFrame:
        """One row per version and bin."""
        parts = [self.bins(version, n_bins, by).frame().assign(version=version) for version in self.versions]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()

    def parts_of(self, version: str, score: str) -> tuple[tuple[str, Estimate, float], ...]:
        """Miscalibration, discrimination and uncertainty of a version, each with its floor (NaN without one)."""
        found = self.calibrations[version]
        error = found.errors[f"{score}_miscalibration"]
        return (
            ("Miscalibration", error.told, error.floor),
            ("Discrimination", found.parts[f"{score}_discrimination"], np.nan),
            ("Uncertainty", found.parts[f"{score}_uncertainty"], np.nan),
        )

    def parts_frame(self) -> pd.DataFrame:
        """One row per version, score and part."""
        rows = [
            {
                "version": version,
                "score": score,
                "part": name.lower(),
                "value": each.value,
                "lower": each.lower,
                "upper": each.upper,
                "floor": floor,
            }
            for version in self.versions
            for score in SCORE_WORDS
            for name, each, floor in self.parts_of(version, score)
        ]
        return pd.DataFrame(rows)

    def score_of(self, version: str, score: str) -> float:
        """The score that the parts make."""
        found = self.calibrations[version]
        return found.brier_score if score == "brier" else found.log_loss


def _judge_class(calibrations: dict[str, Calibration], diagnosis: Diagnosis) -> dict[str, Judged]:
    """The test of one of several classes, corrected over all of them and the versions."""
    family = len(diagnosis.facts.mapping.class_names) * len(diagnosis.shown_versions)
    judged: dict[str, Judged] = {}
    for version, each in calibrations.items():
        judged[version] = Judged(each.test, min(1.0, family * each.test.p_value))
    return judged
