"""The rows of the table of checks that are about training histories."""

from __future__ import annotations

from lib.checks.result import ALARM_RATE, Check, Severity
from lib.checks.training import check_bad_negatives, check_high_loss, check_non_convergence, check_overfitting

TRAINING_CHECKS: tuple[Check, ...] = (
    Check(
        code="H-F1",
        name="high-loss",
        reference="H-F1. The training loss of each run in at most 50 pieces of equal length: the mean of its first "
        "eighth against that of its last eighth, and against the log loss of one answer for every row (the "
        "entropy of the class balance where predictions were given and the metric is a log loss, else ln "
        "2, the least of balanced classes); six values or more",
        minimum_effect="it loses less than 5 % of its start and ends at 95 % of the loss of a constant answer or "
        "more; where the class balance is known, at 98 % of it, fallen or not",
        alarm_rate=ALARM_RATE,
        severity=Severity.WARNING,
        cause="The model has learned next to nothing: its features say nothing about the labels, labels are noise "
        "or joined to the wrong rows, the learning rate is far too small, or no gradient reaches the "
        "weights.",
        remedy="Let the model learn a hundred rows by heart. If it cannot, look at learning rate, loss and "
        "gradients; if it can, look at the features and clean the labels.",
        topic="training",
        function=check_high_loss,
        over="training",
    ),
    Check(
        code="H-F3",
        name="overfitting",
        reference="H-F3, H-M5. The validation curve in at most 50 pieces: the mean of its last eighth against the "
        "lowest mean of an eighth before, by Student's t with the noise of second differences, times the "
        "places at which the best could have been, the runs and the curves; the training loss between the "
        "same two places. Of metrics of which more is better what is missing from 1; six validations or "
        "more",
        minimum_effect="10 % above the best (and a point, where it is a share), in four fifths of all that follows "
        "the best, while the training loss falls by 5 %",
        alarm_rate=ALARM_RATE,
        severity=Severity.WARNING,
        cause="From its best epoch on the model learns the training rows by heart: it is too able for so little "
        "data, or trained too long, or too weakly regularised.",
        remedy="Keep the weights of the best epoch (early stopping). Then regularise more (weight decay, dropout, "
        "smaller trees), augment, or get more data.",
        topic="training",
        function=check_overfitting,
        over="training",
    ),
    Check(
        code="H-F4",
        name="non-convergence",
        reference="H-F4. Values that are no number; the training loss of each run in at most 50 pieces: the mean of "
        "the last eighth against the lowest mean of an eighth and four times the noise of second "
        "differences (it diverges), the spread of the second half around its own line against all that "
        "was gained (it oscillates, eight pieces or more; of the validation loss too), and the first "
        "eighth against the last eighth where no level is known (it does not fall)",
        minimum_effect="half of what was gained is lost again, and 10 %; or a spread of a quarter of what was gained "
        "and 15 % of the level; or less than 5 % of its start lost by a loss that is no log loss. An "
        "error where the loss ends as no number, or a fifth above its start",
        alarm_rate=ALARM_RATE,
        severity=Severity.WARNING,
        cause="The steps are too large for this loss: the learning rate, or a gradient that is not clipped; with "
        "NaN also a logarithm or a division at 0, a bad row, or half precision that overflows. Where validation alone "
        "swings, too few rows are validated on, or layers that behave differently then (batch normalisation, dropout).",
        remedy="Lower the learning rate (by three to ten times), warm it up, clip gradients, enlarge the batch. "
        "With NaN look at the first batch that gives one.",
        topic="training",
        function=check_non_convergence,
        over="training",
    ),
    Check(
        code="E-F3",
        name="bad-negatives",
        reference="E-F3. The mean of the last quarter of the logged shares of easy and of hard triplets, and the "
        "training loss of the last quarter against the quarter before",
        minimum_effect="95 % easy or 50 % hard, while the loss falls by less than 5 % from one quarter to the next",
        alarm_rate=ALARM_RATE,
        severity=Severity.WARNING,
        cause="Triplets teach nothing any more: nearly all negatives are far away already, or so many are nearer "
        "than the positive that the loss pulls everything together; duplicates and wrong labels among "
        "negatives look hard too.",
        remedy="Mine semi-hard negatives within the batch; where hard ones dominate, look at some of them for "
        "wrong labels, or begin with easier ones.",
        topic="training",
        function=check_bad_negatives,
        over="training",
    ),
)
