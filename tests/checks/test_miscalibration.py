import numpy as np
import pytest
from scipy.special import expit, logit

from lib.cells import Cells, bin_ids
from lib.checks import Severity, Status
from lib.checks.miscalibration import judge_versions
from lib.diagnose import Diagnosis
from lib.grid import EXACT, FINE, Resolution
from lib.metrics.calibration import compute_miscalibration
from lib.metrics.forecasts import Forecasts
from lib.schema import ScoreKind
from lib.settings import Settings
from tests.checks.tables import FrameTables

NAME = "miscalibration"


def heated(frame, temperature, part=True):
    odds = logit(frame["score"])
    return frame.assign(score=expit(np.where(part, temperature * odds, odds)))


def cells_of(n: int, temperature: float, seed: int, resolution: Resolution) -> Cells:
    rng = np.random.default_rng([seed, n])
    truth = rng.normal(-0.3, 1.5, n)
    y, s = np.where(rng.random(n) < expit(truth), 1, -1), temperature * truth
    p, loss = expit(s), np.logaddexp(0.0, -y * s)
    sums = np.stack([np.ones(n), s, s**2, loss, loss**2, p, p**2], axis=1)
    return Cells.build({}, y, *bin_ids(s, p, resolution), sums, resolution=resolution, score=s)


@pytest.mark.parametrize(("n", "resolution", "sets"), [(100, EXACT, 100), (2_000, EXACT, 60), (1_000_000, FINE, 4)])
def test_silent_where_probabilities_are_right(n: int, resolution: Resolution, sets: int) -> None:
    tests = [compute_miscalibration(Forecasts.of(cells_of(n, 1.0, seed, resolution))) for seed in range(sets)]
    # At 1 %, four of a hundred would come once in fifty times: what is asked is that the rate is of that order.
    assert sum(each.p_value < 0.01 and each.effect >= 0.02 for each in tests) <= max(3, sets // 25)


def test_fires_on_a_temperature_of_one_and_a_half_at_two_thousand_rows() -> None:
    tests = [compute_miscalibration(Forecasts.of(cells_of(2_000, 1.5, seed, EXACT))) for seed in range(40)]
    assert sum(each.p_value < 0.005 and each.effect >= 0.02 for each in tests) >= 38


def test_a_version_that_is_too_sure_is_named_with_the_map_that_helps(world, check):
    frame = world(4_000, versions=2, d=2.0)
    (found,) = check(heated(frame, 2.0, frame["version"] == "v2"), NAME)
    assert (found.status, found.severity, found.version) == (Status.WARN, Severity.WARNING, "v2")
    assert found.topic == "calibration"
    assert found.evidence["debiased_calibration_error"] > 0.02
    assert found.evidence["recommended"] == "temperature"
    assert "rows with p near" in found.title
    assert "A temperature map would change the log loss by \N{MINUS SIGN}0." in found.title


def test_what_is_right_passes(world, check):
    (found,) = check(world(4_000, versions=2, d=2.0), NAME)
    assert found.status is Status.PASS
    assert found.title.startswith("Probabilities come true")


def test_off_beyond_chance_but_too_little_to_matter(world, check):
    frame = world(60_000, d=2.0)
    (found,) = check(heated(frame, 1.08), NAME)
    assert found.status is Status.PASS


def test_under_a_flip_it_is_what_follows(world, check):
    frame = world(8_000)
    flipped = frame.assign(score=np.where(frame["language"] == "es", 1 - frame["score"], frame["score"]))
    assert check(flipped, NAME)[0].status is Status.PASS
    (flip,) = check(flipped, "label-flip")
    assert any("rows with p near" in each for each in flip.evidence["consequences"])
    (everything,) = check(frame.assign(score=1 - frame["score"]), NAME)
    assert everything.title == "Everything is reversed: see label-encoding."


def test_decision_scores_wait_for_recalibration(world, check):
    frame = world(4_000)
    frame = frame.assign(score=logit(frame["score"]) / 7)
    (found,) = check(frame, NAME, score_kind=ScoreKind.DECISION)
    assert found.status is Status.NOT_APPLICABLE
    assert "recalibration makes one" in found.title
    tables = FrameTables(frame, ("language",), score_kind=ScoreKind.DECISION)
    made = Diagnosis(tables, Settings.choose(tables.facts, recalibration="platt"))
    (judged,) = judge_versions(made).values()
    assert not judged.is_miscalibrated
    assert judged.test.n == frame["label"].notna().sum()


def test_reasons(world, check):
    assert check(world().drop(columns="label"), NAME)[0].title == "No row has both a label and a score."
