"""A recall drop in a worker is the one that is worked out here; it can be cancelled."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lib.errors import Cancelled
from lib.jobs.recall_drop import recall_drop
from lib.recall_drop import compute_recall_drop
from lib.sources import Run
from sample_data.embedding_faults import make_versions
from tests.recall_drop.worlds import asked_of, quiet


def test_a_worker_gives_the_same_answer(tmp_path: Path) -> None:
    before, after, _truth = make_versions(0, 300, 16, faults=("stale-rows",))
    asked = asked_of(before, after)
    told: list[str] = []
    there = recall_drop(asked, tmp_path, Run(), lambda _share, words: told.append(words))
    here = compute_recall_drop(asked, quiet)
    assert there.before == here.before
    assert there.after == here.after
    for one, other in zip(there.hypotheses, here.hypotheses, strict=True):
        assert (one.name, one.verdict, one.sentence) == (other.name, other.verdict, other.sentence)
        assert one.explains == pytest.approx(other.explains, nan_ok=True)
    assert there.parts == here.parts
    assert np.array_equal(there.history, here.history)
    assert "Grouping lost queries" in told
    assert not list(tmp_path.iterdir())


def test_it_can_be_cancelled(tmp_path: Path) -> None:
    before, after, _truth = make_versions(0, 300, 16)
    run = Run()
    run.cancel()
    with pytest.raises(Cancelled):
        recall_drop(asked_of(before, after), tmp_path, run, quiet)
    assert not list(tmp_path.iterdir())
