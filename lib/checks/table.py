"""The declared table of checks: documentation, JSON and the tests on clean data all come from it."""

from __future__ import annotations

from lib.checks.cohort_disparity import check_cohort_disparity
from lib.checks.constant_score import check_constant_score
from lib.checks.label_encoding import check_label_encoding
from lib.checks.label_flip import check_label_flip
from lib.checks.margin_collapse import check_margin_collapse
from lib.checks.missing_telemetry import check_missing_telemetry
from lib.checks.result import ALARM_RATE, Check, Severity
from lib.checks.small_sample import check_small_sample

CHECKS: tuple[Check, ...] = (
    Check(
        code="H-F5",
        name="label-flip",
        reference="H-F5. Wilcoxon's rank statistic in every version, cohort value and run of windows, and in their "
        "combinations (scan statistic, Kulldorff 1997); Bonferroni over all of them",
        minimum_effect="AUC at most 0.4 in the part, while the rest is right (AUC about 0.6 or more)",
        alarm_rate=ALARM_RATE,
        severity=Severity.ERROR,
        cause="In this part, and only there, rows of the positive class score below rows of the negative one. That "
        "does not happen by drift: the scores were turned around (a class or feature mapping, most often by a deploy) "
        "or the labels were (a label mapping, a join, whoever labels there). An AUC below ½ cannot tell which of the "
        "two.",
        remedy="Look at some of these rows to see whether score or label is wrong. The score: roll back the deploy "
        "that covers this part, fix the mapping there, and score its rows again. The label: fix the labels of this "
        "part at their source; the model needs no change.",
        topic="losses",
        function=check_label_flip,
    ),
    Check(
        code="H-F6",
        name="label-encoding",
        reference="H-F6. Wilcoxon's rank statistic over everything, each version ranked by itself; no version, cohort "
        "or run of windows is right",
        minimum_effect="AUC at most 0.4 over everything",
        alarm_rate=ALARM_RATE,
        severity=Severity.ERROR,
        cause="Every part orders the classes the wrong way round, so the wrong label is taken as the positive class, "
        "or the score is that of the negative class.",
        remedy="Declare the other positive class, or use the score of the positive class.",
        topic="home",
        function=check_label_encoding,
    ),
    Check(
        code="H-F7",
        name="constant-score",
        reference="H-F7. Share of the most frequent score against the rest, Fisher's exact test, in every version, "
        "cohort value and run of windows; Bonferroni over all of them",
        minimum_effect="one score holds at least 50 % of a part's rows and at least 30 points more than elsewhere; or "
        "a version of 30 rows or more has at most two distinct scores",
        alarm_rate=ALARM_RATE,
        severity=Severity.ERROR,
        cause="The model answers the same whatever it is asked: its inputs are constants or defaults, a fallback "
        "answers in its place, or hard decisions were logged instead of scores.",
        remedy="Follow one of these rows through the pipeline to where its features become constant, or log the score "
        "instead of the decision.",
        topic="margins",
        function=check_constant_score,
    ),
    Check(
        code="H-F2",
        name="margin-collapse",
        reference="H-F2. Share of rows below the reference's 25 % quantile of |score| in each class, or half its "
        "median where that is less: a version against the baseline, a part of a version against the rest of it; "
        "Fisher's exact test, Bonferroni over all parts. Decision scores of two models may be on two scales, so a "
        "whole version must have lost separation too, in a number that the scale does not enter (AUC); log odds have a "
        "unit, and there it is the mean logistic loss",
        minimum_effect="at least 50 % of rows are below what at most 25 % of the reference are below, and below half "
        "of its median: about a threefold shrink; in a whole version with labels also an AUC at least 0.03 lower, 0.01 "
        "for certain (decision scores), or a logistic loss at least 10 % higher for certain (log odds)",
        alarm_rate=ALARM_RATE,
        severity=Severity.WARNING,
        cause="The model has become unsure: inputs have drifted away from what it was trained on, features are "
        "missing, it was trained with stronger regularisation, or its probabilities are not calibrated.",
        remedy="Compare the inputs of this part with the training data; retrain on recent data, weaken the "
        "regularisation (a larger C), or calibrate the probabilities.",
        topic="margins",
        function=check_margin_collapse,
    ),
    Check(
        code="H-F9",
        name="cohort-disparity",
        reference="H-F9. Violation rate of a cohort value against the rest of its version, Fisher's exact one-sided "
        "test, Holm over all cohort columns, values and shown versions",
        minimum_effect="at least 5 points above the rest; cohorts of at least 30 labelled rows",
        alarm_rate=ALARM_RATE,
        severity=Severity.WARNING,
        cause="The model serves this group worse than the others: too few or unlike examples of it in training, "
        "features that mean something else there, or another balance of the classes.",
        remedy="Rebalance the training data, look at the features that matter in this group, or set its own threshold.",
        topic="cohorts",
        function=check_cohort_disparity,
    ),
    Check(
        code="H-F18",
        name="missing-telemetry",
        reference="H-F18. Share of rows without a score or label against the rest, Fisher's exact test, in every "
        "version, cohort value and run of windows; windows without rows against their like, quasi-Poisson; "
        "Bonferroni. Records that cannot be used, of all records, Wilson's interval",
        minimum_effect="5 points more missing scores, 10 points more missing labels; at most a tenth of the rows that "
        "were to be expected; scores missing in half of all rows, or every label; beyond doubt more than 1 % of "
        "records unusable (fewer move no rate by more than 1 point)",
        alarm_rate=ALARM_RATE,
        severity=Severity.WARNING,
        cause="What happened there was not recorded, or not so that it can be read: a logger was switched off or "
        "broke, a join lost rows, a column has changed its format, or labels come late. Every number over this part is "
        "over what is left.",
        remedy="Repair the logging of this part, fill in what can be recovered, and read its numbers with care.",
        topic="home",
        function=check_missing_telemetry,
    ),
    Check(
        code="H-F16",
        name="small-sample",
        reference="H-F16. Wilson's interval of the violation rate of each shown version",
        minimum_effect="wider than ± 5 points, or fewer than 30 labelled rows of a class",
        alarm_rate=ALARM_RATE,
        severity=Severity.INFO,
        cause="Intervals are so wide that a good model and a bad one look alike.",
        remedy="Label more rows, or look at a longer period; the finding says how many are missing, or of which class "
        "there are none.",
        topic="home",
        function=check_small_sample,
    ),
)
