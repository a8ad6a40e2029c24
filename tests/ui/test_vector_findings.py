"""Findings of vectors: all on Home with the way to their pages, each page with its own, behind a page that is drawn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast
from urllib.parse import parse_qsl

import pytest
from streamlit.testing.v1 import AppTest

from lib.checks import CheckResult, Severity, Status, Where
from lib.checks.embeddings import EMBEDDING_CHECKS
from lib.embeddings import EmbeddingDiagnosis
from lib.ui import vector_checks, vector_findings
from lib.ui.datasets import workspace
from lib.ui.findings import PAGES
from lib.ui.vector_findings import cohorts_first
from tests.ui.conftest import assert_sound, findings, go_to, open_app, run, text_of

DROP = {"vectors": "sample-recall", "v_distance": "euclidean", "v_k": "1"}
FALL = "error Recall@1 fell by"


def finding(status: Status, severity: Severity, **cohort: str) -> CheckResult:
    return CheckResult(
        code="E-F1", name="a", status=status, severity=severity, version=None, where=Where(cohort), title="",
        evidence={}, explanation="", remedy="", topic="retrieval",
    )  # fmt: skip


def press(app: AppTest, label: str) -> AppTest:
    next(button for button in app.button if button.label == label).click()
    return run(app)


@pytest.fixture(scope="module")
def home() -> Iterator[AppTest]:
    yield press(open_app("home", **DROP), "Run the checks")
    # What the checks found is kept with the sample, and would be on the pages of other tests.
    workspace().close(DROP["vectors"])


def test_home_shows_all_findings_and_the_way_to_the_page_that_shows_why(home: AppTest) -> None:
    assert_sound(home)
    shown = findings(home)
    assert len(set(shown)) == len(shown)
    assert [each.startswith(FALL) for each in shown] == [True] + [False] * (len(shown) - 1)
    links = {each.proto.label: dict(parse_qsl(each.proto.query_string)) for each in home.get("page_link")}
    assert links["Show what happened to recall"] == DROP
    assert any("passed, " in each.label for each in home.expander)
    assert "have not run" not in text_of(home)


def test_pages_open_on_the_cohorts_of_the_gravest_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    columns = [["family", "source"], ["source", "family"]]
    diagnosis = cast(EmbeddingDiagnosis, object())
    named = [
        finding(Status.PASS, Severity.INFO, family="a"),
        finding(Status.FAIL, Severity.ERROR, other="b"),
        finding(Status.FAIL, Severity.WARNING, source="c"),
        finding(Status.FAIL, Severity.WARNING, family="d"),
    ]
    monkeypatch.setattr(vector_findings, "run_embedding_checks", lambda _diagnosis: named)
    monkeypatch.setattr(vector_findings, "holds_embedding_checks", lambda _diagnosis: True)
    assert [cohorts_first(diagnosis, each) for each in columns] == ["source", "source"]
    assert cohorts_first(diagnosis, ["place"]) == "place"
    monkeypatch.setattr(vector_findings, "holds_embedding_checks", lambda _diagnosis: False)
    assert [cohorts_first(diagnosis, each) for each in columns] == ["family", "source"]


def test_each_page_draws_its_own_findings_once(home: AppTest) -> None:
    everywhere: list[str] = []
    for page in ("projection", *sorted({check.topic for check in EMBEDDING_CHECKS})):
        go_to(home, page)
        assert_sound(home)
        everywhere += [each for each in findings(home) if not each.startswith("confirmed")]
    go_to(home, "home")
    assert sorted(everywhere) == sorted(findings(home))
    assert {check.topic for check in EMBEDDING_CHECKS} < PAGES.keys()


def test_the_page_is_there_before_the_checks_have_run(monkeypatch: pytest.MonkeyPatch) -> None:
    app = open_app("dimensions", vectors="sample-vectors", v_baseline="digits_pca", v_candidate="digits_raw")
    assert findings(app) == []
    assert "Run the checks" not in [button.label for button in app.button]
    monkeypatch.setattr(vector_checks, "RUN_UP_TO", 50_000)
    run(app)
    assert_sound(app)
    assert [each.split(" by ")[0] for each in findings(app)] == ["info 8 of 64 dimensions"]
