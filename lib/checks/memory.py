"""What several checks need is computed once: for one diagnosis, or for all that differ in γ alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import wraps
from threading import RLock
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from lib.diagnose import Diagnosis
    from lib.settings import Settings

T = TypeVar("T")

KEPT_ANSWERS = 16
"""How many choices of versions and filter are remembered for one dataset."""


def once(function: Callable[[Diagnosis], T]) -> Callable[[Diagnosis], T]:
    """Remember the answer for as long as the diagnosis lives."""
    held: WeakKeyDictionary[Diagnosis, Any] = WeakKeyDictionary()
    lock = RLock()

    @wraps(function)
    def remembered(diagnosis: Diagnosis) -> T:
        with lock:
            if diagnosis not in held:
                held[diagnosis] = function(diagnosis)
            answer: T = held[diagnosis]
            return answer

    return remembered


def once_for_every_margin_target(function: Callable[[Diagnosis], T]) -> Callable[[Diagnosis], T]:
    """Remember the answer of what neither γ nor recalibration enters, with the tables: no slider searches again."""
    held: WeakKeyDictionary[Any, dict[Settings, Any]] = WeakKeyDictionary()
    lock = RLock()

    @wraps(function)
    def remembered(diagnosis: Diagnosis) -> T:
        settings = dataclasses.replace(diagnosis.settings, margin_target=0.0, recalibration=None)
        with lock:
            answers = held.setdefault(diagnosis.tables, {})
            if settings not in answers:
                while len(answers) >= KEPT_ANSWERS:
                    answers.pop(next(iter(answers)))
                answers[settings] = function(diagnosis)
            answer: T = answers[settings]
            return answer

    return remembered
