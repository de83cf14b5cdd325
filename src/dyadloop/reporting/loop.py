"""The loop diagram: variables as nodes, arrows as wide as the posterior says, grey where the sign is uncertain."""

import math

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch, Patch

from dyadloop.model import Plan
from dyadloop.reporting.figures import BLUE, DARK, FILL, GREY, RED, draw, plain

_SURE = 0.95
_RADIUS = 1.0
_MARGIN = 0.3
_HALF_WIDTH = 1.6
_INCHES = 5.6
_BEND = 0.16  # of an arrow; those of a product bend twice as much and are dotted


def loop_diagram(plan: Plan, summary: pd.DataFrame) -> str:
    """Draw the fitted couplings.

    Parameters
    ----------
    plan
        The fitted theory.
    summary
        One row per parameter with ``median``, ``p_positive`` and ``prior_scale``.
    """
    places = _places(plan)
    heights = [y for _, y in places.values()]
    low, high = min(heights) - _MARGIN, max(heights) + _MARGIN

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        rows = summary.to_dict(orient="index")
        rows |= {name: rows[own] for name, own in plan.ties if own in rows}
        boxes = {}
        for variable in plan.variables:
            x, y = places[variable.id]
            box = {"boxstyle": "round,pad=0.5", "fc": FILL[variable.kind], "ec": DARK, "lw": 0.8}
            text = axes.text(x, y, plain(variable.label), ha="center", va="center", fontsize=8, bbox=box, zorder=5)
            boxes[variable.id] = text.get_bbox_patch()
        axes.set_xlim(-_HALF_WIDTH, _HALF_WIDTH)
        axes.set_ylim(low, high)
        axes.set_aspect("equal")
        axes.axis("off")
        _legend(axes)
        figure.draw_without_rendering()  # only then the boxes have the borders at which arrows end
        for coupling in plan.couplings:
            # a context moderates an arrow and has no place; a product comes from all that it multiplies
            sources = [source for source in coupling.sources if source in places]
            bend = _BEND if len(sources) == 1 else 2 * _BEND
            for index, source in enumerate(sources):
                ends = (places[source], places[coupling.target])
                patches = (boxes[source], boxes[coupling.target])
                _arrow(axes, ends, patches, rows[coupling.id], coupling.sign, bend, named=index == 0)

    return draw(paint, _INCHES, _INCHES * (high - low) / (2 * _HALF_WIDTH))


def _places(plan: Plan) -> dict[str, tuple[float, float]]:
    """Put oxytocin in the middle and everything else on a circle."""
    ring = [variable.id for variable in plan.variables if variable.kind != "oxytocin"]
    places = {variable.id: (0.0, 0.0) for variable in plan.variables if variable.kind == "oxytocin"}
    for index, name in enumerate(ring):
        angle = math.pi / 2 - 2 * math.pi * index / len(ring)
        places[name] = (1.25 * _RADIUS * math.cos(angle), _RADIUS * math.sin(angle))
    return places


def _legend(axes: Axes) -> None:
    """Say what colour and dash of an arrow mean."""
    kinds = {"raises": (BLUE, "-"), "lowers": (RED, "--"), "sign uncertain": (GREY, "-")}
    lines = [Line2D([], [], color=colour, ls=dash, lw=2, label=name) for name, (colour, dash) in kinds.items()]
    axes.legend(handles=lines, loc="upper center", bbox_to_anchor=(0.5, 0.02), ncols=3, frameon=False, fontsize=8)


def _arrow(
    axes: Axes,
    ends: tuple[tuple[float, float], tuple[float, float]],
    boxes: tuple[Patch | None, Patch | None],
    row: dict,
    sign: int,
    bend: float,
    *,
    named: bool,
) -> None:
    """Draw an arrow from the border of one box to that of another."""
    effect = sign * row["median"]
    sure = max(row["p_positive"], 1 - row["p_positive"]) >= _SURE
    colour = (BLUE if effect > 0 else RED) if sure else GREY
    width = 0.8 + 4.0 * min(abs(row["median"]) / row["prior_scale"], 1.0)
    tail, head = ends
    patch = FancyArrowPatch(
        tail,
        head,
        connectionstyle=f"arc3,rad={bend}",
        arrowstyle="-|>",
        mutation_scale=9 + 2 * width,
        lw=width,
        ls=":" if bend > _BEND else "-" if effect > 0 else "--",
        color=colour,
        patchA=boxes[0],
        patchB=boxes[1],
        shrinkA=1,
        shrinkB=2,
        zorder=3 if sure else 2,
    )
    axes.add_patch(patch)
    if not named:
        return
    dx, dy = head[0] - tail[0], head[1] - tail[1]
    x, y = tail[0] + 0.5 * dx + bend / 2 * dy, tail[1] + 0.5 * dy - bend / 2 * dx
    box = {"boxstyle": "round,pad=0.1", "fc": "white", "ec": "none", "alpha": 0.85}
    shade = colour if sure else DARK
    axes.text(x, y, f"{effect:+.2f}", fontsize=7, color=shade, ha="center", va="center", bbox=box, zorder=6)
