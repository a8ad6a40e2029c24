"""The rows behind a bar: which bars were chosen, and the query that lists as many rows as they say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lib.figures.format import format_plural, format_score
from lib.figures.margins_view import BY_CLASS, BY_VERSION, Group, MarginsView
from lib.figures.samples import margin_words
from lib.scan.listing import PAGE_ROWS, RowQuery
from lib.schema import SPLIT, Filter, cohort_column

LOWEST, HIGHEST = "lowest", "highest"


@dataclass(frozen=True)
class Choice:
    """A group of a margins figure and a range of margins, as texts that a link can hold."""

    group: str
    first: str
    last: str


def range_options(view: MarginsView) -> list[str]:
    """The edges of the bars as texts, with open ends."""
    return [LOWEST, *(f"{edge:.10g}" for edge in view.distribution.edges[1:-1].tolist()), HIGHEST]


def range_words(option: str) -> str:
    """An option of `range_options` as it is shown."""
    return option if option in (LOWEST, HIGHEST) else format_score(float(option))


def chosen_bars(view: MarginsView, points: Sequence[Mapping[str, Any]]) -> Choice | None:
    """What a plotly selection in `plot_margins` means: the range that its bars cover, in the group of the last one.

    None where no bar of the view was chosen: a selection outlives the figure that it was made in.
    """
    found: list[tuple[Group, int]] = []
    for point in points:
        data, place = point.get("customdata"), point.get("point_index")
        if isinstance(data, Sequence) and not isinstance(data, str) and len(data) > 3 and isinstance(place, int):
            found += [
                (group, place) for group in view.groups if group.code == data[3] and 0 <= place < len(group.bars.n)
            ]
    if not found:
        return None
    group = found[-1][0]
    places = [place for each, place in found if each is group]
    options = range_options(view)
    return Choice(group.name, options[min(places)], options[max(places) + 1])


def row_query(view: MarginsView, choice: Choice, where: Filter) -> RowQuery:
    """The query behind a choice: its first page, highest loss first."""
    group = next((each for each in view.groups if each.name == choice.group), view.groups[-1])
    panel, column = group.bars.panel, cohort_column(view.by)
    if column is not None and (column, panel) not in where.cohorts:
        where = replace(where, cohorts=(*where.cohorts, (column, panel)))
    elif view.by == SPLIT:
        where = replace(where, split=panel)
    return RowQuery(
        where=where,
        version=group.bars.version,
        label=group.bars.label if view.by == BY_CLASS else None,
        of_class=panel if view.by == BY_CLASS and not view.of_two else None,
        margin_from=None if choice.first == LOWEST else float(choice.first),
        margin_to=None if choice.last == HIGHEST else float(choice.last),
    )


def count_pages(total: int) -> int:
    """How many pages a listing has, at least one."""
    return max(-(-total // PAGE_ROWS), 1)


def rows_sentence(view: MarginsView, choice: Choice, total: int) -> str:
    """What is listed, in a sentence (plain text)."""
    low, high = (None if end in (LOWEST, HIGHEST) else float(end) for end in (choice.first, choice.last))
    margins = margin_words(low, high) or " whatever their margin"
    what = choice.group if view.by == BY_VERSION else f"{choice.group} ({view.by_words})"
    order = ", highest loss first" if total > 1 else ""
    return f"{format_plural(total, 'row')} of {what}{margins}{order}."
