"""H-F8, certain errors: few rows with p exactly 0 or 1 make the log loss; silent where 0 and 1 are right or rounded."""

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.metrics import log_loss

from lib.checks import Severity, Status
from lib.checks.certain_errors import find_certain_errors, step_of
from lib.schema import ScoreKind
from tests.checks.rates import clean_data
from tests.checks.tables import diagnose

NAME = "boundary-mass"
N_CLEAN = 40


def decided(frame, share=0.14, *, wrong=None, seed=2):
    """A share of rows answers its decision instead of p; of the wrong ones among these only so many stay."""
    hit = np.random.default_rng(seed).random(len(frame)) < share
    p = np.where(hit, (frame["score"] > 0.5).astype(float), frame["score"])
    if wrong is not None:
        errors = np.flatnonzero(hit & (p != frame["label"]))[wrong:]
        p[errors] = 1 - p[errors]
    return frame.assign(score=p)


@pytest.mark.parametrize("budget", [250_000, 2_500])
def test_a_few_wrong_rows_at_zero_and_one_make_the_log_loss(world, check, budget):
    frame = decided(world(6_000), wrong=20)
    (found,) = check(frame, NAME, budget=budget)
    p, y = frame["score"].to_numpy(), frame["label"].to_numpy()
    certain, right = np.isin(p, (0, 1)), ~(np.isin(p, (0, 1)) & (p != y))
    assert (found.status, found.severity, found.version) == (Status.WARN, Severity.WARNING, None)
    assert (found.evidence["n_wrong"], found.evidence["n_at"]) == (20, certain.sum())
    assert found.evidence["share"] == pytest.approx(certain.mean())
    assert found.evidence["log_loss"] == pytest.approx(log_loss(y, p), rel=1e-6)
    assert found.evidence["log_loss_without"] == pytest.approx(log_loss(y[right], p[right]), rel=1e-6)
    carried = 1 - right.sum() * log_loss(y[right], p[right]) / (len(y) * log_loss(y, p))
    assert found.evidence["share_of_log_loss"] == pytest.approx(carried, rel=1e-6)
    assert found.title.startswith("20 rows with p exactly 0 or 1 are wrong, and carry ")
    assert "of rows lie there (" in found.title
    assert "steps" not in found.title


def test_few_of_them_and_little_of_the_loss_are_not_told(world, check):
    frame = world(6_000)
    assert check(decided(frame, wrong=0), NAME)[0].status is Status.PASS
    assert check(decided(frame, wrong=4), NAME)[0].status is Status.PASS
    assert check(decided(frame, wrong=5), NAME)[0].status is Status.PASS  # 36 · 5 of more than a thousand


def test_only_probabilities_with_labels(world, check):
    frame = decided(world(6_000), wrong=20)
    assert check(frame.assign(label=np.nan), NAME)[0].status is Status.PASS
    scores = frame.assign(score=logit(frame["score"].clip(1e-16, 1 - 1e-16)))
    assert not find_certain_errors(diagnose(scores, (), score_kind=ScoreKind.LOGIT))


def test_the_version_is_named_and_the_end_of_the_scale_is_not_told_again(world, check):
    frame = world(8_000, versions=2)
    late = frame["version"] == "v2"
    frame = frame.assign(score=np.where(late, decided(frame, 0.6)["score"], frame["score"]))
    (found,) = check(frame, NAME)
    assert found.version == "v2"
    assert "in version v2" in found.title
    both = decided(world(8_000, versions=2), 0.3)
    (found,) = check(both, NAME)
    assert found.version is None
    assert len(found.evidence["versions"]) == 2


def test_more_errors_than_rounding_allows_are_said_to_be_more(world, check):
    frame = world(6_000, d=4.0)
    frame = frame.assign(score=frame["score"].round(2))
    assert not find_certain_errors(diagnose(frame, ()))
    wrong = np.random.default_rng(3).choice(len(frame), 200, replace=False)
    frame.loc[wrong, "label"] = 1 - frame.loc[wrong, "label"]
    (found,) = check(frame, NAME)
    assert "more than writing p in steps of 0.01 explains" in found.title


def test_the_step_in_which_probabilities_are_written():
    grid = np.arange(101) / 100
    scores = logit(np.clip(grid, 2.3e-16, 1 - 2.3e-16))
    assert step_of(scores) == pytest.approx(0.01)
    assert step_of(logit(np.array([0.25, 0.5]))) == pytest.approx(0.375)
    assert step_of(np.array([-36.04, 36.04])) == 1.0
    assert step_of(np.linspace(-20, 20, 4_000)) < 1e-6


@pytest.mark.parametrize("kind", ["as it is", "two decimals", "hundred trees", "float32"])
def test_clean_data_written_in_steps_raises_no_alarm(kind):
    alarms = 0
    for seed in range(N_CLEAN):
        _world, frame = clean_data(seed)
        p = frame["score"].to_numpy(np.float64)
        if kind == "two decimals":
            p = p.round(2)
        elif kind == "hundred trees":
            p = np.where(np.isnan(p), np.nan, np.random.default_rng(seed).binomial(100, np.nan_to_num(p)) / 100)
        elif kind == "float32":
            p = expit((3 * logit(p)).astype(np.float32)).astype(np.float64)
        alarms += bool(find_certain_errors(diagnose(frame.assign(score=p))))
    assert alarms <= 1
