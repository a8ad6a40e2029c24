"""How alerts and onsets do on many simulated months: the incident's, and the same months without the fault.

`python scripts/monitoring_rates.py [SEEDS] [CLEAN_SEEDS]` (50 and 100, about five minutes) prints a table for
docs/monitoring.md and exits with 1 where what is promised there does not hold.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

# Started as a file, Python looks for modules beside it, not in the project.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.metrics.burn_rate import Objective
from lib.metrics.estimates import FloatArray
from lib.metrics.incidents import Onset, Part
from lib.monitoring import Monitoring
from lib.scan import Scan
from lib.schema import EVERYTHING
from lib.sources import build_dataset, infer_mapping, read_table
from sample_data.make import INCIDENT, make_clean, make_incident

READ = ["time", "id", "version", "y_true", "y_prob", "language", "platform", "tenant"]
POLICY = (
    Objective("Violations", "violation_rate", 0.20),
    Objective("Errors", "error_rate", 0.12),
)
"""What a person who knows the model would ask of it: it has 15 % and 8.5 % in other months."""
DEPLOY, ROLLBACK = (int(each.timestamp()) for each in (INCIDENT.deploy, INCIDENT.rollback))
FAULTY = Part(INCIDENT.cohort_column, INCIDENT.cohort_value)
MOST_MINUTES = 120
LEAST_QUIET = 0.95


def monitored(frame: pd.DataFrame, folder: Path) -> Monitoring:
    """The monitoring of a table of predictions."""
    path = folder / "rows.parquet"
    frame[READ].to_parquet(path, index=False)
    table = read_table(path, path.name, folder)
    scan = Scan(build_dataset([table], infer_mapping([table]).mapping), folder)
    return Monitoring(scan, EVERYTHING, 1.0)


@dataclass(frozen=True)
class Month:
    """What a month's monitoring told: minutes from the deploy to the first page, its lead; onsets of violations."""

    minutes: float
    lead: Part | None
    onsets: tuple[Onset, ...]
    restored: str

    @classmethod
    def of(cls, watched: Monitoring) -> Month:
        """Replay the policy."""
        pages = [i for o in POLICY for i in watched.tell(o).incidents if i.action == "page"]
        first = min(pages, key=lambda each: each.opened, default=None)
        minutes = np.nan if first is None else (first.opened - DEPLOY) / 60
        restored = watched.recoveries("violation_rate", FAULTY)[0].restored
        return cls(minutes, None if first is None else first.lead.part, watched.onsets("violation_rate"), restored)


def months(make: Callable[[int], pd.DataFrame], seeds: int) -> list[Month]:
    """The months of so many seeds."""
    found: list[Month] = []
    for seed in range(seeds):
        with tempfile.TemporaryDirectory() as folder:
            found.append(Month.of(monitored(make(seed), Path(folder))))
        print(f"\r{seed + 1} of {seeds}", end="", file=sys.stderr)
    print(file=sys.stderr)
    return found


def main(arguments: list[str]) -> int:
    """Print the table; returns the exit status."""
    seeds, clean_seeds = (int(each) for each in (*arguments, *("50", "100")[len(arguments) :]))
    faulty, clean = months(make_incident, seeds), months(make_clean, clean_seeds)
    minutes = np.array([each.minutes for each in faulty])
    begins = [next((o for o in each.onsets if o.part == FAULTY and o.change.is_rise), None) for each in faulty]
    errors = np.array([np.nan if each is None else abs(each.change.at - DEPLOY) / 60 for each in begins])
    covered = [each is not None and each.change.lower <= DEPLOY <= each.change.upper for each in begins]
    in_time = (minutes > 0) & (minutes <= MOST_MINUTES)
    quiet = np.mean([np.isnan(each.minutes) for each in clean])
    unchanged = np.mean([not each.onsets for each in clean])

    def spread(values: FloatArray, *levels: float) -> str:
        return " / ".join(f"{each:.0f}" for each in np.nanquantile(values, levels))

    rows = [
        ("incident: first page after the deploy and within two hours", f"{in_time.sum()} of {seeds}"),
        ("… minutes from the deploy: least, median, most", spread(minutes, 0, 0.5, 1)),
        ("… the cohort is the lead of the page", f"{sum(each.lead == FAULTY for each in faulty)} of {seeds}"),
        ("… minutes from the onset to the truth: median, most", spread(errors, 0.5, 1)),
        ("… the interval of the onset holds the truth", f"{sum(covered)} of {seeds}"),
        ("… two onsets, the fault's begin and end", f"{sum(len(each.onsets) == 2 for each in faulty)} of {seeds}"),
        ("… the rollback restored the cohort", f"{sum(each.restored == 'yes' for each in faulty)} of {seeds}"),
        ("clean month: no page", f"{quiet * clean_seeds:.0f} of {clean_seeds}"),
        ("clean month: no onset", f"{unchanged * clean_seeds:.0f} of {clean_seeds}"),
    ]
    width = max(len(name) for name, _value in rows)
    for name, value in rows:
        print(f"| {name:<{width}} | {value} |")
    return 0 if in_time.all() and quiet >= LEAST_QUIET else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
