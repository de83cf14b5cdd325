"""The functions of exponential integrators."""

import jax.numpy as jnp
from jaxtyping import Array

_TERMS = 12  # for |z| <= 0.5 the remainder is below 0.5**12 / 15! < 1e-15
_SMALL = 0.5


def phi_functions(z: Array) -> tuple[Array, Array, Array, Array]:
    """Return exp(z) and phi_k(z) = (phi_(k-1)(z) - 1 / (k - 1)!) / z for k = 1, 2, 3, accurate also near 0."""
    is_near = jnp.abs(z) < _SMALL
    near = jnp.where(is_near, z, 0.0)
    series = jnp.ones_like(z)
    for k in range(_TERMS + 3, 3, -1):
        series = 1.0 + series * near / k
    third = series / 6.0
    second = near * third + 0.5
    first = near * second + 1.0
    far = jnp.where(is_near, 1.0, z)
    growth = jnp.exp(z)
    first_far = (growth - 1.0) / far
    second_far = (first_far - 1.0) / far
    third_far = (second_far - 0.5) / far
    return (
        growth,
        jnp.where(is_near, first, first_far),
        jnp.where(is_near, second, second_far),
        jnp.where(is_near, third, third_far),
    )


def doubled(functions: tuple[Array, Array, Array, Array]) -> tuple[Array, Array, Array, Array]:
    """Return the functions at 2 z from those at z: phi_k(2 z) = (e^z phi_k + sum_j phi_j / (k - j)!) / 2^k."""
    growth, first, second, third = functions
    return (
        growth * growth,
        (growth * first + first) / 2,
        (growth * second + first + second) / 4,
        (growth * third + first / 2 + second + third) / 8,
    )
