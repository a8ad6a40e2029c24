"""The command line: `check` says what is wrong, `gate` who may pass; `cells` summarises rows, `embed` reads vectors.

Exit status 0: all good; 1: a check failed with severity error, or the gate was not passed; 2: a usage or data error,
one sentence on standard error; 130: stopped with Ctrl-C. What is heavy is imported when it is needed, so that `--help`
answers at once.
"""

from __future__ import annotations

import argparse
import os
import queue
import secrets
import shutil
import signal
import sys
import tempfile
import threading
import traceback
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

from lib.cli.cells import cells
from lib.cli.check import check
from lib.cli.embed import embed
from lib.cli.gate import gate
from lib.cli.options import parse_options
from lib.cli.output import show_progress
from lib.cli.reading import option_of
from lib.cli.status import ERROR, STOPPED
from lib.errors import Cancelled, MarginaliaError, MisreadError

TRACEBACK_VARIABLE = "MARGINALIA_TRACEBACK"
STOP_SECONDS = 20
"""How long work that was stopped may take to notice; on an idle machine it takes a blink."""
COMMANDS = {"check": check, "gate": gate, "cells": cells, "embed": embed}


def _work(command: Callable[..., int], options: argparse.Namespace) -> int:
    """Run a command in a thread of its own with a private store, so that Ctrl-C is heard at any moment.

    The engine does not listen to signals while it works; the main thread does, and cancels the run.
    """
    from lib.sources import Run

    run, report = Run(), show_progress()
    answers: queue.SimpleQueue[int | BaseException] = queue.SimpleQueue()

    def work(store: Path) -> None:
        try:
            answers.put(command(options, store, run, report))
        except BaseException as error:
            answers.put(error)

    # Named before it is made, so that there is no moment at which a signal leaves it behind.
    folder = Path(tempfile.gettempdir()) / f"marginalia-{secrets.token_hex(16)}"
    try:
        folder.mkdir(mode=0o700)
        thread = threading.Thread(target=work, args=(folder,), daemon=True)
        thread.start()
        try:
            answer = answers.get()
        except BaseException:
            run.cancel()
            thread.join(timeout=STOP_SECONDS)
            raise
        finally:
            report(1.0, "")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if isinstance(answer, BaseException):
        raise answer
    return answer


def _say(sentence: str) -> None:
    """One line on standard error, whatever is in it."""
    words = " ".join("".join(each if each.isprintable() else " " for each in sentence).split())
    try:
        sys.stderr.buffer.write(f"{words}\n".encode("utf-8", "replace"))
        sys.stderr.buffer.flush()
    except OSError:
        pass


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status."""
    try:
        options = parse_options(sys.argv[1:] if arguments is None else arguments)
        return _work(COMMANDS[options.command], options)
    except KeyboardInterrupt:
        return STOPPED
    except Cancelled:
        return STOPPED
    except MisreadError as error:
        options_named = " or ".join(map(option_of, error.topics))
        _say(f"{error} Say it with {options_named}." if options_named else str(error))
    except MarginaliaError as error:
        _say(str(error))
    except BrokenPipeError:
        # What is still in the buffer must not be tried again when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        _say("The output was closed before the report was written to its end.")
    except MemoryError:
        _say("There is not enough memory for this; summarise the rows with `python -m lib cells` on a larger machine.")
    except OSError as error:
        _say(f"The system refused: {error.strerror or error}{f' ({error.filename})' if error.filename else ''}.")
    except Exception as error:
        if os.environ.get(TRACEBACK_VARIABLE):
            traceback.print_exc()
        _say(
            f"Marginalia itself has a fault: {type(error).__name__}: {error}. Set {TRACEBACK_VARIABLE}=1 to see where, "
            "and please report it."
        )
    return ERROR


if __name__ == "__main__":
    if not sys.warnoptions:
        # What a library mutters is nothing that a person here could act on.
        warnings.simplefilter("ignore")
    # A job that is told to end cleans up like one that is stopped by hand.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
