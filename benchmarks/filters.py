"""What the fast filter of a theory that is not linear misses, and what it costs beside the exact one.

Simulated studies of 37 dyads under synergy; the log-likelihood at the values that made them, by the fast filter and by
particles.
"""

import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from rich.console import Console
from rich.table import Table

from dyadloop.appraisal.particle_correction import discrepancy
from dyadloop.appraisal.replication import replicate
from dyadloop.data import read_study
from dyadloop.inference.problem import Problem, build_problem
from dyadloop.likelihood.joint_filter import filter_jointly
from dyadloop.likelihood.linear_filter import log_likelihood
from dyadloop.observation.scaling import scale_scores
from dyadloop.simulation import simulate_study
from dyadloop.theory import hypothesis, keep, read_theory

VARIABLES = ["oxytocin", "synchrony", "trust", "support", "depression"]
SYNERGY = {"gamma_synchrony_trust": 0.4, "gamma_synchrony_support": 0.2}
STUDIES, REPEATS = 3, 5


def main(console: Console) -> None:
    """Print both tables."""
    theory = keep(hypothesis("synergistic", read_theory("framework_linear")), VARIABLES)
    with tempfile.TemporaryDirectory() as folder:
        problem = build_problem(
            scale_scores(read_study(simulate_study(Path(folder) / "study", theory=theory, seed=3))), theory
        )
    numbers = {**problem.plan.parameters(), **problem.observed.parameters()}
    values = {name: jnp.asarray(SYNERGY.get(name, number.value)) for name, number in numbers.items()}
    missed(problem, values, console)
    cost(problem, values, console)


def missed(problem: Problem, values: dict[str, jax.Array], console: Console) -> None:
    """Print by how much the fast filter misses the log-likelihood of whole studies."""
    process, observation = problem.plan.process_model(values), problem.observed.observation(values)
    draws = {name: np.repeat(np.asarray(value)[None], STUDIES, axis=0) for name, value in values.items()}
    table = Table("study (simulated)", "log-likelihood missed", "Monte Carlo error", "most in one dyad")
    for number, scores in enumerate(replicate(problem, draws, seed=5), start=1):
        panel = replace(problem.panel, score=jnp.asarray(np.nan_to_num(scores)))
        found = discrepancy(process, observation, panel, seed=1)
        error = float(np.sqrt((found.error**2).sum()))
        table.add_row(str(number), f"{found.gap.sum():+.1f}", f"{error:.1f}", f"{np.abs(found.gap).max():.1f}")
    console.print(table)


def cost(problem: Problem, values: dict[str, jax.Array], console: Console) -> None:
    """Print the time of value and gradient of the fast filter beside the exact filter without synergy."""

    def exact(v: dict[str, jax.Array]) -> jax.Array:
        return log_likelihood(problem.at_mean(v), problem.observed.observation(v), problem.panel).sum()

    def fast(v: dict[str, jax.Array]) -> jax.Array:
        return filter_jointly(problem.plan.process_model(v), problem.observed.observation(v), problem.panel).log_density.sum()

    seconds = [_seconds(jax.jit(jax.value_and_grad(one)), values) for one in (exact, fast)]
    table = Table("value and gradient", "ms")
    table.add_row("exact filter, synergy left out", f"{1e3 * seconds[0]:.0f}")
    table.add_row("fast filter, with synergy", f"{1e3 * seconds[1]:.0f}")
    console.print(table)
    console.print(f"ratio: {seconds[1] / seconds[0]:.1f}")


def _seconds(run: Callable, values: dict[str, jax.Array]) -> float:
    jax.block_until_ready(run(values))
    begin = time.perf_counter()
    for _ in range(REPEATS):
        jax.block_until_ready(run(values))
    return (time.perf_counter() - begin) / REPEATS


if __name__ == "__main__":
    main(Console(width=110))
