"""What several checks need of one diagnosis is computed once, and forgotten with it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from threading import RLock
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from lib.diagnose import Diagnosis

T = TypeVar("T")


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
