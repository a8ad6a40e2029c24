"""Dataset to cells, and the few row queries: the only place that speaks Ibis."""

from lib.scan.facts import Facts, InputFile
from lib.scan.listing import Order, RowPage, RowQuery, list_rejected, list_rows
from lib.scan.rows import PROBLEMS
from lib.scan.saved import SavedCells, is_saved_cells, save_cells
from lib.scan.scan import STRUCTURAL, Scan
from lib.scan.windows import WindowGrid

__all__ = [
    "PROBLEMS",
    "STRUCTURAL",
    "Facts",
    "InputFile",
    "Order",
    "RowPage",
    "RowQuery",
    "SavedCells",
    "Scan",
    "WindowGrid",
    "is_saved_cells",
    "list_rejected",
    "list_rows",
    "save_cells",
]
