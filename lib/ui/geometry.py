"""Pieces of the Geometry page: how vectors lie, in tables and figures."""

from __future__ import annotations

from lib.embeddings import EmbeddingDiagnosis
from lib.embeddings.measures import read_geometry
from lib.figures.geometry import plot_norms, plot_spectrum
from lib.figures.geometry_view import DIRECTIONS, SIZES, GeometryView
from lib.figures.map_view import map_provenance
from lib.ui.downloads import offer_csv
from lib.ui.figure import show_figure, side_by_side
from lib.ui.vector_measures import read_versions, show_terms


def read_geometries(diagnosis: EmbeddingDiagnosis) -> GeometryView:
    """How the vectors of each version lie."""
    found = read_versions(diagnosis, "geometry", read_geometry, "Looking for neighbours")
    return GeometryView.of(diagnosis, found)


def show_geometry(diagnosis: EmbeddingDiagnosis, view: GeometryView) -> None:
    """Lengths, dimensions and directions."""
    provenance = map_provenance(diagnosis)
    show_terms(SIZES, [(version, view.sizes(version)) for version in view.found])
    show_terms(DIRECTIONS, [(version, view.directions(version)) for version in view.found])
    offer_csv(view.frame(), "geometry", provenance=provenance, key="geometry:csv")
    (left, left_look), (right, right_look) = side_by_side()
    with left:
        figure, table = plot_norms(view, left_look, provenance)
        show_figure(figure, "geometry:norms", name="lengths", table=table)
    with right:
        figure = plot_spectrum(view, right_look, provenance)
        show_figure(figure, "geometry:spectrum", name="variance", table=view.spectrum_frame())
