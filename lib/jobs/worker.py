"""The worker process: takes a task, tells how far it is, gives the result; ends when nobody is there any more."""

from __future__ import annotations

import contextlib
import os
import resource
import sys
import traceback
from multiprocessing.connection import Connection
from pathlib import Path

from lib.errors import MarginaliaError
from lib.jobs.tasks import OUT_OF_MEMORY, TASKS

NICENESS = 10
"""Pages go first where processors are few."""
_GROUP = Path("/proc/self/autogroup")


def serve(connection: Connection) -> None:
    """Work off tasks until the other end is gone.

    A task is (name, arguments). What is sent back is ("progress", share, words) any number of times and then one of
    ("done", result, peak memory in bytes), ("refused", sentence) and ("failed", traceback).
    """
    while True:
        try:
            name, arguments = connection.recv()
            result = TASKS[name](*arguments, report=lambda share, words: connection.send(("progress", share, words)))
            connection.send(("done", result, _peak_memory()))
        except MarginaliaError as error:
            connection.send(("refused", str(error)))
        except MemoryError:
            # Also while it took the task in, of which the rest is still on the line: nothing can be said there.
            sys.exit(OUT_OF_MEMORY)
        except (EOFError, ConnectionError):
            return
        except Exception:
            connection.send(("failed", traceback.format_exc()))


def _peak_memory() -> int:
    """The most that this process has held, in bytes; not getrusage's, which begins with what the parent held."""
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


def main(arguments: list[str]) -> None:
    """Serve on the file descriptor that is the first argument; the second bounds memory, in bytes."""
    os.nice(NICENESS)
    # A session of its own, as this process has, is on Linux a group for which niceness is said apart.
    with contextlib.suppress(OSError):
        _GROUP.write_text(str(NICENESS))
    limit = int(arguments[1])
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    try:
        serve(Connection(int(arguments[0])))
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    main(sys.argv[1:])
