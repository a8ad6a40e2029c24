"""E-F11: vectors that shift with the day of the week or the hour of the day, and come back."""

from __future__ import annotations

from lib.checks import words
from lib.checks.embeddings.versions import Seen, look_at
from lib.checks.result import Answer, NotApplicable, Passed
from lib.embeddings import EmbeddingDiagnosis
from lib.embeddings.measures import read_seasons
from lib.metrics.seasons import LEAST_SHIFT, TOO_SHORT

PHASE = {"week": "the day of the week", "day": "the hour of the day"}


def check_seasonal_drift(diagnosis: EmbeddingDiagnosis) -> Answer:
    """Vectors shift with a cycle and come back."""
    if diagnosis.embeddings.roles.column("time") is None:
        return NotApplicable("there is no time column")
    found = {version: read_seasons(diagnosis, version) for version in diagnosis.settings.versions}
    if not any(found.values()):
        return NotApplicable(TOO_SHORT)

    def seen(version: str) -> Seen | None:
        season = next((each for each in found[version] if each.returns), None)
        if season is None:
            return None
        clause = (
            f"Vectors shift with {PHASE[season.cycle]} by {season.shift:.2f} of their spread and come back, in "
            f"{words.plural(season.n_cycles, season.cycle)} (n = {words.count(season.n)})"
        )
        numbers = {
            "n": season.n,
            "cycle": season.cycle,
            "n_cycles": season.n_cycles,
            "shift": season.shift,
            "p_adjusted": season.p,
            "phases": season.phases.tolist(),
        }
        return Seen(clause, numbers, season.shift)

    findings = look_at(diagnosis, seen)
    if findings:
        return findings
    looked = dict.fromkeys(each.cycle for of in found.values() for each in of)
    return Passed(
        f"No shift of {LEAST_SHIFT:g} of the spread returns with the {' or the '.join(looked)}.",
        {"cycles": list(looked)},
    )
