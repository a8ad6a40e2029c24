"""Monitoring: courses along time, what objectives would have told, deploys and onsets."""

from lib.monitoring.courses import ALL, SUGGESTED, Course, Monitoring, Told
from lib.monitoring.reading import are_read, at_all_times, missing_for_monitoring, narrowed, read_timelines

__all__ = [
    "ALL",
    "SUGGESTED",
    "Course",
    "Monitoring",
    "Told",
    "are_read",
    "at_all_times",
    "missing_for_monitoring",
    "narrowed",
    "read_timelines",
]
