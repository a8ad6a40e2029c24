"""Which rows became support vectors from baseline to candidate and which no longer are: paired by id, as a ledger."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd

from lib.diagnose import Diagnosis
from lib.figures.format import format_count, format_interval, format_plural, format_share
from lib.figures.support_vectors_view import WORDS
from lib.metrics.intervals import LEVEL, mcnemar_p_value, wilson
from lib.metrics.support_vectors import BEGINS, KINDS
from lib.scan.pairs import ABSENT, NO_MARGIN, REPEATED, PairQuery, Pairs
from lib.schema import Filter

SUPPORT, FREE = (0, 1, 2), (3,)
ENTERED, LEFT = "entered", "left"
PLACES = tuple(range(len(KINDS)))


def pair_query(diagnosis: Diagnosis, split: str) -> PairQuery:
    """What is paired: baseline with candidate, over the rows of one split or all."""
    settings = diagnosis.settings
    where: Filter = replace(settings.where, split=split) if split else settings.where
    return PairQuery(settings.baseline, settings.candidate, where, tuple(BEGINS.values()), cap=1.0)


@dataclass(frozen=True, eq=False)
class MovesView:
    """The ledger.

    Attributes:
        query: what was paired.
        pairs: what was found.
    """

    query: PairQuery
    pairs: Pairs

    @property
    def n(self) -> int:
        """Ids with a margin in both versions and one label."""
        return self.pairs.count(PLACES, PLACES)

    @property
    def entered(self) -> int:
        """Ids whose row is a support vector of the candidate alone."""
        return self.pairs.count(FREE, SUPPORT)

    @property
    def left(self) -> int:
        """Ids whose row is one of the baseline alone."""
        return self.pairs.count(SUPPORT, FREE)

    @property
    def p(self) -> float:
        """McNemar's exact test that as many entered as left."""
        return float(mcnemar_p_value(self.entered, self.left))

    def count(self, before: int, after: int) -> int:
        """Ids from one kind to another, by their places in `KINDS`."""
        return self.pairs.count((before,), (after,))

    def answer(self) -> str:
        """Who entered and who left, in a sentence (plain text)."""
        first, second = self.query.before, self.query.after
        if not self.n:
            return f"No id has a margin in both {first} and {second}, so nobody can be followed from one to the other."
        low, high = (float(end) for end in wilson(self.entered / self.n, self.n))
        less, more = (float(end) for end in wilson(self.left / self.n, self.n))
        said = (
            f"Of {format_plural(self.n, 'row')} in both, {format_count(self.entered)} entered the support vectors "
            f"({format_interval(low, high, 'share')} of them) and {format_count(self.left)} left them "
            f"({format_interval(less, more, 'share')})"
        )
        if self.entered + self.left == 0:
            return f"{said}."
        chance = "beyond chance" if self.p < 1 - LEVEL else "within chance"
        return f"{said}; the difference is {chance} (McNemar's exact p = {self.p:.2g})."

    def left_out(self) -> str:
        """Which ids could not be followed, in a sentence (plain text); "" where all could."""
        first, second = self.query.before, self.query.after
        every = (ABSENT, REPEATED, NO_MARGIN, *PLACES)
        counts = {
            f"only in {first}": self.pairs.count(every, (ABSENT,)),
            f"only in {second}": self.pairs.count((ABSENT,), every),
            "more than once in a version": self.pairs.count((REPEATED,), every)
            + self.pairs.count((NO_MARGIN, *PLACES, ABSENT), (REPEATED,)),
            "without a label or a score": self.pairs.count((NO_MARGIN,), (NO_MARGIN, *PLACES))
            + self.pairs.count(PLACES, (NO_MARGIN,)),
            "labelled otherwise": int(self.pairs.n[self.pairs.relabelled].sum()),
        }
        said = [f"{format_count(n)} {words}" for words, n in counts.items() if n]
        return f"Left out are ids: {', '.join(said)}." if said else ""

    def moves(self) -> dict[str, str]:
        """What can be listed, by what a link says, with words; those that happened."""
        found = {ENTERED: f"Entered ({format_count(self.entered)})"} if self.entered else {}
        found |= {LEFT: f"Left ({format_count(self.left)})"} if self.left else {}
        for before in PLACES:
            for after in PLACES:
                n = self.count(before, after)
                if n and before != after:
                    words = f"{WORDS[KINDS[before]].capitalize()} → {WORDS[KINDS[after]]} ({format_count(n)})"
                    found[f"{KINDS[before]}..{KINDS[after]}"] = words
        return found

    def listed(self, move: str) -> pd.DataFrame:
        """The kept rows of a move, those whose slack changed most first."""
        if move in (ENTERED, LEFT):
            ends = (FREE, SUPPORT) if move == ENTERED else (SUPPORT, FREE)
        else:
            ends = tuple((KINDS.index(kind),) for kind in move.split(".."))
        return self.pairs.move(*ends)

    def share(self, n: int) -> str:
        """A count as a share of the followed ids."""
        return format_share(n / self.n) if self.n else ""

    def frame(self) -> pd.DataFrame:
        """One row per move and label."""
        names = {ABSENT: "absent", REPEATED: "repeated", NO_MARGIN: "no margin", **dict(enumerate(KINDS))}
        pairs = self.pairs
        return pd.DataFrame(
            {
                "before": [names[int(each)] for each in pairs.before],
                "after": [names[int(each)] for each in pairs.after],
                "label": pairs.label,
                "relabelled": pairs.relabelled,
                "ids": pairs.n,
                "slack_change": -pairs.d,
            }
        )
