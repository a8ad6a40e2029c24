"""The table of odd files, down the command line's path and down that of an upload: a sentence, or the right numbers."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lib.__main__ import main
from lib.errors import DataError, MarginaliaError
from lib.schema import SPLIT, VERSION
from lib.sources import Answers, Run
from lib.ui import datasets
from lib.ui.datasets import Draft, answer, open_draft, read_files
from lib.ui.upload_tokens import Place
from lib.ui.uploads import Upload, UploadStore
from lib.workspace import HeldDraft, OpenDataset, Workspace
from tests.sources.odd_files import ODD_FILES, N, OddFile, parquet, table, text

PLACE = Place("session", "files")
odd_files = pytest.mark.parametrize("odd", [pytest.param(each, id=each.what) for each in ODD_FILES])


def check_sentence(sentence: str, odd: OddFile) -> None:
    """One sentence that says the words, and nothing of the program's own."""
    for words in odd.said:
        assert words in sentence
    for foreign in ("Traceback", "has a fault", "Error:", "read_csv", "\n\n"):
        assert foreign not in sentence
    assert len(sentence) < 700


@odd_files
def test_on_the_command_line(odd: OddFile, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / odd.name
    path.write_bytes(odd.build())
    options = [f"--{name.replace('_', '-')}={value}" for name, value in odd.options.items()]
    status = main(["check", str(path), "--format", "json", *options])
    out, err = capfd.readouterr()
    if odd.said:
        assert (status, out) == (2, "")
        assert len(err.splitlines()) == 1
        check_sentence(err, odd)
        return
    assert err == ""
    assert status in (0, 1)
    document = json.loads(out)
    assert document["settings"]["n_rows"] == odd.rows
    assert document["settings"]["n_rejected"] == odd.problems
    assert document["settings"]["n_clipped"] == odd.clipped
    (described,) = document["inputs"]
    assert described["name"] == odd.name
    assert described["rows"] == odd.rows + sum(n for code, n in odd.problems.items() if code != "time-unreadable")
    for words in odd.notes:
        assert any(words in note for note in described["notes"])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[UploadStore, Workspace, OpenDataset]]:
    """A store of uploads and a workspace in which a dataset is open."""
    root = tmp_path_factory.mktemp("server")
    (root / "uploads").mkdir()
    store, space = UploadStore(root / "uploads"), Workspace(root / "datasets")
    patch = pytest.MonkeyPatch()
    patch.setattr(datasets, "workspace", lambda: space)
    held = read_files([upload(store, "first.csv", text(["1.5", "-2"] * 20).encode())], Run(), quiet, {})
    assert isinstance(held, OpenDataset)
    yield store, space, held
    patch.undo()
    store.close()


def upload(store: UploadStore, name: str, content: bytes) -> Upload:
    partial = store.begin(PLACE, name, len(content))
    partial.write(content)
    return partial.commit(accepted=True)


def quiet(_share: float, _words: str) -> None:
    """Progress that nobody looks at."""


@odd_files
def test_as_an_upload(odd: OddFile, place: tuple[UploadStore, Workspace, OpenDataset]) -> None:
    store, space, first = place
    folders = sorted((store.root.parent / "datasets").iterdir())
    kept = upload(store, odd.name, odd.build())
    sentence, opened = "", None
    try:
        opened = read_files([kept], Run(), quiet, {})
        if isinstance(opened, HeldDraft):
            assert isinstance(opened.content, Draft)
            if odd.options:
                opened.content = answer(opened.content, Answers(**odd.options))  # type: ignore[arg-type]
                opened = open_draft(opened.content, Run(), quiet, opened)
            else:
                sentence = " ".join(question.sentence for question in opened.content.inference.questions)
    except MarginaliaError as error:
        sentence = str(error)
    if odd.said:
        assert sentence
        check_sentence(sentence, odd)
    else:
        assert sentence == ""
        assert isinstance(opened, OpenDataset)
        facts = opened.tables.facts
        assert (facts.n_rows, facts.problems, facts.n_clipped) == (odd.rows, odd.problems, odd.clipped)
        cells = opened.tables.cells((VERSION, SPLIT))
        assert cells.scored.n[:, 2].sum() + cells.unscored.n[:, 2].sum() == odd.positives
        np.testing.assert_allclose(cells.scored.values[..., 1].sum(), odd.total, rtol=1e-12, atol=1e-9)
    if opened is not None:
        space.close(opened.token)
    # What was loaded is as it was, and nothing else is left.
    assert space.get(first.token) is first
    assert first.tables.facts.n_rows == N
    assert sorted((store.root.parent / "datasets").iterdir()) == folders


@pytest.mark.parametrize("as_parquet", [False, True])
def test_a_file_that_changes_while_it_is_read(
    as_parquet: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "live.csv"
    content = parquet(table()) if as_parquet else text().encode()
    path.write_bytes(content)
    begun = threading.Event()
    from lib.sources import tables

    profile = tables.compute_profiles

    def compute_and_change(*arguments: object) -> object:
        found = profile(*arguments)  # type: ignore[arg-type]
        if not begun.is_set():
            begun.set()
            path.write_bytes(content + b"1,2\n")
        return found

    monkeypatch.setattr(tables, "compute_profiles", compute_and_change)
    with pytest.raises(DataError, match=r"live\.csv changed while it was read\. Read it again"):
        tables.read_table(path, "live.csv", tmp_path / "store")
    assert list((tmp_path / "store").iterdir()) == []
    begun.clear()
    path.write_bytes(content)
    assert main(["check", str(path)]) == 2
    assert "live.csv changed while it was read" in capfd.readouterr().err


def test_a_parquet_file_that_changes_while_its_rows_are_summarised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from lib.scan import Scan

    path = tmp_path / "live.parquet"
    path.write_bytes(parquet(table()))
    warm = Scan.warm

    def warm_and_change(self: Scan, **options: object) -> None:
        warm(self, **options)  # type: ignore[arg-type]
        path.write_bytes(parquet(table().slice(3)))

    monkeypatch.setattr(Scan, "warm", warm_and_change)
    assert main(["check", str(path)]) == 2
    assert "live.parquet changed while it was read" in capfd.readouterr().err
