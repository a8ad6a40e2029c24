"""Each figure on real results: framed, bounded, harmless, and honest where there is nothing to draw."""

from __future__ import annotations

import ast
import itertools
import json
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray

from lib import __version__
from lib.checks import run_checks
from lib.diagnose import Diagnosis
from lib.figures.cohorts import plot_cohorts
from lib.figures.cohorts_view import CohortsView
from lib.figures.format import PER_CENT, format_loss, format_plural
from lib.figures.frame import PAD, filter_words, provenance_line
from lib.figures.gradient_shares import plot_gradient_shares
from lib.figures.histogram_view import Distribution
from lib.figures.loss_accounting import plot_loss_accounting
from lib.figures.loss_accounting_view import AccountingView
from lib.figures.losses import plot_losses
from lib.figures.losses_view import LossesView
from lib.figures.margins import plot_margins
from lib.figures.margins_view import BY_CLASS, BY_SPLIT, BY_VERSION, MarginsView
from lib.figures.overview import plot_trend
from lib.figures.rows import HIGHEST, LOWEST, Choice, chosen_bars, count_pages, range_options, row_query, rows_sentence
from lib.figures.text import escape, width_of, wrap
from lib.figures.theme import DARK, LIGHT, TITLE_SIZE, Look, Palette, contrast
from lib.figures.windows import plot_windows
from lib.figures.windows_view import WindowsView
from lib.grid import COARSE, FINE, MEDIUM
from lib.metrics.catalogue import METRICS, metric_named
from lib.metrics.loss_functions import LOSSES
from lib.metrics.margins import violation_counts
from lib.scan import Scan, count_rows
from lib.schema import VERSION, Filter, cohort_key
from tests.figures.conftest import HOSTILE, Maker

NOW = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)
LOOKS = [Look(dark, width) for dark in (False, True) for width in (None, 1100, 600, 380)]
OTHERS = tuple(loss.name for loss in LOSSES)
Plot = Callable[[Diagnosis, Look, str], Any]


def windows_of(diagnosis: Diagnosis) -> WindowsView:
    view = WindowsView.of(diagnosis)
    assert view is not None
    return view


PLOTS: dict[str, Plot] = {
    "losses": lambda d, look, p: plot_losses(LossesView.of(d, OTHERS), look, p),
    "gradient_shares": lambda d, look, p: plot_gradient_shares(LossesView.of(d), look, p),
    "loss_accounting": lambda d, look, p: plot_loss_accounting(AccountingView.of(d, LossesView.of(d, OTHERS)), look, p),
    "margins": lambda d, look, p: plot_margins(MarginsView.of(d), look, p),
    "margins by class": lambda d, look, p: plot_margins(MarginsView.of(d, BY_CLASS), look, p),
    "margins by split": lambda d, look, p: plot_margins(MarginsView.of(d, BY_SPLIT), look, p),
    "margins by cohort": lambda d, look, p: plot_margins(MarginsView.of(d, cohort_key(d.facts.cohorts[0])), look, p),
    "cohorts": lambda d, look, p: plot_cohorts(CohortsView.of(d, d.facts.cohorts[-1]), look, p),
    "cohorts by AUC": lambda d, look, p: plot_cohorts(CohortsView.of(d, d.facts.cohorts[0], "roc_auc"), look, p),
}
TIMED: dict[str, Plot] = {
    "windows": lambda d, look, p: plot_windows(windows_of(d), look, p),
    "trend": lambda d, look, p: plot_trend(windows_of(d), look, p),
}


def texts(figure: Any) -> list[str]:
    """Every text that plotly would render: values of the figure's JSON, entities undone by nobody."""
    found: list[str] = []

    def walk(value: object) -> None:
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, dict):
            for name, each in value.items():
                if name not in ("template", "meta"):
                    walk(each)
        elif isinstance(value, list | tuple):
            for each in value:
                walk(each)

    walk(json.loads(figure.to_json()))
    return found


def check(figure: Any, provenance: str) -> None:
    layout = figure.layout
    assert len(figure.to_json()) < 300_000
    assert len(figure.data) <= 60
    assert layout.meta["title"]
    assert layout.meta["provenance"] == provenance
    drawn = next(each.text for each in layout.annotations if each.name == "provenance")
    assert drawn.replace("<br>", " · ") == provenance
    assert layout.height - layout.margin.t - layout.margin.b > 0


@pytest.mark.parametrize("look", LOOKS, ids=str)
@pytest.mark.parametrize("name", PLOTS)
def test_every_figure_is_framed_bounded_and_has_its_provenance(digits: Diagnosis, name: str, look: Look) -> None:
    provenance = provenance_line(digits)
    figure = PLOTS[name](digits, look, provenance)
    check(figure, provenance)
    assert figure.layout.template.layout.paper_bgcolor == (DARK if look.dark else LIGHT).paper
    if look.width:
        for line in next(each.text for each in figure.layout.annotations if each.name == "title").split("<br>"):
            assert width_of(line, TITLE_SIZE) <= look.width - 2 * PAD


@pytest.mark.parametrize("name", [*PLOTS, *TIMED])
def test_every_figure_of_the_incident(incident: Diagnosis, name: str) -> None:
    provenance = provenance_line(incident)
    check({**PLOTS, **TIMED}[name](incident, Look(), provenance), provenance)


AXES = {
    "losses": ("margin m = y · score", {"loss", "gradient", "share of rows"}),
    "gradient_shares": ("share, with 95 % interval", set[str]()),
    "loss_accounting": ("share of the loss, with 95 % interval", set[str]()),
    "margins": ("margin m = y · score", {"share of rows"}),
    "margins by class": ("margin m = y · score", {"share of rows"}),
    "cohorts": ("Violation rate (per cent)", set[str]()),
    "windows": ("time (UTC), per day", {"share of rows", "margin"}),
    "trend": ("time (UTC), per day", {"share of rows"}),
}


@pytest.mark.parametrize("name", AXES)
def test_axes_say_what_they_show_and_in_which_unit(incident: Diagnosis, name: str) -> None:
    figure = {**PLOTS, **TIMED}[name](incident, Look(), "p")
    bottom, sides = AXES[name]
    assert bottom in [axis.title.text for axis in figure.select_xaxes()]
    assert {axis.title.text for axis in figure.select_yaxes() if axis.title.text} == sides
    assert all(axis.ticksuffix == PER_CENT for axis in figure.select_yaxes() if axis.title.text == "share of rows")


def test_provenance_says_where_a_figure_comes_from(incident: Diagnosis) -> None:
    where = Filter(cohorts=(("language", "pt"),), start=1_775_088_000, end=1_775_347_200)
    diagnosis = incident.with_settings(where=where, margin_target=0.5)
    diagnosis.made_at = NOW
    line = provenance_line(diagnosis)
    sha = incident.facts.inputs[0].sha256[:10]
    assert line == (
        f"incident.csv.gz · sha256 {sha} · 2026.04 against 2026.03 · language = pt, 2026-04-02 00:00 to "
        f"2026-04-05 00:00 UTC · γ = 0.5 · Marginalia {__version__} · 2026-11-20 12:30 UTC"
    )
    assert filter_words(Filter()) == "all rows"


# --- the findings that the samples hold ------------------------------------------------------------------------------


def test_the_incident_is_in_the_titles(incident: Diagnosis) -> None:
    cohorts = CohortsView.of(incident, "language")
    assert cohorts.ranked[0] == "pt"
    assert (
        cohorts.answer()
        == "Language pt stands out in 2026.04: violation rate 96.9\xa0%, +83.1\xa0points against the rest."
    )
    title = cast(Any, plot_trend(windows_of(incident), Look(), "p")).layout.meta["title"]
    assert title == (
        "Violation rate rises from 15.3\xa0% in 2026.03 to 21.8\xa0% in 2026.04; "
        "no window stands out from the rest of its version"
    )
    view = WindowsView.of(incident, findings=run_checks(incident))
    assert view is not None
    assert (
        cast(Any, plot_trend(view, Look(), "p"))
        .layout.meta["title"]
        .endswith("; a finding stands out for language = pt in version 2026.04 from 2 to 5 April")
    )
    assert CohortsView.of(incident, "tenant").leader is None


def test_a_figure_over_time_is_about_its_first_metric(incident: Diagnosis) -> None:
    def title_of(*metrics: str) -> str:
        view = WindowsView.of(incident, metrics)
        assert view is not None
        return str(cast(Any, plot_windows(view, Look(), "p")).layout.meta["title"]).replace("\xa0", " ")

    rises = "ises from 15.3 % in 2026.03 to 21.8 % in 2026.04; no window stands out from the rest of its version"
    assert title_of("violation_rate", "recall") == f"Violation rate r{rises}"
    assert title_of("recall").startswith("Recall was lowest on 2026-03-24: 66.8 % (")
    # Of a mean no window is judged, so that none is said not to stand out.
    loss = metric_named("average_hinge_loss")
    places = (incident.versions.groups["version"].tolist().index(each) for each in incident.shown_versions)
    before, after = (format_loss(float(incident.versions[loss.name].value[place])) for place in places)
    assert title_of(loss.name) == f"Average hinge loss rises from {before} in 2026.03 to {after} in 2026.04"


def test_the_losses_page_answers(digits: Diagnosis) -> None:
    view = LossesView.of(digits)
    assert view.answer() == (
        "At γ = 1, hinge has stopped learning from 89\xa0% of the rows of logistic-2; logistic still draws 71\xa0% of "
        "its gradient from correct ones."
    )
    table = view.frame()
    assert {"hinge", "logistic_gradient", "rows"} <= set(table.columns)
    assert table.groupby("version")["rows"].sum().tolist() == [1797, 1797]


@pytest.mark.parametrize("by", [BY_VERSION, BY_CLASS, BY_SPLIT, "cohort:digit"])
@pytest.mark.parametrize("gamma", [0.0, 0.3, 1.0, 2.98])
def test_bars_hold_every_row_once_and_split_at_the_margin_target(digits: Diagnosis, by: str, gamma: float) -> None:
    diagnosis = digits.with_settings(margin_target=gamma)
    view = MarginsView.of(diagnosis, by)
    assert gamma in view.distribution.edges
    for group in view.groups:
        assert group.bars.n.sum() == group.bars.total
        assert np.isclose(group.bars.share.sum(), 1.0)
        assert np.isclose(group.bars.share[group.bars.right <= gamma].sum(), group.violation.value)
    if by in (BY_VERSION, BY_CLASS, BY_SPLIT):
        hits = violation_counts(diagnosis.cells(VERSION), gamma).hits.sum()
        assert sum(group.bars.n[group.bars.right <= gamma].sum() for group in view.groups) == hits


@pytest.mark.parametrize("resolution", [FINE, MEDIUM, COARSE])
@pytest.mark.parametrize("scale", [0.001, 1.0, 30.0, 4e4])
def test_bars_of_any_scale_lie_on_the_steps_of_the_cells(make: Maker, resolution: object, scale: float) -> None:
    rng = np.random.default_rng(4)
    score = rng.normal(size=400) * scale
    diagnosis = make(rng.choice([-1, 1], 400), score, ["a"] * 200 + ["b"] * 200, resolution=resolution)
    distribution = Distribution.of(diagnosis.cells(VERSION), 1.0)
    assert sum(each.n.sum() for each in distribution.bars) == 400
    assert 2 <= len(distribution.edges) <= 300
    assert distribution.most_beyond <= 0.02
    plot_margins(MarginsView.of(diagnosis), Look(), "p")
    plot_losses(LossesView.of(diagnosis), Look(), "p")


def test_a_few_rows_are_no_headline_over_time(make: Maker) -> None:
    rng = np.random.default_rng(2)
    windows = np.repeat(np.arange(20) * 86_400, [8] + 19 * [400])
    score = np.where(rng.random(len(windows)) < 0.1, -1.0, 2.0)
    score[:8] = [-1.0] * 3 + [2.0] * 5
    for fault, words in ((0, "no window stands out"), (400, "was highest on 1970-01-20: 1")):
        score[len(score) - fault :] = -1.0
        diagnosis = make([1] * len(score), score, ["v1"] * len(score), window=windows)
        for plot in TIMED.values():
            assert words in plot(diagnosis, Look(), "p").layout.meta["title"]


def test_tables_of_bars_have_open_ends_and_whole_counts(digits: Diagnosis) -> None:
    for table in (MarginsView.of(digits).frame(), LossesView.of(digits).frame()):
        for _, rows in table.groupby("version"):
            assert (rows["margin_from"].iloc[0], rows["margin_to"].iloc[-1]) == (-np.inf, np.inf)
            assert (rows["margin_from"].to_numpy()[1:] == rows["margin_to"].to_numpy()[:-1]).all()
        assert table["rows"].dtype.kind == "i"
        assert np.isfinite(table.select_dtypes("number").drop(columns=["margin_from", "margin_to"])).all(axis=None)
    for table in (CohortsView.of(digits, "digit").frame(), LossesView.of(digits).shares_frame()):
        assert table["n"].dtype.kind == "i"


def test_what_no_row_has_is_said(make: Maker) -> None:
    diagnosis = make([0, 0], [0.5, 1.0], ["a", "b"], window=[0, 86_400])
    for name, plot in {**PLOTS, **TIMED}.items():
        figure = plot(diagnosis, Look(), "p")
        assert figure.layout.meta["title"].startswith("No row has a label: "), name
        assert not figure.data, name
    only_b = make([0, 1], [0.5, 1.0], ["a", "b"], group=["x", "y"])
    assert MarginsView.of(only_b).nothing == ""
    filtered = only_b.with_settings(candidate="a")
    assert MarginsView.of(filtered).answer() == (
        "No row of what is compared has a label: there are no margins to show."
    )


def test_one_value_is_not_ranked(incident: Diagnosis) -> None:
    one = incident.with_settings(where=Filter(cohorts=(("language", "pt"),)))
    assert CohortsView.of(one, "language").answer() == (
        "Only language pt is left: there are no others to compare it with."
    )


# --- rows behind a bar -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", [BY_VERSION, BY_CLASS, BY_SPLIT, "cohort:ink"])
def test_the_rows_behind_a_bar_are_as_many_as_the_bar_says(digits: Diagnosis, by: str) -> None:
    assert isinstance(digits.tables, Scan)
    view = MarginsView.of(digits, by)
    figure: Any = plot_margins(view, Look(), "p")
    bars = [(number, trace) for number, trace in enumerate(figure.data) if trace.type == "bar"]
    for number, trace in bars[:3]:
        for place in (0, 5, len(trace.x) - 1):
            point = {"curve_number": number, "point_index": place, "customdata": list(trace.customdata[place])}
            choice = chosen_bars(view, [point])
            assert choice is not None
            total = count_rows(digits.tables, row_query(view, choice, digits.settings.where))
            assert f"{total:,}" == trace.customdata[place][1]
            sentence = rows_sentence(view, choice, total)
            assert sentence.startswith(f"{format_plural(total, 'row')} of {choice.group}")


def test_a_selection_of_another_figure_chooses_nothing(digits: Diagnosis) -> None:
    view = MarginsView.of(digits)
    assert chosen_bars(view, []) is None
    assert chosen_bars(view, [{"curve_number": 0}, {"customdata": "abcd", "point_index": 1}]) is None
    assert chosen_bars(view, [{"customdata": ["", "", "", "no such version"], "point_index": 1}]) is None
    assert chosen_bars(view, [{"customdata": ["", "", "", view.groups[0].code], "point_index": 999}]) is None


def test_several_bars_are_one_range(digits: Diagnosis) -> None:
    view = MarginsView.of(digits)
    code = view.groups[0].code
    points = [{"customdata": ["", "", "", code], "point_index": place} for place in (3, 7)]
    options = range_options(view)
    assert chosen_bars(view, points) == Choice("hinge-2", options[3], options[8])
    assert (options[0], options[-1]) == (LOWEST, HIGHEST)
    assert [count_pages(total) for total in (0, 1, 200, 201)] == [1, 1, 1, 2]


# --- what the data may hold ------------------------------------------------------------------------------------------


@pytest.fixture
def hostile(make: Maker) -> Diagnosis:
    rng = np.random.default_rng(1)
    n = 80 * len(HOSTILE)
    return make(
        rng.choice([-1, 1], n),
        rng.normal(size=n),
        rng.choice(HOSTILE[:2], n),
        group=list(itertools.chain.from_iterable([name] * 80 for name in HOSTILE)),
        split=rng.choice(HOSTILE[2:4], n),
        window=rng.integers(0, 5, n) * 86_400,
    )


@pytest.mark.parametrize("name", [*PLOTS, *TIMED])
def test_text_from_data_is_shown_as_it_is(hostile: Diagnosis, name: str) -> None:
    provenance = provenance_line(hostile)
    figure = {**PLOTS, **TIMED}[name](hostile, Look(), provenance)
    check(figure, provenance)
    for text in texts(figure):
        lowered = text.lower()
        assert not any(tag in lowered for tag in ("<script", "<img", "<i>", "bold</b>", "onerror=alert(1)>")), text
        assert "$" not in text
        assert "%{x}" not in text.replace("%{x:.2f}", "")
        assert "é" * 60 not in text


def test_escape() -> None:
    assert escape("<b>a</b> & $x$") == "&lt;b&gt;a&lt;/b&gt; &amp; &#36;x&#36;"
    assert escape("a\nb\u202ec\x00d") == "a bcd"
    assert escape("%{x}") == "%&#123;x}"
    assert len(escape("x" * 500)) == 48
    assert escape("") == ""


def test_wrap_keeps_every_word() -> None:
    text = "Hinge has stopped learning from 89 % of the rows of a_very_long_version_name_that_fits_nowhere"
    lines = wrap(text, 200, TITLE_SIZE)
    assert " ".join(lines) == text
    assert all(width_of(line, TITLE_SIZE) <= 200 or " " not in line for line in lines)


CASES: dict[str, tuple[Sequence[int], Sequence[float], Sequence[str]]] = {
    "one version": ([1, -1, 1, -1], [0.5, -1.0, 2.0, 0.3], ["a"] * 4),
    "one class": ([1, 1, 1, 1], [0.5, -1.0, 2.0, 0.3], ["a", "a", "b", "b"]),
    "one row": ([1], [0.5], ["a"]),
    "all alike": ([1, -1] * 3, [1.0, -1.0] * 3, ["a", "b"] * 3),
    "no labels": ([0, 0, 0], [0.5, 1.0, 2.0], ["a", "b", "b"]),
    "one version without labels": ([0, 0, 1, -1], [0.5, 1.0, 2.0, 1.0], ["a", "a", "b", "b"]),
    "all far right": ([1, -1] * 4, [60.0, -60.0] * 4, ["a", "b"] * 4),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", [*PLOTS, *TIMED])
def test_little_or_nothing_to_draw(make: Maker, case: str, name: str) -> None:
    label, score, version = CASES[case]
    diagnosis = make(label, score, version, window=[86_400 * (place % 3) for place in range(len(label))])
    provenance = provenance_line(diagnosis)
    figure = {**PLOTS, **TIMED}[name](diagnosis, Look(), provenance)
    check(figure, provenance)
    assert not any("nan" in text.lower().split() for text in texts(figure))


@pytest.mark.parametrize("name", [*PLOTS, *TIMED])
def test_a_filter_that_leaves_no_row(incident: Diagnosis, name: str) -> None:
    empty = incident.with_settings(where=Filter(cohorts=(("language", "xx"),)))
    provenance = provenance_line(empty)
    check({**PLOTS, **TIMED}[name](empty, Look(), provenance), provenance)
    for view in (LossesView.of(empty), MarginsView.of(empty), CohortsView.of(empty, "tenant")):
        assert view.answer().endswith(".")
        view.frame()


@pytest.mark.parametrize("metric", [metric.name for metric in METRICS])
def test_cohorts_by_any_metric(digits: Diagnosis, metric: str) -> None:
    view = CohortsView.of(digits, "digit", metric)
    figure: Any = plot_cohorts(view, Look(), "p")
    assert set(view.ranked) == set(digits.cells(VERSION, "cohort:digit").groups["cohort:digit"].tolist())
    assert view.answer().endswith(".")
    assert figure.layout.xaxis.title.text


def test_small_cohorts_are_folded_and_said(make: Maker) -> None:
    rng = np.random.default_rng(2)
    n = 300
    group = np.where(np.arange(n) < 10, "tiny", np.where(np.arange(n) < 150, "a", "b"))
    view = CohortsView.of(make(rng.choice([-1, 1], n), rng.normal(size=n), ["v"] * n, group=group), "group")
    assert view.small == ("tiny",)
    assert view.folded == ("tiny",)
    assert set(view.drawn) == {"a", "b"}
    figure: Any = plot_cohorts(view, Look(), "p")
    assert "1 small cohort" in figure.layout.meta["subtitle"]


def test_many_cohorts_are_capped_and_the_rest_reachable(make: Maker) -> None:
    rng = np.random.default_rng(3)
    n = 200 * 40
    group = [f"c{place % 200}" for place in range(n)]
    view = CohortsView.of(make(rng.choice([-1, 1], n), rng.normal(size=n), ["v"] * n, group=group), "group")
    assert len(view.drawn) == 30
    assert len(view.folded) == 170
    check(plot_cohorts(view, Look(), "p"), "p")


def test_two_hundred_windows_stay_small(make: Maker) -> None:
    n = 200 * 4
    window = [86_400 * (place % 200) for place in range(n)]
    diagnosis = make([1, -1] * (n // 2), np.linspace(-3, 3, n), ["a", "b"] * (n // 2), window=window)
    check(plot_windows(windows_of(diagnosis), Look(), "p"), "p")


def test_a_look_changes_colours_only(digits: Diagnosis) -> None:
    view = MarginsView.of(digits)
    light, dark = (cast(Any, plot_margins(view, look, "p")) for look in (Look(), Look(dark=True)))
    assert [list(a.x) for a in light.data] == [list(b.x) for b in dark.data]
    assert light.layout.height == dark.layout.height
    assert replace(Look(), width=380).is_narrow


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_colours_stand_out_from_the_page(palette: Palette) -> None:
    marks = [
        palette.baseline,
        palette.candidate,
        palette.wrong,
        *palette.classes,
        *palette.series,
        *palette.losses.values(),
    ]
    assert min(contrast(each, palette.paper) for each in marks) >= 3.0
    inks = [palette.ink, palette.soft_ink, palette.faint_ink]
    assert min(contrast(each, palette.paper) for each in inks) >= 4.5


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_colours_are_told_from_each_other(palette: Palette) -> None:
    def oklab(colour: str) -> NDArray[np.float64]:
        # Ottosson, https://bottosson.github.io/posts/oklab: equal distances look equally different.
        part = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
        linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
        cones = [
            [0.4122215, 0.5363325, 0.0514460],
            [0.2119035, 0.6806995, 0.1073970],
            [0.0883025, 0.2817188, 0.6299787],
        ]
        to_lab = [
            [0.2104543, 0.7936178, -0.0040720],
            [1.9779985, -2.4285922, 0.4505937],
            [0.0259040, 0.7827718, -0.8086758],
        ]
        return np.array(to_lab) @ np.cbrt(np.array(cones) @ linear)

    assert oklab("#FF0000") == pytest.approx([0.628, 0.225, 0.126], abs=0.001)
    assert len(set(palette.series)) == 11
    pairs = itertools.combinations([*palette.series, palette.wrong], 2)
    assert min(np.linalg.norm(oklab(one) - oklab(other)) for one, other in pairs) > 0.085


def test_figures_know_no_screen() -> None:
    for path in (Path(__file__).parents[2] / "lib" / "figures").glob("*.py"):
        names = [
            alias.name if isinstance(node, ast.Import) else node.module or ""
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        ]
        assert not any(name.split(".")[0] == "streamlit" for name in names), path


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_white_can_be_read_on_the_colour_of_buttons(theme: str) -> None:
    settings = tomllib.loads((Path(__file__).parents[2] / ".streamlit" / "config.toml").read_text("utf-8"))
    assert contrast(settings["theme"][theme]["primaryColor"], "#FFFFFF") >= 4.5
