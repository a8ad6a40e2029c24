"""What is said of predictions beside a map: which version's colour it, how many rows have one, and why none has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lib.embeddings import EmbeddingDiagnosis
from lib.embeddings.predictions import FLIP, HINGE, LOGISTIC, MARGIN, OF_MARGIN_TARGET, VIOLATION, Predicted
from lib.figures.format import format_count, format_plural
from lib.figures.text import escape, name_of, plain
from lib.scan import Facts, Scan

PREDICTED_WORDS = {
    MARGIN: "Predictions: margin",
    HINGE: "Predictions: hinge loss",
    LOGISTIC: "Predictions: logistic loss",
    VIOLATION: "Predictions: violation",
    FLIP: "Predictions: flip",
}
MOST_EXAMPLES = 2
NO_LABELS = "The predictions have no labels, so there is no margin to colour the map by."
NO_FILTER = "The filter of the pages of predictions does not apply here."


def joined_words(
    diagnosis: EmbeddingDiagnosis, predicted: Predicted, measure: str, versions: Sequence[str], name: str
) -> list[str]:
    """Whose predictions colour each map, how many of its rows have one, and what counts where ids repeat (plain text).

    Args:
        diagnosis: of the vectors.
        predicted: the predictions, joined.
        measure: what the maps are coloured by.
        versions: of the vectors, those that are shown.
        name: what the dataset of predictions is called.
    """
    alike: dict[str, list[str]] = {}
    for version in versions:
        needed = [plain(each) for each in predicted.needed(measure, version)]
        n, undefined = predicted.n_joined(measure, version), predicted.n_undefined(measure, version)
        whose, has = f"the predictions of {needed[0]}", "one"
        if measure == FLIP:
            whose, has = f"what became of each row from {' to '.join(needed)}", "predictions of both"
        of = f"{format_count(n)} of {format_count(diagnosis.vectors(version).n)} rows have {has}"
        words = f"{whose} in {plain(name)}: {of}"
        if undefined:
            words += f", {format_count(undefined)} of them without a label or a score"
        alike.setdefault(words, []).append(version)
    said = [f"{_of_maps(shown, versions)} coloured by {words}." for words, shown in alike.items()]
    read = dict.fromkeys(each for version in versions for each in predicted.needed(measure, version))
    chosen = "the latest counts" if predicted.has_times else "without times the first in the file counts"
    several = ((each, predicted.n_several[each]) for each in read)
    shared = ((version, predicted.n_shared[version]) for version in versions)
    said += [
        f"{format_plural(n, 'id has', 'ids have')} several predictions of {plain(each)}: {chosen}."
        for each, n in several
        if n
    ]
    said += [
        f"{format_plural(n, 'row', 'rows')} of {plain(version)} cannot be joined: no id, or that of another row too."
        for version, n in shared
        if n
    ]
    return said


def predicted_provenance(
    facts: Facts, predicted: Predicted, measure: str, versions: Sequence[str], gamma: float
) -> str:
    """Whose predictions colour a picture of a map, escaped."""
    read = dict.fromkeys(each for version in versions for each in predicted.needed(measure, version))
    at = f", γ = {gamma:g}" if measure in OF_MARGIN_TARGET else ""
    whose = f"{' and '.join(map(name_of, read))} in {escape(facts.name)} (key {facts.key[:10]})"
    return f"{PREDICTED_WORDS[measure].lower()}{at}, of {whose}"


def _of_maps(shown: Sequence[str], versions: Sequence[str]) -> str:
    if len(shown) < len(versions):
        return f"{plain(shown[0])} is"
    return "Both maps are" if len(shown) > 1 else "The map is"


def unmatched_words(diagnosis: EmbeddingDiagnosis, scan: Scan, predicted: Predicted, name: str) -> str:
    """That no vector has the id of a prediction, with what the ids of both look like (plain text)."""
    column = scan.facts.mapping.id or ""
    held = next(table.column(column).examples for table in scan.dataset.tables if table.has_column(column))
    ids = diagnosis.vectors(diagnosis.settings.baseline).ids
    read = " or ".join(map(plain, predicted.n_several))
    return (
        f"No vector has the id of a row of {read} in {plain(name)}, so the map cannot be coloured by its "
        f"predictions: ids of the vectors are such as {_examples(ids)}, those of the predictions such as "
        f"{_examples(held)}, and they have to be the same character by character."
    )


def _examples(ids: Iterable[object]) -> str:
    return " and ".join(plain(str(each)) for each, _place in zip(ids, range(MOST_EXAMPLES), strict=False))
