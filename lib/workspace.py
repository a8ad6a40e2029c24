"""Datasets that are open on this server: found by an unguessable token, private to whoever has it, bounded on disk.

The token is part of a view's link. Whoever is given the link sees the dataset; nobody can guess one. A dataset that
nobody has looked at for a while is removed with its files.
"""

from __future__ import annotations

import secrets
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from lib.diagnose import CellTables, Diagnosis, Settings
from lib.errors import LimitError

KEPT_SECONDS = 12 * 3600.0
"""How long a dataset is kept after it was last looked at."""

MAX_OPEN = 64
KEPT_DIAGNOSES = 32

SAMPLES_FOLDER = Path(__file__).resolve().parents[1] / "sample_data"


@dataclass(frozen=True)
class Sample:
    """A bundled dataset: a file of `sample_data`, and what to expect of it."""

    token: str
    file: str
    title: str
    description: str


SAMPLES = (
    Sample(
        "sample-incident",
        "incident.csv.gz",
        "An incident",
        "Thirty days of a simulated moderation classifier: a deploy, complaints, a rollback three days later.",
    ),
    Sample(
        "sample-losses",
        "digits_hinge_vs_logistic.csv",
        "Hinge against logistic",
        "Handwritten digits from scikit-learn: the same task and features under both losses, on one score axis.",
    ),
    Sample(
        "sample-hinge",
        "digits_hinge.csv",
        "Two hinge versions",
        "The hinge-trained model alone, two versions: raw decision scores, so nothing is called a probability.",
    ),
    Sample(
        "sample-logistic",
        "digits_logistic.csv",
        "Two logistic versions",
        "The logistic model alone, two versions: probabilities, with log loss and Brier score.",
    ),
    Sample(
        "sample-wrong",
        "many_things_wrong.csv",
        "Many things wrong",
        "A small file with unreadable scores, unknown labels and broken lines, to see how each is said.",
    ),
)


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
    tables: CellTables
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


class Workspace:
    """All datasets that are open in one server process. Safe to use from several threads."""

    def __init__(self, root: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Keep files below `root`, which is made readable to its user only."""
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._root = root
        self._clock = clock
        self._open: dict[str, OpenDataset] = {}
        self._lock = threading.RLock()

    def new_folder(self) -> Path:
        """A private folder for the files of one dataset to be."""
        folder = self._root / secrets.token_hex(16)
        folder.mkdir(mode=0o700)
        return folder

    def add(self, name: str, tables: CellTables, folder: Path | None, token: str | None = None) -> OpenDataset:
        """Open a dataset under a new token, or a sample under its own.

        Raises:
            LimitError: as many are open as this server keeps, and all were looked at lately.
        """
        with self._lock:
            self.drop_unused()
            if len(self._open) >= MAX_OPEN:
                raise LimitError(
                    f"This server keeps {MAX_OPEN} datasets open and all are in use; close one in the sidebar's list, "
                    "or try again later."
                )
            opened = OpenDataset(token or secrets.token_urlsafe(16), name, tables, folder, self._clock())
            return self._open.setdefault(opened.token, opened)

    def replace(self, token: str, tables: CellTables, draft: object) -> OpenDataset | None:
        """Put other tables behind a token, so that links to it show them; None if it is no longer open."""
        with self._lock:
            held = self._open.get(token)
            if held is None:
                return None
            renewed = OpenDataset(token, held.name, tables, held.folder, self._clock(), draft)
            self._open[token] = renewed
            return renewed

    def get(self, token: str) -> OpenDataset | None:
        """The open dataset of that token, if there is one."""
        with self._lock:
            opened = self._open.get(token)
            if opened is not None:
                opened.last_used = self._clock()
            return opened

    def close(self, token: str) -> None:
        """Forget a dataset and remove its files; links to it no longer work."""
        with self._lock:
            opened = self._open.pop(token, None)
        if opened is not None and opened.folder is not None:
            shutil.rmtree(opened.folder, ignore_errors=True)

    def drop_unused(self) -> None:
        """Close what nobody has looked at for `KEPT_SECONDS`."""
        with self._lock:
            limit = self._clock() - KEPT_SECONDS
            unused = [token for token, opened in self._open.items() if opened.last_used < limit]
        for token in unused:
            self.close(token)
