"""The one way from files to a set of embeddings."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lib.errors import AmbiguityError, DataError
from lib.sources.columns import join_names
from lib.sources.embeddings.dataset import EmbeddingAnswers, EmbeddingInput, EmbeddingRoles, EmbeddingSet, texts_of
from lib.sources.embeddings.formats import looks_like_embeddings, recognise_vectors
from lib.sources.embeddings.joining import join_metadata
from lib.sources.embeddings.metadata import Metadata, as_raw_table, read_metadata
from lib.sources.embeddings.raw import Progress, RawVectors, read_vectors
from lib.sources.embeddings.roles import infer_embedding_roles
from lib.sources.embeddings.truth import (
    Pairs,
    encode_labels,
    match_neighbours,
    match_pairs,
    read_neighbours,
    read_pairs,
    read_qrels,
)
from lib.sources.embeddings.versions import Read, Version, split_versions
from lib.sources.engine import Run
from lib.sources.inputs import Input
from lib.sources.tables import RawTable
from lib.vectors import Truth

OPTION = "--metadata"


@dataclass(frozen=True)
class Beside:
    """Files beside the vectors: metadata, right answers as pairs or as qrels, and the answers of an index."""

    metadata: Input | None = None
    pairs: Input | None = None
    qrels: Input | None = None
    neighbours: Input | None = None


def read_embeddings(
    inputs: Sequence[Input],
    store: Path,
    answers: EmbeddingAnswers = EmbeddingAnswers(),
    beside: Beside = Beside(),
    *,
    run: Run | None = None,
    on_progress: Progress | None = None,
) -> EmbeddingSet:
    """Read files of vectors and what belongs to them into one set.

    Without `beside.metadata` the one file among `inputs` that holds no vectors is their metadata.

    Args:
        inputs: the files; each is a version named after it unless a column holds the version, or their names say that
            they hold queries and gallery of one.
        store: the folder for matrices and tables, kept by the content of what they were made from.
        answers: what is settled of the meaning of columns.
        beside: files that hold no vectors.
        run: what may cancel it.
        on_progress: is told the fraction done and what is being done, in this thread.

    Raises:
        DataError: a file cannot be used; the text names it, the place and what to do.
        AmbiguityError: something can be read in two ways; the text names the option that settles it.
        SettingsError: an answer names a role that there is not.
        LimitError: a file is larger than what is read.
        Cancelled: the run was cancelled.
    """
    run, report = run or Run(), on_progress or (lambda _fraction, _what: None)
    store.mkdir(parents=True, exist_ok=True)
    vectors, metadata = _tell_apart(inputs, beside.metadata)
    raws, meta = _read_files(vectors, metadata, answers, store, run, report)
    _refuse_twice(raws)
    reads = [
        Read(
            raw,
            join_metadata(
                raw,
                None if meta is None else meta.table,
                "" if meta is None else meta.raw.name,
                answers.roles.get("id"),
            ),
        )
        for raw in raws
    ]
    roles = infer_embedding_roles(_describe(reads, meta, answers, store, run), answers)
    made, notes = split_versions(reads, roles, store, run)
    truth, said = _find_truth(made, roles, beside, store, run)
    neighbours, answered = {}, None
    if beside.neighbours is not None:
        answered = read_neighbours(beside.neighbours, store, run)
        found = {name: match_neighbours(answered, version.vectors, len(made)) for name, version in made.items()}
        neighbours = {name: each for name, each in found.items() if each is not None}
    listed = [_as_input(raw) for raw in raws]
    if meta is not None:
        listed.append(
            EmbeddingInput(
                meta.raw.name,
                "metadata",
                meta.raw.sha256,
                meta.raw.n_rows + meta.raw.n_rejected,
                meta.raw.n_rejected,
                (*meta.raw.notes, *meta.notes),
            )
        )
    if said is not None:
        listed.append(_as_list_input(said[0], "pairs" if beside.qrels is None else "qrels"))
    if answered is not None:
        listed.append(_as_list_input(answered, "neighbours"))
    report(1.0, "Read")
    return EmbeddingSet(
        name=raws[0].name if len(raws) == 1 else f"{raws[0].name} and {len(raws) - 1} more",
        versions={name: version.vectors for name, version in made.items()},
        metadata={name: version.metadata for name, version in made.items()},
        roles=roles,
        truth=truth,
        neighbours=neighbours,
        faults={name: version.faults for name, version in made.items()},
        inputs=tuple(listed),
        notes=(*(each.joined.note for each in reads if each.joined.note), *notes, *(said[1] if said else ())),
    )


def _tell_apart(inputs: Sequence[Input], metadata: Input | None) -> tuple[list[Input], Input | None]:
    """The files of vectors, and their metadata."""
    if not inputs:
        raise DataError("There is no file to read. Give at least one.")
    if metadata is not None or len(inputs) == 1:
        return list(inputs), metadata
    held = [each for each in inputs if looks_like_embeddings(each.path, each.name)]
    others = [each for each in inputs if each not in held]
    if not held or not others:
        return list(inputs), None
    if len(others) > 1:
        raise AmbiguityError(
            f"{join_names([each.name for each in others])} hold no vectors, and one file can be the metadata.",
            f"Say which with {OPTION}.",
            "metadata",
            tuple(each.name for each in others),
        )
    return held, others[0]


def _read_files(
    vectors: Sequence[Input], metadata: Input | None, answers: EmbeddingAnswers, store: Path, run: Run, report: Progress
) -> tuple[list[RawVectors], Metadata | None]:
    """The files of vectors and the metadata, in the order in which one needs the other."""
    is_raw = [recognise_vectors(each.path, each.name)[0] == "bytes" for each in vectors]

    def read(source: Input, n_rows: int | None = None) -> RawVectors:
        return read_vectors(
            source.path, source.name, store, column=answers.vectors, n_rows=n_rows, run=run, on_progress=report
        )

    raws = {place: read(each) for place, each in enumerate(vectors) if not is_raw[place]}
    meta = None
    if metadata is not None:
        by_order = next((len(raw.matrix) for raw in raws.values() if raw.table is None), None)
        meta = read_metadata(metadata, store, by_order, has_counted=bool(raws), run=run, report=report)
    for place, each in enumerate(vectors):
        if is_raw[place]:
            raws[place] = read(each, None if meta is None else meta.table.num_rows)
    return [raws[place] for place in range(len(vectors))], meta


def _refuse_twice(raws: Sequence[RawVectors]) -> None:
    held: dict[str, RawVectors] = {}
    for raw in raws:
        first = held.setdefault(f"{raw.sha256} {raw.column}", raw)
        if first is not raw:
            raise DataError(
                f"{first.name} and {raw.name} are byte for byte the same: nothing would change. Give one."
                if first.name != raw.name
                else f"{raw.name} is given twice. Give it once."
            )


def _describe(
    reads: Sequence[Read], meta: Metadata | None, answers: EmbeddingAnswers, store: Path, run: Run
) -> list[RawTable]:
    """The metadata of each file with its columns described."""
    tables: list[RawTable] = []
    for each in reads:
        key = json.dumps([each.raw.sha256, each.raw.column, meta.raw.sha256 if meta else "", answers.roles.get("id")])
        key = hashlib.sha256(key.encode()).hexdigest()
        name = each.raw.name if meta is None or each.raw.table is not None else meta.raw.name
        table = as_raw_table(each.joined.table, name, store, key, run)
        if table is not None:
            tables.append(table)
    return tables


def _find_truth(
    made: dict[str, Version], roles: EmbeddingRoles, beside: Beside, store: Path, run: Run
) -> tuple[dict[str, Truth], tuple[Pairs, list[str]] | None]:
    """The right answers by version: of a list where one was given, else of the label."""
    if beside.pairs is not None and beside.qrels is not None:
        raise DataError("Right answers are given twice, as pairs and as qrels. Give one of them.")
    pairs = None
    if beside.pairs is not None:
        pairs = read_pairs(beside.pairs, store, run)
    elif beside.qrels is not None:
        pairs = read_qrels(beside.qrels, run)
    if pairs is not None:
        found = {name: match_pairs(pairs, version.vectors) for name, version in made.items()}
        if not any(truth.offsets is not None and truth.offsets[-1] for truth, _note in found.values()):
            raise DataError(
                f"No pair of {pairs.name} is of two rows of {join_names(list(found))}: their ids, such as "
                f"{pairs.query[0]} and {pairs.answer[0]}, are not those of the vectors. Name the id column with --id."
            )
        notes = [*pairs.notes, *(note for _truth, note in found.values())]
        return {name: truth for name, (truth, _note) in found.items()}, (pairs, notes)
    label = roles.column("label")
    held = {
        name: version for name, version in made.items() if label is not None and label in version.metadata.column_names
    }
    return encode_labels({name: texts_of(version.metadata.column(label)) for name, version in held.items()}), None


def _as_input(raw: RawVectors) -> EmbeddingInput:
    return EmbeddingInput(raw.name, "vectors", raw.sha256, len(raw.matrix), raw.n_rejected, raw.notes)


def _as_list_input(pairs: Pairs, kind: str) -> EmbeddingInput:
    rejected = 0 if pairs.raw is None else pairs.raw.n_rejected
    rows = len(pairs.query) if pairs.raw is None else pairs.raw.n_rows + rejected
    return EmbeddingInput(pairs.name, kind, pairs.sha256, rows, rejected, pairs.notes)
