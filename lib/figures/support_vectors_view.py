"""What the Support vectors page shows: kinds of rows by version and class, and how far they fall short."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from lib.cells import Cells
from lib.diagnose import Diagnosis
from lib.figures.format import format_count, format_loss, format_plural, format_share
from lib.figures.nothing import nothing_words
from lib.figures.training_rows import training_split
from lib.metrics.estimates import Estimate, FloatArray
from lib.metrics.margins import SUPPORT_VECTOR_TOLERANCE
from lib.metrics.support_vectors import (
    BEGINS,
    KINDS,
    SLACK_QUANTILES,
    Kind,
    SlackHistogram,
    SupportVectors,
    TrainingBounds,
    slack_histogram,
    training_bounds,
)
from lib.scan.listing import Order, RowQuery
from lib.schema import SPLIT, VERSION, Filter, ScoreKind

WORDS: dict[Kind, str] = {
    "wrong_side": "on the wrong side",
    "inside": "inside the margin",
    "on_margin": "on the margin",
    "free": "free",
}
CLASSES = {0: "both classes", -1: "negative", 1: "positive"}
JUST_ABOVE = 1e-9
"""What a link adds to a margin that is itself to be listed, since ranges end before their end."""
NO_TRAINING = "no split is called train"
SEVERAL = "with several classes the margin is not the one that a solver trained"


@dataclass(frozen=True, eq=False)
class SupportRow:
    """One version, of both classes or of one.

    Attributes:
        version: whose rows.
        label: 0 for both classes, else −1 or +1.
        n: labelled, scored rows.
        hits: raw rows of each kind.
        kinds: the share of each kind.
        share: of support vectors.
        slack: mean slack.
        total: Σ slack.
        quantiles: of slack, by `SLACK_QUANTILES`.
    """

    version: str
    label: int
    n: int
    hits: dict[Kind, int]
    kinds: dict[Kind, Estimate]
    share: Estimate
    slack: Estimate
    total: float
    quantiles: dict[float, Estimate]

    @property
    def n_support(self) -> int:
        """Raw number of support vectors."""
        return self.n - self.hits["free"]


def support_rows(cells: Cells, label: int = 0) -> list[SupportRow]:
    """The row of each group of cells by version, of one class or of both."""
    of = SupportVectors.of(cells.of_label(label) if label else cells)
    return [
        SupportRow(
            str(version),
            label,
            int(of.share.n[group]),
            {kind: int(of.counts[kind].hits[group]) for kind in KINDS},
            {kind: of.shares[kind][group] for kind in KINDS},
            of.share[group],
            of.slack[group],
            float(of.total[group]),
            {q: each[group] for q, each in of.quantiles.items()},
        )
        for group, version in enumerate(of.groups[VERSION])
    ]


def cells_of_split(diagnosis: Diagnosis, split: str) -> Cells:
    """Cells by version of one split, or of all rows where that is empty."""
    if not split:
        return diagnosis.cells(VERSION)
    return diagnosis.cells(VERSION, SPLIT).select(**{SPLIT: split}).rollup([VERSION])


def bounds_of(
    diagnosis: Diagnosis, version: str, c: float = math.nan, n: int | None = None
) -> tuple[TrainingBounds | None, str]:
    """What theory says of a version's training rows, or why it says nothing."""
    mapping, split = diagnosis.facts.mapping, training_split(diagnosis)
    if mapping.score_kind is not ScoreKind.DECISION:
        return None, f"the score is a {mapping.score_kind.value}, which no hinge loss was trained on"
    if mapping.is_multiclass:
        return None, SEVERAL
    if split is None:
        return None, NO_TRAINING
    cells = cells_of_split(diagnosis, split)
    names = [str(each) for each in cells.groups[VERSION]]
    bounds = training_bounds(cells, names.index(version), c, n) if version in names else None
    return bounds, "" if bounds else "its training rows are of one class or have no scores"


@dataclass(frozen=True, eq=False)
class SupportView:
    """Support vectors of the chosen versions.

    Attributes:
        baseline, candidate: versions; the same where there is one.
        split: whose rows; "" for all.
        rows: by version, baseline first, and within it both classes, negative, positive (one row with several classes).
        slack: how slack is distributed, by version.
        has_hinge_scale: whether scores are decision scores, so that 1 is the margin that was trained for.
        is_exact: whether scores are kept exactly.
        where: the filter, split included.
        nothing: why there are no margins, if there are none.
    """

    baseline: str
    candidate: str
    split: str
    rows: tuple[SupportRow, ...]
    slack: SlackHistogram
    has_hinge_scale: bool
    is_exact: bool
    where: Filter
    nothing: str

    @classmethod
    def of(cls, diagnosis: Diagnosis, split: str = "") -> SupportView:
        """The view of a diagnosis, of one split or of all rows."""
        settings, versions, mapping = diagnosis.settings, diagnosis.shown_versions, diagnosis.facts.mapping
        cells = cells_of_split(diagnosis, split).among(VERSION, versions)
        rows = [row for label in ((0,) if mapping.is_multiclass else CLASSES) for row in support_rows(cells, label)]
        rows.sort(key=lambda row: (versions.index(row.version), list(CLASSES).index(row.label)))
        nothing = nothing_words(diagnosis)
        if not nothing and not any(row.n for row in rows):
            nothing = f"No row of the split {split} has both a label and a score"
        return cls(
            settings.baseline,
            settings.candidate,
            split,
            tuple(rows),
            slack_histogram(cells),
            mapping.score_kind is ScoreKind.DECISION,
            cells.resolution.is_exact,
            replace(settings.where, split=split) if split else settings.where,
            nothing,
        )

    @property
    def versions(self) -> tuple[str, ...]:
        """The versions that have rows, baseline first."""
        return tuple(dict.fromkeys(row.version for row in self.rows))

    def row(self, version: str, label: int = 0) -> SupportRow:
        """One row."""
        return next(row for row in self.rows if (row.version, row.label) == (version, label))

    @property
    def focus(self) -> SupportRow:
        """What sentences speak of: the candidate where it has rows."""
        return self.row(self.candidate if self.candidate in self.versions else self.versions[0])

    def answer(self) -> str:
        """What the page says, in one sentence (plain text)."""
        if self.nothing:
            return f"{self.nothing}: there are no support vectors to show."
        row = self.focus
        if not row.share.is_defined:
            return f"The support vectors of {row.version} are undefined: {row.share.reason}."
        of = f"labelled {self.split} row" if self.split else "labelled row"
        number = f"{format_count(row.n_support)} of {format_plural(row.n, of)}"
        share = format_share(row.share.value)
        said = f"{row.version} rests on {number}, {share}"
        if not self.has_hinge_scale:
            said = f"Hinge would call {number} of {row.version} support vectors, {share}, on the scale of log odds"
        kinds = [f"{format_count(row.hits[kind])} {WORDS[kind]}" for kind in KINDS[:-1]]
        return f"{said}: {kinds[0]}, {kinds[1]}, {kinds[2]}; mean slack {format_loss(row.slack.value)}."

    def notes(self) -> list[str]:
        """What has to be known beside it, in sentences (plain text)."""
        said: list[str] = []
        if not self.has_hinge_scale:
            said.append(
                "Only a decision score of a hinge-trained model has its margin at 1. These scores are log odds: m = 1 "
                "is a probability of 0.73 for the true class, and no solver has stopped there."
            )
        if any(each.bound > 0 for row in self.rows for each in row.kinds.values()):
            said.append(
                f"So many scores are kept in bins: on the margin are the rows with m = 1 exactly, instead of within "
                f"{SUPPORT_VECTOR_TOLERANCE:g} of it, and the shares may be off by what the table says."
            )
        return said

    def query(self, row: SupportRow, kind: Kind) -> RowQuery:
        """The rows of a kind, smallest margin first."""
        after = KINDS[KINDS.index(kind) + 1 :]
        return self._query(row, kind, after[0] if after else None)

    def support_query(self, row: SupportRow) -> RowQuery:
        """The support vectors of a row, largest slack first."""
        return self._query(row, None, "free")

    def _query(self, row: SupportRow, first: Kind | None, beyond: Kind | None) -> RowQuery:
        """The rows from where a kind begins to where another does."""
        # Binned rows are counted as on the margin where m = 1: as many have to be listed.
        tolerance = SUPPORT_VECTOR_TOLERANCE if self.is_exact else 0.0
        # The first free margin is the number after the last one that is not: a link has fewer digits.
        begins = BEGINS | {"on_margin": 1.0 - tolerance, "free": 1.0 + tolerance + JUST_ABOVE}
        return RowQuery(
            where=self.where,
            version=row.version,
            label=row.label or None,
            margin_from=None if first is None else begins.get(first),
            margin_to=None if beyond is None else begins[beyond],
            order=Order.MARGIN,
        )

    def frame(self) -> pd.DataFrame:
        """One row per version, class and kind."""
        return pd.DataFrame(
            [
                {
                    "version": row.version,
                    "class": CLASSES[row.label],
                    "split": self.split,
                    "kind": kind,
                    "rows": row.hits[kind],
                    "n": row.n,
                    "share": each.value,
                    "lower": each.lower,
                    "upper": each.upper,
                    "bound": each.bound,
                }
                for row in self.rows
                for kind, each in row.kinds.items()
            ]
        )

    def slack_frame(self) -> pd.DataFrame:
        """One row per version and bar of slack; the last bar is open."""
        names, edges = self.slack.groups[VERSION], self.slack.edges
        ends = np.append(edges[1:-1], np.inf)
        return pd.concat(
            [
                pd.DataFrame(
                    {
                        "version": str(name),
                        "slack_above": edges[:-1],
                        "slack_to": ends,
                        "rows": self.slack.n[group].astype(np.int64),
                        "share": self.slack.share[group],
                    }
                )
                for group, name in enumerate(names)
            ],
            ignore_index=True,
        )

    def slack_of(self, version: str) -> FloatArray:
        """The heights of the bars of a version."""
        (place,) = np.flatnonzero(self.slack.groups[VERSION] == version)
        return self.slack.share[int(place)]


def slack_words(row: SupportRow) -> str:
    """Quantiles of the slack of a version, in words."""
    parts = [f"{format_share(q, 0)} at most {format_loss(row.quantiles[q].value)}" for q in SLACK_QUANTILES[:-1]]
    return f"Slack of {format_plural(row.n, 'row')} of {row.version}: {', '.join(parts)}."
