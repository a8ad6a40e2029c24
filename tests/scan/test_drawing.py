"""Rows drawn for a fit: stratified, reproducible, parted by split or fold, counted; values as in the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lib.errors import Cancelled, SettingsError
from lib.scan import Scan
from lib.scan.drawing import TRAIN_FOLDS, DrawQuery, EmbeddingFeatures, choose_parts, draw_rows
from lib.schema import Filter
from lib.sources import Answers, Run, build_dataset, infer_mapping, read_table
from lib.vectors import Vectors
from tests.scan.conftest import ScanOf, predictions

COLUMNS = ("amount", "age")


def frame_of(n: int = 4_000, share: float = 0.1, *, split: bool = True) -> pd.DataFrame:
    generator = np.random.default_rng(3)
    frame = predictions(1, n).drop(columns=["sample_weight", "time", *([] if split else ["split"])])
    frame["y_true"] = (generator.random(n) < share).astype(int)
    # Each value is its row's own, so that a row that is mixed up with another shows.
    frame["amount"] = generator.permutation(n) + 0.5
    frame["age"] = frame["amount"] * 2 + 100
    return frame


def of_version(frame: pd.DataFrame, version: str = "v9") -> pd.DataFrame:
    return frame[frame.version == version]


def test_all_of_few_rows_are_drawn_with_their_own_values(scan_of: ScanOf) -> None:
    frame = frame_of()
    drawn = draw_rows(scan_of(frame), DrawQuery(COLUMNS, "v9"))
    own = of_version(frame)
    assert drawn.n_all == drawn.n_drawn == len(drawn.rows.label) == len(own)
    assert drawn.n_left_out == 0
    by_place = frame.iloc[drawn.row]
    assert (drawn.rows.values[:, 0] == by_place.amount.to_numpy()).all()
    assert (drawn.rows.values[:, 1] == by_place.age.to_numpy()).all()
    assert ((drawn.rows.label > 0) == (by_place.y_true == 1).to_numpy()).all()
    assert (drawn.rows.is_train == (by_place.split == "train").to_numpy()).all()
    assert set(by_place.version) == {"v9"}
    assert (drawn.train_splits, drawn.test_splits) == (("train",), ("test",))


def test_a_sample_keeps_the_share_of_each_class_and_is_the_same_again(scan_of: ScanOf) -> None:
    frame = frame_of()
    scan, own = scan_of(frame), of_version(frame)
    drawn = draw_rows(scan, DrawQuery(COLUMNS, "v9", most=500))
    positive = int(own.y_true.sum())
    assert drawn.n_all == len(own)
    assert (drawn.rows.label > 0).sum() == positive * 500 // len(own)
    assert 498 <= len(drawn.rows.label) <= 500
    again = draw_rows(scan, DrawQuery(COLUMNS, "v9", most=500))
    assert (again.row == drawn.row).all()
    assert (again.rows.values == drawn.rows.values).all()
    other = draw_rows(scan, DrawQuery(COLUMNS, "v9", most=500, seed=1))
    assert len(np.intersect1d(other.row, drawn.row)) < 250
    assert len(np.unique(drawn.row)) == len(drawn.row)


def test_a_sample_is_in_no_order_and_apart_from_the_folds(scan_of: ScanOf) -> None:
    drawn = draw_rows(scan_of(frame_of(20_000, 0.5, split=False)), DrawQuery(COLUMNS, "v9", most=2_000))
    places = drawn.row[drawn.rows.label > 0]
    assert abs(np.corrcoef(places, np.arange(len(places)))[0, 1]) < 0.1
    assert places.mean() == pytest.approx(10_000, rel=0.1)
    counts = np.bincount(drawn.rows.fold, minlength=10)
    assert counts.min() > 140
    assert drawn.rows.is_train.mean() == pytest.approx(TRAIN_FOLDS / 10, abs=0.04)


def test_a_rare_class_keeps_a_row(scan_of: ScanOf) -> None:
    frame = frame_of()
    own = of_version(frame).index
    frame["y_true"] = 0
    frame.loc[own[:2], "y_true"] = 1
    drawn = draw_rows(scan_of(frame), DrawQuery(COLUMNS, "v9", most=100))
    assert (drawn.rows.label > 0).sum() == 1


def test_rows_that_lack_a_feature_are_left_out_and_counted(scan_of: ScanOf) -> None:
    frame = frame_of()
    own = of_version(frame).index
    frame.loc[own[:30], "age"] = np.nan
    frame.loc[own[20:25], "amount"] = np.inf
    drawn = draw_rows(scan_of(frame), DrawQuery(COLUMNS, "v9"))
    assert drawn.missing == (("age", 30), ("amount", 5))
    assert drawn.n_left_out == 30
    assert drawn.n_drawn == len(own)
    assert np.isfinite(drawn.rows.values).all()


def test_unlabelled_rows_are_not_drawn(scan_of: ScanOf) -> None:
    frame = frame_of()
    frame["y_true"] = frame.y_true.astype("Int64")
    own = of_version(frame).index
    frame.loc[own[:100], "y_true"] = pd.NA
    assert draw_rows(scan_of(frame), DrawQuery(COLUMNS, "v9")).n_all == len(own) - 100
    frame["y_true"] = frame.y_true.mask(frame.version == "v9")
    with pytest.raises(SettingsError, match="Version v9 has no labelled rows"):
        draw_rows(scan_of(frame, name="none"), DrawQuery(COLUMNS, "v9"))


def test_parts_are_the_splits_or_the_folds(scan_of: ScanOf) -> None:
    assert choose_parts(("Train", "validation", "test")) == (("Train",), ("test",))
    assert choose_parts(("training", "dev")) == (("training",), ("dev",))
    assert choose_parts(("train", "production")) == choose_parts(("test",)) == choose_parts(()) == ((), ())
    frame = frame_of()
    scan = scan_of(frame)
    filtered = draw_rows(scan, DrawQuery(COLUMNS, "v9", Filter(split="test", cohorts=(("language", "pt"),))))
    kept = of_version(frame).query("split == 'test' and language == 'pt'")
    assert filtered.n_all == len(kept)
    assert filtered.train_splits == ()
    assert (filtered.rows.is_train == (filtered.rows.fold < TRAIN_FOLDS)).all()


def test_one_of_several_classes_is_set_against_the_rest(scan_of: ScanOf) -> None:
    generator = np.random.default_rng(0)
    label = generator.choice(["cat", "dog", "owl"], 600)
    prob = generator.dirichlet([1, 1, 1], 600)
    frame = pd.DataFrame({"y_true": label, "prob_cat": prob[:, 0], "prob_dog": prob[:, 1], "prob_owl": prob[:, 2]})
    frame["amount"], frame["age"] = generator.normal(size=600), generator.normal(size=600)
    scan = scan_of(frame)
    drawn = draw_rows(scan, DrawQuery(COLUMNS, scan.facts.versions[0], of_class="dog"))
    assert ((drawn.rows.label > 0) == (label[drawn.row] == "dog")).all()
    assert len(drawn.row) == 600


def test_several_files_are_drawn_from_and_one_without_a_column_lacks_it(tmp_path: Path) -> None:
    frames = [frame_of(400).assign(version="v"), frame_of(300).assign(version="v").drop(columns="age")]
    tables = []
    for number, frame in enumerate(frames):
        path = tmp_path / f"part{number}.parquet"
        frame.to_parquet(path, index=False)
        tables.append(read_table(path, path.name, tmp_path / "store"))
    scan = Scan(build_dataset(tables, infer_mapping(tables, Answers()).mapping), tmp_path / "store")
    both = draw_rows(scan, DrawQuery(COLUMNS, "v"))
    assert both.n_drawn == 700
    assert both.missing == (("age", 300),)
    assert set(both.file) == {0}
    one = draw_rows(scan, DrawQuery(("amount",), "v"))
    assert np.bincount(one.file).tolist() == [400, 300]
    for number, frame in enumerate(frames):
        assert (one.rows.values[one.file == number, 0] == frame.amount.to_numpy()[one.row[one.file == number]]).all()


def test_what_is_not_there_and_who_cancels(scan_of: ScanOf) -> None:
    scan = scan_of(frame_of())
    with pytest.raises(SettingsError, match="There is no column height"):
        draw_rows(scan, DrawQuery(("height",), "v9"))
    run = Run()
    run.cancel()
    with pytest.raises(Cancelled):
        draw_rows(scan, DrawQuery(COLUMNS, "v9"), run)


def vectors_of(ids: list[str], dimension: int = 3, *, broken: int | None = None) -> Vectors:
    """Each vector is its place and powers of it; one of them may hold a NaN."""
    place = np.arange(1, len(ids) + 1, dtype=np.float32)
    matrix = np.stack([place * (power + 1) for power in range(dimension)], axis=1)
    is_good = np.ones(len(ids), bool)
    if broken is not None:
        matrix[broken], is_good[broken] = np.nan, False
    everything = np.ones(len(ids), bool)
    return Vectors("image", matrix, np.array(ids, object), is_good, everything, everything, "float32", "0" * 64)


def with_vectors(**changes: Any) -> DrawQuery:
    return DrawQuery((), "v9", embedding=EmbeddingFeatures("items", "image", "key"), **changes)


def test_vectors_are_the_features_of_the_rows_with_their_id(scan_of: ScanOf) -> None:
    frame = frame_of()
    ids = frame.id.sample(900, random_state=2).tolist()
    vectors = vectors_of([*ids, ids[0], "not there"], broken=5)
    drawn = draw_rows(scan_of(frame), with_vectors(), vectors=vectors)
    own = of_version(frame)
    own = own[own.id.isin(ids[1:]) & (own.id != ids[5])]
    assert drawn.n_all == drawn.n_drawn == len(own)
    assert drawn.n_left_out == 0
    by_place = frame.iloc[drawn.row]
    assert sorted(by_place.id) == sorted(own.id)
    places = np.array([ids.index(each) for each in by_place.id])
    assert (drawn.rows.values == vectors.matrix[places]).all()
    assert ((drawn.rows.label > 0) == (by_place.y_true == 1).to_numpy()).all()
    assert (drawn.rows.is_train == (by_place.split == "train").to_numpy()).all()
    assert drawn.rows.columns == ("dimension 1", "dimension 2", "dimension 3")


def test_each_vector_is_drawn_once_and_of_several_rows_one_that_passes_the_filter(scan_of: ScanOf) -> None:
    frame = frame_of(600)
    frame["id"] = [f"r{row % 40}" for row in range(600)]
    vectors = vectors_of([f"r{row}" for row in range(40)])
    drawn = draw_rows(scan_of(frame, roles={"id": "id"}), with_vectors(where=Filter(split="test")), vectors=vectors)
    first = of_version(frame).query("split == 'test'").drop_duplicates("id")
    assert sorted(drawn.row) == first.index.tolist()


def test_of_long_vectors_fewer_rows_are_drawn(scan_of: ScanOf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lib.scan.drawing.MOST_VALUES", 1_000)
    frame = frame_of()
    drawn = draw_rows(scan_of(frame), with_vectors(), vectors=vectors_of(frame.id.tolist(), 8))
    assert drawn.n_all == len(of_version(frame))
    assert 123 <= drawn.n_drawn <= 125


def test_vectors_of_other_ids_are_refused(scan_of: ScanOf) -> None:
    scan = scan_of(frame_of(400).assign(id=range(400)))
    with pytest.raises(SettingsError, match="has the id of a vector of items, version image"):
        draw_rows(scan, with_vectors(), vectors=vectors_of([f"{row:04d}" for row in range(400)][:10]))
    assert draw_rows(scan, with_vectors(), vectors=vectors_of([str(row) for row in range(400)])).n_all > 100
