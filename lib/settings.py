"""What a look at a dataset is at: its versions, the margin target, which rows; chosen once for all pages."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from lib.errors import SettingsError
from lib.metrics.recalibration_maps import MapName
from lib.scan.facts import Facts
from lib.schema import EVERYTHING, Filter


@dataclass(frozen=True)
class Settings:
    """What a look is at: two versions, the margin target γ, which rows, and which map makes probabilities, if any."""

    baseline: str
    candidate: str
    margin_target: float = 1.0
    where: Filter = EVERYTHING
    recalibration: MapName | None = None

    @classmethod
    def choose(
        cls,
        facts: Facts,
        *,
        baseline: str | None = None,
        candidate: str | None = None,
        margin_target: float = 1.0,
        where: Filter = EVERYTHING,
        recalibration: MapName | None = None,
    ) -> Settings:
        """Settings with the defaults: the baseline is the first of `facts.versions`, the candidate the last.

        Raises:
            SettingsError: a version that the dataset does not have; recalibration of several classes.
        """
        if recalibration is not None and facts.mapping.is_multiclass:
            raise SettingsError("Recalibration is of one score; this dataset has several classes with a score each.")
        for name in (baseline, candidate):
            if name is not None and name not in facts.versions:
                near = difflib.get_close_matches(name, facts.versions, 1)
                hint = f" Did you mean {near[0]!r}?" if near else ""
                raise SettingsError(f"There is no version {name!r}; there are {', '.join(facts.versions)}.{hint}")
        first, last = (facts.versions[0], facts.versions[-1]) if facts.versions else ("", "")
        return cls(baseline or first, candidate or last, margin_target, where, recalibration)
