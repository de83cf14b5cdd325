"""What a method declares about itself: its question, its settings with their units, the time it needs, its null."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin, get_type_hints

import xarray as xr

UNITS: dict[str, str] = {
    "window": "s",
    "step": "s",
    "lag": "s",
    "lag_change": "s per s",
    "segment": "s",
    "piece": "s",
    "reach": "s",
    "slope_window": "s",
    "correction": "s",
    "smallest": "s",
    "exclude": "s",
    "shortest_period": "s",
    "band": "Hz",
    "delay": "samples",
    "theiler": "samples",
    "shortest": "samples",
    "lag_step": "samples",
    "peak_size": "half lag steps",
    "rows": "windows",
    "radius": "SD",
    "outlier": "SD",
    "artefact": "score of a window",
    "mea_smooth": "s",
    "mea_scale": "yes or no",
    "amplitude": "unit of the series",
    "dimension": "number",
    "per_octave": "number",
    "levels": "number",
    "libraries": "number",
    "draws": "number",
    "surrogates": "number",
    "seed": "number",
    "rate": "share",
    "min_share": "share",
    "span": "share of the lags",
    "malus": "share",
    "threshold": "share",
    "level": "share",
    "norm": "word",
    "kind": "word",
    "side": "word",
    "rescale": "word",
    "absolute": "yes or no",
    "z": "yes or no",
    "full": "yes or no",
    "categorical": "yes or no",
    "standardise": "yes, no or unit",
    "orthogonal": "yes or no",
    "surrogate_segments": "numbers of segments",
}
"""Unit of every setting. A name has one unit in all methods: what a method counts in samples has its own name."""


Family = Literal["correlation", "state", "rhythm", "direction", "group"]
FAMILIES: tuple[str, ...] = get_args(Family)
"""What methods look at, in the order of the list."""


@dataclass(frozen=True, kw_only=True)
class Method:
    """A measure of synchrony: the function that computes it, and what a reader must know to choose and to judge it.

    Attributes
    ----------
    name, title
        Name in calls and files; what the measure is.
    function
        Takes a pair of series, or the samples and rate of a group, and the settings.
    family
        What the method looks at.
    answers
        Question that the score answers.
    span
        Settings whose time a surrogate must exceed: within it two moments count as the same. ``embedding`` stands for
        the reach of an embedding by delays, a band for one period of its lowest frequency.
    null
        What the score is where nothing relates the persons, and how to test that.
    error
        How the standard error of the score is found.
    limits
        What the score cannot tell.
    reference
        Source with its DOI.
    """

    name: str
    title: str
    function: Callable[..., xr.Dataset]
    family: Family
    answers: str
    span: tuple[str, ...]
    null: str
    error: str
    limits: str
    reference: str

    @property
    def group(self) -> bool:
        """Whether it takes two or more persons at once."""
        return self.family == "group"

    def settings(self) -> dict[str, Any]:
        """Return the names of its settings with their defaults."""
        parameters = list(inspect.signature(self.function).parameters.values())
        return {p.name: p.default for p in parameters if p.name not in ("pair", "series", "fs")}

    def units(self) -> dict[str, str]:
        """Return the unit of each setting."""
        return {name: UNITS[name] for name in self.settings()}

    def choices(self, setting: str) -> tuple[str, ...]:
        """Return the words that a setting may be; none where it is no choice of words."""
        hints = get_type_hints(self.function)[setting]
        words = [word for part in (hints, *get_args(hints)) if get_origin(part) is Literal for word in get_args(part)]
        return tuple(word for word in words if isinstance(word, str))

    def span_seconds(self, settings: Mapping[str, Any], fs: float) -> float:
        """Return the time within which two moments count as the same under some settings [s]."""
        known = self.settings() | dict(settings)
        return sum(_seconds(name, known, fs) for name in self.span)

    def row(self) -> dict[str, Any]:
        """Return what the method declares, ready for a table or for JSON."""
        units = self.units()
        needed = inspect.Parameter.empty
        settings = {
            name: {"default": None if value is needed else value, "needed": value is needed, "unit": units[name]}
            | ({"choices": list(words)} if (words := self.choices(name)) else {})
            for name, value in self.settings().items()
        }
        return {
            "method": self.name,
            "title": self.title,
            "family": self.family,
            "takes": "group" if self.group else "pair",
            "answers": self.answers,
            "settings": settings,
            "span": list(self.span),
            "null": self.null,
            "error": self.error,
            "limits": self.limits,
            "reference": self.reference,
        }


def _seconds(name: str, settings: Mapping[str, Any], fs: float) -> float:
    if name == "embedding":
        return (settings["dimension"] - 1) * settings["delay"] / fs
    value = settings[name]
    if value is None:
        return 0.0
    unit = UNITS[name]
    if unit == "Hz":
        return 1 / min(value) if min(value) > 0 else 0.0
    return float(value) / (fs if unit == "samples" else 1.0)
