"""Figures of designs: calendar, what is identified, verdicts, curves of assurance, what a budget buys."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dyadloop.design import Design
from dyadloop.reporting.figures import BLUE, DARK, GREY, RED, draw, plain

_SHADES = {"supported": BLUE, "contradicted": RED, "undecided": "#d0d0d0", "untestable": "#ffffff"}
_OFFSET = {"before": -0.25, "within": 0.0, "after": 0.25, "between": 0.5}
_MOST_LINES = 6


def calendar(design: Design) -> str:
    """Draw what is measured in which session, and where events may be."""

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        names = [*design.measures, *design.events]
        for row, entry in enumerate(design.measures.values()):
            for phase in entry.phases:
                places = np.array(design.of_sessions(entry.sessions)) + _OFFSET[phase]
                mark = "s" if entry.is_sample else "o"
                axes.plot(places, np.full(len(places), row), mark, color=RED if entry.is_sample else BLUE, ms=3.5)
        for row, given in enumerate(design.events.values(), start=len(design.measures)):
            places = design.of_sessions(given.sessions)
            axes.plot(places, np.full(len(places), row), "x", color=DARK, ms=4)
        axes.set_yticks(range(len(names)), [plain(name) for name in names])
        axes.invert_yaxis()
        axes.set_xlabel("session (dot: rating, square: sample, cross: an event may be given)")

    return draw(paint, 7.2, 0.9 + 0.3 * (len(design.measures) + len(design.events)))


def contraction(claims: pd.DataFrame) -> str:
    """Draw how much of the prior of each claim's estimand a plan is expected to take away."""
    told = claims[claims["contraction"].notna() | claims["randomised_contraction"].notna()]

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        places = np.arange(len(told))
        axes.barh(places - 0.18, told["contraction"].fillna(0.0), 0.34, color=GREY, label="association")
        randomised = told["randomised_contraction"].fillna(0.0)
        axes.barh(places + 0.18, randomised, 0.34, color=BLUE, label="effect of randomised events")
        axes.set_yticks(places, [plain(name) for name in told["claim"]])
        axes.set_xlim(0, 1)
        axes.invert_yaxis()
        axes.set_xlabel("expected contraction: 1 - posterior SD / prior SD")
        axes.legend(fontsize=7, frameon=False, loc="lower right")

    return draw(paint, 7.2, 1.0 + 0.32 * len(told))


def mosaic(claims: pd.DataFrame) -> str:
    """Draw the share of each verdict by claim, one panel per truth."""
    told = claims[claims["untestable"] < 1]
    truths = list(dict.fromkeys(told["truth"]))
    names = list(dict.fromkeys(told["claim"]))

    def paint(figure: Figure) -> None:
        grid = figure.subplots(1, len(truths), sharey=True, squeeze=False)[0]
        for axes, truth in zip(grid, truths, strict=True):
            mine = told[told["truth"] == truth].drop_duplicates("claim").set_index("claim").reindex(names)
            left = np.zeros(len(names))
            for verdict, shade in _SHADES.items():
                width = mine[verdict].fillna(0.0).to_numpy()
                own = {"hatch": "////", "edgecolor": GREY} if verdict == "untestable" else {"edgecolor": "white"}
                axes.barh(range(len(names)), width, left=left, color=shade, label=verdict, lw=0.5, **own)
                left = left + width
            axes.set_title(plain(truth), fontsize=8)
            axes.set_xlim(0, 1)
            axes.set_xlabel("share of simulated studies", fontsize=8)
            axes.set_yticks(range(len(names)), [plain(name) for name in names])
        grid[0].invert_yaxis()
        # below the bars, which fill their panels
        shown = {"fontsize": 7, "frameon": False, "loc": "outside lower center", "ncols": 4}
        figure.legend(*grid[-1].get_legend_handles_labels(), **shown)

    return draw(paint, 7.2, 1.35 + 0.24 * len(names))


def curves(claims: pd.DataFrame, factor: str) -> str:
    """Draw the share of studies that support each claim over a factor of the design, with two Monte Carlo errors."""
    best = claims.groupby("claim")["supported"].max().sort_values(ascending=False)
    names, truths = list(best.index[:_MOST_LINES]), list(dict.fromkeys(claims["truth"]))

    def paint(figure: Figure) -> None:
        grid = figure.subplots(1, len(truths), sharey=True, squeeze=False)[0]
        for axes, truth in zip(grid, truths, strict=True):
            for name in names:
                _curve(axes, claims[(claims["truth"] == truth) & (claims["claim"] == name)], factor, name)
            axes.set_title(plain(truth), fontsize=8)
            axes.set_ylim(0, 1)
            axes.set_xlabel(plain(factor))
        grid[0].set_ylabel("share supported")
        grid[-1].legend(fontsize=6, frameon=False)

    return draw(paint, 7.2, 3.0)


def _curve(axes: Axes, mine: pd.DataFrame, factor: str, name: str) -> None:
    values = mine[factor].astype(str)
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype=float)
    places = np.arange(len(mine)) if np.isnan(numbers).any() else numbers
    share, error = (mine[key].to_numpy(dtype=float) for key in ("supported", "supported_se"))
    (line,) = axes.plot(places, share, "o-", ms=3, lw=1, label=plain(name))
    low, high = np.clip(share - 2 * error, 0, 1), np.clip(share + 2 * error, 0, 1)
    axes.fill_between(places, low, high, color=line.get_color(), alpha=0.15, lw=0)
    axes.set_xticks(places, list(values))


def budget(table: pd.DataFrame) -> str:
    """Draw the expected SD of an estimand over the number of sampled sessions that share a budget with dyads."""

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        counts = np.arange(1, len(table) + 1)
        axes.plot(counts, table["expected_sd"], "o-", color=BLUE, ms=4, lw=1)
        for count, sd, dyads in zip(counts, table["expected_sd"], table["dyads"], strict=True):
            axes.annotate(f"{dyads}", (count, sd), textcoords="offset points", xytext=(0, 5), fontsize=7, ha="center")
        chosen = np.flatnonzero(table["best"])
        axes.plot(counts[chosen], table["expected_sd"].iloc[chosen], "D", color=RED, ms=6)
        axes.set_xlabel("sampled sessions (numbers: dyads that the budget pays; diamond: best)")
        axes.set_ylabel("expected posterior SD")

    return draw(paint, 7.2, 3.0)
