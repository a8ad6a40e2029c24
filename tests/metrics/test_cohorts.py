from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from lib.cells import Cells
from lib.grid import EXACT, FINE, MEDIUM, RESOLUTIONS, Resolution
from lib.metrics import cohorts
from lib.metrics.cohorts import NO_REST, contrast_cohorts, rest_of_cells
from lib.metrics.intervals import benjamini_hochberg
from lib.metrics.parts import family_of
from lib.metrics.summary import METRICS, Metric, MetricSettings, compute_summary, unpaired_change
from lib.schema import ScoreKind
from tests.metrics.conftest import build

LOGIT = MetricSettings(1.0, ScoreKind.LOGIT)
KEY = "cohort:language"


def draw(seed: int = 0, n: int = 1500) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(seed)
    language = generator.choice(["de", "en", "fr", "tlh"], n, p=[0.2, 0.6, 0.19, 0.01])
    label = generator.choice([-1, 0, 1], n, p=[0.5, 0.1, 0.4])
    score = np.round(generator.normal(label * np.where(language == "de", 0.2, 1.2), 1.2), 2)
    score[generator.random(n) < 0.03] = np.nan
    return {
        "label": label,
        "score": score,
        "weight": generator.gamma(2.0, 1.0, n),
        "version": generator.choice(["v1", "v2"], n),
        "language": language,
    }


def cells_of(
    data: dict[str, np.ndarray], keep: np.ndarray | None = None, resolution: Resolution = EXACT, weighted: bool = False
) -> Cells:
    kept = np.ones(len(data["label"]), bool) if keep is None else keep
    weight = data["weight"][kept] if weighted else None
    keys = {"version": data["version"][kept], KEY: data["language"][kept]}
    return build(data["label"][kept], data["score"][kept], weight, keys, resolution)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("resolution", [EXACT, FINE], ids=lambda r: r.name)
def test_the_rest_is_every_other_row_of_the_version(metric: Metric, weighted: bool, resolution: Resolution) -> None:
    data = draw()
    contrast = contrast_cohorts(cells_of(data, None, resolution, weighted), metric, LOGIT)
    for g, (version, language) in enumerate(zip(*contrast.groups.values(), strict=True)):
        others = cells_of(data, (data["version"] == version) & (data["language"] != language), resolution, weighted)
        expected = metric.function(others.rollup(["version"]), LOGIT)[0]
        rest = contrast.rest[g]
        for name in ("value", "lower", "upper", "n", "bound"):
            assert getattr(rest, name) == pytest.approx(getattr(expected, name), abs=1e-7, rel=1e-6, nan_ok=True), name
        change = unpaired_change(rest, contrast.estimate[g])
        assert contrast.excess.value[g] == pytest.approx(change.value, nan_ok=True)
        assert contrast.excess.lower[g] == pytest.approx(change.lower, nan_ok=True)


def test_p_values_are_fishers_and_adjusted_within_the_version() -> None:
    data = draw(1)
    contrast = contrast_cohorts(cells_of(data))
    margin = data["label"] * data["score"]
    usable = (data["label"] != 0) & ~np.isnan(margin)
    for g, (version, language) in enumerate(zip(*contrast.groups.values(), strict=True)):
        own = usable & (data["version"] == version) & (data["language"] == language)
        rest = usable & (data["version"] == version) & (data["language"] != language)
        table = [[(margin[part] < 1).sum(), (margin[part] >= 1).sum()] for part in (own, rest)]
        assert contrast.p[g] == pytest.approx(stats.fisher_exact(table, alternative="greater")[1], rel=1e-8)
    for version in ("v1", "v2"):
        here = contrast.groups["version"] == version
        np.testing.assert_allclose(contrast.p_adjusted[here], benjamini_hochberg(contrast.p[here]))


@pytest.mark.parametrize("name", ["violation_rate", "accuracy", "roc_auc", "average_hinge_loss", "median_margin"])
def test_the_worst_cohort_ranks_first_whichever_way_is_better(name: str) -> None:
    contrast = contrast_cohorts(cells_of(draw(2)), name, LOGIT)
    for version in ("v1", "v2"):
        here = contrast.groups["version"] == version
        first = contrast.groups[KEY][here][contrast.rank[here] == 1]
        assert first.tolist() == ["de"]
        assert sorted(contrast.rank[here]) == [1, 2, 3, 4]
    is_rate = name in ("violation_rate", "accuracy")
    assert (~np.isnan(contrast.p)).all() == is_rate
    if is_rate:
        assert (contrast.p[contrast.groups[KEY] == "de"] < 1e-4).all()
        assert (contrast.p[contrast.groups[KEY] == "en"] > 0.5).all()
    frame = contrast.frame()
    assert frame["rank"].tolist() == [1, 2, 3, 4] * 2
    assert frame["version"].tolist() == ["v1"] * 4 + ["v2"] * 4


def test_small_cohorts_are_marked() -> None:
    contrast = contrast_cohorts(cells_of(draw(3)))
    assert (contrast.small == (contrast.n_labelled < 30)).all()
    assert contrast.small[contrast.groups[KEY] == "tlh"].all()
    assert not contrast.small[contrast.groups[KEY] == "en"].any()


def test_windows_are_contrasted_within_themselves_and_corrected_together() -> None:
    data = draw(4)
    window = np.random.default_rng(0).integers(0, 3, len(data["label"]))
    keys = {"version": data["version"], "window": window, KEY: data["language"]}
    contrast = contrast_cohorts(build(data["label"], data["score"], None, keys))
    one = (contrast.groups["version"] == "v1") & (contrast.groups["window"] == 1)
    rows = (data["version"] == "v1") & (window == 1) & (data["label"] != 0) & ~np.isnan(data["score"])
    assert (contrast.estimate.n + contrast.rest.n)[one].tolist() == [rows.sum()] * one.sum()
    v1 = contrast.groups["version"] == "v1"
    np.testing.assert_allclose(contrast.p_adjusted[v1], benjamini_hochberg(contrast.p[v1]))


def test_undefined_has_a_reason() -> None:
    lone = build([1, 1], [0.0, 2.0], None, {"version": ["v", "v"], KEY: ["x", "x"]})
    for name in ("violation_rate", "roc_auc"):
        contrast = contrast_cohorts(lone, name)
        assert contrast.rest.reason == (NO_REST,)
        assert not contrast.excess.is_defined.any()
        assert np.isnan([contrast.excess.value[0], contrast.p[0], contrast.p_adjusted[0]]).all()
    unlabelled = build([1, 0], [0.0, 2.0], None, {"version": ["v", "v"], KEY: ["x", "y"]})
    contrast = contrast_cohorts(unlabelled)
    assert contrast.estimate.reason == ("", "no labelled rows")
    assert contrast.excess.reason == (NO_REST, "no labelled rows")
    assert contrast.rank.tolist() == [1, 2]
    empty = build([], [], None, {"version": np.zeros(0, "U1"), KEY: np.zeros(0, "U1")})
    for name in ("violation_rate", "roc_auc"):
        assert len(contrast_cohorts(empty, name).p) == 0


def test_which_key_is_the_cohort_must_be_plain() -> None:
    cells = build([1], [1.0], None, {"cohort:a": ["x"], "cohort:b": ["y"]})
    with pytest.raises(ValueError, match="2 cohort keys"):
        contrast_cohorts(cells)
    with pytest.raises(ValueError, match="no key 'c'"):
        contrast_cohorts(cells, key="c")
    assert contrast_cohorts(cells, key="cohort:b").key == "cohort:b"


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("resolution", RESOLUTIONS, ids=lambda r: r.name)
def test_rest_of_cells_is_a_table_like_any_other(weighted: bool, resolution: Resolution) -> None:
    data = draw(5, 600)
    cells = cells_of(data, None, resolution, weighted)
    rest = rest_of_cells(cells, family_of(cells, ["version"]))
    for g, (version, language) in enumerate(zip(*cells.groups.values(), strict=True)):
        keep = (data["version"] == version) & (data["language"] != language)
        expected = cells_of(data, keep, resolution, weighted).rollup(["version"]).columns()
        block = slice(rest.starts[3 * g], rest.starts[3 * g + 3])
        assert (rest.score_bin[block] == expected["score_bin"]).all()
        np.testing.assert_allclose(rest.score[block], np.asarray(expected["score"], float), atol=1e-9)
        np.testing.assert_allclose(rest.sums[block, 0], np.asarray(expected["n"], float))
        np.testing.assert_allclose(rest.sums[block, 3], np.asarray(expected["l"], float), atol=1e-9)


def test_a_rest_too_large_is_taken_more_coarsely(monkeypatch: pytest.MonkeyPatch) -> None:
    cells = cells_of(draw(6))
    exact = contrast_cohorts(cells, "roc_auc")
    monkeypatch.setattr(cohorts, "MOST_REST_CELLS", 4000)
    rest = rest_of_cells(cells, family_of(cells, ["version"]))
    assert rest.resolution in (FINE, MEDIUM)
    coarse = contrast_cohorts(cells, "roc_auc")
    assert (coarse.rest.bound > 0).all()
    assert (np.abs(coarse.rest.value - exact.rest.value) <= coarse.rest.bound + 1e-12).all()
    assert (compute_summary(rest).n == compute_summary(rest_of_cells(cells, family_of(cells, ["version"]))).n).all()


@pytest.mark.parametrize("weighted", [False, True])
def test_alarms_where_cohorts_do_not_differ(weighted: bool) -> None:
    """600 families of five cohorts that are alike: at a false discovery rate of 5 % at most about 5 % alarm at all."""
    generator = np.random.default_rng(9)
    n = 600 * 300
    family, cohort = np.repeat(np.arange(600), 300).astype(str), generator.integers(0, 5, n)
    weight = generator.gamma(2.0, 0.5, n) if weighted else None
    cells = build(np.ones(n), generator.normal(1.3, 1, n), weight, {"version": family, KEY: cohort}, FINE)
    contrast = contrast_cohorts(cells)
    alarmed = [contrast.p_adjusted[contrast.groups["version"] == each].min() <= 0.05 for each in np.unique(family)]
    assert np.mean(alarmed) <= 0.08
