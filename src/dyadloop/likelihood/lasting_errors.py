"""Errors that last from the answers before a session to those after it, apart from those of one moment.

Most of the error of an early answer is an Ornstein-Uhlenbeck process: nearly the same an hour later, gone at the next
visit. A later answer of the same rater shares in it by the correlation of both errors. What lasts goes along with the
states of a dyad, so the likelihood stays exact.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from dyadloop.likelihood.panel import Panel
from dyadloop.observation.plan import Observation

LASTING_SHARE = 0.9
"""Share of the variance of an early answer's error that lasts; the rest is of its moment alone (assumption)."""


class Errors(NamedTuple):
    """The errors of all scores as what lasts and what is of one moment alone.

    ``sd`` and ``factor`` are those of the errors of one moment, ``factor`` None where these are independent; ``reads``
    is how each score reads the lasting errors, whose covariance is ``common``.
    """

    sd: Float[Array, " indicator"]
    factor: Float[Array, "indicator indicator"] | None
    reads: Float[Array, "indicator lasting"]
    common: Float[Array, "lasting lasting"]


def errors_of(observation: Observation) -> Errors:
    """Return the errors of all scores, taken apart."""
    m, lasting = len(observation.states), jnp.array(observation.lasting, dtype=int)
    if not observation.lasting or observation.error_factor is None:
        none = jnp.zeros((m, 0))
        return Errors(observation.error_sd, observation.error_factor, none, none[:0])
    whole = observation.error_factor @ observation.error_factor.T
    among = whole[lasting][:, lasting]
    slopes = jax.scipy.linalg.solve(among, whole[lasting], assume_a="pos").T
    common = LASTING_SHARE * among
    left = whole - slopes @ common @ slopes.T
    own = jnp.sqrt(jnp.diagonal(left))
    factor = jnp.linalg.cholesky(left / jnp.outer(own, own))
    return Errors(observation.error_sd * own, factor, observation.error_sd[:, None] * slopes, common)


def lasts(observation: Observation, durations: Float[Array, "*moment"]) -> Float[Array, "*moment"]:
    """Return the share of a lasting error that is left after some time [d]."""
    return jnp.exp(-durations / observation.lasting_days)


def drawn_errors(key: Array, observation: Observation, panel: Panel) -> Float[Array, "dyad time indicator"]:
    """Return simulated errors of all scores, those of their own known variance included."""
    normal, errors = jax.random.normal(key, panel.score.shape), errors_of(observation)
    if errors.factor is None:
        return jnp.sqrt(errors.sd**2 + panel.known_variance) * normal
    own = jnp.sqrt(panel.known_variance) * jax.random.normal(jax.random.fold_in(key, 2), panel.score.shape)
    found = errors.sd * (normal @ errors.factor.T) + own
    return found + _drawn_lasting(jax.random.fold_in(key, 3), observation, errors, panel) @ errors.reads.T


def _drawn_lasting(
    key: Array, observation: Observation, errors: Errors, panel: Panel
) -> Float[Array, "dyad time lasting"]:
    """Return simulated lasting errors at all moments."""
    n_dyads, n_times = panel.pair.shape
    shocks = jax.random.normal(key, (n_times, n_dyads, len(errors.common))) @ jnp.linalg.cholesky(errors.common).T
    left = lasts(observation, panel.durations[panel.pair]).at[:, 0].set(0.0)  # the first error is all new

    def advance(now: Array, at: tuple[Array, Array]) -> tuple[Array, Array]:
        share, shock = at
        now = share[:, None] * now + jnp.sqrt(1.0 - share**2)[:, None] * shock
        return now, now

    _, found = jax.lax.scan(advance, jnp.zeros(shocks.shape[1:]), (left.T, shocks))
    return jnp.swapaxes(found, 0, 1)
