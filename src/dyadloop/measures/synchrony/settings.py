"""What the settings of methods may be: one rule per name, so that every method refuses the same in the same words."""

import inspect
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

import numpy as np

from dyadloop.errors import MeasureError

_LONGEST = 1e11  # seconds: three thousand years, so that samples can be counted


@dataclass(frozen=True)
class Bounds:
    """The numbers that a setting may be: from ``low`` to ``high``, with the ends or ``open`` at both."""

    low: float
    high: float = math.inf
    open: bool = False

    def hold(self, value: float) -> bool:
        """Say whether a number lies within."""
        return self.low < value < self.high if self.open else self.low <= value <= self.high

    def words(self) -> str:
        """Return the bounds in words."""
        if self.high == math.inf:
            return f"above {self.low:g}" if self.open else f"of at least {self.low:g}"
        return f"above {self.low:g} and below {self.high:g}" if self.open else f"from {self.low:g} to {self.high:g}"


_DURATION, _DISTANCE = Bounds(0, _LONGEST, open=True), Bounds(0, _LONGEST)
_SHARE = Bounds(0, 1)
_COUNT = Bounds(1, 1_000_000)
BOUNDS: dict[str, Bounds] = {
    "window": _DURATION,
    "step": _DURATION,
    "segment": _DURATION,
    "piece": _DURATION,
    "slope_window": _DURATION,
    "smallest": _DURATION,
    "shortest_period": _DURATION,
    "lag": _DISTANCE,
    "lag_change": _DISTANCE,
    "reach": _DISTANCE,
    "correction": _DISTANCE,
    "exclude": _DISTANCE,
    "mea_smooth": _DISTANCE,
    "delay": Bounds(1, 1e9),
    "theiler": Bounds(0, 1e9),
    "shortest": Bounds(1, 1e9),
    "lag_step": Bounds(1, 1e9),
    "peak_size": Bounds(1, 1e9),
    "rows": _COUNT,
    "radius": Bounds(0, 1e9),
    "outlier": Bounds(0, open=True),
    "artefact": Bounds(0, open=True),
    "amplitude": Bounds(0, 1e100),
    "dimension": Bounds(1, 100),
    "per_octave": Bounds(1, 100),
    "levels": Bounds(2, 1000),
    "libraries": Bounds(2, 1000),
    "draws": _COUNT,
    "surrogates": _COUNT,
    "seed": Bounds(0, 2**63 - 1),
    "rate": Bounds(0, 1, open=True),
    "level": Bounds(0, 1, open=True),
    "min_share": _SHARE,
    "span": _SHARE,
    "malus": _SHARE,
    "threshold": _SHARE,
}
"""Range of every setting that is a number, in its unit."""


def check_setting(method: str, name: str, value: object, default: object, annotation: object) -> None:
    """Refuse a value that a setting cannot be.

    Parameters
    ----------
    method, name
        Names of the method and of the setting, for the message.
    value
        What was given.
    default, annotation
        Default and type of the setting in the signature of the method.

    Raises
    ------
    MeasureError
        If it is of another kind, not finite or out of bounds.
    """
    expected = _wrong(name, value, default, annotation)
    if expected:
        raise MeasureError(f"method {method!r}, setting {name}: got {value!s}; expected {expected}")


def _wrong(name: str, value: object, default: object, annotation: object) -> str:
    """Return what was expected instead of a value, empty where it will do."""
    if value is None:
        return "" if default is None else f"a value; leave it out for {default}"
    if isinstance(value, float | np.floating) and not np.isfinite(value):
        return "a finite number"
    if name == "band":
        return _wrong_band(value)
    words = _words_of(annotation)
    if isinstance(value, str) or (words and not isinstance(default, bool)):
        known = f"one of {', '.join(words)}" if words else "a number, not a word"
        return known if value not in words and (words or not isinstance(default, str)) else ""
    if isinstance(default, bool):
        return "" if isinstance(value, bool | np.bool_) or value in (0, 1) else "true or false"
    if name in BOUNDS:
        return _wrong_number(BOUNDS[name], value, whole=type(default) is int)
    return "" if not isinstance(default, str) else "a word"


def _words_of(annotation: object) -> tuple[str, ...]:
    """Return the words among which a setting chooses, none where it takes others."""
    parts = (annotation, *get_args(annotation))
    return tuple(word for part in parts if get_origin(part) is Literal for word in get_args(part))


def _wrong_number(bounds: Bounds, value: object, whole: bool) -> str:
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.number):
        return "a number"
    if whole and not isinstance(value, int | np.integer):
        return "a whole number"
    return "" if bounds.hold(float(value)) else f"a number {bounds.words()}"


def _wrong_band(value: object) -> str:
    wanted = "two frequencies in Hz, the lower first, such as [0.05, 0.5]"
    if not isinstance(value, list | tuple | np.ndarray) or len(value) != 2:
        return wanted
    if any(isinstance(v, bool) or not isinstance(v, int | float | np.number) for v in value):
        return wanted
    low, high = (float(v) for v in value)
    return "" if 0 <= low < high < 1e9 else wanted


def check_settings(method: str, given: Mapping[str, Any], parameters: Mapping[str, inspect.Parameter]) -> None:
    """Refuse the first setting of a call that is no usable value, see :func:`check_setting`."""
    for name, value in given.items():
        default = parameters[name].default
        check_setting(method, name, value, default, parameters[name].annotation)
