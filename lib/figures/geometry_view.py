"""What the Geometry page says of how vectors lie: its sentence, the numbers of each version, and their words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lib.embeddings import EmbeddingDiagnosis
from lib.figures.format import (
    UNDEFINED,
    format_count,
    format_estimate,
    format_loss,
    format_plural,
    format_score,
    format_share,
)
from lib.figures.text import name_of, plain
from lib.figures.vector_words import Term, Words, estimate_words
from lib.metrics.estimates import Estimate
from lib.metrics.vector_measures import Geometry

MOST_VARIANCE = 0.9
NO_BASELINE = ""

SIZES = {
    "norm": Term("Mean length", "Mean of the lengths (norms) of the vectors"),
    "not_unit": Term("Not of length 1", "Share of vectors whose length is not 1 within 0.001: those of a normalised "
                     "index all are"),
    "participation_ratio": Term("Participation ratio", "How many principal axes carry the variance: (Σλ)²/Σλ². All of "
                                "them if it is spread evenly, 1 if it lies along one: a collapse"),
    "axes": Term("Axes for 90 %", "How many principal axes hold 90 % of the variance"),
    "dead": Term("Dead dimensions", "Dimensions that vary by next to nothing: they cost memory and say nothing"),
    "intrinsic_dimension": Term("Intrinsic dimension", "How many dimensions the rows really move in, from the ratio of "
                                "the distances to their two nearest neighbours (TwoNN); low where there are near "
                                "duplicates"),
    "precision": Term("Values", "The coarsest precision that explains the values, whatever they are stored as: "
                      "what rounding has left behind"),
}  # fmt: skip
DIRECTIONS = {
    "mean_cosine": Term("Mean cosine", "Of all pairs of vectors (anisotropy): 0 where they point everywhere alike, 1 "
                        "where all point one way. Beneath, what directions that are spread evenly stay below"),
    "uniformity": Term("Uniformity", "Logarithm of the mean of exp(−2·d²) over pairs of directions: lower is more "
                       "even, 0 where all point one way"),
    "alignment": Term("Alignment", "Mean squared distance of two directions with the same label, 0 to 4: lower is "
                      "closer together"),
    "silhouette": Term("Silhouette", "How much nearer rows are to their own label than to the next one, −1 to 1"),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class GeometryView:
    """How the vectors of the shown versions lie.

    Attributes:
        found: by version, baseline first.
        stored: how each version's file holds values.
        baseline: its name; "" where there is one version.
        dimensions: how many values each version's vectors have.
    """

    found: Mapping[str, Geometry]
    stored: Mapping[str, str]
    baseline: str
    dimensions: Mapping[str, int]

    @classmethod
    def of(cls, diagnosis: EmbeddingDiagnosis, found: Mapping[str, Geometry]) -> GeometryView:
        """The view of what was read of each version."""
        return cls(
            found,
            {version: diagnosis.vectors(version).stored_as for version in found},
            diagnosis.settings.baseline if diagnosis.is_compared else NO_BASELINE,
            {version: diagnosis.vectors(version).dimension for version in found},
        )

    def answer(self) -> str:
        """What the page says, in a sentence or two (plain text)."""
        *before, candidate = self.found
        if self.found[candidate].spectrum.n == 1:
            return f"{plain(candidate)} has one row, and one row has no geometry."
        whole = f"{plain(candidate)} {self._spread(candidate)}"
        if before:
            whole += f"; {plain(before[0])} {self._spread(before[0])}"
        return f"{whole}. {self._faults(candidate)}"

    def _spread(self, version: str) -> str:
        spectrum, d = self.found[version].spectrum, self.dimensions[version]
        if spectrum.n == 1:
            return "has one row, which has no geometry"
        if spectrum.reason:
            return f"has no variance: {spectrum.reason}"
        return f"uses about {spectrum.participation_ratio:.1f} of its {format_plural(d, 'dimension')}"

    def _faults(self, version: str) -> str:
        found = self.found[version]
        said: list[str] = []
        cosine = found.anisotropy.mean_cosine
        if cosine.is_defined:
            leans = cosine.value > found.anisotropy.floor
            said.append(
                f"directions lean one way (mean cosine {format_score(cosine.value)})"
                if leans
                else "directions lean no way beyond chance"
            )
        off = found.norms.not_unit
        if off.is_defined:
            said.append(
                "all vectors are of length 1"
                if off.value == 0
                else "lengths are not 1"
                if off.value == 1
                else f"{format_share(off.value)} are not of length 1"
            )
        dead = int(found.spectrum.is_dead.sum())
        if dead:
            said.append(f"{format_plural(dead, 'dimension')} {'is' if dead == 1 else 'are'} dead")
        if found.quantisation.precision != "float32":
            said.append(f"values have been rounded to {found.quantisation.precision}")
        words = ", ".join(said)
        return f"{words[:1].upper()}{words[1:]}." if words else ""

    def sizes(self, version: str) -> list[Words]:
        """The numbers of `SIZES` of a version."""
        found, d = self.found[version], self.dimensions[version]
        spectrum, rounded = found.spectrum, found.quantisation
        if spectrum.reason:
            ratio = axes = (UNDEFINED, spectrum.reason)
        else:
            ratio = (format_score(spectrum.participation_ratio), f"of {format_count(d)}")
            axes = (format_count(spectrum.axes_for(MOST_VARIANCE)), f"of {format_count(d)}")
        dead, constant = int(spectrum.is_dead.sum()), int(spectrum.is_constant.sum())
        return [
            estimate_words(found.norms.mean, "score"),
            estimate_words(found.norms.not_unit, "share"),
            ratio,
            axes,
            (UNDEFINED, spectrum.reason)
            if spectrum.n == 1
            else (format_count(dead), f"{format_count(constant)} constant" if dead else ""),
            estimate_words(found.intrinsic_dimension, "score"),
            (str(rounded.precision), f"stored as {self.stored[version]}"),
        ]

    def directions(self, version: str) -> list[Words]:
        """The numbers of `DIRECTIONS` of a version."""
        found = self.found[version]
        cosine = found.anisotropy.mean_cosine
        words = estimate_words(cosine, "index")
        if cosine.is_defined:
            words = (words[0], f"even: below {format_loss(found.anisotropy.floor)}")
        return [
            words,
            *(estimate_words(each, "index") for each in (found.uniformity, found.alignment, found.silhouette)),
        ]

    def norms_title(self) -> str:
        """What the lengths say (escaped)."""
        said = [
            f"{name_of(version)} {format_estimate(found.norms.not_unit, 'share', interval=False)}"
            for version, found in self.found.items()
        ]
        if all(found.norms.not_unit.value == 0 for found in self.found.values()):
            return "All vectors are of length 1"
        return f"Vectors that are not of length 1: {', '.join(said)}"

    def spectrum_title(self) -> str:
        """What the variance says (escaped)."""
        said = [
            f"{format_count(each.spectrum.axes_for(MOST_VARIANCE))} of {format_count(self.dimensions[version])} axes "
            f"({name_of(version)})"
            for version, each in self.found.items()
            if not each.spectrum.reason
        ]
        if not said:
            return "There is no variance to share out among axes"
        return f"{format_share(MOST_VARIANCE, 0)} of the variance lies along {', '.join(said)}"

    def spectrum_frame(self) -> pd.DataFrame:
        """One row per version and principal axis."""
        return pd.concat(
            [
                pd.DataFrame(
                    {
                        "version": version,
                        "axis": np.arange(1, len(each.spectrum.share) + 1),
                        "variance": each.spectrum.eigenvalues,
                        "cumulative_share": each.spectrum.share,
                        "variance_of_dimension": each.spectrum.variances,
                        "is_dead": each.spectrum.is_dead,
                    }
                )
                for version, each in self.found.items()
            ],
            ignore_index=True,
        )

    def frame(self) -> pd.DataFrame:
        """One row per version and measure."""
        return pd.DataFrame(
            [
                {
                    "version": version,
                    "measure": name,
                    **each.row(),
                }
                for version, found in self.found.items()
                for name, each in _estimates(found).items()
            ]
        )


def _estimates(found: Geometry) -> dict[str, Estimate]:
    spectrum, n = found.spectrum, found.spectrum.n

    def exact(value: float) -> Estimate:
        return Estimate(value, np.nan, np.nan, n, spectrum.reason)

    return {
        "mean_norm": found.norms.mean,
        "not_unit": found.norms.not_unit,
        "participation_ratio": exact(spectrum.participation_ratio),
        "axes_for_90_per_cent": exact(spectrum.axes_for(MOST_VARIANCE)),
        "dead_dimensions": Estimate(int(spectrum.is_dead.sum()), np.nan, np.nan, n),
        "intrinsic_dimension": found.intrinsic_dimension,
        "mean_cosine": found.anisotropy.mean_cosine,
        "mean_cosine_floor": Estimate(found.anisotropy.floor, np.nan, np.nan, n),
        "uniformity": found.uniformity,
        "alignment": found.alignment,
        "silhouette": found.silhouette,
    }
