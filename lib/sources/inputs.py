"""Names on a command line to files that are there and can be read; and where output may go."""

from __future__ import annotations

import difflib
import glob
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lib.errors import DataError, SettingsError
from lib.sources.files import has_known_suffix
from lib.sources.natural import natural


@dataclass(frozen=True)
class Input:
    """A file to read, and what it is called."""

    path: Path
    name: str


def find_inputs(names: Sequence[str], outputs: Sequence[Path], store: Path) -> list[Input]:
    """The files that were named, each of which is there and can be read; none of them is an output.

    Args:
        names: files, folders and patterns.
        outputs: where something is going to be written.
        store: the folder for links to files whose names are no text.

    Raises:
        DataError: a file, or any that fits a pattern, is not there or cannot be read.
        SettingsError: an output is one of them, or cannot be written.
    """
    paths = [_existing(path) for name in names for path in _find_files(name)]
    protect_inputs(outputs, paths)
    whole = [_shown(path) for path in paths]
    short = [Path(each).name for each in whole]
    called = short if len(set(short)) == len(short) else whole
    return [
        Input(_with_text_name(path, store / f"input-{place}"), name)
        for place, (path, name) in enumerate(zip(paths, called, strict=True))
    ]


def _find_files(name: str) -> list[Path]:
    """The file of that name; of a folder the tables in it, of a pattern what it fits, v10 after v9."""
    path = Path(name)
    if path.is_dir():
        listed = [each for each in path.iterdir() if each.is_file() and not each.name.startswith((".", "_"))]
        held = sorted(listed, key=lambda each: natural(_shown(each)))
        found = [each for each in held if has_known_suffix(each.name)]
        if not found:
            what = f"none of its {len(held)} files ends like one" if held else "it holds no files"
            raise DataError(f"{_shown(path)} is a folder without a table: {what}. Name the files, or a pattern.")
        return found
    if path.exists() or not glob.has_magic(name):
        return [path]
    names = sorted(glob.glob(name, recursive=True), key=natural)  # noqa: PTH207 - a Path globs below a folder, not from a pattern
    found = [path for path in map(Path, names) if path.is_file()]
    if not found:
        raise DataError(f"No file fits the pattern {_shown(path)}.")
    return found


def _existing(path: Path) -> Path:
    """A file that can be read, or the reason why not."""
    if not path.exists():
        try:
            beside = sorted(each.name for each in path.parent.iterdir())
        except OSError:
            raise DataError(f"There is no file {_shown(path)}: its folder cannot be read or is not there.") from None
        near = difflib.get_close_matches(path.name, beside, 1)
        hint = f" Did you mean {_shown(path.parent / near[0])}?" if near else ""
        raise DataError(f"There is no file {_shown(path)}.{hint}")
    if not path.is_file():
        raise DataError(f"{_shown(path)} is no ordinary file; save its content to one first.")
    try:
        path.open("rb").close()
    except OSError as error:
        raise DataError(f"{_shown(path)} cannot be read: {error.strerror or error}.") from error
    return path


def _shown(path: Path) -> str:
    """A path as text that any output can hold: names of files may be bytes that are no text."""
    return os.fsencode(path).decode("utf-8", "replace")


def _with_text_name(path: Path, link: Path) -> Path:
    """The file under a name that is text, which the engine insists on."""
    if "\ufffd" not in _shown(path.resolve()):
        return path
    link.symlink_to(path.resolve())
    return link


def protect_inputs(outputs: Sequence[Path], inputs: Sequence[Path]) -> None:
    """Refuse an output that would replace an input or another output, or cannot be written, before any work is done.

    Raises:
        SettingsError: one is such; the text says which.
    """
    for place, output in enumerate(outputs):
        if output.is_dir():
            raise SettingsError(f"{_shown(output)} is a folder; name a file to write.")
        if not output.parent.is_dir():
            raise SettingsError(f"There is no folder {_shown(output.parent)} to write {output.name} to.")
        if output.exists() and any(output.samefile(path) for path in inputs):
            raise SettingsError(f"{_shown(output)} is one of the files to read; write to another.")
        if output.resolve() in [other.resolve() for other in outputs[:place]] and not _is_device(output):
            raise SettingsError(f"{_shown(output)} is to be written twice; name two files.")


def _is_device(path: Path) -> bool:
    """Such as /dev/stdout, which several may be written to."""
    return path.exists() and not path.is_file()


def unwritable(path: Path, error: OSError) -> DataError:
    """The sentence for a file that cannot be written."""
    return DataError(f"{_shown(path)} cannot be written: {error.strerror or error}.")
