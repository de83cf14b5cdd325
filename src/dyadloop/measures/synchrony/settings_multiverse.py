"""The multiverse: one conclusion under every reasonable setting of window, step, lag, smoothing and transform."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike

from dyadloop.data.names import known_names
from dyadloop.errors import MeasureError
from dyadloop.measures.synchrony.application import synchrony
from dyadloop.measures.synchrony.methods import METHODS
from dyadloop.measures.synchrony.testing import synchrony_test

_PREPARATION: dict[str, Sequence[Any]] = {"smooth": (0.0, 0.5), "transform": ("none", "log")}
_TIMES = ("window", "segment", "piece", "reach")
_OTHERS: dict[str, Sequence[Any]] = {"rate": (0.02, 0.05, 0.1), "dimension": (1, 2, 3), "levels": (2, 3, 4)}


def default_grid(method: str) -> dict[str, Sequence[Any]]:
    """Return the settings that a multiverse of a method tries, by name.

    Windows, segments and pieces of half, once and twice the default length (windows of 60 s: 10, 30 and 60 s), a second
    largest lag, the method's kinds, recurrence rates, dimensions and levels, as far as the method has them; smoothing
    by 0 and 0.5 s; transform none and log.

    Raises
    ------
    MeasureError
        If the method does not exist.
    """
    if method not in METHODS:
        raise MeasureError(f"method {method!r} does not exist; known: {known_names(METHODS, method)}")
    chosen, axes = METHODS[method], {}
    for name, default in chosen.settings().items():
        if name in _TIMES and isinstance(default, float):
            axes[name] = (10.0, 30.0, 60.0) if default == 60 else (default / 2, default, 2 * default)
        elif name == "lag" and isinstance(default, float) and "lag" in chosen.span and "embedding" not in chosen.span:
            axes[name] = (2.0, 5.0) if default == 5 else (default / 2, default)
        elif name == "kind":
            axes[name] = chosen.choices("kind")
        elif name in _OTHERS and isinstance(default, int | float):
            axes[name] = _OTHERS[name]
    return axes | _PREPARATION


def synchrony_multiverse(
    first: ArrayLike,
    second: ArrayLike,
    fs: float,
    method: str = "windowed",
    grid: Mapping[str, Sequence[Any]] | None = None,
    *,
    surrogate: str | None = "shift",
    draws: int = 99,
    seed: int = 1,
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
        :func:`default_grid`, without the settings that stay the same.
    surrogate, draws, seed
        Test of each setting; ``None``: scores only. ``wavelet_test`` draws surrogates of its own and is judged by them.
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

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> shared, other = rng.normal(size=(2, 5000))
    >>> grid = {"window": [10, 20], "lag": [1, 2]}
    >>> table = dl.synchrony_multiverse(shared, shared + other, fs=25, grid=grid, surrogate=None)
    >>> print(table[["window", "lag", "status"]])
       window  lag status
    0      10    1     ok
    1      10    2     ok
    2      20    1     ok
    3      20    2     ok
    """
    if grid is None:
        grid = {name: values for name, values in default_grid(method).items() if name not in settings}
    axes = dict(grid)
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
        if surrogate is not None and "surrogates" in METHODS[method].settings():
            drawn = found["surrogate"].values
            row |= {
                "effect": float((found["score"] - drawn.mean()) / drawn.std(ddof=1)),
                "p_value": float(found["p_value"]),
            }
        elif surrogate is not None:
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
        Result of :func:`synchrony_multiverse`.
    level
        Significance level.

    Returns
    -------
    dict
        ``settings`` and ``usable``; ``share_above_chance``: share of usable settings with p up to the level (settings
        are not independent: this is no test); ``effect`` at its smallest, median and largest; ``share_first_leads``
        of those with a leader;
        ``matters``: share of the variance of the effect that each setting explains.
    """
    sound = table[table["status"] == "ok"]
    value = "effect" if sound["effect"].notna().any() else "score"
    leads = sound["lead"].dropna()
    axes = list(table.columns[: list(table.columns).index("score")])
    total = float(((sound[value] - sound[value].mean()) ** 2).sum())
    matters = {}
    for axis in axes:
        means = sound.groupby(axis)[value].transform("mean")
        matters[axis] = float(((means - sound[value].mean()) ** 2).sum() / total) if total > 0 else 0.0
    return {
        "settings": len(table),
        "usable": len(sound),
        "share_above_chance": float((sound["p_value"] <= level).mean()) if value == "effect" else float("nan"),
        value: [float(sound[value].quantile(q)) for q in (0.0, 0.5, 1.0)],
        "share_first_leads": float((leads > 0).mean()) if len(leads) else float("nan"),
        "matters": matters,
    }
