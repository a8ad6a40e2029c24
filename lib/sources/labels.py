"""Which texts of a label column stand for the positive class, which for the negative one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from lib.schema import Evidence, LabelEncoding, Question
from lib.sources.columns import Column, format_count, format_share, format_values, join_names, shorten

_UNIVERSAL: Final = (
    ("1", "0"),
    ("true", "false"),
    ("yes", "no"),
    ("y", "n"),
    ("t", "f"),
    ("positive", "negative"),
    ("pos", "neg"),
)
"""Pairs whose texts mean the same wherever they stand: files with different ones of them may be read together."""

_SPECIAL: Final = (
    ("1", "-1"),
    ("on", "off"),
    ("+", "-"),
    ("spam", "ham"),
    ("fraud", "legit"),
    ("fraud", "legitimate"),
    ("fraud", "genuine"),
    ("fraud", "ok"),
    ("fraud", "normal"),
    ("fraudulent", "legitimate"),
    ("fraudulent", "genuine"),
    ("malignant", "benign"),
    ("malware", "benign"),
    ("malicious", "benign"),
    ("phishing", "legitimate"),
    ("sick", "healthy"),
    ("disease", "healthy"),
    ("case", "control"),
    ("abnormal", "normal"),
    ("anomaly", "normal"),
    ("attack", "normal"),
    ("attack", "benign"),
    ("toxic", "clean"),
    ("unsafe", "safe"),
    ("violation", "ok"),
    ("defect", "ok"),
    ("churn", "stay"),
    ("churned", "retained"),
    ("churned", "active"),
    ("ja", "nein"),
    ("oui", "non"),
    ("si", "no"),
    ("sí", "no"),
    ("sim", "nao"),
    ("sim", "não"),
    ("wahr", "falsch"),
    ("vrai", "faux"),
    ("да", "нет"),
    ("是", "否"),
)
_NO_LABEL: Final = frozenset(
    {
        "maybe", "perhaps", "unknown", "unsure", "not sure", "uncertain", "unclear", "undecided", "undetermined",
        "don't know", "dont know", "?", "??", "???", "n/a", "na", "n.a.", "pending", "tbd", "unlabelled", "unlabeled",
        "not labelled", "not labeled", "skipped", "to review", "needs review",
    }
)  # fmt: skip
"""Texts that plainly say that there is no label, as `normalise_label` writes them."""
_NEGATIONS: Final = ("not ", "non ", "no ", "un", "not_", "non_", "no_", "not-", "non-", "no-", "non")
MOST_UNUSABLE: Final = 0.02
"""The largest share of labels that may be neither class of a known pair before they count as classes of their own."""
_MAX_OPTIONS: Final = 10


@dataclass(frozen=True)
class LabelReading:
    """How a label column is read, why, and what is still open."""

    encoding: LabelEncoding | None
    evidence: Evidence | None
    question: Question | None = None


def normalise_label(text: str) -> str:
    """A label as it is compared: without surrounding blanks, in lower case, a number in its shortest form.

    >>> normalise_label(" TRUE"), normalise_label("+1"), normalise_label("0.0"), normalise_label("Spam")
    ('true', '1', '0', 'spam')
    """
    text = text.strip()
    try:
        number = float(text)
    except ValueError:
        return text.casefold()
    return str(int(number)) if number.is_integer() else text


def says_none(text: str) -> bool:
    """Whether a text of a label column says by itself that there is no label.

    >>> says_none("Maybe"), says_none("?"), says_none("no")
    (True, True, False)
    """
    return normalise_label(text) in _NO_LABEL


def infer_encoding(column: Column, pos_label: str | None) -> LabelReading:
    """The positive and the negative texts of a label column, or the question that would settle them."""
    if column.is_all_missing:
        sentence = "Every label is missing: all rows are unlabelled."
        return LabelReading(LabelEncoding(("1",), ("0",)), Evidence("pos_label", "", sentence))
    groups = _group(column.values)
    if pos_label is not None:
        return _read_answer(column, groups, pos_label)
    if (pair := _find_pair(groups)) is not None and _fits_each_file(column, pair):
        return _read_pair(column, groups, *pair)
    return LabelReading(None, None, _ask(column, groups))


def _group(values: Iterable[tuple[str, int]]) -> dict[str, list[tuple[str, int]]]:
    """Normalised label to the (text, count) pairs that read so."""
    groups: dict[str, list[tuple[str, int]]] = {}
    for text, count in values:
        groups.setdefault(normalise_label(text), []).append((text, count))
    return groups


def _texts(groups: dict[str, list[tuple[str, int]]], normal: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text.strip() for label in normal for text, _ in groups.get(label, [])))


def _count(groups: dict[str, list[tuple[str, int]]], normal: Iterable[str]) -> int:
    return sum(count for label in normal for _, count in groups.get(label, []))


def _find_pair(groups: dict[str, list[tuple[str, int]]]) -> tuple[list[str], list[str]] | None:
    """The known positive and negative labels that cover all values but a few unusable ones."""
    whole = _count(groups, groups)
    positives = [positive for positive, _ in _UNIVERSAL if positive in groups]
    negatives = [negative for _, negative in _UNIVERSAL if negative in groups]
    choices = [(positives, negatives)]
    choices += [([positive], [negative]) for positive, negative in _SPECIAL]
    choices += [([b], [a]) for a in groups for b in groups if any(a == negation + b for negation in _NEGATIONS)]
    for positive, negative in choices:
        held = [label for label in (*positive, *negative) if label in groups]
        both = any(label in groups for label in positive) and any(label in groups for label in negative)
        alone = len(groups) == 1 and bool(held)
        if (both and _count(groups, held) >= (1 - MOST_UNUSABLE) * whole) or alone:
            return positive, negative
    return None


def _fits_each_file(column: Column, pair: tuple[list[str], list[str]]) -> bool:
    """Whether the pair covers the labels of every file: one of another encoding would lose half of its rows."""
    for table in column.tables:
        groups = _group(table.column(column.name).values)
        if _count(groups, (*pair[0], *pair[1])) < (1 - MOST_UNUSABLE) * _count(groups, groups):
            return False
    return True


def _read_pair(
    column: Column,
    groups: dict[str, list[tuple[str, int]]],
    positive: list[str],
    negative: list[str],
    *,
    declared: bool = False,
) -> LabelReading:
    pairs = (*_UNIVERSAL, *_SPECIAL)
    texts = _texts(groups, positive) or _partners(groups, pairs, 0)
    others = _texts(groups, negative) or _partners(groups, pairs, 1)
    # One spelling of each in the sentence; the encoding holds them all.
    named = [_texts(groups, [label])[0] for label in (*positive, *negative) if label in groups]
    shown = [text for text in named if text in texts] or texts[:1], [text for text in named if text in others]
    beside = join_names(shown[1] or others[:1], 3)
    sentence = f"{join_names(shown[0], 3)} is positive, as usual beside {beside}."
    if declared:
        sentence = f"{join_names(shown[0], 3)} was declared positive, {beside} is negative."
    if len(groups) == 1:
        only = "positive" if any(label in groups for label in positive) else "negative"
        sentence = f"Every label is {next(iter(groups.values()))[0][0].strip()}: all rows are {only}."
    rest = [label for label in groups if label not in positive and label not in negative]
    if rest:
        number = _count(groups, rest)
        sentence += f" {format_count(number, 'other label')} cannot be used: {join_names(_texts(groups, rest), 3)}."
    return LabelReading(
        LabelEncoding(texts, others),
        _explain(column, texts, sentence),
    )


def _partners(groups: dict[str, list[tuple[str, int]]], pairs: Iterable[tuple[str, str]], side: int) -> tuple[str, ...]:
    """What would stand for the class that does not occur."""
    present = next(iter(groups))
    return tuple(dict.fromkeys(pair[side] for pair in pairs if pair[1 - side] == present))


def _read_answer(column: Column, groups: dict[str, list[tuple[str, int]]], pos_label: str) -> LabelReading:
    chosen = normalise_label(pos_label)
    pair = _find_pair(groups)
    if pair is not None and len(groups) > 2 and chosen in groups and _fits_each_file(column, pair):
        # A few labels beside a known pair are faults of the file, whichever of the two is positive.
        if chosen in pair[0]:
            return _read_pair(column, groups, *pair, declared=True)
        if chosen in pair[1]:
            return _read_pair(column, groups, pair[1], pair[0], declared=True)
    positive = _texts(groups, [chosen])
    if not positive and len(groups) == 1:
        positive = (pos_label.strip(),)
    if not positive:
        return LabelReading(None, None, _ask(column, groups, f"{column.name} has no label {shorten(pos_label)}."))
    negative = tuple(dict.fromkeys(text.strip() for text, _ in column.values if text.strip() not in positive))
    sentence = f"{positive[0]} was declared positive, {join_names(negative, 4) or 'nothing else'} is negative."
    if len(groups) > 2:
        sentence = f"{positive[0]} was declared positive; all {len(groups) - 1:,} other classes together are negative."
    if not negative and pair is not None:
        known = [label for label in pair[1] if label != chosen] or [label for label in pair[0] if label != chosen]
        negative = tuple(known)
    return LabelReading(LabelEncoding(positive, negative), _explain(column, positive, sentence))


def _explain(column: Column, positive: tuple[str, ...], sentence: str) -> Evidence:
    """The evidence for a positive class; it is named only if it is among the labels."""
    found = {text.strip() for text, _ in column.values}
    examples = tuple(shorten(text) for text, _ in column.values[:5])
    return Evidence("pos_label", positive[0] if positive[0] in found else "", sentence, examples)


def _ask(column: Column, groups: dict[str, list[tuple[str, int]]], why: str = "") -> Question:
    whole = _count(groups, groups)
    first = {label: texts[0][0].strip() for label, texts in groups.items()}
    options = tuple(
        (text, f"the positive class, {format_share(_count(groups, [label]), whole)} of labels")
        for label, text in list(first.items())[:_MAX_OPTIONS]
    )
    sentence = f"Which label of {column.name} is the positive class, {join_names(list(first.values()), last='or')}?"
    if len(groups) == 1:
        only = next(iter(first.values()))
        sentence = f"{column.name} holds one label only, {shorten(only)}: is it the positive class?"
        options = (
            (only, "it is the positive class"),
            (f"not {only}", "it is the negative class; no positive row is in the file"),
        )
    elif len(groups) > 2:
        sentence = (
            f"{column.name} has {len(groups):,} classes{_describe_classes(column)}. Which one is the positive class"
        )
        sentence += ", with all others as negative?"
    return Question("pos_label", f"{why} {sentence}".strip(), options)


def _describe_classes(column: Column) -> str:
    """The classes with their shares, file by file where the files hold different ones."""
    profiles = [(table.name, table.column(column.name)) for table in column.tables]
    listed = [(name, profile.values) for name, profile in profiles if profile.values]
    if len({frozenset(text for text, _ in values) for _, values in listed}) == 1:
        return f": {format_values(column.values)}"
    return " over all files: " + "; ".join(f"{name} holds {format_values(values)}" for name, values in listed[:3])
