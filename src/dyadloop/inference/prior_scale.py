"""Parameters on the scale on which their priors are normal, and what a direction of that space does, in words."""

from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

HARDLY = 0.1
"""A direction of which data tell less than this share of what the prior tells is hardly told."""
_NAMED = 0.3  # weight from which a parameter names a direction
_LIKE = 0.25  # relative changes of two numbers that differ by less than this share are alike


@dataclass(frozen=True)
class Scale:
    """Parameters of a fit on the scale on which their priors are normal: logarithms where these are lognormal."""

    names: tuple[str, ...]
    positive: Bool[np.ndarray, " parameter"]
    middle: Float[np.ndarray, " parameter"]
    sd: Float[np.ndarray, " parameter"]

    @classmethod
    def of(cls, table: pd.DataFrame) -> "Scale":
        """Return the scale of a table of priors."""
        positive = (table["family"] == "lognormal").to_numpy()
        location = table["location"].to_numpy(dtype=float)
        middle = np.where(positive, np.log(np.where(positive, location, 1.0)), location)
        return cls(tuple(map(str, table.index)), positive, middle, table["scale"].to_numpy(dtype=float))

    def place(self, values: dict[str, Any]) -> Float[np.ndarray, "*draw parameter"]:
        """Return values as a point, or draws of them as points, parameters last."""
        raw = np.stack([np.asarray(values[name], dtype=float) for name in self.names], axis=-1)
        return np.where(self.positive, np.log(np.where(self.positive, raw, 1.0)), raw)

    def values(self, point: Any) -> dict[str, Any]:  # noqa: ANN401 - a NumPy or JAX vector
        """Return points, parameters last, as values, for use within compiled functions too."""
        own = jnp.where(jnp.asarray(self.positive), jnp.exp(point), point)
        return {name: own[..., place] for place, name in enumerate(self.names)}

    def in_words(self, point: Float[np.ndarray, " parameter"], vector: Float[np.ndarray, " parameter"]) -> str:
        """Return a direction, in SD of the priors, in words: what it moves, and what of two numbers is told still."""
        order = [int(place) for place in np.argsort(-np.abs(vector)) if abs(vector[place]) >= _NAMED]
        order = order or [int(np.argmax(np.abs(vector)))]
        first = vector[order[0]]
        together = [self.names[place] for place in order[1:] if vector[place] * first > 0]
        against = [self.names[place] for place in order[1:] if vector[place] * first < 0]
        if not together and not against:
            return f"{self.names[order[0]]} is hardly told"
        if len(order) == 2:
            kept = self._kept(point, vector, order)
            return f"{self.names[order[0]]} and {self.names[order[1]]}: only their {kept} is told"
        parts = [f"together with {', '.join(together)}"] if together else []
        parts += [f"against {', '.join(against)}"] if against else []
        return f"{self.names[order[0]]} {' and '.join(parts)}: what one takes, another makes up for"

    def _kept(self, point: np.ndarray, vector: np.ndarray, pair: list[int]) -> str:
        """Return what stays the same of two numbers along a direction."""
        changes = vector[pair] * self.sd[pair]
        logs = np.where(self.positive[pair], changes, changes / np.where(point[pair] == 0, np.inf, point[pair]))
        size = np.abs(logs).max()
        if size > 0 and abs(logs.sum()) < _LIKE * size:
            return "product"
        if size > 0 and abs(logs[0] - logs[1]) < _LIKE * size:
            return "ratio"
        return "sum, with weights," if changes[0] * changes[1] < 0 else "difference, with weights,"
