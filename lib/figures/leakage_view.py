"""What the Drift page says of sensitive columns: how well each can be told from the vectors, of each version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from lib.embeddings import EmbeddingDiagnosis
from lib.figures.format import NO_BREAK, UNDEFINED, format_count, format_loss, format_share
from lib.figures.text import MISSING, escape, name_of, plain
from lib.figures.vector_words import Term, Words, estimate_words
from lib.metrics.estimates import Estimate
from lib.metrics.leakage import LEAST_AREA, Leakage
from lib.metrics.permutations import NOISE_LEVEL

NUMBERS = {
    "n": Term("Rows", "Rows in groups that were probed, drawn where there are very many; beneath, all with a value"),
    "area": Term("AUC of the probe", "How well a linear probe on the vectors tells each group from the rest, in "
                 "held-out folds: mean ROC AUC of the groups, ½ without leakage"),
    "floor": Term("Floor", "The AUC that the same probe exceeds in 1 of 100 cases where the column is shuffled"),
    "accuracy": Term("Balanced accuracy", "Mean share of each group that the probe recognises; beneath, its interval, "
                     "and what a shuffled column stays below"),
    "verdict": Term("Verdict", f"It leaks if the AUC is beyond the floor and at least {LEAST_AREA:g}"),
}  # fmt: skip


@dataclass(frozen=True)
class GroupRow:
    """One group of a sensitive column: its name, and its AUC by version."""

    value: str
    areas: dict[str, Estimate]


@dataclass(frozen=True, eq=False)
class LeakageView:
    """How well sensitive columns can be told.

    Attributes:
        found: by version, then by column.
        values: what the codes of a column of a version stand for.
        baseline: its name; "" where there is one version.
    """

    found: Mapping[str, Mapping[str, Leakage]]
    values: Mapping[tuple[str, str], tuple[str, ...]]
    baseline: str

    @classmethod
    def of(cls, diagnosis: EmbeddingDiagnosis, found: Mapping[str, Mapping[str, Leakage]]) -> LeakageView:
        """The view of what was read of each version."""
        values = {
            (version, column): diagnosis.cohort_codes(version, column)[1]
            for version, each in found.items()
            for column in each
        }
        return cls(found, values, diagnosis.settings.baseline if diagnosis.is_compared else "")

    @property
    def columns(self) -> list[str]:
        """The sensitive columns."""
        return list(next(iter(self.found.values())))

    def sentence(self) -> str:
        """What leaks from which version, in a sentence (plain text)."""
        said = [
            f"{plain(column)} from {plain(version)} (AUC {format_loss(each.area)})"
            for version, columns in self.found.items()
            for column, each in columns.items()
            if each.leaks
        ]
        if not said:
            return "No sensitive column can be told from the vectors beyond chance and well enough to matter."
        return f"Vectors give away {', '.join(said)}: treat them as personal data."

    def rows(self, column: str) -> list[tuple[str, list[Words]]]:
        """The numbers of `NUMBERS` of a column, a row for each version."""
        return [(f"{plain(column)}, {plain(version)}", _words(each[column])) for version, each in self.found.items()]

    def groups(self, column: str) -> list[GroupRow]:
        """The groups of a column that have a number, that with the largest AUC last."""
        areas: dict[str, dict[str, Estimate]] = {}
        for version, each in self.found.items():
            for value, area in zip(self.values[version, column], each[column].by_group, strict=True):
                if area.is_defined:
                    areas.setdefault(value or MISSING, {})[version] = area
        rows = [GroupRow(value, by_version) for value, by_version in areas.items()]
        return sorted(rows, key=lambda row: max(each.value for each in row.areas.values()))

    def groups_title(self, column: str) -> str:
        """Which group can be told best (escaped)."""
        best = self.groups(column)[-1]
        version, area = max(best.areas.items(), key=lambda each: each[1].value)
        group = f"{escape(column)} = {name_of(best.value)}"
        return f"{group} can be told best: AUC{NO_BREAK}{format_loss(area.value)} in {name_of(version)}"

    def frame(self) -> pd.DataFrame:
        """One row per version, column and group; that of all groups has none."""
        rows: list[dict[str, object]] = []
        for version, columns in self.found.items():
            for column, each in columns.items():
                whole = Estimate(each.area, float("nan"), float("nan"), each.n_used, each.reason)
                own = zip(self.values[version, column], each.by_group, strict=True)
                for value, area in [("", whole), *((value or MISSING, area) for value, area in own)]:
                    rows.append(
                        {
                            "version": version,
                            "column": column,
                            "group": value,
                            "roc_auc": area.value,
                            "lower": area.lower,
                            "upper": area.upper,
                            "floor": each.area_floor,
                            "p": each.p,
                            "n": area.n,
                            "reason": area.reason,
                        }
                    )
        return pd.DataFrame(rows)


def _words(each: Leakage) -> list[Words]:
    n = format_count(each.n_used), f"of {format_count(each.n)}"
    if each.reason:
        return [n, (UNDEFINED, each.reason), (UNDEFINED, ""), (UNDEFINED, ""), (UNDEFINED, "")]
    value, interval = estimate_words(each.balanced_accuracy, "share")
    verdict = "leaks" if each.leaks else "within chance" if each.p > NOISE_LEVEL else "too little to matter"
    return [
        n,
        (format_loss(each.area), ""),
        (format_loss(each.area_floor), ""),
        (value, f"{interval}; shuffled: below {format_share(each.accuracy_floor)}"),
        (verdict, f"p = {each.p:.2g}"),
    ]
