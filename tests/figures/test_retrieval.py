"""The pages on retrieval and on what happened to recall: their sentences, figures at every width, and empty states."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lib.checks.embeddings.mending import REMEDIES
from lib.checks.embeddings.versions import explained_words
from lib.embeddings import EmbeddingDiagnosis, EmbeddingSettings
from lib.embeddings.lost_queries import (
    DISPLACER,
    GAINED,
    LOST,
    RIGHT,
    TOOK,
    list_answers,
    list_displacers,
    list_queries,
    name_answers,
)
from lib.embeddings.measures import read_geometry
from lib.embeddings.projection import number_rows
from lib.embeddings.recall_drop import read_recall_drop
from lib.embeddings.samples import ID
from lib.figures.decomposition import plot_decomposition
from lib.figures.format import format_share
from lib.figures.geometry_view import GeometryView
from lib.figures.map_view import map_provenance, map_sentence
from lib.figures.recall_parts_view import PARTS, RecallPartsView
from lib.figures.recall_view import NO_SHARED, RecallView, nothing_words
from lib.figures.recall_words import CAUSES, TITLES
from lib.figures.retrieval import plot_cohorts_of_queries, plot_hubs, plot_recall_by_k
from lib.figures.retrieval_cohorts_view import CohortsOfQueries, HubsView, index_words, overlap_words
from lib.figures.retrieval_view import MEASURES, RetrievalView
from lib.figures.theme import Look
from lib.metrics.hypotheses.finding import NAMES, Verdict
from lib.metrics.index_consistency import compute_index_report
from lib.metrics.recall_parts import PARTS as PART_NAMES
from lib.sources.embeddings import EmbeddingSet, FoundNeighbours, read_embeddings
from lib.sources.inputs import Input
from lib.vectors import Distance
from sample_data.embedding_faults import Version, make_versions
from tests.checks.embeddings.sets import diagnosis_of, made

LOOKS = [Look(), Look(dark=True, width=1200), Look(wraps_at=360)]
HOSTILE = "<b>%{x}</b> $v$"
FAULTS = ("stale-rows", "not-normalised")


def write(folder: Path, versions: dict[str, Version], *, labelled: bool = True, renamed: str = "") -> EmbeddingSet:
    """Versions as files; the last one's ids begin with `renamed`."""
    rows: list[pd.DataFrame] = []
    for place, (name, each) in enumerate(versions.items()):
        ids = np.char.add(renamed if place else "", each.ids.astype(str))
        np.savez(folder / f"{name}.npz", ids=ids, vectors=each.matrix)
        cohort = np.where(each.cohort == "phone", HOSTILE, each.cohort)
        rows.append(pd.DataFrame({"id": ids, "source": cohort} | ({"label": each.label} if labelled else {})))
    pd.concat(rows).drop_duplicates("id").to_csv(folder / "items.csv", index=False)
    names = [*(f"{name}.npz" for name in versions), "items.csv"]
    return read_embeddings([Input(folder / name, name) for name in names], folder / "store")


def diagnose(given: EmbeddingSet, folder: Path, ks: tuple[int, ...] = (1, 3)) -> EmbeddingDiagnosis:
    return EmbeddingDiagnosis(given, EmbeddingSettings.choose(given, distance=Distance.EUCLIDEAN, ks=ks), folder)


@pytest.fixture(scope="module")
def versions() -> dict[str, Version]:
    before, after, _truth = make_versions(2026, 900, 16, faults=FAULTS, cohort="phone")
    return {"old": before, "new": after}


@pytest.fixture(scope="module")
def fallen(versions: dict[str, Version], tmp_path_factory: pytest.TempPathFactory) -> EmbeddingDiagnosis:
    """A candidate with stale rows and a cohort that is not normalised."""
    folder = tmp_path_factory.mktemp("fallen")
    return diagnose(write(folder, versions), folder, ks=(1,))


@pytest.fixture(scope="module")
def recall(fallen: EmbeddingDiagnosis) -> RecallView:
    read_recall_drop(fallen)
    return RecallView.of(fallen)


@pytest.fixture(scope="module")
def retrieval(fallen: EmbeddingDiagnosis) -> RetrievalView:
    return RetrievalView.of(EmbeddingDiagnosis(fallen.embeddings, replace(fallen.settings, ks=(1, 3)), fallen.folder))


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_every_figure_is_framed(retrieval: RetrievalView, recall: RecallView, look: Look) -> None:
    provenance = map_provenance(retrieval.diagnosis, "k = 3")
    cohorts = CohortsOfQueries.of(retrieval, "source")
    for figure in (
        plot_recall_by_k(retrieval, look, provenance),
        plot_cohorts_of_queries(cohorts, look, provenance),
        plot_hubs(HubsView.of(retrieval), look, provenance),
        plot_decomposition(RecallPartsView(recall), look, provenance),
    ):
        layout: Any = figure.layout
        assert layout.meta["title"]
        assert "euclidean distance" in layout.meta["provenance"]
        assert "<b>%{x}</b>" not in str(figure.to_json())
        assert layout.height > 200
        axes: Any = [*figure.select_xaxes(), *figure.select_yaxes()]
        for axis in axes:
            if axis.ticksuffix and axis.range is not None:
                assert 0 <= axis.range[0] < axis.range[1] <= 100, "a share has no more"
        for trace in figure.data:
            assert np.isfinite(np.asarray(trace.x, float)).all()


def test_the_sentence_of_retrieval_says_both_numbers(retrieval: RetrievalView) -> None:
    row = retrieval.row("recall_at_k", 3)
    before, after = row.estimates
    said = retrieval.answer()
    assert said.startswith(
        f"Recall@3 fell from {format_share(before.value)} in old to {format_share(after.value)} in new"
    )
    assert row.tone == "worse"
    assert "900 queries" in " ".join(retrieval.notes())
    assert [each.measure.name for each in retrieval.rows()[:2]] == ["recall_at_k", "ir_recall_at_k"]
    assert {each.k for each in retrieval.rows()[:9]} == {None, 3}
    assert {each.measure.name for each in retrieval.rows()} == set(MEASURES)
    frame = retrieval.frame()
    assert len(frame) == len(retrieval.rows())
    assert frame["change value"].iloc[0] == pytest.approx(after.value - before.value)


def test_the_cohort_that_lost_most_is_on_top_and_named(retrieval: RetrievalView) -> None:
    found = CohortsOfQueries.of(retrieval, "source")
    changes = [row.change.value for row in found.rows if row.change]
    assert len(changes) == len(found.rows) == 4
    assert changes == sorted(changes)
    assert CohortsOfQueries.name(found.rows[0]) in found.sentence()
    n = [row.change.n for row in found.rows if row.change]
    whole = retrieval.row("recall_at_k", 3).change
    assert whole is not None
    assert np.average(changes, weights=n) == pytest.approx(whole.value)


def test_hubs_count_every_row_once(retrieval: RetrievalView) -> None:
    found = HubsView.of(retrieval)
    by_version = found.frame().groupby("version")
    assert by_version["rows"].sum().to_dict() == {"old": 900, "new": 900}
    assert by_version["share"].sum().to_list() == pytest.approx([1, 1])
    assert format_share(found.found[1].hub_share) in found.sentence()
    assert "share" in overlap_words(retrieval)


def test_the_sentence_names_the_causes_with_their_shares(recall: RecallView) -> None:
    said = recall.answer()
    confirmed = recall.of_verdict(Verdict.CONFIRMED)
    assert {each.name for each in confirmed} == set(FAULTS)
    for each in confirmed:
        assert f"{CAUSES[each.name]} ({explained_words(each.explains, recall.ledger.change.value)})" in said
    assert confirmed[0].explains >= confirmed[1].explains
    assert len(recall.hypotheses_frame()) == len(NAMES)


def test_more_than_all_of_a_change_is_said_in_points(recall: RecallView) -> None:
    """Undoing stale rows gives 1.36 times what was lost: of 1.7 points 0.6 more."""
    assert explained_words(1.36, -0.017) == "all of the change, and 0.6 points more"
    assert explained_words(1.36, 0.017) == "all of the change, and 0.6 points more"
    assert explained_words(1.001, -0.017) == explained_words(1.0, -0.017) == "100 % of the change"
    assert explained_words(0.49, -0.017) == "49 % of the change"
    drop = recall.drop
    change = drop.after.value - drop.before.value
    causes = tuple(replace(each, explains=1.5) if each.name == "stale-rows" else each for each in drop.hypotheses)
    restored = tuple(replace(each, restored=1.5) for each in drop.counterfactuals)
    more = replace(drop, hypotheses=causes, counterfactuals=restored)
    view = replace(recall, history=replace(recall.history, drop=more))
    words = f"all of the change, and {abs(50 * change):.1f} points more"
    assert f"({words})" in view.answer()
    assert view.undone_words(more.counterfactuals[0]) == words


def test_every_hypothesis_and_part_has_its_words() -> None:
    assert set(TITLES) == set(CAUSES) == set(REMEDIES) == set(NAMES)
    assert tuple(PARTS) == PART_NAMES


def test_parts_lead_from_the_one_recall_to_the_other(recall: RecallView) -> None:
    view = RecallPartsView(recall)
    assert sum(each.value for each in view.parts.values()) == pytest.approx(view.after.value - view.before.value)
    assert "most is within cohorts" in view.sentence()
    assert list(view.frame()["part"]) == [*PART_NAMES, "change"]


def test_lost_queries_are_listed_with_what_displaced_them(recall: RecallView, fallen: EmbeddingDiagnosis) -> None:
    counts, numbering = recall.ledger_counts(), number_rows(fallen)
    assert sum(counts.values()) == len(recall.ledger.first) == 900
    lost, numbers = list_queries(fallen, numbering, recall.ledger, LOST)
    assert len(lost) == len(numbers) == counts[LOST] > 50
    for place in (0, 7, 31):
        lists = list_answers(fallen, numbering, int(numbers[place]))
        old, new = lists["old"], lists["new"]
        assert old is not None
        assert new is not None
        assert (old[RIGHT] == "yes").any()
        assert (new[RIGHT] == "no").all()
        displacer = lost[DISPLACER].iloc[place]
        assert displacer in set(new[ID])
        assert displacer not in set(old[ID])
    gained, _numbers = list_queries(fallen, numbering, recall.ledger, GAINED, 2)
    assert len(gained) == min(2, counts[GAINED])
    assert DISPLACER not in gained
    displacers = list_displacers(fallen, recall.ledger)
    assert displacers[TOOK].sum() == counts[LOST]
    assert displacers[TOOK].iloc[0] == lost[DISPLACER].value_counts().max()


def test_right_answers_are_named_with_their_label(fallen: EmbeddingDiagnosis) -> None:
    ids, labels = fallen.vectors("new").ids, fallen.embeddings.texts("new", "label")
    assert name_answers(fallen, np.array([3, 5])) == [f"{ids[3]} ({labels[3]})", f"{ids[5]} ({labels[5]})"]


def test_the_answers_of_an_index_are_what_the_parts_lead_to(fallen: EmbeddingDiagnosis) -> None:
    """An index that finds nothing for half of the queries: its misses are a part, and the others as they were."""
    graph = fallen.graph("new")
    rows = graph.rows[:, :2].copy()
    rows[::2] = -1
    rows[1, 0] = graph.queries[1]  # the query itself takes no place
    rows[1, 1] = graph.rows[1, 0]
    given = replace(fallen.embeddings, neighbours={"new": FoundNeighbours(graph.queries, rows)})
    view = RecallView.of(EmbeddingDiagnosis(given, fallen.settings, fallen.folder))
    exact, used = view.drop.after.value, view.history.used[1].value
    assert used < 0.6 * exact
    assert view.drop.parts.parts["ann_loss"].value == pytest.approx(used - exact)
    assert view.history.used[0] == view.drop.before


def test_one_version_is_told_by_itself(fallen: EmbeddingDiagnosis) -> None:
    settings = replace(fallen.settings, candidate="old", ks=(1, 3))
    alone = EmbeddingDiagnosis(fallen.embeddings, settings, fallen.folder)
    assert "two versions" in nothing_words(alone)
    assert nothing_words(fallen) == ""
    view = RetrievalView.of(alone)
    assert view.answer().endswith("of 900 queries with a right answer to find, one is among the 3 nearest.")
    assert "change value" not in view.frame()
    assert overlap_words(view) == ""
    cohorts = CohortsOfQueries.of(view, "source")
    assert "is lowest for" in cohorts.sentence()
    assert "neighbours kept" not in str(plot_cohorts_of_queries(cohorts, Look(), "").to_json())


def test_without_right_answers_what_needs_none_stays(versions: dict[str, Version], tmp_path: Path) -> None:
    unlabelled = diagnose(write(tmp_path, versions, labelled=False), tmp_path)
    assert "nothing says which rows are right answers" in nothing_words(unlabelled)
    view = RetrievalView.of(unlabelled)
    assert view.answer().startswith("How well right answers are found cannot be told: in old and new")
    assert view.rows() == []
    assert "in common" in overlap_words(view)
    layout: Any = plot_cohorts_of_queries(CohortsOfQueries.of(view, "source"), Look(), "").layout
    assert layout.meta["title"] == "Neighbours kept by source"


def test_cohorts_without_right_answers_say_how_many_queries_are_compared(
    versions: dict[str, Version], tmp_path: Path
) -> None:
    view = RetrievalView.of(diagnose(write(tmp_path, versions, labelled=False), tmp_path))
    cohorts = CohortsOfQueries.of(view, "source")
    layout: Any = plot_cohorts_of_queries(cohorts, Look(), "").layout
    text = str(layout.yaxis.ticktext)
    for row in cohorts.rows:
        assert row.overlap is not None
        assert f">{int(row.overlap.n):,}<" in text
    assert ">0<" not in text


def test_one_row_has_no_geometry_no_map_and_no_place_in_a_list(tmp_path: Path) -> None:
    diagnosis = diagnosis_of(tmp_path, made(np.ones((1, 8))))
    geometry = GeometryView.of(diagnosis, {"v1": read_geometry(diagnosis, "v1")})
    assert geometry.answer() == "v1 has one row, and one row has no geometry."
    assert ("0", "") not in geometry.sizes("v1")
    assert "dead" not in geometry.answer()
    assert geometry.spectrum_title() == "There is no variance to share out among axes"
    hubs = HubsView.of(RetrievalView.of(diagnosis))
    assert hubs.sentence() == "No row is in a list of neighbours: there is no other row to be found"
    assert hubs.notes() == []
    panel: Any = SimpleNamespace(version="v1", quality=None)
    assert map_sentence(diagnosis, [panel]) == "One row has no others to lie beside: there is no map of it."


def test_without_shared_ids_each_version_is_told_as_a_whole(versions: dict[str, Version], tmp_path: Path) -> None:
    apart = diagnose(write(tmp_path, versions, renamed="x"), tmp_path, ks=(1,))
    view = RecallView.of(apart)
    assert NO_SHARED in view.notes()
    assert view.ledger_words() == ["No query of the same id can be answered in both versions."]
    assert view.answer().startswith("Recall@1 fell from")
    assert not math.isnan(view.drop.parts.change.value)
    retrieval = RetrievalView.of(apart)
    assert "no query with this id is in both" in retrieval.answer()
    assert retrieval.row("recall_at_k", 1).tone == ""
    plot_cohorts_of_queries(CohortsOfQueries.of(retrieval, "source"), Look(), "")


def test_an_index_with_faults_says_its_share(fallen: EmbeddingDiagnosis) -> None:
    vectors = fallen.vectors("old")
    whole = compute_index_report(vectors)
    assert index_words(whole) == "old: each of 900 rows has a vector that can be used."
    missing = compute_index_report(vectors, missing=tuple(f"lost-{n}" for n in range(100)))
    assert "90.0 % of 1,000 rows" in index_words(missing).replace("\N{NO-BREAK SPACE}", " ")
