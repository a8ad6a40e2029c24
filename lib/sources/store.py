"""Converted files on disk, by the sha256 of what they were converted from; written whole or not at all."""

from __future__ import annotations

import json
import math
import os
import tempfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lib.schema import ColumnProfile
from lib.sources.rejects import RejectedLine

if TYPE_CHECKING:
    from lib.sources.tables import RawTable

STORE_VERSION: Final = 4
"""Raised whenever the same file would be converted or described otherwise than before."""

_KEPT: Final = (
    "content_sha256",
    "format",
    "compression",
    "n_rows",
    "n_rejected",
    "notes",
    "rejected_records",
    "unusable",
)


def load(folder: Path, draft: RawTable, in_place: bool) -> RawTable | None:
    """What an earlier reading of the same content stored, under the name of this one; None if there is none."""
    parquet = draft.parquet if in_place else folder / f"{draft.sha256}.parquet"
    try:
        values: dict[str, Any] = json.loads(_sidecar(folder, draft.sha256).read_text())
        if values["store_version"] != STORE_VERSION or not parquet.is_file():
            return None
        return replace(
            draft,
            parquet=parquet,
            columns=tuple(_read_profile(column) for column in values["columns"]),
            rejected=tuple(RejectedLine(**line) for line in values["rejected"]),
            content_sha256=values["content_sha256"],
            format=values["format"],
            compression=values["compression"],
            n_rows=values["n_rows"],
            n_rejected=values["n_rejected"],
            notes=tuple(values["notes"]),
            rejected_records=tuple(values["rejected_records"]),
            unusable=tuple(values["unusable"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        # Missing, from another version or damaged: the file is read again.
        return None


def save(folder: Path, table: RawTable, built: Path | None) -> RawTable:
    """Move the Parquet file made for a table (if one was) into the store, describe it beside, and return it there."""
    if built is not None:
        parquet = folder / f"{table.sha256}.parquet"
        built.replace(parquet)
        table = replace(table, parquet=parquet)
    values = {key: getattr(table, key) for key in _KEPT} | {
        "store_version": STORE_VERSION,
        "columns": [asdict(column) for column in table.columns],
        "rejected": [asdict(line) for line in table.rejected],
    }
    handle, draft = tempfile.mkstemp(prefix="reading-", dir=folder)
    with os.fdopen(handle, "w") as file:
        json.dump(values, file)
    Path(draft).replace(_sidecar(folder, table.sha256))
    return table


def _sidecar(folder: Path, sha256: str) -> Path:
    return folder / f"{sha256}.json"


def _read_profile(values: dict[str, Any]) -> ColumnProfile:
    counts: list[tuple[str, int]] = values["values"]
    plain: dict[str, Any] = values | {
        "examples": tuple(values["examples"]),
        "values": tuple((text, n) for text, n in counts),
        # One NaN object for all, so that equal profiles compare equal.
        "minimum": math.nan if math.isnan(values["minimum"]) else values["minimum"],
        "maximum": math.nan if math.isnan(values["maximum"]) else values["maximum"],
    }
    return ColumnProfile(**plain)
