"""E-F7, E-F8 and E-F9: hubs, vectors that use few of their dimensions, and dimensions that recall does not need."""

from __future__ import annotations

import math

from lib.checks import words
from lib.checks.embeddings.versions import NO_TRUTH, Seen, look_at, short
from lib.checks.result import Answer, NotApplicable, Passed, Status
from lib.embeddings import EmbeddingDiagnosis
from lib.embeddings.measures import read_dimensions, read_geometry
from lib.embeddings.retrieval import read_retrieval
from lib.metrics.dimensions import R_PRECISION, Curve, Point, Way
from lib.metrics.k_occurrence import Hubness

LEAST_ROWS = 100
"""Of fewer rows one in a hundred is no row."""
ROOM = 0.4
"""One row in a hundred can have so many of the places or more; of fewer rows they are not asked for."""
HUB_SHARE = 0.3
"""Vectors without any structure in 384 dimensions give the most frequent 1 % of rows some 22 % of the places."""
LEAST_DIMENSION = 8
FEW_DIMENSIONS, FEW_SHARE = 3.0, 0.02
"""So few effective dimensions, or so small a share of all, are too few."""
DEAD_SHARE = 0.25
ALIKE = 0.95
MUCH_SMALLER = 4
"""So many times fewer dimensions are worth telling."""


def check_hubness(diagnosis: EmbeddingDiagnosis) -> Answer:
    """Few rows have most places in the lists of neighbours."""
    hubs = {version: _hubs(diagnosis, version) for version in diagnosis.settings.versions}
    if not any(_has_room(each) for each in hubs.values()):
        least = max(LEAST_ROWS, math.ceil(100 * ROOM * diagnosis.settings.k))
        return NotApplicable(f"fewer than {words.count(least)} rows can be found")
    found = look_at(diagnosis, lambda version: _hubness(hubs[version]))
    if found:
        return found
    each = hubs[diagnosis.settings.candidate]
    return Passed(
        f"The most frequent 1 % of rows have {words.percent(each.hub_share)} of the places among the {each.k} nearest.",
        {"k": each.k, "hub_share": each.hub_share, "hubness_skewness": each.skewness.value},
    )


def _hubs(diagnosis: EmbeddingDiagnosis, version: str) -> Hubness:
    return next(each for each in read_retrieval(diagnosis, version).hubness if each.k == diagnosis.settings.k)


def _has_room(each: Hubness) -> bool:
    """Whether the most frequent 1 % of rows could have many of the places: each is in a list once."""
    return len(each.rows) >= LEAST_ROWS and each.n_hubs >= ROOM * each.k


def _hubness(each: Hubness) -> Seen | None:
    if not _has_room(each) or not (each.hub_share >= HUB_SHARE and each.skewness.lower > 0):
        return None
    clause = (
        f"Few rows are in most lists: {words.plural(each.n_hubs, 'row')} of {words.count(len(each.rows))} have "
        f"{words.percent(each.hub_share)} of the places among the {each.k} nearest, and "
        f"{words.percent(each.antihub_share.value)} of the rows are in no list"
    )
    numbers = {
        "n": len(each.rows),
        "k": each.k,
        "hub_share": each.hub_share,
        "hubness_skewness": each.skewness.value,
        "antihub_share": each.antihub_share.value,
    }
    return Seen(clause, numbers, each.hub_share, Status.FAIL if each.hub_share >= 2 * HUB_SHARE else Status.WARN)


def check_collapse(diagnosis: EmbeddingDiagnosis) -> Answer:
    """Variance is in few dimensions, many dimensions say nothing, or all vectors point one way."""
    usable = {
        version: int(diagnosis.vectors(version).usable(diagnosis.settings.distance).sum())
        for version in diagnosis.settings.versions
    }
    wide = [version for version in usable if diagnosis.vectors(version).dimension >= LEAST_DIMENSION]
    if not any(usable[version] >= LEAST_ROWS for version in wide):
        return NotApplicable(f"no version has {LEAST_ROWS} rows of {LEAST_DIMENSION} dimensions or more")
    found = look_at(
        diagnosis,
        lambda version: _collapse(diagnosis, version) if version in wide and usable[version] >= LEAST_ROWS else None,
    )
    if found:
        return found
    ratios = [
        f"{read_geometry(diagnosis, version).spectrum.participation_ratio:.3g} of "
        f"{diagnosis.vectors(version).dimension} dimensions{f' in {short(version)}' if diagnosis.is_compared else ''}"
        for version in wide
    ]
    return Passed(
        f"Variance is spread over {words.listing(ratios)} (participation ratio).", {"n": sum(usable.values())}
    )


def _collapse(diagnosis: EmbeddingDiagnosis, version: str) -> Seen | None:
    geometry, dimension = read_geometry(diagnosis, version), diagnosis.vectors(version).dimension
    spectrum, cosine = geometry.spectrum, geometry.anisotropy.mean_cosine
    dead = int(spectrum.is_dead.sum())
    few = spectrum.participation_ratio <= max(FEW_DIMENSIONS, FEW_SHARE * dimension)
    said: list[str] = []
    if spectrum.reason:
        said.append(spectrum.reason)
    elif few:
        said.append(
            f"variance is in {spectrum.participation_ratio:.2g} of {dimension} dimensions (participation ratio), and "
            f"{words.plural(spectrum.axes_for(0.95), 'axis', 'axes')} hold 95 % of it"
        )
    if dead >= DEAD_SHARE * dimension and not spectrum.reason:
        said.append(f"{words.count(dead)} of {dimension} dimensions hold one value")
    if cosine.lower >= ALIKE:
        said.append(f"all vectors point one way: their mean cosine is {cosine.value:.3f}")
    if not said:
        return None
    clause = f"Vectors have collapsed: {words.listing(said)}"
    numbers = {
        "n": spectrum.n,
        "dimension": dimension,
        "participation_ratio": spectrum.participation_ratio,
        "n_dead": dead,
        "mean_cosine": cosine.value,
    }
    ratio = 0.0 if spectrum.reason else spectrum.participation_ratio / dimension
    return Seen(
        clause, numbers, max(1 - ratio, dead / dimension), Status.FAIL if spectrum.reason or few else Status.WARN
    )


def check_oversized_dimension(diagnosis: EmbeddingDiagnosis) -> Answer:
    """Far fewer dimensions keep the recall."""
    curves = {version: read_dimensions(diagnosis, version) for version in diagnosis.settings.versions}
    known = [each for each in curves.values() if each is not None and each.full.recall.is_defined]
    k = diagnosis.settings.k
    if not known:
        return NotApplicable(NO_TRUTH)
    if all(each.is_at_ceiling for each in known):
        return NotApplicable(f"recall@{k} and R-precision are at their ceiling and cannot tell sizes apart")
    found = look_at(diagnosis, lambda version: _oversized(diagnosis, version))
    if found:
        return found
    return Passed(
        f"It is not sure that a quarter of the dimensions would keep {_judged(known[-1], k)} within "
        f"{words.percent(known[-1].tolerance)}.",
        {"k": k, "tolerance": known[-1].tolerance},
    )


def _judged(curve: Curve, k: int) -> str:
    return "R-precision" if curve.measure == R_PRECISION else f"recall@{k}"


def _oversized(diagnosis: EmbeddingDiagnosis, version: str) -> Seen | None:
    curve, dimension = read_dimensions(diagnosis, version), diagnosis.vectors(version).dimension
    kept = [] if curve is None else [each for each in curve.points if each.keeps and each.setting.way in WAYS]
    best = min(kept, key=lambda each: (each.setting.dimension, -each.recall.value), default=None)
    if curve is None or best is None or best.setting.dimension * MUCH_SMALLER > dimension:
        return None
    clause = (
        f"{best.setting.dimension} of {dimension} dimensions by {WAYS[best.setting.way]} keep "
        f"{_judged(curve, diagnosis.settings.k)}: {words.percent(best.judged.value)} against "
        f"{words.percent(curve.full.judged.value)} (n = {words.count(best.judged.n)})"
    )
    return Seen(clause, _numbers(curve, best), dimension / best.setting.dimension)


WAYS = {Way.PCA: "principal axes", Way.TRUNCATION: "cutting off the last"}


def _numbers(curve: Curve, best: Point) -> dict[str, object]:
    full = curve.full
    return {
        "n": int(best.recall.n),
        "dimension": full.setting.dimension,
        "smaller_dimension": best.setting.dimension,
        "way": best.setting.way.value,
        "recall_at_k": best.recall.value,
        "recall_reference": full.recall.value,
        "metric": curve.measure,
        "value": best.judged.value,
        "value_reference": full.judged.value,
        "change_ci": [best.change.lower, best.change.upper],
    }
