"""The look: colours, type and grid of every figure, for light and dark.

The baseline is quiet and the candidate strong, everywhere. Red is only for what is wrong. The other colours follow
Okabe and Ito's set for colour-blind readers (without its red and black), tuned to at least 3:1 on each background.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import plotly.graph_objects as go

FONT = '"Source Sans", "Source Sans 3", "Source Sans Pro", "Liberation Sans", Arial, sans-serif'
"""The face of the pages and what resembles it; the figures of all of these are of equal width."""

TITLE_SIZE, SUBTITLE_SIZE, TEXT_SIZE, PROVENANCE_SIZE = 17, 13, 12, 10.5
TITLE_LINE, SUBTITLE_LINE, TEXT_LINE, PROVENANCE_LINE = 22, 17, 16, 14
ASSUMED_WIDTH = 700
LOSS_DASHES = {
    "hinge": "solid",
    "logistic": "solid",
    "squared_hinge": "dash",
    "smoothed_hinge": "dot",
    "perceptron": "dashdot",
    "exponential": "dash",
    "zero_one": "solid",
    "focal": "dot",
}
DASH_MARKS = {"solid": "━━", "dash": "╍╍", "dot": "┅┅", "dashdot": "━┅"}


@dataclass(frozen=True)
class Palette:
    """Colours of one theme; `series` holds ten that differ from each other, then a grey."""

    paper: str
    ink: str
    soft_ink: str
    faint_ink: str
    grid: str
    axis: str
    shade: str
    wrong: str
    baseline: str
    candidate: str
    classes: tuple[str, str]
    series: tuple[str, ...]
    losses: dict[str, str]


LIGHT = Palette(
    paper="#FCFCFB",
    ink="#1D2629",
    soft_ink="#4A5659",
    faint_ink="#66727A",
    grid="#E6EAEA",
    axis="#B9C3C5",
    shade="rgba(93, 107, 112, 0.10)",
    wrong="#B3261E",
    baseline="#7D8A96",
    candidate="#0F5E6E",
    classes=("#B86E00", "#2C5FA8"),
    series=(
        *("#2C6FB0", "#B86E00", "#00806A", "#A34F8C", "#3D93C9", "#756410", "#6A4FA3"),
        *("#1F2F6B", "#6B3318", "#6E9A1F", "#5F6B6F"),
    ),
    losses={
        "hinge": "#C26A00",
        "logistic": "#6F47B3",
        "squared_hinge": "#C26A00",
        "smoothed_hinge": "#8C5A12",
        "perceptron": "#00806A",
        "exponential": "#A34F8C",
        "zero_one": "#5F6B6F",
        "focal": "#2C6FB0",
    },
)
DARK = Palette(
    paper="#13181B",
    ink="#E3E8E9",
    soft_ink="#B9C3C6",
    faint_ink="#94A1A6",
    grid="#262F34",
    axis="#4A575D",
    shade="rgba(160, 178, 184, 0.13)",
    wrong="#F2857B",
    baseline="#8A99A5",
    candidate="#4CC3D4",
    classes=("#E8B04B", "#8DB4EA"),
    series=(
        *("#6BA8EE", "#E8B04B", "#5CC9AE", "#D895C4", "#B5E0F7", "#A08A2E", "#9C80E6"),
        *("#4F7FD6", "#C8744A", "#6FA845", "#A3AEB2"),
    ),
    losses={
        "hinge": "#F0A348",
        "logistic": "#B9A0EE",
        "squared_hinge": "#F0A348",
        "smoothed_hinge": "#C99A5E",
        "perceptron": "#5CC9AE",
        "exponential": "#D895C4",
        "zero_one": "#A3AEB2",
        "focal": "#7FB2E5",
    },
)


@dataclass(frozen=True)
class Look:
    """How a figure is drawn.

    Attributes:
        dark: on a dark page.
        width: fixed, in pixels; without one the figure takes the width of its place.
        wraps_at: the width to which text is wrapped where `width` is not fixed: that of the place, if it is known.
    """

    dark: bool = False
    width: int | None = None
    wraps_at: int | None = None

    @property
    def palette(self) -> Palette:
        """The colours."""
        return DARK if self.dark else LIGHT

    @property
    def text_width(self) -> int:
        """The width to which text is wrapped."""
        return self.width or self.wraps_at or ASSUMED_WIDTH

    @property
    def is_narrow(self) -> bool:
        """Whether the figure is for a phone."""
        return self.text_width < 520

    def version(self, name: str, baseline: str) -> str:
        """The colour of a version: quiet for the baseline, strong for the candidate."""
        return self.palette.baseline if name == baseline else self.palette.candidate


def blend(colour: str, ground: str, share: float) -> str:
    """A colour laid thinly on another, as a colour of its own: for areas that carry text; both as #RRGGBB."""
    ends = zip(*([int(each[place : place + 2], 16) for place in (1, 3, 5)] for each in (ground, colour)), strict=True)
    return "#" + "".join(f"{round(low + share * (high - low)):02X}" for low, high in ends)


def luminance(colour: str) -> float:
    """Relative luminance of #RRGGBB in [0, 1] (WCAG 2)."""
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts]
    return sum(weight * each for weight, each in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, from 1 (the same) to 21 (WCAG 2)."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def fade(colour: str, opacity: float) -> str:
    """A colour of the form #RRGGBB, let through."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity:g})"


@cache
def template(dark: bool) -> go.layout.Template:
    """The plotly template of the light or the dark theme."""
    look = Look(dark)
    colours = look.palette
    text = {"family": FONT, "size": TEXT_SIZE, "color": colours.soft_ink}
    axis = {
        "gridcolor": colours.grid,
        "gridwidth": 1,
        "linecolor": colours.axis,
        "tickcolor": colours.axis,
        "tickfont": {"size": TEXT_SIZE, "color": colours.soft_ink},
        "title": {"font": {"size": TEXT_SIZE, "color": colours.soft_ink}, "standoff": 6},
        "zeroline": False,
        "automargin": False,
        "exponentformat": "none",
        # The pages scroll over figures, on phones too; ranges are chosen so that nothing has to be zoomed.
        "fixedrange": True,
    }
    layout = go.Layout(
        font=text,
        # The page's own colour, so that a picture that leaves the page is legible wherever it is pasted.
        paper_bgcolor=colours.paper,
        plot_bgcolor="rgba(0, 0, 0, 0)",
        colorway=list(colours.series),
        separators=".,",
        showlegend=False,
        hovermode="closest",
        hoverlabel={
            "bgcolor": colours.paper,
            "bordercolor": colours.axis,
            "font": {"family": FONT, "size": 13, "color": colours.ink},
            "align": "left",
            "namelength": 40,
        },
        modebar={
            "bgcolor": "rgba(0, 0, 0, 0)",
            "color": colours.faint_ink,
            "activecolor": colours.ink,
            "remove": ["zoom", "pan", "select", "lasso", "zoomin", "zoomout", "autoscale", "resetscale"],
        },
        xaxis={**axis, "showgrid": False, "showline": True, "ticks": "outside", "ticklen": 4},
        yaxis={**axis, "showgrid": True, "ticks": "", "ticklabelstandoff": 5},
        dragmode=False,
        bargap=0,
    )
    return go.layout.Template(layout=layout)
