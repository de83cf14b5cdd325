"""The compiled sweep of the filter and its derivative: against plain JAX, and against differences."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dyadloop.likelihood.kalman import Given, Readings, sweep
from tests.reference.sweep import swept

READINGS = Readings((0, 2, 2), ((), (), (0, 2)))  # a state without a score, one with two; a combined score
TIMES, DYADS, EFFECTS, INTERVALS = 5, 11, 2, 4  # dyads: one block of eight and a part of another
NUMBERS = tuple(name for name in Given._fields if name not in ("pair", "seen"))
SYMMETRIC = ("noise", "cov")


def _given(own):
    """Return numbers of all kinds; ``own``: each dyad has transitions and a start of its own, and covariates."""
    rng = np.random.default_rng(1)
    n, m, dyads = 3, len(READINGS.states), DYADS if own else 1

    def positive(*shape):
        factor = rng.normal(size=(*shape, n, n))
        return factor @ np.swapaxes(factor, -1, -2) / n

    seen = rng.uniform(size=(DYADS, TIMES, m)) < 0.6
    seen[-1] = False  # a dyad without any
    found = Given(
        matrix=0.5 * rng.normal(size=(dyads, INTERVALS, n, n)),
        noise=positive(dyads, INTERVALS),
        shift=rng.normal(size=(dyads, INTERVALS, n)),
        pair=rng.integers(INTERVALS, size=(DYADS, TIMES)),
        score=rng.normal(size=(DYADS, TIMES, m)),
        slopes=rng.normal(size=(dyads, TIMES if own else 1, m, EFFECTS)),
        loading=np.array([1.0, 0.7, 0.0]),
        variance=rng.uniform(0.2, 0.6, size=(DYADS, TIMES, m)),
        seen=seen,
        push=rng.normal(size=(DYADS, TIMES, n)),
        mix=0.4 * rng.normal(size=(DYADS, TIMES, 2)),
        mean=rng.normal(size=(dyads, n)),
        cov=positive(dyads),
    )
    return Given(*(jnp.asarray(part) for part in found))


@pytest.fixture(scope="module", params=[False, True], ids=["shared", "own"])
def given(request):
    return _given(request.param)


def _total(run, numbers, given):
    variances, gram = run(READINGS, given._replace(**numbers))
    return (jnp.sin(gram) * jnp.arange(gram.size).reshape(gram.shape)).sum() + jnp.log(variances).sum()


def _numbers(given):
    return {name: getattr(given, name) for name in NUMBERS}


def test_the_sweep_and_its_derivative_equal_plain_jax(given):
    for found, expected in zip(sweep(READINGS, given), swept(READINGS, given), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
    ours, plain = (jax.grad(lambda n, run=run: _total(run, n, given))(_numbers(given)) for run in (sweep, swept))
    for name in NUMBERS:
        found, expected = ours[name], plain[name]
        if name in SYMMETRIC:  # what is symmetric has a derivative that may be read from either half
            found, expected = (part + jnp.swapaxes(part, -1, -2) for part in (found, expected))
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12, err_msg=name)
        assert np.abs(np.asarray(found)).max() > 0, name


def test_the_derivative_is_the_limit_of_differences(given):
    """Along a random direction in everything that is given."""
    numbers, rng, step = _numbers(given), np.random.default_rng(2), 1e-6
    slope = jax.grad(lambda n: _total(sweep, n, given))(numbers)
    way = {name: jnp.asarray(rng.normal(size=part.shape)) for name, part in numbers.items()}
    way |= {name: way[name] + jnp.swapaxes(way[name], -1, -2) for name in SYMMETRIC}

    def at(distance):
        return float(_total(sweep, {name: part + distance * way[name] for name, part in numbers.items()}, given))

    along = sum(float((slope[name] * way[name]).sum()) for name in NUMBERS)
    assert (at(step) - at(-step)) / (2 * step) == pytest.approx(along, rel=1e-6)


def test_data_sets_side_by_side(given):
    """Numbers differ between the data sets, moments and what is seen do not; also in two batches at once."""
    scales = jnp.array([[1.0, 0.9, 1.1], [0.8, 1.2, 0.95]])
    run = jax.value_and_grad(lambda n: _total(sweep, n, given))

    def scaled(scale):
        return run({name: scale * part for name, part in _numbers(given).items()})

    one_by_one = jax.tree.map(lambda *parts: jnp.stack(parts), *[scaled(scale) for scale in scales[0]])
    for found in (jax.vmap(scaled)(scales[0]), jax.tree.map(lambda part: part[0], jax.vmap(jax.vmap(scaled))(scales))):
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12), found, one_by_one)


def test_the_result_of_a_dyad_does_not_depend_on_the_others(given):
    order = np.random.default_rng(3).permutation(DYADS)
    by_dyad = [name for name, part in given._asdict().items() if part.shape[0] == DYADS]
    swapped = given._replace(**{name: getattr(given, name)[order] for name in by_dyad})
    for found, expected in zip(sweep(READINGS, swapped), sweep(READINGS, given), strict=True):
        np.testing.assert_array_equal(found, expected[order])
