"""Dataset to cells, and the few row queries: the only place that speaks Ibis."""

from lib.scan.facts import Facts, InputFile
from lib.scan.listing import Order, RowQuery, count_rows, list_rejected, list_rows
from lib.scan.look import STRUCTURAL
from lib.scan.merged import merge_cells
from lib.scan.row_problems import PROBLEMS
from lib.scan.saved import SavedCells, is_saved_cells, read_cells, save_cells
from lib.scan.scan import Scan
from lib.scan.windows import WindowGrid

__all__ = [
    "PROBLEMS",
    "STRUCTURAL",
    "Facts",
    "InputFile",
    "Order",
    "RowQuery",
    "SavedCells",
    "Scan",
    "WindowGrid",
    "count_rows",
    "is_saved_cells",
    "list_rejected",
    "list_rows",
    "merge_cells",
    "read_cells",
    "save_cells",
]
