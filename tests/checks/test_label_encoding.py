import numpy as np

from lib.checks import Status

NAME = "label-encoding"


def test_everything_reversed_is_the_wrong_positive_class_and_no_flip(world, check):
    frame = world(versions=2)
    frame = frame.assign(label=1 - frame["label"])
    (found,) = check(frame, NAME)
    assert found.status is Status.FAIL
    assert found.version is None
    assert found.evidence["roc_auc"] < 0.1
    (flip,) = check(frame, "label-flip")
    assert flip.status is Status.PASS


def test_most_reversed_is_a_flip_and_no_encoding(world, check):
    frame = world(versions=3)
    frame = frame.assign(score=np.where(frame["version"] != "v1", 1 - frame["score"], frame["score"]))
    assert check(frame, NAME)[0].status is Status.PASS
    assert {each.status for each in check(frame, "label-flip")} == {Status.FAIL}


def test_a_right_model_passes_and_of_a_useless_one_nothing_is_said(world, check):
    for d, status in ((2.5, Status.PASS), (0.01, Status.NOT_APPLICABLE)):
        (found,) = check(world(d=d), NAME)
        assert found.status is status
