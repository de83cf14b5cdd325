"""Numbers make the same system with NumPy as traced ones do with JAX."""

import jax
import numpy as np
import pytest

from dyadloop.model import compile_theory, system_of
from dyadloop.theory import read_theory


@pytest.mark.parametrize("name", ["panic_core", "hub", "rat_plasma"])
@pytest.mark.parametrize("dyads", [None, 3])
def test_numbers_make_the_same_system_traced_or_not(name, dyads):
    plan = compile_theory(read_theory(name))
    values = plan.defaults()
    first = next(iter(values))
    if dyads is not None:
        values[first] = values[first] * np.linspace(0.9, 1.1, dyads)
    direct = system_of(plan, values)
    traced = jax.jit(lambda changed: system_of(plan, {**values, first: changed}))(values[first])
    assert jax.tree.structure(direct) == jax.tree.structure(traced)
    for one, other in zip(jax.tree.leaves(direct), jax.tree.leaves(traced), strict=True):
        assert one.dtype == other.dtype
        assert one.shape == other.shape
        np.testing.assert_allclose(one, other, rtol=1e-14, atol=1e-14)
