"""Layouts on disk, by content and settings; written whole or not at all."""

from __future__ import annotations

import json
import os
import tempfile
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from lib.projection.settings import Layout, LayoutSettings, Method
from lib.vectors import Distance


def load_layout(folder: Path, key: str) -> Layout | None:
    """The layout that is kept under a key of `layout_key`; None if there is none, or it is damaged."""
    try:
        with _path(folder, key).open("rb") as file, np.load(file, allow_pickle=False) as held:
            said: dict[str, Any] = json.loads(str(held["said"]))
            coordinates = held["coordinates"]
        kept: dict[str, Any] = said["settings"]
        kept["distance"] = Distance(kept["distance"])
        settings = LayoutSettings(**kept)
        if coordinates.ndim != 2 or coordinates.shape[1] != 2 or coordinates.dtype != np.float32:
            return None
        return Layout(coordinates, Method(said["method"]), settings, said["n_landmarks"], said["seconds"])
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
        return None


def save_layout(folder: Path, key: str, layout: Layout) -> None:
    """Keep a layout that was made with settings."""
    assert layout.settings is not None, "principal components are made again sooner than they are read"
    said = {
        "method": layout.method.value,
        "settings": asdict(layout.settings),
        "n_landmarks": layout.n_landmarks,
        "seconds": layout.seconds,
    }
    handle, draft = tempfile.mkstemp(prefix="layout-", dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, coordinates=layout.coordinates, said=np.array(json.dumps(said)))
        Path(draft).replace(_path(folder, key))
    finally:
        Path(draft).unlink(missing_ok=True)


def _path(folder: Path, key: str) -> Path:
    return folder / f"layout-{key}.npz"
