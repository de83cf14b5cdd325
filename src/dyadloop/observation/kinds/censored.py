"""The kind `censored`: the value lies beyond a limit, such as the detection limit of an assay or an end of a scale.

References
----------
.. [1] Hajivassiliou, McFadden & Ruud (1996). doi:10.1016/0304-4076(94)01716-6
"""

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd
import xarray as xr
from pydantic import Field, model_validator

from dyadloop.observation.kinds.kind import Alike, Keys, Kind, Record

if TYPE_CHECKING:
    from jax import Array

FARTHEST = -30.0
"""SDs; farther out, a draw stays at this distance: its likelihood is below exp(-450) anyway."""


class _Keys(Keys):
    ends_are_limits: bool = Field(
        default=False,
        description="take the lowest and the highest value of the scale as limits: the true value may lie beyond",
    )

    @model_validator(mode="after")
    def _has_ends(self) -> "_Keys":
        if self.ends_are_limits and getattr(self, "scale", None) is None:
            raise ValueError("ends_are_limits needs a scale: [lowest, highest]")
        return self


def as_seen(scores: xr.Dataset) -> xr.Dataset:
    """Return scores as a design has them that is to be simulated: a limit is a value like any other of its indicator.

    An answer at an end of a coarse scale, which is scaled as the threshold next to it, is an answer again.
    """
    known = str(scores.attrs["kinds"]).split()
    here, step = scores["kind"] == known.index("censored"), scores["step"]
    otherwise = xr.where(np.isfinite(step), known.index("ordinal"), 0)
    score = scores["score"] + scores["side"].where(here, 0.0) * step.fillna(0.0) / 2
    return scores.assign(score=score, kind=scores["kind"].where(~here, otherwise))


class Censored(Kind):
    """Values below or above a limit. Each has the probability of lying there; none is replaced by a number."""

    name: ClassVar[str] = "censored"
    summary: ClassVar[str] = "a limit that the value lies beyond: `limit` in measurements.tsv, or an end of the scale"
    keys: ClassVar[type[Keys] | None] = _Keys
    per_value: ClassVar[dict[str, float]] = {"side": 0.0}  # -1 below the limit, +1 above
    alone: ClassVar[str] = "lie beyond a limit, so they tell nothing about change"

    def _side(self, entry: Any, part: pd.DataFrame) -> np.ndarray:  # noqa: ANN401 - an indicator
        side = part["limit"].map({"below": -1.0, "above": 1.0}).fillna(0.0)
        if entry.ends_are_limits and entry.scale is not None:
            low, high = entry.scale
            side = side.mask(part["value"] <= low, -1.0).mask(part["value"] >= high, 1.0)
        return side.to_numpy(dtype=float)

    def alternatives(self, entry: Any) -> dict[str, dict[str, object]]:  # noqa: ANN401 - an indicator
        """Return the ends of a scale taken as limits, or not."""
        if entry.scale is None or entry.transform != "none":
            return {}
        return {"ends": {"ends_are_limits": not entry.ends_are_limits, "thresholds": "equal"}}

    def claims(self, entry: Any, part: pd.DataFrame) -> np.ndarray:  # noqa: ANN401 - an indicator
        """Return which values are limits."""
        return self._side(entry, part) != 0

    def by_value(self, entry: Any, part: pd.DataFrame) -> dict[str, np.ndarray]:  # noqa: ANN401 - an indicator
        """Return on which side of its limit each value lies."""
        return {"side": self._side(entry, part)}

    def record(
        self, values: dict[str, np.ndarray], about: dict[str, np.ndarray], score: np.ndarray, plan: tuple
    ) -> Record:
        """Return the sides of the limits."""
        import jax.numpy as jnp

        return Record({"side": jnp.asarray(values["side"], dtype=int)}, {})

    def given(self, record: Record, numbers: Any, shape: tuple[int, ...]) -> "Array":  # noqa: ANN401 - none
        """Return the side of each limit."""
        return record.values["side"][..., None]

    def observe(
        self, v: "Array", sd: "Array", normal: "Array", given: "Array", about: dict[str, "Array"]
    ) -> tuple["Array", "Array"]:
        """Return an innovation drawn from beyond the limit, and the log probability of being there.

        ``v`` is the limit minus its prediction.
        """
        import jax.numpy as jnp
        from jax.scipy.special import log_ndtr, ndtr, ndtri

        side = given[0]
        reach = jnp.where(side == 0, 0.0, -side * v / sd)
        drawn = ndtri(ndtr(normal) * ndtr(jnp.maximum(reach, FARTHEST)))
        return -side * sd * drawn, log_ndtr(reach)

    def plain_variance(self, record: Record) -> None:
        """Return None: as a plain number a limit says nothing."""

    def alike(self, record: Record, score: np.ndarray, here: np.ndarray) -> Alike:
        """Return what cuts scores at the strictest limits of each indicator."""
        side = np.where(here, np.asarray(record.values["side"]), 0)
        low = np.where(side == -1, score, -np.inf).max(axis=(0, 1))
        high = np.where(side == 1, score, np.inf).min(axis=(0, 1))
        return lambda scores: np.clip(scores, low, high)

    def sentence(self, count: int) -> str:
        """Return what the report says of limits."""
        return (
            f"{count} values lie beyond a limit. Each enters with the probability of lying there, integrated over what "
            "it may be; none is replaced by a number. Replicated data are cut at the same limits."
        )
