"""The engine's cells against the same rows in numpy, and the grid against exact arithmetic."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lib.cells import NEGATIVE, POSITIVE, Cells, bin_ids, merge
from lib.grid import COARSE, EXACT, FINE, MISSING_BIN, RESOLUTIONS, Resolution
from lib.scan import Scan
from lib.scan.compute import compute_cells
from lib.scan.order import order_versions
from lib.scan.tables import default_tables
from lib.schema import EPOCHS, EVERYTHING, NO_WINDOW, VERSION, WINDOW, Filter, cohort_key
from lib.settings import Settings
from lib.sources import Answers, build_dataset, infer_mapping, read_table
from sample_data.make import INCIDENT, make_incident
from tests.scan.conftest import ScanOf, predictions


def expected(frame: pd.DataFrame, score: str, resolution_of: Cells) -> Cells:
    """The same cells in numpy, by version."""
    s = frame[score].to_numpy(float)
    if score == "y_prob":
        s = np.log(s / (1 - s))
    y = 2 * frame["y_true"].to_numpy() - 1
    p = 1 / (1 + np.exp(-s))
    loss = np.logaddexp(0, -y * s)
    w = frame["sample_weight"].to_numpy()
    moments = [s, s**2, loss, loss**2, p, p**2]
    columns = [np.ones(len(s)), *moments, w, w**2, *(w * m for m in moments), *(w**2 * m for m in moments)]
    score_bin, probability_bin = bin_ids(s, p, resolution_of.resolution)
    return Cells.build(
        {VERSION: frame["version"].to_numpy(str)},
        y,
        score_bin,
        probability_bin,
        np.stack(columns, axis=1),
        resolution=resolution_of.resolution,
        score=s,
    )


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("score", ["decision_score", "y_prob"])
@pytest.mark.parametrize("finest", RESOLUTIONS, ids=lambda r: r.name)
def test_cells_equal_numpy(scan_of: ScanOf, suffix: str, score: str, finest: Resolution) -> None:
    frame = predictions(1, probability=score == "y_prob")
    cells = scan_of(frame, suffix=suffix).cells((VERSION,), finest=finest)
    assert cells.resolution is finest
    reference = expected(frame, score, cells)
    for name, values in reference.columns().items():
        found = cells.columns()[name]
        if values.dtype.kind == "f":
            np.testing.assert_allclose(found, values, rtol=1e-9, atol=1e-12, err_msg=name)
        else:
            assert (found == values).all(), name


def test_a_table_over_budget_gets_coarser_and_stays_the_same_rows(scan_of: ScanOf) -> None:
    frame = predictions(2)
    whole = scan_of(frame).cells((VERSION,))
    for budget, resolution in ((1200, FINE), (100, COARSE)):
        cells = scan_of(frame, budget=budget).cells((VERSION,))
        assert cells.resolution.order >= resolution.order
        same = whole.coarsen(cells.resolution)
        assert (same.columns()["n"] == cells.columns()["n"]).all()
        np.testing.assert_allclose(same.sums, cells.sums, rtol=1e-12, atol=1e-12)


def test_tables_that_share_a_pass_are_those_of_a_pass_of_their_own(scan_of: ScanOf) -> None:
    budget = 75_000
    frame = predictions(14, 80_000)
    frame["platform"] = np.random.default_rng(14).choice(["android", "ios"], len(frame))
    scan = scan_of(frame, budget=budget)
    scan.warm()
    shared = ("version", "split", cohort_key("language"), cohort_key("platform"))
    assert scan._larger(("version", "split", cohort_key("language")), EXACT) == shared
    assert not scan.holds(shared, EVERYTHING), "what was only added up from is let go"
    for keys, finest in default_tables(scan.facts.cohorts, has_time=True):
        found = scan.cells(keys, finest=finest)
        with scan.stored.rows() as cursor:
            alone = compute_cells(
                cursor,
                scan.prepared,
                keys,
                EVERYTHING,
                scan.facts.windows,
                finest=finest,
                budget=budget,
                n_groups=scan.n_groups(keys),
            )
        assert found.resolution is alone.resolution
        for name, values in alone.columns().items():
            if values.dtype.kind == "f":
                np.testing.assert_allclose(found.columns()[name], values, rtol=1e-11, atol=1e-9)
            else:
                assert (found.columns()[name] == values).all(), name


def test_an_id_has_one_fold_in_every_file(tmp_path: Path) -> None:
    ids = np.arange(3000)
    frame = predictions(15, 3000).drop(columns="version").assign(id=ids)
    texts = frame.assign(id=[f"{i}" if i else "zero" for i in ids])
    files = {"a": frame.sample(frac=1.0, random_state=1), "b": texts}
    tables = []
    for name, each in files.items():
        each.to_csv(tmp_path / f"{name}.csv", index=False)
        tables.append(read_table(tmp_path / f"{name}.csv", f"{name}.csv", tmp_path / "store"))
    assert [column.kind for table in tables for column in table.columns if column.name == "id"] == ["integer", "text"]
    mapping = infer_mapping(tables, Answers(roles={"id": "id"})).mapping
    scan = Scan(build_dataset(tables, mapping), tmp_path / "store")
    with scan.stored.rows() as cursor:
        rows = cursor.execute("SELECT file, row, fold FROM prepared").df()
    folds = {index: rows[rows["file"] == index].sort_values("row")["fold"].to_numpy() for index in (0, 1)}
    first = dict(zip(files["a"]["id"], folds[0], strict=True))
    assert [first[i] for i in ids[1:]] == folds[1][1:].tolist()


def test_every_key_adds_up_to_the_same_rows(scan_of: ScanOf) -> None:
    frame = predictions(3)
    scan = scan_of(frame)
    for keys in ((), (VERSION,), ("split",), (cohort_key("language"),), (WINDOW,), ("fold",), (VERSION, WINDOW)):
        assert scan.cells(keys).scored.n.sum() == len(frame)
    by_language = scan.cells((cohort_key("language"),))
    counts = frame["language"].value_counts()
    for group, language in enumerate(by_language.groups[cohort_key("language")]):
        assert by_language.scored.n[group].sum() == counts[language]
    folds = scan.cells(("fold",)).scored.n.sum(axis=1)
    assert len(folds) == 10
    assert folds.min() > 0.8 * len(frame) / 10


def test_windows_begin_where_they_say(scan_of: ScanOf) -> None:
    frame = predictions(4)
    scan = scan_of(frame)
    assert scan.facts.windows is not None
    width = scan.facts.windows.width
    assert width == 86_400
    starts = frame["time"].dt.floor("D").astype("datetime64[s]").astype("int64")
    cells = scan.cells((WINDOW,))
    counts = starts.value_counts()
    for group, start in enumerate(cells.groups[WINDOW]):
        assert cells.scored.n[group].sum() == counts[start]


def test_filters_are_the_rows_that_pass(scan_of: ScanOf) -> None:
    frame = predictions(5)
    scan = scan_of(frame)
    day = 86_400
    first = int(pd.Timestamp("2026-01-03").timestamp())
    where = Filter((("language", "pt"),), "test", first, first + 2 * day)
    kept = frame[
        (frame["language"] == "pt")
        & (frame["split"] == "test")
        & (frame["time"] >= "2026-01-03")
        & (frame["time"] < "2026-01-05")
    ]
    assert scan.cells((), where).scored.n.sum() == len(kept) > 0


def test_facts(scan_of: ScanOf) -> None:
    scan = scan_of(predictions(6).drop(columns="time"))
    assert scan.facts.versions == ("v9", "v10")
    assert scan.facts.splits == ("train", "test")
    assert scan.facts.windows is None
    assert scan.facts.weighted
    frame = predictions(6)
    frame.loc[frame["version"] == "v9", "time"] += pd.Timedelta(days=100)
    assert scan_of(frame, name="later").facts.versions == ("v10", "v9")


DAY = 86_400.0


@pytest.mark.parametrize(
    ("spans", "order"),
    [
        # Side by side: who answered first by a few minutes is chance.
        ({"v9": (0.0, 30 * DAY), "v10": (-300.0, 30 * DAY), "v1": (600.0, 30 * DAY)}, ("v1", "v9", "v10")),
        # A challenger that began a quarter of the time later.
        ({"a": (7 * DAY, 30 * DAY), "b": (0.0, 30 * DAY)}, ("b", "a")),
        # One after the other, however short each was.
        ({"c": (0.0, DAY), "b": (DAY + 60, 2 * DAY), "a": (2 * DAY + 60, 60 * DAY)}, ("c", "b", "a")),
        # Two that replaced a third together.
        ({"old": (0.0, 10 * DAY), "new 2": (10 * DAY + 60, 20 * DAY), "new 1": (10 * DAY + 90, 20 * DAY)},
         ("old", "new 1", "new 2")),
        ({"only": (5.0, 5.0)}, ("only",)),
    ],
)  # fmt: skip
def test_the_order_of_versions_is_that_of_times_where_they_tell(
    spans: dict[str, tuple[float, float]], order: tuple[str, ...]
) -> None:
    starts, ends = ({name: span[end] for name, span in spans.items()} for end in (0, 1))
    assert order_versions(spans, starts, ends) == order
    assert order_versions([*spans, "z2", "z10"], starts, ends) == (*order, "z2", "z10")


def test_the_incident_keeps_its_baseline(scan_of: ScanOf) -> None:
    frame = make_incident(n=4_000).astype({"version": str})
    scan = scan_of(frame)
    assert scan.facts.versions == (INCIDENT.baseline, INCIDENT.candidate)


def test_what_cannot_be_used_is_counted_and_what_is_missing_is_kept(scan_of: ScanOf) -> None:
    frame = predictions(7, 400, probability=True).astype({"y_prob": object, "y_true": object, "time": str})
    frame.loc[0, "y_prob"] = "oops"
    frame.loc[1, "y_prob"] = "1.5"
    frame.loc[2, "y_prob"] = "inf"
    frame.loc[3, "y_prob"] = ""
    frame.loc[4, "y_true"] = ""
    frame.loc[5, "y_true"] = "maybe"
    frame.loc[6, "sample_weight"] = -1.0
    frame.loc[7, "time"] = "not a time"
    answers = {"score_kind": "probability", "pos_label": "1", "roles": {"label": "y_true", "weight": "sample_weight"}}
    scan = scan_of(frame, suffix="csv", **answers)
    assert scan.facts.problems["score-unreadable"] == 1
    assert scan.facts.problems["score-not-a-probability"] == 1
    assert scan.facts.problems["score-infinite"] == 1
    assert scan.facts.problems["weight-invalid"] == 1
    assert scan.facts.problems["time-unreadable"] == 1
    cells = scan.cells(())
    assert cells.unscored.n.sum() == 1
    assert (cells.score_bin == MISSING_BIN).sum() == 1
    assert scan.cells((WINDOW,)).groups[WINDOW][0] == NO_WINDOW


@pytest.mark.parametrize("steps", [10, 15, 300])
@pytest.mark.parametrize("kind", ["float64", "float32", "csv"])
def test_probability_edges_are_right_for_both_labels(scan_of: ScanOf, steps: int, kind: str) -> None:
    """Each k/steps is at the edge, and its neighbours on the right sides, by exact arithmetic on what was written."""
    values: list[float] = [k / steps for k in range(steps + 1)]
    near = [v + d for v in values for d in (-1e-6, 1e-6) if 0 <= v + d <= 1]
    p = np.array(values + near)
    if kind == "float32":
        p = p.astype(np.float32)
    frame = pd.DataFrame({"y_prob": np.concatenate([p, p]), "y_true": np.repeat([0, 1], len(p))})
    suffix = "csv" if kind == "csv" else "parquet"
    cells = scan_of(frame, suffix=suffix).cells((), finest=FINE)
    written = sorted(Fraction(str(x)) for x in p)
    tolerance = Fraction(1, 10**9) / 300 + Fraction(1, 10**8) * (kind == "float32")
    for k in range(1, steps):
        edge = Fraction(k, steps)
        parts = cells.at(k / steps, scale="probability")
        below = bisect_left(written, edge - tolerance)
        at = bisect_right(written, edge + tolerance) - below
        for label in (NEGATIVE, POSITIVE):
            if kind != "float32" or steps == 10:
                assert parts.at.n[0, label] == at
                assert parts.below.n[0, label] == below
            assert parts.below.n[0, label] + parts.at.n[0, label] + parts.above.n[0, label] == len(p)


@pytest.mark.parametrize("kind", ["float64", "float32", "csv"])
def test_score_edges_in_steps_of_two_hundredths(scan_of: ScanOf, kind: str) -> None:
    exact = [Fraction(k, 50) for k in range(-160, 161)]
    s = np.array([float(x) for x in exact])
    if kind == "float32":
        s = s.astype(np.float32)
    frame = pd.DataFrame({"decision_score": np.concatenate([s, s]), "y_true": np.repeat([0, 1], len(s))})
    cells = scan_of(frame, suffix="csv" if kind == "csv" else "parquet").cells((), finest=FINE)
    for k in range(-150, 151):
        gamma = Fraction(k, 50)
        parts = cells.at_margin(float(gamma))
        for index, y in enumerate((-1, 1)):
            margins = [y * x for x in exact]
            assert parts.below.n[0, index] == sum(m < gamma for m in margins)
            assert parts.at.n[0, index] == 1
            assert parts.below.total("s")[0, index] == pytest.approx(
                float(sum(m for m in margins if m < gamma)), abs=1e-9
            )


def test_ten_files_merge_into_the_whole(tmp_path: Path, scan_of: ScanOf) -> None:
    frame = predictions(8, 6000)
    whole = scan_of(frame).cells((VERSION,), finest=FINE)
    parts = [scan_of(frame.iloc[day::10], name=f"day{day}").cells((VERSION,), finest=FINE) for day in range(10)]
    merged = merge(parts).columns()
    for name, values in whole.columns().items():
        if name in (VERSION, "label", "score_bin", "probability_bin", "n"):
            assert (values == merged[name]).all()
        else:
            np.testing.assert_allclose(merged[name], values, rtol=1e-12, atol=1e-12)


def test_several_files_are_versions_named_after_them(tmp_path: Path) -> None:
    tables = []
    for seed, name in ((9, "model-a"), (10, "model-b")):
        predictions(seed, 300).drop(columns="version").to_csv(tmp_path / f"{name}.csv", index=False)
        tables.append(read_table(tmp_path / f"{name}.csv", f"{name}.csv", tmp_path / "store"))
    scan = Scan(build_dataset(tables, infer_mapping(tables, Answers()).mapping), tmp_path / "store")
    assert scan.facts.versions == ("model-a", "model-b")
    assert scan.cells((VERSION,)).scored.n.sum() == 600
    # The order in which files are given says which is which, whatever their names and times say.
    turned = tables[::-1]
    other = Scan(build_dataset(turned, infer_mapping(turned, Answers()).mapping), tmp_path / "store")
    assert other.facts.versions == ("model-b", "model-a")
    assert other.facts.key != scan.facts.key
    chosen = Settings.choose(other.facts)
    assert (chosen.baseline, chosen.candidate) == ("model-b", "model-a")


def test_times_in_a_zone_and_in_a_declared_pattern(tmp_path: Path, scan_of: ScanOf) -> None:
    frame = predictions(10, 200).drop(columns="time")
    frame["time"] = [f"{1 + i % 28:02d}/01/2026 23:30" for i in range(200)]
    scan = scan_of(frame, suffix="csv", time_pattern="%d/%m/%Y %H:%M", timezone="America/New_York")
    assert scan.facts.first == int(pd.Timestamp("2026-01-01 23:30", tz="America/New_York").timestamp())
    assert "time-unreadable" not in scan.facts.problems


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize(("pattern", "scale"), list(EPOCHS.items()))
def test_seconds_since_1970(scan_of: ScanOf, pattern: str, scale: int, suffix: str) -> None:
    first = 1_767_225_600
    times = np.array([first, first + 0.5, first + 59, np.nan, np.inf, 1e290]) * scale
    frame = predictions(16, len(times)).drop(columns="time").assign(time=times)
    scan = scan_of(frame, suffix=suffix, roles={"time": "time"}, time_pattern=pattern)
    assert (scan.facts.first, scan.facts.last) == (first, first + 59)
    assert scan.facts.problems == {"time-unreadable": 2}
    assert scan.facts.n_rows == len(times)


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata"])
def test_iso_times_mean_the_same_however_they_are_written(scan_of: ScanOf, zone: str) -> None:
    moment = pd.Timestamp("2026-01-05 10:30:15", tz="UTC")
    local = moment.tz_convert(zone)
    written = [
        "2026-01-05T10:30:15Z",
        "2026-01-05T12:30:15+02:00",
        "2026-01-05T12:30:15.000+02",
        "2026-01-05T05:30:15-05:00",
        f"{local:%Y-%m-%dT%H:%M:%S}",
        f"{local:%Y-%m-%d %H:%M:%S}.000",
        f" {local:%Y-%m-%d %H:%M:%S} ",
    ]
    frame = predictions(13, len(written)).drop(columns="time").assign(time=written)
    scan = scan_of(frame, suffix="csv", timezone=zone, time_pattern="iso", roles={"time": "time"})
    assert "time-unreadable" not in scan.facts.problems
    assert scan.facts.first == scan.facts.last == int(moment.timestamp())


def test_many_cohort_values_are_gathered_under_other(scan_of: ScanOf) -> None:
    frame = predictions(11, 3000)
    frame["tenant"] = [f"t{i % 500 if i % 3 else 0}" for i in range(3000)]
    scan = scan_of(frame, cohorts=("tenant",))
    values = scan.cells((cohort_key("tenant"),)).groups[cohort_key("tenant")]
    assert len(values) == 200
    assert "other" in values
    assert scan.cells((cohort_key("tenant"),)).scored.n.sum() == 3000


def test_exact_is_kept_for_rounded_scores_at_any_row_count(scan_of: ScanOf) -> None:
    frame = pd.concat([predictions(12, 20_000)] * 3)
    frame["decision_score"] = frame["decision_score"].round(1)
    assert scan_of(frame, budget=2000).cells(()).resolution is EXACT
