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

from lib.diagnose import Diagnosis, Settings
from lib.errors import LimitError
from lib.scan.held import HeldTables
from lib.sources.training import History

KEPT_SECONDS = 12 * 3600.0
"""How long a dataset is kept after it was last looked at."""

MAX_OPEN = MAX_DRAFTS = 64
KEPT_DIAGNOSES = 32
MAX_HISTORIES = 512
MOST_HISTORY_VALUES = 20_000_000
"""Of all training histories together; a value takes 32 bytes."""

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
        "sample-digits",
        "which_digit.csv.gz",
        "Ten classes",
        "Handwritten digits again, and which of the ten each is: a probability for every class, two versions.",
    ),
    Sample(
        "sample-wrong",
        "many_things_wrong.csv",
        "Many things wrong",
        "A small file with unreadable scores, unknown labels and broken lines, to see how each is said.",
    ),
)

TRAINING_SAMPLE = Sample(
    "sample-training",
    "training_curves.csv",
    "Training curves",
    "Loss and accuracy by epoch of two small networks from scikit-learn on noisy digits: one of them learns by heart.",
)
"""The bundled training history; it is looked at on the Training page, with or without a dataset."""


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
class HeldDraft:
    """Files that were read and whose columns are still to be settled; found by its token like a dataset.

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


class Workspace:
    """All datasets, drafts and training histories open in one server process. Safe to use from several threads."""

    def __init__(self, root: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Keep files below `root`, which is made readable to its user only."""
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._root = root
        self._clock = clock
        self._open: dict[str, OpenDataset] = {}
        self._drafts: dict[str, HeldDraft] = {}
        self._histories: dict[str, HeldHistory] = {}
        self._lock = threading.RLock()

    def new_folder(self) -> Path:
        """A private folder for the files of one dataset to be."""
        folder = self._root / secrets.token_hex(16)
        folder.mkdir(mode=0o700)
        return folder

    def add(self, name: str, tables: HeldTables, folder: Path | None, token: str | None = None) -> OpenDataset:
        """Open a dataset under a new token, or under that of a sample or of the draft that it was made from.

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
            self._drafts.pop(opened.token, None)
            return self._open.setdefault(opened.token, opened)

    def hold(self, name: str, content: object, folder: Path | None, origin: str = "") -> HeldDraft:
        """Keep a draft under a new token; beyond `MAX_DRAFTS` the one that was not looked at for longest goes."""
        with self._lock:
            while len(self._drafts) >= MAX_DRAFTS:
                self.close(min(self._drafts.values(), key=lambda each: each.last_used).token)
            held = HeldDraft(secrets.token_urlsafe(16), name, content, folder, origin, self._clock())
            self._drafts[held.token] = held
            return held

    def keep(self, history: History, token: str = "") -> str:
        """Keep a training history under a new token, or under that of the sample; its token.

        Raises:
            LimitError: with it this server would keep more values than it may, all looked at lately.
        """
        with self._lock:
            self.drop_unused()
            if token in self._histories:
                return token
            n_values = history.n_values + sum(each.history.n_values for each in self._histories.values())
            if n_values > MOST_HISTORY_VALUES or len(self._histories) >= MAX_HISTORIES:
                raise LimitError(
                    f"There is no room for {history.name}: this server keeps {MAX_HISTORIES} training histories with "
                    f"{MOST_HISTORY_VALUES:,} values. Remove some on the Training page, or try again later."
                )
            kept = HeldHistory(token or secrets.token_urlsafe(16), history, self._clock())
            self._histories[kept.token] = kept
            return kept.token

    def history(self, token: str) -> History | None:
        """The training history of that token, if there is one."""
        with self._lock:
            held = self._histories.get(token)
            if held is None:
                return None
            held.last_used = self._clock()
            return held.history

    def replace(self, token: str, tables: HeldTables, draft: object) -> OpenDataset | None:
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

    def draft(self, token: str) -> HeldDraft | None:
        """The draft of that token, if there is one."""
        with self._lock:
            held = self._drafts.get(token)
            if held is not None:
                held.last_used = self._clock()
            return held

    def close(self, token: str) -> None:
        """Forget a dataset, draft or training history and remove its files; links to it no longer work."""
        with self._lock:
            self._histories.pop(token, None)
            closed = self._open.pop(token, None) or self._drafts.pop(token, None)
        if closed is not None and closed.folder is not None:
            shutil.rmtree(closed.folder, ignore_errors=True)

    def drop_unused(self) -> None:
        """Close what nobody has looked at for `KEPT_SECONDS`."""
        with self._lock:
            limit = self._clock() - KEPT_SECONDS
            held = [*self._open.values(), *self._drafts.values(), *self._histories.values()]
            unused = [each.token for each in held if each.last_used < limit]
        for token in unused:
            self.close(token)
