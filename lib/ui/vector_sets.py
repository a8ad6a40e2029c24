"""The sets of vectors of a session: files to an open set, the same files read otherwise, samples on demand."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import streamlit as st

from lib.errors import AmbiguityError
from lib.sources import Run
from lib.sources.columns import join_names
from lib.sources.embeddings import Beside, EmbeddingAnswers, EmbeddingSet, looks_like_embeddings, read_embeddings
from lib.sources.inputs import Input
from lib.ui.datasets import link_file, workspace
from lib.ui.jobs import Progress
from lib.ui.uploads import Upload
from lib.workspace import SAMPLES_FOLDER, VECTOR_SAMPLES, HeldDraft, OpenEmbeddings, VectorSample

VECTORS, METADATA, PAIRS, QRELS, NEIGHBOURS = "vectors", "metadata", "pairs", "qrels", "neighbours"
KINDS = (VECTORS, METADATA, PAIRS, QRELS, NEIGHBOURS)
"""What a file of a set can be: of the first any number, of each other one."""


@dataclass(frozen=True)
class VectorFile:
    """A file of a set: where it lies, what it is called, its content's hash, and what it is taken for."""

    path: Path
    name: str
    sha256: str
    kind: str


@dataclass(frozen=True)
class VectorFiles:
    """The files of a set of vectors and what was settled of them, so that it can be read again.

    `problem` is why they cannot be read as they stand; empty for a set that is open.
    """

    files: tuple[VectorFile, ...]
    answers: EmbeddingAnswers
    folder: Path
    problem: AmbiguityError | None = None

    @property
    def name(self) -> str:
        """The files of vectors, as they are called on screen."""
        return ", ".join(self.named(VECTORS)) or ", ".join(each.name for each in self.files)

    def named(self, kind: str) -> list[str]:
        """The names of the files of a kind."""
        return [each.name for each in self.files if each.kind == kind]

    def with_kind(self, sha256: str, kind: str) -> VectorFiles:
        """With another meaning of a file; the one that had it, where there can be one, is left out of the set."""
        return replace(self, files=tuple(self._as(each, sha256, kind) for each in self.files))

    def _as(self, each: VectorFile, sha256: str, kind: str) -> VectorFile:
        if each.sha256 == sha256:
            return replace(each, kind=kind)
        return replace(each, kind="") if each.kind == kind and kind != VECTORS else each

    def read(self, run: Run, report: Progress) -> EmbeddingSet:
        """The set.

        Raises:
            AmbiguityError: something has to be asked first.
            MarginaliaError: it cannot be read; the text says why.
        """
        inputs = {kind: [Input(each.path, each.name) for each in self.files if each.kind == kind] for kind in KINDS}
        single = {kind: inputs[kind][0] for kind in KINDS[1:] if inputs[kind]}
        return read_embeddings(
            inputs[VECTORS], self.folder, self.answers, Beside(**single), run=run, on_progress=report
        )


def held_vectors() -> list[str]:
    """The tokens of this session's sets of vectors and drafts of such that are still there, in order of arrival."""
    tokens: list[str] = st.session_state.setdefault("vector-sets", [])
    tokens[:] = [token for token in tokens if workspace().embeddings(token) or workspace().draft(token)]
    return tokens


def hold_vectors(token: str) -> None:
    """Put a set of vectors or a draft of one on this session's list."""
    if token not in held_vectors():
        st.session_state["vector-sets"].append(token)


def vector_sample(token: str) -> VectorSample | None:
    """The sample of that token."""
    return next((sample for sample in VECTOR_SAMPLES if sample.token == token), None)


def are_vectors(uploads: Sequence[Upload]) -> bool:
    """Whether a file among these holds vectors."""
    return any(looks_like_embeddings(upload.path, upload.name) for upload in uploads)


def find_same_vectors(uploads: Sequence[Upload]) -> OpenEmbeddings | HeldDraft | None:
    """What this session has of exactly these files, by their content."""
    wanted = sorted(upload.sha256 for upload in uploads)
    for token in held_vectors():
        held = workspace().embeddings(token) or workspace().draft(token)
        files = files_of(held)
        if files is not None and sorted(each.sha256 for each in files.files) == wanted:
            return held
    return None


def files_of(held: OpenEmbeddings | HeldDraft | None) -> VectorFiles | None:
    """What a set or a draft was read from."""
    content = held.draft if isinstance(held, OpenEmbeddings) else held.content if held is not None else None
    return content if isinstance(content, VectorFiles) else None


def read_vector_files(uploads: Sequence[Upload], run: Run, report: Progress) -> OpenEmbeddings | HeldDraft:
    """Uploaded files to an open set of vectors, or to a draft where something has to be asked first.

    One file without vectors is their metadata; what several are is asked.

    Raises:
        MarginaliaError: they cannot be read, and no answer would change that.
    """
    folder = workspace().new_folder()
    try:
        files = add_files(VectorFiles((), EmbeddingAnswers(), folder), uploads)
        if len(files.named("")) == 1 and not files.named(METADATA):
            (other,) = (each for each in files.files if not each.kind)
            files = files.with_kind(other.sha256, METADATA)
        elif files.named(""):
            return hold_draft(replace(files, problem=_which_is_which(files)))
        return open_vectors(files, run, report)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _which_is_which(files: VectorFiles) -> AmbiguityError:
    names = join_names(files.named(""))
    return AmbiguityError(f"{names} hold no vectors: say below what each of them is.")


def add_files(files: VectorFiles, uploads: Sequence[Upload], kind: str = "") -> VectorFiles:
    """With more files: those that hold vectors are taken for that, the others for `kind`; empty for not known yet."""
    held = [each for each in files.files if not (kind and each.kind == kind)]
    for upload in uploads:
        kept = files.folder / upload.path.name
        link_file(upload.path, kept)
        is_vectors = looks_like_embeddings(upload.path, upload.name)
        held.append(VectorFile(kept, upload.name, upload.sha256, VECTORS if is_vectors else kind))
    return replace(files, files=tuple(held))


def hold_draft(files: VectorFiles) -> HeldDraft:
    """Keep files of which something has to be asked."""
    return workspace().hold(files.name, files, files.folder)


def open_vectors(files: VectorFiles, run: Run, report: Progress, token: str = "") -> OpenEmbeddings | HeldDraft:
    """Read the files and open the set under a new token, or under that of the draft that it was.

    Raises:
        MarginaliaError: they cannot be read as they stand, and it is no question.
    """
    try:
        embeddings = files.read(run, report)
    except AmbiguityError as question:
        draft = replace(files, problem=question)
        held = workspace().draft(token)
        if held is None:
            return hold_draft(draft)
        held.content = draft
        return held
    files = replace(files, problem=None)
    return workspace().add_embeddings(embeddings.name, embeddings, files.folder, files, token or None)


def reopen_vectors(opened: OpenEmbeddings, files: VectorFiles, run: Run, report: Progress) -> OpenEmbeddings:
    """Read an open set otherwise, behind its token; that of a sample becomes a set of one's own.

    Raises:
        MarginaliaError: it cannot be read so; the set is as it was.
    """
    space = workspace()
    if vector_sample(opened.token) is None:
        embeddings = files.read(run, report)
        replaced = space.replace_embeddings(opened.token, embeddings, files)
        if replaced is not None:
            return replaced
    folder = space.new_folder()
    try:
        own = replace(files, folder=folder)
        return space.add_embeddings(opened.name, own.read(run, report), folder, own)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def open_vector_sample(sample: VectorSample, run: Run, report: Progress) -> OpenEmbeddings:
    """A bundled set, read once for all sessions."""
    space = workspace()
    held = space.embeddings(sample.token)
    if held is not None:
        return held
    folder = space.new_folder()
    try:
        listed = [(name, VECTORS) for name in sample.vectors] + [(sample.metadata, METADATA)] * bool(sample.metadata)
        files = VectorFiles(
            tuple(VectorFile(SAMPLES_FOLDER / name, name, name, kind) for name, kind in listed),
            EmbeddingAnswers(),
            folder,
        )
        return space.add_embeddings(sample.title, files.read(run, report), folder, files, sample.token)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
