import numpy as np

from lib.checks import Severity, Status
from lib.metrics.intervals import wilson

NAME = "small-sample"


def test_how_many_more_rows_are_enough(world, check):
    (found,) = check(world(60), NAME)
    assert (found.status, found.severity) == (Status.WARN, Severity.INFO)
    more, rate = found.evidence["n_more"], found.evidence["violation_rate"]
    low, high = wilson(rate, 60 + more)
    assert high - low <= 0.1 + 1e-9
    assert f"about {more} more" in found.title


def test_a_rare_class(world, check):
    frame = world(4_000)
    few = np.flatnonzero(frame["label"] == 1)[:10]
    frame = frame[(frame["label"] == 0) | frame.index.isin(few)].reset_index(drop=True)
    (found,) = check(frame, NAME)
    assert "only 10 of the positive class" in found.title
    assert found.evidence["n_more"] > 1_000


def test_only_shown_versions(world, check):
    frame = world(3_000, versions=3)
    frame = frame[(frame["version"] != "v2") | (frame.index % 100 == 0)].reset_index(drop=True)
    assert check(frame, NAME)[0].status is Status.PASS
    (found,) = check(frame, NAME, candidate="v2")
    assert (found.version, found.severity) == ("v2", Severity.WARNING)


def test_no_row_of_a_class_is_said_and_not_counted_upon(world, check):
    frame = world(4_000)
    (found,) = check(frame[frame["label"] == 0].reset_index(drop=True), NAME)
    assert found.title.startswith("No labelled row is of the positive class")
    assert found.evidence["n_more"] is None


def test_no_label_at_all(world, check):
    (found,) = check(world(500).assign(label=np.nan), NAME)
    assert (found.status, found.title) == (Status.WARN, "Nothing can be decided: no labelled rows")
    assert found.evidence["violation_rate"] is None
    assert check(world().drop(columns="label"), NAME)[0].status is Status.NOT_APPLICABLE


def test_no_score_at_all(world, check):
    (found,) = check(world(500).assign(score=np.nan), NAME)
    assert (found.status, found.title) == (Status.NOT_APPLICABLE, "No row has a score.")


def test_labels_and_scores_of_different_rows(world, check):
    frame = world(500)
    even = frame.index % 2 == 0
    frame = frame.assign(score=frame["score"].where(even), label=frame["label"].where(~even))
    assert check(frame, NAME)[0].title == "Nothing can be decided: no row has both a label and a score"
