"""H-F10: a model rests on fewer of its training rows than its errors allow, or on more of them than noise explains.

Both speak of training rows of decision scores that rest at a margin of 1 as only a solver of hinge loss leaves them:
more rows lie within the tolerance of 1 than in any other stretch so narrow around it. Scores of other models have no
margin of their own, and nothing is said of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from lib.cells import Cells
from lib.checks import words
from lib.checks.blocks import FloatArray
from lib.checks.memory import once_for_every_margin_target
from lib.checks.result import ALARM_RATE, Answer, Check, Finding, NotApplicable, Passed, Severity, Status, Where
from lib.grid import MISSING_BIN
from lib.metrics.intervals import wilson
from lib.metrics.margins import SUPPORT_VECTOR_TOLERANCE
from lib.metrics.support_vectors import kind_counts
from lib.scan.ids import HELD_OUT_SPLITS, TRAIN_SPLITS
from lib.schema import SPLIT, VERSION, ScoreKind

if TYPE_CHECKING:
    from lib.diagnose import Diagnosis

LEAST_ROWS, LEAST_PER_CLASS = 100, 30
AROUND = 0.2
"""So far on either side of 1 the stretches lie that are compared with it."""
WIDTHS = (SUPPORT_VECTOR_TOLERANCE, SUPPORT_VECTOR_TOLERANCE / 10, SUPPORT_VECTOR_TOLERANCE / 100)
TIMES_FULLEST = 2.0
BELOW_ERROR = 0.02
MANY, BEYOND_NOISE = 0.5, 0.25


@dataclass(frozen=True)
class Support:
    """The training rows of one version, and its errors.

    Attributes:
        version: the version.
        n, n_support, n_bounded: training rows; those with m ≤ 1 and a tolerance; those of them short of 1.
        share: of support vectors, and its interval at the level of the check.
        n_error: rows that the error rate is over: held-out rows, or training rows where those are too few.
        error: the error rate, and its interval at that level.
        is_held_out: whether it is of held-out rows.
    """

    version: str
    n: int
    n_support: int
    n_bounded: int
    share: tuple[float, float, float]
    n_error: int
    error: tuple[float, float, float]
    is_held_out: bool

    @property
    def unexplained(self) -> float:
        """The share, for certain, beyond what errors explain: of the rows short of the margin twice the error rate.

        Rows that rest on the margin itself are no noise: a noisy row is short of it.
        """
        return self.share[1] - min(self.n_bounded / self.n, 2 * self.error[2])


def rests_on_the_margin(cells: Cells, group: int) -> bool:
    """Whether so many rows of a group lie so near to m = 1 that only a solver can have put them there.

    Within the tolerance, or a tenth or a hundredth of it where a solver went that far (Bonferroni): Poisson's tail of
    their number against the mean of stretches as narrow within `AROUND`; and twice the fullest of these, since rounded
    scores have as many at each of their steps. Of binned scores only the edges can be compared.
    """
    label = cells.block % 3 - 1
    margin = label * cells.score
    near = (cells.block // 3 == group) & (label != 0) & (cells.score_bin != MISSING_BIN)
    near &= np.abs(margin - 1) <= AROUND
    if not cells.resolution.is_exact:
        near &= cells.score_bin % 2 == 0
    order = np.argsort(margin[near])
    margin, n = margin[near][order], cells.sums[near, 0][order]
    return any(_is_full(margin, n, width * (1 + 1e-9)) for width in WIDTHS)


def _is_full(margin: FloatArray, n: FloatArray, width: float) -> bool:
    """Whether rows with ascending margins crowd within `width` of 1."""
    at = np.abs(margin - 1) <= width
    others, beside = margin[~at], n[~at]
    reached = np.concatenate(([0.0], np.cumsum(beside)))
    ends = np.searchsorted(others, others + 2 * width, side="right")
    fullest = float(np.max(reached[ends] - reached[:-1], initial=0.0))
    count, expected = float(n[at].sum()), (float(beside.sum()) + 1) * width / AROUND
    chance = ALARM_RATE / len(WIDTHS)
    return count >= TIMES_FULLEST * fullest and count > 0 and float(special.gammainc(count, expected)) <= chance


@once_for_every_margin_target
def find_support(diagnosis: Diagnosis) -> list[Support] | str:
    """The shown versions whose training rows rest on the margin, or why there is none."""
    mapping = diagnosis.facts.mapping
    if mapping.label is None:
        return "There are no labels."
    if mapping.is_multiclass or mapping.score_kind is not ScoreKind.DECISION:
        what = "Margins of several classes" if mapping.is_multiclass else "Probabilities and logits"
        return f"{what} are not what a solver of hinge loss leaves: only a decision score has its margin at 1."
    cells = diagnosis.cells(VERSION, SPLIT)
    splits = sorted({str(name) for name in cells.groups[SPLIT]})
    trained = [name for name in splits if name.lower() in TRAIN_SPLITS]
    if not trained:
        return "No split is called train, and only the rows of training are what a model rests on."
    train = cells.among(SPLIT, trained).rollup([VERSION])
    held_out = cells.among(SPLIT, [name for name in splits if name.lower() in HELD_OUT_SPLITS]).rollup([VERSION])
    level = 1 - 2 * ALARM_RATE / len(diagnosis.shown_versions)
    kinds, wrong = kind_counts(train), kind_counts(held_out)["wrong_side"]
    places = {str(name): place for place, name in enumerate(held_out.groups[VERSION])}
    found: list[Support] = []
    for group, version in enumerate(str(each) for each in train.groups[VERSION]):
        by_label = train.margins.n[group]
        n = int(by_label.sum())
        if version not in diagnosis.shown_versions or n < LEAST_ROWS or by_label.min() < LEAST_PER_CLASS:
            continue
        if not rests_on_the_margin(train, group):
            continue
        place = places.get(version)
        is_held_out = place is not None and wrong.n[place] >= LEAST_ROWS
        errors, at = (wrong, place) if is_held_out else (kinds["wrong_side"], group)
        n_error, n_wrong = int(errors.n[at]), float(errors.hits[at])
        bounded = int(kinds["wrong_side"].hits[group] + kinds["inside"].hits[group])
        support = n - int(kinds["free"].hits[group])
        found.append(
            Support(
                version,
                n,
                support,
                bounded,
                _rate(support, n, level),
                n_error,
                _rate(n_wrong, n_error, level),
                bool(is_held_out),
            )
        )
    return found or (
        f"No version has {LEAST_ROWS} training rows, {LEAST_PER_CLASS} of each class, that rest at a margin of 1 as "
        "those of a hinge-trained model do."
    )


def _rate(hits: float, n: int, level: float) -> tuple[float, float, float]:
    low, high = wilson(hits / n, n, level)
    return hits / n, float(low), float(high)


def check_few_support_vectors(diagnosis: Diagnosis) -> Answer:
    """Warn of a version that errs on held-out rows more often than it has support vectors."""
    found = find_support(diagnosis)
    if isinstance(found, str):
        return NotApplicable(found)
    able = [each for each in found if each.is_held_out]
    if not able:
        return NotApplicable(
            f"There are fewer than {LEAST_ROWS} labelled held-out rows of what was trained with hinge loss."
        )
    few = [each for each in able if each.error[1] - each.share[2] >= BELOW_ERROR]
    if not few:
        least = min(able, key=lambda each: each.share[0] - each.error[0])
        return Passed(
            f"No version errs more often on held-out rows than its share of support vectors allows "
            f"({words.percent(least.error[0])} and {words.percent(least.share[0])}, n = {words.count(least.n)}).",
            {"n": least.n, "share": least.share[0], "error_rate": least.error[0]},
        )
    worst = max(few, key=lambda each: each.error[1] - each.share[2])
    title = (
        f"Held-out rows are wrong more often than the support vectors allow{_place(worst, few, diagnosis)}: "
        f"{words.percent(worst.error[0])} of {words.count(worst.n_error)} against {words.percent(worst.share[0])} of "
        f"{words.count(worst.n)} training rows"
    )
    return [_finding(worst, few, title, diagnosis, worst.error[1] - worst.share[2])]


def check_many_support_vectors(diagnosis: Diagnosis) -> Answer:
    """Warn of a version that rests on most of its training rows, and on more than its errors explain."""
    found = find_support(diagnosis)
    if isinstance(found, str):
        return NotApplicable(found)
    many = [each for each in found if each.share[1] >= MANY and each.unexplained >= BEYOND_NOISE]
    if not many:
        most = max(found, key=lambda each: each.share[0])
        return Passed(
            f"No version rests on most of its training rows beyond what its errors explain (at most "
            f"{words.percent(most.share[0])}, n = {words.count(most.n)}).",
            {"n": most.n, "share": most.share[0], "error_rate": most.error[0]},
        )
    worst = max(many, key=lambda each: each.unexplained)
    short = worst.n_bounded / worst.n_support
    why = (
        f"{words.percent(short)} of them are short of the margin, so C is small"
        if short >= 0.5
        else f"{words.percent(1 - short)} of them rest on the margin itself, so the model can follow nearly every row"
    )
    where = "held-out" if worst.is_held_out else "these"
    title = (
        f"{words.percent(worst.share[0])} of training rows are support vectors{_place(worst, many, diagnosis)} (n = "
        f"{words.count(worst.n)}), where {words.percent(worst.error[0])} of {where} rows are wrong: {why}"
    )
    return [_finding(worst, many, title, diagnosis, worst.unexplained)]


def _place(worst: Support, alike: list[Support], diagnosis: Diagnosis) -> str:
    if len(alike) == 1:
        return words.place(worst.version, Where(), diagnosis.facts)
    return f", most so in version {worst.version or '(none)'}"


def _finding(worst: Support, alike: list[Support], title: str, diagnosis: Diagnosis, strength: float) -> Finding:
    version = worst.version if len(alike) == 1 and len(diagnosis.facts.versions) > 1 else None
    return Finding(
        Status.WARN,
        version,
        Where(),
        title,
        {
            "n": worst.n,
            "share": worst.share[0],
            "share_ci": list(worst.share[1:]),
            "n_support": worst.n_support,
            "n_bounded": worst.n_bounded,
            "error_rate": worst.error[0],
            "error_rate_ci": list(worst.error[1:]),
            "n_errors_of": worst.n_error,
            "is_held_out": worst.is_held_out,
            "versions": [{"version": each.version, "share": each.share[0]} for each in alike],
            "consequences": [],
        },
        strength,
    )


FEW_SUPPORT_VECTORS = Check(
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
)

MANY_SUPPORT_VECTORS = Check(
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
)
