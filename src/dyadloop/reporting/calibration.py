"""A calibration by simulation for the terminal, and its figure."""

import textwrap

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from rich.console import Console

from dyadloop.reporting.figures import BLUE, GREY, RED, draw, plain
from dyadloop.reporting.tables import print_table

_COLUMNS, _LETTERS = 5, 26


def print_calibration(found: xr.Dataset, console: Console) -> None:
    """Print p values, the most suspicious first, and the answer."""
    table = found[["p_value", "outside"]].to_dataframe().reset_index()
    table["mean_rank"] = found["rank"].mean("replicate").values / (found.attrs["n_ranks"] - 1)
    print_table(table.sort_values("p_value", kind="stable"), console)
    attrs, count = found.attrs, found.sizes["parameter"]
    if int(found["divergences"].sum()):
        console.print(f"{int((found['divergences'] > 0).sum())} of {attrs['replicates']} fits had divergences.")
    least = min(1.0, float(found["p_value"].min()) * count)
    how = "consistent with a calibrated fit" if attrs["calibrated"] else "NOT calibrated"
    planted = f", with the fault {attrs['fault']!r} planted in the fit" if attrs["fault"] else ""
    console.print(
        f"{attrs['replicates']} simulated studies, {count} numbers ranked: {how} (smallest p times {count}: "
        f"{least:.3g}){planted}."
    )


def _wrapped(name: str) -> str:
    """Return a name on lines of at most some twenty letters, broken after underscores."""
    lines = textwrap.wrap(name.replace("_", "_ "), _LETTERS, break_long_words=False)
    return "\n".join(line.replace("_ ", "_") for line in lines)


def sbc_figure(found: xr.Dataset) -> str:
    """Draw, for each parameter, how far the shares of ranks are from uniform, in their 95 % simultaneous band."""
    names = found["parameter"].values.tolist()
    rows = -(-len(names) // _COLUMNS)
    position = np.concatenate([[0.0], found["position"].values, [1.0]])
    low = np.concatenate([[0.0], found["low"].values, [1.0]]) - position
    high = np.concatenate([[0.0], found["high"].values, [1.0]]) - position

    def paint(figure: Figure) -> None:
        grid = figure.subplots(rows, _COLUMNS, sharex=True, sharey=True, squeeze=False).ravel()
        for axes, name in zip(grid, names, strict=False):
            ranks, outside = found["rank"].sel(parameter=name).values, bool(found["outside"].sel(parameter=name))
            below = (ranks[None, :] < np.arange(found.attrs["n_ranks"] + 1)[:, None]).mean(axis=1)
            axes.fill_between(position, low, high, color=GREY, alpha=0.35, lw=0, step="mid")
            axes.plot(position, below - position, color=RED if outside else BLUE, lw=2 if outside else 1)
            axes.set_title(_wrapped(plain(name)), fontsize=6)
            axes.tick_params(labelsize=6)
        for axes in grid[len(names) :]:
            axes.set_axis_off()
        figure.supxlabel("rank of the truth among the draws (share)", fontsize=8)
        figure.supylabel("share of ranks below, minus uniform", fontsize=8)

    return draw(paint, 7.2, 0.7 + 1.0 * rows)
