"""Every form keeps its promises: value, slope, expression and shape agree."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from dyadloop.theory import FORMS, JOINTS

STEP = 1e-6
CONSTANT = st.floats(0.3, 2.0)
SOURCE = st.floats(-3.0, 3.0).map(lambda s: round(s, 6))  # XLA takes subnormal numbers for 0


def _constants(form, drawn):
    return dict(zip(form.constants, drawn, strict=False))


@pytest.mark.parametrize("form", FORMS.values(), ids=list(FORMS))
@settings(max_examples=25, deadline=None)
@given(source=SOURCE, drawn=st.lists(CONSTANT, min_size=2, max_size=2))
def test_numpy_jax_and_sympy_agree(form, source, drawn):
    constants = _constants(form, drawn)
    symbols = {name: sympy.Symbol(name) for name in constants}
    expression = form.expression(sympy.Symbol("s", real=True), **symbols)
    numbers = {sympy.Symbol("s", real=True): source, **{symbols[n]: v for n, v in constants.items()}}
    expected = float(expression.subs(numbers))
    assert float(form.value(np, np.float64(source), **constants)) == pytest.approx(expected, rel=1e-12, abs=1e-14)
    assert float(form.value(jnp, jnp.asarray(source), **constants)) == pytest.approx(expected, rel=1e-12, abs=1e-14)


@pytest.mark.parametrize("form", FORMS.values(), ids=list(FORMS))
@settings(max_examples=25, deadline=None)
@given(source=SOURCE, drawn=st.lists(CONSTANT, min_size=2, max_size=2))
def test_the_slope_is_the_derivative(form, source, drawn):
    constants = _constants(form, drawn)
    edges = [0.0, *constants.values()]  # where a form may have a kink
    if min(abs(source - edge) for edge in edges) < 1e-3:
        source += 2e-3
    slope = float(form.slope(np, np.float64(source), **constants))
    around = [float(form.value(np, np.float64(source + d), **constants)) for d in (STEP, -STEP)]
    # a central difference is off by STEP^2 third derivatives and 1e-16 / STEP rounding
    assert (around[0] - around[1]) / (2 * STEP) == pytest.approx(slope, rel=1e-6, abs=1e-7)
    traced = float(jax.grad(lambda s: form.value(jnp, s, **constants))(source))
    assert traced == pytest.approx(slope, rel=1e-10, abs=1e-12)


@pytest.mark.parametrize("form", FORMS.values(), ids=list(FORMS))
@settings(max_examples=40, deadline=None)
@given(
    ends=st.lists(st.floats(0.0, 6.0), min_size=2, max_size=2, unique=True),
    share=st.floats(0.05, 0.95),
    drawn=st.lists(CONSTANT, min_size=2, max_size=2),
)
def test_the_declared_shape_holds_for_sources_from_0_on(form, ends, share, drawn):
    constants = _constants(form, drawn)
    low, high = sorted(ends)
    middle = low + share * (high - low)
    a, b, c = (float(form.value(np, np.float64(s), **constants)) for s in (low, middle, high))
    tiny = 1e-12 * (1 + abs(a) + abs(c))
    shape = form.shape
    if shape.monotone:
        assert shape.monotone * (c - a) >= -tiny
    chord = a + share * (c - a)
    if shape.curvature in ("linear", "concave"):
        assert b >= chord - tiny
    if shape.curvature in ("linear", "convex"):
        assert b <= chord + tiny
    for value in (a, b, c):
        assert shape.low is None or value >= shape.low - tiny
        assert shape.high is None or value <= shape.high + tiny


@pytest.mark.parametrize("joint", JOINTS.values(), ids=list(JOINTS))
@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(0.0, 3.0), min_size=2, max_size=4, unique_by=lambda x: round(x, 3)))
def test_joint_forms(joint, sources):
    arrays = [np.float64(s) for s in sources]
    symbols = sympy.symbols(f"s0:{len(sources)}", real=True)
    expected = float(joint.expression(symbols).subs(dict(zip(symbols, sources, strict=True))))
    assert float(joint.value(np, arrays)) == pytest.approx(expected, rel=1e-12, abs=1e-14)
    for index, slope in enumerate(joint.slopes(np, arrays)):
        moved = [[*arrays] for _ in range(2)]
        moved[0][index] += STEP
        moved[1][index] -= STEP
        numeric = (float(joint.value(np, moved[0])) - float(joint.value(np, moved[1]))) / (2 * STEP)
        assert numeric == pytest.approx(float(slope), rel=1e-6, abs=1e-7)
    more = [s + 0.1 for s in arrays]
    assert float(joint.value(np, more)) >= float(joint.value(np, arrays)) - 1e-12


def test_the_names_of_the_registry_are_those_of_the_forms():
    assert all(name == form.name for name, form in {**FORMS, **JOINTS}.items())
