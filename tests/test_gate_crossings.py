"""Limits where cohort columns cross: judged part by part, in every output, and refused where there are no cells."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from lib.diagnose import Diagnosis
from lib.errors import SettingsError
from lib.figures.gate_view import GateView
from lib.gate import judge_gate
from lib.metrics.intervals import wilson
from lib.metrics.summary import unpaired_change
from lib.policy import read_policy
from lib.reports import gate_outline, render_junit, render_markdown, render_openmetrics, render_text
from lib.scan import read_cells, save_cells
from lib.settings import Settings
from tests.checks.crossed import crossed_world
from tests.checks.tables import diagnose
from tests.reports.conftest import SAMPLES, scan_of

COLUMNS = ("tenant", "channel")
POLICY = """
[[limits]]
metric = "accuracy"
at_least = 0.8
crossing = ["tenant", "channel"]
minimum_rows = 100
on_cannot_tell = "pass"
"""


@pytest.fixture(scope="module")
def diagnosis() -> Diagnosis:
    return diagnose(crossed_world(), COLUMNS)


def test_every_combination_is_judged_by_its_own_rows(diagnosis: Diagnosis) -> None:
    result = judge_gate(diagnosis, read_policy(POLICY))
    frame = crossed_world()
    frame = frame[frame["version"] == "v2"].assign(right=lambda each: (each["score"] > 0.5) == (each["label"] > 0))
    groups = frame.groupby([*COLUMNS])
    rows = {key if isinstance(key, tuple) else (key,): own["right"].tolist() for key, own in groups}
    counts: dict[tuple[tuple[str, str], ...], tuple[int, int]] = {
        tuple(zip(COLUMNS, map(str, key), strict=True)): (sum(own), len(own)) for key, own in rows.items()
    }
    found = {each.part.cohorts: each for each in result.decisions}
    assert {key: each.after.n for key, each in found.items()} == {key: n for key, (_right, n) in counts.items()}
    judged = sum(n >= 100 for _right, n in counts.values())
    assert {each.judged for each in result.decisions} == {judged}
    web = (("tenant", "b"), ("channel", "web"))
    worst, (right, n) = found[web], counts[web]
    assert worst.number.value == right / n
    ends = [float(each) for each in wilson(right / n, n, 1 - 0.05 / judged)]
    assert [worst.number.lower, worst.number.upper] == pytest.approx(ends)
    assert worst.outcome == "fail"
    small = found[("tenant", "c"), ("channel", "web")]
    assert (small.outcome, small.reason, small.lets_pass) == ("cannot tell", "fewer than 100 rows", True)
    assert found[("tenant", "a"), ("channel", "app")].outcome == "pass"
    assert not result.passed


def test_against_the_baseline(diagnosis: Diagnosis) -> None:
    text = POLICY.replace("at_least = 0.8", "worsens_by_at_most = 0.1")
    found = {each.part.cohorts: each for each in judge_gate(diagnosis, read_policy(text)).decisions}
    worst = found[("tenant", "b"), ("channel", "web")]
    assert worst.before is not None
    assert worst.number.value == unpaired_change(worst.before, worst.after).value
    assert (worst.outcome, found[("tenant", "a"), ("channel", "app")].outcome) == ("fail", "pass")


def test_every_output_names_both_values(diagnosis: Diagnosis) -> None:
    result = judge_gate(diagnosis, read_policy(POLICY))
    words = "tenant = b and channel = web"
    outline = gate_outline(result)
    for text in (render_text(outline, 200), render_markdown(outline), render_junit(result)):
        assert words in " ".join(text.split())
    metrics = render_openmetrics(result)
    own = [line for line in metrics.splitlines() if 'value="b"' in line and 'value_2="web"' in line]
    assert any(line.startswith("marginalia_gate_kept{") and line.endswith(" 0.0") for line in own)
    assert all('cohort="tenant"' in line and 'cohort_2="channel"' in line and 'of="crossings"' in line for line in own)
    series = [line.rsplit(" ", 1)[0] for line in metrics.splitlines() if not line.startswith("#")]
    assert len(series) == len(set(series))
    frame = GateView.of(result).frame()
    assert ("tenant, channel", "b, web") in set(zip(frame["cohort"], frame["value"], strict=True))


def many_parts() -> Diagnosis:
    frame = crossed_world(6_000)
    rng = np.random.default_rng(1)
    odd = {name: rng.integers(0, 60, len(frame)).astype(str) for name in COLUMNS}
    return diagnose(frame.assign(**odd), COLUMNS)


REFUSED: list[tuple[Callable[[], Diagnosis], str, str]] = [
    (lambda: diagnose(crossed_world(600), COLUMNS), '["tenant", "chanel"]', "'chanel' is no cohort column of "),
    (lambda: diagnose(crossed_world(600), ("tenant",)), '["tenant", "x"]', "There are tenant."),
    (many_parts, '["tenant", "channel"]', "tenant and channel cross in 2,"),
]


@pytest.mark.parametrize(("make", "columns", "words"), REFUSED, ids=[words for _, _, words in REFUSED])
def test_what_cannot_be_judged_is_refused_with_its_line(
    make: Callable[[], Diagnosis], columns: str, words: str
) -> None:
    with pytest.raises(SettingsError, match=r"policy\.toml, line 5: ") as caught:
        judge_gate(make(), read_policy(POLICY.replace('["tenant", "channel"]', columns)))
    assert words in str(caught.value)


def test_saved_cells_hold_no_crossing(tmp_path) -> None:
    save_cells(scan_of(SAMPLES / "incident.csv.gz"), tmp_path / "cells.parquet")
    saved = read_cells(tmp_path / "cells.parquet", "cells.parquet")
    policy = read_policy(POLICY.replace('"tenant", "channel"', '"language", "platform"'))
    with pytest.raises(SettingsError, match="line 5: saved cells hold no crossing of language and platform; name the"):
        judge_gate(Diagnosis(saved, Settings.choose(saved.facts)), policy)


def test_rows_are_crossed_by_the_engine_too() -> None:
    scan = scan_of(SAMPLES / "incident.csv.gz")
    diagnosis = Diagnosis(scan, Settings.choose(scan.facts))
    text = POLICY.replace('"tenant", "channel"', '"language", "platform", "tenant"')
    result = judge_gate(diagnosis, read_policy(text))
    frame = pd.read_csv(SAMPLES / "incident.csv.gz", dtype={"version": str})
    own = frame[(frame["version"] == diagnosis.settings.candidate) & frame["y_true"].notna()]
    sizes = own.groupby(["language", "platform", "tenant"]).size()
    judged = {tuple(value for _column, value in each.part.cohorts): each.after.n for each in result.decisions}
    assert {key: n for key, n in judged.items() if n} == sizes.to_dict()
    two = judge_gate(diagnosis, read_policy(POLICY.replace('"tenant", "channel"', '"language", "platform"')))
    broken = {each.part.cohorts for each in two.decisions if each.outcome == "fail"}
    assert broken
    assert {cohorts[0] for cohorts in broken} == {("language", "pt")}
