"""Each format of training history, as its library writes it; what is wrong with a file in a sentence; hostile files."""

import csv
import gzip
import json
import math
import tracemalloc

import lightgbm
import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

from lib.errors import DataError, LimitError
from lib.sources import read_table, training, training_text
from lib.sources.training import History, Training, read_history
from lib.sources.training_names import either_way, read_metric

NAN = math.nan


def look_at(tmp_path, name, content):
    path = tmp_path / name.rpartition("/")[2]
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_history(path, name)


def read(tmp_path, name, content) -> History:
    return held(look_at(tmp_path, name, content))


def held(history: History | None) -> History:
    assert history is not None
    return history


def found(history: History):
    """Curves by run, split and metric: values."""
    return {(each.run, each.split, each.metric): each.value.tolist() for each in history.curves}


def write_keras(path, logs):
    """As `keras.callbacks.CSVLogger` does: csv.DictWriter over epoch and the sorted keys, NA where one is missing."""
    keys = sorted(logs[0])
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, ["epoch", *keys])
        writer.writeheader()
        for epoch, each in enumerate(logs):
            writer.writerow({"epoch": epoch, **{key: each.get(key, "NA") for key in keys}})


def test_keras(tmp_path):
    path = tmp_path / "training.log"
    write_keras(path, [{"loss": 0.7, "val_loss": 0.8, "accuracy": 0.5}, {"loss": 0.5, "accuracy": 0.6}])
    history = held(read_history(path, "training.log"))
    assert history.format == "Keras CSVLogger"
    assert "epoch" in history.evidence
    assert found(history) == {
        ("training.log", "train", "loss"): [0.7, 0.5],
        ("training.log", "train", "accuracy"): [0.5, 0.6],
        ("training.log", "validation", "loss"): [0.8],
    }
    assert history.curves[0].epoch.tolist() == [0, 1]
    assert not history.curves[0].is_by_step


def write_lightning(path, logs):
    """As `lightning.pytorch.loggers.CSVLogger` does: a line for each call of log, its metrics alone, gaps elsewhere."""
    keys = list(dict.fromkeys(key for each in logs for key in each))
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, keys)
        writer.writeheader()
        writer.writerows(logs)


def test_lightning(tmp_path):
    path = tmp_path / "metrics.csv"
    logs = [{"epoch": step // 2, "step": step, "train_loss_step": 1 / (1 + step)} for step in range(4)]
    logs += [{"epoch": each, "step": 2 * each + 1, "val_loss": 0.5, "train_loss_epoch": 0.6} for each in range(2)]
    write_lightning(path, sorted(logs, key=lambda each: each["step"]))
    history = held(read_history(path, "metrics.csv"))
    assert history.reading.startswith(
        "metrics.csv was read as a Lightning CSVLogger file: columns epoch, step and train"
    )
    assert "with gaps" in history.evidence
    by_name = {each.written: each for each in history.curves}
    assert by_name["train_loss_step"].per == "step"
    assert by_name["train_loss_epoch"].value.tolist() == [0.6, 0.6]
    assert by_name["val_loss"].step.tolist() == [1, 3]
    assert by_name["val_loss"].epoch.tolist() == [0, 1]


def test_hugging_face(tmp_path):
    log = [
        {"epoch": 0.5, "grad_norm": 2.1, "learning_rate": 1e-4, "loss": 2.0, "step": 10},
        {"epoch": 1.0, "eval_accuracy": 0.6, "eval_loss": 1.9, "eval_runtime": 3.2, "step": 20},
        {"epoch": 1.5, "grad_norm": NAN, "learning_rate": 5e-5, "loss": 1.5, "step": 30},
        {"epoch": 2.0, "step": 40, "total_flos": 1e10, "train_loss": 1.4, "train_runtime": 22.0},
    ]
    state = {"best_metric": None, "epoch": 2.0, "global_step": 40, "is_world_process_zero": True, "log_history": log}
    history = read(tmp_path, "trainer_state.json", json.dumps(state, indent=2, sort_keys=True))
    assert history.format == "Hugging Face trainer_state.json"
    curves = found(history)
    assert curves["trainer_state", "train", "loss"] == [2.0, 1.5]
    assert curves["trainer_state", "validation", "accuracy"] == [0.6]
    assert ("trainer_state", "train", "learning_rate") in curves
    assert not any("runtime" in each.written or "flos" in each.written for each in history.curves)
    (loss,) = [each for each in history.curves if each.written == "loss"]
    assert (loss.step.tolist(), loss.epoch.tolist()) == ([10, 30], [0.5, 1.5])
    alone = read(tmp_path, "log.json", json.dumps(log))
    assert found(alone)["log", "train", "loss"] == [2.0, 1.5]


def test_boosted_trees(tmp_path):
    xgboost = {"validation_0": {"logloss": [0.6, 0.5]}, "validation_1": {"logloss": [0.65, 0.6]}}
    history = read(tmp_path, "evals_result.json", json.dumps(xgboost))
    assert history.format == "XGBoost eval results"
    assert found(history) == {
        ("evals_result", "train", "log_loss"): [0.6, 0.5],
        ("evals_result", "validation", "log_loss"): [0.65, 0.6],
    }
    assert "validation_0, was taken for the training data" in history.reading
    named = read(tmp_path, "b.json", json.dumps({"train": {"rmse": [3, 2]}, "eval": {"rmse": [3, 2.5]}}))
    assert {each.split for each in named.curves} == {"train", "validation"}
    lightgbm = {"training": {"binary_logloss": [0.6]}, "valid_1": {"binary_logloss": [0.65], "auc": [0.7]}}
    history = read(tmp_path, "lgb.json", json.dumps(lightgbm))
    assert history.format == "LightGBM eval results"
    assert found(history)["lgb", "validation", "roc_auc"] == [0.7]
    assert history.curves[0].step.tolist() == [1]


def boosted_rows():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(120, 2))
    return x, (x[:, 0] + rng.normal(size=120) > 0).astype(int)


@pytest.mark.parametrize("named", [False, True])
def test_xgboost_writes_it(tmp_path, named):
    xgboost = pytest.importorskip("xgboost")
    x, y = boosted_rows()
    if named:
        result = {}
        parts = [
            (xgboost.DMatrix(x[rows], y[rows]), name) for rows, name in ((slice(80), "train"), (slice(80, 120), "eval"))
        ]
        settings = {"objective": "binary:logistic", "eval_metric": ["logloss", "auc"], "max_depth": 2, "nthread": 1}
        xgboost.train(settings, parts[0][0], 4, evals=parts, evals_result=result, verbose_eval=False)
        names = ["train", "eval"]
    else:
        model = xgboost.XGBClassifier(n_estimators=4, max_depth=2, eval_metric=["logloss", "auc"], n_jobs=1)
        model.fit(x[:80], y[:80], eval_set=[(x[:80], y[:80]), (x[80:], y[80:])], verbose=False)
        result = model.evals_result()
        names = ["validation_0", "validation_1"]
    history = read(tmp_path, "xgb.json", json.dumps(result))
    assert history.format == "XGBoost eval results"
    curves = found(history)
    assert len(curves) == 4
    for split, name in zip(("train", "validation"), names, strict=True):
        assert curves["xgb", split, "log_loss"] == result[name]["logloss"]
        assert curves["xgb", split, "roc_auc"] == result[name]["auc"]
    assert history.curves[0].step.tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize("named", [False, True])
def test_lightgbm_writes_it(tmp_path, named):
    x, y = boosted_rows()
    settings = {
        "objective": "binary",
        "metric": ["binary_logloss", "auc"],
        "num_leaves": 3,
        "verbose": -1,
        "num_threads": 1,
    }
    train = lightgbm.Dataset(x[:80], y[:80])
    result = {}
    lightgbm.train(
        settings,
        train,
        4,
        valid_sets=[train, train.create_valid(x[80:], y[80:])],
        valid_names=["train", "valid"] if named else None,
        callbacks=[lightgbm.record_evaluation(result)],
    )
    history = read(tmp_path, "lgb.json", json.dumps(result))
    assert history.format == "LightGBM eval results"
    names = {"train": "train" if named else "training", "validation": "valid" if named else "valid_1"}
    metrics = {"log_loss": "binary_logloss", "roc_auc": "auc"}
    written = {
        ("lgb", split, metric): result[names[split]][name] for split in names for metric, name in metrics.items()
    }
    assert found(history) == written


def test_scikit_learn_writes_it(tmp_path):
    x, y = load_digits(return_X_y=True)
    model = MLPClassifier((8,), max_iter=12, early_stopping=True, n_iter_no_change=12, random_state=0, tol=0.0)
    with pytest.warns(UserWarning, match="Maximum iterations"):
        model.fit(x[:300] / 16, y[:300])
    curves = {"loss_curve_": model.loss_curve_, "validation_scores_": model.validation_scores_}
    history = read(tmp_path, "mlp.json", json.dumps(curves))
    assert history.format == "scikit-learn loss curve"
    assert found(history)["mlp", "train", "loss"] == pytest.approx(model.loss_curve_)
    assert found(history)["mlp", "validation", "score"] == pytest.approx(model.validation_scores_)
    several = read(tmp_path, "two.json", json.dumps({"small": curves, "large": curves}))
    assert several.runs == ("small", "large")


def test_mlflow(tmp_path):
    text = "run_id,key,value,step,timestamp\na1,train_loss,2,0,1700000000000\na1,train_loss,1,1,1700000060000\n"
    history = read(tmp_path, "metrics.csv", text + "b2,val_loss,NaN,0,1700000000000\n")
    assert history.format == "MLflow metrics"
    assert history.runs == ("a1", "b2")
    loss = history.curves[0]
    assert (loss.step.tolist(), loss.time.tolist()) == ([0, 1], [0, 60])
    assert math.isnan(history.curves[1].value[0])


def test_weights_and_biases(tmp_path):
    names = [f"{run} - train/loss{end}" for run in ("brisk-pond-1", "old, sun-2") for end in ("", "__MIN", "__MAX")]
    rows = [[0, 1.6, 1.6, 1.6, "", "", ""], [1, 1.5, 1.5, 1.5, 2.0, 2.0, 2.0]]
    with (tmp_path / "panel.csv").open("w", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([["Step", *names], *rows])
    history = held(read_history(tmp_path / "panel.csv", "panel.csv"))
    assert history.format == "Weights & Biases panel"
    assert found(history) == {
        ("brisk-pond-1", "train", "loss"): [1.6, 1.5],
        ("old, sun-2", "train", "loss"): [2.0],
    }
    text = "_step,_runtime,_timestamp,loss,val_loss,epoch,notes\n0,1.5,1.7e9,2.0,,0,hey\n1,2.5,1.7e9,1.0,1.5,0,you\n"
    history = read(tmp_path, "history.csv", text)
    assert history.format == "Weights & Biases history"
    assert found(history)["history", "validation", "loss"] == [1.5]
    assert "notes" in history.reading
    assert history.curves[0].time.tolist() == [0, 1]


def test_tensorboard_says_the_run_in_the_name_of_the_file(tmp_path):
    text = "Wall time,Step,Value\n1654943296.2150984,0,0.9\n1654943313.7791796,1,0.8\n"
    files = [f"run-lenet_{split}-tag-epoch_loss.csv" for split in ("train", "validation")]
    histories = [read(tmp_path, name, text) for name in files]
    assert [each.format for each in histories] == ["TensorBoard scalars"] * 2
    both = Training.of(histories)
    assert both.runs == ("lenet",)
    assert {(each.split, each.metric) for each in both.curves} == {("train", "loss"), ("validation", "loss")}
    assert both.curves[0].time[1] == pytest.approx(17.564, abs=0.001)
    assert read(tmp_path, "my loss.csv", text).runs == ("my loss",)


def test_predictions_are_none(tmp_path):
    assert look_at(tmp_path, "a.csv", "id,label,score\n1,1,0.3\n") is None
    assert look_at(tmp_path, "b.csv", "epoch,label,score,loss\n1,1,0.3,0.2\n") is None
    assert look_at(tmp_path, "c.jsonl", '{"label":1,"score":0.3}\n{"label":0,"score":0.1}\n') is None
    assert look_at(tmp_path, "d.csv", "id,loss\n1,0.3\n") is None
    assert look_at(tmp_path, "e.json", '{"a": [1, 2], "b": {"c": 1}}') is None
    assert look_at(tmp_path, "f.csv", "epoch,score,customer\n1700000000,0.3,x\n") is None
    assert look_at(tmp_path, "g.bin", b"\x00\x01\x02") is None
    assert look_at(tmp_path, "h.csv", b"") is None


def test_what_could_be_either_is_said(tmp_path):
    header = ["epoch", "label", "score", "loss"]
    assert either_way(header).startswith("The columns epoch, loss are as in a training history")
    assert either_way(["label", "score", "loss"]) == either_way(["epoch", "loss"]) == ""
    path = tmp_path / "either.csv"
    path.write_text("epoch,label,score,loss\n" + "1,1,0.3,0.2\n" * 30)
    assert either_way(header) in read_table(path, "either.csv", tmp_path / "store").notes


def test_restarts_repeats_and_disorder(tmp_path):
    def csv_of(epochs):
        return "epoch,loss\n" + "".join(f"{epoch},{place}\n" for place, epoch in enumerate(epochs))

    resumed = read(tmp_path, "a.csv", csv_of([0, 1, 2, 3, 2, 3, 4]))
    assert found(resumed) == {("a", "train", "loss"): [0, 1, 4, 5, 6]}
    assert "go back once" in resumed.reading
    anew = read(tmp_path, "b.csv", csv_of([0, 1, 2, 0, 1, 2]))
    assert anew.runs == ("b", "b (2)")
    both = read(tmp_path, "b2.csv", "epoch,loss,val_loss\n" + "0,1,1\n1,1,1\n2,1,1\n" * 2)
    assert "begin anew once" in both.reading
    shuffled = read(tmp_path, "c.csv", csv_of([3, 1, 2, 0, 5, 4]))
    assert found(shuffled)["c", "train", "loss"] == [3, 1, 2, 0, 5, 4]
    assert "sorted" in shuffled.reading
    repeated = read(tmp_path, "d.csv", csv_of([0, 1, 1, 2, 3, 4]))
    assert found(repeated)["d", "train", "loss"] == [0, 2, 3, 4, 5]
    blank = read(tmp_path, "e.csv", "epoch,loss\n1,3\n,2\n3,1\n")
    assert found(blank)["e", "train", "loss"] == [3, 1]
    assert "without a step or epoch" in blank.reading
    batches = read(tmp_path, "f.csv", "epoch,batch,loss\n" + "".join(f"{i // 4},{i % 4},{i}\n" for i in range(12)))
    assert batches.curves[0].step.tolist() == list(range(1, 13))
    assert batches.curves[0].epoch.tolist() == [i // 4 for i in range(12)]


def test_several_runs_in_one_file_and_in_files_of_one_name(tmp_path):
    text = "run;epoch;loss;val_loss\nlate;1;2;3\nlate;2;1;2\nearly;1;3;4\n"
    history = read(tmp_path, "runs.csv", text)
    assert history.runs == ("late", "early")
    same = [read(tmp_path, f"version_{number}/metrics.csv", "epoch,loss\n1,2\n") for number in (0, 1)]
    assert Training.of(same).runs == ("metrics", "version_1/metrics")


WRONG = {
    "a.csv": ("epoch,loss\n1,2\n2,oops\n3,1\n", r"a\.csv holds 'oops' in column loss at line 3, .* Write the number"),
    "b.csv": ("epoch,loss,val_loss\n1,2,3\n2,1\n", r"b\.csv has 2 values at line 3 .* 3 columns"),
    "c.csv": ("epoch,loss\n1,\n2,NA\n", r"c\.csv looks like .* no value"),
    "d.csv": ("epoch,loss,loss\n1,2,3\n", r"d\.csv has two columns loss"),
    "e.csv": (b"epoch,loss,note\n1,2,\xff\n", r"e\.csv .* cannot be read as a table in UTF-8"),
    "f.csv": ("epoch,loss\nfirst,2\n", r"'first' in column epoch at line 2"),
    "g.json": ('{"log_history": [{"loss": 1.0, "step": 1},', r"g\.json .* no whole JSON .* line 1, column \d+"),
    "h.json": ('{"log_history": [{"loss": "x", "step": 1}]}', r'h\.json holds "x" at log_history\[0\]\.loss'),
    "i.json": ('{"log_history": [{"loss": true, "step": 1}]}', r"holds true at log_history\[0\]\.loss"),
    "j.json": ('{"log_history": ' + "[" * 100_000 + "]" * 100_000 + "}", r"j\.json is nested too deeply"),
    "k.json": ('{"loss_curve_": [1, {"a": 2}]}', r"at loss_curve_\[1\]"),
    "l.json": ('{"log_history": [3]}', r"no object at log_history\[0\]"),
    "m.json": ('{"epoch": [1, 2], "loss": [1.0]}', r"1 values at loss for 2 epochs"),
    "o.json": ("[0.7, 0.5]", r"o\.json is a list of numbers without a name"),
    "p.json": ("[0.7, 0.5, 0.4", r"p\.json is a JSON list that is cut short: it breaks off at line 1, column 15\."),
    "q.json": ('[{"epoch": 1, "loss": 0.7}, {"epoch": 2, "lo', r"q\.json is a JSON list that is cut short"),
    "n.json": ('{"training": {"auc": [0.5, "x"]}}', r"at training\.auc\[1\]"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_a_sentence(tmp_path, name):
    content, sentence = WRONG[name]
    with pytest.raises(DataError, match=sentence):
        read(tmp_path, name, content)


def test_no_numbers_are_what_training_gave(tmp_path):
    history = read(tmp_path, "a.csv", "epoch,loss\n1,1e400\n2,-inf\n3,NaN\n4,1e200\n5,2\n")
    assert history.curves[0].value.tolist() == pytest.approx([math.inf, -math.inf, NAN, math.inf, 2], nan_ok=True)
    history = read(tmp_path, "b.json", '{"loss_curve_": [NaN, Infinity, null, ' + "9" * 5_000 + ", 1]}")
    assert history.curves[0].value.tolist() == pytest.approx([NAN, math.inf, math.inf, 1], nan_ok=True)
    assert history.curves[0].epoch.tolist() == [1, 2, 4, 5]


def test_bounds(tmp_path, monkeypatch):
    monkeypatch.setattr("lib.sources.training_json.MOST_JSON", 100)
    with pytest.raises(LimitError, match="larger than"):
        read(tmp_path, "a.json", json.dumps({"loss_curve_": [1.0] * 100}))
    assert look_at(tmp_path, "b.json", json.dumps({"x": [1.0] * 100})) is None
    monkeypatch.setattr(training, "MOST_VALUES", 3)
    with pytest.raises(LimitError, match="1 curves with 4 values"):
        read(tmp_path, "c.csv", "epoch,loss\n1,2\n2,3\n3,4\n4,5\n")
    assert training_text.MOST_TABLE > 100 * 1024**2


def test_a_million_steps_compressed(tmp_path):
    rng = np.random.default_rng(0)
    rows = "".join(f"{step // 10_000},{step},{value:.4f}\n" for step, value in enumerate(rng.random(1_000_000)))
    path = tmp_path / "long.csv.gz"
    path.write_bytes(gzip.compress(("epoch,step,loss\n" + rows).encode(), 1))
    tracemalloc.start()
    history = held(read_history(path, "long.csv.gz"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(history.curves[0].value) == 1_000_000
    assert history.runs == ("long",)
    assert peak < 400e6


@pytest.mark.parametrize(
    ("written", "split", "metric", "per"),
    [
        ("loss", "train", "loss", ""),
        ("val_sparse_categorical_accuracy", "validation", "accuracy", ""),
        ("train/loss", "train", "loss", ""),
        ("eval/f1", "validation", "f1", ""),
        ("loss/val", "validation", "loss", ""),
        ("train_loss_epoch", "train", "loss", "epoch"),
        ("validation_1 mlogloss", "validation", "log_loss", ""),
        ("valid binary_logloss-mean", "validation", "log_loss", ""),
        ("lr-Adam", "train", "learning_rate", ""),
        ("fraction_hard_triplets", "train", "hard_triplet_share", ""),
        ("testAcc", "test", "accuracy", ""),
        ("my_own_thing", "train", "my_own_thing", ""),
    ],
)
def test_names(written, split, metric, per):
    named = read_metric(written)
    assert (named.split, named.metric, named.per) == (split, metric, per)
