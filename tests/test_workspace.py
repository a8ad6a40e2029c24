"""Open datasets: found by token only, bounded, and gone with their files."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from lib.errors import LimitError
from lib.scan.held import HeldTables
from lib.sources.embeddings import EmbeddingSet
from lib.sources.training import read_history
from lib.workspace import (
    KEPT_SECONDS,
    MAX_DRAFTS,
    MAX_OPEN,
    SAMPLES,
    SAMPLES_FOLDER,
    TRAINING_SAMPLE,
    VECTOR_SAMPLES,
    Workspace,
)
from lib.workspace import workspace as workspace_module

TABLES = cast(HeldTables, object())
VECTORS = cast(EmbeddingSet, object())


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def space(tmp_path: Path, clock: Clock) -> Workspace:
    return Workspace(tmp_path / "open", clock=clock)


def test_a_dataset_is_found_by_its_token_and_by_nothing_else(space: Workspace, tmp_path: Path) -> None:
    folder = space.new_folder()
    assert folder.stat().st_mode & 0o077 == 0
    assert (tmp_path / "open").stat().st_mode & 0o077 == 0
    opened = space.add("rows.csv", TABLES, folder)
    assert len(opened.token) >= 22
    assert space.get(opened.token) is opened
    assert space.get("rows.csv") is None
    assert space.add("rows.csv", TABLES, space.new_folder()).token != opened.token


def test_closing_removes_the_files(space: Workspace) -> None:
    folder = space.new_folder()
    (folder / "rows.parquet").write_bytes(b"x")
    opened = space.add("rows.csv", TABLES, folder)
    space.close(opened.token)
    assert space.get(opened.token) is None
    assert not folder.exists()
    space.close(opened.token)


def test_what_nobody_looks_at_goes_and_what_is_looked_at_stays(space: Workspace, clock: Clock) -> None:
    folder = space.new_folder()
    first, second = space.add("a", TABLES, folder), space.add("b", TABLES, None)
    clock.now = KEPT_SECONDS * 0.9
    assert space.get(second.token) is second
    clock.now = KEPT_SECONDS * 1.1
    space.drop_unused()
    assert space.get(first.token) is None
    assert not folder.exists()
    assert space.get(second.token) is second


def test_there_is_a_bound_with_a_sentence(space: Workspace) -> None:
    for index in range(MAX_OPEN):
        space.add(f"d{index}", TABLES, None)
    with pytest.raises(LimitError, match=f"keeps {MAX_OPEN} datasets open"):
        space.add("one more", TABLES, None)


def test_a_replaced_dataset_keeps_its_link(space: Workspace) -> None:
    opened = space.add("a", TABLES, None)
    other = cast(HeldTables, object())
    assert space.replace(opened.token, other, "draft") is space.get(opened.token)
    renewed = space.get(opened.token)
    assert renewed is not None
    assert renewed.tables is other
    assert space.replace("no such token", other, None) is None


def test_a_draft_is_found_by_its_token_and_the_dataset_that_is_made_of_it_keeps_it(space: Workspace) -> None:
    folder = space.new_folder()
    held = space.hold("a.csv", "what was read", folder)
    assert space.draft(held.token) is held
    assert space.get(held.token) is None
    opened = space.add("a", TABLES, folder, held.token)
    assert opened.token == held.token
    assert space.draft(held.token) is None
    assert folder.exists()


def test_a_draft_is_bounded_dropped_and_removed_like_a_dataset(space: Workspace, clock: Clock) -> None:
    held = space.hold("a.csv", "what was read", space.new_folder())
    again = space.hold("a.csv", "read otherwise", None, "the dataset that it was")
    assert (held.replaces, again.replaces) == ("", "the dataset that it was")
    space.close(again.token)
    assert space.draft(again.token) is None
    clock.now = 1.0
    others = [space.hold(f"d{index}", "what was read", space.new_folder()) for index in range(MAX_DRAFTS)]
    assert space.draft(held.token) is None
    assert held.folder is not None
    assert not held.folder.exists()
    clock.now = KEPT_SECONDS * 1.1
    space.drop_unused()
    assert [each for each in others if space.draft(each.token) is not None] == []
    assert not any(each.folder is not None and each.folder.exists() for each in others)


def test_vectors_are_open_beside_datasets_and_closed_like_them(space: Workspace, clock: Clock) -> None:
    folder = space.new_folder()
    opened = space.add_embeddings("vectors.npz", VECTORS, folder, "its files")
    dataset = space.add("rows.csv", TABLES, None)
    assert space.embeddings(opened.token) is opened
    assert space.get(opened.token) is None, "a token is of one kind"
    assert space.embeddings(dataset.token) is None
    other = cast(EmbeddingSet, object())
    assert space.replace_embeddings(dataset.token, other, None) is None
    renewed = space.replace_embeddings(opened.token, other, "read otherwise")
    assert renewed is space.embeddings(opened.token)
    assert renewed is not None
    assert (renewed.embeddings, renewed.draft, renewed.folder) == (other, "read otherwise", folder)
    clock.now = KEPT_SECONDS * 1.1
    space.drop_unused()
    assert space.embeddings(opened.token) is None
    assert not folder.exists()


def test_vectors_count_among_what_is_open(space: Workspace) -> None:
    for index in range(MAX_OPEN):
        space.add_embeddings(f"d{index}", VECTORS, space.new_folder(), None)
    with pytest.raises(LimitError, match=f"keeps {MAX_OPEN} datasets open"):
        space.add("one more", TABLES, None)


def test_every_sample_is_there() -> None:
    for sample in VECTOR_SAMPLES:
        for name in (*sample.vectors, sample.metadata):
            assert (SAMPLES_FOLDER / name).is_file()
    for sample in SAMPLES:
        assert (SAMPLES_FOLDER / sample.file).is_file()


def test_histories_are_kept_by_token_bounded_and_dropped(tmp_path, monkeypatch):
    now = [0.0]
    space = Workspace(tmp_path / "space", clock=lambda: now[0])
    history = read_history(SAMPLES_FOLDER / TRAINING_SAMPLE.file, TRAINING_SAMPLE.file)
    assert history is not None
    token = space.keep(history)
    assert space.history(token) is history
    assert space.keep(history, TRAINING_SAMPLE.token) == TRAINING_SAMPLE.token
    assert space.keep(history, TRAINING_SAMPLE.token) == TRAINING_SAMPLE.token
    monkeypatch.setattr(workspace_module, "MOST_HISTORY_VALUES", 3 * history.n_values - 1)
    with pytest.raises(LimitError, match="no room for training_curves"):
        space.keep(history)
    space.close(token)
    assert space.history(token) is None
    now[0] = KEPT_SECONDS + 1
    space.drop_unused()
    assert space.history(TRAINING_SAMPLE.token) is None
