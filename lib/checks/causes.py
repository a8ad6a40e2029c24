"""The parts that checks of faulty scores and labels name, for those checks that look at what is left without them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lib.checks.blocks import Place
from lib.checks.constant_score import constant_places
from lib.checks.margin_collapse import find_collapses
from lib.checks.missing_telemetry import missing_places
from lib.checks.reversal import find_reversals

if TYPE_CHECKING:
    from lib.diagnose import Diagnosis


def cause_places(diagnosis: Diagnosis) -> list[Place]:
    """Parts that are reversed, constant, collapsed or lack scores or labels."""
    places = [each.place for each in find_reversals(diagnosis).found]
    places += constant_places(diagnosis) + missing_places(diagnosis)
    return places + [each.place for each in find_collapses(diagnosis).found]
