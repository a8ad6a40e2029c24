"""The results of checks as JSON."""

from __future__ import annotations

from typing import Any

from lib.checks import CheckResult
from lib.reports.json_values import moment


def check_as_json(result: CheckResult) -> dict[str, Any]:
    """One entry of `checks`."""
    window = result.where.window
    return {
        "code": result.code,
        "name": result.name,
        "status": str(result.status),
        "severity": str(result.severity),
        "version": result.version,
        "where": {
            "cohort": result.where.cohort,
            "window": None if window is None else [moment(window[0]), moment(window[1])],
        },
        "title": result.title,
        "evidence": result.evidence,
        "explanation": result.explanation,
        "remedy": result.remedy,
        "topic": result.topic,
    }
