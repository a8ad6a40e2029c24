"""E-F4 and E-F10: vectors that cannot be relied on, answers of an index that are not the nearest, and duplicates."""

from __future__ import annotations

from lib.checks import words
from lib.checks.embeddings.versions import Seen, look_at
from lib.checks.result import ALARM_RATE, Answer, NotApplicable, Passed, Severity, Status
from lib.embeddings import EmbeddingDiagnosis
from lib.embeddings.measures import Duplicates, read_ann, read_duplicates, read_index
from lib.metrics.index_consistency import EQUAL_VECTOR, FAULTS
from lib.metrics.near_duplicates import NearDuplicates
from lib.metrics.query_means import mean_of_queries

MANY_FAULTS = 0.01
"""From here on faults of rows can move a rate by a point: an error."""
LEAST_ANN_RECALL = 0.9
LEAST_DUPLICATES = 0.01
LEAST_RATIO = 2.0
"""So many times as many rows as chance gives."""
MANY_DUPLICATES = 0.1
NOUNS = {
    "nan": "NaN",
    "infinite": "infinite values",
    "zero_norm": "vectors of zeros",
    "wrong_dimension": "another dimension",
    "unreadable": "unreadable lines",
    "missing_id": "no id",
    "repeated_id": "repeated ids",
    "missing_vector": "ids without a vector",
}


def check_index_corruption(diagnosis: EmbeddingDiagnosis) -> Answer:
    """Rows have a fault, or an index does not give the nearest."""
    found = [
        *look_at(diagnosis, lambda version: _faults(diagnosis, version), of_baseline=True),
        *look_at(diagnosis, lambda version: _misses(diagnosis, version), of_baseline=True),
    ]
    if found:
        return found
    n = sum(diagnosis.vectors(version).n for version in diagnosis.settings.versions)
    return Passed(f"Every row has an id and a vector that can be used (n = {words.count(n)}).", {"n": n})


def _faults(diagnosis: EmbeddingDiagnosis, version: str) -> Seen | None:
    index = read_index(diagnosis, version)
    whole = index.n + index.n_missing
    if index.n_fine == whole:
        return None
    named = [
        f"{NOUNS[problem.name]} ({words.count(problem.n)})" for problem in index.problems if problem.name in FAULTS
    ]
    is_many = 1 - index.share >= MANY_FAULTS
    clause = (
        f"The index is not consistent: {words.count(whole - index.n_fine)} of {words.plural(whole, 'row')} "
        f"({words.percent(1 - index.share)}) cannot be relied on, by {words.listing(named)}"
    )
    numbers = {"n": whole, "n_fine": index.n_fine, "index_consistency": index.share}
    numbers |= {"index_problems": {each.name: each.n for each in index.problems if each.is_fault}}
    return Seen(
        clause,
        numbers,
        1 - index.share,
        Status.FAIL if is_many else Status.WARN,
        Severity.ERROR if is_many else Severity.WARNING,
    )


def _misses(diagnosis: EmbeddingDiagnosis, version: str) -> Seen | None:
    answers = read_ann(diagnosis, version)
    if answers is None:
        return None
    recall = mean_of_queries(answers.recall)[0]
    if not recall.is_defined or not recall.upper < LEAST_ANN_RECALL:
        return None
    clause = (
        f"The index gives only {words.percent(recall.value)} of the {answers.recall.k} nearest "
        f"(n = {words.count(recall.n)})"
    )
    numbers = {"n": int(recall.n), "ann_recall": recall.value, "ann_recall_ci": [recall.lower, recall.upper]}
    return Seen(clause, numbers, 1 - recall.value, Status.FAIL, Severity.WARNING)


def check_duplicates(diagnosis: EmbeddingDiagnosis) -> Answer:
    """More rows than chance gives have a near or an exact duplicate."""
    n = max(diagnosis.vectors(version).n for version in diagnosis.settings.versions)
    if n < 2:
        return NotApplicable("there are fewer than two rows")
    found = [
        *look_at(diagnosis, lambda version: _duplicates(diagnosis, version)),
        *look_at(diagnosis, lambda version: _leaks(diagnosis, version)),
    ]
    if found:
        return found
    few = f"Fewer than {words.percent(LEAST_DUPLICATES)} of the rows have a near duplicate that chance does not explain"
    return Passed(f"{few} (n = {words.count(n)}).", {"n": n})


def _duplicates(diagnosis: EmbeddingDiagnosis, version: str) -> Seen | None:
    read, n = read_duplicates(diagnosis, version), diagnosis.vectors(version).n
    equal = read_index(diagnosis, version).count(EQUAL_VECTOR)
    near = read.found.n_rows if is_beyond_chance(read.found) else 0
    share = max(equal, near) / n
    if share < LEAST_DUPLICATES:
        return None
    kind = (
        f"the vector of an earlier row: {words.count(equal)}" if equal >= near else f"a near duplicate: {_near(read)}"
    )
    clause = f"Rows have {kind} of {words.count(n)} ({words.percent(share)})"
    numbers = {
        "n": n,
        "n_equal": equal,
        "n_duplicates": read.found.n_rows,
        "n_expected": read.found.expected,
        "p": read.found.p,
        "cut": read.found.cut,
    }
    return Seen(clause, numbers, share, Status.FAIL if share >= MANY_DUPLICATES else Status.WARN)


def is_beyond_chance(found: NearDuplicates) -> bool:
    """Whether more rows have a near duplicate than chance gives: certainly, and by enough to matter."""
    return (
        found.p <= ALARM_RATE
        and found.found >= LEAST_RATIO * found.expected
        and found.found - found.expected >= LEAST_DUPLICATES * found.n_queries
    )


def _near(read: Duplicates) -> str:
    chance = max(1, round(read.found.expected))
    return f"{words.count(read.found.n_rows)}, where chance gives some {words.count(chance)},"


def _leaks(diagnosis: EmbeddingDiagnosis, version: str) -> Seen | None:
    read = read_duplicates(diagnosis, version)
    leaks = read.leaks
    if leaks is None or not leaks.n or leaks.rows / leaks.n < LEAST_DUPLICATES or not is_beyond_chance(read.found):
        return None
    clause = (
        f"Near duplicates stand in different splits: {words.count(leaks.rows)} of {words.plural(leaks.n, 'row')} "
        f"({words.percent(leaks.rows / leaks.n)}) have one in another split"
    )
    return Seen(clause, {"n": leaks.n, "n_leaking": leaks.rows}, leaks.rows / leaks.n)
