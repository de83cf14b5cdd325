"""Cost of value and gradient of the log-likelihood, beside dynamax and a naive per-step implementation, in one run.

60 dyads x 16 sessions, 2 to 30 days apart, x 2 samples x 7 states, all observed. dynamax knows no continuous time, so
its filter is given the transitions of dyadloop; it has the person means in the state. Naive: a matrix exponential of
the doubled (Van Loan) matrix at every step and a matrix-form update with a solve, person means in the state, as a
textbook writes it.
"""

import time
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from dynamax.linear_gaussian_ssm import lgssm_filter
from dynamax.linear_gaussian_ssm.inference import make_lgssm_params
from rich.console import Console
from rich.table import Table

import dyadloop.model  # noqa: F401 - switches JAX to 64-bit
from dyadloop.likelihood.linear_filter import log_likelihood
from dyadloop.likelihood.panel import Panel, distinct_intervals
from dyadloop.likelihood.programs import program
from dyadloop.likelihood.propagation import motion
from dyadloop.model import Plan, compile_theory, correlation_factor, doublings
from dyadloop.observation.plan import Observation
from dyadloop.theory import hypothesis, keep, read_theory

SEVEN = ["oxytocin", "attachment", "empathy", "synchrony", "trust", "support", "depression"]
MEASURED = {(name, "patient") for name in SEVEN}
REPEATS = 15
_FASTEST = 4000.0  # bound on the drift norm with oxytocin at 20 min [1/d]


def panel_of(n_dyads: int, n_sessions: int, gaps: tuple[int, int] = (2, 30)) -> Panel:
    """Return a panel with all states observed at the start and end of every session, ``gaps`` days apart."""
    rng = np.random.default_rng(0)
    days_between = rng.integers(*gaps, size=(n_dyads, n_sessions), endpoint=True)
    starts = np.cumsum(days_between, axis=1).astype(float)
    days = np.stack([starts, starts + 50 / 1440], axis=2).reshape(n_dyads, -1)
    pair, gates, durations = distinct_intervals(days, np.tile([False, True], (n_dyads, n_sessions)))
    shape = (*days.shape, len(SEVEN))
    return Panel(
        jnp.asarray(rng.normal(size=shape)),
        jnp.ones(shape, bool),
        jnp.asarray(pair),
        jnp.asarray(gates),
        jnp.asarray(durations),
        jnp.zeros((*days.shape, 0)),
        jnp.zeros(shape),
        doublings(float(durations.max()), _FASTEST),
    )


def naive(field, observation: Observation, panel: Panel):
    """Return the log-likelihood with nothing shared, nothing exploited."""
    n = len(field.names)
    zero, eye = jnp.zeros((n, n)), jnp.eye(n)
    design = jnp.concatenate([eye, eye], axis=1)
    error = jnp.diag(observation.error_sd**2)
    start = jnp.block([[field.start_covariance, zero], [zero, field.between @ field.between.T]])

    def one_dyad(score, pair):
        def advance(carry, now):
            mean, cov, total = carry
            y, index = now
            gate, t = panel.gates[index].astype(float), panel.durations[index]
            drift = field.jacobian(gate)
            power = jax.scipy.linalg.expm(jnp.block([[-drift, field.noise], [zero, drift.T]]) * t)
            f = power[n:, n:].T
            q = f @ power[:n, n:]
            push = jax.scipy.linalg.expm(
                jnp.block([[drift, (gate * field.drive)[:, None]], [jnp.zeros((1, n + 1))]]) * t
            )[:n, n]
            step = jnp.block([[f, zero], [zero, eye]])
            mean = step @ mean + jnp.concatenate([push, jnp.zeros(n)])
            cov = step @ cov @ step.T + jnp.block([[q, zero], [zero, zero]])
            residual = y - observation.mean - design @ mean
            spread = design @ cov @ design.T + error
            gain = jnp.linalg.solve(spread, design @ cov).T
            total = total - 0.5 * (
                n * jnp.log(2 * jnp.pi) + jnp.linalg.slogdet(spread)[1] + residual @ jnp.linalg.solve(spread, residual)
            )
            return (mean + gain @ residual, cov - gain @ design @ cov, total), None

        first = (jnp.concatenate([field.start, jnp.zeros(n)]), start, jnp.zeros(()))
        return jax.lax.scan(advance, first, (score, pair))[0][2]

    return jax.vmap(one_dyad)(panel.score, panel.pair)


def by_dynamax(field, observation: Observation, panel: Panel):
    """Return the log-likelihood by the filter of dynamax, fed with the transitions of dyadloop."""
    n, r = len(field.names), field.between.shape[1]
    steps = motion(field, panel).steps

    def one_dyad(score, pair):
        times = len(pair)
        still, ones = jnp.zeros((times, n, r)), jnp.broadcast_to(jnp.eye(r), (times, r, r))
        zeros = jnp.zeros((times, r, n))
        parameters = make_lgssm_params(
            initial_mean=jnp.concatenate([field.start, jnp.zeros(r)]),
            initial_cov=jax.scipy.linalg.block_diag(field.start_covariance, jnp.eye(r)),
            dynamics_weights=jnp.block([[steps.matrix[pair], still], [zeros, ones]]),
            dynamics_bias=jnp.concatenate([steps.shift[pair], jnp.zeros((times, r))], axis=1),
            dynamics_cov=jnp.block([[steps.noise[pair], still], [zeros, 0.0 * ones]]),
            emissions_weights=jnp.concatenate([jnp.eye(n), field.between], axis=1),
            emissions_cov=jnp.diag(observation.error_sd**2),
        )
        return lgssm_filter(parameters, score - observation.mean).marginal_loglik

    return jax.vmap(one_dyad)(panel.score, panel.pair)


def shared(plan: Plan, panel: Panel) -> Callable:
    """Return the log-likelihood if all answers but oxytocin share errors; the correlations are differentiated too."""
    partial = jnp.asarray(np.tril(np.full((7, 7), 0.3), -1)).at[0].set(0.0).at[:, 0].set(0.0)

    def run(values: dict) -> jax.Array:
        factor = correlation_factor(jnp.tanh(partial * values["tau_trust"] / values["tau_trust"]))
        observation = Observation(
            tuple(range(7)),
            jnp.zeros(7),
            jnp.ones(7),
            jnp.full(7, 0.5),
            raters=(tuple(range(1, 7)),),
            error_factor=factor,
        )
        return log_likelihood(plan.field(values), observation, panel)

    return run


def milliseconds(function: Callable, values: dict) -> tuple[float, float]:
    """Return the median time of value and gradient [ms] and the time to compile [s]."""
    run = program(jax.value_and_grad(lambda v: function(v).sum()))
    begin = time.perf_counter()
    jax.block_until_ready(run(values))
    compiled = time.perf_counter() - begin
    times = []
    for _ in range(REPEATS):
        begin = time.perf_counter()
        jax.block_until_ready(run(values))
        times.append(time.perf_counter() - begin)
    return 1e3 * float(np.median(times)), compiled


def main() -> None:
    """Print the tables."""
    plan = compile_theory(keep(hypothesis("reciprocal", read_theory("framework_linear")), SEVEN), MEASURED, events=())
    values = {name: jnp.asarray(value, dtype=float) for name, value in plan.defaults().items()}
    observation = Observation(tuple(range(7)), jnp.zeros(7), jnp.ones(7), jnp.full(7, 0.5))
    console = Console(width=110)

    def fast(panel: Panel) -> Callable:
        return lambda v: log_likelihood(plan.field(v), observation, panel)

    def peer(panel: Panel) -> Callable:
        return lambda v: by_dynamax(plan.field(v), observation, panel)

    def slow(panel: Panel) -> Callable:
        return lambda v: naive(plan.field(v), observation, panel)

    panel = panel_of(60, 16)
    table = Table(
        "60 dyads x 16 sessions x 2 samples x 7 states", "value+gradient [ms]", "compile [s]", "log-likelihood"
    )
    times = []
    for word, function in (("dyadloop", fast(panel)), ("dynamax", peer(panel)), ("naive per step", slow(panel))):
        took, compiled = milliseconds(function, values)
        times.append(took)
        table.add_row(word, f"{took:.1f}", f"{compiled:.1f}", f"{float(function(values).sum()):.6f}")
    console.print(table)
    console.print(f"ratio dynamax / dyadloop: {times[1] / times[0]:.1f}, naive / dyadloop: {times[2] / times[0]:.1f}")

    growth = Table("how it grows", "value+gradient [ms]", "per dyad and session [us]")
    for n_dyads, n_sessions in ((60, 16), (120, 16), (240, 16), (60, 32), (60, 64)):
        took = milliseconds(fast(panel_of(n_dyads, n_sessions)), values)[0]
        growth.add_row(
            f"{n_dyads} dyads x {n_sessions} sessions", f"{took:.1f}", f"{1e3 * took / n_dyads / n_sessions:.1f}"
        )
    console.print(growth)

    repeats = Table("distinct durations", "count", "value+gradient [ms]")
    for word, gaps in (("every gap 7 days", (7, 7)), ("gaps of 2 to 30 days", (2, 30))):
        chosen = panel_of(60, 16, gaps)
        repeats.add_row(word, str(len(chosen.durations)), f"{milliseconds(fast(chosen), values)[0]:.1f}")
    console.print(repeats)

    together = Table("errors of answers of one moment", "value+gradient [ms]")
    costs = []
    for word, function in (("independent", fast(panel)), ("those of six answers correlate", shared(plan, panel))):
        costs.append(milliseconds(function, values)[0])
        together.add_row(word, f"{costs[-1]:.1f}")
    console.print(together)
    console.print(f"ratio correlated / independent: {costs[1] / costs[0]:.2f}")


if __name__ == "__main__":
    main()
