"""The sample files of vectors: handwritten digits in three embeddings, and an index that went wrong.

The functions return arrays and frames, take a seed, and touch no file; :mod:`sample_data.make` writes them.
"""

from __future__ import annotations

import functools
import io
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from sample_data.embedding_faults import Version, VersionsTruth, make_versions

__all__ = [
    "DIGIT_VERSIONS",
    "INDEX_COHORT",
    "INDEX_FAULTS",
    "INDEX_SEED",
    "INDEX_VERSIONS",
    "make_digit_items",
    "make_digit_vectors",
    "make_index",
    "make_index_items",
    "npz",
]

INDEX_SEED = 2026
INDEX_VERSIONS = ("2026.05", "2026.06")
INDEX_FAULTS = ("stale-rows", "not-normalised")
INDEX_COHORT = "phone"
"""Whose vectors are not normalised in the candidate."""
INDEX_ROWS, INDEX_DIMENSION = 3_000, 32
DIGIT_VERSIONS = ("raw", "pca", "learned")
TRAINED_ON = 600
_DIGIT_NAMES = np.array(["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"])
_COLOURS = ("blue", "red", "green", "white", "black", "grey", "amber", "teal", "ivory", "violet")
_THINGS = (
    "mug", "lamp", "chair", "kettle", "clock", "basket", "mirror", "shelf", "teapot", "cushion",
    "vase", "stool", "bowl", "tray", "candle", "frame", "rug", "jug", "plate", "blanket",
    "bench", "hook", "bucket", "ladder", "broom", "pillow", "curtain", "cabinet", "drawer", "hanger",
)  # fmt: skip
_TAKEN = {
    "web": "from the shop",
    "phone": "taken with a phone",
    "scan": "scanned from print",
    "photo": "from the studio",
}


@functools.lru_cache(maxsize=2)
def make_index(seed: int = INDEX_SEED) -> tuple[Version, Version, VersionsTruth]:
    """An index of 3,000 pictures before and after it was to be embedded anew.

    In the candidate a third of the rows still holds the old vectors, and those of one cohort that are new are not of
    length 1.
    """
    return make_versions(seed, INDEX_ROWS, INDEX_DIMENSION, faults=INDEX_FAULTS, cohort=INDEX_COHORT)


def make_index_items(seed: int = INDEX_SEED) -> pd.DataFrame:
    """What is known of each picture of the index: ``id``, ``label``, ``source``, ``text``."""
    version, _after, _truth = make_index(seed)
    names = [f"{colour} {thing}" for thing in _THINGS for colour in _COLOURS]
    label = [names[code] for code in version.label]
    text = [f"A {name}, {_TAKEN[cohort]}" for name, cohort in zip(label, version.cohort, strict=True)]
    return pd.DataFrame({"id": version.ids, "label": label, "source": version.cohort, "text": text})


@functools.lru_cache(maxsize=2)
def make_digit_vectors(seed: int = INDEX_SEED) -> dict[str, npt.NDArray[Any]]:
    """scikit-learn's 1,797 digits: the 64 grey values, 24 principal components, and 16 learned dimensions.

    Both are made from 600 digits drawn at random. What is learned is neighbourhood components analysis (Goldberger et
    al. 2004), from those digits' labels.
    """
    from sklearn.datasets import load_digits
    from sklearn.decomposition import PCA
    from sklearn.neighbors import NeighborhoodComponentsAnalysis
    from threadpoolctl import threadpool_limits

    digits: Any = load_digits(return_X_y=True)
    pixels, label = digits
    train = _trained_on(seed)
    with threadpool_limits(1):  # Sums in one order on every machine.
        pca = PCA(24, svd_solver="full").fit(pixels[train])
        model = NeighborhoodComponentsAnalysis(16, init="pca", max_iter=15, random_state=seed)
        learned = model.fit(pixels[train] / 16, label[train]).transform(pixels / 16)
        made: dict[str, npt.NDArray[Any]] = {
            "raw": pixels.astype(np.uint8),
            "pca": np.asarray(pca.transform(pixels)).astype(np.float16),
            "learned": np.asarray(learned).astype(np.float16),
        }
    return made


def make_digit_items(seed: int = INDEX_SEED) -> pd.DataFrame:
    """What is known of each digit: ``id``, ``label``, ``ink``, ``part`` of the file, ``seen`` in training or not."""
    from sklearn.datasets import load_digits

    pixels, label = load_digits(return_X_y=True)
    n = len(label)
    ink = pixels.mean(axis=1)
    low, high = np.quantile(ink, [1 / 3, 2 / 3])
    seen = np.isin(np.arange(n), _trained_on(seed))
    return pd.DataFrame(
        {
            "id": [f"digit-{i:04d}" for i in range(n)],
            "label": _DIGIT_NAMES[label],
            "ink": np.where(ink < low, "light", np.where(ink < high, "medium", "heavy")),
            "part": np.array(["part 1", "part 2", "part 3", "part 4"])[np.arange(n) * 4 // n],
            "seen": np.where(seen, "in training", "held out"),
        }
    )


def npz(ids: npt.NDArray[np.str_], vectors: npt.NDArray[Any]) -> bytes:
    """The bytes of an NPZ file with ``ids`` and ``vectors``."""
    out = io.BytesIO()
    np.savez_compressed(out, ids=ids, vectors=vectors)
    return out.getvalue()


def _trained_on(seed: int) -> npt.NDArray[np.int64]:
    return np.sort(np.random.default_rng([seed, 40]).permutation(1_797)[:TRAINED_ON])
