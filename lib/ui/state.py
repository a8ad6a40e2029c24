"""The view: what is looked at and how, the same on every page, and all of it in the URL.

The URL is read where a person went somewhere: at the start, on Back and Forward, and where a link leads to another
page. In all other runs the session's view holds and is written to it, for the URL that comes with a run may be older
than what a control has just said. One action is one entry of the browser's history.

What a link asks for and there is not is remembered when its control is first drawn, and said by the frame until the
person chooses something there.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

T = TypeVar("T")

_FIRST = {"selectbox": "index", "radio": "index", "select_slider": "value"}
"""What the controls' first value is called, "default" in all others. It is said with every drawing, beside the value
that the session holds: where a run is cut short by the next, the browser knows no other."""

_VIEW, _WRITTEN, _PAGE = "view", "view-written", "view-page"
_LINKED, _UNMET = "view-linked", "view-unmet"
_DEFAULTS = "view-defaults"
_NOTHING = "none"
"""None of several, in the URL."""
DATASET, VECTORS = "dataset", "vectors"
"""The parameters that name what is open: a dataset of predictions, and a set of vectors beside it."""
OF_VECTORS = "v_"
"""How the names of all other parameters begin that are about the set of vectors."""


def read_view(page: str, first: str) -> None:
    """Take over the URL where a person went to it. Call once, at the start of a run of that page, before any control.

    Args:
        page: the page's path in the URL.
        first: the dataset of a URL without one; empty for none.
    """
    moved = st.session_state.get(_PAGE) != page
    st.session_state[_PAGE] = page
    if moved:
        # The controls of another page are other widgets to Streamlit, which would begin at their first options.
        forget_controls()
    said = st.query_params.to_dict()
    context = get_script_run_ctx()
    went = _VIEW not in st.session_state or (context is not None and context.is_history_navigation)
    if went and first and VECTORS not in said:
        said = {"dataset": first, **said}
    if went or (moved and said and said != st.session_state.get(_WRITTEN)):
        restart(said)
        # That a dataset is gone is said where it would have been.
        st.session_state[_LINKED] = {
            name: value for name, value in said.items() if value and name not in (DATASET, VECTORS)
        }


def write_view() -> None:
    """Put the view into the URL. Call at the end of a run, also of one that is stopped, but not before another run."""
    view = current()
    if st.query_params.to_dict() != view:
        st.query_params.from_dict(view)
    st.session_state[_WRITTEN] = view


def current() -> dict[str, str]:
    """A copy of the view, for a link to another page of it."""
    return {name: value for name, value in st.session_state.get(_VIEW, {}).items() if value}


def page() -> str:
    """The path of the page that is drawn."""
    return str(st.session_state.get(_PAGE, ""))


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
    for kept in (_LINKED, _UNMET):
        st.session_state.get(kept, {}).pop(name, None)
    st.session_state.pop(_key(name), None)


def restart(view: dict[str, str]) -> None:
    """Begin a new view, for instance of another dataset."""
    forget_controls()
    st.session_state[_VIEW] = dict(view)
    st.session_state[_LINKED], st.session_state[_UNMET] = {}, {}


def look_at(half: str, token: str) -> None:
    """Look at another dataset, or another set of vectors; the half of the view that is about the other one stays.

    Args:
        half: `DATASET` or `VECTORS`.
        token: what is looked at; empty for nothing.
    """
    kept = {name: value for name, value in current().items() if _is_of_vectors(name) != (half == VECTORS)}
    restart(kept | ({half: token} if token else {}))


def _is_of_vectors(name: str) -> bool:
    return name == VECTORS or name.startswith(OF_VECTORS)


def judge(name: str, shown: str, *, fits: bool) -> None:
    """Compare what a link asked for with what there is, once for a link: by each control, and where there is none.

    Args:
        name: the parameter's name in the URL.
        shown: what is shown, in words.
        fits: whether that is what the view says.
    """
    said = st.session_state.get(_LINKED, {}).pop(name, None)
    if said is not None and not fits:
        st.session_state[_UNMET][name] = (said, shown)


def unmet() -> str:
    """What of the link could not be applied, and what is shown instead, in a sentence; "" where all was."""
    parts = [f"{name} = {said} (shown instead: {shown})" for name, (said, shown) in st.session_state[_UNMET].items()]
    return f"Not all of the link fits this dataset: {'; '.join(parts)}." if parts else ""


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
        default: the value that need not be in the URL. Where it changes, the control goes with it until a person has
            chosen.
        draw: `st.selectbox`, `st.radio`, `st.segmented_control` or `st.pills`, of `st` or of a container.
        words: how a value is shown.
        always: write the value to the URL even where it is the default, for defaults that depend on the data.
        kwargs: for the control.
    """
    said = get(name, default)
    wanted = said if said in options else default if default in options else options[0]
    judge(name, words(wanted), fits=said == wanted)
    key = _key(name)
    if st.session_state.get(key) not in options or _is_former_default(name, default):
        st.session_state[key] = wanted
    st.session_state.setdefault(_DEFAULTS, {})[name] = default
    held = st.session_state[key]
    first = _FIRST.get(draw.__name__, "default")
    start = {first: list(options).index(held) if first == "index" else held}
    chosen = draw(label, options, key=key, format_func=words, **start, **kwargs)
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
        asked = [each for each in said.split(",") if each and each != _NOTHING]
        wanted = [each for each in asked if each in options] if said else list(default)
        judge(name, ", ".join(map(words, wanted)) or _NOTHING, fits=wanted == asked)
        st.session_state[key] = wanted
    held = [each for each in st.session_state[key] if each in options]
    chosen = draw(label, options, key=key, format_func=words, default=held, selection_mode="multi", **kwargs)
    values = [option for option in options if option in (chosen or [])]
    _say(name, ",".join(values) or _NOTHING, ",".join(default) or _NOTHING)
    return values


def slide(
    name: str, label: str, low: float, high: float, step: float, *, default: float, draw: Any = None, **kwargs: Any
) -> float:
    """A slider over numbers that lives in the URL."""
    key = _key(name)
    if key not in st.session_state:
        try:
            said = float(get(name, str(default)))
        except ValueError:
            said = math.nan
        wanted = default if math.isnan(said) else said
        steps = round((min(max(wanted, low), high) - low) / step)
        held = round(low + steps * step, 10)
        judge(name, f"{held:g}", fits=math.isclose(held, said, abs_tol=1e-9))
        st.session_state[key] = held
    value = float((draw or st.slider)(label, low, high, st.session_state[key], step=step, key=key, **kwargs))
    _say(name, f"{value:g}", f"{default:g}")
    return value


def number(name: str, label: str, step: float, *, placeholder: str = "any", **kwargs: Any) -> float | None:
    """A field for any number, or none, that lives in the URL; `placeholder` says what none means."""
    key = _key(name)
    if key not in st.session_state:
        try:
            wanted = float(get(name, "nan"))
        except ValueError:
            wanted = math.nan
        if wanted < kwargs.get("min_value", -math.inf):
            wanted = math.nan
        judge(name, placeholder, fits=math.isfinite(wanted))
        st.session_state[key] = wanted if math.isfinite(wanted) else None
    held = st.session_state[key]
    value = st.number_input(label, step=step, key=key, value=held, placeholder=placeholder, **kwargs)
    _say(name, "" if value is None else f"{value:.10g}", "")
    return value


def slide_between(
    name: str, label: str, options: Sequence[str], *, words: Callable[[str], str], draw: Any = None, **kwargs: Any
) -> tuple[str, str]:
    """A slider for a range of ordered texts that lives in the URL as `first..last`."""
    key = _key(name)
    whole = (options[0], options[-1])
    held = st.session_state.get(key)
    if held is None or any(each not in options for each in held):
        first, _, last = get(name, "..".join(whole)).partition("..")
        ends = (first if first in options else whole[0], last if last in options else whole[1])
        if options.index(ends[0]) > options.index(ends[1]):
            ends = whole
        judge(name, f"{words(ends[0])} to {words(ends[1])}", fits=ends == (first, last))
        st.session_state[key] = ends
    held = st.session_state[key]
    first, last = (draw or st.select_slider)(label, options, value=held, key=key, format_func=words, **kwargs)
    _say(name, f"{first}..{last}", "..".join(whole))
    return str(first), str(last)


def _is_former_default(name: str, default: str) -> bool:
    """Whether a control stands at what was its default, and nobody has chosen that: saying so would be a step."""
    held, before = st.session_state.get(_key(name)), st.session_state.get(_DEFAULTS, {}).get(name)
    return not get(name) and held == before != default


def _say(name: str, value: str, default: str, *, always: bool = False) -> None:
    view = st.session_state.setdefault(_VIEW, {})
    notes = st.session_state[_UNMET]
    if name in notes and view.get(name) not in (value, notes[name][0]):
        # What is shown instead was changed by hand.
        del notes[name]
    # What a link has said stays said: taking a default away again would be a step in the browser's history.
    if value != default or always or name in view:
        view[name] = value


def _key(name: str) -> str:
    return f"control:{name}"
