"""Errors that answers of one rater at one moment share, taken apart so that observations enter one at a time.

Mood of the moment, halo and style of response move all answers that a person gives together. With the errors e of one
moment normal with covariance R = L D L', L unit lower triangular, the observations y* = L^-1 y have independent errors
of variance D. A missing value has no error that others share, so L differs from moment to moment.

References
----------
.. [1] Durbin & Koopman (2012), Time Series Analysis by State Space Methods, section 6.4.4.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from dyadloop.likelihood.lasting_errors import errors_of
from dyadloop.likelihood.panel import Panel
from dyadloop.observation.plan import Observation, pairs_of


class Uncorrelated(NamedTuple):
    """How observations of one moment are combined so that their errors are independent.

    ``weights`` holds, per pair (later, earlier) of :func:`dyadloop.observation.pairs_of`, how much of the earlier
    observation is added to the later one; ``variance`` is that of the error of each combination. Lasting errors are in
    neither.
    """

    weights: Float[Array, "dyad time pair"]
    variance: Float[Array, "dyad time indicator"]


def uncorrelated(observation: Observation, panel: Panel) -> Uncorrelated:
    """Return weights and variances that take the common errors of one moment apart."""
    errors, pairs = errors_of(observation), pairs_of(observation.raters)
    variance = errors.sd**2 + panel.known_variance
    if not pairs or errors.factor is None:
        return Uncorrelated(jnp.zeros((*variance.shape[:2], 0)), variance)
    factor = errors.sd[:, None] * errors.factor
    common = factor @ factor.T
    lower: dict[tuple[int, int], Array] = {}
    inverse: dict[tuple[int, int], Array] = {}
    left = {j: variance[..., j] for j in range(variance.shape[-1])}
    for later, earlier in pairs:
        before = [k for k in range(earlier) if (later, k) in lower and (earlier, k) in lower]
        both = (panel.seen[..., later] & panel.seen[..., earlier]) * common[later, earlier]
        shared = both - sum(lower[later, k] * lower[earlier, k] * left[k] for k in before)
        lower[later, earlier] = shared / left[earlier]
        left[later] = left[later] - lower[later, earlier] ** 2 * left[earlier]
    for later, earlier in pairs:
        between = [k for k in range(earlier + 1, later) if (later, k) in lower and (k, earlier) in lower]
        inverse[later, earlier] = -lower[later, earlier] - sum(lower[later, k] * inverse[k, earlier] for k in between)
    own = jnp.stack(list(left.values()), axis=-1)
    return Uncorrelated(jnp.stack([inverse[pair] for pair in pairs], axis=-1), own)


def combined(
    observation: Observation, weights: Float[Array, "*moment pair"], values: Float[Array, "..."]
) -> Float[Array, "..."]:
    """Return values of the indicators, such as scores or rows of the design matrix, combined by the weights.

    Axes of ``values``: those of the moments, that of the indicators, and any others.
    """
    pairs, axis = pairs_of(observation.raters), weights.ndim - 1
    if not pairs:
        return values
    found = [values.take(j, axis=axis) for j in range(len(observation.states))]
    whole = list(found)
    for place, (later, earlier) in enumerate(pairs):
        weight = weights[..., place].reshape(*weights.shape[:-1], *[1] * (found[earlier].ndim - axis))
        whole[later] = whole[later] + weight * found[earlier]
    return jnp.stack(whole, axis=axis)
