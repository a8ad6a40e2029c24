"""Places of a map that are worth a name, and the words that tell each from the others.

Words are ranked by class-based TF-IDF: Grootendorst, "BERTopic", arXiv:2203.05794.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.feature_extraction.text import CountVectorizer

from lib.metrics.estimates import FloatArray, IntArray

LEARNT_FROM = 20_000
"""Groups and words are found from at most so many rows, evenly spaced."""
LEAST_GROUPS, MOST_GROUPS = 2, 16
ROWS_PER_GROUP = 40
MOST_WORDS = 20_000
NAMED_SHARE = 0.75
"""Of the rows of a group, those that its name stands above: strays do not move it."""


@dataclass(frozen=True)
class NamedPlace:
    """A name at a place of a map.

    Attributes:
        name: what stands there.
        x, y: where, in the map's coordinates.
        n: how many rows it is of.
    """

    name: str
    x: float
    y: float
    n: int


def name_by_value(coordinates: NDArray[np.float32], values: NDArray[np.object_]) -> list[NamedPlace]:
    """Each value above the middle of its rows, the most frequent first.

    Args:
        coordinates: shape (n, 2); rows with NaN have no place.
        values: shape (n,), texts; None for none.

    Returns:
        A place for each value that has a row on the map: the upper edge of those of its rows that are nearest to
        their middle (three of four), so that a name above it hides none of them.
    """
    there = np.isfinite(coordinates[:, 0]) & np.array([value is not None for value in values], bool)
    kinds, codes = np.unique(values[there].astype(str), return_inverse=True)
    points = coordinates[there].astype(np.float64)
    return _most_first([_named(str(kind), points[codes == code]) for code, kind in enumerate(kinds)])


def name_by_words(
    coordinates: NDArray[np.float32], texts: NDArray[np.object_], n_words: int = 3, seed: int = 0
) -> list[NamedPlace]:
    """The words that are most typical of each part of a map, the largest part first.

    Parts are k-means clusters of the map's points: they say where words are typical, not that there are clusters.

    Args:
        coordinates: shape (n, 2); rows with NaN have no place.
        texts: shape (n,), None for none.
        n_words: of each part.
        seed: of the clusters' start.

    Returns:
        Nothing where no text holds a word.
    """
    there = np.flatnonzero(np.isfinite(coordinates[:, 0]) & np.array([text is not None for text in texts], bool))
    there = there[:: max(1, -(-len(there) // LEARNT_FROM))]
    n_groups = int(np.clip(len(there) // ROWS_PER_GROUP, LEAST_GROUPS, MOST_GROUPS))
    if len(there) < n_groups:
        return []
    points = coordinates[there].astype(np.float64)
    codes = np.asarray(KMeans(n_groups, n_init="auto", random_state=seed).fit_predict(points), np.int64)
    words = class_words([str(text) for text in texts[there]], codes, n_groups, n_words)
    return _most_first(
        [
            _named(" ".join(held), points[codes == code])
            for code, held in enumerate(words)
            if held and (codes == code).any()
        ]
    )


def class_words(texts: list[str], codes: IntArray, n_groups: int, n_words: int) -> list[list[str]]:
    """The words of each group with the highest class-based TF-IDF, highest first.

    tf · ln(1 + A/f) with tf the share of a word among the words of the group, f how often all groups have it, and A the
    mean number of words of a group. Words of English that say nothing are left out, and words of one letter.

    Args:
        texts: n texts.
        codes: shape (n,), the group of each, from 0 to `n_groups` − 1.
        n_groups: how many groups.
        n_words: how many words of each, at most; words that a group does not have are never listed.
    """
    try:
        counter = CountVectorizer(stop_words="english", max_features=MOST_WORDS)
        counts: Any = counter.fit_transform(texts)
    except ValueError:
        # No text holds a word.
        return [[] for _group in range(n_groups)]
    of_groups = np.zeros((n_groups, counts.shape[1]))
    for group in range(n_groups):
        of_groups[group] = np.asarray(counts[codes == group].sum(axis=0)).ravel()
    weights = class_tf_idf(of_groups)
    names = counter.get_feature_names_out()
    order = np.argsort(-weights, axis=1, kind="stable")[:, :n_words]
    return [[str(names[at]) for at in line if weights[group, at] > 0] for group, line in enumerate(order)]


def class_tf_idf(counts: FloatArray) -> FloatArray:
    """Counts of words by group, shape (groups, words), as tf · ln(1 + A/f); zeros for a group without words."""
    of_group = counts.sum(axis=1, keepdims=True)
    tf = np.divide(counts, of_group, out=np.zeros_like(counts), where=of_group > 0)
    frequency = counts.sum(axis=0)
    rarity = np.log1p(of_group.mean() / np.maximum(frequency, 1))
    return tf * rarity


def _named(name: str, points: FloatArray) -> NamedPlace:
    middle = np.median(points, axis=0)
    far = ((points - middle) ** 2).sum(axis=1)
    near = points[far <= np.quantile(far, NAMED_SHARE)]
    return NamedPlace(name, float(np.median(near[:, 0])), float(near[:, 1].max()), len(points))


def _most_first(places: list[NamedPlace]) -> list[NamedPlace]:
    return sorted(places, key=lambda each: (-each.n, each.name))
