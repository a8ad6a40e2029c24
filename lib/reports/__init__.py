"""One report, three faces: the same numbers as JSON for tools, as text for a terminal, as Markdown for a pull request.

`build_report` gathers what `Diagnosis` and the checks have found; the renderers read nothing else and compute nothing.
What the gate has decided has the same faces, and two for machines: JUnit and OpenMetrics.
"""

from lib.reports.gate import gate_outline
from lib.reports.json import render_json
from lib.reports.junit import render_junit
from lib.reports.markdown import render_markdown
from lib.reports.openmetrics import render_openmetrics
from lib.reports.report import Report, build_report
from lib.reports.text import render_text
from lib.reports.training import TrainingReport, build_training_report

__all__ = [
    "Report",
    "TrainingReport",
    "build_report",
    "build_training_report",
    "gate_outline",
    "render_json",
    "render_junit",
    "render_markdown",
    "render_openmetrics",
    "render_text",
]
