"""Which findings of cohorts are about the crossing with another column: told once, by the first of them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from lib.checks.cohort_disparity import find_disparities
from lib.checks.crossing import Crossing, find_crossing, part_found
from lib.checks.memory import once
from lib.checks.noisy_labels import find_noise
from lib.checks.reversal import find_reversals
from lib.checks.separation import Part
from lib.checks.worsening import find_worsenings

if TYPE_CHECKING:
    from lib.diagnose import Diagnosis

Source = Literal["reversal", "noise", "time", "cohort"]


@dataclass(frozen=True, eq=False)
class Crossed:
    """A crossing that holds what one or several findings of cohorts are about, told by the first of these.

    Attributes:
        crossing: the rows.
        source: which search found the first of the cohorts.
        versions: of all of them.
        version: of all of them if it is one version, None for several.
        p, strength: of the first.
        found: all of them, as (source, number): place among what the search found.
    """

    crossing: Crossing
    source: Source
    versions: tuple[str, ...]
    version: str | None
    p: float
    strength: float
    found: tuple[tuple[Source, int], ...]

    @property
    def is_reversed(self) -> bool:
        """Whether it is a matter of label-flip, whatever the search."""
        return self.crossing.is_reversed


@once
def find_crossed(diagnosis: Diagnosis) -> list[Crossed]:
    """Every cohort that is found reversed, by wrong labels, by worse answers for a time or by violations, crossed."""
    reversals, several = find_reversals(diagnosis), len(diagnosis.facts.cohorts) > 1
    if diagnosis.facts.mapping.is_multiclass or reversals.reason or reversals.everything or not several:
        return []
    axes, crossed = reversals.axes, list[Crossed]()

    def add(source: Source, number: int, part: Part, version: str | None, p: float, strength: float) -> None:
        crossing = find_crossing(diagnosis, part)
        if crossing is None or (source == "reversal" and not crossing.is_reversed):
            return
        for place, other in enumerate(crossed):
            if _is_same(other.crossing, crossing) and other.crossing.part.window == part.window:
                both = tuple(dict.fromkeys((*other.versions, *part.versions)))
                found, one = (*other.found, (source, number)), version if version == other.version else None
                wider = find_crossing(diagnosis, Part(both, other.crossing.part.cohorts[:1], part.window))
                same = wider if wider is not None and _is_same(wider, crossing) else other.crossing
                crossed[place] = dataclasses.replace(other, crossing=same, versions=both, version=one, found=found)
                return
        crossed.append(Crossed(crossing, source, part.versions, version, p, strength, ((source, number),)))

    for number, found in enumerate(reversals.found):
        version = None if found.place.version is None else axes.versions[found.place.version]
        add("reversal", number, part_found(found, axes), version, found.p, found.gain)
    for number, (found, _share) in enumerate(find_noise(diagnosis).found):
        version = None if found.place.version is None else axes.versions[found.place.version]
        add("noise", number, part_found(found, axes), version, found.p, found.gain)
    for number, each in enumerate(find_worsenings(diagnosis).found):
        version = None if each.place.version is None else axes.versions[each.place.version]
        add("time", number, part_found(each.found, axes), version, each.p, each.found.gain)
    for number, each in enumerate(find_disparities(diagnosis).found):
        if not each.explained and len(each.values) == 1:
            worst = each.values[0]
            part = Part((each.version,), ((each.column, worst.value),))
            add("cohort", number, part, each.version if len(axes.versions) > 1 else None, worst.p_adjusted, worst.n)
    return crossed


def _is_same(one: Crossing, other: Crossing) -> bool:
    return (one.cohort, one.apart) == (other.cohort, other.apart)


def crossing_of(diagnosis: Diagnosis, source: Source, number: int) -> tuple[Crossed | None, bool]:
    """The crossing that holds a finding, if there is one; and whether another finding tells it."""
    for each in find_crossed(diagnosis):
        if (source, number) in each.found:
            return each, each.is_reversed or each.found[0] != (source, number)
    return None, False
