"""What changed between two versions of vectors, as plain values."""

from __future__ import annotations

import math
from typing import Any

from lib.checks.embeddings.versions import ONE_VERSION
from lib.embeddings import EmbeddingDiagnosis
from lib.embeddings.comparison import EmbeddingComparison, read_comparison
from lib.embeddings.measures import read_drift
from lib.embeddings.recall_drop import RecallHistory, has_truth, read_recall_drop
from lib.embeddings.retrieval import NO_TRUTH
from lib.embeddings.saturation import Saturation, read_saturation
from lib.metrics.alignment import Alignment
from lib.metrics.drift import Drift
from lib.metrics.query_ledger import QueryLedger
from lib.reports.estimates_json import ends, measured, merged

LISTED = 20
NO_IDS = "no id is in both versions"
NO_TURN = "the coordinates are those of the baseline, or nothing can be turned"
NO_PAIRED_QUERY = "no query with this id is in both, or none can be answered"


def comparison_as_json(diagnosis: EmbeddingDiagnosis) -> dict[str, Any]:
    """Baseline against candidate: neighbours kept, changes, the ledger, drift, and what happened to recall."""
    settings = diagnosis.settings
    named = {"baseline": settings.baseline, "candidate": settings.candidate}
    if not diagnosis.is_compared:
        return {**named, "undefined": {"comparison": ONE_VERSION}}
    found = read_comparison(diagnosis)
    floor = {"neighbourhood_overlap_floor": found.floor}
    history = read_recall_drop(diagnosis) if has_truth(diagnosis) else None
    undefined = {"ledger": NO_TRUTH} if found.ledger is None else {}
    undefined |= {} if history is not None else dict.fromkeys(("recall_drop", "hypotheses"), NO_TRUTH)
    return merged(
        {
            **named,
            "k": found.k,
            "n_paired": len(found.paired.first),
            "n_unpaired": found.paired.n_left_out,
            "deltas": _deltas(found),
            "ledger": None if found.ledger is None else _ledger(diagnosis, found.ledger),
            "drift": _drifts(diagnosis),
            "recall_drop": None if history is None else _history(history, read_saturation(diagnosis)),
            "hypotheses": None if history is None else _hypotheses(history),
            "undefined": undefined,
        },
        measured(
            {"neighbourhood_overlap": found.overlap_mean},
            floor,
            dict.fromkeys(floor, "fewer than two rows can be found"),
        ),
    )


def _deltas(found: EmbeddingComparison) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for (name, k), change in found.changes.items():
        judgement = found.judgements.get((name, k))
        made[name if k is None else f"{name}.{k}"] = {
            "value": change.value,
            "ci": ends(change),
            "n": int(change.n),
            "paired": True,
            "verdict": None if judgement is None else judgement.word,
            "undefined": {} if change.is_defined else {"value": change.reason},
        }
    return made


def _ledger(diagnosis: EmbeddingDiagnosis, ledger: QueryLedger) -> dict[str, Any]:
    ids, hubs = diagnosis.vectors(diagnosis.settings.candidate).ids, ledger.displacers
    lost, gained = int(ledger.is_lost.sum()), int(ledger.is_gained.sum())
    rows = zip(hubs.rows[:LISTED].tolist(), hubs.counts.tolist(), hubs.is_new.tolist(), strict=False)
    return merged(
        {
            "k": ledger.k,
            "n": len(ledger.first),
            "n_lost": lost,
            "n_gained": gained,
            "n_unchanged": len(ledger.first) - lost - gained,
            "n_unpaired": ledger.n_unpaired,
            "n_unanswerable": ledger.n_unanswerable,
            "n_displacers": len(hubs.rows),
            "n_without_displacer": hubs.n_without,
            "displacers": [{"id": str(ids[row]), "n": count, "is_new": is_new} for row, count, is_new in rows],
        },
        measured({"change": ledger.change}, {"mcnemar_p": ledger.p_value}, {"mcnemar_p": NO_PAIRED_QUERY}),
    )


def _drifts(diagnosis: EmbeddingDiagnosis) -> dict[str, Any]:
    found = read_drift(diagnosis)
    parts = {"rows": found.rows, "pairs": found.pairs, "turned": found.turned}
    reasons = {"rows": found.reason, "pairs": found.reason or NO_IDS, "turned": found.reason or NO_TURN}
    undefined = {name: reasons[name] for name, each in parts.items() if each is None}
    undefined |= dict.fromkeys(("alignment", "truncation"), NO_IDS) if found.alignment is None else {}
    cut = found.truncation
    return {
        **{name: None if each is None else drift_as_json(each) for name, each in parts.items()},
        "cohorts": [
            {"column": column, "value": value, **drift_as_json(each)}
            for column, values in found.cohorts.items()
            for value, each in values.items()
        ],
        "residuals": [
            merged({"column": column, "value": value}, measured({"mean_residual": each}))
            for column, values in found.residuals.items()
            for value, each in values.items()
        ],
        "furthest": [{"column": column, "value": value} for column, value in found.furthest.items()],
        "alignment": None if found.alignment is None else _alignment(found.alignment),
        "truncation": None
        if cut is None
        else {
            "n": cut.n,
            "n_zeros": cut.zeros,
            "n_kept": cut.kept,
            **measured({}, {"share": cut.share}, {"share": "too few ids are in both versions"}),
        },
        "undefined": undefined,
    }


def drift_as_json(drift: Drift) -> dict[str, Any]:
    """How far one sample of vectors is from another, each measure with its floor."""
    plain: dict[str, float] = {}
    reasons: dict[str, str] = {}
    for each in drift.measures:
        own = (("", each.value), ("_floor", each.floor), ("_p", each.p), ("_p_adjusted", each.p_adjusted))
        plain |= {f"{each.measure.value}{suffix}": value for suffix, value in own}
        reasons |= {f"{each.measure.value}{suffix}": each.reason for suffix, _value in own}
    none = all(each.reason for each in drift.measures)
    return merged(
        {
            "n": drift.m,
            "n_reference": drift.n,
            "n_used": drift.m_used,
            "is_paired": drift.is_paired,
            "is_exact": drift.is_exact,
            "has_drifted": drift.has_drifted,
            "ks_by_dimension": None if none else drift.ks,
            "undefined": {"ks_by_dimension": drift.measures[0].reason} if none else {},
        },
        measured({}, plain, reasons),
    )


def _alignment(found: Alignment) -> dict[str, Any]:
    plain = {
        "total_displacement": found.total_displacement,
        "total_residual": found.total_residual,
        "scale": found.scale,
        "split_of_residuals": found.split,
    }
    reason = found.reason or "the dimensions differ, or all residuals are equal"
    return merged(
        {"space": found.space.value, "n": found.n, "n_far": int(found.is_far.sum())},
        measured({"identical": found.identical, "unchanged": found.unchanged}, plain, dict.fromkeys(plain, reason)),
    )


def _hypotheses(history: RecallHistory) -> list[dict[str, Any]]:
    return [
        {
            "name": each.name,
            "verdict": each.verdict.value,
            "explains": each.explains,
            # What could not be measured is no evidence.
            "evidence": {name: value for name, value in each.evidence.items() if math.isfinite(value)},
            "explanation": each.sentence,
            "undefined": {"explains": each.reason} if math.isnan(each.explains) else {},
        }
        for each in history.drop.hypotheses
    ]


def _history(history: RecallHistory, hidden: Saturation | None) -> dict[str, Any]:
    drop, lost = history.drop, history.drop.lost
    crossed = ("old_in_old", "old_in_new", "new_in_old", "new_in_new", "mapped")
    hubs = {"hub_share": lost.hub_share}
    return merged(
        {
            "notes": [] if hidden is None else [hidden.sentence],
            "k": drop.k,
            "n_shared": history.n_shared,
            "share": drop.share,
            "counterfactuals": [
                {
                    "name": each.name,
                    "explanation": each.text,
                    **measured(
                        {"recall_at_k": each.recall},
                        {"restored": each.restored},
                        {"restored": "recall did not change beyond chance"},
                    ),
                }
                for each in drop.counterfactuals
            ],
            "crossed": measured({name: getattr(drop.crossed, name) for name in crossed}),
            "parts": {"column": drop.parts_column, **measured({"change": drop.parts.change, **drop.parts.parts})},
            "groups": [
                {
                    "n": len(each.queries),
                    "answers": len(each.answers),
                    "shared": [
                        {
                            "column": one.column,
                            "value": one.value,
                            "n": one.n,
                            "share": one.share,
                            "rest": one.rest,
                            "p_adjusted": one.p_adjusted,
                        }
                        for one in each.shared
                    ],
                }
                for each in drop.groups.groups
            ],
            "n_lost": drop.groups.n_lost,
            "n_grouped": drop.groups.n_grouped,
            "n_hubs": lost.n_hubs,
        },
        measured(
            {
                "recall_reference": drop.before,
                "recall_at_k": drop.after,
                "used_reference": history.used[0],
                "used": history.used[1],
            },
            hubs,
            dict.fromkeys(hubs, "no query was lost"),
        ),
    )
