import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from lib.checks import Severity, Status
from lib.metrics.intervals import wilson

NAME = "class-imbalance"


def rare(frame, share, label=1.0, seed=4):
    """The frame with so many rows of one class left that it has this share."""
    own = np.flatnonzero(frame["label"] == label)
    others = len(frame) - len(own)
    kept = np.random.default_rng(seed).permutation(own)[: round(others * share / (1 - share))]
    return frame[(frame["label"] != label) | frame.index.isin(kept)].reset_index(drop=True)


@pytest.mark.parametrize(("label", "name"), [(1.0, "positive"), (0.0, "negative")])
def test_the_rarer_class_its_share_and_what_to_read(world, check, label, name):
    frame = rare(world(8_000), 0.04, label)
    (found,) = check(frame, NAME)
    n, share = len(frame), (frame["label"] == label).mean()
    assert (found.status, found.version) == (Status.WARN, None)
    assert found.evidence["minority_class"] == (1 if label else -1)
    assert found.evidence["minority_share"] == pytest.approx(share)
    assert found.evidence["minority_share_ci"] == pytest.approx([float(end) for end in wilson(share, n)])
    own = frame[frame["label"] == label]
    margin = logit(own["score"]) * (1 if label else -1)
    assert found.evidence["violation_rate_minority"] == pytest.approx((margin < 1).mean())
    assert found.title.startswith((f"Few labelled rows are {name}: 4 % (", f"Few labelled rows are {name}: 4.0 % ("))
    assert f"read the violation rate of the {name} class" in found.title


def test_a_warning_where_the_total_hides_it(world, check):
    frame = rare(world(8_000), 0.04)
    shifted = frame.assign(score=expit(logit(frame["score"]) - 3))
    (found,) = check(shifted, NAME)
    assert found.severity is Severity.WARNING
    easy = frame.assign(score=expit(3 * logit(frame["score"])))
    (found,) = check(easy, NAME)
    assert found.severity is Severity.INFO


def test_one_finding_for_versions_alike_and_one_for_each_class(world, check):
    frame = world(16_000, versions=2)
    (found,) = check(rare(frame, 0.03), NAME)
    assert (found.version, len(found.evidence["versions"])) == (None, 2)
    assert "in version v1" in found.title
    assert "in version v2" in found.title
    second = frame["version"] == "v2"
    (found,) = check(rare(frame[second].reset_index(drop=True), 0.03), NAME)
    both = pd.concat([frame[~second], rare(frame[second].reset_index(drop=True), 0.03)], ignore_index=True)
    (found,) = check(both, NAME)
    assert found.version == "v2"


def test_a_tenth_has_to_be_beyond_doubt(world, check):
    assert check(rare(world(3_000), 0.095), NAME)[0].status is Status.PASS
    assert check(rare(world(60_000), 0.095), NAME)[0].status is Status.WARN


def test_reasons(world, check):
    frame = world()
    assert check(frame.drop(columns="label"), NAME)[0].status is Status.NOT_APPLICABLE
    assert "of one class" in check(frame.assign(label=1.0), NAME)[0].title
    assert check(frame.head(50), NAME)[0].status is Status.NOT_APPLICABLE
