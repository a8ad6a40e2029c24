"""What a solver has left: read from an NPZ and from skops, and refused where it is anything else."""

from __future__ import annotations

import io
import json
import math
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_iris, make_classification
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from skops import io as skops_io

from lib.errors import DataError, LimitError
from lib.sources import dual
from lib.sources.dual import read_dual

X, Y = make_classification(120, 4, random_state=0)
MODEL = SVC(C=2.0, class_weight={0: 1, 1: 3}).fit(X, Y)


def put(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def npz(**arrays: object) -> bytes:
    out = io.BytesIO()
    np.savez(out, allow_pickle=True, **{name: np.asarray(value) for name, value in arrays.items()})
    return out.getvalue()


def test_an_npz_and_an_svc_say_the_same(tmp_path: Path) -> None:
    arrays = npz(support=MODEL.support_, dual_coef=MODEL.dual_coef_, C=2.0, n=120, rho=0.3)
    first = read_dual(put(tmp_path / "a", arrays), "a.npz")
    second = read_dual(put(tmp_path / "b", skops_io.dumps(MODEL)), "b.skops")
    for each in (first, second):
        assert each.support.tolist() == MODEL.support_.tolist()
        assert each.coef.tolist() == MODEL.dual_coef_[0].tolist()
        assert (each.n_trained, each.by_id) == (120, False)
    assert first.c == (2.0, 2.0)
    assert second.c == (2.0, 6.0)
    assert first.types == ()
    assert "sklearn.svm._classes.SVC" in second.types


def test_ids_and_what_is_not_known(tmp_path: Path) -> None:
    found = read_dual(put(tmp_path / "a", npz(ids=["r1", "r7"], dual_coef=[[0.5, -0.5]])), "a.npz")
    assert (found.support.tolist(), found.by_id, found.n_trained) == (["r1", "r7"], True, None)
    assert all(math.isnan(each) for each in found.c)


class Evil:
    def __reduce__(self):
        return (print, ("run",))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (pickle.dumps(MODEL), "A pickle can run anything"),
        (b"", "neither an NPZ nor a skops"),
        (npz(a=[1]), "holds a. It needs dual_coef"),
        (npz(support=[1, 2], ids=["a", "b"], dual_coef=[1.0, 2]), "one of support"),
        (npz(support=[1, 2], dual_coef=[1.0]), "not one each"),
        (npz(support=[1, 1], dual_coef=[1.0, 1]), "more than once"),
        (npz(support=[-1, 1], dual_coef=[1.0, 1]), "row numbers from 0"),
        (npz(support=[0.5, 1], dual_coef=[1.0, 1]), "row numbers from 0"),
        (npz(support=[0, 1], dual_coef=[np.nan, 1]), "finite"),
        (npz(support=[0, 1], dual_coef=[[1.0, 1], [1, 1]]), "several machines"),
        (npz(support=[0, 1], dual_coef=[1.0, 1], C=-1.0), "above 0"),
        (npz(support=np.array([Evil(), 1], object), dual_coef=[1.0, 1]), "Python objects"),
        (skops_io.dumps(LinearSVC().fit(X, Y)), "keeps no dual coefficients"),
        (skops_io.dumps(SVC()), "was not fitted"),
        (skops_io.dumps(make_pipeline(StandardScaler(), SVC()).fit(X, Y)), "is not opened"),
        (skops_io.dumps(SVC().fit(*load_iris(return_X_y=True))), "3 classes"),
    ],
)  # fmt: skip
def test_anything_else_is_refused_with_a_sentence(tmp_path: Path, content: bytes, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence.replace(".", r"\.")) as raised:
        read_dual(put(tmp_path / "file", content), "file.bin")
    assert "file.bin" in str(raised.value)


def changed(content: bytes, **changes: bytes) -> bytes:
    """An archive with parts put in place of its own."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            if name not in changes:
                new.writestr(name, old.read(name))
        for name, part in changes.items():
            new.writestr(name, part)
    return out.getvalue()


@pytest.mark.parametrize(
    "node",
    [
        {"__class__": "system", "__module__": "os", "__loader__": "FunctionNode"},
        {"__class__": "SVC", "__module__": "sklearn.svm._classes", "__loader__": "ReduceNode"},
        {"__class__": "partial", "__module__": "functools", "__loader__": "PartialNode"},
        {"__class__": "system", "__module__": "os", "__loader__": "TypeNode"},
    ],
)
def test_a_type_that_was_not_reviewed_is_never_made(tmp_path: Path, node: dict, monkeypatch) -> None:
    content = skops_io.dumps(MODEL)
    schema = json.loads(zipfile.ZipFile(io.BytesIO(content)).read("schema.json"))
    schema["content"]["content"]["kernel"] = {**node, "content": {}}
    monkeypatch.setattr(skops_io, "load", lambda *_a, **_k: pytest.fail("it was opened"))
    monkeypatch.setattr(skops_io, "get_untrusted_types", lambda *_a, **_k: pytest.fail("it was opened"))
    file = put(tmp_path / "file", changed(content, **{"schema.json": json.dumps(schema).encode()}))
    with pytest.raises(DataError, match=f"is not opened: .*{node['__class__']}"):
        read_dual(file, "svc.skops")


def test_what_unpacks_to_too_much_is_not_unpacked(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(dual, "MOST_BYTES", 10_000)
    out = io.BytesIO()
    np.savez_compressed(out, support=np.arange(5_000), dual_coef=np.zeros(5_000))
    assert len(out.getvalue()) < 12_000
    with pytest.raises(LimitError, match="at most"):
        read_dual(put(tmp_path / "a", out.getvalue()), "bomb.npz")


def test_an_array_that_says_it_is_larger_than_it_is(tmp_path: Path) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (10**12,)})
    bomb = changed(npz(support=[0], dual_coef=[1.0]), **{"dual_coef.npy": header.getvalue()})
    with pytest.raises(DataError, match="larger than it is"):
        read_dual(put(tmp_path / "a", bomb), "a.npz")
    damaged = npz(support=[0, 1], dual_coef=[1.0, 1])[:-40]
    with pytest.raises(DataError):
        read_dual(put(tmp_path / "b", damaged), "b.npz")
