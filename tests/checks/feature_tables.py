"""Value cells of a frame in numpy, so that features can be tried on hundreds of small data sets."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd

from lib.cells import Coded
from lib.diagnose import Diagnosis
from lib.schema import FOLD
from lib.settings import Settings
from tests.checks.tables import FrameTables


class FeatureFrameTables(FrameTables):
    """`FrameTables` with numeric feature columns."""

    def __init__(self, frame: pd.DataFrame, features: tuple[str, ...], cohorts: tuple[str, ...], **options: Any):
        super().__init__(frame, cohorts, **options)
        present = set(frame["split"].astype(str)) if "split" in frame else set()
        splits = tuple(each for each in ("train", "validation", "test") if each in present)
        mapping = dataclasses.replace(self.facts.mapping, features=features)
        self.facts = dataclasses.replace(self.facts, mapping=mapping, splits=splits)
        self.columns[FOLD] = Coded.of(np.random.default_rng(len(frame)).integers(0, 10, len(frame)))


def diagnose_features(frame: pd.DataFrame, features: tuple[str, ...], cohorts: tuple[str, ...] = ()) -> Diagnosis:
    tables = FeatureFrameTables(frame, features, cohorts)
    versions = sorted(tables.facts.versions)
    return Diagnosis(tables, Settings.choose(tables.facts, baseline=versions[0], candidate=versions[-1]))
