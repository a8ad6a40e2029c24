"""Figures of vectors: framed at every width, titles that say what the numbers do, names from data harmless."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from lib.embeddings import EmbeddingDiagnosis, EmbeddingSettings
from lib.embeddings.listings import list_aligned, list_groups, list_outliers, list_pairs
from lib.embeddings.measures import (
    paired_rows,
    read_dimensions,
    read_drift,
    read_duplicates,
    read_geometry,
    read_leakage,
    read_outliers,
    read_triplets,
)
from lib.figures.dimensions import plot_dimensions
from lib.figures.dimensions_view import DimensionsView
from lib.figures.drift import plot_cohorts, plot_ks, plot_residuals
from lib.figures.drift_view import ANOTHER, PAIRS, SAMPLES, STALE, DriftView, residual_groups
from lib.figures.geometry import plot_norms, plot_spectrum
from lib.figures.geometry_view import GeometryView
from lib.figures.leakage import plot_groups
from lib.figures.leakage_view import LeakageView
from lib.figures.map_view import map_provenance
from lib.figures.near_duplicates_view import DuplicatesView, group_rows
from lib.figures.theme import Look
from lib.figures.triplets import plot_pairs, plot_triplet_margins
from lib.figures.triplets_view import MarginRange, TripletsView
from lib.metrics.drift import Measure
from lib.sources.embeddings import EmbeddingAnswers, read_embeddings
from lib.sources.inputs import Input
from lib.vectors import Distance

LOOKS = [Look(), Look(dark=True, width=1200), Look(wraps_at=360)]
HOSTILE = "<b>%{x}</b> $x$"
N, D = 600, 16


def diagnose(folder: Path, after: np.ndarray, before: np.ndarray, labels: np.ndarray) -> EmbeddingDiagnosis:
    folder.mkdir(exist_ok=True)
    np.save(folder / "old.npy", before.astype(np.float32))
    np.save(folder / "new.npy", after.astype(np.float32))
    pd.DataFrame(
        {
            "id": [f"r{row}" for row in range(N)],
            "label": [f"{HOSTILE} {each}" for each in labels],
            "split": np.where(np.arange(N) % 3 == 0, "test", "train"),
            "plan": np.where(labels < 2, HOSTILE, "paid"),
            "gender": np.where(before[:, 0] > 0, HOSTILE, "m"),
        }
    ).to_csv(folder / "meta.csv", index=False)
    names = ("old.npy", "new.npy", "meta.csv")
    answers = EmbeddingAnswers(cohorts=("plan",), sensitive=("gender",))
    given = read_embeddings([Input(folder / name, name) for name in names], folder / "store", answers)
    return EmbeddingDiagnosis(given, EmbeddingSettings.choose(given, distance=Distance.EUCLIDEAN), folder)


@pytest.fixture(scope="module")
def clouds() -> tuple[np.ndarray, np.ndarray]:
    """Vectors about one of four places, the last two of them the same but for rounding, and their places."""
    rng = np.random.default_rng(0)
    labels = np.arange(N) % 4
    vectors = rng.normal(size=(N, D)) * np.r_[np.full(8, 1.0), np.full(D - 8, 0.1)] + 3 * np.eye(D)[labels]
    vectors[-1] = vectors[-2]
    return vectors, labels


@pytest.fixture(scope="module")
def mixed(clouds: tuple[np.ndarray, np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> EmbeddingDiagnosis:
    """A candidate that is turned, but for 60 stale rows and 120 of another model."""
    vectors, labels = clouds
    rng = np.random.default_rng(1)
    turn, other = (np.linalg.qr(rng.normal(size=(D, D)))[0] for _ in range(2))
    after = vectors @ turn
    after[:60] = vectors[:60]
    after[60:180] = vectors[60:180] @ other
    return diagnose(tmp_path_factory.mktemp("mixed"), after, vectors, labels)


def every_figure(diagnosis: EmbeddingDiagnosis, look: Look) -> Iterator[go.Figure]:
    versions, provenance = diagnosis.settings.versions, map_provenance(diagnosis)
    geometry = GeometryView.of(diagnosis, {each: read_geometry(diagnosis, each) for each in versions})
    yield plot_norms(geometry, look, provenance)[0]
    yield plot_spectrum(geometry, look, provenance)
    drawn = {each: read_triplets(diagnosis, each) for each in versions}
    triplets = TripletsView.of(diagnosis, {each: found for each, found in drawn.items() if found is not None}, 0.5)
    yield plot_pairs(triplets, look, provenance)[0]
    yield plot_triplet_margins(triplets, look, provenance)[0]
    drift = DriftView.of(diagnosis, read_drift(diagnosis))
    assert drift.found.alignment is not None
    yield plot_residuals(drift.found.alignment, look, provenance)[0]
    for compared in (SAMPLES, PAIRS):
        yield plot_ks(drift, compared, look, provenance)
    for measure in Measure:
        yield plot_cohorts(drift, "plan", measure, look, provenance)
    leakage = LeakageView.of(diagnosis, {each: read_leakage(diagnosis, each) for each in versions})
    yield plot_groups(leakage, "gender", look, provenance)
    curves = {each: read_dimensions(diagnosis, each) for each in versions}
    known = {each: found for each, found in curves.items() if found is not None}
    yield plot_dimensions(DimensionsView.of(diagnosis, known, 0.1), look, provenance)


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_every_figure_is_framed_and_names_are_harmless(mixed: EmbeddingDiagnosis, look: Look) -> None:
    count = 0
    for figure in every_figure(mixed, look):
        said = str(figure.to_json())
        layout: Any = figure.layout
        assert layout.meta["title"]
        assert "old.npy" in layout.meta["provenance"]
        assert "<b>%{x}" not in said
        assert "$x$" not in said
        count += 1
    assert count == 13


def test_stale_rows_and_those_of_another_model_are_told_apart(mixed: EmbeddingDiagnosis) -> None:
    view = DriftView.of(mixed, read_drift(mixed))
    aligned = view.found.alignment
    assert aligned is not None
    groups = residual_groups(aligned)
    assert {name: len(each) for name, each in groups.items()} == {"moved": 420, ANOTHER: 120, STALE: 60}
    assert "10.0\xa0% of the vectors are those of old, unchanged" in view.answer()
    assert "20.0\xa0% do not fit" in view.answer()
    table = list_aligned(mixed, "new", aligned, paired_rows(mixed)[1])
    assert set(table.loc[table["is_unchanged"], "id"]) == {f"r{row}" for row in range(60)}
    assert table["residual"].is_monotonic_decreasing


def test_what_did_not_move_is_said_not_to_have(
    clouds: tuple[np.ndarray, np.ndarray], tmp_path_factory: pytest.TempPathFactory
) -> None:
    vectors, labels = clouds
    # Equal but for rounding: the very same file would be refused.
    found = diagnose(tmp_path_factory.mktemp("same"), vectors * (1 + 3e-7), vectors, labels)
    view = DriftView.of(found, read_drift(found))
    assert view.answer() == "Nothing moved: the vectors of all 600 ids that are in both are the same in new as in old."
    assert "0 of 16 dimensions moved" in view.ks_title(PAIRS)


def test_lengths_alone_are_no_rotation_of_directions(
    clouds: tuple[np.ndarray, np.ndarray], tmp_path_factory: pytest.TempPathFactory
) -> None:
    vectors, labels = clouds
    made = diagnose(tmp_path_factory.mktemp("longer"), 3 * vectors, vectors, labels)
    found = EmbeddingDiagnosis(made.embeddings, EmbeddingSettings.choose(made.embeddings), made.folder)
    said = DriftView.of(found, read_drift(found)).answer()
    assert said == "Nothing moved but by length or rounding: all 600 ids that are in both lie in new as in old."


def test_ids_that_moved_within_one_distribution_are_said_to_row_by_row(
    clouds: tuple[np.ndarray, np.ndarray], tmp_path_factory: pytest.TempPathFactory
) -> None:
    vectors, labels = clouds
    dealt = np.random.default_rng(2).permutation(N)
    found = diagnose(tmp_path_factory.mktemp("shuffled"), vectors[dealt], vectors, labels)
    said = DriftView.of(found, read_drift(found)).answer()
    assert "as a whole nothing moved beyond chance" in said
    assert "Row by row: after turning one version onto the other, ids are still" in said


def test_dimensions_and_lengths_are_counted(mixed: EmbeddingDiagnosis) -> None:
    view = GeometryView.of(mixed, {each: read_geometry(mixed, each) for each in mixed.settings.versions})
    frame = view.frame().set_index(["version", "measure"])["value"]
    values = np.linalg.eigvalsh(np.cov(mixed.vectors("old").matrix.T.astype(float)))
    assert frame["old", "participation_ratio"] == pytest.approx(values.sum() ** 2 / (values**2).sum(), rel=1e-4)
    share = np.cumsum(np.sort(values)[::-1]) / values.sum()
    assert frame["old", "axes_for_90_per_cent"] == int(np.argmax(share >= 0.9)) + 1
    assert view.sizes("old")[3][0] == str(int(np.argmax(share >= 0.9)) + 1)
    assert f"{frame['new', 'participation_ratio']:.1f} of its 16 dimensions" in view.answer()


def test_duplicates_and_lonely_rows_are_listed_by_id(mixed: EmbeddingDiagnosis) -> None:
    found = read_duplicates(mixed, "old")
    view = DuplicatesView({"old": found}, "Equal")
    assert view.sentence() == "Equal: 1 pair in old."
    groups = list_groups(mixed, "old", found)
    assert groups["id"].tolist() == ["r598", "r599"]
    assert group_rows(groups, 5)[0][:3] == ["1", "2", "r598, r599"]
    pairs = list_pairs(mixed, "old", found)
    assert (pairs.loc[0, "id_1"], pairs.loc[0, "id_2"], pairs.loc[0, "distance"]) == ("r598", "r599", 0)
    lonely = list_outliers(mixed, "old", read_outliers(mixed, "old"), 10)
    assert len(lonely) == 10
    assert lonely["outlier_score"].is_monotonic_decreasing


def test_margins_of_distances_without_a_unit_are_in_the_unit_of_the_data(mixed: EmbeddingDiagnosis) -> None:
    found = read_triplets(mixed, "old")
    assert found is not None
    margins = MarginRange.of({"old": found}, Distance.EUCLIDEAN)
    assert margins.low == margins.step
    assert 20 <= round(margins.high / margins.step) <= 200
    assert margins.high >= found[0].medians[1] > margins.high - margins.step
    assert margins.usual == pytest.approx(found[0].medians[1] / 5, abs=margins.step)
