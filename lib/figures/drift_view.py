"""What the Drift page says of two versions: whether one is the other turned, and how far it has moved in what way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from lib.embeddings import EmbeddingDiagnosis
from lib.figures.format import (
    NO_BREAK,
    UNDEFINED,
    format_count,
    format_loss,
    format_plural,
    format_share,
    format_value,
)
from lib.figures.text import MISSING, escape, name_of, plain
from lib.figures.vector_words import Term, Words
from lib.metrics.alignment import ROTATED, Alignment, Space
from lib.metrics.drift import Drift, DriftMeasure, Measure
from lib.metrics.estimates import Estimate, FloatArray
from lib.metrics.permutations import NOISE_LEVEL
from lib.metrics.vector_measures import LEAST_PART, MOST_PARTS, VectorDrift

ANOTHER, STALE = "of another model", "unchanged (stale)"
SAMPLES, PAIRS, TURNED = "samples", "pairs", "turned"
COMPARED = {SAMPLES: "All rows", PAIRS: "The same ids", TURNED: "The same ids, turned"}
MEASURES = {
    Measure.CENTROID_SHIFT: Term("Centroid shift", "Distance of the means, in units of the spread: the root mean "
                                 "square distance from the mean"),
    Measure.MAX_KS: Term("Largest KS", "Kolmogorov–Smirnov distance of the dimension in which it is largest, 0 to 1"),
    Measure.MMD: Term("MMD", "Maximum mean discrepancy with a Gaussian kernel: 0 where the two distributions are the "
                      "same, whatever their shape"),
    Measure.DOMAIN_AUC: Term("Domain classifier", "ROC AUC, in held-out folds, of a classifier that tells rows of one "
                             "version from those of the other: ½ where it cannot"),
}  # fmt: skip
SAID = {
    Measure.CENTROID_SHIFT: "centroid shift",
    Measure.MAX_KS: "largest KS",
    Measure.MMD: "MMD",
    Measure.DOMAIN_AUC: "domain classifier",
}
"""The measures within a sentence."""
ROTATION = (
    "This is a rotation: every value has moved and no neighbour has. Re-embed both sides, queries and gallery, with "
    "the same version; the model is fine."
)


@dataclass(frozen=True, eq=False)
class DriftView:
    """How far the candidate is from the baseline.

    Attributes:
        found: the numbers.
        baseline, candidate: their names.
    """

    found: VectorDrift
    baseline: str
    candidate: str

    @classmethod
    def of(cls, diagnosis: EmbeddingDiagnosis, found: VectorDrift) -> DriftView:
        """The view of what was read."""
        return cls(found, diagnosis.settings.baseline, diagnosis.settings.candidate)

    @property
    def compared(self) -> dict[str, Drift]:
        """All rows, the same ids, and these once they are turned, as far as they could be compared."""
        both = {SAMPLES: self.found.rows, PAIRS: self.found.pairs, TURNED: self.found.turned}
        return {name: each for name, each in both.items() if each is not None}

    def answer(self) -> str:
        """What the page says, in a sentence or two (plain text)."""
        first, second, aligned = plain(self.baseline), plain(self.candidate), self.found.alignment
        n = 0 if aligned is None else aligned.n
        ids = format_plural(n, "id")
        if aligned is not None and aligned.space is Space.SAME:
            return f"Nothing moved: the vectors of all {ids} that are in both are the same in {second} as in {first}."
        if aligned is not None and aligned.space is Space.ROTATION and aligned.total_displacement <= ROTATED:
            return f"Nothing moved but by length or rounding: all {ids} that are in both lie in {second} as in {first}."
        if aligned is not None and aligned.space is Space.ROTATION:
            return f"{second} against {first}, {ids} in both. {ROTATION}"
        if aligned is not None and aligned.space is Space.MIXED:
            return f"{second} against {first}, {ids} in both: {self._mixed_words(aligned)}"
        return f"{second} against {first}: {self._moved_words()}"

    def _mixed_words(self, aligned: Alignment) -> str:
        said: list[str] = []
        same = f"{format_share(aligned.unchanged.value)} of the vectors"
        if aligned.is_stale.any():
            said.append(
                f"{same} are those of {plain(self.baseline)}, unchanged in direction, where the others have moved: "
                "stale rows, to be embedded again."
            )
        elif aligned.is_unchanged.any():
            said.append(
                f"{same} are those of {plain(self.baseline)}, unchanged in direction, where the others have moved: "
                "stale rows, or inputs that did not change."
            )
        strange = aligned.is_strange
        if strange.any():
            far = format_share(float(strange.mean()))
            said.append(f"{far} do not fit after turning, where the others do: vectors of another model are mixed in.")
        return " ".join(said)

    def _moved_words(self) -> str:
        drift = self.compared.get(PAIRS, self.compared.get(SAMPLES))
        if drift is None:
            return f"{self.found.reason}. {self._residual_words('Row by row')}".strip()
        moved = [SAID[each.measure] for each in drift.measures if each.is_drift]
        what = "the same ids" if drift.is_paired else "all rows"
        if not any(each.p == each.p for each in drift.measures):
            return f"{drift.measures[0].reason}."
        if not moved:
            said = f"as a whole nothing moved beyond chance and far enough to matter, of {what}."
            return f"{said} {self._residual_words('Row by row')}".strip()
        return (
            f"the vectors moved, by {len(moved)} of {len(drift.measures)} measures of {what}: {', '.join(moved)}. "
            f"{self._residual_words('It is no rotation')}"
        ).strip()

    def _residual_words(self, opening: str) -> str:
        aligned = self.found.alignment
        if aligned is None or aligned.reason:
            return ""
        return (
            f"{opening}: after turning one version onto the other, ids are still "
            f"{format_loss(aligned.total_residual)} of the spread apart."
        )

    def table(self) -> list[tuple[str, list[Words]]]:
        """A row for each way of comparing, with a cell for each measure: value, then floor and verdict."""
        return [
            (f"{COMPARED[name]}{', as pairs' * each.is_paired}", [measure_words(one) for one in each.measures])
            for name, each in self.compared.items()
        ]

    def notes(self) -> list[str]:
        """How they were compared, in sentences (plain text)."""
        if self.found.reason:
            return [f"No value can be compared: {self.found.reason}."]
        said: list[str] = []
        for name, each in self.compared.items():
            rows = f"{format_count(each.n)} and {format_count(each.m)} rows"
            drawn = (
                f", of which {format_count(each.n_used)} and {format_count(each.m_used)} were drawn"
                if (each.n_used, each.m_used) != (each.n, each.m)
                else ""
            )
            how = (
                "the two vectors of an id swap sides"
                if each.is_paired
                else "rows are dealt to the two sides, as if no id were in both"
            )
            said.append(f"{COMPARED[name]}: {rows}{drawn}. For the floor {how}.")
        if PAIRS not in self.compared:
            said.append("No id is in both versions, so that nothing can be compared in pairs.")
        return [*said, f"Floors are exceeded by chance in {format_share(NOISE_LEVEL, 0)} of cases."]

    def ks_title(self, name: str) -> str:
        """Which dimension moved furthest (escaped)."""
        drift = self.compared[name]
        if not np.isfinite(drift.ks).any():
            return f"No dimension can be compared: {drift[Measure.MAX_KS].reason}"
        beyond = int((drift.ks_p_adjusted <= NOISE_LEVEL).sum())
        largest = int(np.argmax(drift.ks))
        return (
            f"{format_count(beyond)} of {format_plural(len(drift.ks), 'dimension')} moved beyond chance; dimension "
            f"{largest} furthest, KS{NO_BREAK}{format_loss(float(drift.ks[largest]))}"
        )

    def ks_frame(self) -> pd.DataFrame:
        """One row per way of comparing and dimension."""
        return pd.concat(
            [
                pd.DataFrame(
                    {
                        "compared": COMPARED[name].lower(),
                        "dimension": np.arange(len(each.ks)),
                        "ks": each.ks,
                        "p_adjusted": each.ks_p_adjusted,
                    }
                )
                for name, each in self.compared.items()
            ],
            ignore_index=True,
        )

    def frame(self) -> pd.DataFrame:
        """One row per comparison and measure, also of cohorts."""
        parts = [("", "", COMPARED[name].lower(), each) for name, each in self.compared.items()]
        for column, values in self.found.cohorts.items():
            parts += [(column, value, COMPARED[SAMPLES].lower(), each) for value, each in values.items()]
        return pd.DataFrame(
            [
                {
                    "column": column,
                    "value": value,
                    "compared": compared,
                    "measure": one.measure.value,
                    "drift": one.value,
                    "floor": one.floor,
                    "p": one.p,
                    "p_adjusted": one.p_adjusted,
                    "verdict": verdict_words(one),
                    "n": each.n,
                    "m": each.m,
                }
                for column, value, compared, each in parts
                for one in each.measures
            ]
        )

    def cohort_rows(self, column: str, measure: Measure) -> list[tuple[str, Drift, DriftMeasure]]:
        """Cohorts by how far they moved, the furthest last, as they are drawn from below."""
        rows = [
            (value or MISSING, each, each[measure])
            for value, each in self.found.cohorts[column].items()
            if each[measure].value == each[measure].value
        ]
        return sorted(rows, key=lambda row: row[2].value)

    def cohorts_title(self, column: str, measure: Measure) -> str:
        """Which cohort moved furthest (escaped)."""
        rows = self.cohort_rows(column, measure)
        moved = sum(each.is_drift for _value, _drift, each in rows)
        value, _drift, most = rows[-1]
        return (
            f"{format_count(moved)} of {format_plural(len(rows), 'cohort')} moved; {escape(column)} = {name_of(value)} "
            f"furthest, {SAID[measure]} {format_loss(most.value)}"
        )

    def residual_columns(self) -> list[str]:
        """The cohort columns by whose values it is told how far rows are from where turning puts them."""
        return [column for column, values in self.found.residuals.items() if values]

    def residual_rows(self, column: str) -> list[tuple[str, Estimate]]:
        """Cohorts by how far their rows are from where turning puts them, the furthest last."""
        rows = [(value or MISSING, each) for value, each in self.found.residuals[column].items()]
        return sorted(rows, key=lambda row: row[1].value)

    def residuals_by_cohort_title(self, column: str) -> str:
        """Which cohort is furthest from where turning puts it, if one is beyond chance (escaped)."""
        value, most = self.residual_rows(column)[-1]
        if column not in self.found.furthest:
            return f"No {escape(column)} is further from where turning puts it than chance makes it"
        return (
            f"{escape(column)} = {name_of(value)} is furthest from where turning puts it, "
            f"{format_loss(most.value)} of the spread"
        )

    def residuals_frame(self) -> pd.DataFrame:
        """One row per cohort column and value: how far its rows are from where turning puts them."""
        return pd.DataFrame(
            [
                {
                    "column": column,
                    "value": value,
                    "mean_residual": each.value,
                    "mean_residual_low": each.lower,
                    "mean_residual_high": each.upper,
                    "n": each.n,
                }
                for column, values in self.found.residuals.items()
                for value, each in values.items()
            ]
        )

    def cohort_columns(self) -> list[str]:
        """The cohort columns of which a value can be compared."""
        return [column for column, values in self.found.cohorts.items() if values]

    def cohorts_note(self) -> str:
        """Which cohorts were compared (escaped)."""
        return (
            f"Each cohort against the same cohort of {name_of(self.baseline)}, as samples; of a column the first "
            f"{MOST_PARTS} values of at least {LEAST_PART} rows in both. Verdicts are corrected for all of them."
        )


def measure_words(one: DriftMeasure) -> Words:
    """A measure, and beneath it its floor and the verdict."""
    if one.value != one.value:
        return UNDEFINED, one.reason
    return format_value(one.value, "index"), f"floor {format_value(one.floor, 'index')} · {verdict_words(one)}"


def verdict_words(one: DriftMeasure) -> str:
    """Whether it is beyond chance, and large enough to matter."""
    if one.value != one.value:
        return UNDEFINED
    if one.is_drift:
        return "moved"
    return "too little to matter" if one.p_adjusted <= NOISE_LEVEL else "within chance"


def residual_groups(aligned: Alignment) -> dict[str, FloatArray]:
    """Residuals by what a row is: unchanged, fitting after turning, not fitting; groups without rows are left out."""
    strange, same = aligned.is_strange, aligned.is_unchanged
    alone = not strange.any() and not same.any()
    groups = {
        "all ids in both" if alone else "moved": ~same & ~strange,
        ANOTHER: strange,
        STALE if aligned.is_stale.any() else "unchanged": same,
    }
    return {name: aligned.residual[rows] for name, rows in groups.items() if rows.any()}


def residuals_title(aligned: Alignment) -> str:
    """What is left after turning (plain text)."""
    whole = f"{format_loss(aligned.total_residual)} of the spread"
    return {
        Space.SAME: "Nothing to turn: all vectors are the same",
        Space.ROTATION: f"A rotation: after turning next to nothing is left, {whole}",
        Space.MIXED: "Two kinds of rows: some fit after turning, some do not"
        if aligned.is_strange.any()
        else "Two kinds of rows: some are unchanged, where the others have moved",
        Space.CHANGED: f"No rotation: after turning rows are still {whole} apart",
        Space.UNDEFINED: "",
    }[aligned.space]


def residuals_subtitle(aligned: Alignment) -> str:
    """How far rows are before and after, in sentences (plain text)."""
    before = (
        f"As they stand, rows are {format_loss(aligned.total_displacement)} of the spread apart. "
        if aligned.total_displacement == aligned.total_displacement
        else ""
    )
    return (
        f"{before}Each half of the ids is turned as fits the other half best. Equal bit by bit: "
        f"{format_share(aligned.identical.value)}; of the same direction but for rounding: "
        f"{format_share(aligned.unchanged.value)}."
    )
