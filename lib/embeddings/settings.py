"""What embeddings are looked at under: which versions, what near means, how long lists are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lib.errors import SettingsError
from lib.metrics.geometry import norms
from lib.sources.columns import join_names
from lib.sources.embeddings import EmbeddingSet
from lib.vectors import Distance, Vectors

KS = (1, 5, 10)
LONGEST = 100
"""Of lists: what is told of longer ones nobody looks at, and a graph holds so many neighbours of every row."""

LENGTHS_LOOKED_AT = 500
"""Rows of a version."""
FEW = 0.02
"""Share of rows that are not of length 1 where that is no matter of a few odd ones."""


@dataclass(frozen=True)
class EmbeddingSettings:
    """The choices that hold on every page of embeddings.

    Attributes:
        baseline, candidate: versions; the same where there is one.
        distance: what near means.
        ks: lengths of lists, ascending; the last is the one that pages speak of.
    """

    baseline: str
    candidate: str
    distance: Distance = Distance.COSINE
    ks: tuple[int, ...] = KS

    @classmethod
    def choose(
        cls,
        embeddings: EmbeddingSet,
        *,
        baseline: str | None = None,
        candidate: str | None = None,
        distance: Distance | None = None,
        ks: tuple[int, ...] = KS,
    ) -> EmbeddingSettings:
        """The settings that are asked for: the baseline is the first version unless named, the candidate the last.

        The distance is cosine unless named; but where all vectors of the baseline have length 1 and those of the
        candidate do not, it is Euclidean: an index that relies on their length goes wrong, and cosine would not see it.

        Raises:
            SettingsError: there is no such version, or a list of no length.
        """
        names = list(embeddings.versions)
        for role, name in (("baseline", baseline), ("candidate", candidate)):
            if name is not None and name not in names:
                raise SettingsError(f"There is no version {name} to be the {role}; there are {join_names(names)}.")
        if not ks or min(ks) < 1 or max(ks) > LONGEST:
            raise SettingsError(
                f"Lists of neighbours hold 1 to {LONGEST} rows; {', '.join(map(str, ks))} was asked for."
            )
        chosen = candidate or (names[-1] if names[-1] != baseline else names[0])
        before = baseline or next((name for name in names if name != chosen), chosen)
        if distance is None:
            was, is_ = (_share_not_unit(embeddings.versions[name]) for name in (before, chosen))
            distance = Distance.EUCLIDEAN if was == 0 and is_ > FEW else Distance.COSINE
        return cls(before, chosen, distance, tuple(sorted(set(ks))))

    @property
    def k(self) -> int:
        """The length of the lists that pages speak of."""
        return self.ks[-1]

    @property
    def versions(self) -> tuple[str, ...]:
        """Baseline and candidate, or the only one."""
        return (self.baseline,) if self.baseline == self.candidate else (self.baseline, self.candidate)


def _share_not_unit(vectors: Vectors) -> float:
    """The share of a version's rows whose length is not 1, of some of them; NaN where none can be used."""
    rows = np.flatnonzero(vectors.is_good)
    return norms(vectors.matrix, rows[:: max(1, len(rows) // LENGTHS_LOOKED_AT)]).not_unit.value
