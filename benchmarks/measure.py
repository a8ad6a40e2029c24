"""Run a module in a fresh process: its time, the peak memory of its process tree, and what it says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[1]
SAMPLE_SECONDS = 0.02
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Measurement:
    """One run of a module.

    Attributes:
        seconds: from starting the process to its end, interpreter and imports included.
        cpu: seconds that processors worked for it; what a busy machine distorts least.
        peak: bytes, the most that the process and its descendants held at once.
        said: the JSON that the module printed.
    """

    seconds: float
    cpu: float
    peak: int
    said: dict[str, Any]


class Peak:
    """The most memory that a process and its descendants held at once, in the length of a block."""

    def __init__(self, pid: int) -> None:
        self.bytes = 0
        self._pid = pid
        self._ended = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._watcher.start()
        return self

    def __exit__(self, *_problem: object) -> None:
        self._ended.set()
        self._watcher.join()

    def _watch(self) -> None:
        while not self._ended.wait(SAMPLE_SECONDS):
            self.bytes = max(self.bytes, _tree_bytes(self._pid))


def run_module(module: str, *arguments: object) -> Measurement:
    """Run `python -m module` to its end.

    Raises:
        RuntimeError: it failed.
    """
    command = [sys.executable, "-m", module, *map(str, arguments)]
    with tempfile.TemporaryFile() as output:
        began = time.perf_counter()
        process = subprocess.Popen(command, cwd=ROOT, stdout=output)
        with Peak(process.pid) as peak:
            _ended, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise RuntimeError(f"{' '.join(command)} ended with status {process.returncode}")
        output.seek(0)
        said = json.loads(output.read() or b"{}")
    # The kernel's own high-water mark sees what falls between two samples, but of one process only.
    return Measurement(seconds, usage.ru_utime + usage.ru_stime, max(peak.bytes, usage.ru_maxrss * 1024), said)


def _tree_bytes(root: int) -> int:
    """Memory of a process and its descendants: resident for one process, proportional shares for several."""
    tree = processes_of(root)
    return _resident(root) if len(tree) == 1 else sum(memory_of(pid) for pid in tree)


def processes_of(root: int) -> list[int]:
    """A process and its descendants."""
    found, open_ = [], [root]
    while open_:
        pid = open_.pop()
        found.append(pid)
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            open_ += [int(child) for child in _read(children).split()]
    return found


def _resident(pid: int) -> int:
    fields = _read(Path(f"/proc/{pid}/statm")).split()
    return int(fields[1]) * _PAGE if fields else 0


def memory_of(pid: int) -> int:
    """Bytes of memory of a process; pages that several share are counted once among them, which is slow to ask."""
    for line in _read(Path(f"/proc/{pid}/smaps_rollup")).splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return _resident(pid)


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # the process has ended meanwhile, or this is not Linux
        return ""
