"""The written-out derivative of the filter's sweep: against differences, and against automatic differentiation."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dyadloop.likelihood.kalman import Given, Readings, _run, sweep

STATES = Readings((0, 2, 2), ((), (), (0, 2)))  # a state without a score, one with two; a combined score
TIMES, DYADS, EFFECTS = 5, 4, 2


@pytest.fixture(scope="module")
def given():
    rng = np.random.default_rng(1)
    n, m, lead = 3, len(STATES.states), 1 + EFFECTS

    def positive(*shape):
        factor = rng.normal(size=(*shape, n, n, DYADS))
        return np.einsum("...ikd,...jkd->...ijd", factor, factor) / n

    seen = (rng.uniform(size=(TIMES, m, DYADS)) < 0.6).astype(float)
    seen[..., -1] = 0.0  # a dyad without any
    return Given(
        matrix=jnp.asarray(0.5 * rng.normal(size=(TIMES, n, n, DYADS))),
        noise=jnp.asarray(positive(TIMES)),
        shift=jnp.asarray(rng.normal(size=(TIMES, n, DYADS))),
        reading=jnp.asarray(rng.normal(size=(TIMES, m, lead, DYADS))),
        loading=jnp.asarray([1.0, 0.7, 0.0]),
        variance=jnp.asarray(rng.uniform(0.2, 0.6, size=(TIMES, m, DYADS))),
        seen=jnp.asarray(seen),
        push=jnp.asarray(rng.normal(size=(TIMES, n, DYADS))),
        mix=jnp.asarray(0.4 * rng.normal(size=(TIMES, 2, DYADS))),
        start=jnp.concatenate([jnp.asarray(rng.normal(size=(n, lead, DYADS))), jnp.asarray(positive())], axis=1),
    )


def _total(run, given):
    innovations, spreads = run(STATES, given)
    weight = given.seen[:, :, None] / spreads[:, :, None]
    return (jnp.sin(innovations) * weight).sum() + jnp.log(spreads).sum()


def _plain(states, given):
    innovations, kept = _run(states, given)
    return innovations, kept.spreads


def test_the_derivative_is_that_of_the_sweep(given):
    ours, plain = (jax.grad(lambda g, run=run: _total(run, g))(given) for run in (sweep, _plain))
    for name, found, expected in zip(Given._fields, ours, plain, strict=True):
        if name != "seen":  # a mask, which nothing is differentiated by
            np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12, err_msg=name)
            assert np.abs(np.asarray(found)).max() > 0, name


def test_the_derivative_is_the_limit_of_differences(given):
    """Along a random direction in everything that is given."""
    slope = jax.grad(lambda g: _total(sweep, g))(given)
    rng, step = np.random.default_rng(2), 1e-6
    way = jax.tree.map(lambda part: jnp.asarray(rng.normal(size=part.shape)), given)._replace(
        seen=jnp.zeros_like(given.seen)
    )

    def at(distance):
        return float(_total(sweep, jax.tree.map(lambda part, move: part + distance * move, given, way)))

    along = sum(float((part * move).sum()) for part, move in zip(slope, way, strict=True))
    assert (at(step) - at(-step)) / (2 * step) == pytest.approx(along, rel=1e-6)


def test_data_sets_side_by_side_and_second_derivatives(given):
    two = jax.tree.map(lambda part: jnp.stack([part, 0.9 * part]), given)
    both = jax.vmap(jax.grad(lambda g: _total(sweep, g)))(two)
    second = jax.grad(lambda g: _total(sweep, g))(jax.tree.map(lambda part: part[1], two))
    np.testing.assert_allclose(both.matrix[1], second.matrix, rtol=1e-10, atol=1e-12)
    found, expected = (
        jax.hessian(lambda loading, run=run: _total(run, given._replace(loading=loading)))(given.loading)
        for run in (sweep, _plain)
    )
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-10)
