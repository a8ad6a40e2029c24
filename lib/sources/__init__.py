"""From a file to a dataset: bytes, raw table, column profiles, inferred mapping, dataset.

Knows the embedded engine for reading files, and no scan: what a column means is decided here, what follows from it
is computed elsewhere.
"""

from lib.sources.answers import Answers
from lib.sources.dataset import Dataset, build_dataset
from lib.sources.engine import Run
from lib.sources.files import compute_sha256, compute_stem
from lib.sources.inference import Inference, compute_shape, infer_mapping
from lib.sources.rejects import RejectedLine
from lib.sources.sql import MISSING_TEXTS
from lib.sources.tables import RawTable, read_table

__all__ = [
    "MISSING_TEXTS",
    "Answers",
    "Dataset",
    "Inference",
    "RawTable",
    "RejectedLine",
    "Run",
    "build_dataset",
    "compute_sha256",
    "compute_shape",
    "compute_stem",
    "infer_mapping",
    "read_table",
]
