"""Reports of all samples, built once in this process by the same steps as the command line's."""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from lib.checks import run_checks
from lib.diagnose import Diagnosis
from lib.reports import Report, build_report
from lib.scan import SavedCells, Scan, read_cells, save_cells
from lib.settings import Settings
from lib.sources import Answers, build_dataset, infer_mapping, read_table

SAMPLES = Path(__file__).resolve().parents[2] / "sample_data"
ANSWERS = {
    "digits_hinge.csv": Answers(),
    "digits_logistic.csv": Answers(),
    "digits_hinge_vs_logistic.csv": Answers(),
    "incident.csv.gz": Answers(),
    # Three of its values lie outside [0, 1].
    "many_things_wrong.csv": Answers(score_kind="probability"),
}
STORE = Path(tempfile.mkdtemp(prefix="marginalia-tests-"))
atexit.register(shutil.rmtree, STORE, ignore_errors=True)


def scan_of(path: Path, answers: Answers = Answers()) -> Scan:
    table = read_table(path, path.name, STORE)
    scan = Scan(build_dataset([table], infer_mapping([table], answers).mapping), STORE)
    scan.warm()
    return scan


def report_of(tables: Scan | SavedCells, margin_target: float = 1.0) -> Report:
    diagnosis = Diagnosis(tables, Settings.choose(tables.facts, margin_target=margin_target))
    if diagnosis.can_read_features:
        diagnosis.read_features()
    return build_report(diagnosis, run_checks(diagnosis))


@functools.cache
def sample_report(name: str) -> Report:
    return report_of(scan_of(SAMPLES / name, ANSWERS[name]))


@functools.cache
def saved_sample_report(name: str) -> Report:
    path = STORE / f"{name}.parquet"
    save_cells(scan_of(SAMPLES / name, ANSWERS[name]), path)
    return report_of(read_cells(path, path.name))


@pytest.fixture(params=sorted(ANSWERS))
def sample(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def report(sample: str) -> Report:
    return sample_report(sample)


@pytest.fixture
def saved_report(sample: str) -> Report:
    return saved_sample_report(sample)


@pytest.fixture
def report_of_csv(tmp_path: Path) -> Callable[..., Report]:
    """A report of CSV text."""

    def make(text: str, name: str = "data.csv", answers: Answers = Answers(), margin_target: float = 1.0) -> Report:
        (tmp_path / name).write_text(text, "utf-8")
        return report_of(scan_of(tmp_path / name, answers), margin_target)

    return make
