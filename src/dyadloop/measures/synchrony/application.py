"""One function that applies any measure of synchrony to two series, and one for groups."""

import inspect
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from dyadloop.data.names import known_names
from dyadloop.errors import MeasureError
from dyadloop.measures.synchrony.guard import checked
from dyadloop.measures.synchrony.method import Method
from dyadloop.measures.synchrony.methods import METHODS
from dyadloop.measures.synchrony.settings import check_settings
from dyadloop.measures.synchrony.still import shares_of
from dyadloop.signals.doubts import ecg_doubt
from dyadloop.signals.series import Floats, Missing, Pair, as_series, make_pair, smoothed, whitened, without_spikes

Transform = Literal["none", "log", "rank", "difference", "whiten"]
_AS_GIVEN = ("rmea", "susy", "mvsusy", "wcc", "crqa", "recurrence", "mdrqa")


def synchrony(
    first: ArrayLike,
    second: ArrayLike,
    fs: float,
    method: str = "windowed",
    *,
    missing: Missing = "pairwise",
    cut: bool = False,
    spikes: float | None = None,
    smooth: float = 0.0,
    transform: Transform = "none",
    **settings: Any,  # noqa: ANN401 - what the method takes
) -> xr.Dataset:
    """Return the synchrony of two series by a named method.

    Parameters
    ----------
    first, second
        Samples of the two persons, NaN where missing. Positive lags and leads mean that the first person leads.
    fs
        Sampling rate of both [Hz].
    method
        windowed (default) or another of ``METHODS``; ``dyadloop synchrony --list`` tells what each answers. The names
        of programs compute what those programs compute; the others are corrected, see docs/measures.md.
    missing
        pairwise, mask or refuse.
    cut
        Cut the longer series to the shorter instead of refusing.
    spikes
        Samples beyond so many robust SDs are made missing; default: kept.
    smooth
        Width of a centred moving average [s]; 0: none.
    transform
        none, log (log(1 + x) of values >= 0), rank, difference, or whiten (residuals of an autoregression).
    **settings
        Settings of the method, such as ``window``, ``step`` and ``lag`` in seconds.

    Returns
    -------
    xarray.Dataset
        ``score``, its standard error ``error`` (NaN where none is known), ``lead`` where the method has a direction,
        ``still_first``, ``still_second`` and ``still_both``: shares of the time without any change for 1 s; and what
        else the method returns; attributes name method, statistic, sign, source, settings, and ``status``: ok, or what
        has no value and why.

    Raises
    ------
    MeasureError
        If a series, the rate, the method or a setting is not usable; the message says what to do.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> first = np.convolve(rng.normal(size=3025), np.ones(15), "same")  # SIMULATED movement at 25 Hz
    >>> second = first[:-25] + rng.normal(size=3000)  # follows after a second
    >>> found = dl.synchrony(first[25:], second, fs=25, window=20, step=10, lag=3)
    >>> round(float(found["score"]), 2), float(found["peak_lag"].median())
    (0.23, 1.0)
    """
    chosen = method_of(method, settings)
    pair = make_pair(first, second, fs, missing, cut, pauses_of(method))
    pair = prepared(pair, spikes, smooth, transform)
    found = applied(chosen, pair, settings)
    given = {"spikes": spikes or "kept", "smooth": smooth, "transform": transform, "missing": missing}
    still = {name: ((), share, {"units": "1"}) for name, share in shares_of(first, second, pair.fs).items()}
    about = {"n_samples": len(pair.first), "common_pauses": pair.common_words(), "doubts": _doubts(pair)}
    return checked(found.assign(still).assign_attrs(**given, **about))


def applied(chosen: Method, pair: Pair, settings: dict[str, Any]) -> xr.Dataset:
    """Return what a method finds in a pair, as it is: neither guarded nor with what :func:`synchrony` adds."""
    if chosen.group:
        return chosen.function(np.stack([pair.first, pair.second], axis=1), pair.fs, **settings)
    return chosen.function(pair, **settings)


def _doubts(pair: Pair) -> str:
    sides = (("first", pair.first), ("second", pair.second))
    return "; ".join(f"{who} series {text}" for who, v in sides if (text := ecg_doubt(v, pair.fs))) or "none"


def pauses_of(method: str) -> Literal["missing", "named"]:
    """Return what a method does with stretches in which both stand still at once.

    Programs are reproduced with their input as it is, and recurrence compares states, where holding one is a datum.
    """
    return "named" if method in _AS_GIVEN else "missing"


def group_synchrony(series: ArrayLike, fs: float, method: str = "rho", **settings: Any) -> xr.Dataset:  # noqa: ANN401
    """Return the synchrony of two or more persons at once.

    Parameters
    ----------
    series
        Samples (sample, person).
    fs
        Sampling rate [Hz].
    method
        A method for groups: mvsusy, rho, kuramoto, mdrqa, symbolic_entropy, rho_windows or kuramoto_windows.
    **settings
        Settings of the method.

    Raises
    ------
    MeasureError
        If the method takes no group, or a series or setting is not usable.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> common = np.cumsum(rng.normal(size=2000))
    >>> persons = np.column_stack([common + 5 * rng.normal(size=2000) for _ in range(4)])  # SIMULATED
    >>> round(float(dl.group_synchrony(persons, fs=10, method="rho")["score"]), 2)
    0.96
    """
    chosen = method_of(method, settings)
    if not chosen.group:
        known = ", ".join(name for name, other in METHODS.items() if other.group)
        raise MeasureError(f"method {method!r} takes two series; for a group use one of {known}")
    return checked(chosen.function(series, fs, **settings))


def method_of(name: str, settings: dict[str, Any]) -> Method:
    """Return a method whose settings exist.

    Raises
    ------
    MeasureError
        If the method or a setting does not exist, or a setting is no usable value.
    """
    if name not in METHODS:
        raise MeasureError(f"method {name!r} does not exist; known: {known_names(METHODS, name)}")
    known = METHODS[name].settings()
    unknown = [setting for setting in settings if setting not in known]
    if unknown:
        raise MeasureError(
            f"method {name!r} has no setting {', '.join(unknown)}; known: {known_names(known, *unknown)}"
        )
    absent = [s for s, default in known.items() if default is inspect.Parameter.empty and s not in settings]
    if absent:
        raise MeasureError(f"method {name!r} needs {', '.join(absent)}")
    check_settings(name, settings, inspect.signature(METHODS[name].function).parameters)
    return METHODS[name]


def prepared(pair: Pair, spikes: float | None, smooth: float, transform: str) -> Pair:
    """Return the pair without spikes, smoothed and transformed, in that order.

    Raises
    ------
    MeasureError
        If the transform does not exist or a logarithm meets a negative value.
    """
    if not (np.isfinite(smooth) and smooth >= 0):
        raise MeasureError(f"smooth: got {smooth:g} s; expected a width of 0 or more")
    if spikes is None and not smooth and transform == "none":
        return pair
    series = []
    for name, values in (("first", pair.first), ("second", pair.second)):
        kept = values if spikes is None else without_spikes(values, spikes)[0]
        kept = smoothed(kept, pair.fs, smooth) if smooth else kept
        series.append(as_series(_transformed(kept, transform, name), f"{name} series, prepared"))
    return replace(pair, first=series[0], second=series[1])


def _transformed(values: Floats, transform: str, name: str) -> Floats:
    if transform == "none":
        return values
    if transform == "log":
        if np.nanmin(values) < 0:
            raise MeasureError(f"{name} series: got {np.nanmin(values):g}; a logarithm needs values >= 0")
        return np.log1p(values)
    if transform == "rank":
        from scipy.stats import rankdata

        return rankdata(values, nan_policy="omit") / (~np.isnan(values)).sum()
    if transform == "difference":
        return np.diff(values, prepend=np.nan)
    if transform == "whiten":
        return whitened(values)
    raise MeasureError(f"transform {transform!r} does not exist; expected none, log, rank, difference or whiten")
