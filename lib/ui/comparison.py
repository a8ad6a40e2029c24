"""Pieces of the Comparison page: which samples, the table of metrics, the ledger of flips, who disagrees, the parts."""

from __future__ import annotations

import streamlit as st

from lib.comparisons import Comparison, Samples
from lib.diagnose import PAIRED_AT_ONCE, Diagnosis
from lib.figures.comparison_view import (
    MOVES,
    ComparisonView,
    auc_words,
    change_words,
    comparison_provenance,
    flips_words,
    name_of_sample,
    sample_values,
)
from lib.figures.decomposition import plot_decomposition
from lib.figures.decomposition_view import DecompositionView
from lib.figures.format import format_count, format_family, format_plural, format_scales, format_share
from lib.figures.margin_map import plot_margin_map
from lib.figures.text import MISSING
from lib.metrics.catalogue import METRICS
from lib.metrics.comparison import Flips
from lib.metrics.decomposition import why_not
from lib.metrics.margin_map import KINDS, count_sides, margin_map
from lib.metrics.verdicts import PER_CENT, POINTS
from lib.scan import Scan
from lib.scan.pairs import MOST_ROWS, list_moved
from lib.schema import SPLIT, VERSION, WINDOW, cohort_key
from lib.ui import state
from lib.ui.cohorts import estimate_cell
from lib.ui.downloads import offer_csv
from lib.ui.figure import current_look, show_figure
from lib.ui.findings import explaining, show_cards
from lib.ui.html import Cell, Column, show_long_table, show_note, show_table
from lib.ui.jobs import begin, settle

PAIRS = "comparison"
"""The job that joins two versions on their ids."""
FEW = 8
"""So many cohort values are shown in a table of disagreement."""
KIND_WORDS = {"wrong": "Wrong", "short": "Right, short of γ", "clear": "At or beyond γ"}


def choose_samples(diagnosis: Diagnosis) -> Samples | None:
    """Baseline and candidate, or two splits, windows or cohorts of the candidate; None where there are no two."""
    facts, settings = diagnosis.facts, diagnosis.settings
    held = {column for column, _value in settings.where.cohorts}
    keys = [VERSION] if diagnosis.is_compared else []
    keys += [SPLIT] if len(facts.splits) > 1 and settings.where.split is None else []
    keys += [WINDOW] if facts.windows is not None else []
    keys += [cohort_key(column) for column in facts.cohorts if column not in held]
    values = {key: sample_values(diagnosis, key) for key in keys}
    keys = [key for key in keys if len(values[key]) > 1]
    if not keys:
        return None
    kinds = {VERSION: "Versions", SPLIT: "Splits", WINDOW: "Windows"}
    words = kinds | {cohort_key(column): f"Values of {column}" for column in facts.cohorts}
    with st.container(horizontal=True):
        key = state.choose("compare", "Compare", keys, default=keys[0], words=words.__getitem__)
        if key == VERSION:
            return Samples(key, settings.baseline, settings.candidate)
        blank = Samples(key, "", "")

        def named(value: str) -> str:
            return name_of_sample(blank, value)

        own = values[key]
        before = state.choose("before", "Baseline", own, default=own[0], words=named)
        others = [each for each in own if each != before]
        after = state.choose("after", f"Candidate, in {settings.candidate}", others, default=others[-1], words=named)
    return Samples(key, before, after)


def read_pairs(diagnosis: Diagnosis) -> None:
    """Pair rows by id: at once of few, at a person's wish of many, with progress and cancel."""
    if not diagnosis.can_pair or diagnosis.facts.n_rows <= PAIRED_AT_ONCE:
        return
    job = settle(PAIRS)
    if job is not None and job.problem:
        st.error(job.problem)
    if diagnosis.pairs is not None:
        return

    def pair() -> None:
        begin(PAIRS, "Pairing rows", lambda run, report: diagnosis.read_pairs(run=run, on_progress=report))

    st.button(
        f"Pair {format_plural(diagnosis.facts.n_rows, 'row')} by id",
        on_click=pair,
        help="Joins the two versions: flips, and narrower intervals. It can be cancelled, and is done once",
    )


def choose_tolerances() -> tuple[float, float]:
    """The two non-inferiority margins."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        points = state.slide(
            "points", "Tolerated, of shares and indices, in points", 0.0, 5.0, 0.1, default=POINTS, width=320
        )
        per_cent = state.slide(
            "per_cent", "Tolerated, of losses and scores, in per cent", 0.0, 20.0, 0.5, default=PER_CENT, width=320
        )
    return points, per_cent


def show_metrics(view: ComparisonView) -> None:
    """Every metric of both, its change and the verdict."""
    first, second = view.names
    heads = [
        Column("Metric"),
        Column("Verdict", "Beyond chance, corrected for all numbers judged; beneath it what is tolerable"),
        Column("Change", "With its 95 % interval"),
        Column(first),
        Column(second),
    ]
    rows: list[list[Cell]] = []
    for row in view.rows:
        change, around = change_words(row.change.estimate, row.metric.unit)
        how = "" if row.change.is_paired or not view.is_paired else ", unpaired"
        rows.append(
            [
                Cell(row.metric.label),
                Cell(row.verdict, row.beside, row.tone, wordy=True),
                Cell(change, f"{around}{how}" if row.change.estimate.is_defined else around),
                estimate_cell(row.before, row.metric.unit),
                estimate_cell(row.after, row.metric.unit),
            ]
        )
    show_table(heads, rows)
    judged = len(view.comparison.p_values)
    scales = ""
    diagnosis = view.comparison.diagnosis
    if any(row.verdict == "not comparable" for row in view.rows):
        scales = format_scales(first, second, diagnosis.scale_ratio)
    show_note(f"{format_family(judged)} Each interval is of its number alone." if judged else "", scales)
    provenance = comparison_provenance(view.comparison)
    offer_csv(view.frame, "comparison", provenance=provenance, key="comparison:csv")


def show_ledger(view: ComparisonView, flips: Flips) -> None:
    """Fixed, broken, right and wrong in both, with the rows of each; the map of margins; γ's quadrants."""
    st.subheader("Flips", anchor=False)
    first, second = view.names
    comparison = view.comparison
    show_note(*flips_words(flips), auc_words(comparison))
    diagnosis, pairs = comparison.diagnosis, comparison.pairs
    if pairs is None or pairs.cells is None or not flips.n_labelled:
        return

    def cell(n: int, tone: str = "") -> Cell:
        return Cell(format_count(n), format_share(n / flips.n_labelled), tone)

    show_table(
        [Column(f"In {first}"), Column(f"Right in {second}"), Column(f"Wrong in {second}")],
        [
            [Cell("Right"), cell(flips.both_right), cell(flips.broken, "worse" if flips.broken else "")],
            [Cell("Wrong"), cell(flips.fixed, "better" if flips.fixed else ""), cell(flips.both_wrong)],
        ],
    )
    _show_moved(comparison)
    gamma = diagnosis.settings.margin_target
    found = margin_map(pairs.cells)
    if found is not None:
        show_figure(
            plot_margin_map(view, found, flips, gamma, current_look(), comparison_provenance(comparison)),
            "margin-map-figure",
            name="margins-before-and-after",
            table=found.frame(),
        )
    sides = count_sides(pairs.cells, gamma)
    words = list(KIND_WORDS.values())
    show_table(
        [Column(f"In {first}"), *(Column(f"{each} in {second}") for each in words)],
        [
            [Cell(words[row]), *(cell(int(sides.n[row, column])) for column in range(len(KINDS)))]
            for row in range(len(KINDS))
        ],
    )
    if sides.doubt:
        show_note(f"Of {format_plural(sides.doubt, 'row')} the bins do not tell on which side of γ they are.")


def _show_moved(comparison: Comparison) -> None:
    """The rows of one kind of flip, as they stand in the file, those whose margin changed most first."""
    scan, pairs = comparison.diagnosis.tables, comparison.pairs
    if not isinstance(scan, Scan) or pairs is None:
        return
    found = {name: pairs.count(before, after) for name, (before, after, _words) in MOVES.items()}
    moves = [name for name, n in found.items() if n]
    if not moves:
        return
    words = {name: f"{MOVES[name][2]} ({format_count(found[name])})" for name in moves}
    move = state.choose("flip", "Rows that are", moves, default=moves[0], words=words.__getitem__)
    before, after, _words = MOVES[move]
    listed = list_moved(scan, pairs.move(before, after).head(MOST_ROWS))
    if scan.dataset.tables[1:] == ():
        listed = listed.drop(columns="file")
    st.dataframe(listed, hide_index=True, height="content" if len(listed) < 8 else 320)
    if found[move] > len(listed):
        show_note(f"The {len(listed)} whose margin changed most are listed, largest change first.")
    offer_csv(listed, f"rows-{move}", provenance=comparison_provenance(comparison), key="flip:csv")


def show_disagreement(comparison: Comparison) -> None:
    """How often decisions differ by cohort, for the columns that have pairs."""
    columns = [column for column in comparison.columns if comparison.disagreement(column) is not None]
    if not columns:
        return
    st.subheader("Who disagrees most", anchor=False)
    column = state.choose("disagree", "By", columns, default=columns[0], draw=st.segmented_control)
    found = comparison.disagreement(column)
    if found is None:
        return
    heads = [
        Column(column),
        Column("Rows in both"),
        Column("Another decision", "Share of rows in both, with a 95 % interval"),
        Column("Fixed"),
        Column("Broken"),
        Column("p, adjusted", "Fisher's exact test that it is more often than in the rest, adjusted for all values"),
    ]
    rows = [
        [
            Cell(value or MISSING),
            Cell(format_count(flips.n)),
            estimate_cell(share),
            Cell(format_count(flips.fixed)),
            Cell(format_count(flips.broken)),
            Cell(f"{p:.2g}" if p == p else "undefined", "" if p == p else "no rest"),
        ]
        for value, flips, share, p in zip(found.value, found.flips, found.share, found.p_adjusted.tolist(), strict=True)
    ]
    show_long_table(heads, rows, FEW, "value")


def show_parts(comparison: Comparison) -> None:
    """A metric's change in parts, as a waterfall, and the cohorts it is made of."""
    columns = comparison.columns
    if not columns:
        return
    st.subheader("What the change is made of", anchor=False)
    settings = comparison.diagnosis.metric_settings
    metrics = {
        metric.name: metric.label
        for metric in METRICS
        if not why_not(metric, settings) and comparison.is_comparable(metric.name)
    }
    first = "violation_rate" if "violation_rate" in metrics else "accuracy"
    with st.container(horizontal=True):
        column = state.choose("parts_by", "Cohorts of", columns, default=columns[0])
        metric = state.choose("parts_of", "Change of", list(metrics), default=first, words=metrics.__getitem__)
    with st.spinner("Telling the change in parts", show_time=True):
        view = DecompositionView.of(comparison, column, metric)
    if view.paradox():
        st.warning(view.paradox(), icon=":material/swap_vert:")
    provenance = comparison_provenance(comparison)
    show_figure(
        plot_decomposition(view, current_look(), provenance),
        "parts-figure",
        name=f"parts-of-{metric}",
        table=view.frame(),
    )
    if comparison.is_of_versions and (found := explaining(comparison.diagnosis, column)):
        st.markdown("**What may explain it**")
        show_cards(found, comparison.diagnosis)
    if view.found is None:
        return
    show_note(view.order())
    first, second = view.names
    heads = [Column(column), Column(f"Share of {first}"), Column(f"Share of {second}"), Column(first), Column(second)]
    unit = view.metric.unit
    rows = [
        [
            Cell(value or MISSING),
            Cell(before),
            Cell(after),
            estimate_cell(old, unit),
            estimate_cell(new, unit),
            Cell(*change_words(change, unit)),
        ]
        for value, before, after, old, new, change in view.rows()
    ]
    with st.expander(f"{view.metric.label} of each {column}"):
        show_table([*heads, Column("Change", "Of two independent samples, with its 95 % interval")], rows)
