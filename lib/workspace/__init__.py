"""What is open on this server, and the samples that anybody may open."""

from lib.workspace.held import KEPT_DIAGNOSES, HeldDraft, HeldHistory, OpenDataset, OpenEmbeddings
from lib.workspace.samples import SAMPLES, SAMPLES_FOLDER, TRAINING_SAMPLE, VECTOR_SAMPLES, Sample, VectorSample
from lib.workspace.workspace import (
    KEPT_SECONDS,
    MAX_DRAFTS,
    MAX_HISTORIES,
    MAX_OPEN,
    MOST_HISTORY_VALUES,
    Workspace,
)

__all__ = [
    "KEPT_DIAGNOSES",
    "KEPT_SECONDS",
    "MAX_DRAFTS",
    "MAX_HISTORIES",
    "MAX_OPEN",
    "MOST_HISTORY_VALUES",
    "SAMPLES",
    "SAMPLES_FOLDER",
    "TRAINING_SAMPLE",
    "VECTOR_SAMPLES",
    "HeldDraft",
    "HeldHistory",
    "OpenDataset",
    "OpenEmbeddings",
    "Sample",
    "VectorSample",
    "Workspace",
]
