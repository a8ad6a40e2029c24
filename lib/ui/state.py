"""The view: what is looked at and how, the same on every page, and all of it in the URL.

The URL wins when it says something new (a link was followed); otherwise the session's view is written to it, also
after a change of page, which clears it.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import streamlit as st

T = TypeVar("T")

_VIEW, _WRITTEN, _PAGE = "view", "view-written", "view-page"


def read_view(page: str) -> None:
    """Take over what the URL says anew. Call once, at the start of a run of that page, before any control."""
    view = st.session_state.setdefault(_VIEW, {})
    if st.session_state.get(_PAGE) != page:
        # The controls of another page are other widgets to Streamlit, which would begin at their first options.
        forget_controls()
        st.session_state[_PAGE] = page
    said = st.query_params.to_dict()
    if said and said != st.session_state.get(_WRITTEN):
        if said.get("dataset", view.get("dataset")) != view.get("dataset"):
            forget_controls()
            view.clear()
        for name, value in said.items():
            view[name] = value
            st.session_state.pop(_key(name), None)


def write_view() -> None:
    """Put the view into the URL. Call at the end of a run, and before one is stopped."""
    view = current()
    if st.query_params.to_dict() != view:
        st.query_params.from_dict(view)
    st.session_state[_WRITTEN] = view


def current() -> dict[str, str]:
    """A copy of the view, for a link to another page of it."""
    return {name: value for name, value in st.session_state.get(_VIEW, {}).items() if value}


def get(name: str, default: str = "") -> str:
    """What the view says under a name."""
    return str(st.session_state.get(_VIEW, {}).get(name, default))


def put(name: str, value: str) -> None:
    """Say something in the view; an empty text takes it away. The control of that name follows in the next run."""
    view = st.session_state.setdefault(_VIEW, {})
    if value:
        view[name] = value
    else:
        view.pop(name, None)
    st.session_state.pop(_key(name), None)


def restart(view: dict[str, str]) -> None:
    """Begin a new view, for instance of another dataset."""
    forget_controls()
    st.session_state[_VIEW] = dict(view)


def forget_controls() -> None:
    """Let every control take its value from the view again."""
    for key in [key for key in st.session_state if str(key).startswith("control:")]:
        # Streamlit still lists the key of a widget that stood on another page, but no longer holds it.
        with contextlib.suppress(KeyError):
            del st.session_state[key]


def choose(
    name: str,
    label: str,
    options: Sequence[str],
    *,
    default: str,
    draw: Callable[..., Any] = st.selectbox,
    words: Callable[[str], str] = str,
    always: bool = False,
    **kwargs: Any,
) -> str:
    """A control for one of several texts that lives in the URL.

    Args:
        name: the parameter's name in the URL.
        label: what the control is called.
        options: the values; at least one.
        default: the value that need not be in the URL.
        draw: `st.selectbox`, `st.radio`, `st.segmented_control` or `st.pills`, of `st` or of a container.
        words: how a value is shown.
        always: write the value to the URL even where it is the default, for defaults that depend on the data.
        kwargs: for the control.
    """
    wanted = get(name, default)
    if wanted not in options:
        wanted = default if default in options else options[0]
    key = _key(name)
    if st.session_state.get(key) not in options:
        st.session_state[key] = wanted
    chosen = draw(label, options, key=key, format_func=words, **kwargs)
    # A segmented control can be emptied by a second click; that means "as it was".
    value = wanted if chosen is None else str(chosen)
    _say(name, value, default, always=always)
    return value


def choose_many(
    name: str,
    label: str,
    options: Sequence[str],
    *,
    default: Sequence[str] = (),
    draw: Callable[..., Any] = st.pills,
    words: Callable[[str], str] = str,
    **kwargs: Any,
) -> list[str]:
    """A control for any of several texts that lives in the URL, separated by commas."""
    key = _key(name)
    if key not in st.session_state:
        said = get(name)
        wanted = [each for each in said.split(",") if each in options] if said else list(default)
        st.session_state[key] = wanted
    chosen = draw(label, options, key=key, format_func=words, selection_mode="multi", **kwargs)
    values = [option for option in options if option in (chosen or [])]
    _say(name, ",".join(values) or "none", ",".join(default) or "none")
    return values


def slide(
    name: str, label: str, low: float, high: float, step: float, *, default: float, draw: Any = None, **kwargs: Any
) -> float:
    """A slider over numbers that lives in the URL."""
    key = _key(name)
    if key not in st.session_state:
        try:
            wanted = float(get(name, str(default)))
        except ValueError:
            wanted = default
        wanted = default if math.isnan(wanted) else wanted
        steps = round((min(max(wanted, low), high) - low) / step)
        st.session_state[key] = round(low + steps * step, 10)
    value = float((draw or st.slider)(label, low, high, step=step, key=key, **kwargs))
    _say(name, f"{value:g}", f"{default:g}")
    return value


def slide_between(
    name: str, label: str, options: Sequence[str], *, words: Callable[[str], str], draw: Any = None, **kwargs: Any
) -> tuple[str, str]:
    """A slider for a range of ordered texts that lives in the URL as `first..last`."""
    key = _key(name)
    held = st.session_state.get(key)
    if held is None or any(each not in options for each in held):
        first, _, last = get(name).partition("..")
        st.session_state[key] = (
            first if first in options else options[0],
            last if last in options else options[-1],
        )
    first, last = (draw or st.select_slider)(label, options, key=key, format_func=words, **kwargs)
    _say(name, f"{first}..{last}", f"{options[0]}..{options[-1]}")
    return str(first), str(last)


def _say(name: str, value: str, default: str, *, always: bool = False) -> None:
    view = st.session_state.setdefault(_VIEW, {})
    if value != default or always:
        view[name] = value
    else:
        view.pop(name, None)


def _key(name: str) -> str:
    return f"control:{name}"
