"""The tables of these tests and a real scan of the same rows lead to the same findings."""

import numpy as np
import pytest

from lib.checks import run_checks
from lib.diagnose import Diagnosis
from lib.scan import Scan
from lib.scan.saved import read_cells, save_cells
from lib.schema import LabelEncoding, Mapping, ScoreKind, TimeFormat
from lib.settings import Settings
from lib.sources import build_dataset, read_table
from sample_data.faults import make_predictions
from tests.checks.tables import FrameTables, cohort_columns


@pytest.mark.parametrize(
    "fault", [None, "label-flip", "missing-scores", "slow-candidate", "duplicate-ids", "score-drift"]
)
def test_the_same_findings(tmp_path, fault):
    frame, _ = make_predictions(7, 4_000, fault=fault, n_versions=2, serving=True)
    path = tmp_path / "rows.csv"
    frame.to_csv(path, index=False, date_format="%Y-%m-%dT%H:%M:%SZ")
    cohorts = cohort_columns(frame)
    mapping = Mapping(
        score="score",
        score_kind=ScoreKind.PROBABILITY,
        label="label",
        label_encoding=LabelEncoding(("1",), ("0",)),
        id="id",
        version="version",
        split="split",
        time="time",
        time_format=TimeFormat(),
        latency="latency",
        cost="cost",
        cohorts=cohorts,
    )
    dataset = build_dataset([read_table(path, "rows.csv", tmp_path / "store")], mapping)
    scan = Scan(dataset, tmp_path / "store")
    fake = FrameTables(frame, cohorts)
    assert scan.facts.windows == fake.facts.windows
    first, last = scan.facts.versions[0], scan.facts.versions[-1]
    ours, theirs = (
        run_checks(Diagnosis(each, Settings.choose(each.facts, baseline=first, candidate=last)))
        for each in (fake, scan)
    )
    assert [(each.code, each.status, each.version, each.where) for each in ours] == [
        (each.code, each.status, each.version, each.where) for each in theirs
    ]
    assert [each.strength for each in ours] == pytest.approx([each.strength for each in theirs], rel=1e-6)
    assert np.isfinite([each.strength for each in ours]).all()
    if fault == "label-flip":
        save_cells(scan, tmp_path / "cells.parquet")
        saved = read_cells(tmp_path / "cells.parquet", "cells.parquet")
        kept = run_checks(Diagnosis(saved, Settings.choose(saved.facts, baseline=first, candidate=last)))
        assert kept[0].where.cohort
        assert kept[0].where.window
        for name in ("roc_auc", "roc_auc_elsewhere"):
            assert ours[0].evidence[name] == pytest.approx(theirs[0].evidence[name], abs=1e-9)
            bound = kept[0].evidence["bounds"][name]
            assert 0 < abs(kept[0].evidence[name] - theirs[0].evidence[name]) <= bound
