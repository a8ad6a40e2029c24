"""What the Calibration page says of recalibration: the maps side by side, a recommendation, the map to take away."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pandas as pd

from lib.diagnose import Diagnosis
from lib.figures.format import format_change, format_count, format_loss, format_plural
from lib.metrics.estimates import Estimate
from lib.metrics.recalibration import ENOUGH_FOR_ISOTONIC, CrossFitted, Recalibration
from lib.metrics.recalibration_maps import MAP_LABELS, MapName, as_json, as_python
from lib.schema import ScoreKind

LOSS_WORDS = {"log_loss": "Log loss", "brier_score": "Brier score"}


@dataclass(frozen=True, eq=False)
class RecalibrationView:
    """The maps of one version.

    Attributes:
        version: whose scores.
        found: the maps, judged on rows that they were not fitted on.
        takes_probability: whether the file has probabilities, not scores or log odds.
        source: where the map comes from, for the files that hold it.
    """

    version: str
    found: Recalibration
    takes_probability: bool
    source: str

    @classmethod
    def of(cls, diagnosis: Diagnosis, version: str, source: str) -> RecalibrationView:
        """Of a version; reads the table by fold if it is not held."""
        kind = diagnosis.facts.mapping.score_kind
        return cls(version, diagnosis.calibrations.recalibration(version), kind is ScoreKind.PROBABILITY, source)

    @property
    def is_probability(self) -> bool:
        """Whether there is a probability to begin with."""
        return self.found.is_probability

    def before(self, loss: str) -> float:
        """A loss of the probabilities as they are."""
        return self.found.before(loss)

    def sentence(self) -> str:
        """The recommendation (plain text)."""
        found = self.found
        if found.reason:
            return f"No map can be fitted: {found.reason}."
        best = found.recommended
        few = ""
        if found.n < ENOUGH_FOR_ISOTONIC:
            few = (
                f" {format_plural(found.n, 'labelled row')} are too few for an isotonic map: it wants at least "
                f"{format_count(ENOUGH_FOR_ISOTONIC)}."
            )
        if best is None:
            return (
                f"No map makes version {self.version} better beyond chance: leave its probabilities as they are.{few}"
            )
        name = MAP_LABELS[best.name]
        if not self.is_probability:
            loss = format_loss(best.losses["log_loss"].value)
            said = f"Recommended for version {self.version}: {name}, log loss {loss}; no plainer map does as well"
        else:
            change = best.losses["log_loss_change"]
            around = f"{format_change(change.lower, 'loss')} to {format_change(change.upper, 'loss')}"
            said = (
                f"Recommended for version {self.version}: {name}. On rows that it has not seen it changes the log loss "
                f"by {format_change(change.value, 'loss')} ({around})"
            )
        return f"{said}.{few}"

    def against_best(self, each: CrossFitted) -> Estimate:
        """How much the log loss of a map is above that of the best, row by row."""
        return self.found.against_best[each.name]

    def frame(self) -> pd.DataFrame:
        """One row per map and loss."""
        rows = [
            {"map": each.name, "loss": name, "value": of.value, "lower": of.lower, "upper": of.upper, "n": int(of.n)}
            for each in self.found.maps
            for name, of in each.losses.items()
        ]
        return pd.DataFrame(rows)

    def fitted(self, name: MapName) -> CrossFitted:
        """One of the maps."""
        return next(each for each in self.found.maps if each.name == name)

    def json_text(self, name: MapName) -> str:
        """The map of all rows as JSON."""
        held = as_json(self.fitted(name).fitted, takes_probability=self.takes_probability)
        return json.dumps({**held, "version": self.version, "source": self.source}, indent=2, allow_nan=False) + "\n"

    def python_text(self, name: MapName) -> str:
        """The map of all rows as a Python function."""
        comment = f"Version {self.version}. {self.source}"
        return as_python(self.fitted(name).fitted, takes_probability=self.takes_probability, comment=comment)
