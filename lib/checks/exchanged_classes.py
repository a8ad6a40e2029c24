"""H-F5 and H-F6 of several classes: what is said of exchanged ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lib.cells import Cells
from lib.checks import words
from lib.checks.answered import Answered
from lib.checks.blocks import BoolArray, IntArray, where_of
from lib.checks.exchanges import Exchange, Exchanges, find_exchanges
from lib.checks.filtered import LEFT, filter_as_place, is_of_filter_alone
from lib.checks.memory import once_for_every_margin_target
from lib.checks.permutations import cycles_of, moved_by
from lib.checks.result import Answer, Finding, NotApplicable, Passed, Status, Where
from lib.checks.separation import Part, cells_of, part_of
from lib.metrics.catalogue import metric_named
from lib.metrics.estimates import Estimate
from lib.metrics.intervals import wilson

if TYPE_CHECKING:
    from lib.diagnose import Diagnosis

NAMED = 3
DRAGGED = 0.005
"""How far exchanged rows must drag down an accuracy to be worth a sentence."""


def check_exchanged_parts(diagnosis: Diagnosis) -> Answer:
    """Fail for each part whose classes are exchanged."""
    exchanges = find_exchanges(diagnosis)
    if exchanges.reason:
        return NotApplicable(f"{exchanges.reason[0].upper()}{exchanges.reason[1:].rstrip('.')}.")
    if exchanges.everything is not None and _is_of_filter_alone(diagnosis):
        return [_finding_of_all(diagnosis, exchanges, filter_as_place(diagnosis), LEFT)]
    if exchanges.everything is not None:
        return Passed("Everything is exchanged, not a part: see label-encoding.", {"n": exchanges.n})
    if not exchanges.found:
        only = "" if len(exchanges.answered) == len(exchanges.tables) else "; saved cells hold answers by version alone"
        return Passed(
            f"No {words.parts_of(diagnosis.facts)} has its classes exchanged "
            f"({words.plural(exchanges.trials, 'part')} looked at{only}).",
            {"n": exchanges.n, "n_parts": int(exchanges.trials)},
        )
    return _findings(diagnosis)


@once_for_every_margin_target
def _findings(diagnosis: Diagnosis) -> list[Finding]:
    exchanges = find_exchanges(diagnosis)
    return [_finding(diagnosis, exchanges, each) for each in exchanges.found]


def check_exchanged_everywhere(diagnosis: Diagnosis) -> Answer:
    """Fail where classes are exchanged in all rows, and no version, cohort or run of windows is right."""
    exchanges = find_exchanges(diagnosis)
    if exchanges.reason:
        return NotApplicable(f"{exchanges.reason[0].upper()}{exchanges.reason[1:].rstrip('.')}.")
    whole, to = exchanges.answered[0], exchanges.everything
    everywhere = np.ones(len(whole.n), dtype=np.bool_)
    if to is None:
        n, right, _exchanged = _counts(whole, everywhere, None)
        return Passed(
            f"Scores and labels agree on which class is which (accuracy {words.percent(right / n)}, "
            f"n = {words.count(n)}).",
            {"n": int(n), "accuracy": right / n},
        )
    if _is_of_filter_alone(diagnosis):
        return Passed("What the filter leaves is exchanged, not everything: see label-flip.", {"n": exchanges.n})
    return [_finding_of_all(diagnosis, exchanges, Where(), " over all versions and cohorts")]


def _is_of_filter_alone(diagnosis: Diagnosis) -> bool:
    return is_of_filter_alone(diagnosis, lambda whole: find_exchanges(whole).everything is not None)


def _finding_of_all(diagnosis: Diagnosis, exchanges: Exchanges, where: Where, place: str) -> Finding:
    whole, to = exchanges.answered[0], exchanges.everything
    assert to is not None
    names = diagnosis.facts.mapping.class_names
    n, right, exchanged = _counts(whole, np.ones(len(whole.n), dtype=np.bool_), to)
    return Finding(
        Status.FAIL,
        None,
        where,
        f"{_classes(to, names, place)}{_rates(to, n, right, exchanged)} (n = {words.count(n)})",
        {**_evidence(to, names, n, right, exchanged), "consequences": []},
        exchanged - right,
    )


def _finding(diagnosis: Diagnosis, exchanges: Exchanges, exchange: Exchange) -> Finding:
    found, to, axes = exchange.found, exchange.to, exchanges.axes
    names = diagnosis.facts.mapping.class_names
    table = next(each for each in exchanges.answered if each.frame.column == found.block.column)
    where = where_of(found.place, found.block, axes, found.extent)
    version = None if found.place.version is None else axes.versions[found.place.version]
    inside = table.inside(found.place)
    n, right, exchanged = _counts(table, inside, to)
    (n_elsewhere, right_elsewhere, _exchanged), rest = _elsewhere(exchanges, exchange, table)
    elsewhere = right_elsewhere / n_elsewhere if n_elsewhere else float("nan")
    against = f"{words.percent(elsewhere)} are right in {rest}, " if n_elsewhere else ""
    return Finding(
        Status.FAIL,
        version,
        where,
        f"{_classes(to, names, words.place(version, where, axes.facts))}{_rates(to, n, right, exchanged)} "
        f"({against}n = {words.count(n)})",
        {
            **_evidence(to, names, n, right, exchanged),
            "accuracy_elsewhere": elsewhere,
            "p_adjusted": found.p,
            "n_parts": int(found.trials),
            "versions": [axes.versions[each] for each in found.versions],
            "consequences": _consequences(diagnosis, part_of(found.place, found.block, axes)),
        },
        found.gain,
    )


def _evidence(to: IntArray, names: tuple[str, ...], n: float, right: float, exchanged: float) -> dict[str, Any]:
    low, high = wilson(right / n, n)
    return {
        "n": int(n),
        "exchanged": {names[each]: names[to[each]] for each in np.flatnonzero(moved_by(to))},
        "accuracy": right / n,
        "accuracy_ci": [float(low), float(high)],
        "accuracy_exchanged": exchanged / n,
    }


def _classes(to: IntArray, names: tuple[str, ...], place: str) -> str:
    """Which classes are exchanged, where: "Classes cat and dog are exchanged in version 2:"."""
    cycles = cycles_of(to)
    named = [words.shorten(name, words.LONGEST) for name in names]
    if len(cycles) == 1 and len(cycles[0]) == 2:
        one, other = cycles[0]
        return f"Classes {named[one]} and {named[other]} are exchanged{place}:"
    said = [f"{named[each]} is answered as {named[to[each]]}" for cycle in cycles for each in cycle]
    number = words.plural(sum(map(len, cycles)), "class", "classes")
    return f"{number} are exchanged{place}: {words.listing(said, NAMED)};"


def _rates(to: IntArray, n: float, right: float, exchanged: float) -> str:
    which = "the two" if moved_by(to).sum() == 2 else "them"
    return (
        f" {words.percent(right / n)} of their rows are answered right, {words.percent(exchanged / n)} would be with "
        f"{which} exchanged back"
    )


def _counts(table: Answered, kept: BoolArray, to: IntArray | None) -> tuple[float, float, float]:
    """Of the entries that are kept rows, right ones, and those that an exchange makes right; of the classes it moves.

    Of all classes without an exchange.
    """
    crossed = table.crossed(kept)
    of = np.arange(table.size) if to is None else np.flatnonzero(moved_by(to))
    right, exchanged = crossed[of, of].sum(), crossed[of, of if to is None else to[of]].sum()
    return float(crossed[of].sum()), float(right), float(exchanged)


def _elsewhere(exchanges: Exchanges, exchange: Exchange, table: Answered) -> tuple[tuple[float, float, float], str]:
    """The counts of the rest of the part's versions without exchanged parts, and what that is called.

    Of the other versions where the part is a whole version. What parts in two columns share is in no table: parts in
    another column are not left out.
    """
    place, n_versions = exchange.found.place, len(exchanges.axes.versions)
    left = np.ones(len(table.n), dtype=np.bool_)
    for each in exchanges.found:
        if each.found.place.column in (None, place.column):
            left &= ~table.inside(each.found.place)
    own = np.isin(table.at[:, 0], exchange.found.versions)
    if (own & left).any():
        name = "the rest of the version" if len(exchange.found.versions) < n_versions else "the rest"
        return _counts(table, own & left, exchange.to), name
    return _counts(table, left, exchange.to), f"the other version{'s' if n_versions > 2 else ''}"


def _consequences(diagnosis: Diagnosis, part: Part) -> list[str]:
    """How far these rows drag down their version, and their cohort over all time."""
    own = Part(part.versions)
    if part == own:
        return []
    one = f"version {part.versions[0] or '(none)'}" if len(part.versions) < len(diagnosis.facts.versions) else ""
    wider = {f"{one or 'everything'} as a whole": own}
    if part.cohorts and part.window is not None:
        ((column, value),) = part.cohorts
        wider[f"{column} = {value or '(none)'}{f' in {one}' if one else ''} over all time"] = Part(
            own.versions, part.cohorts
        )
    cells, said = cells_of(diagnosis, part), list[str]()
    for name, each in wider.items():
        whole = cells_of(diagnosis, each)
        before, after = (_accuracy(diagnosis, held) for held in (whole, whole.without(cells)))
        if after.value - before.value >= DRAGGED:
            said.append(
                f"{name}: accuracy {words.percent(before.value)} with these rows, {words.percent(after.value)} without "
                "them"
            )
    return said


def _accuracy(diagnosis: Diagnosis, cells: Cells) -> Estimate:
    return metric_named("accuracy").estimate(cells, diagnosis.metric_settings)[0]
