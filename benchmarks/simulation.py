"""Cost of simulating the framework, beside SciPy's LSODA and libRoadRunner's compiled SBML, in one run.

16 weekly sessions of 50 minutes, patient and therapist, 18 states. Every solver is asked for the same accuracy: its
tolerance is the loosest of a ladder at which no state is off by more than 1e-6 of its largest value, against our own
course at 1e-11, which the tests compare with SciPy and libRoadRunner. All are timed on what they do per dyad; compiling
is reported apart. Peers run one dyad after the other, as their users do.
"""

import argparse
import contextlib
import os
import time
from collections.abc import Callable
from itertools import pairwise

import jax
import numpy as np
import roadrunner
import sympy
from rich.console import Console
from rich.table import Table
from scipy.integrate import solve_ivp

from dyadloop.model import compile_theory, system_of
from dyadloop.simulation import simulate
from dyadloop.theory import framework
from dyadloop.theory.equations import equations
from dyadloop.theory.sbml import to_sbml

ACCURACY = 1e-6
LADDER = (1e-5, 3e-6, 1e-6, 3e-7, 1e-7, 3e-8, 1e-8, 1e-9, 1e-10)
QUIET = {"noise": False, "between": False}
THEORY = framework()
PLAN = compile_theory(THEORY)


def ours(tolerance: float, dyads: int = 1, **options) -> np.ndarray:
    """Return states of the first dyad at session edges, time by state."""
    run = simulate(THEORY, dyads=dyads, tolerance=tolerance, **{**QUIET, **options})
    names = [f"{name}_logit" if f"{name}_logit" in run else name for name in PLAN.names]
    return np.stack([run[name].values[0] for name in names], axis=1)


def edges() -> np.ndarray:
    """Return session edges and the end [d]."""
    calendar = THEORY.protocol
    starts, lengths = np.array(calendar.starts()), np.array(calendar.lengths())
    return np.append(np.stack([starts, starts + lengths], axis=1).ravel(), starts[-1] + calendar.every_days)


def lsoda(tolerance: float) -> np.ndarray:
    """Integrate from edge to edge with SciPy; the right-hand side is plain Python that SymPy has simplified."""
    times = edges()
    state = START.copy()
    found = [state]
    for number, (low, high) in enumerate(pairwise(times)):
        rate = RATES[number % 2 == 0]
        done = solve_ivp(rate, (low, high), state, "LSODA", rtol=tolerance, atol=tolerance * 1e-2)
        state = done.y[:, -1]
        found.append(state)
    return np.array(found)


def written_out(gate: bool) -> Callable[[float, np.ndarray], list[float]]:
    """Return the right-hand side as a fast Python function: numbers filled in, common parts shared."""
    written = equations(THEORY)
    numbers = {sympy.Symbol(name, real=True): value for name, value in written.values.items()}
    numbers |= {sympy.Symbol(name, real=True, positive=True): value for name, value in written.values.items()}
    numbers[sympy.Symbol("session", real=True)] = int(gate)
    defined = {sympy.Symbol(name, real=True): value for name, value in written.definitions.items()}
    rates = [rate.subs(defined).subs(defined).subs(numbers) for rate in written.rates.values()]
    states = [sympy.Symbol(name, real=True) for name in written.rates]
    function = sympy.lambdify([states], rates, modules="math", cse=True)
    return lambda t, z: function(z.tolist())


def runner() -> Callable[[float], np.ndarray]:
    """Return a function that runs the SBML of the framework in libRoadRunner."""
    model = roadrunner.RoadRunner(to_sbml(THEORY))
    model.timeCourseSelections = list(PLAN.names)
    times = [0.0, *(float(t) - 1e-9 for t in edges()[1:])]

    def run(tolerance: float) -> np.ndarray:
        model.resetToOrigin()
        model.integrator.relative_tolerance, model.integrator.absolute_tolerance = tolerance, tolerance * 1e-2
        model.integrator.maximum_num_steps = 100_000
        return np.asarray(model.simulate(times=times))

    return run


@contextlib.contextmanager
def silence():
    """Keep notes that a compiled peer prints to the stream of the process out of the table."""
    saved, sink = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, 1)
    try:
        yield
    finally:
        os.dup2(saved, 1)
        os.close(saved)
        os.close(sink)


def loosest(solver: Callable[[float], np.ndarray], expected: np.ndarray) -> tuple[float, float]:
    """Return the loosest tolerance of the ladder that is accurate enough, and the error there."""
    scale = np.abs(expected).max(axis=0)
    seen = scale > 0
    error = np.inf
    for tolerance in LADDER:
        error = float((np.abs(solver(tolerance) - expected)[:, seen] / scale[seen]).max())
        if error <= ACCURACY:
            return tolerance, error
    return LADDER[-1], error


def seconds(function: Callable[[], object], repeats: int) -> float:
    """Return the best time of several runs [s]."""
    best = np.inf
    for _ in range(repeats):
        begin = time.perf_counter()
        function()
        best = min(best, time.perf_counter() - begin)
    return best


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dyads", type=int, default=10_000)
    dyads = parser.parse_args().dyads
    console = Console(width=120)
    expected = ours(1e-11)
    mine, mine_error = loosest(ours, expected)
    begin = time.perf_counter()
    ours(mine, 513)
    compiled = time.perf_counter() - begin
    whole = seconds(lambda: ours(mine, dyads), 2)
    table = Table(f"{dyads} dyads x 16 weeks", "tolerance", "largest error", "per dyad [ms]", "times ours")
    table.add_row("dyadloop, all at once", f"{mine:g}", f"{mine_error:.1e}", f"{1e3 * whole / dyads:.3f}", "1")
    for name, solver in (("SciPy LSODA, one by one", lsoda), ("libRoadRunner, one by one", runner())):
        with silence():
            tolerance, error = loosest(solver, expected)
            took = seconds(lambda solver=solver, tolerance=tolerance: solver(tolerance), 5)
        table.add_row(name, f"{tolerance:g}", f"{error:.1e}", f"{1e3 * took:.3f}", f"{took / (whole / dyads):.1f}")
    console.print(table)
    console.print(
        f"all {dyads} dyads: {whole:.2f} s; compiled once in about {compiled:.1f} s on {os.cpu_count()} cores"
    )

    growth = Table("how it grows", "dyads", "wall [s]", "per dyad [ms]")
    for count in (dyads // 4, dyads // 2, dyads):
        took = seconds(lambda count=count: ours(mine, count), 2)
        growth.add_row("dyads", str(count), f"{took:.2f}", f"{1e3 * took / count:.3f}")
    console.print(growth)

    stiff = Table("stiffness", "steps of a dyad", f"wall of {dyads // 4} dyads [s]")
    times = {}
    for tau in (60.0, 20.0, 5.0):
        values = {"tau_oxytocin": tau}
        steps = int(simulate(THEORY, tolerance=mine, values=values, **QUIET)["steps"][0])
        times[tau] = seconds(lambda values=values: ours(mine, dyads // 4, values=values), 2)
        stiff.add_row(f"oxytocin lasts {tau:g} min", str(steps), f"{times[tau]:.2f}")
    console.print(stiff)
    console.print(f"from 60 to 5 minutes: {times[5.0] / times[60.0]:.2f} times the wall time")
    limits(console, whole / dyads, mine)


def limits(console: Console, per_dyad: float, tolerance: float) -> None:
    """Say how far the run is from what the machine could do: arithmetic counted by XLA, memory by a plain copy."""
    steps = int(simulate(THEORY, tolerance=tolerance, **QUIET)["steps"][0])
    system = system_of(PLAN, PLAN.defaults())
    batch = jax.numpy.zeros((system.n_states, 512))
    pushed = jax.jit(lambda z: system.push(z, True)).lower(batch).compile().cost_analysis()
    cost = pushed[0] if isinstance(pushed, list) else pushed
    flops = steps * 6 * cost.get("flops", float("nan")) / 512
    square = jax.numpy.ones((1024, 1024))
    multiply = jax.jit(lambda a: a @ a)
    multiply(square).block_until_ready()
    rate = 2 * 1024**3 / seconds(lambda: multiply(square).block_until_ready(), 5)
    buffer = np.ones(2**25)
    copied = 2 * buffer.nbytes / seconds(buffer.copy, 3)
    moved = steps * 40 * system.n_states * 8  # a step reads and writes some 40 arrays of all states
    console.print(
        f"per dyad: {steps} steps, about {flops / 1e6:.2f} Mflop of equations, {moved / 1e6:.1f} MB of states moved; "
        f"this machine multiplies at {rate / 1e9:.0f} Gflop/s and copies {copied / 1e9:.1f} GB/s: "
        f"{flops / rate / per_dyad:.1%} of the arithmetic limit, {moved / copied / per_dyad:.0%} of the memory limit"
    )


START = ours(1e-3)[0]
RATES = {gate: written_out(gate) for gate in (True, False)}

if __name__ == "__main__":
    main()
