"""Counts of answers by class: of a scan, of saved cells, and counted by hand."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lib.cells import AnswerCounts, WrongAnswers
from lib.errors import SettingsError
from lib.scan import Scan
from lib.scan.saved import read_cells, save_cells
from lib.schema import SPLIT, VERSION, WINDOW, Filter, cohort_key
from lib.sources import Answers, build_dataset, infer_mapping, read_table
from sample_data.faults import make_predictions
from tests.checks.class_worlds import ClassTables, make_classes
from tests.checks.tables import FrameTables

LANGUAGE = cohort_key("language")


def scan_of(frame: pd.DataFrame, folder: Path) -> Scan:
    frame.to_parquet(folder / "rows.parquet", index=False)
    table = read_table(folder / "rows.parquet", "rows.parquet", folder / "store")
    answers = Answers(score_kind="probability")
    return Scan(build_dataset([table], infer_mapping([table], answers).mapping), folder / "store")


def as_dict(counts: AnswerCounts) -> dict[tuple[str, ...], float]:
    keys = [[str(each) for each in column.values[column.codes]] for column in counts.keys.values()]
    names = np.array(counts.names)
    return dict(zip(zip(*keys, names[counts.own], names[counts.answer], strict=True), counts.n.tolist(), strict=True))


def by_hand(frame: pd.DataFrame, *columns: str) -> dict[tuple[str, ...], float]:
    names = [column.removeprefix("score_") for column in frame.columns if column.startswith("score_")]
    scores = frame[[f"score_{name}" for name in names]].to_numpy()
    told = frame.assign(answer=np.array(names)[np.nan_to_num(scores).argmax(axis=1)])
    told = told.loc[told["label"].notna().to_numpy() & ~np.isnan(scores).any(axis=1)]
    rows = zip(*(told[column].astype(str) for column in (*columns, "label", "answer")), strict=True)
    return {key: float(n) for key, n in Counter(rows).items()}


def test_answers_are_counted_as_pandas_counts_them(tmp_path: Path) -> None:
    frame = make_classes(3, n=2_000)
    frame.loc[frame.index % 7 == 0, "label"] = None
    frame.loc[frame.index % 11 == 0, "score_c01"] = None
    scan = scan_of(frame, tmp_path)
    assert as_dict(scan.answers((VERSION,))) == by_hand(frame, "version")
    assert as_dict(scan.answers((VERSION, LANGUAGE))) == by_hand(frame, "version", "language")
    english = frame[frame["language"] == "en"]
    assert as_dict(scan.answers((VERSION,), Filter(cohorts=(("language", "en"),)))) == by_hand(english, "version")
    assert scan.facts.windows is not None
    assert scan.facts.windows.width == 86_400
    days = [str(int(moment.timestamp())) for moment in frame["time"].dt.floor("D")]
    assert as_dict(scan.answers((VERSION, WINDOW))) == by_hand(frame.assign(day=days), "version", "day")


def test_saved_cells_and_cells_in_numpy_answer_alike(tmp_path: Path) -> None:
    frame = make_classes(4, n=2_000)
    scan = scan_of(frame, tmp_path)
    save_cells(scan, tmp_path / "cells.parquet")
    saved = read_cells(tmp_path / "cells.parquet", "cells.parquet")
    assert as_dict(saved.answers((VERSION,))) == as_dict(scan.answers((VERSION,)))
    assert as_dict(saved.answers((VERSION, SPLIT))) == as_dict(scan.answers((VERSION, SPLIT)))
    with pytest.raises(SettingsError, match="no table by"):
        saved.answers((VERSION, LANGUAGE))
    tables = ClassTables(frame, scan.facts.mapping.score_kind)
    for keys in ((VERSION,), (VERSION, LANGUAGE, WINDOW)):
        assert as_dict(tables.answers(keys)) == as_dict(scan.answers(keys))


def counted(answers: WrongAnswers) -> dict[tuple[str, ...], tuple[float, ...]]:
    keys = [[str(each) for each in column.values[column.codes]] for column in answers.keys.values()]
    return dict(zip(zip(*keys, strict=True), map(tuple, answers.counts.tolist()), strict=True))


def counted_by_hand(frame: pd.DataFrame, *columns: str) -> dict[tuple[str, ...], tuple[float, ...]]:
    rows = frame[frame["label"].notna() & frame["score"].notna()]
    flagged, negative = rows["score"] > 0.5, rows["label"] == 0
    told = rows.assign(wrong=flagged == negative, n=1, fp=flagged & negative, negative=negative)
    sums = told.groupby([told[column].astype(str) for column in columns])[["wrong", "n", "fp", "negative"]].sum()
    return {key: tuple(map(float, each)) for key, each in zip(sums.index, sums.to_numpy(), strict=True)}


def test_wrong_answers_are_counted_as_pandas_counts_them_without_what_is_left_out(tmp_path: Path) -> None:
    frame, _truth = make_predictions(3, 3_000, n_versions=2)
    frame["score"] = frame["score"].mask(frame.index % 9 == 0)
    scan = scan_of(frame, tmp_path)
    region, device = frame["region"].iloc[0], frame["device"].iloc[0]
    keys = (VERSION, cohort_key("region"), cohort_key("device"))
    assert counted(scan.wrong_answers(keys)) == counted_by_hand(frame, "version", "region", "device")
    only = Filter(cohorts=(("region", region),))
    own = frame[frame["region"] == region]
    assert counted(scan.wrong_answers(keys[::2], only)) == counted_by_hand(own, "version", "device")
    noon = pd.Timestamp(frame["time"].median()).floor("s")
    first = scan.facts.versions[0]
    outside = (
        (("nowhere", first), Filter(cohorts=(("device", device),), start=int(noon.timestamp()))),
        (scan.facts.versions, only),
    )
    out = (frame["version"] == first) & (frame["device"] == device) & (frame["time"] >= noon)
    left = frame[~out & (frame["region"] != region)]
    assert counted(scan.wrong_answers(keys, outside=outside)) == counted_by_hand(left, "version", "region", "device")
    fake = FrameTables(frame, scan.facts.cohorts)
    assert counted(fake.wrong_answers(keys, outside=outside)) == counted(scan.wrong_answers(keys, outside=outside))


def test_a_sample_counts_some_of_the_rows_and_saved_cells_have_none(tmp_path: Path) -> None:
    frame = make_classes(3, n=4_000)
    scan = scan_of(frame, tmp_path)
    every = scan.wrong_answers((VERSION, LANGUAGE)).counts
    some = scan.wrong_answers((VERSION, LANGUAGE), one_in=4).counts
    assert 0.2 < some[:, 1].sum() / every[:, 1].sum() < 0.3
    # Of several classes the score is the margin: a row that is answered wrongly has a negative one.
    by_class = by_hand(frame, "version")
    assert every[:, 0].sum() == sum(n for (_version, own, answer), n in by_class.items() if own != answer)
    assert every[:, 2:].sum() == 0
    save_cells(scan, tmp_path / "cells.parquet")
    with pytest.raises(SettingsError, match="open the rows themselves"):
        read_cells(tmp_path / "cells.parquet", "cells.parquet").wrong_answers((VERSION, LANGUAGE))
