"""What a map can be asked for, with the words that explain it, and what comes of it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lib.errors import SettingsError
from lib.vectors import Distance, Flags

LAYOUT_VERSION: Final = 3
"""Raised whenever the same vectors would be laid out otherwise than before."""
LEAST_NEIGHBORS, MOST_NEIGHBORS = 2, 100
EXACT_FOR_MAP: Final = 2e11
"""Neighbours that are looked for on account of the map alone are exact up to so many products, as
`lib.neighbours.compute_graph` counts them: two to three seconds of two cores."""


class Method(StrEnum):
    """How the map was made."""

    PCA = "pca"
    UMAP = "umap"


@dataclass(frozen=True)
class Parameter:
    """One setting of the map: its name, its bounds, and what it does, in plain words."""

    name: str
    label: str
    low: float
    high: float
    words: str


PARAMETERS: Final = (
    Parameter(
        "n_neighbors",
        "Neighbours",
        LEAST_NEIGHBORS,
        MOST_NEIGHBORS,
        "How many nearest rows each row is held to, itself among them. Few show small groups and break large shapes "
        "apart; many show the large shapes and blur small groups.",
    ),
    Parameter(
        "min_dist",
        "Least distance",
        0.0,
        0.99,
        "How close points may come to each other on the map. Near 0 groups become dense clumps; larger values spread "
        "their points out so that single ones can be seen. It changes no group.",
    ),
    Parameter(
        "seed",
        "Seed",
        0,
        2**31 - 1,
        "The start of the random numbers. The same seed gives the same map; what moves with another seed is not "
        "in the data.",
    ),
)


@dataclass(frozen=True)
class LayoutSettings:
    """What a UMAP layout is made with.

    Attributes:
        n_neighbors: rows that a row is held to, itself among them, as umap-learn counts; 2 to 100.
        min_dist: how close points may come on the map, from 0 to 0.99.
        seed: of random numbers.
        distance: which neighbours the graph is of.
    """

    n_neighbors: int = 15
    min_dist: float = 0.1
    seed: int = 0
    distance: Distance = Distance.COSINE

    def __post_init__(self) -> None:
        for each in PARAMETERS:
            value = getattr(self, each.name)
            if not each.low <= value <= each.high:
                raise SettingsError(f"{each.name} is {value}; it goes from {each.low} to {each.high}.")


@dataclass(frozen=True, eq=False)
class Layout:
    """A map of the rows: something to click on, and no evidence.

    Attributes:
        coordinates: shape (n, 2), float32; NaN for a row that has no place: it cannot be used, or nothing is near it.
        method: how it was made.
        settings: with what; None for PCA.
        n_landmarks: how many rows were laid out among each other, the rest being placed by them; 0 if all were.
        seconds: that it took.
    """

    coordinates: NDArray[np.float32]
    method: Method
    settings: LayoutSettings | None
    n_landmarks: int
    seconds: float


def layout_key(
    content: str, settings: LayoutSettings, landmarks: Flags | None = None, start: str = "", is_exact: bool = True
) -> str:
    """What a layout is kept under.

    Args:
        content: the hash of the vectors.
        settings: what it is made with.
        landmarks: shape (n,), which rows are laid out among each other; None for all.
        start: the key of the layout that it begins from; empty for principal components.
        is_exact: whether the neighbours are.
    """
    said: dict[str, Any] = {
        "version": LAYOUT_VERSION,
        "content": content,
        "settings": asdict(settings),
        "landmarks": None if landmarks is None else hashlib.sha256(np.packbits(landmarks).tobytes()).hexdigest(),
        "start": start,
        "is_exact": is_exact,
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
