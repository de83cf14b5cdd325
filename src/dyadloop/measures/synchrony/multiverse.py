"""The multiverse: one conclusion under every reasonable setting of window, step, lag, smoothing and transform."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike

from dyadloop.errors import MeasureError
from dyadloop.measures.synchrony.methods import synchrony
from dyadloop.measures.synchrony.testing import synchrony_test

_GRID: dict[str, Sequence[Any]] = {
    "window": (10.0, 30.0, 60.0),
    "lag": (2.0, 5.0),
    "smooth": (0.0, 0.5),
    "transform": ("none", "log"),
}


def multiverse(
    first: ArrayLike,
    second: ArrayLike,
    fs: float,
    method: str = "windowed",
    grid: Mapping[str, Sequence[Any]] | None = None,
    *,
    surrogate: str | None = "shift",
    draws: int = 99,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
    **settings: Any,  # noqa: ANN401 - what stays the same
) -> pd.DataFrame:
    """Return the score of a dyad under every setting of a grid, and whether it stands out from surrogates.

    Parameters
    ----------
    first, second, fs, method
        As in :func:`synchrony`.
    grid
        Values to try by name: settings of the method, ``smooth``, ``transform``, ``spikes``, ``missing``. Default:
        window 10, 30, 60 s; lag 2, 5 s; smoothing 0, 0.5 s; transform none, log, without what ``settings`` hold.
    surrogate, draws, seed
        Test of each setting; ``None``: scores only.
    progress
        Called with settings done and their number.
    **settings
        Settings that stay the same.

    Returns
    -------
    pandas.DataFrame
        One row per setting: the grid's columns, ``score``, ``error``, ``lead``, ``effect``, ``p_value``, ``status``
        (ok, or why this setting could not be used). :func:`conclusions` sums it up.

    Raises
    ------
    MeasureError
        If the grid is empty or no setting can be used.
    """
    axes = {name: values for name, values in _GRID.items() if name not in settings} if grid is None else dict(grid)
    if both := [name for name in axes if name in settings]:
        raise MeasureError(f"{', '.join(both)}: got values in the grid and one that stays the same; give one of these")
    if not axes or any(not len(values) for values in axes.values()):
        raise MeasureError(f"grid: got {axes}; expected at least one value for at least one setting")
    combinations = list(itertools.product(*axes.values()))
    rows = []
    for done, values in enumerate(combinations, start=1):
        chosen = dict(zip(axes, values, strict=True))
        rows.append(chosen | _one(first, second, fs, method, surrogate, draws, seed, settings | chosen))
        if progress is not None:
            progress(done, len(combinations))
    table = pd.DataFrame(rows)
    if (table["status"] != "ok").all():
        raise MeasureError(f"no setting of the grid could be used: {table['status'].iloc[0]}")
    return table


def _one(
    first: ArrayLike,
    second: ArrayLike,
    fs: float,
    method: str,
    surrogate: str | None,
    draws: int,
    seed: int,
    settings: dict[str, Any],
) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(("score", "error", "lead", "effect", "p_value"), np.nan)
    try:
        found: xr.Dataset = synchrony(first, second, fs, method, **settings)
        row |= {name: float(found[name]) for name in ("score", "error", "lead") if name in found}
        if surrogate is not None:
            tested = synchrony_test(first, second, fs, method, surrogate=surrogate, draws=draws, seed=seed, **settings)
            row |= {name: float(tested[name]) for name in ("effect", "p_value")}
    except MeasureError as error:
        return row | {"status": str(error)}
    return row | {"status": "ok"}


def conclusions(table: pd.DataFrame, level: float = 0.05) -> dict[str, Any]:
    """Return how far the conclusion depends on the settings.

    Parameters
    ----------
    table
        Result of :func:`multiverse`.
    level
        Significance level.

    Returns
    -------
    dict
        ``settings`` and ``usable``; ``share_above_chance``: share of usable settings with p below the level (settings
        are not independent: this is no test); ``effect`` at its smallest, median and largest; ``share_first_leads``;
        ``matters``: share of the variance of the effect that each setting explains.
    """
    sound = table[table["status"] == "ok"]
    value = "effect" if sound["effect"].notna().any() else "score"
    axes = list(table.columns[: list(table.columns).index("score")])
    total = float(((sound[value] - sound[value].mean()) ** 2).sum())
    matters = {}
    for axis in axes:
        means = sound.groupby(axis)[value].transform("mean")
        matters[axis] = float(((means - sound[value].mean()) ** 2).sum() / total) if total > 0 else 0.0
    return {
        "settings": len(table),
        "usable": len(sound),
        "share_above_chance": float((sound["p_value"] < level).mean()) if value == "effect" else float("nan"),
        value: [float(sound[value].quantile(q)) for q in (0.0, 0.5, 1.0)],
        "share_first_leads": float((sound["lead"] > 0).mean()),
        "matters": matters,
    }
