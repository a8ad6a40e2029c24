"""How much a feature explains of being a violation, confirmed fold by fold."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict
from sklearn.preprocessing import OneHotEncoder

from lib.metrics.explained import FoldTable, explain_violations
from tests.metrics.value_rows import build_values, quantile_bins


def table(value, margin, fold, most=None) -> FoldTable:
    bins = None if most is None else quantile_bins(value, most)
    return FoldTable.of(build_values(value, {"fold": fold}, margins=margin, bins=bins))


def rows(seed: int, effect: float, n: int = 4_000):
    rng = np.random.default_rng(seed)
    value = rng.integers(0, 6, n).astype(float)
    margin = np.round(rng.normal(1.5 - effect * value, 1.5), 2)
    margin[rng.random(n) < 0.1] = np.nan
    return value, margin, rng.integers(0, 10, n)


@pytest.mark.parametrize("gamma", [0.0, 1.0, 2.5])
def test_it_is_a_cross_validated_r_squared(gamma: float) -> None:
    value, margin, fold = rows(1, 0.5)
    (found,) = explain_violations([table(value, margin, fold)], gamma)
    used = ~np.isnan(margin)
    x = OneHotEncoder(sparse_output=False).fit_transform(value[used, None])
    y = (margin[used] < gamma).astype(float)
    groups = fold[used]
    predicted = cross_val_predict(LinearRegression(fit_intercept=False), x, y, cv=LeaveOneGroupOut(), groups=groups)
    means = np.array([y[groups != each].mean() for each in range(10)])[groups]
    assert found.share.value == pytest.approx(1 - ((y - predicted) ** 2).sum() / ((y - means) ** 2).sum(), abs=1e-9)
    assert found.share.value == pytest.approx(r2_score(y, predicted), abs=1e-3)
    assert found.share.n == used.sum()
    assert found.share.lower < found.share.value < found.share.upper


def test_by_hand_a_feature_that_tells_all() -> None:
    value = np.tile([0.0, 1.0], 100)
    (found,) = explain_violations([table(value, np.where(value == 1, -1.0, 2.0), np.repeat(np.arange(10), 20))], 1.0)
    assert found.share.value == 1.0
    assert found.p < 1e-30


def test_noise_explains_nothing() -> None:
    """200 features without a relation: intervals hold 0 or less, and few are called significant."""
    tables = [table(*rows(seed, 0.0, 600)) for seed in range(200)]
    found = explain_violations(tables, 1.0)
    assert np.mean([each.share.value for each in found]) < 0.005
    assert sum(each.p < 0.01 for each in found) <= 8
    assert sum(each.p_adjusted < 0.01 and each.share.lower > 0 for each in found) <= 1


def test_the_order_of_rows_does_not_matter() -> None:
    value, margin, fold = rows(3, 0.4)
    order = np.random.default_rng(0).permutation(len(value))
    first, second = (explain_violations([each], 1.0)[0] for each in (
        table(value, margin, fold), table(value[order], margin[order], fold[order])
    ))  # fmt: skip
    assert first == second


def test_what_is_undefined() -> None:
    all_right = table(np.zeros(100), np.full(100, 2.0), np.arange(100) % 10)
    unlabelled = table(np.zeros(100), np.full(100, np.nan), np.arange(100) % 10)
    few = table(np.zeros(5), np.ones(5), np.arange(5))
    reasons = [each.share.reason for each in explain_violations([all_right, unlabelled, few], 1.0)]
    assert reasons == [
        "every row is a violation, or none is", "no row has both a label and a score", "too few rows"
    ]  # fmt: skip
    assert explain_violations([], 1.0) == []
