"""`python -m lib cells`: summarise where the data is."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from lib.cli.reading import read_tables, split_histories
from lib.cli.status import GOOD
from lib.errors import SettingsError

if TYPE_CHECKING:
    from lib.sources import Run


def cells(options: argparse.Namespace, store: Path, run: Run, report: Callable[[float, str], None]) -> int:
    """Write the cells of the files."""
    from lib.sources.inputs import find_inputs

    training, inputs = split_histories(find_inputs(options.files, [options.output], store), run)
    if training.histories:
        raise SettingsError(
            f"{training.histories[0].name} holds training curves, of which there are no cells: leave it out, and give "
            "it to `check` beside the cells."
        )
    tables = read_tables(inputs, options, store, run, report)

    from lib.scan import save_cells

    report(0.0, "Writing the cells")
    try:
        save_cells(tables, options.output)
    except OSError as error:
        from lib.sources.inputs import unwritable

        raise unwritable(options.output, error) from error
    report(1.0, "")
    return GOOD
