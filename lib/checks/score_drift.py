"""H-F14: the scores of a version move for a time, or differ between splits, as `score_shifts` finds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lib.cells import POSITIVE, UNLABELLED
from lib.checks import words
from lib.checks.moves import LEAST_ROWS, Move
from lib.checks.result import ALARM_RATE, Answer, Check, Finding, NotApplicable, Passed, Severity, Status
from lib.checks.score_shifts import Drift, find_drifts
from lib.scan.ids import TRAIN_SPLITS
from lib.schema import SPLIT, VERSION

if TYPE_CHECKING:
    from lib.diagnose import Diagnosis


def check_score_drift(diagnosis: Diagnosis) -> Answer:
    """Warn of each part whose scores have moved; where only the mix of the classes has, it is information."""
    if diagnosis.cells(VERSION).scored.n.sum() < 2 * LEAST_ROWS:
        return NotApplicable("There are too few rows with a score.")
    by_label = diagnosis.cells(VERSION).scored.n.sum(axis=0)
    if diagnosis.facts.mapping.is_multiclass and by_label[UNLABELLED] and by_label[POSITIVE]:
        return NotApplicable(
            "Of several classes the score of a labelled row is its margin, of the others the lead of the first answer, "
            "and there are rows of both kinds: a drift could be one of labels."
        )
    judged = {str(each).lower() for each in diagnosis.cells(VERSION, SPLIT).groups[SPLIT]} - {*TRAIN_SPLITS}
    if diagnosis.facts.windows is None and len(judged) < 2:
        return NotApplicable("There are neither times nor two splits, training apart, to compare.")
    drifts = find_drifts(diagnosis)
    if not drifts.trials and not drifts.explained:
        return NotApplicable(
            f"There are neither two windows nor, training apart, two splits of {LEAST_ROWS:,} rows to compare."
        )
    if not drifts.found:
        beyond = ", beyond what other findings explain" if drifts.explained else ""
        return Passed(
            f"Within each version scores stay where they are{beyond} ({words.plural(drifts.trials, 'part')} looked at, "
            f"n = {words.count(drifts.n)}).",
            {"n": drifts.n, "n_parts": int(drifts.trials)},
        )
    return [_finding(diagnosis, each) for each in drifts.found]


def _finding(diagnosis: Diagnosis, drift: Drift) -> Finding:
    move = drift.move
    return Finding(
        Status.WARN,
        drift.version,
        drift.where,
        f"{_sentence(diagnosis, drift)}{'' if diagnosis.facts.mapping.is_multiclass else _why(move)}",
        {
            "n": int(move.n),
            "split": drift.split,
            "stability_index": move.psi,
            "ks": move.ks,
            "wasserstein": move.wasserstein,
            "positive_share": move.positive_share[0],
            "positive_share_reference": move.positive_share[1],
            "share_from_class_mix": move.mix,
            "p_adjusted": drift.p,
            "consequences": [],
        },
        drift.gain,
        Severity.INFO if move.is_mix else None,
    )


def _sentence(diagnosis: Diagnosis, drift: Drift) -> str:
    """What has moved where, by how much."""
    move = drift.move
    split = "" if drift.split is None else f" in split {drift.split or '(none)'}"
    scores = "Margins" if diagnosis.facts.mapping.is_multiclass else "Scores"
    what = f"{scores} have moved" if drift.split is None else f"{scores} are different"
    place = f"{split}{words.place(drift.version, drift.where, diagnosis.facts)}"
    return (
        f"{what} {'up' if move.shift > 0 else 'down'}{place}: PSI {move.psi:.2f}, by {move.wasserstein:.2f} standard "
        f"deviations (KS {move.ks:.2f}, n = {words.count(move.n)})"
    )


def _why(move: Move) -> str:
    if np.isnan(move.mix):
        return "; there are too few labels to tell why"
    shares = (
        f"{words.percent(move.positive_share[0])} of rows are positive against {words.percent(move.positive_share[1])}"
    )
    if move.is_mix:
        return f", because the classes have another mix: {shares}"
    return f", within the classes: {shares}"


def explained_drifts(diagnosis: Diagnosis) -> list[tuple[str | None, str]]:
    """(version, sentence) for each drift that the rows of another finding account for."""
    return [(each.version, _sentence(diagnosis, each)) for each in find_drifts(diagnosis).explained]


SCORE_DRIFT = Check(
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
)
