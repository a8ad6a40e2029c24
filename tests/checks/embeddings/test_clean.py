"""Clean vectors: two seeds of one model, a tuned model and halves of one version raise no finding."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lib.checks import ALARM_RATE, CHECKS, CheckResult, Status
from lib.checks.embeddings import EMBEDDING_CHECKS, run_embedding_checks
from sample_data.embedding_faults import Clean, Version, make_versions
from tests.checks.embeddings.sets import diagnosis_of, made

ROWS, DIMENSION = 300, 16


def pair(seed: int, clean: Clean) -> tuple[Version, Version]:
    """Two versions whose cohorts say nothing of how hard an item is."""
    before, after, _truth = make_versions(seed, ROWS, DIMENSION, clean=clean)
    dealt = dict(zip(before.ids, np.random.default_rng(seed).permutation(before.cohort), strict=True))
    others = iter(np.random.default_rng(seed + 1).permutation(after.cohort))
    cohort = np.array([dealt.get(each) or next(others) for each in after.ids])
    return replace(before, cohort=np.array(list(dealt.values()))), replace(after, cohort=cohort)


def test_the_table_is_complete() -> None:
    codes = [check.code for check in EMBEDDING_CHECKS]
    assert codes == [f"E-F{number}" for number in (1, 2, 4, 5, 6, 7, 8, 9, 10, 11)]
    assert "E-F3" in {check.code for check in CHECKS}
    assert not {check.name for check in CHECKS} & {check.name for check in EMBEDDING_CHECKS}
    for check in EMBEDDING_CHECKS:
        assert check.alarm_rate == ALARM_RATE
        assert check.over == "embeddings"
        assert all((check.reference, check.minimum_effect, check.cause, check.remedy))
        assert check.topic in ("drift", "retrieval", "recall", "geometry", "dimensions")


@pytest.mark.parametrize("clean", ["two-seeds", "split-halves"])
@pytest.mark.parametrize("seed", range(3))
def test_clean_pairs_are_silent(tmp_path: Path, clean: Clean, seed: int) -> None:
    results = run_embedding_checks(diagnosis_of(tmp_path, *pair(seed, clean)))
    assert [each.title for each in results if each.is_finding] == []
    assert sorted(each.code for each in results) == sorted(check.code for check in EMBEDDING_CHECKS)


def test_a_tuned_model_is_silent_and_what_cannot_be_told_says_why(tmp_path: Path) -> None:
    results = by_name(run_embedding_checks(diagnosis_of(tmp_path, *pair(7, "fine-tuned"))))
    assert {name for name, each in results.items() if each.status is Status.NOT_APPLICABLE} == {
        "leakage",
        "seasonal-drift",
    }
    assert results["leakage"].title == "no column is marked as sensitive"
    assert results["seasonal-drift"].title == "there is no time column"
    assert not any(each.is_finding for each in results.values())


def test_one_version_without_labels_is_not_compared(tmp_path: Path) -> None:
    matrix = np.random.default_rng(0).normal(size=(120, 12))
    results = by_name(run_embedding_checks(diagnosis_of(tmp_path, made(matrix))))
    assert {name for name, each in results.items() if each.status is Status.PASS} == {
        "index-corruption",
        "hubness",
        "collapse",
        "duplicates",
    }
    assert results["embedding-drift"].title == "there is one version, and nothing to compare it with"
    assert results["oversized-dimension"].title.startswith("nothing tells which rows are right answers")


def by_name(results: tuple[CheckResult, ...]) -> dict[str, CheckResult]:
    assert len({each.name for each in results}) == len(results)
    return {each.name: each for each in results}
