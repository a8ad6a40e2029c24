"""Cells against the slow obvious way: the rows themselves."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.cells import POSITIVE, UNWEIGHTED, WEIGHTED, Cells, bin_ids, merge
from lib.errors import SettingsError
from lib.grid import COARSE, EXACT, FINE, MEDIUM, RESOLUTIONS, Resolution, coarsen_id, probability_id, score_id


def rows(seed: int, n: int = 400, *, missing: bool = True) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(seed)
    label = generator.choice([-1, 0, 1], n, p=[0.5, 0.1, 0.4])
    score = np.round(generator.normal(label, 1.5), generator.integers(1, 6))
    score[generator.random(n) < 0.05] *= 30
    if missing:
        score[generator.random(n) < 0.05] = np.nan
    return {
        "version": generator.choice(["a", "b"], n),
        "window": generator.integers(0, 3, n),
        "label": label,
        "score": score,
        "weight": generator.gamma(2.0, 1.0, n),
    }


def cells_of(data: dict[str, np.ndarray], resolution: Resolution, *, weighted: bool = False) -> Cells:
    s = data["score"]
    scored = ~np.isnan(s)
    value = np.where(scored, s, 0.0)
    p = 1 / (1 + np.exp(-value))
    loss = np.where(data["label"] == 0, 0.0, np.logaddexp(0, -data["label"] * value))
    moments = [np.where(scored, m, 0.0) for m in (value, value**2, loss, loss**2, p, p**2)]
    columns = [np.ones(len(s)), *moments]
    if weighted:
        w = data["weight"]
        columns += [w, w**2, *(w * m for m in moments), *(w**2 * m for m in moments)]
    score_bin, probability_bin = bin_ids(s, p, resolution)
    return Cells.build(
        {"version": data["version"], "window": data["window"]},
        data["label"],
        score_bin,
        probability_bin,
        np.stack(columns, axis=1),
        resolution=resolution,
        score=s,
    )


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("resolution", RESOLUTIONS, ids=lambda r: r.name)
@pytest.mark.parametrize("seed", range(3))
def test_at_equals_the_rows(seed: int, resolution: Resolution, weighted: bool) -> None:
    data = rows(seed)
    cells = cells_of(data, resolution, weighted=weighted)
    thresholds = np.array([-2.0, -0.5, 0.0, 0.5, 1.0, 3.0])
    parts = cells.at(thresholds)
    names = WEIGHTED if weighted else UNWEIGHTED
    assert cells.sums.shape[1] == len(names)
    for t, threshold in enumerate(thresholds):
        for g in range(cells.n_groups):
            inside = (data["version"] == cells.groups["version"][g]) & (data["window"] == cells.groups["window"][g])
            for label_index, label in enumerate((-1, 0, 1)):
                here = inside & (data["label"] == label)
                for part, chosen in (
                    (parts.below, data["score"] < threshold),
                    (parts.at, data["score"] == threshold),
                    (parts.above, data["score"] > threshold),
                ):
                    kept = here & chosen
                    assert part.n[t, g, label_index] == kept.sum()
                    w = data["weight"][kept] if weighted else np.ones(kept.sum())
                    s = data["score"][kept]
                    assert part.w[t, g, label_index] == pytest.approx(w.sum())
                    assert part.total("s")[t, g, label_index] == pytest.approx((w * s).sum())
                    assert part.total_w2("ss")[t, g, label_index] == pytest.approx((w**2 * s**2).sum())


# A threshold of -31 lies beyond the linear part, where only exact cells know it.
def test_at_equals_the_rows_off_the_grid_only_when_exact() -> None:
    data = rows(7)
    exact = cells_of(data, EXACT)
    for threshold in (0.1234567, -31.0, 100.0):
        below = exact.at(threshold).below.n.sum()
        assert below == (data["score"] < threshold).sum()
    with pytest.raises(SettingsError, match=r"multiple of 0\.02"):
        cells_of(data, FINE).at(0.1234567)


@pytest.mark.parametrize("resolution", RESOLUTIONS, ids=lambda r: r.name)
def test_at_margin_equals_the_rows(resolution: Resolution) -> None:
    data = rows(11)
    cells = cells_of(data, resolution).rollup(["version"])
    margin = data["label"] * data["score"]
    for gamma in (0.0, 0.5, 1.0, 2.5):
        parts = cells.at_margin(gamma)
        for g, version in enumerate(cells.groups["version"]):
            for index, label in enumerate((-1, 1)):
                here = (data["version"] == version) & (data["label"] == label)
                assert parts.below.n[g, index] == (here & (margin < gamma)).sum()
                assert parts.at.n[g, index] == (here & (margin == gamma)).sum()
                assert parts.above.n[g, index] == (here & (margin > gamma)).sum()
                assert parts.below.total("s")[g, index] == pytest.approx(margin[here & (margin < gamma)].sum())


def test_missing_labels_and_scores_are_key_values_not_losses_of_rows() -> None:
    data = rows(3)
    cells = cells_of(data, FINE)
    assert cells.scored.n.sum() + cells.unscored.n.sum() == 400
    assert cells.unscored.n.sum() == np.isnan(data["score"]).sum()
    assert cells.scored.n[:, 1].sum() == ((data["label"] == 0) & ~np.isnan(data["score"])).sum()


@given(st.integers(0, 2**31), st.sampled_from(RESOLUTIONS), st.integers(1, 6), st.booleans())
@settings(max_examples=25, deadline=None)
def test_merging_parts_equals_the_whole(seed: int, resolution: Resolution, n_parts: int, weighted: bool) -> None:
    data = rows(seed)
    part = np.random.default_rng(seed).integers(0, n_parts, 400)
    pieces = [
        cells_of({k: v[part == i] for k, v in data.items()}, resolution, weighted=weighted)
        for i in range(n_parts)
        if (part == i).any()
    ]
    whole, merged = cells_of(data, resolution, weighted=weighted).columns(), merge(pieces).columns()
    for name, values in whole.items():
        if name in ("version", "window", "label", "score_bin", "probability_bin", "n"):
            assert (values == merged[name]).all(), name
        else:
            np.testing.assert_allclose(merged[name], values, rtol=1e-12, atol=1e-12, err_msg=name)


@given(st.integers(0, 2**31))
@settings(max_examples=20, deadline=None)
def test_coarser_cells_are_those_of_the_rows(seed: int) -> None:
    data = rows(seed)
    for fine, coarse in ((EXACT, FINE), (EXACT, COARSE), (FINE, MEDIUM), (FINE, COARSE), (MEDIUM, COARSE)):
        got, expected = cells_of(data, fine).coarsen(coarse).columns(), cells_of(data, coarse).columns()
        for name in ("version", "window", "label", "score_bin", "probability_bin", "n"):
            assert (got[name] == expected[name]).all()
        np.testing.assert_allclose(got["l"], expected["l"], rtol=1e-12)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("resolution", RESOLUTIONS, ids=lambda each: each.name)
def test_the_whole_without_a_part_is_the_rest(resolution: Resolution, weighted: bool) -> None:
    data = rows(3)
    inside = np.arange(len(data["label"])) % 3 == 0
    whole, part, rest = (
        cells_of({name: values[kept] for name, values in data.items()}, resolution, weighted=weighted)
        for kept in (np.full(len(inside), True), inside, ~inside)
    )
    left = whole.without(part)
    assert (left.starts == rest.starts).all()
    assert (left.score_bin == rest.score_bin).all()
    np.testing.assert_allclose(left.sums, rest.sums, rtol=1e-9, atol=1e-9)
    assert whole.without(whole).n_groups == 0


def test_finer_than_what_is_kept_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot give"):
        cells_of(rows(1), COARSE).coarsen(FINE)


@given(st.integers(-40_000, 40_000), st.integers(2, 1000))
def test_the_grid_is_right_on_rationals(k: int, denominator: int) -> None:
    """Every k/denominator lands on the side of every edge that exact arithmetic says."""
    exact = Fraction(k, denominator)
    if abs(exact) > 20:
        return
    for steps, ids in ((50, score_id(float(exact))), (300, probability_id(float(exact)))):
        position = exact * steps
        floor = position.numerator // position.denominator
        expected = 2 * floor + (0 if position.denominator == 1 else 1)
        assert int(ids) == expected


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30))
def test_the_axis_is_monotone_and_odd(values: list[float]) -> None:
    ordered = np.sort(np.array(values))
    ids = score_id(ordered)
    assert (np.diff(ids) >= 0).all()
    assert (score_id(-ordered) == -ids).all()
    for factor in (5, 25):
        assert (np.diff(coarsen_id(ids, factor)) >= 0).all()
        assert (coarsen_id(-ids, factor) == -coarsen_id(ids, factor)).all()


def test_float32_scores_go_through_their_shortest_text() -> None:
    for k in range(-150, 151):
        score = np.float32(k * 0.02)
        assert score_id(float(str(score))) == 2 * k


@pytest.mark.parametrize("bins", [10, 15, 300])
def test_probability_thresholds_are_edges(bins: int) -> None:
    p = np.arange(1, bins) / bins
    s = np.log(p / (1 - p))
    score_bin, probability_bin = bin_ids(s, p, FINE)
    sums = np.zeros((len(p), 7))
    sums[:, 0] = 1
    cells = Cells.build({}, np.ones(len(p)), score_bin, probability_bin, sums, resolution=FINE)
    for index, threshold in enumerate(p):
        parts = cells.at(threshold, scale="probability")
        found = [each.n[0, POSITIVE] for each in (parts.below, parts.at, parts.above)]
        assert found == [index, 1, len(p) - index - 1]


def test_empty_cells_answer_with_nothing() -> None:
    empty = Cells.build({"version": np.zeros(0, "U1")}, [], [], [], np.zeros((0, 7)), resolution=FINE)
    assert empty.n_groups == 0
    assert empty.at(1.0).below.n.shape == (0, 3)
    assert empty.at_margin([0.0, 1.0]).below.n.shape == (2, 0, 2)
    assert empty.unscored.n.shape == (0, 3)
    assert empty.rollup([]).n_groups == 0
