"""Figures of what a theory implies: courses, phase portraits, branches, gains, synergy, sensitivity."""

import math

import jax
import jax.numpy as jnp
import matplotlib as mpl
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import SymLogNorm
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch

from dyadloop.dynamics.compiled import compiled
from dyadloop.dynamics.fixed_points import equilibria
from dyadloop.errors import StateError
from dyadloop.reporting.figures import BLUE, DARK, FILL, GREY, RED, draw, plain
from dyadloop.theory import Theory

_JOINED = 3.0  # time constants: a line joins two moments that lie no further apart


def fan(run: xr.Dataset, variables: tuple[str, ...] = ()) -> str:
    """Draw the courses of a simulation: median, 50 and 89 % bands over dyads, one line per arm.

    Moments further apart than a few time constants of a variable are dots that no line joins: what happened between
    them was not kept, and a straight line would be false.

    Parameters
    ----------
    run
        Result of :func:`dyadloop.simulate`.
    variables
        Variables to draw; default: all but amounts that stay 0 and the logits.
    """
    shown = list(variables) or [
        str(name) for name, v in run.data_vars.items() if not str(name).endswith("_logit") and _moves(v)
    ]
    if not shown:  # nothing moves: all of it, flat
        shown = [str(name) for name in run.data_vars if not str(name).endswith("_logit")]
    columns = min(3, len(shown))
    rows = math.ceil(len(shown) / columns)
    arms = sorted(set(run["arm"].values.tolist()))

    def paint(figure: Figure) -> None:
        grid = figure.subplots(rows, columns, sharex=True, squeeze=False)
        for axes, name in zip(grid.ravel(), shown, strict=False):
            for arm, colour in zip(arms, (BLUE, RED, GREY, DARK), strict=False):
                _band(axes, run.isel(dyad=run["arm"].values == arm), name, colour, arm)
            axes.set_title(plain(run[name].attrs.get("long_name", name)), fontsize=7)
            axes.set_ylabel(plain(_unit(run[name].attrs.get("units", ""))), fontsize=7)
            axes.tick_params(labelsize=7)
        for axes in grid.ravel()[len(shown) :]:
            axes.axis("off")
        for axes in grid[-1]:
            axes.set_xlabel("days", fontsize=7)
        if len(arms) > 1:
            grid[0][0].legend(fontsize=6, frameon=False)

    return draw(paint, 7.2, 0.4 + 1.5 * rows)


def _moves(course: xr.DataArray) -> bool:
    known = course.values[np.isfinite(course.values)]
    return known.size > 0 and float(known.std()) > 0


def _unit(text: str) -> str:
    return "share" if text == "1" else text


def _band(axes: Axes, run: xr.Dataset, name: str, colour: str, arm: str) -> None:
    days = np.nanmedian(run["days"].values, axis=0)
    present = ~np.isnan(run[name].values).all(axis=0)
    levels = np.nanquantile(run[name].values[:, present], [0.055, 0.25, 0.5, 0.75, 0.945], axis=0)
    days = days[present]
    far = np.diff(days) > _JOINED * run[name].attrs.get("time_constant_days", np.inf)
    gaps = np.flatnonzero(far) + 1
    alone = np.concatenate([[True], far]) & np.concatenate([far, [True]])
    axes.plot(days[alone & far.any()], levels[2, alone & far.any()], ".", color=colour, ms=2)
    days, levels = np.insert(days, gaps, np.nan), np.insert(levels, gaps, np.nan, axis=1)
    if run.sizes["dyad"] > 1:
        axes.fill_between(days, levels[0], levels[4], color=colour, alpha=0.15, lw=0)
        axes.fill_between(days, levels[1], levels[3], color=colour, alpha=0.3, lw=0)
    axes.plot(days, levels[2], color=colour, lw=1, label=plain(arm) or None)


def phase_portrait(theory: Theory, horizontal: str, vertical: str, *, in_session: bool = True) -> str:
    """Draw the flow, the nullclines and the equilibria of two states, all others held at the first equilibrium.

    Raises
    ------
    StateError
        If the theory has no such state, or no equilibrium.
    """
    model = compiled(theory)
    system = model.system()
    across, up = model.states_of((horizontal,))[0], model.states_of((vertical,))[0]
    found = equilibria(theory, in_session=in_session)
    if not found.sizes["equilibrium"]:
        raise StateError(f"theory {theory.id!r}: no equilibrium was found to draw around")
    points, stable = found["state"].values, found["stable"].values
    base = jnp.asarray(points[0])
    spans = [_span(points[:, index]) for index in (across, up)]
    xs, ys = (np.linspace(low, high, 61) for low, high in spans)
    mesh_x, mesh_y = np.meshgrid(xs, ys)
    states = jnp.broadcast_to(base[:, None], (len(base), mesh_x.size))
    states = states.at[across].set(mesh_x.ravel()).at[up].set(mesh_y.ravel())
    rates = np.asarray(jax.jit(lambda z: system.drift(z, in_session))(states))
    flow_x, flow_y = (rates[index].reshape(mesh_x.shape) for index in (across, up))
    names = [str(found["variable"].values[index]) for index in (across, up)]

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        size = np.hypot(flow_x / np.ptp(xs), flow_y / np.ptp(ys))
        step = (slice(None, None, 4),) * 2
        scaled = [part / np.where(size > 0, size, 1.0) for part in (flow_x / np.ptp(xs), flow_y / np.ptp(ys))]
        axes.quiver(mesh_x[step], mesh_y[step], scaled[0][step], scaled[1][step], color=GREY, pivot="mid", width=0.002)
        axes.contour(mesh_x, mesh_y, flow_x, levels=[0], colors=[BLUE], linewidths=1.2)
        axes.contour(mesh_x, mesh_y, flow_y, levels=[0], colors=[RED], linewidths=1.2, linestyles="--")
        for point, is_stable in zip(points, stable, strict=True):
            axes.plot(point[across], point[up], "o", color=DARK, mfc=DARK if is_stable else "white", ms=6)
        axes.set_xlabel(f"{plain(names[0])} (stands still on the solid line)")
        axes.set_ylabel(f"{plain(names[1])} (stands still on the dashed line)")

    return draw(paint, 5.2, 4.4)


def _span(values: np.ndarray) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    room = 0.25 * (high - low) if high > low else 0.5 * (1.0 + abs(high))
    return low - room, high + room


def branches(found: xr.Dataset, variable: str) -> str:
    """Draw a branch along its parameter: solid where stable, dashed where not, with folds and Hopf points."""
    numbers, stable = found["parameter"].values, found["stable"].values
    state = found["state"].sel(variable=variable).values

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        for first in range(len(numbers) - 1):
            solid = stable[first] and stable[first + 1]
            piece = slice(first, first + 2)
            axes.plot(numbers[piece], state[piece], color=BLUE if solid else RED, ls="-" if solid else "--", lw=1.4)
        special = found["special_state"].sel(variable=variable).values
        for kind, x, y in zip(found["special"].values, found["special_parameter"].values, special, strict=True):
            axes.plot(x, y, "D" if kind == "fold" else "s", color=DARK, ms=5)
            axes.annotate(f"{kind} {x:.4g}", (x, y), xytext=(5, 5), textcoords="offset points", fontsize=7)
        low, high = found.attrs["bistable_low"], found.attrs["bistable_high"]
        if np.isfinite(low):
            axes.axvspan(low, high, color=GREY, alpha=0.15, lw=0)
        axes.set_xlabel(plain(found.attrs["parameter"]))
        axes.set_ylabel(plain(variable))

    return draw(paint, 5.6, 3.6)


def gain_map(found: xr.Dataset) -> str:
    """Draw the gain matrix: lasting change of each state (row) per lasting unit of another (column)."""
    matrix = found["gain"].values
    names = found["target"].values.tolist()

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        top = float(np.nanmax(np.abs(matrix))) or 1.0
        colours = mpl.colormaps["RdBu"].resampled(21)
        mesh = axes.pcolormesh(
            np.ma.masked_invalid(matrix), cmap=colours, norm=SymLogNorm(top / 100, vmin=-top, vmax=top)
        )
        axes.invert_yaxis()
        for row, column in np.argwhere(np.abs(np.nan_to_num(matrix)) > top / 1000):
            shade = "white" if abs(matrix[row, column]) > top / 10 else DARK
            text = f"{matrix[row, column]:.2g}"
            axes.text(column + 0.5, row + 0.5, text, ha="center", va="center", fontsize=5, color=shade)
        axes.set_xticks(np.arange(len(names)) + 0.5, [plain(n) for n in names], rotation=90, fontsize=6)
        axes.set_yticks(np.arange(len(names)) + 0.5, [plain(n) for n in names], fontsize=6)
        figure.colorbar(mesh, label="gain, logarithmic beyond a hundredth of the largest")
        axes.set_title(
            f"loop gain through {found.attrs['cut']}: {float(found['continuous_loop_gain']):.3g}", fontsize=8
        )

    return draw(paint, 7.2, 6.0)


def synergy_map(found: xr.Dataset) -> str:
    """Draw the excess over each null by dose and baseline; a cross marks where a 2 x 2 design would have misled."""
    nulls = ("additive", "bliss", "loewe", "hsa")

    def paint(figure: Figure) -> None:
        grid = figure.subplots(1, len(nulls), sharey=True, squeeze=False)
        for axes, null in zip(grid[0], nulls, strict=True):
            values = found[null].values
            top = float(np.nanmax(np.abs(values))) if np.isfinite(values).any() else 1.0
            mesh = axes.pcolormesh(
                np.ma.masked_invalid(values),
                cmap=mpl.colormaps["RdBu"].resampled(21),
                vmin=-(top or 1.0),
                vmax=top or 1.0,
            )
            axes.set_title(null, fontsize=8)
            axes.set_xticks(np.arange(found.sizes["dose"]) + 0.5, [f"{d:g}" for d in found["dose"].values], fontsize=6)
            axes.set_xlabel("dose", fontsize=7)
            figure.colorbar(mesh, ax=axes, orientation="horizontal", format="%.2g").ax.tick_params(labelsize=5)
            if null == "additive":
                for row, column in np.argwhere(found["misleading"].values):
                    axes.plot(column + 0.5, row + 0.5, "x", color=DARK, ms=7)
        baseline = [f"{b:g}" for b in found["baseline"].values]
        grid[0][0].set_yticks(np.arange(len(baseline)) + 0.5, baseline, fontsize=6)
        grid[0][0].set_ylabel(plain(found.attrs["parameter"] or "baseline"), fontsize=7)

    return draw(paint, 7.2, 1.6 + 0.35 * found.sizes["baseline"])


def sobol_bars(found: xr.Dataset) -> str:
    """Draw first-order and total Sobol indices with their intervals, largest first."""
    order = np.argsort(-found["total"].values)
    names = found["parameter"].values[order].tolist()

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        place = np.arange(len(names))
        for shift, index, colour in ((0.2, "first", BLUE), (-0.2, "total", RED)):
            error = found[f"{index}_error"].values[order]
            axes.barh(place - shift, found[index].values[order], 0.38, xerr=error, color=colour, label=index)
        axes.set_yticks(place, [plain(name) for name in names], fontsize=7)
        axes.invert_yaxis()
        axes.set_xlabel(f"share of the variance of {plain(found.attrs['outcome'])}")
        axes.legend(frameon=False, fontsize=7)

    return draw(paint, 6.4, 1.0 + 0.3 * len(names))


def open_loop(found: xr.Dataset) -> str:
    """Draw the open-loop characteristic with the diagonal, and the points at which the closed loop can rest."""

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        held = found["oxytocin"].values
        axes.plot(held, held, color=GREY, lw=0.8, ls="--")
        axes.plot(held, found["response"].values, color=BLUE)
        for x, slope in zip(found["crossing"].values, found["crossing_slope"].values, strict=True):
            axes.plot(x, x, "o", color=DARK, mfc=DARK if slope < 1 else "white")
            axes.annotate(f"slope {slope:.2g}", (x, x), xytext=(6, -10), textcoords="offset points", fontsize=7)
        axes.set_xlabel("oxytocin, held")
        axes.set_ylabel("what would drive it")

    return draw(paint, 4.6, 3.8)


def theory_diagram(theory: Theory) -> str:
    """Draw a theory's variables and arrows: solid raises, dashed lowers, thin acts in session only."""
    theory = theory.active()
    hub = [v.id for v in theory.variables if v.kind == "oxytocin" or v.dynamics == "definition"]
    ring = [v.id for v in theory.variables if v.id not in hub]
    places = {name: (0.0, 0.45 * (i - (len(hub) - 1) / 2)) for i, name in enumerate(hub)}
    for index, name in enumerate(ring):
        angle = math.pi / 2 - 2 * math.pi * index / len(ring)
        places[name] = (1.5 * math.cos(angle), 1.15 * math.sin(angle))

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        for coupling in theory.couplings:
            for source, sign in coupling.signs.items():
                arrow = FancyArrowPatch(
                    places[source],
                    places[coupling.target],
                    connectionstyle="arc3,rad=0.12",
                    arrowstyle="-|>",
                    mutation_scale=8,
                    lw=0.7 if coupling.gate == "session" else 1.2,
                    ls="-" if sign == 1 else "--",
                    color=BLUE if sign == 1 else RED,
                    shrinkA=18,
                    shrinkB=18,
                )
                axes.add_patch(arrow)
        for variable in theory.variables:
            x, y = places[variable.id]
            box = {"boxstyle": "round,pad=0.35", "fc": FILL[variable.kind], "ec": DARK, "lw": 0.8}
            axes.text(x, y, plain(variable.id), ha="center", va="center", fontsize=7, bbox=box, zorder=5)
        axes.set_xlim(-2.0, 2.0)
        axes.set_ylim(-1.5, 1.5)
        axes.axis("off")

    return draw(paint, 7.2, 5.4)
