"""The route that streams an upload to disk, so that a file of any size costs the server no memory.

A request is `POST <base>/api/uploads`, the file's bytes as its body, with two headers: `X-Upload-Token`, a
one-time token that the page issued to its own session, and `X-Upload-Name`, the percent-encoded name. The
reply is JSON: `{"id", "name", "size", "sha256", "next_token"}`, or `{"error", "retry", "next_token"}` with
the error as a sentence. Cookies play no part, so that no other site can act in somebody's name.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from urllib.parse import unquote, urlsplit

import anyio
import anyio.to_thread
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lib.errors import LimitError
from lib.ui.upload_tokens import Place, UploadRefused
from lib.ui.uploads import PartialUpload, UploadStore

TOKEN_HEADER = "x-upload-token"
NAME_HEADER = "x-upload-name"

# Disk and hash work leaves the event loop in blocks of this size; other sessions notice nothing.
_BLOCK = 1 << 20
# A connection that sends nothing for so long is taken for dead.
_SILENCE_SECONDS = 60.0


def route_path(base_url_path: str) -> str:
    """The route's path under Streamlit's `server.baseUrlPath` (which may be empty)."""
    base = base_url_path.strip("/")
    return f"/{base}/api/uploads" if base else "/api/uploads"


def create_upload_route(
    find_store: Callable[[], UploadStore],
    *,
    base_url_path: str = "",
    allowed_origins: Collection[str] = (),
    silence_seconds: float = _SILENCE_SECONDS,
) -> Route:
    """The Starlette route.

    Args:
        find_store: Returns the store to write to; called for each request.
        base_url_path: Streamlit's `server.baseUrlPath`.
        allowed_origins: Origins ("https://host:port") to accept beside the server's own, for proxies that
            change the Host header.
        silence_seconds: After how long without a byte an upload is given up.
    """

    async def receive_upload(request: Request) -> Response:
        if not is_same_origin(request.headers.get("origin"), request.headers.get("host"), allowed_origins):
            return _refuse(
                403,
                "This upload did not come from this server's own page; behind a proxy that changes the Host "
                "header, add the page's address to MARGINALIA_ALLOWED_ORIGINS.",
            )
        store = find_store()
        try:
            place = store.tokens.redeem(request.headers.get(TOKEN_HEADER, ""))
        except UploadRefused as refusal:
            return _refuse(401, str(refusal), retry=True)
        try:
            upload = await _receive(request, store, place, silence_seconds)
        except LimitError as limit:
            return _refuse(413, str(limit), next_token=_next_token(store, place))
        except UploadRefused as refusal:
            return _refuse(400, str(refusal), next_token=_next_token(store, place))
        except ClientDisconnect:
            # Nobody reads this; the partial file is gone already.
            return _refuse(400, "The upload was broken off.")
        return JSONResponse({**upload, "next_token": _next_token(store, place)})

    return Route(route_path(base_url_path), receive_upload, methods=["POST"])


def is_same_origin(origin: str | None, host: str | None, allowed_origins: Collection[str] = ()) -> bool:
    """Whether a request's Origin names the host that it was sent to, or one of the allowed origins.

    Browsers send Origin with every POST and let no page choose it; a request without one is not from our
    page.
    """
    if not origin or not host:
        return False
    if origin.rstrip("/").lower() in {allowed.rstrip("/").lower() for allowed in allowed_origins}:
        return True
    parts = urlsplit(origin)
    return parts.scheme in {"http", "https"} and parts.netloc.lower() == host.lower()


async def _receive(request: Request, store: UploadStore, place: Place, silence_seconds: float) -> dict[str, object]:
    """Write the body to disk; whatever goes wrong, nothing incomplete stays."""
    expected = _content_length(request)
    name = unquote(request.headers.get(NAME_HEADER, ""), errors="replace")
    partial = await anyio.to_thread.run_sync(store.begin, place, name, expected)
    try:
        await _write_body(request, partial, silence_seconds)
        if expected is not None and partial.size != expected:
            raise UploadRefused(f"{partial.name} arrived incomplete; upload it again.")
        upload = await anyio.to_thread.run_sync(partial.commit)
    finally:
        # After a commit this does nothing. It also runs when the server cancels the request at shutdown.
        partial.abort()
    return {"id": partial.upload_id, "name": upload.name, "size": upload.size, "sha256": upload.sha256}


async def _write_body(request: Request, partial: PartialUpload, silence_seconds: float) -> None:
    body = request.stream()
    buffer = bytearray()
    while True:
        try:
            with anyio.fail_after(silence_seconds):
                chunk = await anext(body, None)
        except TimeoutError:
            raise UploadRefused(f"{partial.name} stopped arriving; check the connection and upload it again.") from None
        if chunk is not None:
            buffer += chunk
        if buffer and (chunk is None or len(buffer) >= _BLOCK):
            await anyio.to_thread.run_sync(partial.write, bytes(buffer))
            buffer.clear()
        if chunk is None:
            return


def _content_length(request: Request) -> int | None:
    text = request.headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() else None


def _next_token(store: UploadStore, place: Place) -> str:
    return store.tokens.issue(place, 1)[0]


def _refuse(status: int, sentence: str, *, retry: bool = False, next_token: str | None = None) -> Response:
    return JSONResponse({"error": sentence, "retry": retry, "next_token": next_token}, status_code=status)
