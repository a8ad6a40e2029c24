"""The change of recall in parts, as the waterfall of a change shows it."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from lib.figures.format import format_change, format_count
from lib.figures.recall_view import RecallView
from lib.figures.retrieval_view import SHARE
from lib.figures.text import plain
from lib.metrics.catalogue import Unit
from lib.metrics.estimates import Estimate

PARTS = {
    "ann_loss": "Misses of the index",
    "duplicates": "Duplicates",
    "gallery_growth": "Gallery growth",
    "cohort_mix": "Cohort mix",
    "within_cohorts": "Within cohorts",
}
MEANINGS = {
    "ann_loss": "what an approximate index does not find, though it is there",
    "duplicates": "copies in the gallery that take the places of right answers",
    "gallery_growth": "rows by which the gallery is larger",
    "cohort_mix": "other shares of cohorts among the queries",
    "within_cohorts": "other answers to the same kind of queries: the vectors themselves",
}


@dataclass(frozen=True, eq=False)
class RecallPartsView:
    """The change of recall in parts, as a waterfall shows it.

    Attributes:
        view: of the page.
    """

    view: RecallView

    @property
    def names(self) -> tuple[str, str]:
        """Of baseline and candidate."""
        return self.view.names

    @property
    def before(self) -> Estimate:
        """Recall of the baseline, as it is used."""
        return self.view.history.used[0]

    @property
    def after(self) -> Estimate:
        """Recall of the candidate, as it is used."""
        return self.view.history.used[1]

    @property
    def parts(self) -> dict[str, Estimate]:
        """By their words; empty where there are none."""
        return {PARTS[name]: each for name, each in self.view.drop.parts.parts.items()}

    @property
    def label(self) -> str:
        """What is told in parts."""
        return f"Recall@{self.view.drop.k}"

    @property
    def unit(self) -> Unit:
        """It is a share."""
        return "share"

    def is_worse(self, part: Estimate) -> bool:
        """Whether a part made recall lower."""
        return part.value < 0

    def sentence(self) -> str:
        """Which part is largest, without a full stop (plain text)."""
        found = self.view.drop.parts
        if not found.parts:
            return f"{self.label} has no parts: {found.reason}"
        largest = max(self.parts, key=lambda name: abs(self.parts[name].value))
        part, change = self.parts[largest], format_change(found.change.value, SHARE)
        if not part.value:
            return f"{self.label} changed by {change}, in no part"
        said = f"{self.label} changed by {change}: most is {largest.lower()}, {format_change(part.value, SHARE)}"
        return said if part.lower > 0 or part.upper < 0 else f"{said}, within chance"

    def subtitle(self) -> str:
        """By what cohorts, and of how many queries (plain text)."""
        n = f"n = {format_count(self.before.n)} and {format_count(self.after.n)} queries"
        column = plain(self.view.drop.parts_column, 40)
        return f"Cohorts are those of {column}, {n}. Lines are 95 % intervals of the parts."

    def frame(self) -> pd.DataFrame:
        """One row per part, then the whole."""
        found = {**self.view.drop.parts.parts, "change": self.view.drop.parts.change}
        return pd.DataFrame(
            {"part": list(found)}
            | {end: [getattr(each, end) for each in found.values()] for end in ("value", "lower", "upper")}
        )
