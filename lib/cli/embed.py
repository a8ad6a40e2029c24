"""`python -m lib embed`: vectors, what they find, whether their index is sound, and what a new version did to them."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from lib.cli.options import EMBED_ROLES
from lib.cli.output import terminal_width, write_text
from lib.cli.status import status_of
from lib.errors import SettingsError

if TYPE_CHECKING:
    from lib.sources import Run
    from lib.sources.embeddings import Beside, EmbeddingAnswers
    from lib.sources.inputs import Input


def embed(options: argparse.Namespace, store: Path, run: Run, report: Callable[[float, str], None]) -> int:
    """Write the report on the vectors that were named; 1 when a check failed with severity error."""
    from lib.sources.embeddings import read_embeddings
    from lib.sources.files import read_stamp, refuse_change
    from lib.sources.inputs import find_inputs

    outputs = [] if options.output is None else [options.output]
    inputs = find_inputs(options.files, outputs, store)
    beside, others = find_beside(options, outputs, store)
    stamps = [read_stamp(each.path) for each in (*inputs, *others)]
    data = read_embeddings(inputs, store, embedding_answers(options), beside, run=run, on_progress=report)

    from lib.checks.embeddings import run_embedding_checks
    from lib.embeddings import EmbeddingDiagnosis, EmbeddingSettings
    from lib.embeddings.everything import read_everything
    from lib.reports import render_markdown, render_text
    from lib.reports.embeddings import embeddings_outline
    from lib.reports.embeddings_json import EmbeddingReport, render_embeddings_json
    from lib.vectors import Distance

    settings = EmbeddingSettings.choose(
        data,
        baseline=options.baseline,
        candidate=options.candidate,
        distance=Distance(options.distance) if options.distance else None,
        ks=options.k,
    )
    diagnosis = EmbeddingDiagnosis(data, settings, store)
    read_everything(diagnosis, run, report)
    report(0.0, "Running the checks")
    checks = run_embedding_checks(diagnosis)
    run.check()
    for each, stamp in zip((*inputs, *others), stamps, strict=True):
        refuse_change(each.path, each.name, stamp)
    built = EmbeddingReport(diagnosis, checks)
    if options.format == "json":
        text = render_embeddings_json(built)
    elif options.format == "markdown":
        text = render_markdown(embeddings_outline(built))
    else:
        text = render_text(embeddings_outline(built), terminal_width(options.output))
    report(1.0, "")
    write_text(text, options.output)
    return status_of(checks)


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
