"""Cost of value and gradient of the log-likelihood: now, before the kernels, beside dynamax and a naive filter.

60 dyads x 16 sessions, 2 to 30 days apart, x 2 samples x 7 states, all observed, with gaps of whole days or by the
clock, so that nearly every interval is another one. The build before is taken out of git into a temporary folder.
dynamax knows no continuous time, so its filter is given the transitions of dyadloop; it has the person means in the
state. Naive: a matrix exponential of the doubled (Van Loan) matrix at every step and a matrix-form update with a solve,
person means in the state, as a textbook writes it. Times are those of the processor, on one core.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from rich.console import Console
from rich.table import Table

from dyadloop.likelihood.linear_filter import log_likelihood
from dyadloop.likelihood.panel import Panel, distinct_intervals
from dyadloop.likelihood.programs import program
from dyadloop.likelihood.propagation import motion
from dyadloop.model import Plan, compile_theory, correlation_factor, doublings
from dyadloop.observation.plan import Observation
from dyadloop.theory import hypothesis, keep, read_theory

SEVEN = ["oxytocin", "attachment", "empathy", "synchrony", "trust", "support", "depression"]
BEFORE = "9eccb7b"
"""The last commit at which XLA compiled transitions and filter."""
REPEATS = 15
_FASTEST = 4000.0  # bound on the drift norm with oxytocin at 20 min [1/d]


def panel_of(
    n_dyads: int, n_sessions: int, gaps: tuple[int, int] = (2, 30), n_states: int = len(SEVEN), clock: bool = False
) -> Panel:
    """Return a panel with all states observed at the start and end of every session, ``gaps`` days apart.

    By the clock, sessions begin up to two hours early or late and last 40 to 60 minutes.
    """
    rng = np.random.default_rng(0)
    days_between = rng.integers(*gaps, size=(n_dyads, n_sessions), endpoint=True)
    starts = np.cumsum(days_between, axis=1).astype(float)
    length = np.full(starts.shape, 50 / 1440)
    if clock:
        starts = starts + rng.uniform(-1 / 12, 1 / 12, size=starts.shape)
        length = rng.uniform(40 / 1440, 60 / 1440, size=starts.shape)
    days = np.stack([starts, starts + length], axis=2).reshape(n_dyads, -1)
    pair, gates, durations = distinct_intervals(days, np.tile([False, True], (n_dyads, n_sessions)))
    shape = (*days.shape, n_states)
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


def naive(process, observation: Observation, panel: Panel):
    """Return the log-likelihood with nothing shared, nothing exploited."""
    n = len(process.names)
    zero, eye = jnp.zeros((n, n)), jnp.eye(n)
    design = jnp.concatenate([eye, eye], axis=1)
    error = jnp.diag(observation.error_sd**2)
    start = jnp.block([[process.start_covariance, zero], [zero, process.between @ process.between.T]])

    def one_dyad(score, pair):
        def advance(carry, now):
            mean, cov, total = carry
            y, index = now
            gate, t = panel.gates[index].astype(float), panel.durations[index]
            drift = process.jacobian(gate)
            power = jax.scipy.linalg.expm(jnp.block([[-drift, process.noise], [zero, drift.T]]) * t)
            f = power[n:, n:].T
            q = f @ power[:n, n:]
            push = jax.scipy.linalg.expm(
                jnp.block([[drift, (gate * process.drive)[:, None]], [jnp.zeros((1, n + 1))]]) * t
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

        first = (jnp.concatenate([process.start, jnp.zeros(n)]), start, jnp.zeros(()))
        return jax.lax.scan(advance, first, (score, pair))[0][2]

    return jax.vmap(one_dyad)(panel.score, panel.pair)


def by_dynamax(process, observation: Observation, panel: Panel):
    """Return the log-likelihood by the filter of dynamax, fed with the transitions of dyadloop."""
    from dynamax.linear_gaussian_ssm import lgssm_filter
    from dynamax.linear_gaussian_ssm.inference import make_lgssm_params

    n, r = len(process.names), process.between.shape[1]
    steps = motion(process, panel).steps

    def one_dyad(score, pair):
        times = len(pair)
        still, ones = jnp.zeros((times, n, r)), jnp.broadcast_to(jnp.eye(r), (times, r, r))
        zeros = jnp.zeros((times, r, n))
        parameters = make_lgssm_params(
            initial_mean=jnp.concatenate([process.start, jnp.zeros(r)]),
            initial_cov=jax.scipy.linalg.block_diag(process.start_covariance, jnp.eye(r)),
            dynamics_weights=jnp.block([[steps.matrix[pair], still], [zeros, ones]]),
            dynamics_bias=jnp.concatenate([steps.shift[pair], jnp.zeros((times, r))], axis=1),
            dynamics_cov=jnp.block([[steps.noise[pair], still], [zeros, 0.0 * ones]]),
            emissions_weights=jnp.concatenate([jnp.eye(n), process.between], axis=1),
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
        return log_likelihood(plan.process_model(values), observation, panel)

    return run


def milliseconds(function: Callable, values: dict) -> tuple[float, float]:
    """Return the median time of value and gradient [ms] and the time to compile [s], both of the processor."""
    run = program(jax.value_and_grad(lambda v: function(v).sum()))
    begin = time.process_time()
    jax.block_until_ready(run(values))
    compiled = time.process_time() - begin
    times = []
    for _ in range(REPEATS):
        begin = time.process_time()
        jax.block_until_ready(run(values))
        times.append(time.process_time() - begin)
    return 1e3 * float(np.median(times)), compiled


def planned(names: list[str]) -> tuple[Plan, dict, Observation]:
    """Return a theory of some variables, its numbers, and observations of all its states."""
    measured = {(name, "patient") for name in names}
    plan = compile_theory(keep(hypothesis("reciprocal", read_theory("framework_linear")), names), measured, events=())
    values = {name: jnp.asarray(value, dtype=float) for name, value in plan.defaults().items()}
    n = len(plan.states)
    return plan, values, Observation(tuple(range(n)), jnp.zeros(n), jnp.ones(n), jnp.full(n, 0.5))


WORKLOADS = {
    "whole days": (60, 16, 7, False),
    "by the clock": (60, 16, 7, True),
    "120 dyads": (120, 16, 7, False),
    "240 dyads": (240, 16, 7, False),
    "32 sessions": (60, 32, 7, False),
    "64 sessions": (60, 64, 7, False),
    "2 states": (60, 16, 2, False),
    "4 states": (60, 16, 4, False),
    "whole days, errors correlate": (60, 16, 7, False),
}


def figures() -> dict[str, list[float]]:
    """Return, per workload, the time of value and gradient [ms], its compile time [s] and the log-likelihood."""
    found = {}
    for word, (n_dyads, n_sessions, n_states, clock) in WORKLOADS.items():
        plan, values, observation = planned(SEVEN[:n_states])
        panel = panel_of(n_dyads, n_sessions, n_states=n_states, clock=clock)
        function = shared(plan, panel) if "correlate" in word else None

        def plain(v, plan=plan, observation=observation, panel=panel):
            return log_likelihood(plan.process_model(v), observation, panel)

        function = function or plain
        found[word] = [*milliseconds(function, values), float(function(values).sum()), len(panel.durations)]
    return found


def before(commit: str) -> dict[str, list[float]]:
    """Return the figures of another commit, by this very file."""
    here = Path(__file__).resolve()
    with tempfile.TemporaryDirectory() as folder:
        packed = subprocess.run(["git", "archive", commit, "src"], cwd=here.parents[1], capture_output=True, check=True)
        subprocess.run(["tar", "x", "-C", folder], input=packed.stdout, check=True)
        found = subprocess.run(
            [sys.executable, str(here), "--figures"],
            env={**os.environ, "PYTHONPATH": f"{folder}/src"},
            capture_output=True,
            text=True,
            check=True,
        )
    return json.loads(found.stdout.splitlines()[-1])


def compared(commit: str) -> Table:
    """Return the table of all workloads, now and at another commit."""
    now, then = figures(), before(commit)
    table = Table(
        "60 dyads x 16 sessions x 2 samples x 7 states, or", "intervals", f"{commit} [ms]", "now [ms]", "ratio",
        "us per dyad and session", "log-likelihood, relative difference",
    )  # fmt: skip
    for word, (took, _, value, intervals) in now.items():
        old = then[word]
        each = 1e3 * took / (WORKLOADS[word][0] * WORKLOADS[word][1])
        table.add_row(
            word, f"{intervals:.0f}", f"{old[0]:.2f}", f"{took:.2f}", f"{old[0] / took:.1f}", f"{each:.2f}",
            f"{abs(value / old[2] - 1):.0e}",
        )  # fmt: skip
    return table


def main() -> None:
    """Print the tables."""
    console = Console(width=150)
    console.print(compared(BEFORE))
    plan, values, observation = planned(SEVEN)
    panel = panel_of(60, 16)
    table = Table("the same data", "value+gradient [ms]", "compile [s]", "log-likelihood")
    rivals, times = {"dyadloop": log_likelihood, "naive per step": naive}, {}
    if find_spec("dynamax"):
        rivals["dynamax"] = by_dynamax
    for word, function in rivals.items():

        def total(v, function=function):
            return function(plan.process_model(v), observation, panel)

        took, compiled = milliseconds(total, values)
        times[word] = took
        table.add_row(word, f"{took:.1f}", f"{compiled:.1f}", f"{float(total(values).sum()):.6f}")
    console.print(table)
    console.print(", ".join(f"ratio {word} / dyadloop: {took / times['dyadloop']:.1f}" for word, took in times.items()))


if __name__ == "__main__":
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    jax.config.update("jax_enable_x64", True)
    if "--figures" in sys.argv:
        print(json.dumps(figures()))
    else:
        main()
