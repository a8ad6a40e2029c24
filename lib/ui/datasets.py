"""The datasets of a session: files to tables, tables and answers to an open dataset, samples on demand."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import streamlit as st

from lib.errors import MisreadError, SettingsError
from lib.scan import Scan, is_saved_cells, merge_cells, read_cells
from lib.schema import Role
from lib.sources import Answers, Inference, RawTable, Run, build_dataset, compute_shape, infer_mapping, read_table
from lib.ui.jobs import Progress
from lib.ui.upload_folder import upload_store
from lib.ui.uploads import Upload
from lib.workspace import SAMPLES, SAMPLES_FOLDER, HeldDraft, OpenDataset, Sample, Workspace

READ_SHARE, PREPARED_SHARE = 0.5, 0.75
_begin: dict[str, str] = {}


@dataclass(frozen=True)
class Draft:
    """Files that were read, and what their columns are taken to mean so far."""

    tables: tuple[RawTable, ...]
    answers: Answers
    inference: Inference
    folder: Path

    @property
    def name(self) -> str:
        """The files, as they are called on screen."""
        return ", ".join(table.name for table in self.tables)


def workspace() -> Workspace:
    """The one workspace of this server process, on the disk of the uploads; it ends with them, also after a kill."""
    return _workspace_below(upload_store().root)


@st.cache_resource(show_spinner=False)
def _workspace_below(root: Path) -> Workspace:
    return Workspace(root / "datasets")


def drop_unused_datasets() -> None:
    """Close the datasets that nobody has looked at for a while; called by the server from time to time."""
    workspace().drop_unused()


def held_tokens() -> list[str]:
    """The tokens of this session's datasets and drafts that are still there, in order of arrival."""
    tokens: list[str] = st.session_state.setdefault("datasets", [])
    tokens[:] = [token for token in tokens if workspace().get(token) or workspace().draft(token)]
    return tokens


def hold(token: str) -> None:
    """Put a dataset or a draft on this session's list."""
    if token not in held_tokens():
        st.session_state["datasets"].append(token)


def find_same(uploads: Sequence[Upload]) -> OpenDataset | HeldDraft | None:
    """What this session has on its list of exactly these files, by their content and whatever they are called.

    Where each file is a version they were given in the same order.
    """
    wanted = [upload.sha256 for upload in uploads]
    for token in held_tokens():
        held = workspace().get(token) or workspace().draft(token)
        draft = held.draft if isinstance(held, OpenDataset) else held.content if held else None
        if not isinstance(draft, Draft) or any(table.marks for table in draft.tables):
            continue
        given, ordered = [table.sha256 for table in draft.tables], Role.VERSION not in draft.inference.roles.values()
        if given == wanted or (not ordered and sorted(given) == sorted(wanted)):
            return held
    return None


def begin_with(token: str) -> None:
    """Let every session that comes without a link begin with this sample.

    Raises:
        SettingsError: there is no such sample.
    """
    if sample_named(token) is None:
        names = ", ".join(sample.token for sample in SAMPLES)
        raise SettingsError(f"There is no sample {token!r}; there are {names}.")
    _begin["dataset"] = token


def first_dataset() -> str:
    """The token of the dataset that a session without a link begins with; empty for none."""
    return _begin.get("dataset", "")


def sample_named(token: str) -> Sample | None:
    """The sample of that token."""
    return next((sample for sample in SAMPLES if sample.token == token), None)


Remembered: TypeAlias = dict[frozenset[tuple[str, str]], Answers]
"""What was settled for files of a shape, to be taken over for the next one."""


def remembered() -> Remembered:
    """What this session has settled so far; it ends with the session."""
    return st.session_state.setdefault("remembered", {})


def remember(opened: OpenDataset) -> None:
    """Keep how the files of a dataset are read, for files of the same shape in this session."""
    if isinstance(opened.draft, Draft):
        draft = opened.draft
        remembered()[compute_shape(draft.tables)] = Answers.of_mapping(draft.inference.mapping, draft.tables[-1].name)


def read_files(uploads: Sequence[Upload], run: Run, report: Progress, known: Remembered) -> OpenDataset | HeldDraft:
    """Uploaded files to an open dataset, or to a draft where something has to be asked first.

    `known` is what was settled for other files: it is taken over where it settles everything.
    """
    folder = workspace().new_folder()
    try:
        saved = [upload for upload in uploads if is_saved_cells(upload.path)]
        if saved:
            return _open_saved(uploads, saved, folder)
        tables: list[RawTable] = []
        kept_files = [folder / upload.path.name for upload in uploads]
        # All at once: the session that has sent them may end before the last is read.
        for upload, kept in zip(uploads, kept_files, strict=True):
            link_file(upload.path, kept)
        for index, (upload, kept) in enumerate(zip(uploads, kept_files, strict=True)):
            first, width = index / len(uploads), READ_SHARE / len(uploads)
            table = read_table(
                kept,
                upload.name,
                folder,
                sha256=upload.sha256,
                run=run,
                on_progress=lambda share, words, first=first, width=width: report(
                    first * READ_SHARE + share * width, words
                ),
            )
            tables.append(table)
        draft = _draft_of(tables, folder, known.get(compute_shape(tables)))
        if draft.inference.questions:
            return workspace().hold(draft.name, draft, folder)
        try:
            return open_draft(draft, run, report)
        except MisreadError as error:
            # Another reading of the columns may fit: that is for a person to say.
            held = workspace().hold(draft.name, draft, folder)
            held.problem = str(error)
            return held
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _draft_of(tables: Sequence[RawTable], folder: Path, known: Answers | None) -> Draft:
    if known is not None:
        inference = infer_mapping(tables, known)
        if not inference.questions:
            return Draft(tuple(tables), known, inference, folder)
    return Draft(tuple(tables), Answers(), infer_mapping(tables), folder)


def _open_saved(uploads: Sequence[Upload], saved: Sequence[Upload], folder: Path) -> OpenDataset:
    """Saved cells of one file or several, merged."""
    if len(saved) < len(uploads):
        rows = next(upload for upload in uploads if upload not in saved)
        raise SettingsError(
            f"{saved[0].name} holds saved cells and {rows.name} rows, which are not read together: choose one kind."
        )
    names = [upload.name for upload in saved]
    cells = merge_cells([read_cells(upload.path, upload.name) for upload in saved], names)
    return workspace().add(names[0] if len(names) == 1 else cells.facts.name, cells, folder)


def answer(draft: Draft, answers: Answers) -> Draft:
    """The draft with other answers."""
    return Draft(draft.tables, answers, infer_mapping(draft.tables, answers), draft.folder)


def open_draft(draft: Draft, run: Run, report: Progress, held: HeldDraft | None = None, name: str = "") -> OpenDataset:
    """Scan a draft whose questions are settled and open it; one that was held under the token that it is to have.

    It is called after its files, unless another name is given.
    """
    dataset = build_dataset(draft.tables, draft.inference.mapping)

    def prepared(share: float, words: str) -> None:
        report(READ_SHARE + share * (PREPARED_SHARE - READ_SHARE), words)

    def summarised(share: float, words: str) -> None:
        report(PREPARED_SHARE + share * (1 - PREPARED_SHARE), words)

    scan = Scan(dataset, draft.folder, run=run, on_progress=prepared)
    scan.warm(run=run, on_progress=summarised)
    space = workspace()
    if held is not None and held.replaces:
        replaced = space.replace(held.replaces, scan, draft)
        if replaced is not None:
            space.close(held.token)
            return replaced
    opened = space.add(name or dataset.name, scan, draft.folder, None if held is None else held.token)
    opened.draft = draft
    return opened


def open_sample(sample: Sample, run: Run, report: Progress) -> OpenDataset | HeldDraft:
    """A bundled dataset, read once for all sessions; a draft where something has to be asked first."""
    space = workspace()
    held = space.get(sample.token)
    if held is not None:
        return held
    folder = space.new_folder()
    try:
        table = read_table(SAMPLES_FOLDER / sample.file, sample.file, folder, run=run, on_progress=report)
        draft = Draft((table,), Answers(), infer_mapping([table]), folder)
        if draft.inference.questions:
            return space.hold(draft.name, draft, folder)
        scan = Scan(build_dataset([table], draft.inference.mapping), folder, run=run, on_progress=report)
        scan.warm(run=run, on_progress=report)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    opened = space.add(sample.title, scan, folder, sample.token)
    opened.draft = draft
    return opened


def draft_again(opened: OpenDataset, answers: Answers) -> HeldDraft:
    """A draft of an open dataset with other answers; that of a sample becomes a dataset of its own.

    This session's last one goes for it.

    Raises:
        MarginaliaError: these answers cannot be.
    """
    draft = opened.draft
    assert isinstance(draft, Draft), "only what was read from rows has a mapping to change"
    draft, space = answer(draft, answers), workspace()
    for token in held_tokens():
        held = space.draft(token)
        if held is not None and held.origin == opened.token:
            space.close(token)
    if sample_named(opened.token) is None:
        return space.hold(draft.name, draft, None, opened.token)
    folder = space.new_folder()
    return space.hold(draft.name, replace(draft, folder=folder), folder, opened.token)


def link_file(source: Path, target: Path) -> None:
    """The same bytes under another name, so that they outlive the upload; copied where links cannot be."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
