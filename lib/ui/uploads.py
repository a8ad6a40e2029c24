"""Where uploads lie on disk: one private folder per session, bounded, and gone when nobody needs it.

The store knows neither Streamlit nor HTTP. Two things write into it: the streaming route of the server entry
(`lib.ui.upload_route`) and, under plain `streamlit run`, the fallback in `lib.ui.uploader`. All methods may
be called from any thread.
"""

from __future__ import annotations

import hashlib
import secrets
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from lib.errors import LimitError
from lib.ui.upload_names import clean_display_name, file_suffix, format_size
from lib.ui.upload_tokens import Place, UploadRefused, UploadTokens

GB = 1_000_000_000


@dataclass(frozen=True)
class Upload:
    """One complete file on disk.

    Attributes:
        name: What its owner calls it; for display, never a path.
        path: Where it lies, inside the session's private folder, under a random name with the original
            ending.
        size: Bytes.
        sha256: Of the content, 64 hexadecimal digits.
    """

    name: str
    path: Path
    size: int
    sha256: str


@dataclass(frozen=True)
class UploadLimits:
    """Bounds in bytes: one file, all sessions together, and what must stay free on the disk."""

    max_file: int = 20 * GB
    max_total: int = 60 * GB
    keep_free: int = GB


@dataclass
class _Held:
    upload: Upload
    place: Place
    accepted: bool


@dataclass
class _Session:
    folder: Path
    last_used: float
    files: dict[str, _Held] = field(default_factory=dict[str, _Held])


class PartialUpload:
    """A file while it arrives. Ends by `commit` or `abort`; abort after commit does nothing."""

    def __init__(self, store: UploadStore, place: Place, name: str, folder: Path) -> None:
        self.upload_id = secrets.token_hex(16)
        self.name = clean_display_name(name)
        self.size = 0
        self._store = store
        self._place = place
        self._path = folder / f"{self.upload_id}{file_suffix(self.name)}"
        self._part = folder / f"{self.upload_id}.part"
        self._hash = hashlib.sha256()
        self._file: IO[bytes] | None = self._part.open("xb", buffering=0)

    def write(self, block: bytes | bytearray) -> None:
        """Append bytes.

        Raises:
            LimitError: The file, all uploads together, or the disk would grow beyond its bound.
        """
        assert self._file is not None, "this upload has ended"
        self._store.check_room(self.name, self.size + len(block), len(block))
        written = 0
        view = memoryview(block)
        while written < len(block):
            try:
                written += self._file.write(view[written:])
            except OSError as error:
                raise LimitError(f"{self.name} could not be written to the server's disk: {error.strerror}.") from error
        self._hash.update(block)
        self.size += len(block)
        self._store.note_written(len(block))

    def commit(self, *, accepted: bool = False) -> Upload:
        """Close the file, give it its final name in one step, and hand it to its session.

        Raises:
            UploadRefused: The session ended while the file was arriving; nothing is left of it.
        """
        assert self._file is not None, "this upload has ended"
        self._file.close()
        self._file = None
        upload = Upload(self.name, self._path, self.size, self._hash.hexdigest())
        try:
            self._part.rename(self._path)
            self._store.adopt(self.upload_id, _Held(upload, self._place, accepted))
        except (OSError, UploadRefused):
            self._part.unlink(missing_ok=True)
            self._path.unlink(missing_ok=True)
            self._store.note_written(-self.size)
            raise UploadRefused(f"{self.name} was not kept because its session has ended; upload it again.") from None
        return upload

    def abort(self) -> None:
        """Leave nothing behind."""
        if self._file is None:
            return
        self._file.close()
        self._file = None
        self._part.unlink(missing_ok=True)
        self._store.note_written(-self.size)


class UploadStore:
    """All uploads of one server process, under one folder that only its user can read."""

    def __init__(
        self,
        root: Path,
        limits: UploadLimits | None = None,
        *,
        tokens: UploadTokens | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.root = root
        self.limits = limits or UploadLimits()
        self.tokens = tokens or UploadTokens()
        self._clock = clock
        self._sessions: dict[str, _Session] = {}
        self._used = 0
        self._lock = threading.RLock()

    # Files ------------------------------------------------------------------------------------------------

    def begin(self, place: Place, name: str, expected: int | None = None) -> PartialUpload:
        """Open a file to write into; `expected` is its size in bytes where that is known beforehand.

        Raises:
            LimitError: It is known beforehand that it will not fit.
        """
        with self._lock:
            self.check_room(clean_display_name(name), expected or 0, expected or 0)
            return PartialUpload(self, place, name, self._session(place.session).folder)

    def adopt(self, upload_id: str, held: _Held) -> None:
        """Take over a complete file; for `PartialUpload.commit`."""
        with self._lock:
            session = self._sessions.get(held.place.session)
            if session is None:
                raise UploadRefused("The session has ended.")
            session.files[upload_id] = held

    def accept(self, place: Place, upload_ids: list[str]) -> None:
        """Show these uploads to the page; ids not of this place are ignored, since a browser sent them."""
        with self._lock:
            for held in self._held(place, upload_ids).values():
                held.accepted = True

    def remove(self, place: Place, upload_ids: list[str]) -> None:
        """Delete these uploads from disk; ids that are not this place's are ignored."""
        with self._lock:
            for upload_id, held in self._held(place, upload_ids).items():
                del self._sessions[place.session].files[upload_id]
                held.upload.path.unlink(missing_ok=True)
                self._used -= held.upload.size

    def uploads(self, place: Place) -> dict[str, Upload]:
        """The accepted uploads of this place by id, in order of arrival."""
        with self._lock:
            session = self._sessions.get(place.session)
            if session is None:
                return {}
            session.last_used = self._clock()
            return {i: h.upload for i, h in session.files.items() if h.place == place and h.accepted}

    def _held(self, place: Place, upload_ids: list[str]) -> dict[str, _Held]:
        session = self._sessions.get(place.session)
        if session is None:
            return {}
        return {i: session.files[i] for i in upload_ids if i in session.files and session.files[i].place == place}

    # Room and end -----------------------------------------------------------------------------------------

    def check_room(self, name: str, size: int, more: int) -> None:
        """Raise LimitError if a file of `size` bytes does not fit, `more` of them being still to come."""
        if size > self.limits.max_file:
            raise LimitError(
                f"{name} is larger than {format_size(self.limits.max_file)}, the most that one upload may "
                "have here; summarise it where it lies with `python -m lib cells`, or raise "
                "MARGINALIA_MAX_UPLOAD_GB."
            )
        if self._used + more > self.limits.max_total:
            raise LimitError(
                f"There is no room for {name}: uploads may take {format_size(self.limits.max_total)} of this "
                f"server's disk and {format_size(self._used)} are in use; remove some, or raise "
                "MARGINALIA_MAX_TOTAL_GB."
            )
        if shutil.disk_usage(self.root).free - more < self.limits.keep_free:
            raise LimitError(
                f"There is no room for {name}: this server's disk for uploads is nearly full; "
                "remove some uploads, or point MARGINALIA_UPLOAD_DIR to a larger disk."
            )

    def note_written(self, size: int) -> None:
        """Count bytes that came (or, negative, went)."""
        with self._lock:
            self._used += size

    def drop_session(self, session_id: str) -> None:
        """Delete a session's folder and forget its tokens. Uploads still arriving end with a refusal."""
        with self._lock:
            self.tokens.revoke(session_id)
            session = self._sessions.pop(session_id, None)
            if session is not None:
                self._used -= sum(held.upload.size for held in session.files.values())
                shutil.rmtree(session.folder, ignore_errors=True)

    def drop_ended(self, is_active: Callable[[str], bool], grace_seconds: float) -> None:
        """Drop the sessions that have ended: not active, and nothing has asked for their uploads for a while.

        The grace covers a browser that loses its connection and comes back to the same session.
        """
        with self._lock:
            now = self._clock()
            for session_id, session in list(self._sessions.items()):
                if is_active(session_id):
                    session.last_used = now
                elif session.last_used < now - grace_seconds:
                    self.drop_session(session_id)

    def close(self) -> None:
        """Drop every session."""
        with self._lock:
            for session_id in list(self._sessions):
                self.drop_session(session_id)

    def _session(self, session_id: str) -> _Session:
        session = self._sessions.get(session_id)
        if session is None:
            # The folder's name tells nothing about the session, so that neither can be had from the other.
            folder = self.root / secrets.token_hex(16)
            folder.mkdir(mode=0o700, parents=True)
            session = self._sessions[session_id] = _Session(folder, self._clock())
        session.last_used = self._clock()
        return session
