"""One report, three faces: the same numbers as JSON for tools, as text for a terminal, as Markdown for a pull request.

`build_report` gathers what `Diagnosis` and the checks have found; the renderers read nothing else and compute nothing.
"""

from lib.reports.json import render_json
from lib.reports.markdown import render_markdown
from lib.reports.report import Report, build_report
from lib.reports.text import render_text
from lib.reports.training import TrainingReport, build_training_report

__all__ = [
    "Report",
    "TrainingReport",
    "build_report",
    "build_training_report",
    "render_json",
    "render_markdown",
    "render_text",
]
