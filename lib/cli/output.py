"""Where a command writes: the terminal, files whole or not at all, and a line of progress."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path


def terminal_width(output: Path | None) -> int:
    """The terminal's width within 80 to 100 columns; 100 for a file or a pipe."""
    if output is not None or not sys.stdout.isatty():
        return 100
    try:
        return min(100, max(80, os.get_terminal_size(sys.stdout.fileno()).columns))
    except OSError:
        return 100


def write_text(text: str, output: Path | None) -> None:
    """To a file, whole or not at all, or to standard output; always in UTF-8."""
    if output is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode())
        sys.stdout.buffer.flush()
        return
    if output.exists() and not output.is_file():  # such as /dev/stdout
        output.write_text(text, "utf-8")
        return
    partial = output.with_name(f"{output.name}.{os.getpid()}.partial")
    try:
        partial.write_text(text, "utf-8")
        partial.replace(output)
    except OSError as error:
        from lib.sources.inputs import unwritable

        raise unwritable(output, error) from error
    finally:
        partial.unlink(missing_ok=True)


def show_progress() -> Callable[[float, str], None]:
    """A line that is written over on standard error; silent where that is no terminal."""
    if not sys.stderr.isatty():
        return lambda _share, _words: None

    def report(_share: float, words: str) -> None:
        sys.stderr.write(f"\r\x1b[K{words}{'…' if words else ''}")
        sys.stderr.flush()

    return report
