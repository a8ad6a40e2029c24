"""The rows of the table of checks that are about vectors; bad negatives (E-F3) are told of training histories."""

from __future__ import annotations

from lib.checks.embeddings.drift import check_embedding_drift
from lib.checks.embeddings.index import check_duplicates, check_index_corruption
from lib.checks.embeddings.leakage import check_leakage
from lib.checks.embeddings.recall import check_recall_drop, check_segment_skew
from lib.checks.embeddings.seasonal import check_seasonal_drift
from lib.checks.embeddings.shape import check_collapse, check_hubness, check_oversized_dimension
from lib.checks.result import ALARM_RATE, Check, Severity

EMBEDDING_CHECKS: tuple[Check, ...] = (
    Check(
        code="E-F1",
        name="embedding-drift",
        reference="E-F1, E-M5. Centroid shift, Kolmogorov–Smirnov by dimension, MMD and a domain classifier, each "
        "against what dealing the sides anew gives; the two vectors of an id swap sides. Where turning the candidate "
        "onto the baseline (Procrustes) leaves at most three quarters of how far rows have moved, what is left after "
        "turning is compared; each cohort against itself otherwise. Rows of an unchanged direction are stale where the "
        "others lie in other coordinates; two groups of residuals of the others are rows of two histories. "
        "Holm over measures and cohorts",
        minimum_effect="the mean moved by 0.15 of the spread, one dimension by 0.1 (Kolmogorov–Smirnov), an MMD of "
        "0.05, or a classifier with a ROC AUC of 0.55; of stale rows 1 % and 20; of two histories 1 % of the rows and "
        "residuals three times as large",
        alarm_rate=ALARM_RATE,
        severity=Severity.WARNING,
        cause="The inputs are others than before, or the model that embeds them is: another version, other "
        "preprocessing, or rows that were never embedded again. A rotation is none of these: it moves every "
        "coordinate and no neighbour.",
        remedy="Embed stale rows anew, so that all rows are of one model. Compare inputs and preprocessing of both "
        "versions. Roll out to a part of the traffic first, and roll back if recall falls too.",
        topic="drift",
        function=check_embedding_drift,
        over="embeddings",
    ),
    Check(
        code="E-F2",
        name="recall-drop",
        reference="E-F2, E-M1. Queries of the same id that either version can answer: as many lost as gained "
        "(McNemar, exact), overall and for each cohort value with 50 queries or more; Holm over all of these. Causes "
        "are the confirmed hypotheses that explain a tenth of the change or more. Where the baseline's recall@k is "
        "99 % or more, R-precision and MAP@R of paired queries too (paired interval, Holm over all measures)",
        minimum_effect="recall@k 2 points below the baseline's, in a segment 5 points; R-precision or MAP@R 2 points",
        alarm_rate=ALARM_RATE,
        severity=Severity.ERROR,
        cause="The candidate finds right answers that the baseline found no longer: what it holds is stale, mixed, "
        "not normalised, cut short or joined to other ids, or the model is worse.",
        remedy="Roll back. Mend the cause that is named and embed queries and gallery with one model; where none is, "
        "look at the queries that were lost and train with what displaced their answers as hard negatives.",
        topic="recall",
        function=check_recall_drop,
        over="embeddings",
    ),
    Check(
        code="E-F4",
        name="index-corruption",
        reference="E-F4, E-M6. Every row is looked at: nothing is estimated. Answers of an index that are given with "
        "the vectors against exact search, by the upper end of a bootstrap interval",
        minimum_effect="one row; an error from 1 % of the rows on. An index that gives fewer than 90 % of the nearest",
        alarm_rate=ALARM_RATE,
        severity=Severity.ERROR,
        cause="Rows were lost or written in part: a job that failed half way, a division by a norm of 0, values that "
        "overflowed, ids that were written twice. Of an approximate index: its search looks at too few rows.",
        remedy="Embed the rows that are named again and write the index anew. Of an approximate index: raise what it "
        "looks at (nprobe, efSearch) until recall is enough.",
        topic="retrieval",
        function=check_index_corruption,
        over="embeddings",
    ),
    Check(
        code="E-F5",
        name="leakage",
        reference="E-F5, E-M11. ROC AUC of a linear probe in held-out folds, mean over the values of each sensitive "
        "column, against labels dealt at random; Holm over columns and versions",
        minimum_effect="a ROC AUC of 0.6",
        alarm_rate=ALARM_RATE,
        severity=Severity.WARNING,
        cause="The vectors hold what tells people of these groups apart: whoever has the vectors has it too.",
        remedy="Treat the vectors as personal data. Leave the feature out of what is embedded, or train against the "
        "probe, and look whether recall is the same for all groups.",
        topic="drift",
        function=check_leakage,
        over="embeddings",
    ),
    Check(
        code="E-F6",
        name="segment-skew",
        reference="E-F6, E-M1. Queries without a right answer among the k nearest, of each cohort value against the "
        "rest of its version (Fisher's exact test); 50 queries or more on either side; Holm over values, columns and "
        "versions",
        minimum_effect="recall@k 10 points below the rest's",
        alarm_rate=ALARM_RATE,
        severity=Severity.WARNING,
        cause="The model has seen too few rows of this segment, or its items are harder to tell apart, or have fewer "
        "right answers to be found.",
        remedy="Draw training rows evenly from segments, add hard negatives from this one, and look at some of its "
        "lost queries.",
        topic="retrieval",
        function=check_segment_skew,
        over="embeddings",
    ),
    Check(
        code="E-F7",
        name="hubness",
        reference="E-F7, E-M8. How often each row is among the k nearest of a query: the share of all places that the "
        "most frequent 1 % of rows have, and the skewness of these counts with a bootstrap interval above 0; 100 rows "
        "or more, and 40 for each of the k",
        minimum_effect="30 % of all places (rows without any structure in 384 dimensions give them 22 %)",
        alarm_rate=ALARM_RATE,
        severity=Severity.WARNING,
        cause="A few rows are near everything and take the places of right answers: vectors of small norm under the "
        "Euclidean distance, a common direction in all vectors, or rows that are generic.",
        remedy="Normalise the vectors, take their mean away, or use the other distance; look at the hubs themselves.",
        topic="geometry",
        function=check_hubness,
        over="embeddings",
    ),
    Check(
        code="E-F8",
        name="collapse",
        reference="E-F8, E-M8. Participation ratio of the variance over principal axes, dimensions that hold one "
        "value, and the lower end of the interval of the mean cosine of all pairs; 100 rows of 8 dimensions or more",
        minimum_effect="a participation ratio of at most 3, or of 2 % of the dimensions; a quarter of the dimensions "
        "dead; a mean cosine of 0.95",
        alarm_rate=ALARM_RATE,
        severity=Severity.WARNING,
        cause="The loss has pulled everything together, or a layer has died: negatives that are too hard, a learning "
        "rate that is too large, vectors taken behind the projection head, or dimensions that were filled with 0.",
        remedy="Take vectors before the projection head; add a term for uniformity or variance to the loss, soften the "
        "negatives, and look at the layer of the dead dimensions.",
        topic="geometry",
        function=check_collapse,
        over="embeddings",
    ),
    Check(
        code="E-F9",
        name="oversized-dimension",
        reference="E-F9, E-M10. Recall@k of the same queries with principal axes and with the first dimensions alone, "
        "halved step by step; each is asked only if the larger one keeps recall within a point (paired intervals, "
        "Bonferroni over the ways); where recall@k is at its ceiling, R-precision is judged, and where that is "
        "too, nothing is",
        minimum_effect="a quarter of the dimensions",
        alarm_rate=ALARM_RATE,
        severity=Severity.INFO,
        cause="The vectors are wider than what they say: memory, traffic and search cost several times what they need.",
        remedy="Store the principal axes that are named, or train with nested dimensions (Matryoshka) and cut; measure "
        "recall on other queries first.",
        topic="dimensions",
        function=check_oversized_dimension,
        over="embeddings",
    ),
    Check(
        code="E-F10",
        name="duplicates",
        reference="E-F10, E-M12. Rows with a neighbour within a cosine distance of 0.02 (equal rows under the "
        "Euclidean distance) against how many have one where rows lie as evenly about each place as the four nearest "
        "do (Poisson); rows with exactly the vector of an earlier one are counted; near duplicates in different splits",
        minimum_effect="1 % of the rows, and twice as many near duplicates as chance gives",
        alarm_rate=ALARM_RATE,
        severity=Severity.WARNING,
        cause="The same thing was embedded several times, or got a default in place of a vector. Copies take places in "
        "every list; across splits they make held-out numbers too good.",
        remedy="Keep one of each group, and split by group. Where many rows have one vector, look at what was "
        "embedded.",
        topic="geometry",
        function=check_duplicates,
        over="embeddings",
    ),
    Check(
        code="E-F11",
        name="seasonal-drift",
        reference="E-F11. Means of windows (days of a week, sixths of a day) less the course of the cycles' means: "
        "products of windows of the same phase in different cycles, against phases dealt anew within each cycle; three "
        "cycles or more, 20 rows a window; Bonferroni over the two cycles",
        minimum_effect="a shift of 0.15 of the spread that all cycles share",
        alarm_rate=ALARM_RATE,
        severity=Severity.INFO,
        cause="What is embedded changes with the time of the week or of the day, and comes back. That is no fault, but "
        "a comparison of two days finds it.",
        remedy="Compare with a reference of the same phase, such as the same weekday, or with whole cycles.",
        topic="drift",
        function=check_seasonal_drift,
        over="embeddings",
    ),
)
