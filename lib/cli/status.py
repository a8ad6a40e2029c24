"""What a command ends with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lib.checks import CheckResult

GOOD, FAILED, ERROR, STOPPED = 0, 1, 2, 130


def status_of(checks: Sequence[CheckResult]) -> int:
    """1 when a check failed with severity error, of predictions as of vectors; warnings and notes leave it at 0."""
    from lib.checks import Severity, Status

    failed = any(each.status is Status.FAIL and each.severity is Severity.ERROR for each in checks)
    return FAILED if failed else GOOD
