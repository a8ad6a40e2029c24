"""What monitoring is computed from: which timelines that is, whether they are there, and reading them ahead."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from lib.metrics.incidents import Part
from lib.scan.held import HeldTables
from lib.schema import EVERYTHING, Filter
from lib.sources import Run


def narrowed(where: Filter, part: Part) -> Filter:
    """A filter that lets the rows of a part alone pass."""
    return replace(where, cohorts=(*where.cohorts, *part.cohorts))


def at_all_times(where: Filter) -> Filter:
    """A filter without its range of times: what came before and after tells what a time is."""
    return replace(where, start=None, end=None)


def watched_columns(tables: HeldTables, where: Filter) -> tuple[str, ...]:
    """The cohort columns that have more than one value among the rows that pass a filter."""
    chosen = {column for column, _value in where.cohorts}
    return tuple(column for column in tables.facts.cohorts if column not in chosen)


def read_timelines(
    tables: HeldTables,
    where: Filter,
    margin_target: float,
    crossings: Sequence[Part] = (),
    run: Run | None = None,
    report: Callable[[float, str], None] = lambda _share, _words: None,
) -> None:
    """Read what monitoring is computed from, in a run that its owner can cancel.

    Raises:
        Cancelled: `run` was cancelled; what was read so far is held.
    """
    wanted = _wanted(tables, where, crossings)
    for place, (column, chosen) in enumerate(wanted):
        report(place / len(wanted), f"Counting rows by {column or 'version'} and time")
        tables.timeline(column, chosen, margin_target, run=run)


def are_read(tables: HeldTables, where: Filter, margin_target: float, crossings: Sequence[Part] = ()) -> bool:
    """Whether all of that is held."""
    wanted = _wanted(tables, where, crossings)
    return all(tables.holds_timeline(column, chosen, margin_target) for column, chosen in wanted)


def _wanted(tables: HeldTables, where: Filter, crossings: Sequence[Part]) -> list[tuple[str | None, Filter]]:
    """The cohort column, if any, and the filter of each timeline."""
    columns = (None, *watched_columns(tables, where))
    return [
        (None, EVERYTHING),
        *((column, where) for column in columns),
        *((None, narrowed(where, each)) for each in crossings),
    ]


def missing_for_monitoring(tables: HeldTables) -> str:
    """What monitoring needs and the data have not: "times", "labels" or "times and labels"; "" where it can be."""
    there = {"times": tables.facts.windows is not None, "labels": tables.facts.mapping.label is not None}
    return " and ".join(name for name, is_there in there.items() if not is_there)
