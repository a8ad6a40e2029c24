import numpy as np
import pytest

from lib.checks import Severity, Status

DUPLICATE, LEAKY = "duplicate-ids", "leaky-split"


def with_ids(frame, splits=("train", "test")):
    return frame.assign(id=[f"r{i}" for i in range(len(frame))], split=np.array(splits)[np.arange(len(frame)) % 2])


def test_ids_that_occur_once(world, check):
    frame = with_ids(world(versions=2))
    assert check(frame, DUPLICATE)[0].status is Status.PASS
    assert check(frame, LEAKY)[0].status is Status.PASS


def test_the_same_ids_in_another_version_or_split_are_no_duplicates(world, check):
    frame = with_ids(world(versions=2))
    frame = frame.assign(id=[f"r{i % 1500}" for i in range(3_000)], version=np.where(frame.index < 1_500, "v1", "v2"))
    assert check(frame, DUPLICATE)[0].status is Status.PASS
    assert check(frame, LEAKY)[0].status is Status.PASS


@pytest.mark.parametrize(("share", "severity"), [(0.004, Severity.INFO), (0.05, Severity.WARNING)])
def test_rows_of_one_version_written_twice(world, check, share, severity):
    frame = with_ids(world(10_000, versions=2))
    own = np.flatnonzero((frame["version"] == "v2") & (frame["split"] == "test"))
    n = round(share * (frame["version"] == "v2").sum())
    ids = frame["id"].to_numpy(copy=True)
    ids[own[:n]] = ids[own[n : 2 * n]]
    (found,) = check(frame.assign(id=ids), DUPLICATE)
    assert (found.status, found.severity, found.version) == (Status.WARN, severity, "v2")
    assert (found.evidence["n_repeated"], found.evidence["n_repeated_ids"]) == (n, n)
    assert found.evidence["n"] == (frame["version"] == "v2").sum()
    assert f"{n} of " in found.title
    assert check(frame.assign(id=ids), LEAKY)[0].status is Status.PASS


def test_test_rows_that_were_trained_on(world, check):
    frame = with_ids(world(10_000))
    ids = frame["id"].to_numpy(copy=True)
    ids[1:400:2] = ids[0:400:2]
    (found,) = check(frame.assign(id=ids), LEAKY)
    assert (found.status, found.severity, found.version) == (Status.WARN, Severity.WARNING, None)
    assert (found.evidence["n"], found.evidence["n_leaked"], found.evidence["share_rows"]) == (5_000, 200, 0.04)
    assert found.title == (
        "Held-out rows were trained on: 200 of 5,000 (4 %) have the id of a training row, 200 ids in all"
    )
    assert check(frame.assign(id=ids), DUPLICATE)[0].status is Status.PASS
    other = frame.assign(id=ids, split=frame["split"].replace({"train": "validation"}))
    assert check(other, LEAKY)[0].status is Status.NOT_APPLICABLE


def test_too_few_to_matter_are_told_in_passing(world, check):
    frame = with_ids(world(10_000))
    ids = frame["id"].to_numpy(copy=True)
    ids[2], ids[3] = ids[0], ids[0]
    (found,) = check(frame.assign(id=ids), DUPLICATE)
    assert (found.status, found.evidence["n_repeated"]) == (Status.PASS, 1)
    (found,) = check(frame.assign(id=ids), LEAKY)
    assert (found.status, found.evidence["n_leaked"]) == (Status.PASS, 1)


def test_no_ids(world, check):
    assert check(world(), DUPLICATE)[0].status is Status.NOT_APPLICABLE
    assert check(world(), LEAKY)[0].status is Status.NOT_APPLICABLE
    assert check(with_ids(world()).drop(columns="split"), LEAKY)[0].status is Status.NOT_APPLICABLE
