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
    for kink in form.kinks(**constants):
        if abs(source - kink.at) < 1e-3:
            source = kink.at + 2e-3
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


EXACT = {"power": 1.0, "half": 0.5, "threshold": 0.75, "steepness": 2.0, "scale": 0.5, "optimum": 0.25, "width": 0.5,
         "rate": -0.5}  # fmt: skip
POWERS = [
    (form, power)
    for form in FORMS
    for power in ((0.5, 1.0, 1.5, 2.0, 3.0) if "power" in FORMS[form].constants else (1.0,))
]


def _exact(form, power):
    return {name: power if name == "power" else EXACT[name] for name in form.constants}


@pytest.mark.parametrize(("name", "power"), POWERS)
def test_a_form_declares_all_of_its_kinks_and_their_slopes(name, power):
    """One-sided differences over a grid that holds every place where a form may bend: no kink is left undeclared."""
    form = FORMS[name]
    constants = _exact(form, power)
    declared = {kink.at: kink for kink in form.kinks(**constants)}

    def value(s):
        return float(form.value(np, np.float64(s), **constants))

    for at in np.arange(-12, 13) / 8:
        sides = [(value(at + side * 2 * STEP) - value(at + side * STEP)) / (side * STEP) for side in (-1, 1)]
        jump = value(at + 1e-12) - value(at - 1e-12)
        kink = declared.pop(at, None)
        if kink is None or kink.order == 2:
            assert jump == pytest.approx(0.0, abs=1e-9)
            assert sides[0] == pytest.approx(sides[1], abs=1e-2)  # over 1e-6, 1.5 (s / 0.5)^0.5 / 0.5 rises by 5e-3
        elif kink.order == 0:
            assert abs(jump) > 0.1
        else:
            assert sides[0] != pytest.approx(sides[1], abs=0.1)
        if kink is not None:
            for side, slope in zip(sides, (kink.left, kink.right), strict=True):
                assert side > 100 if np.isinf(slope) else side == pytest.approx(slope, abs=1e-2)
    assert not declared


@pytest.mark.parametrize(("name", "power"), POWERS)
def test_at_a_kink_the_slope_is_the_one_on_the_right(name, power):
    form = FORMS[name]
    constants = _exact(form, power)
    for kink in form.kinks(**constants):
        expected = kink.right if np.isfinite(kink.right) else kink.left
        assert float(form.slope(np, np.float64(kink.at), **constants)) == pytest.approx(expected, rel=1e-12)
        assert float(jax.grad(lambda s: form.value(jnp, s, **constants))(kink.at)) == pytest.approx(expected, rel=1e-12)


def test_the_four_kinks_that_were_not_known():
    slopes = {
        name: (kink.left, kink.right)
        for name, constants in {
            "hill": {"half": 2.0, "power": 1.0},
            "power": {"power": 1.0},
            "inhibition": {"half": 2.0},
        }.items()
        for kink in FORMS[name].kinks(**constants)
    }
    assert slopes == {"hill": (0.0, 0.5), "power": (0.0, 1.0), "inhibition": (0.0, -0.5)}
    assert [kink.order for kink in FORMS["ojive"].kinks(steepness=1.0, threshold=1.0)] == [0]


@pytest.mark.parametrize("form", FORMS.values(), ids=list(FORMS))
def test_what_is_missing_stays_missing(form):
    """A dyad that has dropped out has no state, so nothing acts: not a threshold's 0, not an inhibition's 1."""
    constants = _constants(form, (1.0, 1.0))
    assert np.isnan(float(form.value(np, np.float64(np.nan), **constants)))
    assert np.isnan(float(form.value(jnp, jnp.asarray(np.nan), **constants)))


def test_a_tie_of_the_weakest_link_goes_to_the_first():
    weakest = JOINTS["weakest_link"]
    traced = jax.grad(lambda s: weakest.value(jnp, list(s)))(jnp.array([1.0, 1.0, 2.0]))
    assert traced.tolist() == [float(slope) for slope in weakest.slopes(np, [np.float64(1.0)] * 2 + [np.float64(2.0)])]
    assert weakest.ties
    assert not JOINTS["product"].ties
