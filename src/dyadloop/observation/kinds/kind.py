"""What a kind of observation says of itself: the contract that every kind fulfils.

Files of kinds import JAX where they compute with it, not on top: a study is read without it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from jax import Array

Alike = Callable[[np.ndarray], np.ndarray]
"""What makes scores (..., dyad, time, indicator) as the study would have recorded them."""


class Keys(BaseModel):
    """Keys of an indicator in ``study.yaml`` that belong to one kind; a kind may check them with validators."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Parameter(NamedTuple):
    """A parameter of a kind: default, unit, prior (family, location, scale) and why the prior is as it is."""

    value: float
    unit: str
    family: str
    location: float
    scale: float
    why: str


class Record(NamedTuple):
    """What a study holds of the values of one kind beside their scores.

    Attributes
    ----------
    values
        Arrays by dyad, time and indicator.
    constants
        Arrays by indicator.
    """

    values: dict[str, Any]
    constants: dict[str, Any]

    def of_dyads(self, rows: np.ndarray) -> "Record":
        """Return the record of some dyads."""
        return self._replace(values={name: array[rows] for name, array in self.values.items()})


@dataclass(frozen=True)
class Row:
    """One row of measurements.tsv while it is checked.

    ``note(column, got, expected, remedy)`` reports a fault, ``number(column)`` reads a number or reports why it is
    none, ``given(column)`` tells whether the field holds anything.
    """

    record: Mapping[str, str]
    value: float
    note: Callable[[str, str, str, str], None]
    number: Callable[[str], float | None]
    given: Callable[[str], bool]


class Kind:
    """A kind of observation. Every method has a default, so that a kind says only what is particular to it.

    Attributes
    ----------
    name
        Name in the registry, in results and in messages; no blank in it.
    summary
        What values of this kind are, for the docs.
    keys
        Keys of an indicator in ``study.yaml`` that belong to the kind, with their checks.
    transforms
        Words of the key ``transform`` that belong to the kind.
    columns
        Further columns of measurements.tsv, of numbers.
    per_value, per_indicator
        Variables of the scores that the kind fills, by value and by indicator, and what they are where it does not.
    latent
        Whether each value needs a standard normal of its own that is sampled with the parameters.
    knows_error
        Whether a value brings its own error, so that the indicator's is only what remains.
    alone
        Why an indicator all of whose values are of this kind is refused; empty where it is not.
    positive
        Prefixes of parameters that must be positive.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    keys: ClassVar[type[Keys] | None] = None
    transforms: ClassVar[tuple[str, ...]] = ()
    columns: ClassVar[tuple[str, ...]] = ()
    per_value: ClassVar[dict[str, float]] = {}
    per_indicator: ClassVar[dict[str, float]] = {}
    latent: ClassVar[bool] = True
    knows_error: ClassVar[bool] = False
    alone: ClassVar[str] = ""
    positive: ClassVar[tuple[str, ...]] = ()

    # reading: `entry` is an indicator of study.yaml, `part` its rows of measurements.tsv

    def check_row(self, entry: Any, row: Row) -> dict[str, float]:  # noqa: ANN401 - an indicator, or None
        """Check the fields of a row and return its numbers for ``columns``; NaN stands for none."""
        return dict.fromkeys(self.columns, float("nan"))

    def on_scale(self, entry: Any, part: pd.DataFrame) -> tuple[np.ndarray, tuple[float, float]] | None:  # noqa: ANN401
        """Return values on a scale on which they can be looked at for mistakes, and its ends; None: as written."""
        return None

    def alternatives(self, entry: Any) -> dict[str, dict[str, object]]:  # noqa: ANN401
        """Return other defensible declarations of an indicator: what the choice is called, and the keys it changes."""
        return {}

    # scaling

    def raw(self, entry: Any, part: pd.DataFrame, y: np.ndarray) -> np.ndarray:  # noqa: ANN401
        """Return the numbers that are centred and scaled, from the values after a logarithm if there is one."""
        return y

    def claims(self, entry: Any, part: pd.DataFrame) -> np.ndarray:  # noqa: ANN401
        """Return which values of an indicator are of this kind; kinds are asked in the order of the registry."""
        return np.zeros(len(part), dtype=bool)

    def by_value(self, entry: Any, part: pd.DataFrame) -> dict[str, np.ndarray]:  # noqa: ANN401
        """Return the variables of ``per_value`` of an indicator, by row."""
        return {}

    def by_indicator(self, entry: Any, scale: float) -> dict[str, float]:  # noqa: ANN401
        """Return the variables of ``per_indicator`` of an indicator; ``scale`` is its unit in raw points."""
        return {}

    # fitting: `plan` is what `planned` returns, `numbers` what `numbers` returns at parameter values

    def planned(self, scores: xr.Dataset) -> tuple:
        """Return what has parameters, hashable; ``scores`` holds the indicators of the fit. Empty: no parameters."""
        return ()

    def parameters(self, plan: tuple, indicators: tuple[str, ...]) -> dict[str, Parameter]:
        """Return the parameters of the kind by id."""
        return {}

    def numbers(self, plan: tuple, indicators: tuple[str, ...], values: Mapping[str, Any]) -> Any:  # noqa: ANN401
        """Return the arrays that parameter values make, for :meth:`given` and :meth:`draw`."""
        return None

    def record(
        self, values: dict[str, np.ndarray], about: dict[str, np.ndarray], score: np.ndarray, plan: tuple
    ) -> Record:
        """Return what the study holds of the values of this kind.

        ``values`` and ``about`` are the variables of ``per_value`` and ``per_indicator``, the latter with ``center``
        and ``scale``; ``score`` is NaN where a value is missing.
        """
        return Record({}, {})

    def recorded(self, record: Record, score: "Array") -> Record:
        """Return the record that other scores would have."""
        return record

    def given(self, record: Record, numbers: Any, shape: tuple[int, ...]) -> "Array":  # noqa: ANN401
        """Return what :meth:`observe` needs beside the prediction (dyad, time, indicator, number)."""
        import jax.numpy as jnp

        return jnp.zeros((*shape, 0))

    def observe(
        self, v: "Array", sd: "Array", normal: "Array", given: "Array", about: dict[str, "Array"]
    ) -> tuple["Array", "Array"]:
        """Return the innovation that one value makes, and its log probability.

        The filter predicts the score as normal with SD ``sd``, the indicator's error included; ``v`` is the score minus
        its prediction. ``given`` is what :meth:`given` returns for the value, ``about`` the constants of its indicator.

        A kind that is latent makes its innovation of the standard ``normal``: the likelihood is exact when these
        normals are integrated out. Where a value is of another kind, both numbers must still be finite, and so must
        their derivatives.
        """
        raise ValueError(f"values of kind {self.name!r} enter the filter as they are")

    def plain_variance(self, record: Record) -> "Array | float | None":
        """Return the variance with which scores of this kind err if taken as plain numbers; None: they say nothing.

        The search for the mode and the particle filter take them so.
        """
        return 0.0

    # replicates

    def draw(self, key: "Array", score: "Array", record: Record, numbers: Any) -> "Array":  # noqa: ANN401
        """Return simulated scores as the study would have them; those of other indicators stay as they are."""
        return score

    def alike(self, record: Record, score: np.ndarray, here: np.ndarray) -> Alike | None:
        """Return what makes data and replicates alike before they are compared; ``here``: which are of this kind."""
        return None

    # words

    def sentence(self, count: int) -> str:
        """Return what the report says of so many values of this kind."""
        return f"{count} values are of kind {self.name}."
