"""Which texts of a label column say that there is no label: maybe, unknown, pending."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Final

from lib.schema import Evidence, Question
from lib.sources.builder import Builder
from lib.sources.classes import find_families, read_labels
from lib.sources.columns import Column, format_count, format_share, format_values, join_names, shorten
from lib.sources.labels import infer_encoding, normalise_label, says_none

TOPIC: Final = "unlabelled"
SEPARATOR: Final = "\n"
"""Between several texts in the value of an answer: a label may hold any other character."""
_PAIR: Final = 2


def settle_unlabelled(builder: Builder, label: Column | None) -> tuple[Column | None, tuple[str, ...]]:
    """The label column with only those values that are labels, and the texts that count as none.

    It is asked where two labels stand beside texts that plainly say so, and no column of scores makes those a class.
    """
    answer = builder.answers.unlabelled
    if label is None:
        return None, ()
    if answer is None:
        texts = _suggest(builder, label)
        if texts:
            builder.ask(_question(label, texts))
        return _without(label, texts), texts
    wanted = {normalise_label(text) for text in answer}
    texts = tuple(dict.fromkeys(text.strip() for text, _ in label.values if normalise_label(text) in wanted))
    lacking = [text for text in answer if normalise_label(text) not in set(map(normalise_label, texts))]
    # What another file was told may name labels that this one does not have.
    if lacking and (not builder.answers.source or TOPIC in builder.answers.given):
        held = format_values(label.values) or "none"
        builder.ask(
            Question(TOPIC, f"{shorten(label.name)} has no label {join_names(lacking)} to leave out: it holds {held}.")
        )
    if texts:
        count = sum(count for text, count in label.values if text.strip() in texts)
        rows = f"{format_count(count, 'row')} ({format_share(count, label.n_held)} of labels)"
        sentence = f"Declared: {join_names(texts)} counts as no label, in {rows}."
        builder.evidence.append(Evidence(TOPIC, SEPARATOR.join(texts), sentence))
    return _without(label, texts), texts


def _suggest(builder: Builder, label: Column) -> tuple[str, ...]:
    """Texts that plainly say so beside two labels; none where the values are read without them being asked about."""
    texts = tuple(dict.fromkeys(text.strip() for text, _ in label.values if says_none(text)))
    positive = builder.answers.pos_label
    if not texts or (positive is not None and says_none(positive)):
        return ()
    rest = _without(label, texts)
    families = find_families(builder.free, rest)
    if any(read_labels(family, label).fits for family in families):
        return ()
    if any(read_labels(family, rest).fits for family in families):
        return texts
    is_pair = len({normalise_label(text) for text, _ in rest.values}) == _PAIR
    if not is_pair and (not rest.values or infer_encoding(rest, None).encoding is None):
        return ()
    if infer_encoding(label, None).encoding is not None:
        return ()
    return texts


def _question(label: Column, texts: tuple[str, ...]) -> Question:
    sentence = (
        f"{shorten(label.name)} holds {format_values(label.values)}. "
        f"{'Does' if len(texts) == 1 else 'Do'} {join_names(texts)} mean that a row has no label?"
    )
    rows = f"rows with {join_names(texts, last='or')} are unlabelled"
    kept = "it is a class like the others" if len(texts) == 1 else "they are classes like the others"
    return Question(TOPIC, sentence, ((SEPARATOR.join(texts), rows), ("", kept)))


def _without(label: Column, texts: Collection[str]) -> Column:
    """The column as if these texts were missing in it, in every file."""
    if not texts:
        return label
    gone = sum(count for text, count in label.values if text.strip() in texts)
    values = tuple((text, count) for text, count in label.values if text.strip() not in texts)
    tables = tuple(
        replace(
            table,
            columns=tuple(
                each
                if each.name != label.name
                else replace(each, values=tuple(pair for pair in each.values if pair[0].strip() not in texts))
                for each in table.columns
            ),
        )
        for table in label.tables
    )
    return replace(label, values=values, n_missing=label.n_missing + gone, n_distinct=len(values), tables=tables)
