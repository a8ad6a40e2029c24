"""The Slices page's figure and words: framed, in the units of the outcome, hostile names harmless."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lib.diagnose import Diagnosis
from lib.figures import slices
from lib.figures.samples import query_words
from lib.figures.slices_view import SlicesView, condition_words, part_of, query_of, slice_words
from lib.figures.text import escape
from lib.figures.theme import Look
from lib.metrics.incidents import Part
from lib.metrics.slice_sums import Condition
from lib.scan import Scan, count_rows
from lib.schema import Filter
from lib.settings import Settings
from lib.slices import search_slices
from lib.sources import Answers, build_dataset, infer_mapping, read_table

LOOKS = [Look(), Look(dark=True, width=1200), Look(wraps_at=360)]
HOSTILE = "<b>%{x}</b> $amount$"
# plotly's own types do not know what a layout holds.
plot_slices: Any = slices.plot_slices


@pytest.fixture(scope="module")
def diagnosis(tmp_path_factory: pytest.TempPathFactory) -> Diagnosis:
    folder, rng, n = tmp_path_factory.mktemp("slices"), np.random.default_rng(0), 16_000
    label = rng.integers(0, 2, n)
    frame = pd.DataFrame(
        {
            "y_true": label,
            "version": np.where(np.arange(n) < n // 2, "v1", "<i>v2</i>"),
            HOSTILE: rng.choice(["<script>", "de", "pt", ""], n),
            "size": rng.normal(0, 1, n),
            "platform": rng.choice(["ios", "web"], n),
        }
    )
    inside = (frame[HOSTILE] == "<script>") & (frame["size"] > 0) & (frame["version"] != "v1")
    wrong = rng.random(n) < np.where(inside, 0.6, 0.15)
    frame["decision_score"] = np.where(wrong, -1, 1) * (2 * label - 1) * rng.exponential(1, n)
    frame.to_parquet(folder / "rows.parquet")
    table = read_table(folder / "rows.parquet", "rows.parquet", folder)
    answers = Answers(score_kind="decision", cohorts=(HOSTILE, "platform"), features=("size",))
    scan = Scan(build_dataset([table], infer_mapping([table], answers).mapping), folder)
    return Diagnosis(scan, Settings.choose(scan.facts, baseline="v1", candidate="<i>v2</i>"))


def view_of(diagnosis: Diagnosis, outcome: Any = "error_rate", depth: int = 3) -> SlicesView:
    assert isinstance(diagnosis.tables, Scan)
    columns = diagnosis.slice_columns
    return SlicesView.of(diagnosis, search_slices(diagnosis.tables, diagnosis.slice_query(columns, outcome, depth)))


@pytest.fixture(scope="module")
def view(diagnosis: Diagnosis) -> SlicesView:
    return view_of(diagnosis)


def test_the_question_is_that_of_the_settings(diagnosis: Diagnosis) -> None:
    assert diagnosis.slice_columns == (HOSTILE, "platform", "size")
    within = diagnosis.with_settings(where=Filter(cohorts=(("platform", "ios"),)), margin_target=0.5)
    assert within.slice_columns == (HOSTILE, "size")
    query = within.slice_query(within.slice_columns, "violation_rate", 2)
    assert (query.version, query.baseline, query.margin_target, query.depth) == ("<i>v2</i>", "v1", 0.5, 2)
    # γ does not enter into what is wrong, which is then not searched again.
    assert within.slice_query(("size",), "error_rate", 2).margin_target == 1.0
    alone = diagnosis.with_settings(candidate="v1")
    assert alone.slice_query(("size",), "error_rate", 2).baseline == ""


@pytest.mark.parametrize("look", LOOKS, ids=str)
@pytest.mark.parametrize("outcome", ["error_rate", "average_logistic_loss"])
def test_the_figure_is_framed_and_names_are_harmless(diagnosis: Diagnosis, outcome: str, look: Look) -> None:
    found = view_of(diagnosis, outcome)
    figure = plot_slices(found, look, "source")
    confirmed, explored = figure.data[1], figure.data[0]
    factor = 100 if outcome == "error_rate" else 1
    assert list(confirmed.x) == pytest.approx([factor * each.excess.value for each in found.slices])
    assert list(explored.x) == pytest.approx([factor * each.explored.value for each in found.slices])
    assert list(confirmed.y) == sorted(confirmed.y, reverse=True)
    low, high = figure.layout.xaxis.range
    assert low < 0 < high
    for hostile in ("<b>%{x}</b>", "$amount$", "<i>v2</i>", "<script>"):
        assert hostile not in figure.to_json()
    assert figure.layout.meta["provenance"] == "source"


def test_sentences_say_what_was_found(view: SlicesView) -> None:
    found = view.slices[0]
    words = slice_words(found.conditions)
    assert words.startswith(f"{HOSTILE} = <script> and size ≥ ")
    assert abs(found.conditions[1].lower) < 0.05
    title = view.title()
    assert title.startswith(f"Where {words}, ")
    assert "of rows are errors" in title
    assert title.endswith(" in the rest of <i>v2</i>")
    assert "of all errors would be gone" in view.details(found)
    assert "In v1 it was" in view.details(found)
    assert "the change is +" in view.details(found)
    (note,) = view.notes()
    assert f"{view.found.search.n_tried} was tried on the other" in note
    assert len(view.frame()) == len(view.slices) == len(set(view.names())) == 1
    assert view.frame()["sentence"][0] == f"{view.sentence(found)}."
    assert "change_lower" in view.frame()


def test_a_loss_is_told_in_its_unit(diagnosis: Diagnosis) -> None:
    found = view_of(diagnosis, "average_logistic_loss")
    assert ", logistic loss averages " in found.title()
    assert "points" not in found.details(found.slices[0])


@pytest.mark.parametrize(
    ("outcome", "label", "words"),
    [("miss_rate", 1, "of positive rows are misses"), ("false_positive_rate", -1, "of negative rows are false alarms")],
)
def test_a_rate_of_one_class_is_of_its_rows_alone(diagnosis: Diagnosis, outcome: str, label: int, words: str) -> None:
    found = view_of(diagnosis, outcome)
    one, of_class = found.slices[0], words.split(" are")[0].removeprefix("of ")
    assert words in found.title()
    assert f"were looked at in one half of the {of_class} (n = " in found.notes()[0]
    query = query_of(found, one)
    assert query.label == label
    assert isinstance(diagnosis.tables, Scan)
    assert count_rows(diagnosis.tables, query) == one.n
    # The rest too, and all rows that were searched, are of the class.
    whole = replace(query, where=Filter(), numbers=())
    assert count_rows(diagnosis.tables, whole) == sum(found.found.search.n)
    wrong = diagnosis.versions["recall" if label > 0 else "false_positive_rate"]
    place = diagnosis.versions.groups["version"].tolist().index("<i>v2</i>")
    rate = wrong.value[place] if label < 0 else 1 - wrong.value[place]
    assert found.found.search.overall.value == pytest.approx(rate)


def test_nothing_found_is_a_sentence(diagnosis: Diagnosis) -> None:
    none = view_of(diagnosis.with_settings(candidate="v1"))
    assert none.title() == "No slice of up to three of 3 columns is worse than the rest of v1 beyond chance"
    assert not none.notes()[0].startswith("0 slices")
    figure = plot_slices(none, Look(), "source")
    assert figure.layout.meta["title"] == f"{none.title()}."
    assert none.frame().empty
    outside = view_of(diagnosis.with_settings(where=Filter(start=0, end=1, split="none")))
    assert outside.title() == "No row passes the filter"
    assert outside.notes() == []


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (Condition("language", "pt"), "language = pt"),
        (Condition("language", ""), "language is missing"),
        (Condition("size"), "size is missing"),
        (Condition("size", None, -np.inf, 2.5), "size < 2.5"),
        (Condition("size", None, 2.5, np.inf), "size ≥ 2.5"),
        (Condition("size", None, -1.0, 2.5), "−1 ≤ size < 2.5"),
        (Condition("size", None, 1.00001, 1.00002), "1.00001 ≤ size < 1.00002"),
        (Condition("size", None, 12_345.6, np.inf), "size ≥ 12,346"),
        (Condition("size", None, -3.0, -3.0), "size = −3"),
        (Condition("size", None, -np.inf, np.inf), "size is not missing"),
    ],
)
def test_conditions_in_words(condition: Condition, words: str) -> None:
    assert condition_words(condition) == words
    assert "<" not in condition_words(condition, escape)


def test_rows_of_a_slice_and_its_link(diagnosis: Diagnosis, view: SlicesView) -> None:
    found = view.slices[0]
    query = query_of(view, found)
    assert query.where.cohorts == ((HOSTILE, "<script>"),)
    assert query.numbers == found.conditions[1:]
    assert isinstance(diagnosis.tables, Scan)
    assert count_rows(diagnosis.tables, query) == found.n
    assert part_of(found) is None

    class OfTexts:
        conditions = (Condition("language", ""),)

    class OfTwo:
        conditions = (Condition("language", "pt"), Condition("platform", "ios"))

    one: Any = OfTexts
    two: Any = OfTwo
    assert part_of(one) == Part("language", "")
    assert part_of(two) == Part("language", "pt", (("platform", "ios"),))
    where = Filter(split="test", start=5, cohorts=(("a", "b"),))
    pairs = (("a", "b"), ("language", "pt"), ("platform", "ios"))
    narrowed = replace(view, where=where)
    assert query_of(narrowed, two).where == Filter(pairs, "test", 5, None)


def test_rows_of_a_slice_say_where_they_come_from(view: SlicesView) -> None:
    words = query_words(query_of(view, view.slices[0]))
    assert any("size ≥ " in each for each in words)
    assert not any("<" in each for each in words)
