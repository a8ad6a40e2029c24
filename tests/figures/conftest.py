"""Real results for figures: the sample files, scanned, and a small hostile table."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit

from lib.cells import Cells
from lib.diagnose import Diagnosis
from lib.grid import EXACT, Resolution, probability_id, score_id
from lib.scan import Facts, InputFile, Scan, WindowGrid
from lib.scan.held import HeldTables
from lib.schema import EVERYTHING, Filter, Mapping, ScoreKind, cohort_key
from lib.settings import Settings
from lib.sources import Answers, build_dataset, infer_mapping, read_table

SAMPLES = Path(__file__).resolve().parents[2] / "sample_data"
HOSTILE = (
    "<b>bold</b>",
    "<script>alert(1)</script>",
    "$x^2$",
    '"><img src=x onerror=alert(1)>',
    "%{x} &amp; &lt;",
    "é" * 300,
)


def scan_of(name: str, folder: Path) -> Scan:
    table = read_table(SAMPLES / name, name, folder)
    dataset = build_dataset([table], infer_mapping([table], Answers()).mapping)
    return Scan(dataset, folder)


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Diagnosis:
    scan = scan_of("digits_hinge_vs_logistic.csv", tmp_path_factory.mktemp("digits"))
    return Diagnosis(scan, Settings.choose(scan.facts))


@pytest.fixture(scope="session")
def incident(tmp_path_factory: pytest.TempPathFactory) -> Diagnosis:
    scan = scan_of("incident.csv.gz", tmp_path_factory.mktemp("incident"))
    return Diagnosis(scan, Settings.choose(scan.facts))


class Table(HeldTables):
    """Cell tables made in a test, answered from one table by all keys."""

    def __init__(self, facts: Facts, whole: Cells) -> None:
        super().__init__()
        self.facts = facts
        self._whole = whole

    def cells(self, keys: Sequence[str], where: Filter = EVERYTHING, *, finest: Resolution = EXACT) -> Cells:
        return self._make(tuple(keys), where, finest)

    def _make(self, keys: tuple[str, ...], where: Filter, finest: Resolution) -> Cells:
        return self._whole.rollup(list(keys)).coarsen(max(finest, self._whole.resolution, key=lambda each: each.order))


Maker = Callable[..., Diagnosis]


@pytest.fixture
def make() -> Maker:
    """A diagnosis from arrays: label, score, version, and any of split, window, fold and cohort `group`."""

    def diagnosis(
        label: Sequence[int],
        score: Sequence[float],
        version: Sequence[str],
        *,
        resolution: Resolution = EXACT,
        **keys: Sequence[object],
    ) -> Diagnosis:
        y, s = np.asarray(label, np.int64), np.asarray(score, np.float64)
        loss = np.where(y == 0, 0.0, np.logaddexp(0.0, -y * s))
        p = expit(s)
        sums = np.stack([np.ones_like(s), s, s * s, loss, loss * loss, p, p * p], axis=1)
        columns = {
            "version": np.asarray(version, str),
            "split": np.asarray(keys.get("split", [""] * len(y)), str),
            cohort_key("group"): np.asarray(keys.get("group", ["a"] * len(y)), str),
            "fold": np.asarray(keys.get("fold", np.arange(len(y)) % 10), np.int64),
            "window": np.asarray(keys.get("window", [0] * len(y)), np.int64),
        }
        cells = Cells.build(columns, y, score_id(s), probability_id(p), sums, resolution=EXACT, score=s).coarsen(
            resolution
        )
        names = tuple(dict.fromkeys(itertools.chain(version)))
        windows = WindowGrid(86_400) if "window" in keys else None
        facts = Facts(
            name="<i>hostile</i> $data$",
            key="0123456789abcdef",
            inputs=(InputFile("a.csv", "ab" * 32, len(y), 0),),
            mapping=Mapping(score="s", score_kind=ScoreKind.LOGIT, label="y", cohorts=("group",)),
            n_rows=len(y),
            versions=names,
            splits=tuple(sorted(set(map(str, keys.get("split", []))))),
            cohorts=("group",),
            windows=windows,
            first=0 if windows else None,
            last=86_400 * 5 if windows else None,
            weighted=False,
        )
        return Diagnosis(Table(facts, cells), Settings.choose(facts))

    return diagnosis
