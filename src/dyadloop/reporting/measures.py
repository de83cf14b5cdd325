"""Figures of measures: traces, lag by time, surrogates, pseudo-dyads, multiverse, standard curves, what is missing."""

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from dyadloop.measures.assays import Plates
from dyadloop.measures.synchrony import SIGN
from dyadloop.reporting.figures import BLUE, DARK, GREY, RED, draw, plain

_MOST_NAMES = 30  # dyads that are named on an axis
_POINTS = 1500


def synchrony_figure(
    first: np.ndarray,
    second: np.ndarray,
    fs: float,
    found: xr.Dataset,
    tested: xr.Dataset | None = None,
    names: tuple[str, str] = ("first", "second"),
) -> str:
    """Draw a dyad: traces, correlation by lag and time or another course, and the surrogate distribution.

    Parameters
    ----------
    first, second, fs
        The two series [Hz].
    found
        Result of :func:`dyadloop.synchrony`.
    tested
        Result of :func:`dyadloop.synchrony_test`.
    names
        Names of the two persons.
    """
    course = _course_of(found)
    rows = 2 + (course is not None) + (tested is not None)

    def paint(figure: Figure) -> None:
        axes = iter(np.atleast_1d(figure.subplots(rows, 1)))
        minutes = len(first) / fs / 60
        for values, colour, name in ((first, BLUE, names[0]), (second, RED, names[1])):
            panel = next(axes)
            _trace(panel, values, fs, colour, name)
            panel.set_xlim(0, minutes)
        if course is not None:
            panel = next(axes)
            _paint_course(figure, panel, found, course, names)
            if found[course].ndim == 2:
                panel.set_xlim(0, minutes)
        if tested is not None:
            _surrogates(next(axes), tested)

    return draw(paint, 7.2, 1.0 + 1.35 * rows)


def _course_of(found: xr.Dataset) -> str | None:
    """Return the variable that is worth a panel: a map over lag or period first, else a course."""
    for name, values in found.data_vars.items():
        if values.ndim == 2 and {"lag", "period"} & set(map(str, values.dims)):
            return str(name)
    for name in ("real_z", "profile", "coherence", "sync", "path_lag", "course"):
        if name in found and found[name].ndim == 1:
            return name
    return None


def _trace(axes: Axes, values: np.ndarray, fs: float, colour: str, name: str) -> None:
    step = max(len(values) // _POINTS, 1)
    cut = values[: len(values) // step * step].reshape(-1, step)
    seconds = np.arange(len(cut)) * step / fs
    known = np.any(np.isfinite(cut), axis=1)
    low, high = (
        np.where(known, f(np.where(np.isnan(cut), fill, cut), axis=1), np.nan)
        for f, fill in ((np.min, np.inf), (np.max, -np.inf))
    )
    axes.fill_between(seconds / 60, low, high, color=colour, lw=0.4)
    for begin, end in _runs(~known):
        axes.axvspan(seconds[begin] / 60, seconds[min(end, len(seconds) - 1)] / 60, color=GREY, alpha=0.4, lw=0)
    axes.set_ylabel(plain(name), fontsize=7)
    top = 1.3 * float(np.nanquantile(values, 0.9995))
    if 0 < top < float(np.nanmax(values)):  # a spike would leave nothing else to see
        axes.set_ylim(top=top)
        axes.set_title(f"cut at {top:.3g}; largest {np.nanmax(values):.3g}", fontsize=7, loc="right")
    axes.tick_params(labelsize=7)
    axes.set_xlabel("minutes", fontsize=7)


def _runs(flags: np.ndarray) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _paint_course(figure: Figure, axes: Axes, found: xr.Dataset, name: str, names: tuple[str, str]) -> None:
    values = found[name]
    axes.tick_params(labelsize=7)
    if values.ndim == 1:
        _paint_line(axes, found, name)
    elif "period" in values.dims:
        _paint_periods(figure, axes, found, name)
    else:
        _paint_lags(figure, axes, found, name, names)


def _moments(found: xr.Dataset, along: str) -> np.ndarray | None:
    """Return the seconds of a dimension that runs over time."""
    names = ("start", "end", "time")
    return next((found[c].values for c in names if c in found.coords and found[c].dims == (along,)), None)


def _paint_line(axes: Axes, found: xr.Dataset, name: str) -> None:
    values = found[name]
    along = str(values.dims[0])
    seconds = _moments(found, along)
    if seconds is not None:
        x, label = seconds / 60, "minutes"
    elif along in found.coords:
        units = f" [{found[along].attrs['units']}]" if "units" in found[along].attrs else ""
        x, label = found[along].values, f"{along}{units}" + (f"; {SIGN}" if along == "lag" else "")
    else:
        x, label = np.arange(len(values)), along
    axes.plot(x, values.values, color=DARK, lw=1)
    if "pseudo_z" in found:
        axes.plot(x, found["pseudo_z"].values, color=GREY, lw=1, label="pseudo")
        axes.legend(fontsize=7, frameon=False)
    axes.set_xlabel(label, fontsize=7)
    axes.set_ylabel(name, fontsize=7)


def _paint_lags(figure: Figure, axes: Axes, found: xr.Dataset, name: str, names: tuple[str, str]) -> None:
    image = found[name].transpose("lag", ...).values
    other = next(str(d) for d in found[name].dims if d != "lag")
    seconds = _moments(found, other)
    times = np.arange(image.shape[1]) if seconds is None else seconds
    levels = found["lag"].values
    limit = float(np.nanmax(np.abs(image))) if np.isfinite(image).any() else 1.0
    signed = bool((image < 0).any())
    mesh = axes.imshow(
        image,
        aspect="auto",
        origin="lower",
        interpolation="nearest",
        extent=(times[0] / 60, times[-1] / 60 + 1e-9, levels[0], levels[-1]),
        cmap="RdBu_r" if signed else "cividis",
        vmin=-limit if signed else 0,
        vmax=limit,
    )
    axes.axhline(0, color=DARK, lw=0.5)
    axes.set_ylabel(f"lag [s]\n> 0: {plain(names[0])} leads", fontsize=7)
    axes.set_xlabel("minutes", fontsize=7)
    figure.colorbar(mesh, ax=axes, label=name).ax.tick_params(labelsize=7)


def _paint_periods(figure: Figure, axes: Axes, found: xr.Dataset, name: str) -> None:
    """Paint a map over time and period: a logarithmic axis, hatched where the ends of the recording reach."""
    values = found[name].transpose("period", "time")
    step = max(values.sizes["time"] // _POINTS, 1)
    image, octaves = values.values[:, ::step], np.log2(found["period"].values)
    minutes = found["time"].values[::step] / 60
    limit = float(np.nanquantile(image, 0.99)) if name == "power" else 1.0
    mesh = axes.imshow(
        image,
        aspect="auto",
        origin="lower",
        interpolation="nearest",
        extent=(minutes[0], minutes[-1] + 1e-9, octaves[0], octaves[-1]),
        cmap="cividis",
        vmin=0,
        vmax=limit,
    )
    inside = found["inside"].transpose("period", "time").values[:, ::step].astype(np.float64)
    if (inside < 1).any() and (inside > 0).any():
        axes.contourf(minutes, octaves, inside, levels=[-0.5, 0.5], colors="none", hatches=["//"])
        axes.contour(minutes, octaves, inside, levels=[0.5], colors="white", linewidths=0.8)
    ticks = np.arange(np.ceil(octaves[0]), np.floor(octaves[-1]) + 1)
    axes.set_yticks(ticks, [f"{2.0**tick:g}" for tick in ticks])
    axes.set_ylim(octaves[0], octaves[-1])
    axes.set_ylabel("period [s]", fontsize=7)
    axes.set_xlabel("minutes; hatched: the ends reach in", fontsize=7)
    figure.colorbar(mesh, ax=axes, label=name).ax.tick_params(labelsize=7)


def _surrogates(axes: Axes, tested: xr.Dataset) -> None:
    axes.hist(tested["surrogate"].values, bins=30, color=GREY)
    axes.axvline(float(tested["observed"]), color=RED, lw=1.5)
    axes.tick_params(labelsize=7)
    axes.set_xlabel(plain(tested.attrs["statistic"]), fontsize=7)
    axes.set_ylabel("surrogates", fontsize=7)
    text = f"effect {float(tested['effect']):.2f} SD, p = {float(tested['p_value']):.3g}\nnull: {tested.attrs['null']}"
    axes.set_title(plain(text), fontsize=7, loc="left")


def group_figure(tested: xr.Dataset) -> str:
    """Draw dyads against pseudo-dyads: the matrix of scores, the re-pairings, and each dyad's effect."""

    def paint(figure: Figure) -> None:
        grid = figure.subplots(1, 3, width_ratios=[1.3, 1, 1])
        matrix = tested["matrix"].values
        mesh = grid[0].imshow(matrix, cmap="cividis", interpolation="nearest")
        shown = [plain(name) for name in tested["dyad"].values] if len(matrix) <= _MOST_NAMES else []
        grid[0].set_yticks(range(len(shown)), shown)
        grid[0].set_xticks(range(len(shown)), shown, rotation=90)
        grid[0].set_xlabel("second person of dyad", fontsize=7)
        grid[0].set_ylabel("first person of dyad", fontsize=7)
        figure.colorbar(mesh, ax=grid[0], label=tested.attrs["statistic"])
        _surrogates(grid[1], tested)
        grid[1].set_xlabel("mean over dyads", fontsize=7)
        effects = tested["dyad_effect"].values
        grid[2].plot(effects, np.arange(len(effects)), "o", color=DARK, ms=4)
        for place in (-1.96, 0, 1.96):
            grid[2].axvline(place, color=GREY, lw=0.8, ls="-" if place == 0 else "--")
        grid[2].set_yticks(range(len(shown)), shown, fontsize=6)
        grid[2].invert_yaxis()
        grid[2].set_xlabel("effect of a dyad [SD of pseudo-dyads]", fontsize=7)
        for axes in grid:
            axes.tick_params(labelsize=6)

    return draw(paint, 9.5, max(3.2, 0.17 * tested.sizes["dyad"] + 1))


def multiverse_figure(table: pd.DataFrame) -> str:
    """Draw a specification curve: the effect of every setting in order, over the settings that make it."""
    sound = table[table["status"] == "ok"]
    value = "effect" if sound["effect"].notna().any() else "score"
    sound = sound.sort_values(value, ignore_index=True)
    axes_names = list(table.columns[: list(table.columns).index("score")])
    levels = [(name, level) for name in axes_names for level in dict.fromkeys(sound[name])]

    def paint(figure: Figure) -> None:
        top, below = figure.subplots(2, 1, sharex=True, height_ratios=[1, max(len(levels) / 9, 0.6)])
        above = sound["p_value"] < 0.05
        top.scatter(sound.index, sound[value], s=9, c=np.where(above, RED, GREY))
        top.axhline(0, color=DARK, lw=0.6)
        top.set_ylabel(f"{value}" + (" [SD of the null]" if value == "effect" else ""), fontsize=7)
        found = (
            f"red: p < .05 ({int(above.sum())} of {len(above)})" if above.any() else f"none of {len(above)} has p < .05"
        )
        top.set_title(f"every setting, in order; {found}", fontsize=7, loc="left")
        for place, (name, level) in enumerate(levels):
            inside = sound.index[sound[name] == level]
            below.plot(inside, np.full(len(inside), place), "|", color=DARK, ms=5)
        below.set_yticks(range(len(levels)), [plain(f"{name} {level}") for name, level in levels], fontsize=7)
        below.invert_yaxis()
        below.set_xlabel("setting", fontsize=7)
        top.tick_params(labelsize=7)

    return draw(paint, 7.2, 2.4 + 0.17 * len(levels))


def standard_curve_figure(plates: Plates) -> str:
    """Draw the standard curve of each plate with its limits of quantitation and what was read from it."""
    names = list(plates.curves)
    columns = min(3, len(names))
    rows = -(-len(names) // columns)

    def paint(figure: Figure) -> None:
        grid = figure.subplots(rows, columns, squeeze=False)
        for axes, name in zip(grid.ravel(), names, strict=False):
            curve = plates.curves[name]
            standards = np.array(list(curve.recovery))
            x = np.geomspace(standards.min() / 3, standards.max() * 3, 200)
            axes.plot(x, curve.signal(x), color=DARK, lw=1)
            axes.axvspan(curve.lowest, curve.highest, color=BLUE, alpha=0.1, lw=0)
            read = standards * np.array(list(curve.recovery.values()))  # where the standards' signals lie on the curve
            axes.plot(standards, curve.signal(read), "o", color=DARK, ms=3)
            mine = plates.samples[plates.samples["plate"].astype(str) == name]
            seen = mine[mine["limit"] == ""]
            inside = seen["value"].to_numpy() / seen["dilution"].to_numpy()
            axes.plot(inside, curve.signal(inside), "|", color=RED, ms=8)
            axes.set_xscale("log")
            axes.set_title(
                plain(f"{name}: {int((mine['limit'] != '').sum())} of {len(mine)} beyond a limit"), fontsize=7
            )
            axes.tick_params(labelsize=6)
            axes.set_xlabel("concentration", fontsize=7)
        for axes in grid.ravel()[len(names) :]:
            axes.axis("off")

    return draw(paint, 7.2, 0.6 + 2.0 * rows)


def status_figure(status: pd.DataFrame) -> str:
    """Draw which sessions of which dyads gave a score, by indicator: filled where they did, crossed where not."""
    indicators = list(dict.fromkeys(status["indicator"]))
    dyads = sorted(set(status["dyad"]))

    def paint(figure: Figure) -> None:
        grid = figure.subplots(1, len(indicators), squeeze=False, sharey=True)[0]
        for axes, name in zip(grid, indicators, strict=True):
            mine = status[status["indicator"] == name]
            for good, mark, colour in ((True, "s", BLUE), (False, "x", RED)):
                part = mine[mine["status"].str.startswith(("ok", "doubtful")) == good]
                x = pd.to_numeric(part["session"], errors="coerce")
                axes.plot(x, [dyads.index(d) for d in part["dyad"]], mark, color=colour, ms=4)
            known = pd.to_numeric(mine["session"], errors="coerce").dropna()
            if len(known):
                axes.set_xlim(known.min() - 0.5, known.max() + 0.5)
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            axes.set_title(plain(name), fontsize=7)
            axes.set_xlabel("session", fontsize=7)
            axes.tick_params(labelsize=6)
        grid[0].set_yticks(range(len(dyads)), [plain(d) for d in dyads], fontsize=6)
        grid[0].invert_yaxis()

    return draw(paint, 2.0 + 2.2 * len(indicators), 1.0 + 0.16 * len(dyads))
