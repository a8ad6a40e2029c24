"""How worse answers are said: of a version, of a time, of a cohort."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lib.cells import NEGATIVE, Cells
from lib.checks import words
from lib.checks.answer_counts import LEAST_AUC
from lib.checks.crossing import Crossing
from lib.checks.regressions import Regression
from lib.checks.result import Where
from lib.checks.worse_version import WorseVersion
from lib.checks.worsening import Worsening
from lib.grid import MISSING_BIN
from lib.schema import VERSION

if TYPE_CHECKING:
    from lib.diagnose import Diagnosis

Worse = Worsening | WorseVersion | Regression


def regression_title(diagnosis: Diagnosis, each: Regression) -> str:
    """What is worse for which rows, and that the others are not."""
    settings = diagnosis.settings
    place = words.place(settings.candidate, Where(each.cohort), diagnosis.facts)
    place += each.apart.words
    rest = f"{words.percent(each.rest.accuracy)} against {words.percent(each.rest_there.accuracy)}"
    said = sentence(each, place, f"in version {settings.baseline or '(none)'}")
    return f"{said}; of all other rows {rest} are right"


def sentence(each: Worse, place: str, against: str) -> str:
    """What is worse where, against what."""
    here, there = each.here, each.there
    (found, flagged), (found_before, flagged_before) = here.rates, there.rates
    rates = ""
    if each.kind != "errors":
        rates = (
            f"{words.percent(flagged)} of negatives against {words.percent(flagged_before)} {against}, "
            f"{words.percent(found)} of positives against {words.percent(found_before)}"
        )
    n = f"n = {words.count(here.n)}"
    ordered = "" if np.isnan(each.auc) else f", {_auc(each)}"
    if each.kind == "threshold":
        chance = "" if each.auc > each.auc_there - LEAST_AUC else ", within chance"
        more = "more" if flagged > flagged_before else "fewer"
        return f"The threshold flags {more}{place}: {rates}; classes are ordered as well{chance} ({_auc(each)}, {n})"
    if each.kind == "false positives":
        return f"More false positives{place}: {rates} ({n}{ordered})"
    accuracy = f"accuracy {words.percent(here.accuracy)} against {words.percent(there.accuracy)}"
    return f"More wrong answers{place}: {accuracy} {against}{ordered} ({n})"


def evidence_of(each: Worse, trials: float) -> dict[str, Any]:
    """The numbers of a sentence for JSON."""
    (found, flagged), (found_before, flagged_before) = each.here.rates, each.there.rates
    return {
        "n": int(each.here.n),
        "accuracy": each.here.accuracy,
        "accuracy_reference": each.there.accuracy,
        "recall": found,
        "recall_reference": found_before,
        "false_positive_rate": flagged,
        "false_positive_rate_reference": flagged_before,
        "roc_auc": each.auc,
        "roc_auc_reference": each.auc_there,
        "p_adjusted": each.p,
        "n_parts": int(trials),
        "consequences": [],
    }


def strength_of(each: Worse) -> float:
    """By which findings of one severity are ordered: how many more answers are wrong, in standard errors or so."""
    return (each.here.wrong / each.here.n - each.there.wrong / each.there.n) * float(np.sqrt(each.here.n))


def within(crossing: Crossing) -> str:
    """In which part of a cohort its errors lie."""
    of_value = [f"within {column} = {value or '(none)'}" for column, value in crossing.part.cohorts[1:]]
    place = "".join(of_value) or crossing.apart.words.strip()
    return (
        f"; they lie {place}, where {words.percent(crossing.share)} are wrong against "
        f"{words.percent(crossing.share_rest)} in the rest of it"
    )


def _auc(each: Worse) -> str:
    return f"AUC {each.auc:.2f} against {each.auc_there:.2f}"


def restored(diagnosis: Diagnosis, each: WorseVersion, version: str) -> str:
    """The threshold at which the candidate flags as many negatives as the baseline."""
    at = threshold_that_flags(diagnosis.cells(VERSION).among(VERSION, (version,)), each.there.rates[1])
    return f". Beyond {words.score(at, diagnosis.facts.mapping)} it would flag as many negatives as before"


def threshold_that_flags(cells: Cells, share: float) -> float:
    """The score beyond which at most a share of the negatives lies."""
    use = (cells.block % 3 == NEGATIVE) & (cells.score_bin != MISSING_BIN)
    score, rows = cells.score[use], cells.sums[use, 0]
    order = np.argsort(score, kind="stable")
    reach = np.cumsum(rows[order])
    return float(score[order][np.searchsorted(reach, (1 - share) * reach[-1] - 1e-9)])
