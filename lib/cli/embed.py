"""`python -m lib embed`: vectors, whether their index is sound, and what their metadata means."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from lib.cli.options import EMBED_ROLES
from lib.cli.output import terminal_width, write_text
from lib.cli.status import GOOD
from lib.errors import SettingsError

if TYPE_CHECKING:
    from lib.sources import Run
    from lib.sources.embeddings import Beside, EmbeddingAnswers, EmbeddingSet
    from lib.sources.inputs import Input


def embed(options: argparse.Namespace, store: Path, run: Run, report: Callable[[float, str], None]) -> int:
    """Write the report on the vectors that were named."""
    from lib.sources.embeddings import read_embeddings
    from lib.sources.files import read_stamp, refuse_change
    from lib.sources.inputs import find_inputs

    outputs = [] if options.output is None else [options.output]
    inputs = find_inputs(options.files, outputs, store)
    beside, others = find_beside(options, outputs, store)
    stamps = [read_stamp(each.path) for each in (*inputs, *others)]
    data = read_embeddings(inputs, store, embedding_answers(options), beside, run=run, on_progress=report)
    baseline, candidate = choose_versions(data, options.baseline, options.candidate)

    from lib.metrics.index_consistency import compute_index_report
    from lib.reports import render_markdown, render_text
    from lib.reports.embeddings import embeddings_outline
    from lib.reports.embeddings_json import EmbeddingReport, render_embeddings_json
    from lib.vectors import Distance

    indexes = {}
    for place, (name, vectors) in enumerate(data.versions.items()):
        run.check()
        report(place / len(data.versions), f"Looking at the vectors of {name}")
        faults = data.faults[name]
        indexes[name] = compute_index_report(
            vectors, faults.odd_rows, faults.odd_lengths, faults.unmatched_rows, faults.missing
        )
    for each, stamp in zip((*inputs, *others), stamps, strict=True):
        refuse_change(each.path, each.name, stamp)
    built = EmbeddingReport(data, Distance(options.distance), options.k, baseline, candidate, indexes)
    if options.format == "json":
        text = render_embeddings_json(built)
    elif options.format == "markdown":
        text = render_markdown(embeddings_outline(built))
    else:
        text = render_text(embeddings_outline(built), terminal_width(options.output))
    report(1.0, "")
    write_text(text, options.output)
    return GOOD


def embedding_answers(options: argparse.Namespace) -> EmbeddingAnswers:
    """What the options settle of the meaning of columns."""
    from lib.sources.embeddings import EmbeddingAnswers

    def listed(columns: list[str] | None) -> tuple[str, ...] | None:
        return None if columns is None else tuple(column for column in columns if column)

    return EmbeddingAnswers(
        roles={role: getattr(options, role) for role in EMBED_ROLES if getattr(options, role) is not None},
        cohorts=listed(options.cohort),
        sensitive=listed(options.sensitive),
        vectors=options.vectors,
    )


def find_beside(options: argparse.Namespace, outputs: list[Path], store: Path) -> tuple[Beside, list[Input]]:
    """The files beside the vectors, each of which is there."""
    from lib.sources.embeddings import Beside
    from lib.sources.inputs import find_inputs

    named = {name: getattr(options, name) for name in ("metadata", "pairs", "qrels", "neighbours")}
    if named["pairs"] is not None and named["qrels"] is not None:
        raise SettingsError("Right answers are given twice, by --pairs and by --qrels. Give one of them.")
    folders = {name: store / f"of-{name}" for name, file in named.items() if file is not None}
    for folder in folders.values():
        folder.mkdir()
    found = {name: find_inputs([named[name]], outputs, folder)[0] for name, folder in folders.items()}
    return Beside(**found), list(found.values())


def choose_versions(data: EmbeddingSet, baseline: str | None, candidate: str | None) -> tuple[str, str]:
    """The baseline, by default the first version, and the candidate, by default the last.

    Raises:
        SettingsError: there is no version of that name.
    """
    names = list(data.versions)
    for option, name in (("--baseline", baseline), ("--candidate", candidate)):
        if name is not None and name not in names:
            raise SettingsError(f"There is no version {name} for {option}: there are {', '.join(names[:12])}.")
    return baseline or names[0], candidate or names[-1]
