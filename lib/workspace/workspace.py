"""What is open on this server: found by an unguessable token, private to whoever has it, bounded on disk.

The token is part of a view's link. Whoever is given the link sees the dataset or the set of vectors; nobody can guess
one. What nobody has looked at for a while is removed with its files.
"""

from __future__ import annotations

import secrets
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

from lib.errors import LimitError
from lib.scan.held import HeldTables
from lib.sources.embeddings import EmbeddingSet
from lib.sources.training import History
from lib.workspace.held import HeldDraft, HeldHistory, OpenDataset, OpenEmbeddings

KEPT_SECONDS = 12 * 3600.0
"""How long something is kept after it was last looked at."""

MAX_OPEN = MAX_DRAFTS = 64
"""Of datasets and sets of vectors together; of drafts."""
MAX_HISTORIES = 512
MOST_HISTORY_VALUES = 20_000_000
"""Of all training histories together; a value takes 32 bytes."""


class Workspace:
    """All that is open in one server process. Safe to use from several threads."""

    def __init__(self, root: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Keep files below `root`, which is made readable to its user only."""
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._root = root
        self._clock = clock
        self._open: dict[str, OpenDataset | OpenEmbeddings] = {}
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
        opened = OpenDataset(token or secrets.token_urlsafe(16), name, tables, folder)
        with self._lock:
            self._admit(opened)
            # Of a sample that two have opened at once, the first.
            held = self.get(opened.token)
            assert held is not None, "a token is of one kind"
            return held

    def add_embeddings(
        self, name: str, embeddings: EmbeddingSet, folder: Path, draft: object, token: str | None = None
    ) -> OpenEmbeddings:
        """Open a set of vectors as `add` opens a dataset.

        Raises:
            LimitError: as many are open as this server keeps, and all were looked at lately.
        """
        opened = OpenEmbeddings(token or secrets.token_urlsafe(16), name, embeddings, folder, draft=draft)
        with self._lock:
            self._admit(opened)
            held = self.embeddings(opened.token)
            assert held is not None, "a token is of one kind"
            return held

    def _admit(self, opened: OpenDataset | OpenEmbeddings) -> None:
        self.drop_unused()
        if len(self._open) >= MAX_OPEN:
            raise LimitError(
                f"This server keeps {MAX_OPEN} datasets open and all are in use; close one in the sidebar's list, "
                "or try again later."
            )
        opened.last_used = self._clock()
        self._drafts.pop(opened.token, None)
        self._open.setdefault(opened.token, opened)

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
            held = self.get(token)
            if held is None:
                return None
            renewed = OpenDataset(token, held.name, tables, held.folder, self._clock(), draft)
            self._open[token] = renewed
            return renewed

    def replace_embeddings(self, token: str, embeddings: EmbeddingSet, draft: object) -> OpenEmbeddings | None:
        """Put a set that was read otherwise behind a token, so that links to it show it; None if it is not open."""
        with self._lock:
            held = self.embeddings(token)
            if held is None:
                return None
            renewed = OpenEmbeddings(token, held.name, embeddings, held.folder, self._clock(), draft)
            self._open[token] = renewed
            return renewed

    def get(self, token: str) -> OpenDataset | None:
        """The open dataset of that token, if there is one."""
        opened = self._look_at(token)
        return opened if isinstance(opened, OpenDataset) else None

    def embeddings(self, token: str) -> OpenEmbeddings | None:
        """The open set of vectors of that token, if there is one."""
        opened = self._look_at(token)
        return opened if isinstance(opened, OpenEmbeddings) else None

    def _look_at(self, token: str) -> OpenDataset | OpenEmbeddings | None:
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
        """Forget what is behind a token and remove its files; links to it no longer work."""
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
