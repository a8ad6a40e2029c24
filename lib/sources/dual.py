"""What a solver has left: support indices and dual coefficients from an NPZ, or a scikit-learn SVC saved with skops.

Both are archives whose sizes are bounded before anything is read. A pickle is never opened, and a skops file only after
each type that it names was found on the short list below.
"""

from __future__ import annotations

import io
import json
import math
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.errors import DataError, LimitError

MOST_BYTES = 256_000_000
"""What all parts of an archive may hold unpacked."""
MOST_PARTS, MOST_SCHEMA_BYTES = 200, 2_000_000
FORMS = "NPZ with support (or ids) and dual_coef, or a scikit-learn SVC saved with skops"
NO_PICKLE = "A pickle can run anything when it is read, so none is opened here"

_PLAIN = ("bool", "float", "int", "str")
REVIEWED = frozenset(
    {
        ("sklearn.svm._classes", "SVC", "ObjectNode"),
        ("builtins", "dict", "DictNode"),
        ("builtins", "list", "ListNode"),
        ("builtins", "tuple", "TupleNode"),
        ("builtins", "str", "JsonNode"),
        *(("builtins", name, "TypeNode") for name in _PLAIN),
        ("numpy", "ndarray", "NdArrayNode"),
        *(("numpy", name, "NdArrayNode") for name in ("float64", "float32", "int64", "int32", "bool", "str_")),
    }
)
"""Module, type and loader of all that an SVC is made of."""


@dataclass(frozen=True, eq=False)
class DualSolution:
    """The support vectors of a solver.

    Attributes:
        name: the file's name.
        support: shape (S,), row numbers from 0 among the rows of training, or ids as texts.
        by_id: whether they are ids.
        coef: shape (S,), y·α of each, y = +1 for the class that scikit-learn has second.
        c: the most that α can be for the first and for the second class; NaN where it is not known.
        n_trained: how many rows it was trained on; None where it is not known.
        types: the types that a skops file names, each of them reviewed; empty for an NPZ.
    """

    name: str
    support: NDArray[Any]
    by_id: bool
    coef: NDArray[np.float64]
    c: tuple[float, float]
    n_trained: int | None
    types: tuple[str, ...] = ()


def read_dual(path: Path, name: str) -> DualSolution:
    """The solution in a file.

    Raises:
        DataError: the file is of another kind, names a type that is not on the list, or its arrays do not fit together.
        LimitError: unpacked it would be larger than `MOST_BYTES`.
    """
    if not zipfile.is_zipfile(path):
        raise DataError(f"{name} is neither an NPZ nor a skops file. {NO_PICKLE}; give {FORMS}.")
    try:
        with zipfile.ZipFile(path) as archive:
            _check_sizes(archive, name)
            if "schema.json" in archive.namelist():
                types = _review(archive, name)
                for part in archive.namelist():
                    if part != "schema.json":
                        _read_array(archive, part, name)
            else:
                return _from_arrays(archive, name)
        return _from_model(path, name, types)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, KeyError, ValueError) as error:
        raise DataError(f"{name} cannot be read as an archive: it is damaged or locked. Save it again.") from error


def _check_sizes(archive: zipfile.ZipFile, name: str) -> None:
    parts = archive.infolist()
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_BYTES:
        raise LimitError(
            f"{name} has {len(parts):,} parts of {sum(part.file_size for part in parts):,} bytes unpacked; at most "
            f"{MOST_PARTS} parts of {MOST_BYTES // 1_000_000} MB together are read. Save only support and dual_coef."
        )


def _read_array(archive: zipfile.ZipFile, part: str, name: str) -> NDArray[Any]:
    """One array of numbers or texts, whose shape was found to need no more than is there."""
    info = archive.getinfo(part)
    with archive.open(info) as stream:
        version = np.lib.format.read_magic(stream)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _order, dtype = read(stream)
    if dtype.hasobject:
        raise DataError(f"{part} of {name} holds Python objects. {NO_PICKLE}; save numbers or texts.")
    if dtype.kind not in "iufbU" or math.prod(shape) * dtype.itemsize > info.file_size:
        raise DataError(f"{part} of {name} is no array of numbers or texts, or says that it is larger than it is.")
    return np.load(io.BytesIO(archive.read(info)), allow_pickle=False)


def _from_arrays(archive: zipfile.ZipFile, name: str) -> DualSolution:
    parts = {part.removesuffix(".npy"): part for part in archive.namelist() if part.endswith(".npy")}
    chosen = [each for each in ("support", "ids") if each in parts]
    if len(chosen) != 1 or "dual_coef" not in parts:
        held = ", ".join(sorted(parts)) or "no array"
        raise DataError(f"{name} holds {held}. It needs dual_coef and one of support (row numbers from 0) and ids.")
    by_id = chosen == ["ids"]
    support, coef = _read_array(archive, parts[chosen[0]], name), _read_array(archive, parts["dual_coef"], name)
    if by_id:
        support = support.astype(str)
    scalars = {each: _read_array(archive, parts[each], name).ravel() for each in ("C", "n") if each in parts}
    for each, value in scalars.items():
        if value.shape != (1,) or value.dtype.kind not in "iuf" or not value[0] > 0:
            raise DataError(f"{each} of {name} has to be one number above 0.")
    c = float(scalars["C"][0]) if "C" in scalars else math.nan
    n = int(scalars["n"][0]) if "n" in scalars else None
    return _checked(name, support, coef, (c, c), n, by_id=by_id)


def _review(archive: zipfile.ZipFile, name: str) -> tuple[str, ...]:
    """The types that a skops file names.

    Raises:
        DataError: one of them is not on the list, or the whole is no SVC.
    """
    if archive.getinfo("schema.json").file_size > MOST_SCHEMA_BYTES:
        raise LimitError(f"The description within {name} is larger than that of any SVC.")
    try:
        schema = json.loads(archive.read("schema.json"))
    except RecursionError as error:
        raise DataError(f"The description within {name} is no SVC's.") from error
    found: set[tuple[str, str, str]] = set()
    waiting: list[Any] = [schema]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            if {"__class__", "__module__", "__loader__"} & set(each):
                found.add((str(each.get("__module__")), str(each.get("__class__")), str(each.get("__loader__"))))
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each
    types = {f"{module}.{kind}" for module, kind, _loader in found}
    refused = sorted(f"{module}.{kind} ({loader})" for module, kind, loader in found - REVIEWED)
    root = schema.get("__class__") if isinstance(schema, dict) else None
    if root == "LinearSVC":
        raise DataError(f"{name} is a LinearSVC, which keeps no dual coefficients. Give an SVC with a linear kernel.")
    if refused or root != "SVC":
        listed = ", ".join(refused[:5]) or f"{root} on top"
        raise DataError(f"{name} names what no SVC with dense features is made of, and is not opened: {listed}.")
    return tuple(sorted(types))


def _from_model(path: Path, name: str, types: tuple[str, ...]) -> DualSolution:
    # Brings all of scikit-learn with it.
    from skops import io as skops_io

    untrusted = skops_io.get_untrusted_types(file=path)
    if untrusted:
        raise DataError(f"{name} names types that are not trusted, and is not opened: {', '.join(untrusted[:5])}.")
    held: dict[str, Any] = vars(skops_io.load(path, trusted=[]))
    missing = [each for each in ("support_", "dual_coef_", "C", "classes_") if each not in held]
    if missing:
        raise DataError(f"The SVC in {name} was not fitted: it has no {missing[0]}.")
    if len(held["classes_"]) != 2:
        raise DataError(f"The SVC in {name} has {len(held['classes_'])} classes; one score is that of two.")
    weights = np.asarray(held.get("class_weight_", np.ones(2)), np.float64)
    c = (float(held["C"]) * float(weights[0]), float(held["C"]) * float(weights[1]))
    n_trained = held.get("shape_fit_", (None,))[0]
    n = None if n_trained is None else int(n_trained)
    return _checked(name, np.asarray(held["support_"]), np.asarray(held["dual_coef_"]), c, n, types=types)


def _checked(
    name: str,
    support: NDArray[Any],
    coef: NDArray[Any],
    c: tuple[float, float],
    n_trained: int | None,
    *,
    by_id: bool = False,
    types: Sequence[str] = (),
) -> DualSolution:
    """The solution, its arrays found to fit together."""
    if coef.ndim == 2 and coef.shape[0] > 1:
        raise DataError(f"dual_coef of {name} has {coef.shape[0]} rows, of several machines; one score is that of one.")
    flat, places = coef.ravel(), support.ravel()
    if coef.dtype.kind not in "iuf" or not np.isfinite(flat).all():
        raise DataError(f"dual_coef of {name} has to hold finite numbers.")
    if len(flat) != len(places):
        raise DataError(f"{name} has {len(places):,} support vectors and {len(flat):,} coefficients: not one each.")
    if not by_id and (places.dtype.kind not in "iu" or (len(places) and int(places.min()) < 0)):
        raise DataError(f"support of {name} has to hold row numbers from 0; name the array ids if these are ids.")
    if len(np.unique(places)) < len(places):
        raise DataError(f"{name} names a support vector more than once.")
    kept = places if by_id else places.astype(np.int64)
    return DualSolution(name, kept, by_id, flat.astype(np.float64), c, n_trained, tuple(types))
