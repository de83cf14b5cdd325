"""Figures as SVG text: deterministic, readable without colour, with text left as text."""

import io
import re
import textwrap
from collections.abc import Callable

import matplotlib as mpl
import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

BLUE, RED, GREY, DARK, ROPE = "#0072B2", "#D55E00", "#9a9a9a", "#222222", "#dcebdc"
FILL = {
    "oxytocin": "#fdf3d8",
    "component": "#e3eef6",
    "symptom": "#f6e3dc",
    "peripheral": "#eef3e2",
    "factor": "#eeeeee",
    "state": "#ffffff",
}
"""Colours of the kinds of variables."""
_WRAP = 66  # letters of a line
_LINE, _BARS = 0.14, 0.3  # height of a line of text and of the bars of an estimate [inches]
_STYLE: dict = {
    "svg.fonttype": "none",
    "svg.hashsalt": "dyadloop",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def plain(text: object) -> str:
    """Return a label that matplotlib does not take for mathematics."""
    return str(text).replace("$", r"\$")


def draw(paint: Callable[[Figure], None], width: float, height: float) -> str:
    """Return the SVG of a figure painted by a function, without date or random ids."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        paint(figure)
        stream = io.StringIO()
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    text = stream.getvalue()
    return text[text.index("<svg") :]


_MARK = 12.0  # height above a figure that its mark takes, in points of the figure


def simulated_mark(svg: str) -> str:
    """Return a figure that says above its upper right corner that what it shows is simulated."""
    box = re.search(r'viewBox="([-\d.]+) ([-\d.]+) ([\d.]+) ([\d.]+)"', svg)
    if box is None:
        raise ValueError("a figure without a viewBox has no corner for the mark")
    left, top, width, height = (float(number) for number in box.groups())
    text = (
        f'<text x="{left + width - 3:g}" y="{top - 3:g}" text-anchor="end" font-family="sans-serif" font-size="8" '
        f'font-weight="bold" fill="{RED}">SIMULATED</text>'
    )
    whole = svg.replace(box[0], f'viewBox="{left:g} {top - _MARK:g} {width:g} {height + _MARK:g}"', 1)
    whole = re.sub(r'height="([\d.]+)pt"', lambda found: f'height="{float(found[1]) + _MARK:g}pt"', whole, count=1)
    end = whole.rindex("</svg>")
    return whole[:end] + text + "\n" + whole[end:]


def missingness(shares: dict[str, tuple[float, ...]]) -> str:
    """Draw the share of sessions without a value, by indicator and place in the course of the study."""

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        width = max(len(row) for row in shares.values())
        image = np.array([[*row, *[np.nan] * (width - len(row))] for row in shares.values()])
        # few levels and a mesh: both the map and its colour bar stay vectors
        colours = mpl.colormaps["cividis_r"].resampled(20)  # darker where more is missing, as in the terminal
        mesh = axes.pcolormesh(np.ma.masked_invalid(image), cmap=colours, vmin=0, vmax=1)
        axes.invert_yaxis()
        axes.set_yticks(np.arange(len(shares)) + 0.5, [plain(name) for name in shares])
        axes.set_xticks([0.5, width - 0.5], ["first sessions", "last sessions"])
        figure.colorbar(mesh, label="share missing")

    return draw(paint, 7.2, 0.9 + 0.28 * len(shares))


def intervals(table: pd.DataFrame) -> str:
    """Draw prior and posterior side by side: median and 89 % interval of each parameter, a panel for each unit.

    Parameters
    ----------
    table
        Columns ``unit``, ``prior_low``, ``prior_median``, ``prior_high``, ``low``, ``median`` and ``high``; one row per
        name.
    """
    panels = _panels(table)

    def paint(figure: Figure) -> None:
        heights = [0.45 + 0.24 * len(mine) for _, mine in panels]
        for axes, (unit, mine) in zip(_stacked(figure, heights), panels, strict=True):
            for place, (_, row) in enumerate(mine.iterrows()):
                axes.plot([row["prior_low"], row["prior_high"]], [place + 0.16] * 2, color=GREY, lw=3)
                axes.plot(row["prior_median"], place + 0.16, "|", color=DARK, ms=6)
                axes.plot([row["low"], row["high"]], [place - 0.16] * 2, color=BLUE, lw=3)
                axes.plot(row["median"], place - 0.16, "o", color=DARK, ms=3)
            axes.axvline(0, color=DARK, lw=0.6)
            axes.set_yticks(range(len(mine)), [plain(name) for name in mine.index])
            axes.set_ylim(len(mine) - 0.5, -0.5)
            axes.set_xlabel(plain(f"coefficient [{unit}]"))

    return draw(paint, 7.2, sum(0.65 + 0.24 * len(mine) for _, mine in panels))


def _panels(table: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Return the rows of each unit: numbers of several units have no axis in common."""
    return [(str(unit), rows) for unit, rows in table.groupby("unit", sort=False)]


def _stacked(figure: Figure, heights: list[float]) -> list[Axes]:
    """Return axes one below the other, each as high as asked in proportion."""
    return list(figure.subplots(len(heights), 1, squeeze=False, height_ratios=heights)[:, 0])


def estimates(table: pd.DataFrame) -> str:
    """Draw each number of a tested claim with its ROPE and prior below its statement, a panel for each unit.

    Parameters
    ----------
    table
        Result of :func:`dyadloop.reporting.first_page.estimates`, one row at least.
    """
    panels = _panels(table)
    heights = [sum(_row_height(row) for _, row in mine.iterrows()) for _, mine in panels]

    def paint(figure: Figure) -> None:
        for axes, height, (unit, mine) in zip(_stacked(figure, heights), heights, panels, strict=True):
            axes.set_ylim(height, 0)  # inches from above
            axes.set_yticks([])
            axes.spines["left"].set_visible(False)
            axes.set_xlabel(plain("estimate" if unit == "1" else f"estimate [{unit}]"))
            _estimates_of_a_unit(axes, mine)

    return draw(paint, 4.8, sum(height + 0.5 for height in heights))


def _statement(row: pd.Series) -> list[str]:
    text = row["statement"] if row["kind"] == "association" else "the same, by randomised events alone"
    return textwrap.wrap(plain(text), _WRAP)


def _row_height(row: pd.Series) -> float:
    return _LINE * len(_statement(row)) + _BARS


def _estimates_of_a_unit(axes: Axes, table: pd.DataFrame) -> None:
    names = ["low", "high", "prior_low", "prior_high", "rope_low", "rope_high"]
    numbers = table[names].to_numpy(dtype=float)
    low, high = 1.05 * min(0.0, float(np.nanmin(numbers))), 1.05 * max(0.0, float(np.nanmax(numbers)))
    top = 0.0
    for _, row in table.iterrows():
        lines = _statement(row)
        bar = top + _LINE * len(lines) + 0.4 * _BARS
        axes.text(0.0, top + 0.03, "\n".join(lines), transform=axes.get_yaxis_transform(), va="top", fontsize=8)
        left = low if pd.isna(row["rope_low"]) else row["rope_low"]
        axes.fill_betweenx([bar - 0.35 * _BARS, bar + 0.35 * _BARS], left, row["rope_high"], color=ROPE, lw=0)
        axes.plot([row["prior_low"], row["prior_high"]], [bar + 0.2 * _BARS] * 2, color=GREY, lw=2)
        colour = BLUE if row["kind"] == "association" else RED
        axes.plot([row["low"], row["high"]], [bar] * 2, color=colour, lw=4, solid_capstyle="butt")
        axes.plot(row["median"], bar, "o", color=DARK, ms=4)
        axes.plot([0, 0], [bar - 0.35 * _BARS, bar + 0.35 * _BARS], color=DARK, lw=0.6)
        top += _row_height(row)
    axes.set_xlim(low, high)


def predictive(checks: xr.Dataset) -> str:
    """Draw each observed statistic over the 89 % interval of its replicates."""

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        low, high = np.nanquantile(checks["replicated"].values, [0.055, 0.945], axis=0)
        names = checks["statistic"].values.tolist()
        for place, observed in enumerate(checks["observed"].values):
            inside = low[place] <= observed <= high[place]
            axes.plot([low[place], high[place]], [place] * 2, color=BLUE, lw=4, alpha=0.6)
            axes.plot(observed, place, "o" if inside else "D", color=DARK if inside else RED, ms=4)
        axes.set_yticks(range(len(names)), [plain(name) for name in names])
        axes.invert_yaxis()
        axes.set_xlabel("statistic on the scale of the scores")

    return draw(paint, 7.2, 0.8 + 0.24 * checks.sizes["statistic"])


def courses(
    paths: xr.Dataset,
    labels: dict[str, str],
    seen: dict[tuple[str, str], tuple[np.ndarray, np.ndarray]],
    sessions: dict[str, np.ndarray],
) -> str:
    """Draw the course of some dyads: median, 50 and 89 % bands, and the data as dots.

    Parameters
    ----------
    paths
        Result of :func:`dyadloop.smooth`.
    labels
        Axis label per state.
    seen
        Days and data on the scale of the state, by dyad and state.
    sessions
        Days of the sessions, by dyad; marked at the bottom.
    """
    states, dyads = paths["state"].values.tolist(), paths["dyad"].values.tolist()

    def paint(figure: Figure) -> None:
        grid = figure.subplots(len(states), len(dyads), sharex="col", sharey="row", squeeze=False)
        for (row, state), (column, dyad) in ((r, c) for r in enumerate(states) for c in enumerate(dyads)):
            axes = grid[row][column]
            _course(axes, paths.sel(dyad=dyad, state=state), seen[dyad, state])
            for day in sessions[dyad]:
                axes.axvline(day, ymax=0.04, color=DARK, lw=0.7)
            if row == 0:
                axes.set_title(plain(dyad), fontsize=9)
            if column == 0:
                axes.set_ylabel(plain(labels[state]), fontsize=7)
        for axes in grid[-1]:
            axes.set_xlabel("days")

    return draw(paint, 7.2, 0.8 + 1.15 * len(states))


def _course(axes: Axes, course: xr.Dataset, seen: tuple[np.ndarray, np.ndarray]) -> None:
    course = course.isel(time=np.isfinite(course["days"].values))
    days = course["days"].values
    levels = np.quantile(course["state_draw"].values, [0.055, 0.25, 0.5, 0.75, 0.945], axis=0)
    axes.fill_between(days, levels[0], levels[4], color=BLUE, alpha=0.18, lw=0)
    axes.fill_between(days, levels[1], levels[3], color=BLUE, alpha=0.35, lw=0)
    axes.plot(days, levels[2], color=BLUE, lw=1)
    axes.plot(*seen, "o", color=DARK, ms=2.2)
    axes.tick_params(labelsize=7)
