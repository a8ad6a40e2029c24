"""What a workspace holds under a token: datasets, sets of vectors, drafts of either, training histories."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path

from lib.diagnose import Diagnosis
from lib.embeddings import EmbeddingDiagnosis, EmbeddingSettings
from lib.scan.held import HeldTables
from lib.settings import Settings
from lib.sources.embeddings import EmbeddingSet
from lib.sources.training import History

KEPT_DIAGNOSES = 32


@dataclass
class OpenDataset:
    """A dataset that is open.

    Attributes:
        token: what the link holds; 128 bits of chance, or a sample's name.
        name: what it is called on screen.
        tables: its cells.
        folder: where its files are; None for saved cells and the like that need none.
        draft: what the mapping was made from, for whoever offers to change it; None for saved cells.
    """

    token: str
    name: str
    tables: HeldTables
    folder: Path | None
    last_used: float = 0.0
    draft: object = None
    _diagnoses: dict[Settings, Diagnosis] = field(default_factory=dict[Settings, Diagnosis])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def diagnosis(self, settings: Settings) -> Diagnosis:
        """The diagnosis under these settings, the same object for the same settings."""
        with self._lock:
            if settings not in self._diagnoses:
                while len(self._diagnoses) >= KEPT_DIAGNOSES:
                    self._diagnoses.pop(next(iter(self._diagnoses)))
                self._diagnoses[settings] = Diagnosis(self.tables, settings)
            return self._diagnoses[settings]


@dataclass
class OpenEmbeddings:
    """A set of vectors that is open, beside datasets and found like them.

    Attributes:
        token: what the link holds; 128 bits of chance, or a sample's name.
        name: what it is called on screen.
        embeddings: the set.
        folder: where its files are, and what is worked out from them.
        draft: what it was read from, for whoever offers to read it otherwise.
    """

    token: str
    name: str
    embeddings: EmbeddingSet
    folder: Path
    last_used: float = 0.0
    draft: object = None
    _diagnoses: dict[EmbeddingSettings, EmbeddingDiagnosis] = field(
        default_factory=dict[EmbeddingSettings, EmbeddingDiagnosis]
    )
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def diagnosis(self, settings: EmbeddingSettings) -> EmbeddingDiagnosis:
        """The diagnosis under these settings, the same object for the same settings."""
        with self._lock:
            if settings not in self._diagnoses:
                while len(self._diagnoses) >= KEPT_DIAGNOSES:
                    self._diagnoses.pop(next(iter(self._diagnoses)))
                self._diagnoses[settings] = EmbeddingDiagnosis(self.embeddings, settings, self.folder)
            return self._diagnoses[settings]


@dataclass
class HeldDraft:
    """Files whose columns are still to be settled; found by its token like a dataset or a set of vectors.

    Attributes:
        token: what the link holds; the dataset that is opened from it keeps it, unless `replaces` says another.
        name: what it is called on screen.
        content: the tables and the answers so far.
        folder: where its files are; None where they are those of the dataset that it replaces.
        origin: the token of the dataset that was open before; empty for none.
        problem: why it could not be opened as it stands; empty if that was not tried.
    """

    token: str
    name: str
    content: object
    folder: Path | None
    origin: str = ""
    last_used: float = 0.0
    problem: str = ""

    @property
    def replaces(self) -> str:
        """The token of the dataset behind which other tables are to be put; empty where a new one is opened."""
        return self.origin if self.folder is None else ""


@dataclass
class HeldHistory:
    """A training history that is kept; it is in memory and needs no folder."""

    token: str
    history: History
    last_used: float = 0.0
