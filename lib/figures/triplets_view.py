"""What the Geometry page says of pairs and triplets: which are violated at a margin, and what losses make of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from lib.embeddings import EmbeddingDiagnosis
from lib.figures.format import format_count, format_score, format_share
from lib.figures.text import name_of
from lib.figures.vector_words import Term, Words, estimate_words
from lib.metrics.estimates import Estimate
from lib.metrics.triplets import Triplets, TripletShares, shares_at
from lib.vectors import Distance

USUAL = {Distance.COSINE: 0.2}
LEAST_STEPS, USUAL_SHARE = 20, 0.2
"""Of distances without a unit: the slider goes up to about that of two rows that do not belong together, in so many
steps at least, and begins at this share of it."""

SHARES = {
    "n": Term("Triplets", "An anchor, a right answer and a wrong one, drawn; beneath, who could be an anchor"),
    "violation_rate": Term("Violated", "Share of triplets with d(anchor, wrong) − d(anchor, right) below the margin"),
    "easy": Term("Easy", "The wrong answer is further than the right one by the margin or more: nothing to learn from"),
    "semi_hard": Term("Semi-hard", "The wrong answer is further, but by less than the margin"),
    "hard": Term("Hard", "The wrong answer is no further than the right one"),
    "triplet_loss": Term("Triplet loss", "Mean of max(0, margin − triplet margin)"),
    "contrastive_loss": Term("Contrastive loss", "Mean of ½·d² over pairs that belong together and of ½·max(0, margin "
                             "− d)² over those that do not"),
    "proxy_loss": Term("Proxy loss", "Proxy-NCA with the mean direction of each label as its proxy; it knows no "
                       "margin. Lower is better, and it may be negative"),
}  # fmt: skip


@dataclass(frozen=True)
class MarginRange:
    """Margins to choose from, in the unit of the distance."""

    low: float
    high: float
    step: float
    usual: float

    @classmethod
    def of(cls, found: Mapping[str, tuple[Triplets, Estimate]], distance: Distance) -> MarginRange:
        """Up to about the distance of two rows that do not belong together."""
        if distance in USUAL:
            return cls(0.05, 1.0, 0.05, USUAL[distance])
        typical = max((each.medians[1] for each, _proxy in found.values() if len(each.anchor)), default=1.0)
        step = 10.0 ** math.floor(math.log10(max(typical, 1e-9) / LEAST_STEPS))
        usual = max(round(USUAL_SHARE * typical / step), 1) * step
        return cls(step, round(math.ceil(typical / step) * step, 10), step, round(usual, 10))


@dataclass(frozen=True, eq=False)
class TripletsView:
    """Triplets of the shown versions at a margin.

    Attributes:
        found: by version, baseline first.
        shares: at the margin.
        proxy: the proxy loss.
        margin: α.
        distance: what near means.
        baseline: its name; "" where there is one version.
    """

    found: Mapping[str, Triplets]
    shares: Mapping[str, TripletShares]
    proxy: Mapping[str, Estimate]
    margin: float
    distance: Distance
    baseline: str

    @classmethod
    def of(
        cls, diagnosis: EmbeddingDiagnosis, found: Mapping[str, tuple[Triplets, Estimate]], margin: float
    ) -> TripletsView:
        """The view of what was drawn of each version."""
        return cls(
            {version: each for version, (each, _proxy) in found.items()},
            {version: shares_at(each, margin) for version, (each, _proxy) in found.items()},
            {version: proxy for version, (_each, proxy) in found.items()},
            margin,
            diagnosis.settings.distance,
            diagnosis.settings.baseline if diagnosis.is_compared else "",
        )

    def title(self) -> str:
        """What the triplets say (escaped)."""
        said = [
            f"{format_share(each.violation_rate.value)} of {name_of(version)}"
            for version, each in self.shares.items()
            if each.violation_rate.is_defined
        ]
        if not said:
            return "Pairs and triplets"
        return f"Triplets below a margin of {self.margin:g}: {', '.join(said)}"

    def words(self, version: str) -> list[Words]:
        """The numbers of `SHARES` of a version."""
        at, found = self.shares[version], self.found[version]
        return [
            (format_count(len(found.anchor)), f"{format_count(found.n_anchors)} anchors"),
            *(estimate_words(each, "share") for each in (at.violation_rate, at.easy, at.semi_hard, at.hard)),
            *(estimate_words(each, "loss") for each in (at.triplet_loss, at.contrastive_loss, self.proxy[version])),
        ]

    def pairs_words(self) -> str:
        """How far apart pairs are, in a sentence (escaped)."""
        said = [
            f"{name_of(version)}: medians {format_score(each.medians[0])} where rows belong together, "
            f"{format_score(each.medians[1])} where they do not"
            for version, each in self.found.items()
            if len(each.anchor)
        ]
        return f"{'; '.join(said)}." if said else ""

    def frame(self) -> pd.DataFrame:
        """One row per version and number."""
        return pd.DataFrame(
            [
                {
                    "version": version,
                    "margin": self.margin,
                    "measure": name,
                    **each.row(),
                }
                for version, at in self.shares.items()
                for name, each in {
                    "violation_rate": at.violation_rate,
                    "easy": at.easy,
                    "semi_hard": at.semi_hard,
                    "hard": at.hard,
                    "triplet_loss": at.triplet_loss,
                    "contrastive_loss": at.contrastive_loss,
                    "proxy_loss": self.proxy[version],
                }.items()
            ]
        )
