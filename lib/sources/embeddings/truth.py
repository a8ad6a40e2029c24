"""Which rows are right answers to which, from labels, pairs or qrels; and what an index has answered, to be judged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lib.errors import DataError
from lib.sources import files
from lib.sources.columns import format_count, join_names
from lib.sources.embeddings.dataset import FoundNeighbours, texts_of
from lib.sources.engine import Run
from lib.sources.inputs import Input
from lib.sources.names import as_words, normalise_name
from lib.sources.tables import RawTable, read_table
from lib.vectors import NO_LABEL, NO_ROW, Rows, Truth, Vectors

_QUERY: Final = as_words("query queries q qid anchor source")
_ANSWER: Final = as_words(
    """relevant positive doc docid document corpus passage answer target gallery item match neighbour neighbor nn
    result found"""
)
_RANK: Final = as_words("rank position place")
_VERSION: Final = frozenset({"version"})
_TREC, _BEIR = 4, 3
_MOST_LINE: Final = 65_536
_MOST_NEIGHBOURS: Final = 10_000


@dataclass(frozen=True, eq=False)
class Pairs:
    """A list of (query id, answer id): of right answers, or of answers of an index, then by rank.

    `version` is empty where the file names none.
    """

    raw: RawTable | None
    name: str
    query: NDArray[np.object_]
    answer: NDArray[np.object_]
    version: NDArray[np.object_] | None = None
    sha256: str = ""
    notes: tuple[str, ...] = ()


def encode_labels(labels: dict[str, NDArray[np.object_]]) -> dict[str, Truth]:
    """The labels of each version as codes, one code for one text in all of them; `NO_LABEL` where there is none."""
    names = sorted({text for each in labels.values() for text in pd.unique(pd.Series(each)).tolist() if text})
    index = pd.Index(names, dtype=object)
    return {
        version: Truth(
            labels=np.where(texts == "", NO_LABEL, index.get_indexer(pd.Index(texts, dtype=object))).astype(np.int64)
        )
        for version, texts in labels.items()
    }


def read_pairs(source: Input, store: Path, run: Run) -> Pairs:
    """Right answers as a table of two columns, query id and relevant id."""
    raw = read_table(source.path, source.name, store, run=run)
    columns = _find_columns(raw, {"query": _QUERY, "answer": _ANSWER})
    said = f"{source.name}: {columns['query']} holds the queries and {columns['answer']} their right answers."
    query, answer = _read_texts(raw, [columns["query"], columns["answer"]])
    return Pairs(raw, source.name, query, answer, None, raw.sha256, (said,))


def read_neighbours(source: Input, store: Path, run: Run) -> Pairs:
    """What an index has answered: query id, neighbour id and rank; without a rank the order of the rows is."""
    raw = read_table(source.path, source.name, store, run=run)
    columns = _find_columns(raw, {"query": _QUERY, "answer": _ANSWER}, {"rank": _RANK, "version": _VERSION})
    query, answer = _read_texts(raw, [columns["query"], columns["answer"]])
    version = _read_texts(raw, [columns["version"]])[0] if "version" in columns else None
    if "rank" in columns:
        values = pd.to_numeric(pd.Series(_read_texts(raw, [columns["rank"]])[0]), errors="coerce")
        if values.isna().any():
            row = raw.record_number(int(values.isna().to_numpy().argmax()))
            raise DataError(f"Row {row:,} of {source.name} has no rank that is a number in {columns['rank']}.")
        order = np.argsort(values.to_numpy(), kind="stable")
        query, answer = query[order], answer[order]
        version = None if version is None else version[order]
    said = "rank" if "rank" in columns else "the order of the rows, for want of a column rank"
    note = f"{source.name}: {columns['answer']} answers {columns['query']}, by {said}."
    return Pairs(raw, source.name, query, answer, version, raw.sha256, (note,))


def _find_columns(
    raw: RawTable, wanted: dict[str, frozenset[str]], optional: dict[str, frozenset[str]] | None = None
) -> dict[str, str]:
    """Roles to columns, by the words in their names; two columns without such names count in their order."""
    found: dict[str, str] = {}
    for role, words in {**(optional or {}), **wanted}.items():
        named = [
            name
            for name in raw.column_names
            if set(normalise_name(name).split("_")) & words and name not in found.values()
        ]
        if named:
            found[role] = named[0]
    free = [name for name in raw.column_names if name not in found.values()]
    open_roles = [role for role in wanted if role not in found]
    if len(free) == len(open_roles):
        found |= dict(zip(open_roles, free, strict=True))
    if missing := [role for role in wanted if role not in found]:
        raise DataError(
            f"{raw.name} does not say which column is the {'query' if missing[0] == 'query' else 'answer'}: it has "
            f"{join_names(raw.column_names)}. Name its columns query_id and "
            f"{'neighbour_id' if optional else 'relevant_id'}."
        )
    return found


def _read_texts(raw: RawTable, columns: Sequence[str]) -> list[NDArray[np.object_]]:
    table = pq.read_table(raw.parquet, columns=list(columns))
    return [texts_of(table.column(name)) for name in columns]


def read_qrels(source: Input, run: Run) -> Pairs:
    """Right answers as TREC writes them (`query 0 document relevance`), or BEIR (a header and three columns).

    Raises:
        DataError: a line is neither.
    """
    _head, compression = files.read_head(source.path, source.name)
    query: list[str] = []
    answer: list[str] = []
    n_wrong = 0
    with files.open_plain(source.path, source.name, compression) as file:
        for number, line in enumerate(_lines(file, source.name), start=1):
            if number % 10_000 == 0:
                run.check()
            cells = line.split()
            if not cells:
                continue
            if number == 1 and len(cells) in (_TREC, _BEIR) and not _is_whole(cells[-1]):
                continue  # a header
            if len(cells) not in (_TREC, _BEIR) or not _is_whole(cells[-1]):
                raise DataError(
                    f"Line {number:,} of {source.name} is no line of qrels: {line[:80]!r}. Expected is a query, 0, a "
                    "document and a whole number, with blanks between."
                )
            if int(cells[-1]) > 0:
                query.append(cells[0])
                answer.append(cells[-2])
            else:
                n_wrong += 1
    if not query:
        raise DataError(f"{source.name} names no right answer: no line has a relevance above 0.")
    notes = (f"{source.name}: {format_count(n_wrong, 'line')} of relevance 0 or less left out.",) if n_wrong else ()
    sha256 = files.compute_sha256(source.path)
    return Pairs(None, source.name, np.asarray(query, object), np.asarray(answer, object), None, sha256, notes)


def _lines(file: BinaryIO, name: str) -> Iterator[str]:
    """The lines of a stream, read in blocks: a compressed one has no readline."""
    carried = b""
    while block := file.read(files.BLOCK):
        *lines, carried = (carried + block).split(b"\n")
        if len(carried) > _MOST_LINE:
            raise DataError(f"{name} has a line longer than {_MOST_LINE:,} bytes: it is no file of qrels.")
        yield from (line.decode("utf-8-sig", "replace") for line in lines)
    yield carried.decode("utf-8-sig", "replace")


def _is_whole(text: str) -> bool:
    return text.lstrip("-").isdecimal()


def match_pairs(pairs: Pairs, vectors: Vectors) -> tuple[Truth, str]:
    """Pairs of ids as pairs of rows of a version, and how many found theirs.

    A query is looked for among the rows that ask, its answer among those that may be found; an id that repeats stands
    for each of its rows. A row is no answer to itself.
    """
    rows = _match(pairs.query, pairs.answer, vectors)
    n_lost = len(pairs.query) - rows["pair"].nunique()
    rows = (
        rows.loc[rows["row_q"] != rows["row_a"], ["row_q", "row_a"]].drop_duplicates().sort_values(["row_q", "row_a"])
    )
    counts = np.bincount(rows["row_q"].to_numpy(np.int64), minlength=vectors.n)
    offsets: Rows = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    whole = format_count(len(pairs.query), "pair")
    note = f"{pairs.name}: {len(pairs.query) - n_lost:,} of {whole} are of rows of {vectors.version}."
    return Truth(offsets=offsets, relevant=rows["row_a"].to_numpy(np.int64)), note


def _match(query: NDArray[np.object_], answer: NDArray[np.object_], vectors: Vectors) -> pd.DataFrame:
    """Columns pair, row_q and row_a: every combination of rows that have these ids."""
    ids = pd.Series(vectors.ids, dtype=object)
    named = ids != ""
    asking = pd.DataFrame({"q": ids, "row_q": np.arange(vectors.n)})[named & vectors.is_query]
    found = pd.DataFrame({"a": ids, "row_a": np.arange(vectors.n)})[named & vectors.is_gallery]
    frame = pd.DataFrame({"q": pd.Series(query, dtype=object), "a": pd.Series(answer, dtype=object)})
    frame["pair"] = np.arange(len(frame))
    return frame.merge(asking, on="q").merge(found, on="a")


def match_neighbours(pairs: Pairs, vectors: Vectors, n_versions: int) -> FoundNeighbours | None:
    """What an index answered as rows of a version; None where it answered for other versions.

    Of rows with one id the first counts.

    Raises:
        DataError: there are several versions and the file does not say whose answers it holds; none of its ids is a
            row; or a query has more than 10,000 answers.
    """
    query, answer = pairs.query, pairs.answer
    if pairs.version is not None:
        chosen = pairs.version == vectors.version
        query, answer = query[chosen], answer[chosen]
        if not len(query):
            return None
    elif n_versions > 1:
        raise DataError(
            f"{pairs.name} does not say of which of {n_versions} versions its neighbours are: add a column version."
        )
    ids = pd.Series(vectors.ids, dtype=object)

    def rows_of(texts: NDArray[np.object_], flags: NDArray[np.bool_]) -> Rows:
        held = ids[flags & (ids != "")].drop_duplicates()
        return pd.Series(held.index, index=held.to_numpy()).reindex(texts).fillna(NO_ROW).to_numpy(np.int64)

    asked, given = rows_of(query, vectors.is_query), rows_of(answer, vectors.is_gallery)
    if not (asked >= 0).any():
        raise DataError(
            f"None of the queries of {pairs.name} is a row of {vectors.version}, for example "
            f"{join_names(query[:3].tolist())}."
        )
    frame = pd.DataFrame({"query": asked, "row": given})
    frame = frame[(frame["query"] >= 0) & (frame["query"] != frame["row"])]
    place = frame.groupby("query").cumcount().to_numpy()
    queries, code = np.unique(frame["query"].to_numpy(np.int64), return_inverse=True)
    k = int(place.max(initial=-1)) + 1
    if k > _MOST_NEIGHBOURS:
        raise DataError(f"{pairs.name} has {k:,} neighbours of one query; at most {_MOST_NEIGHBOURS:,} are judged.")
    rows = np.full((len(queries), k), NO_ROW, np.int32)
    rows[code, place] = frame["row"].to_numpy()
    return FoundNeighbours(queries, rows)
