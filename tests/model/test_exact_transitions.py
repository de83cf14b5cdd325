"""Exact transitions against SciPy's matrix exponential and closed forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from mpmath import mp
from scipy.linalg import expm, solve_continuous_lyapunov

from dyadloop.model import ProcessModel, compile_theory, doublings, transitions
from tests.linear import linear


def _field(decay, always=None, session=None, drive=None, noise=None):
    n = len(decay)
    zero = np.zeros((n, n))
    return ProcessModel(
        names=tuple(f"x{i}" for i in range(n)), kinds=("component",) * n, decay=jnp.asarray(decay, dtype=float),
        always=jnp.asarray(zero if always is None else always), session=jnp.asarray(zero if session is None else session),
        drive=jnp.zeros(n) if drive is None else jnp.asarray(drive), noise=jnp.eye(n) if noise is None else jnp.asarray(noise),
        start=jnp.zeros(n), start_covariance=jnp.eye(n), between=jnp.eye(n), jumps=jnp.zeros((0, n)),
    )  # fmt: skip


def _depth(process, longest):
    return doublings(longest, float(jnp.abs(process.jacobian(1.0)).sum(axis=1).max()))


def test_one_state_is_the_ornstein_uhlenbeck_process():
    process = _field([0.5], drive=[0.3])
    t = np.array([0.0, 1e-6, 0.1, 3.0, 400.0])
    step = transitions(process, jnp.ones(5, bool), jnp.asarray(t), _depth(process, 400.0))
    np.testing.assert_allclose(step.matrix[:, 0, 0], np.exp(-0.5 * t), rtol=1e-10, atol=1e-16)
    np.testing.assert_allclose(step.noise[:, 0, 0], (1 - np.exp(-t)) / 1.0, rtol=1e-9)
    np.testing.assert_allclose(step.shift[:, 0], 0.3 / 0.5 * (1 - np.exp(-0.5 * t)), rtol=1e-9)


@pytest.mark.parametrize("stiffness", [1.0, 100.0, 5000.0])
def test_equals_scipy_on_a_stiff_coupled_field(stiffness):
    rng = np.random.default_rng(1)
    n = 4
    decay = np.array([stiffness, 1.0, 0.2, 0.01])
    always, root = rng.normal(0, 0.05, (n, n)) * decay[:, None], rng.normal(size=(n, n))
    process = _field(decay, always=always, noise=root @ root.T)
    times = np.array([0.01, 1.0, 7.0])
    step = transitions(process, jnp.zeros(3, bool), jnp.asarray(times), _depth(process, 7.0))
    drift = np.asarray(process.jacobian(0.0))
    stationary = solve_continuous_lyapunov(drift, -root @ root.T)
    for i, t in enumerate(times):
        np.testing.assert_allclose(step.matrix[i], expm(drift * t), rtol=1e-9, atol=1e-11)
        expected = stationary - expm(drift * t) @ stationary @ expm(drift * t).T
        np.testing.assert_allclose(step.noise[i], expected, rtol=1e-8, atol=1e-9)


def test_equal_time_constants_and_instability_are_no_special_case():
    jordan = _field([1.0, 1.0], always=[[0.0, 0.7], [0.0, 0.0]])
    step = transitions(jordan, jnp.zeros(1, bool), jnp.array([2.0]), _depth(jordan, 2.0))
    np.testing.assert_allclose(step.matrix[0], np.exp(-2.0) * np.array([[1, 1.4], [0, 1]]), rtol=1e-10)
    runaway = _field([1.0, 1.0], always=[[0.0, 2.0], [2.0, 0.0]])
    step = transitions(runaway, jnp.zeros(1, bool), jnp.array([3.0]), _depth(runaway, 3.0))
    np.testing.assert_allclose(step.matrix[0], expm(3.0 * np.asarray(runaway.jacobian(0.0))), rtol=1e-10)


DRIFTS = {
    "fast and slow": [[-72.0, 3.0, 0.0], [0.4, -0.3, 0.05], [0.0, 0.02, -0.01]],
    "equal rates": [[-1.0, 0.7, 0.0], [0.0, -1.0, 0.7], [0.0, 0.0, -1.0]],
    "nearly equal rates": [[-1.0, 0.7, 0.0], [0.0, -1.0 - 1e-9, 0.7], [1e-9, 0.0, -1.0]],
    "unstable": [[-1.0, 1.3, 0.0], [1.2, -1.0, 0.0], [0.5, 0.0, -0.2]],
    "turning": [[-0.1, 3.0, 0.0], [-3.0, -0.1, 0.0], [0.0, 1.0, -0.1]],
}


def _exact(drift, noise, push, t):
    """Return the transition by matrix exponentials of 60 digits, the noise as a vector of its entries."""
    n = len(drift)
    whole, pushed = mp.zeros(n * n + 1), mp.zeros(n + 1)
    for i, j, k in np.ndindex(n, n, n):
        whole[i * n + j, k * n + j] += drift[i, k]
        whole[i * n + j, i * n + k] += drift[j, k]
        whole[i * n + j, n * n] = noise[i, j]
    pushed[:n, :n], pushed[:n, n] = drift, push
    power = mp.expm(pushed * t)
    return power[:n, :n], mp.expm(whole * t)[: n * n, n * n], power[:n, n]


@pytest.mark.parametrize("kind", DRIFTS)
def test_transitions_and_their_derivative_to_rounding(kind):
    """Along a random direction in all that moves the states; eleven intervals, so that a block is not full."""
    rng, n = np.random.default_rng(4), 3
    root, push = rng.normal(size=(n, n)), rng.normal(size=n)
    given = {"always": np.array(DRIFTS[kind]), "noise": root @ root.T, "drive": push}
    way = {name: rng.normal(size=part.shape) * np.abs(part) for name, part in given.items()}
    way["noise"] = way["noise"] + way["noise"].T
    times = np.array([0.0, 1e-5, 0.03, 0.035, 0.5, 1.0, 2.0, 6.9, 7.0, 13.0, 21.0])
    reach = doublings(21.0, np.abs(given["always"]).sum(axis=1).max())

    def steps(parts):
        process = _field(np.zeros(n), always=parts["always"], drive=parts["drive"], noise=parts["noise"])
        return transitions(process, jnp.ones(len(times), bool), jnp.asarray(times), reach)

    slope = jax.jacrev(steps)(given)
    for place, t in enumerate(times):
        with mp.workdps(60):
            near, moved = (
                _exact(*(mp.matrix(given[name]) + d * mp.matrix(way[name]) for name in ("always", "noise", "drive")), t)
                for d in (0, mp.mpf(10) ** -30)
            )
            along = [(part - other) * mp.mpf(10) ** 30 for part, other in zip(moved, near, strict=True)]
        for part, own, value, derivative in zip(steps(given), slope, near, along, strict=True):
            found = sum(jnp.tensordot(own[name][place], way[name], way[name].ndim) for name in way)
            for number, expected in ((part[place], value), (found, derivative)):
                exact = np.array(expected.tolist(), dtype=float).reshape(number.shape)
                np.testing.assert_allclose(number, exact, rtol=0, atol=2e-12 * np.abs(exact).max())


def test_two_steps_are_one():
    process = _field([2.0, 0.3], always=[[0.0, 0.4], [0.1, 0.0]], drive=[0.2, -0.1])
    step = transitions(process, jnp.ones(3, bool), jnp.array([1.0, 2.5, 3.5]), _depth(process, 3.5))
    f, q, b = (np.asarray(part) for part in step)
    np.testing.assert_allclose(f[1] @ f[0], f[2], rtol=1e-10)
    np.testing.assert_allclose(f[1] @ q[0] @ f[1].T + q[1], q[2], rtol=1e-9)
    np.testing.assert_allclose(f[1] @ b[0] + b[1], b[2], rtol=1e-9)


def test_the_framework_compiles_to_its_equations():
    """The drift by hand from the theory file, at a random state."""
    theory = linear()
    plan = compile_theory(theory)
    values = plan.defaults()
    process = plan.process_model(values)
    state = np.random.default_rng(0).normal(size=len(plan.states))
    x = dict(zip(plan.names, state, strict=True))
    u = (x["oxytocin_patient"] + x["oxytocin_therapist"]) / 2
    components = [v.id for v in theory.of_kind("component")]
    symptoms = [v.id for v in theory.of_kind("symptom")]
    for gate in (0.0, 1.0):
        drift = dict(zip(plan.names, np.asarray(process.drift(jnp.asarray(state), gate)), strict=True))
        drive = sum(values[f"a_{k}"] * x[k] for k in components) + values["session_oxytocin"]
        for person in ("oxytocin_patient", "oxytocin_therapist"):
            expected = (gate * drive - x[person]) / (values["tau_oxytocin"] / 1440)
            np.testing.assert_allclose(drift[person], expected, rtol=1e-10)
        for k in components:
            network = sum(values[f"d_{k}_{j}"] * x[j] for j in components if j != k)
            symptom = sum(values[f"f_{k}_{m}"] * x[m] for m in symptoms)
            expected = (network - symptom - x[k]) / values[f"tau_{k}"] + gate * 24 * values[f"w_{k}"] * u
            np.testing.assert_allclose(drift[k], expected, rtol=1e-10)
        for m in symptoms:
            relief = sum(values[f"c_{m}_{k}"] * x[k] for k in components)
            own = x["oxytocin_patient"]  # a source that both persons have acts on the same person
            expected = (-relief - x[m]) / values[f"tau_{m}"] - gate * 24 * values[f"v_{m}"] * own
            np.testing.assert_allclose(drift[m], expected, rtol=1e-10)


def test_partial_correlations_make_a_correlation_matrix():
    plan = compile_theory(linear())
    rng = np.random.default_rng(3)
    values = {name: float(rng.normal()) if name.startswith("rho_") else v for name, v in plan.defaults().items()}
    process = plan.process_model(values)
    cov = np.asarray(process.between @ process.between.T)
    sds = [values[f"between_{state.variable.id}"] for state in plan.states]
    np.testing.assert_allclose(np.sqrt(np.diag(cov)), sds, rtol=1e-12)
    first = np.tanh(values[f"rho_between_{plan.names[3]}_{plan.names[0]}"])
    np.testing.assert_allclose(cov[3, 0] / (sds[3] * sds[0]), first, rtol=1e-10)
    stationary = np.sqrt(np.diag(np.asarray(process.start_covariance)))
    np.testing.assert_allclose(stationary, [values[f"sd_{s.variable.id}"] for s in plan.states], rtol=1e-12)
