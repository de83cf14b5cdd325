"""Laws of the loop: every gain against an independent way to get it, on random theories."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dyadloop import dynamics
from dyadloop.dynamics import SessionSchedule
from dyadloop.dynamics import linear as linear_dynamics
from dyadloop.model import compile_theory
from dyadloop.theory import keep
from tests.linear import linear, rival

WEEK = SessionSchedule(7.0, 50 / 1440)
HUB = keep(rival("reciprocal"), ["oxytocin", "empathy", "trust", "support"])
ONE = compile_theory(
    HUB, {("oxytocin", "patient"), ("empathy", "patient"), ("trust", "patient"), ("support", "patient")}
)

coefficient = st.floats(0.01, 0.6)
values = st.fixed_dictionaries({c.id: coefficient for c in ONE.couplings})


def _field(drawn, scale_w=1.0):
    chosen = {**ONE.defaults(), **drawn}
    return ONE.process_model({k: v * (scale_w if k.startswith("w_") else 1.0) for k, v in chosen.items()})


@settings(max_examples=20, deadline=None)
@given(values)
def test_loop_gain_of_a_hub_is_the_sum_of_products_and_the_square_of_the_spectral_radius(drawn):
    process = _field(drawn, scale_w=1e-3)
    gains = np.asarray(dynamics.gain_matrix(process))
    products = float(sum(gains[0, k] * gains[k, 0] for k in range(1, len(gains))))
    loop = float(dynamics.continuous_loop_gain(process))
    np.testing.assert_allclose(loop, products, rtol=1e-9)
    np.testing.assert_allclose(np.abs(np.linalg.eigvals(gains)).max() ** 2, loop, rtol=1e-9)


@settings(max_examples=20, deadline=None)
@given(values)
def test_a_lasting_push_on_oxytocin_is_amplified_by_the_loop(drawn):
    process = _field(drawn, scale_w=1e-4)
    loop = float(dynamics.continuous_loop_gain(process))
    assert 0 < loop < 1
    push = np.array([float(process.decay[0]), *[0.0] * (len(process.names) - 1)])
    resting = np.linalg.solve(-np.asarray(process.jacobian(1.0)), push)
    np.testing.assert_allclose(resting[0], 1 / (1 - loop), rtol=1e-9)


@settings(max_examples=20, deadline=None)
@given(values)
def test_the_weekly_map_of_a_hub_is_diagonal_plus_rank_one(drawn):
    process = _field(drawn)
    levels = np.asarray(linear_dynamics.session_map(process, WEEK))[1:, 1:]
    rest = levels - np.diag(np.exp(-np.asarray(process.decay)[1:] * WEEK.interval_days))
    singular = np.linalg.svd(rest, compute_uv=False)
    # levels move a little within a session, which adds terms of the order (session / time constant)^2
    assert singular[1] < 1e-4 * singular[0]


@settings(max_examples=20, deadline=None)
@given(values)
def test_the_session_loop_gain_matches_its_closed_form(drawn):
    process = _field(drawn)
    d = np.exp(-np.asarray(process.decay)[1:] * WEEK.interval_days)
    tau = 1 / float(process.decay[0])
    effective = WEEK.session_days - tau * (1 - np.exp(-WEEK.session_days / tau))
    w = np.asarray(process.session)[1:, 0]
    a = np.asarray(process.session)[0, 1:] * tau
    closed = float(np.sum(d / (1 - d) * w * effective * a))
    # the closed form drops what happens within a session and in the minutes of decay after it: it counts the
    # build-up of oxytocin but not its tail, so the exact value lies above it and below the one with L_eff = session
    upper = float(np.sum(d / (1 - d) * w * WEEK.session_days * a))
    exact = float(dynamics.session_loop_gain(process, WEEK))
    assert closed < exact < upper * 1.02


def test_the_session_loop_gain_is_one_where_the_weekly_map_loses_stability():
    drawn = {c.id: 0.3 for c in ONE.couplings}
    low, high = 0.1, 100.0
    for _ in range(60):
        middle = (low * high) ** 0.5
        radius = np.abs(np.linalg.eigvals(np.asarray(linear_dynamics.session_map(_field(drawn, middle), WEEK)))).max()
        low, high = (middle, high) if radius < 1 else (low, middle)
    np.testing.assert_allclose(float(dynamics.session_loop_gain(_field(drawn, low), WEEK)), 1.0, atol=1e-6)


@pytest.mark.parametrize(("strength", "tolerance"), [(1.0, 0.02), (0.1, 0.002), (0.01, 0.0002)])
def test_component_gains_add_up_in_a_hub(strength, tolerance):
    """Components that rise within a session act on oxytocin in the same session: an excess in proportion to w."""
    process = _field({}, strength)
    parts = [float(dynamics.component_loop_gain(process, WEEK, name)) for name in ("empathy", "trust", "support")]
    np.testing.assert_allclose(sum(parts), float(dynamics.session_loop_gain(process, WEEK)), rtol=tolerance)
    assert min(parts) > 0


@pytest.mark.parametrize("letter", ["a", "w"])
def test_cutting_the_arrows_of_one_side_zeroes_the_loop(letter):
    drawn = {c.id: 0.0 for c in ONE.couplings if c.id.startswith(letter)}
    process = _field(drawn)
    assert float(dynamics.continuous_loop_gain(process)) == pytest.approx(0, abs=1e-12)
    assert float(dynamics.session_loop_gain(process, WEEK)) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("component", ["empathy", "trust", "support"])
@pytest.mark.parametrize("letter", ["a", "w"])
def test_cutting_one_edge_zeroes_the_loop_through_its_component(component, letter):
    process = _field({f"{letter}_{component}": 0.0})
    assert float(dynamics.component_loop_gain(process, WEEK, component)) == pytest.approx(0, abs=1e-9)


def test_twice_weekly_sessions_at_least_double_the_loop_gain():
    process = _field({})
    once = float(dynamics.session_loop_gain(process, WEEK))
    assert float(dynamics.session_loop_gain(process, SessionSchedule(3.5, WEEK.session_days))) > 2 * once


@settings(max_examples=20, deadline=None)
@given(values)
def test_positive_stable_networks_spill_over(drawn):
    process = _field(drawn)
    response = np.asarray(dynamics.long_run_response(process, WEEK))[1:, 1:]
    if float(dynamics.session_loop_gain(process, WEEK)) < 1:
        assert (response > 0).all()
        assert float(dynamics.spill_over(process, WEEK)) > 0


def test_spill_over_of_a_network_is_the_inverse_of_i_minus_k():
    plan = compile_theory(linear(), {("trust", "patient"), ("support", "patient"), ("stress", "patient")})
    names = list(plan.names)
    process = plan.process_model({**plan.defaults(), "d_trust_support": 0.3, "d_support_trust": 0.1})
    gains = np.zeros((3, 3))
    t, s, y = (names.index(n) for n in ("trust", "support", "stress"))
    gains[t, s], gains[s, t] = 0.3, 0.1
    gains[y, [t, s]], gains[[t, s], y] = -0.2, -0.1
    response = np.linalg.inv(np.eye(3) - gains)
    np.testing.assert_allclose(dynamics.spill_over(process, None), (response[t, s] + response[s, t]) / 2, rtol=1e-10)
    np.testing.assert_allclose(dynamics.relief(process, None, "stress"), -(response[y, t] + response[y, s]), rtol=1e-10)


def test_two_persons_with_the_same_equation_have_the_loop_of_one():
    both = compile_theory(HUB)
    two, one = both.process_model(both.defaults()), ONE.process_model(ONE.defaults())
    np.testing.assert_allclose(dynamics.session_loop_gain(two, WEEK), dynamics.session_loop_gain(one, WEEK), rtol=1e-6)
    np.testing.assert_allclose(dynamics.continuous_loop_gain(two), dynamics.continuous_loop_gain(one), rtol=1e-9)


def test_nested_hypotheses_agree_where_the_freed_coefficients_are_zero():
    full, none = compile_theory(linear()), compile_theory(rival("none"))
    zeroed = {k: 0.0 if k[:2] in ("a_", "w_", "v_", "d_") else v for k, v in full.defaults().items()}
    left, right = full.process_model(zeroed), none.process_model(none.defaults())
    for part in dataclasses.fields(left):
        found = getattr(left, part.name)
        if found is not None and not isinstance(found, tuple):
            np.testing.assert_allclose(jnp.asarray(found), getattr(right, part.name), atol=1e-10)


def test_without_session_couplings_the_calendar_changes_no_lasting_response():
    plan = compile_theory(linear(), {("trust", "patient"), ("synchrony", "patient"), ("stress", "patient")})
    process = plan.process_model({**plan.defaults(), "d_trust_synchrony": 0.3})
    always, weekly = dynamics.long_run_response(process, None), dynamics.long_run_response(process, WEEK)
    np.testing.assert_allclose(np.asarray(weekly), np.asarray(always), rtol=1e-8, atol=1e-10)


def test_what_does_not_settle_has_no_lasting_response_and_no_loop_gain():
    plan = compile_theory(linear(), {("trust", "patient"), ("synchrony", "patient")})
    process = plan.process_model({**plan.defaults(), "d_trust_synchrony": 1.2, "d_synchrony_trust": 1.2})
    assert np.isnan(np.asarray(dynamics.spill_over(process, None)))
    assert np.isnan(np.asarray(dynamics.spill_over(process, WEEK)))
    assert np.isnan(np.asarray(dynamics.session_loop_gain(process, WEEK)))


def test_a_dose_reaches_the_person_who_takes_it():
    plan = compile_theory(linear())
    jumps = np.asarray(plan.process_model(plan.defaults()).jumps)
    row = dict(zip(plan.names, jumps[[e.id for e in plan.events].index("dose_oxytocin")], strict=True))
    assert row.pop("oxytocin_patient") > 0
    assert set(row.values()) == {0.0}
