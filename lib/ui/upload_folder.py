"""The upload store of this process: made on first use, removed at exit, leftovers of crashes included."""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import os
import shutil
import tempfile
import threading
from pathlib import Path
from typing import IO

from lib.errors import SettingsError
from lib.ui.uploads import GB, UploadLimits, UploadStore

_PREFIX = "marginalia-uploads-"
_LOCK_NAME = ".in-use"

_guard = threading.Lock()
_store: UploadStore | None = None
_held_lock: IO[bytes] | None = None


def upload_store() -> UploadStore:
    """The one store of this process.

    MARGINALIA_UPLOAD_DIR (default: the system's folder for temporary files), MARGINALIA_MAX_UPLOAD_GB (20)
    and MARGINALIA_MAX_TOTAL_GB (60) are read when it is made.

    Raises:
        SettingsError: One of them cannot be used.
    """
    global _store, _held_lock
    with _guard:
        if _store is None:
            parent = Path(os.environ.get("MARGINALIA_UPLOAD_DIR") or tempfile.gettempdir())
            limits = read_limits()
            _remove_leftovers(parent)
            try:
                # mkdtemp makes it readable by its owner only.
                root = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
            except OSError as error:
                raise SettingsError(
                    f"Uploads cannot be kept in {parent}: {error.strerror}; point MARGINALIA_UPLOAD_DIR to a "
                    "folder that this server may write to."
                ) from error
            _held_lock = (root / _LOCK_NAME).open("wb")
            fcntl.flock(_held_lock, fcntl.LOCK_EX)
            _store = UploadStore(root, limits)
            atexit.register(close_upload_store)
        return _store


def close_upload_store() -> None:
    """Remove every upload of this process; a later `upload_store` starts anew."""
    global _store, _held_lock
    with _guard:
        if _store is not None:
            _store.close()
            shutil.rmtree(_store.root, ignore_errors=True)
            _store = None
        if _held_lock is not None:
            _held_lock.close()
            _held_lock = None


def read_limits() -> UploadLimits:
    """The limits that the environment sets.

    Raises:
        SettingsError: A limit is not a positive number.
    """
    return UploadLimits(
        max_file=_bytes_from_environment("MARGINALIA_MAX_UPLOAD_GB", 20),
        max_total=_bytes_from_environment("MARGINALIA_MAX_TOTAL_GB", 60),
    )


def _bytes_from_environment(variable: str, default: float) -> int:
    text = os.environ.get(variable, "")
    try:
        size = int(float(text or default) * GB)
    except (ValueError, OverflowError):
        size = 0
    if size <= 0:
        raise SettingsError(f"{variable} is {text!r}; it must be a positive number of gigabytes, such as 20 or 0.5.")
    return size


def _remove_leftovers(parent: Path) -> None:
    """Remove folders of processes that were killed: those whose lock nobody holds any more."""
    for folder in parent.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            if folder.is_symlink() or folder.stat().st_uid != os.getuid():
                continue
            with (folder / _LOCK_NAME).open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
