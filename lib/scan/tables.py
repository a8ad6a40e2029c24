"""The tables behind the first overview."""

from __future__ import annotations

from collections.abc import Sequence

from lib.grid import COARSE, EXACT, Resolution
from lib.scan.facts import Facts
from lib.schema import CLASS, FOLD, ONE_VS_REST, PREDICTED, SPLIT, TOP_LABEL, VERSION, WINDOW, cohort_column, cohort_key


def default_tables(
    cohorts: Sequence[str], *, has_time: bool, is_multiclass: bool = False, is_probability: bool = True
) -> list[tuple[tuple[str, ...], Resolution]]:
    """The tables behind the first overview: keys, and the resolution at which to begin.

    The whole, one per cohort column, one over windows, and one coarse cohort x window table per cohort column,
    because a fault confined to one cohort for three days shows nowhere else. With several classes also one by class,
    one of each class against the rest, and a coarse one of what was answered for which, in which only rows count; of
    probabilities also those of the answer and whether it is right, whole, by cohort and over windows.
    """
    base = (VERSION, SPLIT)
    tables: list[tuple[tuple[str, ...], Resolution]] = [(base, EXACT)]
    tables += [((*base, cohort_key(column)), EXACT) for column in cohorts]
    if has_time:
        tables.append(((*base, WINDOW), EXACT))
        tables += [((*base, cohort_key(column), WINDOW), COARSE) for column in cohorts]
    if is_multiclass:
        tables += [((*base, CLASS), EXACT), ((*base, CLASS, PREDICTED), COARSE), ((*base, ONE_VS_REST), EXACT)]
    if is_multiclass and is_probability:
        parts = [(), *((cohort_key(column),) for column in cohorts), *([(WINDOW,)] if has_time else [])]
        tables += [((*base, *part, TOP_LABEL), EXACT) for part in parts]
    return tables


def default_tables_of(facts: Facts) -> list[tuple[tuple[str, ...], Resolution]]:
    """The default tables of a dataset."""
    mapping = facts.mapping
    return default_tables(
        facts.cohorts,
        has_time=facts.windows is not None,
        is_multiclass=mapping.is_multiclass,
        is_probability=mapping.score_kind.is_probabilistic,
    )


def saved_tables_of(facts: Facts) -> list[tuple[tuple[str, ...], Resolution]]:
    """The tables that saved cells hold: the default ones, and one by fold, from which scores are recalibrated."""
    folds = [] if facts.mapping.is_multiclass else [((VERSION, SPLIT, FOLD), EXACT)]
    return [*default_tables_of(facts), *folds]


def words_of(keys: Sequence[str]) -> str:
    """Keys of cells as one says them: "version, language and window"."""
    names = [cohort_column(key) or key.replace("_", " ") for key in keys if key != SPLIT]
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]
