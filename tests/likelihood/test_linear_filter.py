"""The likelihood against a dense multivariate normal, finite differences and its own symmetries."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dyadloop.likelihood.linear_filter import log_likelihood
from dyadloop.likelihood.panel import Panel, distinct_intervals
from dyadloop.model import compile_theory, doublings
from dyadloop.observation.plan import Observation
from tests.linear import linear, rival
from tests.reference.dense import log_density

MEASURED = {("oxytocin", "patient"), ("oxytocin", "therapist"), ("trust", "patient"), ("synchrony", "patient"),
            ("depression", "patient")}  # fmt: skip


def _plan():
    return compile_theory(rival("reciprocal"), MEASURED, events=("dose",))


def _values(plan, rng):
    values = plan.defaults()
    for name in values:
        if name.startswith("rho_"):
            values[name] = float(rng.normal(0, 0.5))
        elif not name.startswith(("tau_", "sd_", "between_")):
            values[name] += float(rng.normal(0, 0.2))
    return values


def _observation(plan, rng, scale=1.0):
    states = (*range(len(plan.states)), 2)  # a second indicator of the third state
    return Observation(
        states=states,
        mean=jnp.asarray(rng.normal(size=len(states))) * scale,
        loading=jnp.asarray([1.0] * len(plan.states) + [0.7]),
        error_sd=jnp.asarray(rng.uniform(0.3, 0.8, len(states))) * scale,
    )


def _panel(rng, n_dyads, n_indicators, n_events, n_sessions=4):
    """Irregular sessions of unequal length, three moments each, a gap of 0 days, missing values, doses."""
    lengths = rng.choice([30, 50, 90], size=(n_dyads, n_sessions)) / 1440
    starts = np.cumsum(rng.choice([2.0, 7.0, 7.25, 14.0], size=(n_dyads, n_sessions)), axis=1)
    middles, ends = starts + lengths / 2, starts + lengths
    days = np.stack([starts, middles, ends, ends], axis=2).reshape(n_dyads, -1)
    inside = np.tile([False, True, True, False], (n_dyads, n_sessions))
    score = rng.normal(size=(*days.shape, n_indicators))
    score[rng.random(score.shape) < 0.4] = np.nan
    event = np.zeros((*days.shape, n_events))
    event[:, ::4] = rng.choice([0.0, 24.0], size=event[:, ::4].shape)
    return days, inside, score, event


def _arrays(days, inside, score, event, process, variance=None):
    pair, gates, durations = distinct_intervals(days, inside)
    norm = float(jnp.abs(process.jacobian(1.0)).sum(axis=1).max())
    seen = np.isfinite(score)
    return Panel(
        jnp.asarray(np.where(seen, score, 0.0)), jnp.asarray(seen), jnp.asarray(pair), jnp.asarray(gates),
        jnp.asarray(durations), jnp.asarray(event), jnp.zeros(score.shape) if variance is None else jnp.asarray(variance),
        doublings(float(durations.max()), norm),
    )  # fmt: skip


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_equals_the_dense_multivariate_normal(seed):
    rng = np.random.default_rng(seed)
    plan = _plan()
    process = plan.process_model(_values(plan, rng))
    observation = _observation(plan, rng)
    days, inside, score, event = _panel(rng, 3, len(observation.states), len(plan.events))
    variance = rng.choice([0.0, 0.1, 0.5], size=score.shape)
    found = log_likelihood(process, observation, _arrays(days, inside, score, event, process, variance))
    steps = np.diff(days, axis=1, prepend=days[:, :1])
    assert (steps[:, 1:] == 0).any(), "a gap of 0 days is part of the test"
    jumps = event @ np.asarray(process.jumps)
    dense = [
        log_density(
            process, observation, steps[d], np.where(steps[d] > 0, inside[d], False), jumps[d], score[d], variance[d]
        )
        for d in range(3)
    ]
    np.testing.assert_allclose(np.asarray(found), dense, rtol=1e-8)


def _school_like():
    rng = np.random.default_rng(5)
    plan = _plan()
    values = _values(plan, rng)
    observation = _observation(plan, rng)
    days, inside, score, event = _panel(rng, 4, len(observation.states), len(plan.events))
    return plan, values, observation, (days, inside, score, event)


def test_gradient_equals_finite_differences():
    plan, values, observation, raw = _school_like()
    panel = _arrays(*raw, plan.process_model(values))

    def total(numbers):
        return log_likelihood(plan.process_model(numbers), observation, panel).sum()

    numbers = {name: jnp.asarray(value, dtype=float) for name, value in values.items()}
    value = jax.jit(total)
    gradient = jax.jit(jax.grad(total))(numbers)
    for name, at in numbers.items():
        step = 1e-4 * max(1.0, abs(float(at)))
        up, down = (float(value({**numbers, name: at + sign * step})) for sign in (1, -1))
        up2, down2 = (float(value({**numbers, name: at + sign * 2 * step})) for sign in (1, -1))
        central = (8 * (up - down) - (up2 - down2)) / (12 * step)  # fourth order
        np.testing.assert_allclose(float(gradient[name]), central, rtol=1e-5, atol=1e-5, err_msg=name)


def test_the_unit_of_time_changes_nothing():
    plan, values, observation, (days, inside, score, event) = _school_like()
    process = plan.process_model(values)
    # every time measured in half days: durations double, rates halve
    slow = dataclasses.replace(
        process, decay=process.decay / 2, always=process.always / 2, session=process.session / 2, drive=process.drive / 2,
        noise=process.noise / 2,
    )  # fmt: skip
    once = log_likelihood(process, observation, _arrays(days, inside, score, event, process))
    twice = log_likelihood(slow, observation, _arrays(2 * days, inside, score, event, slow))
    np.testing.assert_allclose(np.asarray(twice), np.asarray(once), rtol=1e-8)


def test_the_unit_of_the_theory_file_changes_nothing():
    theory = rival("reciprocal")
    minutes = theory.variable("oxytocin").time_constant
    hours = minutes.model_copy(update={"value": minutes.value / 60, "unit": "h"})
    variables = tuple(
        v.model_copy(update={"time_constant": hours}) if v.id == "oxytocin" else v for v in theory.variables
    )
    other = compile_theory(theory.model_copy(update={"variables": variables}), MEASURED, events=("dose",))
    plan, values, observation, raw = _school_like()
    once = log_likelihood(plan.process_model(values), observation, _arrays(*raw, plan.process_model(values)))
    converted = {**values, "tau_oxytocin": values["tau_oxytocin"] / 60}
    twice = log_likelihood(other.process_model(converted), observation, _arrays(*raw, other.process_model(converted)))
    np.testing.assert_allclose(np.asarray(twice), np.asarray(once), rtol=1e-8)


def test_swapping_dyads_permutes_the_result():
    plan, values, observation, raw = _school_like()
    order = np.array([2, 0, 3, 1])
    process = plan.process_model(values)
    found = np.asarray(log_likelihood(process, observation, _arrays(*raw, process)))
    swapped = log_likelihood(process, observation, _arrays(*(part[order] for part in raw), process))
    np.testing.assert_allclose(np.asarray(swapped), found[order], rtol=1e-12)


def test_a_coarse_transition_is_refused_not_approximated():
    plan, values, observation, raw = _school_like()
    process = plan.process_model(values)
    panel = dataclasses.replace(_arrays(*raw, process), n_doublings=0)
    assert np.isnan(np.asarray(log_likelihood(process, observation, panel))).all()


def test_without_couplings_the_states_are_independent():
    plan = compile_theory(linear().model_copy(update={"couplings": (), "hypothesis": "none"}), MEASURED, events=())
    rng = np.random.default_rng(0)
    observation = _observation(plan, rng)
    days, inside, score, event = _panel(rng, 2, len(observation.states), 0)
    process = plan.process_model(plan.defaults())
    whole = log_likelihood(process, observation, _arrays(days, inside, score, event, process))
    parts = 0.0
    for state in range(len(plan.states)):
        alone = score.copy()
        alone[:, :, [j for j, s in enumerate(observation.states) if s != state]] = np.nan
        parts = parts + log_likelihood(process, observation, _arrays(days, inside, alone, event, process))
    np.testing.assert_allclose(np.asarray(whole), np.asarray(parts), rtol=1e-10)
