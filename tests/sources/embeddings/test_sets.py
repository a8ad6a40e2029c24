"""Metadata joined and said how, roles with evidence, versions, queries and gallery, right answers, an index's own."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits

from lib.errors import AmbiguityError, DataError, SettingsError
from lib.sources.embeddings import looks_like_embeddings
from lib.vectors import NO_LABEL, NO_ROW
from tests.sources.embeddings.conftest import FORMATS, Read, npy, npz

N = 40
MATRIX = np.random.default_rng(3).normal(size=(N, 4)).astype(np.float32)
IDS = [f"r{k:02d}" for k in range(N)]
META = pd.DataFrame(
    {"id": IDS, "label": [f"c{k % 5}" for k in range(N)], "lang": ["de" if k % 3 else "en" for k in range(N)]}
)


def csv(frame: pd.DataFrame) -> bytes:
    return frame.to_csv(index=False).encode()


def test_metadata_is_joined_by_row_order_where_there_is_no_id(read: Read) -> None:
    data = read({"v.npy": npy(MATRIX, IDS), "m.csv": csv(META)})
    assert data.notes == ("m.csv was joined to v.npy by row order: both have 40 rows.",)
    assert data.versions["v"].ids.tolist() == IDS
    assert data.roles.single == {"id": "id", "label": "label"}
    assert data.roles.cohorts == ("lang",)
    assert data.texts("v", "lang")[:3].tolist() == ["en", "de", "de"]
    assert [each.kind for each in data.inputs] == ["vectors", "metadata"]
    assert data.truth["v"].labels is not None
    assert data.truth["v"].labels[:6].tolist() == [0, 1, 2, 3, 4, 0]


def test_metadata_is_joined_by_id_with_the_counts_that_matched(read: Read) -> None:
    shuffled = pd.concat([META[5:], META[10:11], pd.DataFrame({"id": ["x1"], "label": ["c9"]})]).sample(
        frac=1, random_state=0
    )
    data = read({"v.npz": npz(MATRIX, IDS), "m.csv": csv(shuffled.rename(columns={"id": "sample_id"}))})
    assert data.notes == (
        "m.csv was joined to v.npz by id (sample_id = ids): 35 of 40 vectors have their row, 1 of 37 rows have no "
        "vector; 1 more with an id that an earlier row has were left out.",
    )
    assert data.texts("v", "label")[5:].tolist() == META.label[5:].tolist()
    assert data.faults["v"].unmatched_rows.tolist() == [0, 1, 2, 3, 4]
    assert data.faults["v"].missing == ("x1",)
    assert data.versions["v"].ids.tolist() == IDS
    assert data.truth["v"].labels is not None
    assert (data.truth["v"].labels[:5] == NO_LABEL).all()


def test_counts_that_disagree_without_ids_are_refused(read: Read) -> None:
    with pytest.raises(DataError, match=r"v.npy has 40 vectors and m.csv 38 rows, and v.npy has no ids"):
        read({"v.npy": npy(MATRIX, IDS), "m.csv": csv(META[:38])})


def test_ids_that_do_not_match_are_asked_about(read: Read) -> None:
    other = csv(META.assign(id=[f"q{k}" for k in range(N)]))
    with pytest.raises(AmbiguityError, match=r"the same number of rows. Say which column it is with --id, or --id ''"):
        read({"v.npz": npz(MATRIX, IDS), "m.csv": other})
    data = read({"v.npz": npz(MATRIX, IDS), "m.csv": other}, roles={"id": ""})
    assert "by row order" in data.notes[0]
    with pytest.raises(DataError, match=r"No column of m\.csv holds the ids of v.npz"):
        read({"v.npz": npz(MATRIX, IDS), "m.csv": csv(META.assign(id="q")[:30])})
    twice = csv(META.assign(other_id=IDS))
    with pytest.raises(AmbiguityError, match="id and other_id hold the ids of the vectors alike well"):
        read({"v.npz": npz(MATRIX, IDS), "m.csv": twice})
    assert read({"v.npz": npz(MATRIX, IDS), "m.csv": twice}, roles={"id": "other_id"}).versions["v"].ids[1] == "r01"


def test_two_files_without_vectors_are_asked_about(read: Read) -> None:
    with pytest.raises(AmbiguityError, match=r"a.csv and b.csv hold no vectors.*--metadata"):
        read({"v.npy": npy(MATRIX, IDS), "a.csv": csv(META), "b.csv": csv(META)})


@pytest.mark.parametrize("has_header", [True, False])
@pytest.mark.parametrize("content", ["tensors.tsv", "tensors.bytes", "tensors.bytes.gz"])
def test_a_projector_pair_with_and_without_header(read: Read, content: str, has_header: bool) -> None:
    values = FORMATS["tensors.tsv"](MATRIX, IDS) if content.endswith(".tsv") else MATRIX.tobytes()
    values = gzip.compress(values) if content.endswith(".gz") else values
    labels = [str(k % 5) for k in range(N)]
    meta = (
        "\n".join(["name\tlabel", *(f"{a}\t{b}" for a, b in zip(IDS, labels, strict=True))])
        if has_header
        else "\n".join(labels)
    )
    data = read({content: values, "metadata.tsv": meta})
    assert np.array_equal(data.versions["tensors"].matrix, MATRIX)
    assert data.roles.single["label"] == "label"
    assert data.texts("tensors", "label").tolist() == labels
    if not has_header:
        assert "metadata.tsv has no header: its column is called label." in data.inputs[1].notes


def test_bytes_that_do_not_fit_their_metadata_are_refused(read: Read) -> None:
    with pytest.raises(DataError, match=r"639 bytes, which cannot be 40 vectors of float32"):
        read({"t.bytes": MATRIX.tobytes()[:-1], "metadata.tsv": "\n".join(IDS)})


def test_several_columns_without_header_are_numbered(read: Read) -> None:
    meta = "\n".join(f"{name}\tx{k % 2}" for k, name in enumerate(IDS))
    data = read({"tensors.tsv": FORMATS["tensors.tsv"](MATRIX, IDS), "metadata.tsv": meta})
    assert data.metadata["tensors"].column_names == ["column_1", "column_2"]
    assert data.texts("tensors", "column_1").tolist() == IDS


def test_lines_of_metadata_that_cannot_be_read_keep_their_place(read: Read) -> None:
    lines = csv(META).decode().splitlines()
    lines[8] = "broken"
    data = read({"v.npy": npy(MATRIX, IDS), "m.csv": "\n".join(lines)})
    assert data.versions["v"].ids.tolist() == [*IDS[:7], "", *IDS[8:]]
    assert data.inputs[1].rows_rejected == 1


def test_files_are_versions_and_share_their_metadata(read: Read) -> None:
    data = read({"v1.npy": npy(MATRIX, IDS), "v2.npy": npy(MATRIX[:, :2], IDS), "m.csv": csv(META)})
    assert {name: vectors.dimension for name, vectors in data.versions.items()} == {"v1": 4, "v2": 2}
    assert "The versions have vectors of 2 and 4 values." in data.notes
    numbered = read({"v1.npy": npy(MATRIX, IDS), "v3.npy": npy(MATRIX[:, :2], IDS)})
    assert "rows are numbered from 0" in numbered.notes[0]
    with pytest.raises(DataError, match="Two files are named v1"):
        read({"v1.npy": npy(MATRIX, IDS), "v1.npz": npz(MATRIX, IDS)})
    with pytest.raises(DataError, match=r"v1\.npy and v2\.npy are byte for byte the same"):
        read({"v1.npy": npy(MATRIX, IDS), "v2.npy": npy(MATRIX, IDS)})


def test_a_column_of_versions_in_natural_order(read: Read) -> None:
    version = np.array(["v10", "v2"])[np.arange(N) % 2]
    data = read({"all.npz": npz(MATRIX, IDS), "m.csv": csv(META.assign(version=version))})
    assert list(data.versions) == ["v2", "v10"]
    assert np.array_equal(data.versions["v2"].matrix, MATRIX[1::2])
    assert data.versions["v10"].ids.tolist() == IDS[::2]
    assert data.metadata["v10"].num_rows == 20
    assert data.versions["v2"].sha256 != data.versions["v10"].sha256
    assert not data.versions["v2"].matrix.flags.writeable
    labels = [data.truth[name].labels for name in ("v2", "v10")]
    assert labels[0] is not None
    assert labels[0][:3].tolist() == [1, 3, 0]


def test_queries_and_gallery_by_a_column(read: Read) -> None:
    side = np.where(np.arange(N) < 10, "query", "gallery")
    side[10] = "both"
    data = read({"v.npy": npy(MATRIX, IDS), "m.csv": csv(META.assign(part=side))})
    vectors = data.versions["v"]
    assert data.roles.single["query"] == "part"
    assert np.flatnonzero(vectors.is_query).tolist() == list(range(11))
    assert np.flatnonzero(~vectors.is_gallery).tolist() == list(range(10))
    flags = read({"v.npy": npy(MATRIX, IDS), "m.csv": csv(META.assign(is_query=np.arange(N) < 10))})
    assert np.flatnonzero(flags.versions["v"].is_query).tolist() == list(range(10))
    assert flags.versions["v"].sha256 != vectors.sha256
    with pytest.raises(DataError, match="lang cannot say which rows are queries: it holds de and en"):
        read({"v.npy": npy(MATRIX, IDS), "m.csv": csv(META)}, roles={"query": "lang"})


def test_queries_and_gallery_in_two_files(read: Read) -> None:
    data = read({"v1_queries.npz": npz(MATRIX[:10], IDS[:10]), "v1_corpus.npz": npz(MATRIX[10:], IDS[:30])})
    (vectors,) = data.versions.values()
    assert vectors.version == "v1"
    assert np.array_equal(vectors.matrix, MATRIX)
    assert vectors.is_query.sum() == 10
    assert vectors.is_gallery.sum() == 30
    assert not (vectors.is_query & vectors.is_gallery).any()
    assert "v1_queries.npz (queries) and v1_corpus.npz (gallery)" in data.notes[0]
    with pytest.raises(DataError, match=r"do not have one dimension: queries.npy has 4 and gallery.npy has 3"):
        read({"queries.npy": npy(MATRIX, IDS), "gallery.npy": npy(MATRIX[:, :3], IDS)})


def test_pairs_and_qrels_say_what_is_right(read: Read) -> None:
    files = {"queries.npz": npz(MATRIX[:3], ["1", "2", "3"]), "corpus.npz": npz(MATRIX[3:7], ["1", "2", "3", "3"])}
    trec = "1 0 1 1\n1 0 3 2\n2 0 3 0\n3 0 99 1\n"
    beir = "query-id\tcorpus-id\tscore\n1\t1\t1\n1\t3\t1\n3\t99\t1\n"
    pairs = "query_id,relevant_id\n1,1\n1,3\n3,99\n"
    for role, name, content in (("qrels", "a.qrels", trec), ("qrels", "b.tsv", beir), ("pairs", "p.csv", pairs)):
        data = read({**files, name: content}, beside={role: name})
        (truth,) = data.truth.values()
        assert truth.labels is None
        assert truth.offsets is not None
        assert truth.relevant is not None
        assert truth.offsets.tolist() == [0, 3, 3, 3, 3, 3, 3, 3]
        assert truth.relevant.tolist() == [3, 5, 6]  # an id that repeats stands for both of its rows
        assert f"{name}: 2 of 3 pairs are of rows of vectors." in data.notes
    compressed = read({**files, "a.gz": gzip.compress(trec.encode())}, beside={"qrels": "a.gz"})
    assert compressed.inputs[-1].kind == "qrels"


@pytest.mark.parametrize(
    ("role", "content", "sentence"),
    [
        ("qrels", "1 0 1 1\n1 0 x\n", "Line 2 of t.csv is no line of qrels: '1 0 x'"),
        ("qrels", "1 0 r01 0\n", "names no right answer"),
        ("pairs", "query_id,relevant_id\nx,y\n", "their ids, such as x and y, are not those of the vectors"),
        ("pairs", "a,b,c\nr01,r02,r03\n", "Name its columns query_id and relevant_id"),
        (
            "neighbours",
            "query_id,neighbour_id,rank\nr01,r02,first\n",
            "Row 1 of t.csv has no rank that is a number in rank",
        ),
        (
            "neighbours",
            "query_id,neighbour_id,rank\nx,r02,1\n",
            "None of the queries of t.csv is a row of v, for example x",
        ),
    ],
)
def test_lists_that_cannot_be_used(read: Read, role: str, content: str, sentence: str) -> None:
    with pytest.raises(DataError) as caught:
        read({"v.npz": npz(MATRIX, IDS), "t.csv": content}, beside={role: "t.csv"})
    assert sentence in str(caught.value)


def test_answers_of_an_index(read: Read) -> None:
    table = "query_id,neighbour_id,rank\nr02,r05,2\nr02,r07,1\nr00,r01,1\nr02,zz,3\nr00,r00,0\nyy,r01,1\n"
    data = read({"v.npz": npz(MATRIX, IDS), "ann.csv": table}, beside={"neighbours": "ann.csv"})
    found = data.neighbours["v"]
    assert found.queries.tolist() == [0, 2]
    assert found.rows.tolist() == [[1, NO_ROW, NO_ROW], [7, 5, NO_ROW]]
    two = {"v1.npz": npz(MATRIX, IDS), "v2.npz": npz(MATRIX + 1, IDS)}
    with pytest.raises(DataError, match="does not say of which of 2 versions"):
        read({**two, "ann.csv": table}, beside={"neighbours": "ann.csv"})
    lines = table.splitlines()
    table = "\n".join([f"{lines[0]},version", *(f"{line},v2" for line in lines[1:])])
    data = read({**two, "ann.csv": table}, beside={"neighbours": "ann.csv"})
    assert list(data.neighbours) == ["v2"]


def test_roles_with_evidence_and_reasons(read: Read) -> None:
    n = np.arange(N)
    frame = META.assign(
        split=np.where(n % 2, "train", "test"),
        day=pd.date_range("2026-03-01", periods=N).astype(str),
        caption=[f"a picture of thing number {k}" for k in n],
        image_url=[f"https://example.org/{k}.png" for k in n],
        gender=np.where(n % 3, "f", "m"),
        size=n * 1.5,
    )
    data = read({"v.npy": npy(MATRIX, IDS), "m.csv": csv(frame)})
    assert data.roles.single == {
        "id": "id", "label": "label", "split": "split", "time": "day", "text": "caption", "image": "image_url",
    }  # fmt: skip
    assert data.roles.time_format is not None
    assert data.roles.cohorts == ("lang", "gender")
    assert data.roles.sensitive == ("gender",)
    assert dict(data.roles.unused) == {"size": "a number without a role"}
    assert "Named label; 5 distinct values" in next(e.sentence for e in data.roles.evidence if e.topic == "label")
    changed = read(
        {"v.npy": npy(MATRIX, IDS), "m.csv": csv(frame)},
        roles={"label": "lang", "text": ""},
        cohorts=("label",),
        sensitive=(),
    )
    assert changed.roles.single["label"] == "lang"
    assert "text" not in changed.roles.single
    assert (changed.roles.cohorts, changed.roles.sensitive) == (("label",), ())
    assert changed.key != data.key


def test_answers_that_name_nothing_are_refused(read: Read) -> None:
    files = {"v.npy": npy(MATRIX, IDS), "m.csv": csv(META)}
    with pytest.raises(SettingsError, match="There is no role score"):
        read(files, roles={"score": "label"})
    with pytest.raises(DataError, match="has no column labell: did you mean label"):
        read(files, roles={"label": "labell"})
    with pytest.raises(DataError, match="lang cannot be label and split at once"):
        read(files, roles={"label": "lang", "split": "lang"})
    with pytest.raises(DataError, match="the vectors come without metadata"):
        read({"v.npy": npy(MATRIX, IDS)}, roles={"label": "lang"})
    with pytest.raises(AmbiguityError, match=r"Several columns may be the label: label and target. .*--label"):
        read({"v.npy": npy(MATRIX, IDS), "m.csv": csv(META.assign(target=META.label))})


def table_of(columns: dict[str, object]) -> bytes:
    return csv(pd.DataFrame(columns))


NUMBERS = {f"f{k}": np.arange(30) / 7 + k for k in range(12)}
LOOKS = [
    ("v.npy", npy(MATRIX, IDS), True),
    ("v.npy.gz", gzip.compress(npy(MATRIX, IDS)), True),
    ("v.bytes", MATRIX.tobytes(), True),
    *((name, FORMATS[name](MATRIX, IDS), True) for name in FORMATS if name not in ("v.npy", "v.npy.gz")),
    ("row.npy", npy(MATRIX[0], IDS), True),
    ("objects.npy", npy(np.full((4, 3), "x", object), IDS), True),
    ("dual.npz", b"", False),
    ("predictions.csv", table_of({"label": [0, 1] * 15, "score": np.arange(30) / 30}), False),
    ("features.csv", table_of({"label": [0, 1] * 15, "score": np.arange(30) / 30, **NUMBERS}), False),
    ("predicted.csv", table_of({"y_true": [0, 1] * 15, "y_pred": [0, 1] * 15, **NUMBERS}), False),
    ("classes.csv", table_of({"label": [0, 1] * 15, **{f"prob_{k}": np.arange(30) / 30 for k in range(10)}}), False),
    ("metadata.csv", csv(META), False),
    ("log.jsonl", b'{"label": 1, "score": 0.5, "tags": ["a", "b"]}', False),
    ("scored.jsonl", b'{"label": 1, "score": 0.5, "window": [1, 2]}', False),
    ("pickle.npy", b"\x80\x04abc", False),
    ("empty.csv", b"", False),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "expected"), LOOKS, ids=[row[0] for row in LOOKS])
def test_vectors_are_told_from_predictions(tmp_path: Path, name: str, content: bytes, expected: bool) -> None:
    if name == "dual.npz":
        out = io.BytesIO()
        np.savez(out, support=np.arange(3), dual_coef=np.ones((1, 3)))
        content = out.getvalue()
    (tmp_path / name).write_bytes(content)
    assert looks_like_embeddings(tmp_path / name, name) is expected


def test_digits_as_they_come(read: Read) -> None:
    digits: Any = load_digits(as_frame=True)
    frame = digits.frame.assign(id=[f"d{k}" for k in range(len(digits.frame))])
    data = read({"digits.csv": csv(frame)})
    vectors = data.versions["digits"]
    assert np.array_equal(vectors.matrix, digits.data.to_numpy(np.float32))
    assert data.roles.single == {"id": "id", "label": "target"}
    assert data.truth["digits"].labels is not None
    assert np.array_equal(data.truth["digits"].labels, digits.target)
    assert json.dumps(data.texts("digits", "target")[:3].tolist()) == '["0", "1", "2"]'
