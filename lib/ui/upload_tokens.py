"""One-time permissions to upload, each bound to one uploader of one session."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from lib.errors import MarginaliaError

# A token outlives a page on which nothing happens for an hour; after that the page asks for new ones by itself.
TOKEN_SECONDS = 3600.0
# Unused tokens a session can hold, and so the number of uploads it can start at once.
TOKENS_PER_SESSION = 8


class UploadRefused(MarginaliaError):  # noqa: N818 - a decision, not a malfunction
    """An upload was turned away before or while it was read; the text says why and what to do."""


@dataclass(frozen=True)
class Place:
    """Which uploader of which session something belongs to."""

    session: str
    uploader: str


class UploadTokens:
    """The unused tokens of one server process. Methods may be called from any thread."""

    def __init__(self, seconds: float = TOKEN_SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._unused: dict[str, tuple[Place, float]] = {}
        self._lock = threading.Lock()

    def issue(self, place: Place, count: int) -> list[str]:
        """`count` tokens for this place; each works once, until it expires.

        Tokens that the place holds unused are returned again rather than added to, so that reruns of a page do not
        pile them up; past half of their time they are replaced.
        """
        with self._lock:
            now = self._clock()
            self._unused = {token: held for token, held in self._unused.items() if held[1] > now}
            fresh = now + self._seconds / 2
            tokens = [t for t, (p, end) in self._unused.items() if p == place and end > fresh][:count]
            while len(tokens) < count:
                tokens.append(self._add(place, now + self._seconds))
            return tokens

    def redeem(self, token: str) -> Place:
        """Use a token up and say where it leads.

        Raises:
            UploadRefused: It was never issued, is used, has expired, or its session is over.
        """
        with self._lock:
            place, end = self._unused.pop(token, (None, 0.0))
        if place is None or end <= self._clock():
            raise UploadRefused("This upload's permission is used up or has expired; reload the page and try again.")
        return place

    def revoke(self, session: str, uploader: str | None = None) -> None:
        """Forget every token of a session, or of one uploader in it."""
        with self._lock:
            self._unused = {
                token: (place, end)
                for token, (place, end) in self._unused.items()
                if place.session != session or uploader not in {None, place.uploader}
            }

    def _add(self, place: Place, end: float) -> str:
        of_session = [t for t, (p, _) in self._unused.items() if p.session == place.session]
        for oldest in of_session[: len(of_session) - TOKENS_PER_SESSION + 1]:
            del self._unused[oldest]
        token = secrets.token_urlsafe(32)
        self._unused[token] = (place, end)
        return token
