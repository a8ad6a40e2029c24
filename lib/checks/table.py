"""The declared table of checks: documentation, JSON and the tests on clean data all come from it."""

from __future__ import annotations

from lib.checks.boundary_mass import check_boundary_mass
from lib.checks.class_imbalance import check_class_imbalance
from lib.checks.constant_score import check_constant_score
from lib.checks.feature_drift import check_feature_drift
from lib.checks.label_encoding import check_label_encoding
from lib.checks.label_flip import check_label_flip
from lib.checks.margin_collapse import check_margin_collapse
from lib.checks.miscalibration import check_miscalibration
from lib.checks.missing_deploy_context import check_missing_deploy_context
from lib.checks.missing_telemetry import check_missing_telemetry
from lib.checks.repeated_ids import check_duplicate_ids, check_leaky_split
from lib.checks.result import ALARM_RATE, Check, Severity
from lib.checks.score_drift import check_score_drift
from lib.checks.serving import check_cost_regression, check_latency_regression
from lib.checks.small_sample import check_small_sample
from lib.checks.support_vectors import check_few_support_vectors, check_many_support_vectors
from lib.checks.training_table import TRAINING_CHECKS
from lib.checks.worse_answers import check_false_positive_rise, check_quality_regression, check_threshold_shift
from lib.checks.worse_cohorts import check_cohort_disparity
from lib.checks.wrong_labels import check_noisy_labels

CHECKS: tuple[Check, ...] = (
    Check(
        code="H-F5",
        name="label-flip",
        reference="H-F5. Wilcoxon's rank statistic in every version, cohort value and run of windows, and in their "
        "combinations (scan statistic, Kulldorff 1997); rarer values of a cohort column with 20 rows or more, over all "
        "time; Bonferroni over all of them. Where two columns cross, in the cohorts that `noisy-labels`, "
        "`cohort-disparity` and `quality-regression` find. Of several classes, the exchanges "
        "that explain best what answers a part has too many of (an assignment problem); the rows that an exchange "
        "makes right against those that are right, Fisher's exact test over all parts and exchanges of as many "
        "classes, and the likelihood of each class's answers",
        minimum_effect="AUC at most 0.4 in the part, while the rest is right (AUC about 0.6 or more); of several "
        "classes, of the rows of those that are exchanged 20 points more would be right with them exchanged back, "
        "elsewhere 10 points fewer",
        alarm_rate=ALARM_RATE,
        severity=Severity.ERROR,
        cause="In this part, and only there, rows of the positive class score below rows of the negative one, or rows "
        "of one class are answered as another. That does not happen by drift: the scores were turned around (a class "
        "or feature mapping, most often by a deploy) or the labels were (a label mapping, a join, whoever labels "
        "there). The numbers cannot tell which of the two.",
        remedy="Look at some of these rows to see whether score or label is wrong. The score: roll back the deploy "
        "that covers this part, fix the mapping there, and score its rows again. The label: fix the labels of this "
        "part at their source; the model needs no change.",
        topic="losses",
        function=check_label_flip,
    ),
    Check(
        code="H-F6",
        name="label-encoding",
        reference="H-F6. Wilcoxon's rank statistic over everything, each version ranked by itself; of several classes "
        "the exchange that makes most rows right, with a sign test over all exchanges; no version, cohort or run of "
        "windows is right",
        minimum_effect="AUC at most 0.4 over everything; of the rows of exchanged classes 20 points more would be "
        "right with them exchanged back",
        alarm_rate=ALARM_RATE,
        severity=Severity.ERROR,
        cause="Every part orders the classes the wrong way round, so the wrong label is taken as the positive class, "
        "or the score is that of the negative class; of several classes, scores stand in each other's columns.",
        remedy="Declare the other positive class, or use the score of the positive class; of several, name each column "
        "after the class whose score it holds.",
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
        "whole version must have lost separation too, in a number that the scale does not enter (AUC, of several "
        "classes accuracy); log odds have a unit, and there it is the mean logistic loss",
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
        code="H-F10",
        name="few-support-vectors",
        reference="H-F10. The error rate on held-out rows against the share of support vectors among training rows, "
        "which bounds the expected error on rows drawn alike (Luntz and Brailovsky 1969; Vapnik 1998, theorem 10.5); "
        "Wilson's intervals, Bonferroni over the shown versions. Only decision scores whose training rows rest at a "
        "margin of 1, more of them than in any stretch as narrow beside it (Poisson's tail)",
        minimum_effect="an error rate for certain 2 points above the share; 100 held-out rows and 100 training rows, "
        "30 of each class",
        alarm_rate=ALARM_RATE,
        severity=Severity.WARNING,
        cause="A model that rests on so few rows would err as seldom on rows like those it was trained on. So the "
        "training rows are not like the held-out ones: rows come many times or were selected, a feature gave the "
        "answer away, or held-out rows are from another time or place. Or C is so large that the rows were parted "
        "whatever it took.",
        remedy="Look for repeated rows and for features that know the answer, draw the splits alike, and tune C by "
        "cross-validation on splits that are drawn as the held-out rows are.",
        topic="support_vectors",
        function=check_few_support_vectors,
    ),
    Check(
        code="H-F10",
        name="many-support-vectors",
        reference="H-F10. The share of support vectors among training rows, less what noise explains: of rows short "
        "of the margin twice the error rate on held-out rows (on training rows where those are fewer than 100), to "
        "which the share tends in large samples (Steinwart 2003), and none that rest on the margin itself; Wilson's "
        "intervals, Bonferroni over the shown versions. Only where training rows rest on the margin, as for "
        "`few-support-vectors`",
        minimum_effect="for certain at least 50 % of training rows, and 25 points more than noise explains; 100 "
        "training rows, 30 of each class",
        alarm_rate=ALARM_RATE,
        severity=Severity.INFO,
        cause="Where most support vectors are short of the margin, C is so small that the margin is wide and the model "
        "hardly follows the data. Where most rest on the margin itself, the model has as many features, or as narrow "
        "a kernel, as following every row takes. Noise in the labels makes many support vectors too, but then errors "
        "are as frequent; here they are fewer.",
        remedy="Tune C by cross-validation: a larger one where rows are short of the margin; fewer features or a wider "
        "kernel where they rest on it.",
        topic="support_vectors",
        function=check_many_support_vectors,
    ),
    Check(
        code="H-F9",
        name="cohort-disparity",
        reference="H-F9. Violation rate of a cohort value against the rest of its version, Fisher's exact one-sided "
        "test, Holm over all cohort columns, values and shown versions; rarer values are screened by "
        "counts at the step of 0.1 below γ, and those found are tested by their rows, Bonferroni. Where its wrong "
        "answers lie in one value of another column, the crossing is named, as for `noisy-labels`",
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
        "Bonferroni. Records that cannot be used, of all records, and rows whose time cannot be read, of all and of "
        "each version, Wilson's interval",
        minimum_effect="5 points more missing scores, 10 points more missing labels; at most a tenth of the rows that "
        "were to be expected; scores missing in half of all rows, or every label; beyond doubt more than 1 % of "
        "records unusable, or of the times of all rows or a version unreadable (fewer move no rate by more than 1 "
        "point); half of them or more is an error",
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
    Check(
        code="H-F17",
        name="class-imbalance",
        reference="H-F17. Wilson's interval of the share of the rarer class among the labelled rows of each shown "
        "version, Bonferroni",
        minimum_effect="beyond doubt at most 10 % of labelled rows are of the rarer class (a model that never finds it "
        "is right for nine rows of ten), of K classes a fifth of n/K; a warning where its violation rate is for "
        "certain 20 points above the total",
        alarm_rate=ALARM_RATE,
        severity=Severity.INFO,
        cause="One class dominates, so accuracy, loss and violation rate over all rows are those of that class, and "
        "what happens to the other hardly moves them.",
        remedy="Read the numbers of each class, recall, precision and average precision; weight the classes in "
        "training, and choose the threshold for the rarer one.",
        topic="margins",
        function=check_class_imbalance,
    ),
    Check(
        code="H-F19",
        name="missing-deploy-context",
        reference="H-F19. Share of rows without a version (a column, or several files) and without a readable time, "
        "counted over all rows: nothing is estimated",
        minimum_effect="more than half of the rows lack it",
        alarm_rate=ALARM_RATE,
        severity=Severity.INFO,
        cause="What looks wrong cannot be tied to a deploy: where the version is missing nothing can be compared, "
        "where the time is missing nothing tells when it began.",
        remedy="Write the model's version and the time of the prediction with every row, or give one file for each "
        "version.",
        topic="home",
        function=check_missing_deploy_context,
    ),
    Check(
        code="H-F21",
        name="duplicate-ids",
        reference="H-F21. Rows with the id of an earlier row of the same version and split, counted over all rows: "
        "nothing is estimated",
        minimum_effect="at least 1 in 1,000 rows of a version; a warning from 1 % on (they can move a rate by a point)",
        alarm_rate=ALARM_RATE,
        severity=Severity.INFO,
        cause="Something wrote rows twice (a retry, an overlapping export, a join that multiplies rows), or the id "
        "names something else than a row, such as a user. Repeated rows count several times, and intervals are too "
        "narrow.",
        remedy="Keep one row of each id, or name the column that tells rows apart as the id.",
        topic="home",
        function=check_duplicate_ids,
    ),
    Check(
        code="H-F21",
        name="leaky-split",
        reference="H-F21. Rows of validation and test splits with the id of a training row of the same version, "
        "counted over all rows: nothing is estimated",
        minimum_effect="at least 1 in 1,000 held-out rows of a version; a warning from 1 % on (they can move a rate by "
        "a point)",
        alarm_rate=ALARM_RATE,
        severity=Severity.INFO,
        cause="The split was drawn by row instead of by id, or data was split anew after training. The model has seen "
        "these rows, so numbers of the held-out splits are too good.",
        remedy="Split by id, take these rows out of the held-out splits, and compare versions on what is left.",
        topic="home",
        function=check_leaky_split,
    ),
    Check(
        code="H-F15",
        name="feature-drift",
        reference="H-F15. Every numeric feature (Kolmogorov–Smirnov over 40 bins) and cohort column ("
        "Fisher's exact test of the category that changed most), and the share of missing values (Fisher): the "
        "candidate against the baseline, each split against the others, every run of windows against the rest of its "
        "version, split by split; Bonferroni over all of these and all features",
        minimum_effect="a Kolmogorov–Smirnov distance of at least 0.1 (a mean moved by a quarter of the spread), a "
        "category's share changed by 3 points, or 5 points more or fewer missing values",
        alarm_rate=ALARM_RATE,
        severity=Severity.WARNING,
        cause="The model is given something else than before: a unit or an encoding was changed, a join or a default "
        "fills in where a source is missing, staging computes a feature otherwise than production, or the world has "
        "changed.",
        remedy="Compare how these features are made in the two places, and restore parity; where the world has "
        "changed, retrain on recent data.",
        topic="features",
        function=check_feature_drift,
    ),
    Check(
        code="H-F8",
        name="boundary-mass",
        reference="H-F8. Rows at each distinct score of a version against five times the mean of the five scores "
        "on either side, Poisson's tail, Bonferroni over all scores and versions. Where neighbours have nothing in "
        "common the model answers in steps, and none is told; the ends of a rounded scale are not compared. Rows with "
        "p exactly 0 or 1 that are wrong, in each version, against what writing p in steps allows (binomial tail, "
        "Bonferroni over versions)",
        minimum_effect="at least 5 % of a version's rows at one score, 20 % at an end of the scale, and five times "
        "what the scores around it hold; or at least five wrong rows with p exactly 0 or 1 that carry at least 20 % of "
        "a version's log loss (clipped at 2·10⁻¹⁶)",
        alarm_rate=ALARM_RATE,
        severity=Severity.WARNING,
        cause="A default or a fallback answers in place of the model (p = 0.5, a score of 0), scores are clipped at a "
        "limit, or training rows rest on the margin at ±1: the classes overlap more than the model can part them. "
        "A p of exactly 0 or 1 is no answer of a model that answers in between: decisions or fallbacks are logged for "
        "some rows, p was rounded, or a tree's leaf holds one class only; each wrong one costs what clipping allows.",
        remedy="Look at some of these rows. A default: mend what the model was not given, or log that it did not "
        "answer. A limit: log scores before they are clipped. The margin: add features, or a more able kernel. Certain "
        "errors: log p with all its digits, leave decisions out, or smooth the leaves and calibrate.",
        topic="margins",
        function=check_boundary_mass,
    ),
    Check(
        code="H-F14",
        name="score-drift",
        reference="H-F14. Mean rank of the scores of every run of windows, of all rows and of each cohort value, "
        "against the other windows of the same version (scan statistic, Kulldorff 1997), with the variance between "
        "windows where that is more than chance; splits of a version, training apart, by Kolmogorov–Smirnov; "
        "Bonferroni. Parts that other checks name are left out, versions are not compared with each other",
        minimum_effect="a population stability index of at least 0.2 over ten bins of equal rank, beyond what so few "
        "rows give by chance; in time also a row that scores above the others with at least 60 % (or at most 40 %)",
        alarm_rate=ALARM_RATE,
        severity=Severity.WARNING,
        cause="The model meets with other inputs than before: the world has changed, traffic comes from elsewhere, or "
        "a feature is computed otherwise. Where only the classes have another mix, the model itself may be as good as "
        "it was, but its threshold and its calibration are of the old mix.",
        remedy="Look at the features of this time or split for the one that has moved. Within the classes: restore "
        "the feature, or retrain on recent data. Another mix: choose the threshold and calibrate anew.",
        topic="margins",
        function=check_score_drift,
    ),
    Check(
        code="H-F20",
        name="noisy-labels",
        reference="H-F20. Share of wrong rows among those that the model is sure of (2 in log odds; decision scores: "
        "the median size), Fisher's exact test in every cohort value and run of windows, Bonferroni; and a share of "
        "labels that are wrong at random fits the part with a larger likelihood than a model that is weaker there. A "
        "cohort that is found is looked at by every other cohort column: where its wrong answers lie in one value of "
        "another, the crossing of the two is named (Fisher's exact test within the cohort)",
        minimum_effect="5 points more of the sure rows are wrong than elsewhere",
        alarm_rate=ALARM_RATE,
        severity=Severity.WARNING,
        cause="The labels of this part are not reliable: somebody labels by other rules or in haste, a source of "
        "labels is worse, or labels were joined to the wrong rows. Its numbers look worse than the model is. Where "
        "nearly half of the labels would have to be wrong, the scores may be the broken ones: they know nothing of "
        "these rows.",
        remedy="Review the rows of this part with the largest loss first; where labels turn out wrong, mend them at "
        "their source and leave them out of training until then.",
        topic="losses",
        function=check_noisy_labels,
    ),
    Check(
        code="H-F11",
        name="miscalibration",
        reference="H-F11. The Brier score's miscalibration, how far it falls under the isotonic fit (Dimitriadis, "
        "Gneiting and Jordan 2021), against that of labels drawn 1,000 times with the probabilities themselves, Holm "
        "over the shown versions; for raw decision scores where recalibration gives probabilities, on rows that their "
        "map has not seen. Where another check says why probabilities are off, this is told as what follows from it",
        minimum_effect="a debiased calibration error of at least 0.02: two points between p and what comes true",
        alarm_rate=ALARM_RATE,
        severity=Severity.WARNING,
        cause="A probability does not mean what it says, so a threshold on it, an expected cost or a sum of them is "
        "off: the model was fitted without calibration or too closely to its training rows, classes were weighted or "
        "sampled there, or the share of positives has changed since.",
        remedy="Recalibrate on held-out rows: by temperature or Platt's map where it is too sure or too unsure, by a "
        "beta or isotonic map where the curve bends otherwise and there are rows enough. The Calibration page compares "
        "them and gives the map.",
        topic="calibration",
        function=check_miscalibration,
    ),
    Check(
        code="H-F12",
        name="threshold-shift",
        reference="H-F12. The shares of positives and of negatives that are flagged (a score above 0), in the "
        "candidate against the baseline, without the parts that other checks name: both higher or both lower, Fisher's "
        "exact test of each, while the AUC is kept; and more errors, or a larger mean of both error rates, normal "
        "one-sided test. In time, the runs of windows that `quality-regression` and `false-positive-rise` find, where "
        "the same is true of them",
        minimum_effect="10 points more or fewer of one class are flagged, the AUC is less than 0.02 lower, and it "
        "costs 2 points of all rows or of the mean of both classes' error rates; in time 5 points of rows",
        alarm_rate=ALARM_RATE,
        severity=Severity.WARNING,
        cause="The model tells the classes apart as well as before, but the line between them lies elsewhere: a "
        "threshold or an offset was changed, classes were weighted or sampled otherwise in training, or the "
        "calibration step of another version is in place.",
        remedy="Check the threshold mapping of the deploy. Choose the threshold anew on recent labelled rows (the "
        "Thresholds page does it), or recalibrate; the model needs no change.",
        topic="thresholds",
        function=check_threshold_shift,
    ),
    Check(
        code="H-F13",
        name="false-positive-rise",
        reference="H-F13. Share of negatives that are flagged, in the candidate against the baseline, and in every "
        "run of windows, of all rows and of each cohort value, against the other times of its versions (scan "
        "statistic, Kulldorff 1997); Fisher's exact one-sided test, Bonferroni. Parts that other checks name are left "
        "out, and so is a rise that comes with as many more missed positives: that is a regression",
        minimum_effect="5 points and a fifth more of the negatives are flagged, and two thirds of the errors that "
        "there are more of are false positives",
        alarm_rate=ALARM_RATE,
        severity=Severity.WARNING,
        cause="Negatives are flagged that were not: the new model was trained with more slack (a smaller C) or on "
        "other negatives, its threshold is lower than it seems, or negatives of a kind that it does not know have "
        "come.",
        remedy="Look at the negatives that are flagged now and were not before. Where they are of one kind, put such "
        "rows into training; else tune C, or raise the threshold as far as the lost recall allows.",
        topic="thresholds",
        function=check_false_positive_rise,
    ),
    Check(
        code="H-F23",
        name="quality-regression",
        reference="H-F23. Share of wrong answers with the classes in one mix (normal one-sided test) and ROC AUC "
        "(DeLong's interval), the candidate against the baseline; share of wrong answers in every run of windows, of "
        "all rows and of each cohort value, against the other times of its versions, class by class (scan statistic, "
        "Kulldorff 1997; Fisher's exact test); Bonferroni. Parts that other checks name are left out",
        minimum_effect="2 points more wrong answers, or an AUC 0.02 lower, than the baseline; in time 5 points more "
        "wrong answers",
        alarm_rate=ALARM_RATE,
        severity=Severity.WARNING,
        cause="Answers are worse, and no fault that has a sign of its own explains it: the candidate is the weaker "
        "model (fewer or other features, less or older data, stronger regularisation), or for a time the cases were "
        "harder or the features poorer.",
        remedy="A version: compare the two on the same rows, look at those that only the new one gets wrong, and do "
        "not deploy it, or roll back. A time: look at the features and the slices of that time.",
        topic="comparison",
        function=check_quality_regression,
    ),
    Check(
        code="H-F22",
        name="latency-regression",
        reference="H-F22. Share of the candidate's rows above the baseline's median and 95 % quantile of the latency "
        "column, Fisher's exact one-sided test, counted in effective rows, by how much more windows differ than rows "
        "do by chance; Bonferroni over both",
        minimum_effect="a median at least 10 % or a 95th percentile at least 20 % above the baseline's; 100 rows of "
        "each",
        alarm_rate=ALARM_RATE,
        severity=Severity.WARNING,
        cause="The candidate is a heavier model, computes or fetches more features, or runs on other or busier "
        "machines.",
        remedy="Compare the two under the same load; profile the slow requests, and weigh what the quality gained is "
        "worth.",
        topic="home",
        function=check_latency_regression,
    ),
    Check(
        code="H-F22",
        name="cost-regression",
        reference="H-F22. Mean of the cost column, candidate against baseline, normal one-sided test, counted in "
        "effective rows, by how much more windows differ than rows do by chance",
        minimum_effect="a mean at least 10 % above the baseline's; 100 rows of each",
        alarm_rate=ALARM_RATE,
        severity=Severity.WARNING,
        cause="The candidate is a heavier model, reads or calls more for each prediction, or serves costlier requests "
        "than before.",
        remedy="Compare the two on the same requests, and weigh what the quality gained is worth.",
        topic="home",
        function=check_cost_regression,
    ),
    *TRAINING_CHECKS,
)
