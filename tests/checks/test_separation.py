import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from lib.checks.separation import Part, auc_of_cells, cells_of, cells_outside
from lib.schema import Filter
from tests.checks.conftest import day, make_world
from tests.checks.tables import diagnose

V1, BOTH = ("v1",), ("v1", "v2")
PARTS = [
    Part(V1, (("language", "pt"),)),
    Part(BOTH, (("plan", "free"),), (day(3), day(12))),
    Part(("v2",), (), (day(11), day(14))),
    Part(BOTH, (("language", "es"),), (day(2), day(4))),
]


def inside(frame, part):
    rows = frame["version"].isin(part.versions)
    for column, value in part.cohorts:
        rows &= frame[column] == value
    if part.window is not None:
        second = frame["time"].dt.as_unit("s").astype("int64")
        rows &= second.between(part.window[0], part.window[1] - 1)
    return rows


@pytest.mark.parametrize("part", PARTS)
def test_the_auc_of_a_part_is_that_of_its_rows(part):
    frame = make_world(versions=2)
    rows = frame[inside(frame, part)]
    auc = auc_of_cells(cells_of(diagnose(frame, ("language", "plan")), part))
    assert (auc.n, auc.bound) == (len(rows), 0.0)
    assert auc.value == pytest.approx(roc_auc_score(rows["label"], rows["score"]), abs=1e-12)


@pytest.mark.parametrize("versions", [V1, BOTH])
def test_parts_that_overlap_are_taken_out_once(versions):
    frame = make_world(versions=2)
    left = frame[frame["version"].isin(versions) & ~np.any([inside(frame, part) for part in PARTS], axis=0)]
    auc = auc_of_cells(cells_outside(diagnose(frame, ("language", "plan")), Part(versions), PARTS))
    assert auc.n == len(left)
    assert auc.value == pytest.approx(roc_auc_score(left["label"], left["score"]), abs=1e-12)


def test_a_filter_stays(world):
    frame = world()
    diagnosis = diagnose(frame, ("language", "plan")).with_settings(
        where=Filter((("plan", "free"),), None, day(2), day(9))
    )
    part = Part(V1, (("language", "pt"),), (day(5), day(15)))
    rows = inside(frame, part) & (frame["plan"] == "free") & frame["day"].between(5, 8)
    assert auc_of_cells(cells_of(diagnosis, part)).n == rows.sum()


def test_nothing_left_has_no_auc(world):
    diagnosis = diagnose(world(), ("language",))
    auc = auc_of_cells(cells_outside(diagnosis, Part(V1), [Part(V1)]))
    assert not auc.is_defined
