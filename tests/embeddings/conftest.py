"""Digits in two versions, read from files as a person would give them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from lib.embeddings import EmbeddingDiagnosis, EmbeddingSettings
from lib.sources.embeddings import EmbeddingSet, read_embeddings
from lib.sources.inputs import Input

ROWS = 600


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> EmbeddingSet:
    """600 digits: all pixels, and the first four principal components of them."""
    folder = tmp_path_factory.mktemp("digits")
    images, labels = load_digits(return_X_y=True)
    images, labels = images[:ROWS].astype(np.float32), labels[:ROWS]
    np.save(folder / "pixels.npy", images)
    np.save(folder / "components.npy", PCA(4, random_state=0).fit_transform(images).astype(np.float32))
    pd.DataFrame(
        {"id": [f"d{row}" for row in range(ROWS)], "label": labels, "half": np.where(labels < 5, "low", "high")}
    ).to_csv(folder / "meta.csv", index=False)
    names = ("pixels.npy", "components.npy", "meta.csv")
    return read_embeddings([Input(folder / name, name) for name in names], folder / "store")


@pytest.fixture(scope="session")
def diagnosis(digits: EmbeddingSet, tmp_path_factory: pytest.TempPathFactory) -> EmbeddingDiagnosis:
    return EmbeddingDiagnosis(digits, EmbeddingSettings.choose(digits), tmp_path_factory.mktemp("graphs"))


@pytest.fixture(scope="session")
def rotated(tmp_path_factory: pytest.TempPathFactory) -> EmbeddingDiagnosis:
    """Digits, and the same turned: no neighbour changes, every value does."""
    folder = tmp_path_factory.mktemp("rotated")
    images, labels = load_digits(return_X_y=True)
    images, labels = images[:ROWS].astype(np.float32), labels[:ROWS]
    turn, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(64, 64)))
    np.save(folder / "old.npy", images)
    np.save(folder / "new.npy", (images @ turn).astype(np.float32))
    pd.DataFrame({"label": labels, "half": np.where(labels < 5, "low", "high")}).to_csv(folder / "m.csv", index=False)
    names = ("old.npy", "new.npy", "m.csv")
    given = read_embeddings([Input(folder / name, name) for name in names], folder / "store")
    return EmbeddingDiagnosis(given, EmbeddingSettings.choose(given), folder)
