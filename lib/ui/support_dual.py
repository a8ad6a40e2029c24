"""The solver's own support vectors, uploaded and compared with those from predictions."""

from __future__ import annotations

from typing import Any

import streamlit as st

from lib.diagnose import Diagnosis
from lib.figures.format import format_count
from lib.figures.frame import provenance_line
from lib.figures.support_dual_view import STATES, DualView
from lib.figures.support_vectors_view import WORDS, SupportView
from lib.metrics.support_vectors import KINDS
from lib.scan import Scan
from lib.scan.dual import DualComparison, compare_dual
from lib.sources import Run
from lib.sources.dual import FORMS, DualSolution, read_dual
from lib.ui.downloads import offer_csv
from lib.ui.html import Cell, Column, show_answer, show_note, show_table
from lib.ui.jobs import Progress, begin, settle
from lib.ui.uploader import Upload, render_uploader

DUAL = "dual"
_COMPARED = "dual:compared"
HOW = """
From scikit-learn: `numpy.savez("svc.npz", support=svc.support_, dual_coef=svc.dual_coef_, C=svc.C, n=len(y))`, or
`skops.io.dump(svc, "svc.skops")`. Row numbers count the rows of training as they stand in the file, from 0; with `ids`
in place of `support` rows are found by their id. A pickle is never opened.
"""


def show_dual(diagnosis: Diagnosis, view: SupportView) -> None:
    """The uploader, and how the file that it holds compares with the rows shown."""
    scan = diagnosis.tables
    if not isinstance(scan, Scan) or diagnosis.facts.mapping.is_multiclass:
        return
    with st.expander("Compare with the solver's own support vectors"):
        st.markdown(HOW)
        uploads = render_uploader(DUAL, label="Choose a file", hint=FORMS)
        if uploads:
            _show_compared(diagnosis, scan, view, uploads[-1])


def _show_compared(diagnosis: Diagnosis, scan: Scan, view: SupportView, upload: Upload) -> None:
    version = view.focus.version
    asked = (upload.sha256, upload.name, diagnosis.facts.key, version, view.split)
    held: Any = st.session_state.get(_COMPARED)
    if held is None or held[0] != asked:
        job = settle(DUAL)
        if job is None:

            def compare(run: Run, _report: Progress) -> tuple[object, DualSolution, DualComparison]:
                solution = read_dual(upload.path, upload.name)
                return asked, solution, compare_dual(scan, version, view.split, solution, run)

            begin(DUAL, f"Comparing {upload.name}", compare)
            job = settle(DUAL)
        if job is not None and job.problem is not None:
            st.error(job.problem or "Cancelled: the file was not compared.", icon=":material/error:")
            return
        held = st.session_state[_COMPARED] = job.result if job is not None else None
        if held is None or held[0] != asked:
            # The job was that of another file or another choice of rows.
            st.rerun()
    _asked, solution, compared = held
    told = DualView(solution, compared.agreement)
    show_answer(told.answer())
    show_table(
        [Column(f"Rows of {version}"), *(Column(state) for state in STATES)],
        [
            [
                Cell(WORDS[kind].capitalize()),
                *(
                    Cell("" if kind == "free" and place == 0 else format_count(n))
                    for place, n in enumerate(compared.agreement.counts[kind])
                ),
            ]
            for kind in KINDS
        ],
    )
    show_note(*told.notes())
    if len(compared.differing):
        st.dataframe(compared.differing, hide_index=True)
        offer_csv(
            compared.differing,
            "differing",
            provenance=provenance_line(diagnosis.with_settings(where=view.where)),
            key="dual:csv",
        )
