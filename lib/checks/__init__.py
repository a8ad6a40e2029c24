"""Named checks over a diagnosis: what is wrong, where, how sure that is, and what to do about it."""

from lib.checks.beginnings import BEGAN
from lib.checks.first_rate import first_rate, names_answers
from lib.checks.result import ALARM_RATE, Check, CheckResult, NotApplicable, Severity, Status, Where
from lib.checks.run import run_check, run_checks, run_training_checks
from lib.checks.table import CHECKS
from lib.checks.worse_answers import says_worse

__all__ = [
    "ALARM_RATE",
    "BEGAN",
    "CHECKS",
    "Check",
    "CheckResult",
    "NotApplicable",
    "Severity",
    "Status",
    "Where",
    "first_rate",
    "names_answers",
    "run_check",
    "run_checks",
    "run_training_checks",
    "says_worse",
]
