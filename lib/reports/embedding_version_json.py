"""What is measured of one version of vectors, as plain values."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lib.embeddings import EmbeddingDiagnosis
from lib.embeddings.measures import (
    read_ann,
    read_dimensions,
    read_duplicates,
    read_geometry,
    read_leakage,
    read_outliers,
    read_seasons,
    read_triplets,
)
from lib.embeddings.retrieval import NO_TRUTH, read_retrieval
from lib.figures.dimensions_view import ceiling_words
from lib.metrics.dimensions import RECALL, Curve, Point
from lib.metrics.estimates import Estimate
from lib.metrics.geometry import QUANTILES
from lib.metrics.query_means import mean_of_queries
from lib.metrics.retrieval import RETRIEVAL_MEASURES
from lib.metrics.seasons import TOO_SHORT
from lib.metrics.triplets import shares_at
from lib.reports.estimates_json import measured, merged

MARGINS = (0.05, 0.1, 0.2, 0.5, 1.0)
AXES = (0.5, 0.9, 0.95, 0.99)
AT_K = ("recall_at_k", "ir_recall_at_k", "precision_at_k", "false_positive_rate_at_k", "knn_accuracy")
NO_LISTS = "lists are too short to say what chance does"
NO_TIMES = "there is no time column"
NO_SPLIT = "there is no split column"
NO_ANSWERS = "no answers of an index were given"
NO_PLACES = "no row can be found"
NO_ROWS = "no row can be used"
TOO_FEW_ROWS = "too few rows can be used"


def version_as_json(diagnosis: EmbeddingDiagnosis, version: str) -> dict[str, Any]:
    """Every measure of a version: retrieval and hubness beside its counts, other topics under their names."""
    parts = {
        "triplets": _triplets(diagnosis, version),
        "dimensions": _dimensions(diagnosis, version),
        "ann": _ann(diagnosis, version),
        "seasons": _seasons(diagnosis, version),
    }
    none = {name: part for name, part in parts.items() if isinstance(part, str)}
    whole = merged(retrieval_as_json(diagnosis, version), {"undefined": none})
    return {
        **whole,
        "geometry": _geometry(diagnosis, version),
        "duplicates": _duplicates(diagnosis, version),
        "outliers": _outliers(diagnosis, version),
        "leakage": _leakage(diagnosis, version),
        **{name: None if name in none else part for name, part in parts.items()},
    }


def retrieval_as_json(diagnosis: EmbeddingDiagnosis, version: str) -> dict[str, Any]:
    """Measures of retrieval by k, and how places in lists are shared."""
    found = read_retrieval(diagnosis, version)
    numbers: dict[str, Estimate | dict[str, Estimate]] = {}
    for measure in RETRIEVAL_MEASURES:
        own = {k: each for (name, k), each in found.overall.items() if name == measure.name}
        nothing = Estimate(math.nan, math.nan, math.nan, 0, found.reason or "no column is the label")
        if measure.name in AT_K:
            numbers[measure.name] = {str(k): own.get(k, nothing) for k in diagnosis.settings.ks}
        else:
            numbers[measure.name] = own.get(None, nothing)
    hubs = {str(each.k): each for each in found.hubness}
    numbers["hubness_skewness"] = {k: each.skewness for k, each in hubs.items()}
    numbers["antihub_share"] = {k: each.antihub_share for k, each in hubs.items()}
    shares = {k: each.hub_share for k, each in hubs.items()}
    return merged(
        {
            "n_unanswerable": found.n_unanswerable,
            "n_ranked": found.n_ranked,
            "n_hubs": {k: each.n_hubs for k, each in hubs.items()},
            "hub_share": shares,
            "undefined": {f"hub_share.{k}": NO_PLACES for k, share in shares.items() if math.isnan(share)},
        },
        measured(numbers),
    )


def _geometry(diagnosis: EmbeddingDiagnosis, version: str) -> dict[str, Any]:
    found = read_geometry(diagnosis, version)
    spectrum, rounded = found.spectrum, found.quantisation
    numbers = {
        "mean_norm": found.norms.mean,
        "not_unit": found.norms.not_unit,
        "zero_norm": found.norms.zero,
        "mean_cosine": found.anisotropy.mean_cosine,
        "intrinsic_dimension": found.intrinsic_dimension,
        "alignment": found.alignment,
        "uniformity": found.uniformity,
        "silhouette": found.silhouette,
    }
    plain = {
        "mean_cosine_floor": found.anisotropy.floor,
        "participation_ratio": spectrum.participation_ratio,
        "levels": rounded.levels,
    }
    reasons = {
        "mean_cosine_floor": found.anisotropy.mean_cosine.reason or TOO_FEW_ROWS,
        "participation_ratio": spectrum.reason or TOO_FEW_ROWS,
        "levels": "no dimension varies",
    }
    more = {"norm_quantiles": NO_ROWS} if not len(found.norms.length) else {}
    more |= {"variance_share": spectrum.reason} if spectrum.reason else {}
    return merged(
        {
            "n": spectrum.n,
            "norm_quantiles": dict(zip((f"{q:g}" for q in QUANTILES), found.norms.quantiles.tolist(), strict=True)),
            "axes": {f"{share:g}": spectrum.axes_for(share) for share in AXES},
            "variance_share": spectrum.share,
            "n_constant": int(spectrum.is_constant.sum()),
            "n_dead": int(spectrum.is_dead.sum()),
            "precision_of_values": rounded.precision.value,
            "undefined": more,
        },
        measured(numbers, plain, reasons),
    )


def _triplets(diagnosis: EmbeddingDiagnosis, version: str) -> dict[str, Any] | str:
    read = read_triplets(diagnosis, version)
    if read is None:
        return NO_TRUTH
    found, proxy = read
    margins = found.triplet_margin
    if not len(margins):
        return "no row has both a right and a wrong answer"
    return merged(
        {
            "n": len(margins),
            "n_anchors": found.n_anchors,
            "triplet_margin_quantiles": {f"{q:g}": float(np.quantile(margins, q)) for q in QUANTILES},
            "positive_distance_quantiles": {f"{q:g}": float(np.quantile(found.d_positive, q)) for q in QUANTILES},
            "negative_distance_quantiles": {f"{q:g}": float(np.quantile(found.d_negative, q)) for q in QUANTILES},
            "by_margin": [
                {
                    "margin": margin,
                    **measured(
                        {
                            "violation_rate": shares.violation_rate,
                            "easy": shares.easy,
                            "semi_hard": shares.semi_hard,
                            "hard": shares.hard,
                            "triplet_loss": shares.triplet_loss,
                            "contrastive_loss": shares.contrastive_loss,
                        }
                    ),
                }
                for margin in MARGINS
                for shares in [shares_at(found, margin)]
            ],
        },
        measured({"proxy_loss": proxy}),
    )


def _dimensions(diagnosis: EmbeddingDiagnosis, version: str) -> dict[str, Any] | str:
    curve = read_dimensions(diagnosis, version)
    if curve is None:
        return NO_TRUTH
    return {
        "k": diagnosis.settings.k,
        "tolerance": curve.tolerance,
        "metric": curve.measure,
        "full": _point(curve, curve.full),
        "smallest": None if curve.is_at_ceiling else _point(curve, curve.smallest),
        "points": [_point(curve, each) for each in curve.points],
        "undefined": {"smallest": ceiling_words(curve, diagnosis.settings.k)} if curve.is_at_ceiling else {},
    }


def _point(curve: Curve, point: Point) -> dict[str, Any]:
    setting = point.setting
    judged = {} if curve.measure == RECALL else {curve.measure: point.judged}
    return {
        "way": setting.way.value,
        "dimension": setting.dimension,
        "precision_of_values": setting.precision.value,
        "n_bytes": setting.n_bytes,
        "keeps": point.keeps,
        **measured({RECALL: point.recall, **judged, "change": point.change}),
    }


def _duplicates(diagnosis: EmbeddingDiagnosis, version: str) -> dict[str, Any]:
    read = read_duplicates(diagnosis, version)
    found, leaks = read.found, read.leaks
    plain = {"n_expected": found.expected, "p": found.p}
    return merged(
        {
            "cut": found.cut,
            "n_pairs": len(found.first),
            "n_duplicates": found.n_rows,
            "n_found": found.found,
            "n_queries": found.n_queries,
            "n_cut_lists": found.n_cut_lists,
            "n_groups": len(found.group_sizes),
            "largest_group": int(found.group_sizes.max(initial=0)),
            "across_splits": None
            if leaks is None
            else {"n": leaks.n, "n_leaking": leaks.rows, **measured({"share": leaks.pairs})},
            "undefined": {"across_splits": NO_SPLIT} if leaks is None else {},
        },
        measured({"pair_precision": read.precision}, plain, dict.fromkeys(plain, NO_LISTS)),
    )


def _outliers(diagnosis: EmbeddingDiagnosis, version: str) -> dict[str, Any]:
    found = read_outliers(diagnosis, version)
    scores = found.score[np.isfinite(found.score)]
    quantiles = {f"{q:g}": float(np.quantile(scores, q)) for q in QUANTILES} if len(scores) else None
    whole = merged(
        {"n": found.n, "n_beyond": found.n_beyond, "score_quantiles": quantiles},
        measured({}, {"score_floor": found.floor}, {"score_floor": NO_LISTS}),
    )
    if quantiles is None:
        whole["undefined"]["score_quantiles"] = NO_LISTS
    return whole


def _leakage(diagnosis: EmbeddingDiagnosis, version: str) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    for column, found in read_leakage(diagnosis, version).items():
        _codes, values = diagnosis.cohort_codes(version, column)
        plain = {
            "roc_auc": found.area,
            "roc_auc_floor": found.area_floor,
            "balanced_accuracy_floor": found.accuracy_floor,
            "p": found.p,
        }
        made.append(
            merged(
                {
                    "column": column,
                    "n": found.n,
                    "n_used": found.n_used,
                    "leaks": found.leaks,
                    "values": [
                        {"value": value, **measured({"roc_auc": found.by_group[code]})}
                        for code, value in enumerate(values)
                        if value
                    ],
                },
                measured({"balanced_accuracy": found.balanced_accuracy}, plain, dict.fromkeys(plain, found.reason)),
            )
        )
    return made


def _ann(diagnosis: EmbeddingDiagnosis, version: str) -> dict[str, Any] | str:
    found = read_ann(diagnosis, version)
    if found is None:
        return NO_ANSWERS
    return {
        "k": found.recall.k,
        "n_itself": found.n_itself,
        "n_repeated": found.n_repeated,
        "n_strange": found.n_strange,
        "n_short": found.n_short,
        **measured({"ann_recall": mean_of_queries(found.recall)[0]}),
    }


def _seasons(diagnosis: EmbeddingDiagnosis, version: str) -> list[dict[str, Any]] | str:
    if diagnosis.embeddings.roles.column("time") is None:
        return NO_TIMES
    found = read_seasons(diagnosis, version)
    if not found:
        return TOO_SHORT
    return [
        {
            "cycle": each.cycle,
            "n": each.n,
            "n_cycles": each.n_cycles,
            "shift": each.shift,
            "p_adjusted": each.p,
            "phases": each.phases,
            "returns": each.returns,
            "undefined": {"phases": "no window of a phase has rows enough"} if np.isnan(each.phases).any() else {},
        }
        for each in found
    ]
