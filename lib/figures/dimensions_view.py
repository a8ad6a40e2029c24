"""What the Dimensions page says: recall against bytes, the smallest setting that keeps it, what queries cost."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from lib.embeddings import EmbeddingDiagnosis
from lib.figures.format import format_change, format_change_interval, format_count, format_plural, format_share
from lib.figures.text import name_of, plain
from lib.figures.vector_words import Term, Words, estimate_words
from lib.metrics.dimensions import R_PRECISION, Curve, Point, Setting, Way, cost_of_queries
from lib.metrics.variance_spectrum import Precision

WAYS = {
    Way.PCA: "Principal axes (PCA), float32",
    Way.TRUNCATION: "The first dimensions (truncation), float32",
    Way.PRECISION: "Coarser values, all dimensions",
}
NUMBERS = {
    "keeps": Term("Keeps it", "Whether the interval of the change stays above what may be lost, here and at all larger "
                  "settings of the same way"),
    "bytes": Term("Bytes", "Bytes of a vector; beneath, how many times smaller than as float32"),
    "recall": Term("Recall@k", "Share of queries with a right answer among the k nearest (hit rate)"),
    "judged": Term("R-precision", "Share of right answers among the R nearest, R the number of the query's right "
                   "answers; what is judged where recall@k is at its ceiling"),
    "change": Term("Change", "Of what is judged, to the vectors as they are, paired by query. The interval is one that "
                   "the three ways together may use"),
}  # fmt: skip
R_PRECISION_WORDS = "R-precision"
COST = Term("Cost of 1,000 queries", "By exact search, which reads every vector of the gallery, at the price given")


@dataclass(frozen=True, eq=False)
class DimensionsView:
    """Recall by size of the shown versions.

    Attributes:
        found: by version, baseline first.
        galleries: how many vectors a query is compared with.
        k: the length of lists.
        price: of reading a gigabyte; NaN where none was given.
        baseline: its name; "" where there is one version.
    """

    found: Mapping[str, Curve]
    galleries: Mapping[str, int]
    k: int
    price: float
    baseline: str

    @classmethod
    def of(cls, diagnosis: EmbeddingDiagnosis, found: Mapping[str, Curve], price: float | None) -> DimensionsView:
        """The view of what was read of each version."""
        return cls(
            found,
            {version: len(diagnosis.gallery(version)) for version in found},
            diagnosis.settings.k,
            math.nan if price is None else price,
            diagnosis.settings.baseline if diagnosis.is_compared else "",
        )

    @property
    def recall(self) -> str:
        """What recall is called here."""
        return f"recall@{self.k}"

    @property
    def is_blunt(self) -> bool:
        """Whether recall@k of some version is at its ceiling, and R-precision judged in its place."""
        return any(curve.measure == R_PRECISION for curve in self.found.values())

    @property
    def judged(self) -> str:
        """What is judged of all shown versions; of some by one and of some by the other, both."""
        called = dict.fromkeys(self.measure(version) for version in self.found)
        return " or ".join(called)

    def measure(self, version: str) -> str:
        """What is judged of a version."""
        return R_PRECISION_WORDS if self.found[version].measure == R_PRECISION else self.recall

    def answer(self) -> str:
        """What the page says, in a sentence or two (plain text)."""
        *before, candidate = self.found
        return " ".join(self._sentence(version) for version in (candidate, *before))

    def _sentence(self, version: str) -> str:
        curve = self.found[version]
        least, full = curve.smallest, curve.full
        if not full.recall.is_defined:
            return f"{plain(version)}: recall is undefined: {full.recall.reason}."
        lost, judged = lost_words(curve), self.measure(version)
        if curve.is_at_ceiling:
            return f"{plain(version)}: {ceiling_words(curve, self.k)}"
        blunt = f"{ceiling_words(curve, self.k)} " if curve.measure == R_PRECISION else ""
        if least.setting == full.setting:
            return (
                f"{plain(version)} needs all of its {full.setting.n_bytes} bytes a vector, as far as "
                f"{format_plural(full.judged.n, 'query', 'queries')} can tell: of no smaller setting is it sure that "
                f"less than {lost} of {judged} ({format_share(full.judged.value)}) is lost. {blunt}"
            ).strip()
        return (
            f"{plain(version)} keeps its {judged} in {least.setting.n_bytes} bytes a vector instead of "
            f"{full.setting.n_bytes}, as {setting_words(least.setting)}: {format_share(least.judged.value)} instead of "
            f"{format_share(full.judged.value)}, and surely less than {lost} lost. {blunt}"
        ).strip()

    def title(self) -> str:
        """What the curves say (escaped)."""
        said = [
            f"{name_of(version)} {setting_words(each.smallest.setting)}, {each.smallest.setting.n_bytes} bytes"
            for version, each in self.found.items()
            if each.full.recall.is_defined and not each.is_at_ceiling
        ]
        shown = self.judged[:1].upper() + self.judged[1:]
        return f"The smallest vectors that keep {self.judged}: {'; '.join(said)}" if said else f"{shown} by size"

    def along(self, version: str, way: Way) -> list[Point]:
        """The settings of a way, the vectors as they are first."""
        curve = self.found[version]
        return [curve.full, *(each for each in curve.points if each.setting.way is way)]

    @property
    def terms(self) -> dict[str, Term]:
        """The columns of the table."""
        shown = {name: term for name, term in NUMBERS.items() if name != "judged" or self.is_blunt}
        return shown | ({} if self.price != self.price else {"cost": COST})

    def rows(self, version: str) -> list[tuple[str, list[Words]]]:
        """Every setting of a version, from large to small."""
        curve = self.found[version]
        points = sorted((curve.full, *curve.points), key=lambda each: -each.setting.n_bytes)
        return [(setting_words(each.setting), self._words(version, each)) for each in points]

    def _words(self, version: str, point: Point) -> list[Words]:
        curve, setting = self.found[version], point.setting
        is_full, is_least = point is curve.full, point is curve.smallest
        smaller = f"{curve.full.setting.n_bytes / setting.n_bytes:.3g} times smaller"
        change = (
            ("", "")
            if is_full or not point.change.is_defined
            else (
                format_change(point.change.value, "share"),
                format_change_interval(point.change.lower, point.change.upper, "share"),
            )
        )
        keeps = "the smallest that does" if is_least and not is_full else ""
        kept = ("cannot be told", "at its ceiling") if curve.is_at_ceiling else ("yes" if point.keeps else "no", keeps)
        words: list[Words] = [
            ("as it is", "") if is_full else kept,
            (f"{setting.n_bytes:,}", "" if is_full else smaller),
            estimate_words(point.recall, "share"),
            *([estimate_words(point.judged, "share")] if self.is_blunt and curve.measure == R_PRECISION else []),
            *([("not judged", "")] if self.is_blunt and curve.measure != R_PRECISION else []),
            change,
        ]
        if self.price == self.price:
            words.append((cost_words(cost_of_queries(setting, self.galleries[version], self.price)), ""))
        return words

    def frame(self) -> pd.DataFrame:
        """One row per version and setting."""
        return pd.DataFrame(
            [
                {
                    "version": version,
                    "way": "full" if each is curve.full else each.setting.way.value,
                    "dimension": each.setting.dimension,
                    "precision": each.setting.precision.value,
                    "bytes": each.setting.n_bytes,
                    "k": self.k,
                    "recall_at_k": each.recall.value,
                    "lower": each.recall.lower,
                    "upper": each.recall.upper,
                    "n_queries": each.recall.n,
                    "judged": curve.measure,
                    "value": each.judged.value,
                    "value_lower": each.judged.lower,
                    "value_upper": each.judged.upper,
                    "change": each.change.value,
                    "change_lower": each.change.lower,
                    "change_upper": each.change.upper,
                    "keeps": each.keeps,
                    "is_smallest": each is curve.smallest,
                    "cost_per_1000_queries": cost_of_queries(each.setting, self.galleries[version], self.price),
                }
                for version, curve in self.found.items()
                for each in (curve.full, *curve.points)
            ]
        )


def ceiling_words(curve: Curve, k: int) -> str:
    """That recall@k is at its ceiling and what follows, in a sentence (plain text)."""
    share = format_share(curve.full.recall.value)
    said = f"Recall@{k} is at its ceiling ({share}) and cannot tell sizes apart"
    if curve.is_at_ceiling:
        return f"{said}, and nor can R-precision ({format_share(curve.full.judged.value)}): no size is recommended."
    return f"{said}: R-precision of the same queries is judged."


def lost_words(curve: Curve) -> str:
    """How much of what is judged may be lost: "1 point"."""
    return format_plural(round(100 * curve.tolerance, 1), "point")


def cost_words(cost: float) -> str:
    """An amount of money to three digits."""
    return format_count(cost) if cost >= 100 else f"{cost:.3g}"


def setting_words(setting: Setting) -> str:
    """A size of vectors in words: "16 principal axes", "the first 16 dimensions", "int8"."""
    if setting.way is Way.PCA:
        return f"{setting.dimension} principal axes"
    if setting.way is Way.TRUNCATION:
        return f"the first {setting.dimension} dimensions"
    whole = setting.precision is Precision.FLOAT32
    return (
        f"{setting.dimension} dimensions, float32" if whole else f"{setting.dimension} dimensions, {setting.precision}"
    )
