"""Cost of a whole fit: mode with standard errors from a cold start, and effective draws per second.

60 dyads x 16 sessions, 2 to 30 days apart, x 2 samples x 7 states for the first table. The second puts the NUTS of
NumPyro with its own warm-up on a textbook filter beside that of dyadloop, on the same small data and priors, in one
run. Oxytocin is no part of it: beside a week its time constant of minutes leaves the textbook filter without a finite
gradient.
"""

import resource
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import pandas as pd
import xarray as xr
from arviz_stats.sampling_diagnostics import ess
from numpyro.infer import MCMC, NUTS, init_to_median
from rich.console import Console
from rich.table import Table

from dyadloop.inference import Settings
from dyadloop.inference.mode import distribution, find_mode, posterior_of
from dyadloop.inference.problem import Problem, prior_table
from dyadloop.inference.sampling import sample
from dyadloop.model import compile_theory
from dyadloop.observation.plan import ObservationPlan
from dyadloop.simulation import sample_paths
from dyadloop.theory import hypothesis, keep, read_theory
from likelihood import naive, panel_of

SEVEN = ["oxytocin", "attachment", "empathy", "synchrony", "trust", "support", "depression"]


def problem_of(rival: str, variables: list[str], n_dyads: int, n_sessions: int) -> Problem:
    """Return a fitting problem whose data are simulated from the theory's own values."""
    measured = {(name, "patient") for name in variables}
    plan = compile_theory(keep(hypothesis(rival, read_theory("framework_linear")), variables), measured, events=())
    n = len(plan.names)
    units = tuple("log ratio" if s.variable.kind == "oxytocin" else "SD within persons" for s in plan.states)
    observed = ObservationPlan(plan.names, tuple(range(n)), units, (None,) * n, (False,) * n, (), plan.names)
    empty = panel_of(n_dyads, n_sessions)
    seen = jnp.ones((*empty.pair.shape, n), bool)
    process = plan.process_model(plan.defaults())
    states = sample_paths(
        jax.random.key(1), process, empty.pair, empty.gates, empty.durations, empty.event, empty.n_doublings
    )
    noise = np.random.default_rng(2).normal(size=states.shape) * 0.5
    panel = replace(empty, score=states + noise, seen=seen, known_variance=jnp.zeros(seen.shape))
    priors = prior_table({**plan.parameters(), **observed.parameters()})
    scores = xr.Dataset(coords={"dyad": np.arange(n_dyads)}, attrs={"digest": "benchmark"})
    return Problem(plan, observed, panel, priors, scores, None)


def whole_fit(console: Console) -> None:
    """Print what a fit of the large problem costs."""
    problem = problem_of("reciprocal", SEVEN, 60, 16)
    begin = time.perf_counter()
    posterior = posterior_of(problem)
    mode = find_mode(problem, posterior, seed=1)
    cold = time.perf_counter() - begin
    begin = time.perf_counter()
    find_mode(problem, posterior, seed=2)
    warm = time.perf_counter() - begin
    moments: list[float] = []
    settings = Settings(chains=1, warmup=100, draws=500)
    with tempfile.TemporaryDirectory() as scratch:
        found = sample(
            posterior, problem.panel, mode, settings, 1, Path(scratch), lambda *_: moments.append(time.perf_counter())
        )
    blocks = settings.draws // settings.block
    seconds = moments[-1] - moments[-1 - blocks]
    sizes = least_and_median(found["position"])
    table = Table("60 dyads x 16 sessions x 2 samples x 7 states", "")
    table.add_row("parameters", str(posterior.size))
    table.add_row("mode of 4 starts and standard errors, cold [s]", f"{cold:.1f}")
    table.add_row("the same, compiled [s]", f"{warm:.1f}")
    table.add_row("starts that agree", f"{mode.agreeing} of {mode.starts}")
    table.add_row("ESS per second of sampling, least / median", f"{sizes[0] / seconds:.2f} / {sizes[1] / seconds:.2f}")
    table.add_row("leapfrog steps per draw", f"{found['num_steps'].mean():.1f}")
    table.add_row("peak memory [MiB]", f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f}")
    console.print(table)


def least_and_median(position: np.ndarray) -> tuple[float, float]:
    """Return the least and the median bulk ESS of draws (chain, draw, parameter)."""
    sizes = [float(np.asarray(ess(position[..., i], chain_axis=0, draw_axis=1))) for i in range(position.shape[-1])]
    return min(sizes), float(np.median(sizes))


def beside_the_naive(console: Console) -> None:
    """Print effective draws per second of both on the same small data."""
    problem = problem_of("network", ["trust", "support"], 10, 8)
    settings = Settings(chains=1, warmup=100, draws=150)
    begin = time.perf_counter()
    posterior = posterior_of(problem)
    mode = find_mode(problem, posterior, seed=1)
    with tempfile.TemporaryDirectory() as scratch:
        found = sample(posterior, problem.panel, mode, settings, 1, Path(scratch))
    ours = time.perf_counter() - begin

    def model() -> None:
        values = {str(name): numpyro.sample(str(name), distribution(row)) for name, row in problem.priors.iterrows()}
        process, observation = problem.plan.process_model(values), problem.observed.observation(values)
        numpyro.factor("log_likelihood", naive(process, observation, problem.panel).sum())

    chain = MCMC(
        NUTS(model, init_strategy=init_to_median()),
        num_warmup=settings.warmup,
        num_samples=settings.draws,
        progress_bar=False,
    )
    begin = time.perf_counter()
    chain.run(jax.random.PRNGKey(1))
    theirs = time.perf_counter() - begin
    draws = pd.DataFrame({name: np.asarray(values) for name, values in chain.get_samples().items()})
    least = (least_and_median(found["position"])[0], least_and_median(draws.to_numpy()[None])[0])
    table = Table(
        "10 dyads x 8 sessions x 2 states, 100 + 150 draws", "seconds, all", "least ESS", "least ESS per second"
    )
    for word, seconds, size in (("dyadloop", ours, least[0]), ("NumPyro on a textbook filter", theirs, least[1])):
        table.add_row(word, f"{seconds:.1f}", f"{size:.0f}", f"{size / seconds:.2f}")
    console.print(table)
    console.print(f"ratio of least ESS per second: {least[0] / ours / (least[1] / theirs):.1f}")


if __name__ == "__main__":
    numpyro.enable_x64()
    printer = Console(width=110)
    whole_fit(printer)
    beside_the_naive(printer)
