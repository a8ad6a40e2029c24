"""The samples that come with the product: files of `sample_data`, and what to expect of each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

SAMPLES_FOLDER = Path(__file__).resolve().parents[2] / "sample_data"


@dataclass(frozen=True)
class Sample:
    """A bundled dataset: a file of `sample_data`, and what to expect of it."""

    token: str
    file: str
    title: str
    description: str


SAMPLES = (
    Sample(
        "sample-incident",
        "incident.csv.gz",
        "An incident",
        "Thirty days of a simulated moderation classifier: a deploy, complaints, a rollback three days later.",
    ),
    Sample(
        "sample-losses",
        "digits_hinge_vs_logistic.csv",
        "Hinge against logistic",
        "Handwritten digits from scikit-learn: the same task and features under both losses, on one score axis.",
    ),
    Sample(
        "sample-hinge",
        "digits_hinge.csv",
        "Two hinge versions",
        "The hinge-trained model alone, two versions: raw decision scores, so nothing is called a probability.",
    ),
    Sample(
        "sample-logistic",
        "digits_logistic.csv",
        "Two logistic versions",
        "The logistic model alone, two versions: probabilities, with log loss and Brier score.",
    ),
    Sample(
        "sample-digits",
        "which_digit.csv.gz",
        "Ten classes",
        "Handwritten digits again, and which of the ten each is: a probability for every class, two versions.",
    ),
    Sample(
        "sample-wrong",
        "many_things_wrong.csv",
        "Many things wrong",
        "A small file with unreadable scores, unknown labels and broken lines, to see how each is said.",
    ),
)

TRAINING_SAMPLE = Sample(
    "sample-training",
    "training_curves.csv",
    "Training curves",
    "Loss and accuracy by epoch of two small networks from scikit-learn on noisy digits: one of them learns by heart.",
)
"""The bundled training history; it is looked at on the Training page, with or without a dataset."""


@dataclass(frozen=True)
class VectorSample:
    """A bundled set of vectors: its files, and what to expect of it; `metadata` is empty where there is none."""

    token: str
    vectors: tuple[str, ...]
    metadata: str
    title: str
    description: str


VECTOR_SAMPLES = (
    VectorSample(
        "sample-recall",
        ("index_2026.05.npz", "index_2026.06.npz"),
        "index_items.csv",
        "A recall drop",
        "Simulated: an index of a shop's items that was built anew for a new model, and finds less than before.",
    ),
    VectorSample(
        "sample-vectors",
        ("digits_raw.npz", "digits_pca.npz", "digits_learned.npz"),
        "digit_items.csv",
        "Three embeddings",
        "Handwritten digits from scikit-learn as vectors: pixels, principal components, and what a network learned.",
    ),
)
