"""Square roots of correlation matrices, from numbers that may be anything between -1 and 1."""

import jax.numpy as jnp
from jaxtyping import Array, Float


def correlation_factor(partial: Array) -> Array:
    """Return the Cholesky factor of a correlation matrix from its partial correlations (strictly lower triangle).

    References
    ----------
    .. [1] Lewandowski, Kurowicka & Joe (2009). doi:10.1016/j.jmva.2009.04.008
    """
    size = len(partial)
    left = jnp.cumprod(1.0 - partial**2, axis=1)
    left = jnp.concatenate([jnp.ones((size, 1)), left[:, :-1]], axis=1)
    return (partial + jnp.eye(size)) * jnp.sqrt(left)


def symmetric_factor(
    partial: Float[Array, "state state"], pairs: tuple[tuple[int, int], ...]
) -> Float[Array, "state state"]:
    """Return a square root of a correlation matrix that stays the same when partners are swapped.

    Sums and differences of the partners' states are independent of each other. What both partners have in common lies
    in the sums, with all states that nobody has a counterpart of; each pair has its own correlation.

    Parameters
    ----------
    partial
        Correlation of each pair at (second, first); partial correlations of the sums, and of states without a
        counterpart, at the places of the first ones; those of the differences at the places of the second ones.
    pairs
        Places of the first and the second partner.
    """
    n = partial.shape[0]
    seconds = [second for _, second in pairs]
    sums = [k for k in range(n) if k not in seconds]
    common = correlation_factor(partial[jnp.array(sums)][:, jnp.array(sums)])
    apart = correlation_factor(partial[jnp.array(seconds)][:, jnp.array(seconds)])
    found = jnp.zeros((n, n))
    for row, state in enumerate(sums):
        found = found.at[state, : len(sums)].set(common[row])
    for place, (first, second) in enumerate(pairs):
        both = partial[second, first]
        shared = jnp.sqrt((1.0 + both) / 2.0) * common[sums.index(first)]
        own = jnp.sqrt((1.0 - both) / 2.0) * apart[place]
        found = found.at[first].set(jnp.concatenate([shared, own]))
        found = found.at[second].set(jnp.concatenate([shared, -own]))
    return found
