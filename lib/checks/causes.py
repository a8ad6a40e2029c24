"""The parts that checks of faulty scores and labels name, for those checks that look at what is left without them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lib.checks.blocks import Place
from lib.checks.collapses import find_collapses
from lib.checks.constant_score import constant_places, find_constants
from lib.checks.missing import find_missing, missing_places
from lib.checks.reversal import find_reversals
from lib.checks.separation import Part, part_of

if TYPE_CHECKING:
    from lib.diagnose import Diagnosis


def cause_places(diagnosis: Diagnosis) -> list[Place]:
    """Parts of tables that are reversed, constant, collapsed or lack scores or labels."""
    places = [each.place for each in find_reversals(diagnosis).found if not each.is_rare]
    places += constant_places(diagnosis) + missing_places(diagnosis)
    return places + [each.place for each in find_collapses(diagnosis).found]


def rare_cause_parts(diagnosis: Diagnosis) -> list[Part]:
    """The same of the values that tables gather."""
    found = [*find_reversals(diagnosis).found, *(each for each, _score in find_constants(diagnosis).found)]
    found += [each for parts in find_missing(diagnosis).found.values() for each in parts]
    axes = find_reversals(diagnosis).axes
    return [part_of(each.place, each.block, axes) for each in found if each.is_rare]
