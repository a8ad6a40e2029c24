"""Where files are dropped on a page: streamed to disk under the server entry, through memory elsewhere."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, cast

import streamlit as st
from streamlit import config, runtime
from streamlit.components.v2 import component as define_component
from streamlit.components.v2.types import ComponentRenderer
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile

from lib.errors import MarginaliaError
from lib.ui.upload_folder import upload_store
from lib.ui.upload_names import format_size
from lib.ui.upload_tokens import Place
from lib.ui.uploads import Upload, UploadStore

__all__ = ["Upload", "announce_upload_route", "drop_ended_sessions", "render_uploader"]

FORMATS = "CSV, TSV, JSONL, Parquet, Arrow, NPY, NPZ or safetensors; plain, gzip or zstd"

_ASSETS = Path(__file__).parent / "assets"
_TOKENS = 2

_route: str | None = None


class _Writer:
    """Lets `shutil.copyfileobj` write into a partial upload."""

    def __init__(self, write: Any) -> None:
        self.write = write


def announce_upload_route(path: str | None) -> None:
    """Tell pages of this process where the streaming route is (None: there is none)."""
    global _route
    _route = path


def render_uploader(key: str, *, label: str = "Choose files", hint: str = FORMATS) -> list[Upload]:
    """Draw the uploader and return the complete files that it holds, in order of arrival.

    The files stay until their owner removes them or the session ends; the same list comes back on every
    rerun, also after a visit to another page. While files are arriving the page is not rerun; it is once,
    when the last is complete. Not for use inside `st.form`.

    Args:
        key: Streamlit key; uploaders with different keys hold different files.
        label: Text of the button.
        hint: What may be uploaded, in a few words.
    """
    context = get_script_run_ctx()
    place = Place(context.session_id if context else "no session", key)
    try:
        store = upload_store()
        drop_ended_sessions()
        if _route is None:
            return _render_plain(store, place, label, hint)
        return _render_streaming(store, place, _route, label, hint)
    except MarginaliaError as error:
        st.error(str(error))
        return []


def drop_ended_sessions() -> None:
    """Delete the uploads of sessions that are over: closed, and past the time in which they could come back."""
    if runtime.exists():
        grace = float(config.get_option("server.disconnectedSessionTTL")) + 60
        upload_store().drop_ended(runtime.get_instance().is_active_session, grace)


def _render_streaming(store: UploadStore, place: Place, route: str, label: str, hint: str) -> list[Upload]:
    element_key = f"{place.uploader}:streamed"

    def take_changes() -> None:
        # Runs before the script, so that the page sees the change in the same run.
        state = st.session_state.get(element_key)
        store.accept(place, _ids(getattr(state, "completed", None)))
        store.remove(place, _ids(getattr(state, "removed", None)))

    _component()(
        key=element_key,
        data={
            "url": route,
            "tokens": store.tokens.issue(place, _TOKENS),
            "label": label,
            "hint": hint,
            "max_bytes": store.limits.max_file,
            "files": [{"id": i, "name": u.name, "size": u.size} for i, u in store.uploads(place).items()],
        },
        on_completed_change=take_changes,
        on_removed_change=take_changes,
        # The browser has none left that work, whatever the store believes.
        on_refresh_change=lambda: store.tokens.revoke(place.session, place.uploader),
    )
    return list(store.uploads(place).values())


@cache
def _component() -> ComponentRenderer:
    html, css, js = ((_ASSETS / f"uploader.{kind}").read_text("utf-8") for kind in ("html", "css", "js"))
    return define_component("marginalia_uploader", html=html, css=css, js=js)


def _ids(value: object) -> list[str]:
    """What a browser sent, reduced to a list of strings."""
    return [item for item in cast(Sequence[object], value) if isinstance(item, str)] if isinstance(value, list) else []


def _render_plain(store: UploadStore, place: Place, label: str, hint: str) -> list[Upload]:
    """Streamlit's own uploader as an inbox: what arrives is copied to the session's folder, then let go.

    Each arrival gives the inbox a new key, which makes Streamlit forget the files it holds in memory.
    """
    turn_key, said_key = f"{place.uploader}:turn", f"{place.uploader}:said"
    turn = int(st.session_state.get(turn_key, 0))
    inbox_key = f"{place.uploader}:plain:{turn}"

    def take_files() -> None:
        said: list[str] = []
        for file in cast(list[UploadedFile], st.session_state.get(inbox_key) or []):
            try:
                _copy_to_disk(store, place, file)
            except MarginaliaError as error:
                said.append(str(error))
        st.session_state[said_key] = said
        st.session_state[turn_key] = turn + 1

    st.file_uploader(f"{label} ({hint})", accept_multiple_files=True, key=inbox_key, on_change=take_files)
    for sentence in st.session_state.get(said_key, []):
        st.error(sentence)
    held = store.uploads(place)
    for upload_id, upload in held.items():
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.text(f"{upload.name} · {format_size(upload.size)}")
            st.button(
                "Remove",
                key=f"{place.uploader}:remove:{upload_id}",
                help=f"Remove {upload.name}",
                on_click=store.remove,
                args=(place, [upload_id]),
            )
    return list(held.values())


def _copy_to_disk(store: UploadStore, place: Place, file: UploadedFile) -> None:
    partial = store.begin(place, file.name, file.size)
    try:
        file.seek(0)
        # Not getbuffer(), which would hold the file twice.
        shutil.copyfileobj(file, _Writer(partial.write), 1 << 20)
        partial.commit(accepted=True)
    finally:
        partial.abort()
