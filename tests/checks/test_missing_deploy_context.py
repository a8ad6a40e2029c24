import numpy as np
import pandas as pd

from lib.checks import Severity, Status

NAME = "missing-deploy-context"


def test_neither_version_nor_time(world, check):
    (found,) = check(world().drop(columns=["version", "time"]), NAME)
    assert (found.status, found.severity) == (Status.WARN, Severity.INFO)
    assert found.title == (
        "Nothing to trace a change to: there is no version and there is no time (n = 3,000); add a column with the "
        "model's version, or one file for each version and a column with the time of each prediction"
    )


def test_one_of_them(world, check):
    for column in ("version", "time"):
        (found,) = check(world().drop(columns=column), NAME)
        assert (found.severity, found.evidence["lacking"]) == (Severity.INFO, [column])


def test_columns_that_are_mostly_empty(world, check):
    frame = world()
    lost = np.random.default_rng(1).random(len(frame)) < 0.8
    (found,) = check(frame.assign(time=frame["time"].mask(lost, pd.NaT)), NAME)
    assert "of rows have no time" in found.title
    assert found.evidence["share_lacking"] == {"version": 0.0, "time": lost.mean()}
    (found,) = check(frame.assign(version=np.where(lost, "", "v1")), NAME)
    assert found.evidence["lacking"] == ["version"]
    few = frame.assign(time=frame["time"].mask(lost & (frame.index % 2 == 0), pd.NaT))
    assert check(few, NAME)[0].status is Status.PASS
