"""What uploaded files turn out to be: training histories, vectors with what belongs to them, or predictions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lib.sources import Run
from lib.sources.training import History, read_history
from lib.ui.datasets import Remembered, read_files, workspace
from lib.ui.jobs import Progress
from lib.ui.uploads import Upload
from lib.ui.vector_sets import are_vectors, read_vector_files
from lib.workspace import HeldDraft, OpenDataset, OpenEmbeddings


@dataclass(frozen=True)
class Arrived:
    """Uploaded files, read.

    Attributes:
        histories: the tokens of those that are training histories.
        dataset: what predictions became.
        vectors: what a set of vectors became. Files that come with vectors belong to them.
    """

    histories: tuple[str, ...] = ()
    dataset: OpenDataset | HeldDraft | None = None
    vectors: OpenEmbeddings | HeldDraft | None = None


def read_uploads(uploads: Sequence[Upload], run: Run, report: Progress, known: Remembered) -> Arrived:
    """Uploaded files, each read as what it is; nothing is kept of any if one cannot be used."""
    histories: list[History] = []
    others: list[Upload] = []
    for upload in uploads:
        run.check()
        history = read_history(upload.path, upload.name, upload.sha256)
        if history is None:
            others.append(upload)
        else:
            histories.append(history)
    vectors = read_vector_files(others, run, report) if are_vectors(others) else None
    dataset = read_files(others, run, report, known) if others and vectors is None else None
    return Arrived(tuple(workspace().keep(each) for each in histories), dataset, vectors)
