"""Which columns of a table hold vectors: one column of lists, or a family of numbered columns, one per dimension."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lib.errors import AmbiguityError, DataError
from lib.schema import Role
from lib.sources.columns import join_names
from lib.sources.names import as_words, is_named_prediction, match_role, normalise_name

OPTION: Final = "--vectors"
"""What settles on the command line which array or column holds the vectors."""
NAMED: Final = as_words(
    """embedding embeddings emb embs vector vectors vec vecs matrix x data features feature dense_vector
    sentence_embedding text_embedding image_embedding embedding_vector representation representations latent latents
    arr_0"""
)
"""Names under which vectors are usually kept."""
_BASES: Final = (
    NAMED
    | as_words("""dim dims dimension d e v f z feat pc pca component components svd lsa umap pixel axis coord""")
    | {""}
)
_LEAST_NAMED, _LEAST = 2, 8
"""So many numbered columns are a family: fewer are enough where their name is one for dimensions."""


@dataclass(frozen=True)
class Candidate:
    """What may hold the vectors: `label` is its name ("dim_*" of a family), `columns` those of the file.

    `kind` is "list" (a column of lists), "text" (lists written as text) or "columns" (a column per dimension).
    """

    label: str
    columns: tuple[str, ...]
    kind: str


def find_families(numeric: Sequence[str]) -> list[Candidate]:
    """Columns of numbers that are called alike but for numbers in their names, in the order of these numbers.

    >>> [each.label for each in find_families(["id", "dim_1", "dim_0", "age"])]
    ['dim_*']
    >>> find_families(["dim_10", "dim_2"])[0].columns
    ('dim_2', 'dim_10')
    """
    families: dict[str, list[str]] = {}
    for name in numeric:
        if re.search(r"\d", name):
            families.setdefault(re.sub(r"\d+", "*", name), []).append(name)
    found: list[Candidate] = []
    for label, columns in families.items():
        base = normalise_name(label.replace("*", " "))
        least = _LEAST_NAMED if base in _BASES else _LEAST
        if len(columns) >= least and not _is_taken(base):
            ordered = sorted(columns, key=lambda each: [int(number) for number in re.findall(r"\d+", each)])
            found.append(Candidate(label, tuple(ordered), "columns"))
    return found


def _is_taken(base: str) -> bool:
    """Whether a name speaks of what is no coordinate: scores of classes, ids, labels, times."""
    roles = (Role.SCORE, Role.LABEL, Role.ID, Role.TIME, Role.WEIGHT, Role.VERSION)
    return is_named_prediction(base) or (base not in _BASES and any(match_role(base, role) for role in roles))


def is_named_score(names: Sequence[str], candidates: Sequence[Candidate]) -> bool:
    """Whether a column beside the candidates is named like the score or the prediction of a classifier."""
    vectors = {column for each in candidates for column in each.columns}
    return any(match_role(name, Role.SCORE) or is_named_prediction(name) for name in names if name not in vectors)


def choose(names: Sequence[str], answer: str | None, name: str, noun: str, held: str) -> int:
    """Which of several candidates it is, by an answer, by being the only one, or by its name.

    Args:
        names: of the candidates.
        answer: one of them, or None.
        name: of the file.
        noun: what a candidate is, "array" or "column".
        held: what the file holds instead, for the sentence where there is no candidate.

    Raises:
        DataError: there is none, or none of the answer's name.
        AmbiguityError: several are named alike well.
    """
    if not names:
        raise DataError(f"{name} holds no vectors: {held}.")
    if answer is not None:
        if answer in names:
            return names.index(answer)
        raise DataError(f"{name} has no {noun} {answer} of vectors: it has {join_names(names)}.")
    if len(names) == 1:
        return 0
    named = [place for place, each in enumerate(names) if normalise_name(each.replace("*", " ")) in NAMED]
    if len(named) == 1:
        return named[0]
    raise AmbiguityError(
        f"{name} has several {noun}s that may hold the vectors: {join_names(names, 8)}.",
        f"Say which with {OPTION}.",
        "vectors",
        tuple(names),
    )
