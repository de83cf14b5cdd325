"""Is a dyad more in step than chance? Observed value, surrogate distribution, calibrated effect and p value."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from dyadloop.data.names import known_names
from dyadloop.errors import MeasureError
from dyadloop.measures.synchrony.application import Transform, applied, method_of, pauses_of, prepared, synchrony
from dyadloop.measures.synchrony.guard import NoScoreError
from dyadloop.measures.synchrony.methods import METHODS
from dyadloop.measures.synchrony.slowness import FEWEST, check_slowness, tails
from dyadloop.measures.synchrony.still import common_rest, rest_seconds, still_parts, without_rests
from dyadloop.measures.synchrony.surrogates import SURROGATES
from dyadloop.signals.series import Missing, Pair, make_pair

_HEAVIEST = 5.0  # excess kurtosis that surrogates of random phases may stand for
_TWO_SIDED = ("lead", "signed")
_FEWEST_PIECES = 6  # with 4.5 the null SD of the effect is 1.3 and the type I error 0.11, with 7 they are 1.1 and 0.05


def synchrony_test(
    first: ArrayLike,
    second: ArrayLike,
    fs: float,
    method: str = "windowed",
    *,
    surrogate: str = "shift",
    draws: int = 199,
    statistic: str = "score",
    seed: int = 1,
    guard: float | None = None,
    rest: float | None = None,
    progress: Callable[[int, int], None] | None = None,
    missing: Missing = "pairwise",
    cut: bool = False,
    spikes: float | None = None,
    smooth: float = 0.0,
    transform: Transform = "none",
    **settings: Any,  # noqa: ANN401 - what the method takes
) -> xr.Dataset:
    """Test the synchrony of one dyad against surrogates of the second series.

    Parameters
    ----------
    first, second, fs, method, missing, cut, spikes, smooth, transform, **settings
        As in :func:`synchrony`.
    surrogate
        shift, permutation, phase or iaaft; each tests another null hypothesis, which the result names. With
        permutation windows do not overlap: the step becomes ``guard``, for the observed value too.
    draws
        Number of surrogates.
    statistic
        Number of the result that is tested: ``score``, ``lead`` or another without dimension.
    seed
        Seed of the surrogates.
    guard
        Time within which two moments count as the same [s]; default: windows and lags of the method, at
        least a twentieth of the recording.
    rest
        Time without any change from which a person's samples are left out, in the surrogates too [s]; default: half a
        window. Two persons who rest at the same time would pass for persons in step; whether they rest together is
        told apart.
    progress
        Called with surrogates done and their number.

    Returns
    -------
    xarray.Dataset
        ``observed``; ``surrogate`` (draw); ``effect``: observed minus mean over SD of the surrogates, which has SD 1
        where there is no synchrony; ``p_value``: (1 + surrogates at least as far) / (draws + 1), one-sided for
        strengths, two-sided for ``lead`` and ``signed``. Where both rest at times: ``still_both``, ``still_expected``
        and ``still_p_value`` of :func:`dyadloop.measures.synchrony.still_time`.

    Raises
    ------
    MeasureError
        If an argument is not usable, the recording is too short for its windows or for its own slowness, or all
        surrogates are alike.

    References
    ----------
    .. [1] Moulder et al. (2018). doi:10.1037/met0000172

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> first, second = rng.normal(size=(2, 6000))  # SIMULATED: two persons who share nothing
    >>> tested = dl.synchrony_test(first, second, fs=25, draws=99, window=10, step=10, lag=2)
    >>> float(tested["p_value"]), tested.attrs["null"]
    (0.19, 'the two series are not related in time; each may be of any kind, if stationary')
    """
    if surrogate not in SURROGATES:
        known = known_names(SURROGATES, surrogate)
        raise MeasureError(f"surrogate {surrogate!r} does not exist; known: {known}; between dyads: group_test")
    _refuse_odd(guard=guard, rest=rest)
    kind = SURROGATES[surrogate]
    pair = prepared(make_pair(first, second, fs, missing, cut, pauses_of(method)), spikes, smooth, transform)
    whole = pair.second
    if kind.of_spectrum and pair.common:  # the spectrum is that of the series as it was recorded
        whole = prepared(make_pair(first, second, fs, missing, cut), spikes, smooth, transform).second
    span = _guard(method, settings, guard, len(pair.first) / pair.fs, pair.fs)
    reach = round(span * pair.fs)
    pieces = len(pair.first) / max(reach, 1)
    if pieces < _FEWEST_PIECES:
        raise MeasureError(
            f"the recording holds {pieces:.1f} times window and lag ({span:g} s); expected at least {_FEWEST_PIECES}: "
            "with fewer a test rejects too often; choose shorter windows, or test a group of dyads between each other"
        )
    if surrogate == "permutation" and "step" in METHODS[method].settings():
        settings = settings | {"step": reach / pair.fs}  # a window across a joint would know the surrogate
    generator, moments = np.random.default_rng(seed), _moments(pair, surrogate)
    half = rest_seconds(method, method_of(method, settings).settings() | settings)
    longest = half if rest is None else rest
    one, two = (without_rests(s, pair.fs, longest) for s in (pair.first, pair.second))
    observed = _value(synchrony(one, two, pair.fs, method, **settings), statistic)
    quick = settings | _without_errors(method)
    joint = _joint(half, moments / int(np.isfinite(pair.first + pair.second).sum()), pair.fs)
    found = np.empty(draws)
    for draw in range(draws):
        other = kind.draw(two, whole, generator, reach, joint)
        found[draw] = _drawn(one, other, pair.fs, method, quick, statistic)
        if progress is not None:
            progress(draw + 1, draws)
    tested = against(
        observed, found, statistic, null=kind.null, surrogate=surrogate, method=method, seed=seed, **_texts(settings)
    )
    left_out = 1 - float(np.isfinite(one + two).sum()) / max(int(np.isfinite(pair.first + pair.second).sum()), 1)
    return tested.assign(common_rest(first, second, pair.fs)).assign_attrs(
        rest=min(longest, len(pair.first) / pair.fs), rest_left_out=left_out, independent_moments=moments
    )


def _refuse_odd(**times: float | None) -> None:
    for name, seconds in times.items():
        if seconds is not None and (np.isnan(seconds) or seconds < 0):
            raise MeasureError(f"{name}: got {seconds:g} s; expected a time of 0 or more")


def _moments(pair: Pair, surrogate: str) -> float:
    """Return the independent moments of a pair of which a surrogate can be made.

    Random phases are refused for series with far values, which a Gaussian process does not have.
    """
    found = tails(pair.second) if surrogate == "phase" else 0.0
    if found > _HEAVIEST:
        raise MeasureError(
            f"the second series has bursts or spikes (excess kurtosis {found:.0f}; a Gaussian series has 0): "
            "surrogates of random phases have none, and a test by them rejects too often; expected up to "
            f"{_HEAVIEST:g}; take transform log or rank, or surrogates of shift"
        )
    return check_slowness(pair)


def against(observed: float, drawn: np.ndarray, statistic: str, **notes: Any) -> xr.Dataset:  # noqa: ANN401
    """Return observed value, surrogate values, effect and p value in the form of every test.

    Raises
    ------
    MeasureError
        If the surrogates do not vary.
    """
    known = drawn[np.isfinite(drawn)]
    if len(known) < max(len(drawn) / 2, 2) or still_parts(known) or not np.isfinite(observed):
        raise MeasureError(
            f"{statistic}: the observed value is {observed:g}, {len(known)} of {len(drawn)} surrogates have a value: "
            "expected a number and surrogates that vary; no test; choose other windows or another statistic"
        )
    centre, spread = known.mean(), known.std(ddof=1)
    if statistic in _TWO_SIDED:
        beyond = (np.abs(known - centre) >= abs(observed - centre) - 1e-15).sum()
    else:
        beyond = (known >= observed - 1e-15).sum()
    return xr.Dataset(
        {
            "observed": ((), float(observed)),
            "surrogate": ("draw", drawn),
            "effect": ((), (observed - centre) / spread, {"units": "SD of the null"}),
            "p_value": ((), (1 + beyond) / (len(known) + 1)),
        },
        attrs={"statistic": statistic, "sides": 2 if statistic in _TWO_SIDED else 1, **notes},
    )


def _guard(method: str, settings: dict[str, Any], guard: float | None, length: float, fs: float) -> float:
    """Return the time within which two moments count as the same [s]: what the method declares, or a twentieth."""
    if guard is not None:
        return guard
    return max(method_of(method, settings).span_seconds(settings, fs), length / 20)


def _joint(half: float, moments: float, fs: float) -> int:
    """Return the samples around the joint of a shift that are left out: half a window, where the series are slow.

    ``moments`` is the number of independent moments per sample. Where a window holds many, a joint changes the variance
    of its correlation by one in so many, which is less than what leaving windows out costs.
    """
    if not np.isfinite(half) or 2 * half * fs * moments >= FEWEST:
        return 0
    return round(half * fs)


def _without_errors(method: str) -> dict[str, Any]:
    """Return settings that spare a method its standard error or its own test, which surrogates do not need."""
    parameters = inspect.signature(METHODS[method].function).parameters
    return {name: value for name, value in (("draws", 2),) if name in parameters}


def _drawn(one: np.ndarray, other: np.ndarray, fs: float, method: str, settings: dict, statistic: str) -> float:
    """Return the statistic of a surrogate; NaN where this one leaves nothing to score.

    What :func:`synchrony` adds to a result, most of its cost in short recordings, is left out unless it is asked for.
    """
    try:
        pair = make_pair(one, other, fs, pauses=pauses_of(method))
        found = applied(method_of(method, settings), pair, settings)
        if statistic not in found:
            found = synchrony(one, other, fs, method, **settings)
        return _value(found, statistic) if np.isfinite(float(found["score"])) else float("nan")
    except NoScoreError:
        return float("nan")


def _value(found: xr.Dataset, statistic: str) -> float:
    scalars = [str(name) for name, values in found.data_vars.items() if values.ndim == 0]
    if statistic not in scalars:
        raise MeasureError(
            f"statistic {statistic!r} is no number of this method; known: {known_names(scalars, statistic)}"
        )
    return float(found[statistic])


def _texts(settings: dict[str, Any]) -> dict[str, Any]:
    return {name: value if isinstance(value, int | float | str) else str(value) for name, value in settings.items()}
