"""Predictions on a map: margins, losses, violations, flips by hand and as a diagnosis has them; coverage; a cohort."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lib.diagnose import Diagnosis, Settings
from lib.embeddings import EmbeddingDiagnosis, EmbeddingSettings
from lib.embeddings.predictions import (
    FLIP,
    HINGE,
    LOGISTIC,
    MARGIN,
    MEASURES,
    VIOLATION,
    Predicted,
    held_predictions,
    is_violation,
    read_predictions,
    say_why_no_cohort,
    say_why_not,
    split_ids,
)
from lib.embeddings.projection import number_rows
from lib.figures.map_predictions import joined_words, predicted_provenance, unmatched_words
from lib.metrics.comparison import Flips
from lib.scan import Scan
from lib.sources import Answers, build_dataset, infer_mapping, read_table
from lib.sources.embeddings import read_embeddings
from lib.sources.inputs import Input
from sample_data.make import make_digits_hinge

VectorsOf = Callable[..., EmbeddingDiagnosis]
"""Of the ids of each version."""


@pytest.fixture
def vectors_of(tmp_path: Path) -> VectorsOf:
    def make(has_ids: bool = True, **ids: list[object]) -> EmbeddingDiagnosis:
        inputs: list[Input] = []
        for seed, (name, held) in enumerate(ids.items()):
            matrix = np.random.default_rng(seed).normal(size=(len(held), 4)).astype(np.float32)
            arrays = {"vectors": matrix} | ({"ids": np.array([str(each) for each in held])} if has_ids else {})
            np.savez(tmp_path / f"{name}.npz", **arrays)  # type: ignore[arg-type]
            inputs.append(Input(tmp_path / f"{name}.npz", f"{name}.npz"))
        found = read_embeddings(inputs, tmp_path / "vectors")
        return EmbeddingDiagnosis(found, EmbeddingSettings.choose(found), tmp_path)

    return make


@pytest.fixture
def scan_of(tmp_path: Path) -> Callable[[pd.DataFrame], Scan]:
    def make(frame: pd.DataFrame) -> Scan:
        path = tmp_path / "predictions.csv"
        frame.to_csv(path, index=False)
        table = read_table(path, path.name, tmp_path)
        return Scan(build_dataset([table], infer_mapping([table], Answers(score_kind="decision")).mapping), tmp_path)

    return make


def by_hand() -> pd.DataFrame:
    """Margins of old: 2, 0, −0.5, −3; of new: 1, −1, 0.25 and none, d being without a label there."""
    return pd.DataFrame(
        {
            "id": [*"abcd", *"abcd"],
            "version": ["old"] * 4 + ["new"] * 4,
            "y_true": [1, -1, 1, -1, 1, -1, 1, None],
            "decision_score": [2.0, 0.0, -0.5, 3.0, 1.0, 1.0, 0.25, 9.0],
        }
    )


@pytest.fixture
def joined(vectors_of: VectorsOf, scan_of: Callable[[pd.DataFrame], Scan]) -> Predicted:
    """Versions old and image, the second without a namesake; z has no prediction."""
    return read_predictions(vectors_of(old=[*"dcba"], image=[*"abcdz"]), scan_of(by_hand()), ("old", "new"))


def test_a_version_has_the_predictions_of_its_namesake_else_of_the_candidate(joined: Predicted) -> None:
    assert joined.of == {"old": "old", "image": "new"}
    assert joined.measures == MEASURES
    found = joined.values(MARGIN, 1.0)
    assert found["old"].tolist() == [-3, -0.5, 0, 2]
    assert found["image"] == pytest.approx([1, -1, 0.25, np.nan, np.nan], nan_ok=True)
    assert [joined.n_joined(MARGIN, version) for version in joined.of] == [4, 4]
    assert [joined.n_undefined(MARGIN, version) for version in joined.of] == [0, 1]


def test_losses_and_violations_are_those_of_the_margin(joined: Predicted) -> None:
    assert joined.values(HINGE, 0.5)["old"].tolist() == [3.5, 1, 0.5, 0]
    assert joined.values(LOGISTIC, 0.5)["old"] == pytest.approx(np.log1p(np.exp([3, 0.5, 0, -2])))
    assert joined.values(VIOLATION, 1.0)["image"].tolist() == ["no violation", "violation", "violation", None, None]
    assert joined.values(VIOLATION, 1.02)["image"].tolist() == ["violation", "violation", "violation", None, None]


def test_flips_are_of_the_two_versions_of_the_predictions_on_every_map(joined: Predicted) -> None:
    found = joined.values(FLIP, 1.0)
    # b: a negative row with a score of 0 is right before, and wrong after; d has no label after.
    assert found["image"].tolist() == ["right in both", "broken", "fixed", None, None]
    assert found["old"].tolist() == [None, "fixed", "broken", "right in both"]


@pytest.mark.parametrize("margin_target", [0.3, 0.58, 1.0, 0.777])
def test_violations_are_those_that_cells_count(margin_target: float) -> None:
    margins = np.array([0.1 + 0.2, 0.58, 0.29 * 2, 1 - 1e-12, 1.0, 0.777, -5.0, np.nan])
    expected = {0.3: [6], 0.58: [0, 6], 1.0: [0, 1, 2, 5, 6], 0.777: [0, 1, 2, 6]}[margin_target]
    assert np.flatnonzero(is_violation(margins, margin_target)).tolist() == expected


def test_the_numbers_are_those_of_the_diagnosis(vectors_of: VectorsOf, scan_of: Callable[..., Scan]) -> None:
    frame = make_digits_hinge()
    scan = scan_of(frame)
    settings = Settings.choose(scan.facts, margin_target=0.7)
    joined = read_predictions(vectors_of(image=list(frame.id.unique())), scan, (settings.baseline, settings.candidate))
    diagnosis = Diagnosis(scan, settings)
    summary = diagnosis.versions
    place = summary.groups["version"].tolist().index(settings.candidate)
    hinge, logistic = (joined.values(name, 0.7)["image"] for name in (HINGE, LOGISTIC))
    assert hinge.mean() == pytest.approx(summary["average_hinge_loss"][place].value)
    assert logistic.mean() == pytest.approx(summary["average_logistic_loss"][place].value)
    violations = (joined.values(VIOLATION, 0.7)["image"] == "violation").mean()
    assert violations == pytest.approx(summary["violation_rate"][place].value)
    pairs = diagnosis.pairs
    assert pairs is not None
    assert pairs.cells is not None
    flips, found = Flips.of(pairs.cells), pd.Series(joined.values(FLIP, 0.7)["image"]).value_counts()
    assert (found["fixed"], found["broken"], found.sum()) == (flips.fixed, flips.broken, flips.n_labelled)
    assert min(flips.fixed, flips.broken) > 0


def test_it_is_read_once_and_of_other_versions_again(vectors_of: VectorsOf, scan_of: Callable[..., Scan]) -> None:
    diagnosis, scan = vectors_of(image=[*"abcd"]), scan_of(by_hand())
    assert held_predictions(diagnosis, scan, ("old", "new")) is None
    made = read_predictions(diagnosis, scan, ("old", "new"))
    assert held_predictions(diagnosis, scan, ("old", "new")) is made
    assert held_predictions(diagnosis, scan, ("old", "old")) is None
    alone = read_predictions(diagnosis, scan, ("old", "old"))
    assert alone.of == {"image": "old"}
    assert alone.measures == MEASURES[:-1]


def test_what_repeats_or_is_not_there_is_told(vectors_of: VectorsOf, scan_of: Callable[..., Scan]) -> None:
    frame = pd.concat([by_hand(), by_hand()[4:6].assign(decision_score=-7.0)])
    diagnosis = vectors_of(image=["a", "b", "b", "c", "x"])
    joined = read_predictions(diagnosis, scan_of(frame), ("old", "new"))
    assert joined.values(MARGIN, 1.0)["image"] == pytest.approx([1, np.nan, np.nan, 0.25, np.nan], nan_ok=True)
    assert joined_words(diagnosis, joined, MARGIN, ("image",), "p.csv") == [
        "The map is coloured by the predictions of new in p.csv: 2 of 5 rows have one.",
        "1 id has several predictions of new: without times the first in the file counts.",
        "2 rows of image cannot be joined: no id, or that of another row too.",
    ]


def test_two_maps_are_told_apart_where_their_predictions_differ(
    vectors_of: VectorsOf, scan_of: Callable[..., Scan]
) -> None:
    diagnosis = vectors_of(old=[*"abcd"], new=[*"abcd"])
    joined = read_predictions(diagnosis, scan_of(by_hand()), ("old", "new"))
    versions = diagnosis.settings.versions
    facts = scan_of(by_hand()).facts
    told = predicted_provenance(facts, joined, VIOLATION, versions, 0.5)
    assert told == f"predictions: violation, γ = 0.5, of old and new in predictions.csv (key {facts.key[:10]})"
    assert joined_words(diagnosis, joined, MARGIN, versions, "p.csv") == [
        "old is coloured by the predictions of old in p.csv: 4 of 4 rows have one.",
        "new is coloured by the predictions of new in p.csv: 4 of 4 rows have one, 1 of them without a label or a "
        "score.",
    ]
    assert joined_words(diagnosis, joined, FLIP, versions, "p.csv") == [
        "Both maps are coloured by what became of each row from old to new in p.csv: 4 of 4 rows have predictions of "
        "both, 1 of them without a label or a score."
    ]


def test_what_only_another_version_has_is_joined_and_colours_nothing(
    vectors_of: VectorsOf, scan_of: Callable[..., Scan]
) -> None:
    diagnosis, frame = vectors_of(image=["a", "b"]), by_hand()
    joined = read_predictions(
        diagnosis, scan_of(frame[~frame.id.isin(["a", "b"]) | (frame.version == "old")]), ("old", "new")
    )
    assert joined.n_found == 2
    assert np.isnan(joined.values(MARGIN, 1.0)["image"]).all()
    assert say_why_no_cohort(joined, number_rows(diagnosis), np.array([0])) == ""


def test_ids_that_only_look_alike_do_not_match_and_both_are_shown(
    vectors_of: VectorsOf, scan_of: Callable[..., Scan]
) -> None:
    diagnosis = vectors_of(image=["007", "008", "009", "010"])
    scan = scan_of(by_hand().assign(id=[7, 8, 9, 10] * 2))
    joined = read_predictions(diagnosis, scan, ("old", "new"))
    assert joined.n_found == 0
    assert joined.measures == ()
    said = unmatched_words(diagnosis, scan, joined, "p.csv")
    assert said.startswith("No vector has the id of a row of new or old in p.csv, so the map cannot")
    assert "ids of the vectors are such as 007 and 008, those of the predictions such as 7 and 8" in said


def test_without_ids_on_either_side_it_is_said_why(vectors_of: VectorsOf, scan_of: Callable[..., Scan]) -> None:
    named, scan = vectors_of(image=[*"abcd"]), scan_of(by_hand())
    assert say_why_not(named, scan) == ""
    assert "These vectors have no id column" in say_why_not(vectors_of(has_ids=False, plain=[*"abcd"]), scan)
    assert "The predictions have no id column" in say_why_not(named, scan_of(by_hand().drop(columns="id")))
    assert "Only saved cells" in say_why_not(named, object())


def test_without_labels_there_is_nothing_to_colour_by(vectors_of: VectorsOf, scan_of: Callable[..., Scan]) -> None:
    joined = read_predictions(vectors_of(image=[*"abcd"]), scan_of(by_hand().drop(columns="y_true")), ("old", "new"))
    assert joined.n_found == 4
    assert joined.measures == ()


def test_a_selection_is_split_by_its_ids(vectors_of: VectorsOf) -> None:
    diagnosis = vectors_of(old=[*"abcd"], new=["c", "e", "a", "f", "f"])
    numbering = number_rows(diagnosis)
    chosen = np.unique(numbering.rows["new"][[0, 1]])
    selected, others = split_ids(diagnosis, numbering, chosen)
    assert selected.tolist() == ["c", "e"]
    assert others.tolist() == ["a", "b", "d"]


def test_a_cohort_needs_predictions_inside_and_outside(vectors_of: VectorsOf, scan_of: Callable[..., Scan]) -> None:
    diagnosis = vectors_of(image=["a", "b", "c", "x", "y"])
    joined, numbering = read_predictions(diagnosis, scan_of(by_hand()), ("old", "new")), number_rows(diagnosis)
    assert say_why_no_cohort(joined, numbering, np.array([0, 3])) == ""
    assert "None of these rows has a prediction" in say_why_no_cohort(joined, numbering, np.array([3, 4]))
    assert "there are no others" in say_why_no_cohort(joined, numbering, np.array([0, 1, 2, 3]))
