"""The sidebar: the choices that hold on every page."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime

import streamlit as st

from lib.figures.samples import COHORTS, cohort_link
from lib.figures.text import MISSING
from lib.metrics.recalibration_maps import MAP_LABELS, MAP_NAMES, MapName
from lib.scan import Facts
from lib.scan.held import HeldTables
from lib.scan.windows import DAY
from lib.schema import NO_WINDOW, VERSION, WINDOW, Filter, cohort_key
from lib.settings import Settings
from lib.ui import state
from lib.ui.datasets import held_tokens, sample_named, workspace
from lib.ui.html import show_note
from lib.ui.lookup import offer_values
from lib.workspace import SAMPLES, OpenDataset, OpenEmbeddings

ALL = NONE = ""
RECALIBRATION_HELP = (
    "A map from the score to a probability. Every number is of rows that their map has not seen: it is fitted on nine "
    "folds of the id and applied to the tenth."
)
_CLOSED = "closed"
GAMMA_HELP = (
    "The margin that a correct decision should keep. A row whose margin m (y·score; of several classes the true one's "
    "score minus the highest other) is below γ is a violation; hinge loss is max(0, γ − m)."
)


def show_datasets() -> None:
    """The list of datasets: this session's and the samples."""
    names = held_names(held_tokens(), workspace().get, {sample.token: sample.title for sample in SAMPLES})
    present = state.get("dataset")
    present = present if present in names else NONE
    chosen = state.choose(
        "dataset", "Dataset", list(names), default=present, words=names.__getitem__, always=True, draw=st.selectbox
    )
    if chosen != present:
        state.look_at(state.DATASET, chosen)
        st.rerun()


def show_link(opened: OpenDataset) -> None:
    """Who can see this, and the way to take it back."""
    if sample_named(opened.token) is not None:
        show_note("The address of this page is a link to this view.")
        return
    show_note("The address of this page is a link to this view: whoever you give it to sees the dataset.")
    if st.button("Close this dataset", help="Removes its files from the server; links to it no longer work."):
        workspace().close(opened.token)
        state.look_at(state.DATASET, "")
        say_closed(opened.name)
        st.switch_page("pages/home.py")


def say_closed(name: str) -> None:
    """Have the next page say what was closed just now."""
    st.session_state[_CLOSED] = name


def show_closed() -> None:
    """Say, once, which dataset was closed just now."""
    name = st.session_state.pop(_CLOSED, None)
    if name:
        st.success(f"{name} was closed and its files were removed.", icon=":material/check:")


def choose_settings(tables: HeldTables) -> Settings:
    """Baseline, candidate, γ and filter, as chosen."""
    facts = tables.facts
    defaults = Settings.choose(facts)
    baseline = candidate = defaults.baseline
    if len(facts.versions) > 1:
        baseline = state.choose("baseline", "Baseline", facts.versions, default=defaults.baseline)
        candidate = state.choose("candidate", "Candidate", facts.versions, default=defaults.candidate)
    else:
        for name in ("baseline", "candidate"):
            state.judge(name, f"{baseline}, the only version", fits=state.get(name) == baseline)
    gamma = choose_margin_target(tables)
    recalibration = _choose_recalibration(facts)
    return Settings.choose(
        facts,
        baseline=baseline,
        candidate=candidate,
        margin_target=gamma,
        where=_choose_filter(tables, facts),
        recalibration=recalibration,
    )


def _choose_recalibration(facts: Facts) -> MapName | None:
    """The map that makes probabilities: offered where the score is none, on the Calibration page, and once chosen."""
    mapping = facts.mapping
    if mapping.is_multiclass or mapping.label is None:
        state.judge("recalibration", "none, it is of one labelled score", fits=False)
        return None
    is_asked = state.page() == "calibration" or bool(state.get("recalibration"))
    if mapping.score_kind.is_probabilistic and not is_asked:
        return None
    chosen = state.choose(
        "recalibration",
        "Recalibrated by",
        [NONE, *MAP_NAMES],
        default=NONE,
        words=lambda name: next((MAP_LABELS[each] for each in MAP_NAMES if each == name), "Nothing"),
        help=RECALIBRATION_HELP,
    )
    return next((each for each in MAP_NAMES if each == chosen), None)


def _choose_filter(tables: HeldTables, facts: Facts) -> Filter:
    split = ALL
    if facts.splits:
        split = state.choose(
            "split", "Split", [ALL, *facts.splits], default=ALL, words=lambda name: name or "All splits"
        )
    else:
        state.judge("split", "all rows, there are no splits", fits=False)
    cohorts = _choose_cohorts(tables, facts)
    start, end = _choose_windows(tables, facts)
    return Filter(cohorts, split or None, start, end)


def _choose_cohorts(tables: HeldTables, facts: Facts) -> tuple[tuple[str, str], ...]:
    """The cohorts that must all hold: the first, and within what is chosen one of another column."""
    chosen: dict[str, str] = {}
    # Saved cells have no tables in which cohorts cross.
    places = COHORTS[:1] if facts.saved else COHORTS
    for place, (of_column, of_value) in enumerate(COHORTS):
        left = [column for column in facts.cohorts if column not in chosen]
        is_offered = place == 0 or len(chosen) == place or bool(state.get(of_column))
        if (of_column, of_value) not in places or not left or not is_offered:
            state.judge(of_column, "all rows, there are no cohorts" if not facts.cohorts else "one cohort", fits=False)
            continue
        before = state.get(of_column)
        column = state.choose(
            of_column,
            "And only" if place else "Only one cohort",
            [ALL, *left],
            default=ALL,
            words=lambda name: name or "All cohorts",
        )
        if column != before:
            # Another column may have the same value; nobody chose it there.
            state.put(of_value, "")
        value = _choose_cohort(tables, column, of_value) if column else None
        if value is not None:
            chosen[column] = value
        elif not column:
            state.judge(of_value, "all cohorts", fits=False)
    return tuple(chosen.items())


def _choose_cohort(tables: HeldTables, column: str, name: str) -> str | None:
    held = sorted(set(tables.cells((VERSION, cohort_key(column))).groups[cohort_key(column)].tolist()))
    said = state.get(name)
    offer = offer_values(tables, column, held, "filter", keep="" if said == MISSING else said)
    values = {value or MISSING: value for value in offer.values}
    chosen = state.choose(
        name,
        column,
        [ALL, *values],
        default=ALL,
        words=lambda text: offer.words(values[text]) if text else "All cohorts",
    )
    return values.get(chosen)


def look_at(*cohorts: tuple[str, str]) -> None:
    """Make some cohorts the filter of every page, within those of other columns that are chosen."""
    held = [(state.get(of_column), state.get(of_value)) for of_column, of_value in COHORTS]
    kept = [(column, value) for column, value in held if column and value and column not in dict(cohorts)]
    link = cohort_link((*kept, *cohorts)[-len(COHORTS) :])
    for name in itertools.chain(*COHORTS):
        state.put(name, link.get(name, ""))
    # The Cohorts page compares those of another column, unless one asks for this again.
    state.put("by", "")


def _choose_windows(tables: HeldTables, facts: Facts) -> tuple[int | None, int | None]:
    if facts.windows is None:
        state.judge("windows", "all rows, there are no times", fits=False)
        return None, None
    found = set(tables.cells((VERSION, WINDOW)).groups[WINDOW].tolist()) - {NO_WINDOW}
    starts = [str(start) for start in sorted(found)]
    if len(starts) < 2:
        return None, None
    width = facts.windows.width
    first, last = state.slide_between(
        "windows",
        f"From … to (UTC, by {facts.windows.words})",
        starts,
        words=lambda start: window_words(int(start), width),
    )
    if (first, last) == (starts[0], starts[-1]):
        return None, None
    return int(first), int(last) + width


def window_words(start: int, width: int) -> str:
    """A window by its day, from whose first moment it runs; below a day by the times between which it lies.

    Either end of a range is a window that belongs to it, so that the last one's end has to be seen as well.
    """
    moment, end = datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(start + width, UTC)
    if width % DAY == 0:
        return f"{moment:%d %b %Y}"
    return f"{moment:%d %b %H:%M}–{'24:00' if (start + width) % DAY == 0 else f'{end:%H:%M}'}"


def choose_margin_target(tables: HeldTables) -> float:
    """γ, in steps at which it is exact."""
    step = max(0.02, tables.cells((VERSION,)).resolution.step)
    return state.slide("gamma", "Margin target γ", 0.0, 3.0, step, default=1.0, help=GAMMA_HELP)


def held_names(
    tokens: Iterable[str], find: Callable[[str], OpenDataset | OpenEmbeddings | None], samples: Mapping[str, str]
) -> dict[str, str]:
    """What each thing that can be chosen is called, by its token; Streamlit tells options apart by their words.

    Args:
        tokens: what this session holds, opened, drafts and samples.
        find: what is open under a token.
        samples: titles of the samples by token, which stand last.
    """
    names = {NONE: "None yet"}
    for token in tokens:
        opened, draft = find(token), workspace().draft(token)
        name = opened.name if opened else f"{draft.name}, not open yet" if draft else ""
        if name and token not in samples:
            words = [name, *(f"{name} ({number})" for number in range(2, len(names) + 2))]
            names[token] = next(each for each in words if each not in names.values())
    return names | {token: f"Sample: {title}" for token, title in samples.items()}
