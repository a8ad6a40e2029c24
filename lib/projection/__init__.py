"""The map of an embedding: principal components at once, UMAP from the graph of neighbours, maps laid over each other.

The layout is compiled when it is first imported, so it is imported where it runs: `lib.projection.layout` in a worker.
"""

from lib.projection.alignment import Alignment, align, begin_from, compute_churn, pair_ids
from lib.projection.landmarks import LAID_OUT_WHOLE, LANDMARKS, choose_landmarks
from lib.projection.pca import Pca, compute_pca
from lib.projection.settings import EXACT_FOR_MAP, PARAMETERS, Layout, LayoutSettings, Method, Parameter, layout_key
from lib.projection.store import load_layout, save_layout

__all__ = [
    "EXACT_FOR_MAP",
    "LAID_OUT_WHOLE",
    "LANDMARKS",
    "PARAMETERS",
    "Alignment",
    "Layout",
    "LayoutSettings",
    "Method",
    "Parameter",
    "Pca",
    "align",
    "begin_from",
    "choose_landmarks",
    "compute_churn",
    "compute_pca",
    "layout_key",
    "load_layout",
    "pair_ids",
    "save_layout",
]
