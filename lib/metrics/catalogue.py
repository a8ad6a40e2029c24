"""The declared table of every scalar metric: its words, its unit, which way is better, and how it is computed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from lib.cells import Cells
from lib.errors import SettingsError
from lib.metrics import classification, confidence, losses, margins, ranking
from lib.metrics.estimates import NO_SCORES, Estimates, undefined
from lib.metrics.multiclass import NOT_BY_THIS
from lib.metrics.parts import Additive, Counts, Moments, count_usable
from lib.schema import ScoreKind

Direction = Literal["lower", "higher", "neutral"]
Unit = Literal["share", "index", "loss", "score"]

RECALIBRATED_AS_A_WHOLE = "recalibrated probabilities are measured for whole versions only"


@dataclass(frozen=True)
class MetricSettings:
    """What metrics depend on apart from the rows: γ, and what the score column holds."""

    margin_target: float = 1.0
    score_kind: ScoreKind = ScoreKind.DECISION
    classes: tuple[str, ...] = ()
    """Several classes; none where one of two is positive."""
    is_recalibrated: bool = False
    """Whether probabilities are those of a map over the score, which cells do not hold."""


@dataclass(frozen=True)
class Metric:
    """A scalar metric.

    Attributes:
        name: as in code, JSON and links.
        label: as on an axis.
        unit: `share` (shown in per cent), `index` (from 0 to 1), `loss` or `score`.
        direction: which way is better.
        definition: one sentence with the formula.
        code: its row in the domain description.
        function: cells to one estimate per group.
        parts: cells to the additive sums behind it, where it has any: a rate's `Counts`, a mean's `Moments`.
        finish: those sums to estimates; together with `parts` the same as `function`.
        in_score_units: whether it changes when all scores are multiplied by a number, so that it says nothing between
            models whose decision scores are on different scales.
        of_margins: whether it is of margins alone, so that it means the same with several classes; the others are then
            `lib.metrics.multiclass`'s.
    """

    name: str
    label: str
    unit: Unit
    direction: Direction
    definition: str
    code: str
    function: Callable[[Cells, MetricSettings], Estimates]
    parts: Callable[[Cells, MetricSettings], Additive] | None = None
    finish: Callable[[Additive, MetricSettings], Estimates] | None = None
    in_score_units: bool = False
    of_margins: bool = False

    def is_of(self, settings: MetricSettings) -> bool:
        """Whether cells by margin say all that it takes."""
        return self.of_margins or not settings.classes

    def estimate(self, cells: Cells, settings: MetricSettings) -> Estimates:
        """The number of each group; undefined where there are several classes and it compares two."""
        return (
            self.function(cells, settings) if self.is_of(settings) else undefined(count_usable(cells)[2], NOT_BY_THIS)
        )

    @property
    def uses_margin_target(self) -> bool:
        """Whether it changes with γ: the ones to compute again when that slider moves."""
        return "γ" in self.definition


def _rate(
    name: str,
    label: str,
    direction: Direction,
    definition: str,
    code: str,
    counts: Callable[[Cells, MetricSettings], Counts],
    finish: Callable[[Counts], Estimates] = Counts.estimates,
    unit: Unit = "share",
    in_score_units: bool = False,
    of_margins: bool = False,
) -> Metric:
    def finished(parts: Additive, settings: MetricSettings) -> Estimates:
        assert isinstance(parts, Counts)
        return finish(parts)

    return Metric(
        name, label, unit, direction, definition, code,
        lambda cells, settings: finish(counts(cells, settings)), counts, finished, in_score_units, of_margins,
    )  # fmt: skip


def _mean(
    name: str,
    label: str,
    definition: str,
    code: str,
    moments: Callable[[Cells, MetricSettings], Moments],
    function: Callable[[Cells, MetricSettings], Estimates],
) -> Metric:
    def finished(parts: Additive, settings: MetricSettings) -> Estimates:
        assert isinstance(parts, Moments)
        return parts.estimates(least=0.0)

    return Metric(name, label, "loss", "lower", definition, code, function, moments, finished, True, True)


def _probability_mean(
    name: str,
    label: str,
    definition: str,
    moments: Callable[[Cells], Moments],
) -> Metric:
    def finished(parts: Additive, settings: MetricSettings) -> Estimates:
        if settings.is_recalibrated:
            return undefined(parts.n, RECALIBRATED_AS_A_WHOLE)
        return classification.if_probability(parts, settings.score_kind)

    return Metric(
        name, label, "loss", "lower", definition, "H-M9",
        lambda cells, settings: finished(moments(cells), settings),
        lambda cells, settings: moments(cells),
        finished,
    )  # fmt: skip


METRICS: tuple[Metric, ...] = (
    _mean(
        "average_hinge_loss", "Average hinge loss", "Mean of max(0, γ − m), m the margin.", "H-M1",
        lambda cells, settings: margins.hinge_moments(cells, settings.margin_target),
        lambda cells, settings: margins.average_hinge_loss(cells, settings.margin_target),
    ),
    _mean(
        "average_logistic_loss", "Average logistic loss", "Mean of log(1 + e^−m), m the margin.", "H-M1",
        lambda cells, settings: losses.logistic_moments(cells),
        lambda cells, settings: losses.average_logistic_loss(cells),
    ),
    _rate(
        "violation_rate", "Violation rate", "lower", "Share of rows with m < γ, m the margin.", "H-M2",
        lambda cells, settings: margins.violation_counts(cells, settings.margin_target),
        in_score_units=True, of_margins=True,
    ),
    Metric(
        "median_margin", "Median margin", "score", "higher", "Median of the margin m.", "H-M3",
        lambda cells, settings: margins.median_margin(cells),
        in_score_units=True, of_margins=True,
    ),
    Metric(
        "hinge_loss_p90", "90th percentile hinge loss", "loss", "lower", "90th percentile of max(0, γ − m).", "H-M4",
        lambda cells, settings: margins.hinge_loss_p90(cells, settings.margin_target),
        in_score_units=True, of_margins=True,
    ),
    _rate(
        "support_vector_share", "Support vector share", "neutral",
        f"Share of rows with m ≤ 1 + {margins.SUPPORT_VECTOR_TOLERANCE:g}.", "H-F10",
        lambda cells, settings: margins.support_vector_counts(cells),
        in_score_units=True, of_margins=True,
    ),
    _rate(
        "zero_hinge_gradient_share", "Share with zero hinge gradient", "neutral",
        "Share of rows with m ≥ γ, from which hinge loss no longer learns.", "H-M8",
        lambda cells, settings: margins.zero_gradient_counts(cells, settings.margin_target),
        in_score_units=True, of_margins=True,
    ),
    _rate(
        "logistic_gradient_share_from_correct", "Logistic gradient from correct rows", "neutral",
        "Share of Σσ(−m) that comes from rows with m > 0.", "H-M8",
        lambda cells, settings: losses.gradient_counts(cells),
        in_score_units=True, of_margins=True,
    ),
    _probability_mean(
        "log_loss", "Log loss", "Mean of −log p of the true class, p clipped to [ε, 1 − ε].",
        classification.log_loss_moments,
    ),
    _probability_mean(
        "brier_score", "Brier score", "Mean of (p − y)², y in {0, 1}; of several classes their sum.",
        classification.brier_moments,
    ),
    Metric(
        "roc_auc", "ROC AUC", "index", "higher",
        "Probability that a positive row scores above a negative one, ties counting half; of several classes the mean "
        "of each against the rest.", "H-M9",
        lambda cells, settings: ranking.roc_auc(cells),
    ),
    Metric(
        "average_precision", "Average precision", "index", "higher",
        "Σ (recallₖ − recallₖ₋₁)·precisionₖ over falling thresholds; of several classes the mean of each "
        "against the rest.", "H-M9",
        lambda cells, settings: ranking.average_precision(cells),
    ),
    _rate(
        "accuracy", "Accuracy", "higher",
        "Share of right decisions, a positive prediction being s > 0; "
        "of several classes of rows with m > 0.", "H-M9",
        lambda cells, settings: classification.accuracy_counts(cells), of_margins=True,
    ),
    _rate(
        "precision", "Precision", "higher",
        "TP/(TP + FP): share of positive predictions that are right; "
        "of several classes their mean.", "H-M9",
        lambda cells, settings: classification.precision_counts(cells),
        lambda counts: counts.estimates(classification.NO_POSITIVE_PREDICTIONS),
    ),
    _rate(
        "recall", "Recall", "higher",
        "TP/(TP + FN): share of positive rows that are found; "
        "of several classes their mean.", "H-M9",
        lambda cells, settings: classification.recall_counts(cells),
        lambda counts: counts.estimates(classification.NO_POSITIVES),
    ),
    _rate(
        "f1", "F1", "higher",
        "2TP/(2TP + FP + FN): harmonic mean of precision and recall; "
        "of several classes their mean.", "H-M9",
        lambda cells, settings: classification.jaccard_counts(cells),
        classification.f_estimates,
        "index",
    ),
    _rate(
        "false_positive_rate", "False positive rate", "lower",
        "FP/(FP + TN): share of negative rows predicted positive; of several classes their mean.", "H-M9",
        lambda cells, settings: classification.false_positive_counts(cells),
        lambda counts: counts.estimates(classification.NO_NEGATIVES),
    ),
    _rate(
        "positive_share", "Positive share", "neutral", "Share of labelled rows that are positive.", "H-F17",
        lambda cells, settings: classification.positive_counts(cells),
    ),
    _rate(
        "predicted_positive_share", "Predicted positive share", "neutral",
        "Share of scored rows, labelled or not, with s > 0.", "H-F13",
        lambda cells, settings: classification.predicted_positive_counts(cells),
        lambda counts: counts.estimates(NO_SCORES),
    ),
    _rate(
        "confident_error_rate", "Confident error rate", "lower",
        f"Share of wrong rows among those that the model is sure of: |s| above {confidence.SURE:g} in log odds, above "
        "the median |s| of the version for decision scores.", "H-F20",
        lambda cells, settings: confidence.confident_error_counts(cells, settings.score_kind),
        lambda counts: counts.estimates(confidence.NOTHING_SURE),
    ),
)  # fmt: skip
"""Every scalar metric, in the order in which tables show them."""


def metric_named(name: str) -> Metric:
    """The metric of that name.

    Raises:
        SettingsError: there is none.
    """
    for metric in METRICS:
        if metric.name == name:
            return metric
    raise SettingsError(f"There is no metric called {name!r}; there are {', '.join(each.name for each in METRICS)}.")
