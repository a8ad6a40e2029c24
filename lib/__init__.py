"""Marginalia: from a file of predictions to a finding that can be trusted."""

__version__ = "0.1.0"
