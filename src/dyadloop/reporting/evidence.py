"""Figures of the evidence: a forest plot and a map of what is known about each arrow."""

import math

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from dyadloop.evidence import Edge, edge_evidence, pool
from dyadloop.evidence.table import CONCEPTS
from dyadloop.reporting.figures import BLUE, DARK, GREY, RED, draw, plain

_COLOURS = {"+": BLUE, "0": GREY, "-": RED, "mixed": "#E69F00"}


def forest_plot(
    estimates: np.ndarray, variances: np.ndarray, names: list[str], label: str = "effect", title: str = ""
) -> str:
    """Draw effects with intervals and weights, the pooled effect (REML, Knapp-Hartung), and a new study's interval."""
    y, v = np.asarray(estimates, dtype=float), np.asarray(variances, dtype=float)
    found = pool(y, v)
    weight = 1 / (v + found.tau2)
    share = weight / weight.sum()

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        half = 1.96 * np.sqrt(v)
        for place, (value, reach, part) in enumerate(zip(y, half, share, strict=True)):
            axes.plot([value - reach, value + reach], [place] * 2, color=DARK, lw=0.8)
            axes.plot(value, place, "s", color=BLUE, ms=2 + 9 * math.sqrt(part))
        below = len(y) + 0.5
        axes.fill(
            [found.low, found.estimate, found.high, found.estimate],
            [below, below - 0.3, below, below + 0.3],
            color=DARK,
        )
        if math.isfinite(found.predict_low):
            axes.plot([found.predict_low, found.predict_high], [below + 0.8] * 2, color=RED, lw=1.2)
        axes.axvline(0, color=GREY, lw=0.8)
        text = [f"{plain(name)}  {part:.0%}" for name, part in zip(names, share, strict=True)]
        axes.set_yticks(
            [*range(len(y)), below, below + 0.8], [*text, f"pooled, k = {found.k}", "a new study, 95 %"], fontsize=6
        )
        axes.set_ylim(below + 1.3, -0.8)
        axes.set_xlabel(plain(label), fontsize=7)
        axes.tick_params(axis="x", labelsize=7)
        heading = f"{found.estimate:.2f} [{found.low:.2f}, {found.high:.2f}], tau2 = {found.tau2:.3f}, {found.method}"
        axes.set_title(plain(f"{title}\n{heading}" if title else heading), fontsize=7, loc="left")

    return draw(paint, 7.2, 1.4 + 0.19 * len(y))


def edge_forest(edge: Edge) -> str:
    """Draw the pooled rows of an arrow."""
    used = edge.studies
    names = [f"{row['citation'][:44]} ({row['ids']})" for row in used.to_dict("records")]
    title = f"{edge.edge[0]} -> {edge.edge[1]}; {len(edge.rows) - len(edge.used)} rows could not be pooled"
    return forest_plot(
        used["d"].to_numpy(), used["variance"].to_numpy(), names, "d, sign of the arrow between levels", title
    )


def evidence_map(table: pd.DataFrame) -> str:
    """Draw every arrow: size, verified rows; colours, their directions; number, the pooled d."""
    shown = [name for name in CONCEPTS if name in set(table["edge_from"]) | set(table["edge_to"])]

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        for column, target in enumerate(shown):
            for row, source in enumerate(shown):
                if source == target:
                    continue
                edge = edge_evidence(source, target, table)
                counts = edge.directions
                total = sum(counts.values())
                if not total:
                    continue
                start, radius = 90.0, 0.11 + 0.075 * math.sqrt(total)
                for sign, count in counts.items():
                    if count:
                        axes.add_patch(
                            _slice((column, row), min(radius, 0.36), start, 360 * count / total, _COLOURS[sign])
                        )
                        start += 360 * count / total
                if edge.bayes is not None and len(edge.studies) > 1 and edge.studies["reported"].any():
                    axes.text(column, row + 0.49, f"{edge.bayes.mean:+.2f}", fontsize=5, ha="center", va="center")
        axes.set_xticks(range(len(shown)), shown, rotation=35, ha="right", fontsize=7)
        axes.set_yticks(range(len(shown)), shown, fontsize=7)
        axes.set_xlim(-0.7, len(shown) - 0.3)
        axes.set_ylim(len(shown) - 0.2, -0.7)
        axes.set_aspect("equal")
        axes.set_xlabel("to", fontsize=7)
        axes.set_ylabel("from", fontsize=7)
        for sign, colour in _COLOURS.items():
            axes.plot([], [], "o", color=colour, label={"+": "raises", "-": "lowers", "0": "null"}.get(sign, sign))
        axes.legend(fontsize=6, frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
        axes.set_title("verified rows by direction; number: pooled d of a mean setting", fontsize=7, loc="left")

    return draw(paint, 7.2, 6.4)


def _slice(centre: tuple[float, float], radius: float, start: float, angle: float, colour: str):  # noqa: ANN202 - a patch
    from matplotlib.patches import Wedge

    return Wedge(centre, radius, start, start + angle, facecolor=colour, edgecolor="white", lw=0.3)
