"""Results to plotly figures: one look, one way to write numbers, and no statistics.

A plot function takes results and a `Look` and returns a figure that can stand alone: a title that states the finding,
n, axis units and a line of provenance. Nothing here knows a screen or a file.
"""
