"""Put a fit beside what the field calls RI-CLPM and DSEM: the same data, the same effect at the next occasion.

Run from the repository: ``python docs/panels.py [--school]``; prints a table of docs/alliance.md. The simulated study
is that of the page; with ``--school`` it is the shipped real one. The other models are written here from their
published definitions and fitted by maximum likelihood with every value that is there:

- RI-CLPM: y_it = mean_t + trait_i + w_it, w_it = B w_i(t-1) + u_it; the first wave has a covariance of its own
  (Hamaker, Kuiper & Grasman 2015, doi:10.1037/a0038889), with paths and residuals equal over waves.
- DSEM: y_it = mean_i + w_it, the same B from a start at rest, and in a second column an independent error of
  measurement (Asparouhov, Hamaker & Muthen 2018, doi:10.1080/10705511.2017.1406803; Schuurman & Hamaker 2019,
  doi:10.1037/met0000188), with slopes that do not differ between persons.

Both take occasions as equally spaced. The fit is taken at its mode, with the curvature there.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import xarray as xr
from jaxtyping import Array, Float
from scipy.optimize import minimize

import dyadloop as dl
from dyadloop.appraisal.lagged import effects_of
from dyadloop.appraisal.occasions import Occasions, occasions
from dyadloop.appraisal.regressions import MULTILEVEL, refereed
from dyadloop.inference.mode import find_mode, posterior_of
from dyadloop.inference.problem import Problem, build_problem
from dyadloop.likelihood.programs import program

ROOT = Path(__file__).parent.parent
DRAWS = 400
STEP = 1e-4  # of the central differences of exact gradients
WAVES = 10  # of the real study: waves beyond these make RI-CLPM slow
REACH = 1.598  # standard errors to each end of an 89 % interval
Values = Float[np.ndarray, "person wave variable"]


@dataclass(frozen=True)
class Paths:
    """Lagged paths, target by source, with standard errors."""

    paths: Float[np.ndarray, "variable variable"]
    se: Float[np.ndarray, "variable variable"]


def ri_clpm(values: Values) -> Paths:
    """Fit a random-intercept cross-lagged panel model with equal paths and residuals over waves."""
    waves, size = values.shape[1:]

    def parts(vector: Array) -> tuple[Array, Array]:
        take = _Taker(vector)
        paths, mean = take(size, size), take(waves, size)
        first, residual, trait = (take.covariance(size) for _ in range(3))
        return mean.ravel(), _covariance(paths, first, residual, trait, waves)

    mean = np.nan_to_num(np.nanmean(values, axis=0))
    return _fitted(values, parts, [np.eye(size).ravel() * 0.2, mean.ravel(), *_starts(size, (0.8, 0.7, 0.7))])


def dsem(values: Values, error: bool = False) -> Paths:
    """Fit a vector autoregression around random means from a start at rest, with errors of measurement or without."""
    waves, size = values.shape[1:]

    def parts(vector: Array) -> tuple[Array, Array]:
        take = _Taker(vector)
        paths, mean = take(size, size), take(size)
        residual, trait = (take.covariance(size) for _ in range(2))
        noise = jnp.exp(2.0 * take(size)) if error else jnp.zeros(size)
        rest = jnp.linalg.solve(jnp.eye(size**2) - jnp.kron(paths, paths), residual.ravel()).reshape(size, size)
        whole = _covariance(paths, rest, residual, trait, waves)
        return jnp.tile(mean, waves), whole + jnp.diag(jnp.tile(noise, waves))

    mean = np.nan_to_num(np.nanmean(values, axis=(0, 1)))
    starts = [np.eye(size).ravel() * 0.2, mean, *_starts(size, (0.7, 0.7))]
    return _fitted(values, parts, [*starts, np.full(size, -1.0)] if error else starts)


class _Taker:
    """Takes arrays off the front of a vector, one after the other."""

    def __init__(self, vector: Array) -> None:
        self.vector, self.place = vector, 0

    def __call__(self, *shape: int) -> Array:
        count = int(np.prod(shape))
        self.place += count
        return self.vector[self.place - count : self.place].reshape(shape)

    def covariance(self, size: int) -> Array:
        """Return a covariance from logarithms of the diagonal of its factor and what is below it."""
        logs, below = self(size), self(size * (size - 1) // 2)
        factor = jnp.diag(jnp.exp(logs)).at[np.tril_indices(size, -1)].set(below)
        return factor @ factor.T


def _starts(size: int, sds: tuple[float, ...]) -> list[np.ndarray]:
    below = np.zeros(size * (size - 1) // 2)
    return [np.concatenate([np.full(size, np.log(sd)), below]) for sd in sds]


def _covariance(paths: Array, first: Array, residual: Array, trait: Array, waves: int) -> Array:
    """Return the covariance of all waves, variables within waves: w = (powers of the paths) shocks, and the trait."""
    size = len(paths)
    powers = jax.lax.scan(lambda power, _: (paths @ power, power), jnp.eye(size), None, length=waves)[1]
    lag = np.arange(waves)[:, None] - np.arange(waves)[None, :]
    blocks = jnp.where((lag >= 0)[..., None, None], powers[np.maximum(lag, 0)], 0.0)
    passed = blocks.transpose(0, 2, 1, 3).reshape(waves * size, waves * size)
    shocks = jax.scipy.linalg.block_diag(first, *[residual] * (waves - 1))
    return passed @ shocks @ passed.T + jnp.tile(trait, (waves, waves))


def _fitted(values: Values, parts: Callable[[Array], tuple[Array, Array]], starts: list[np.ndarray]) -> Paths:
    """Return the paths at the maximum of the likelihood of what is there, with errors from the curvature."""
    flat = values.reshape(len(values), -1)
    flat = flat[np.isfinite(flat).any(axis=1)]
    seen, data = jnp.asarray(np.isfinite(flat)), jnp.asarray(np.nan_to_num(flat))

    def negative(vector: Array) -> Array:
        mean, whole = parts(vector)

        def one(here: Array, row: Array) -> Array:
            left = jnp.where(here, row - mean, 0.0)
            both = here[:, None] & here[None, :]
            factor = jnp.linalg.cholesky(jnp.where(both, whole, jnp.diag(jnp.where(here, 0.0, 1.0))))
            scaled = jax.scipy.linalg.solve_triangular(factor, left, lower=True)
            return 0.5 * scaled @ scaled + jnp.log(jnp.diag(factor)).sum()

        return jax.vmap(one)(seen, data).sum()

    slope = program(jax.value_and_grad(negative))

    def value(vector: np.ndarray) -> tuple[float, np.ndarray]:
        height, gradient = slope(jnp.asarray(vector))
        if not np.isfinite(height):
            return 1e12, np.zeros(len(vector))
        return float(height), np.asarray(gradient)

    found = minimize(value, np.concatenate(starts), jac=True, method="BFGS", options={"gtol": 1e-4, "maxiter": 2000})
    steps = STEP * np.eye(len(found.x))
    curvature = np.array([(value(found.x + step)[1] - value(found.x - step)[1]) / (2 * STEP) for step in steps])
    curvature = (curvature + curvature.T) / 2
    size = values.shape[2]
    paths = found.x[: size**2].reshape(size, size)
    return Paths(paths, np.sqrt(np.diag(np.linalg.inv(curvature))[: size**2]).reshape(size, size))


def at_mode(problem: Problem, info: str) -> xr.DataTree:
    """Return draws from the normal at the mode of a fit, in the groups that its tables read."""
    posterior = posterior_of(problem)
    mode = find_mode(problem, posterior, seed=1, starts=2)
    normals = np.random.default_rng(1).standard_normal((DRAWS, posterior.size))
    values = program(jax.vmap(posterior.constrain))(jnp.asarray(mode.center + normals @ mode.factor.T))
    return _tree({name: np.asarray(values[name]) for name in posterior.names}, info)


def _tree(values: dict[str, np.ndarray], info: str) -> xr.DataTree:
    data = {name: (("chain", "draw"), draws[None]) for name, draws in values.items()}
    tree = xr.DataTree.from_dict({"posterior": xr.Dataset(data, coords={"chain": [0]})})
    tree.attrs = {"seed": 1, "study_info": info}
    return tree


def table(
    study: dl.Study,
    truth: dict[str, float] | None = None,
    points: dict[str, float] | None = None,
    waves: int | None = None,
) -> pd.DataFrame:
    """Return each effect at the next occasion by each model, per unit of the source's score, with standard errors.

    Parameters
    ----------
    study
        Study whose theory is fitted.
    truth, points
        Parameters that a simulated study was made with, and points of each indicator per unit of the theory.
    waves
        Moments of each dyad that are kept, from the first, in a study whose sessions are moments; default: all.
    """
    info = study.info.model_dump_json()
    scores = dl.scale_scores(study).isel(time=slice(0, waves))
    problem = build_problem(scores, dl.read_theory(study.info.theory), None, study.info.priors)
    seen = occasions(problem)
    ours = effects_of(problem, at_mode(problem, info), seen)
    values = seen.value + seen.level[:, None, :]
    models = {"RI-CLPM": ri_clpm(values), "DSEM": dsem(values), "DSEM with error": dsem(values, error=True)}
    multilevel = refereed(problem, seen, (MULTILEVEL,)).set_index("arrow")
    names = [problem.plan.names[state] for state in seen.states]
    true = {} if truth is None else _true(problem, seen, truth, points or {}, info)
    rows = []
    for _, row in ours.iterrows():
        target, source = names.index(str(row["target"])), names.index(str(row["source"]))
        se = (row["slope_high"] - row["slope_low"]) / (2 * REACH)
        found = {"effect": f"{row['source']} -> {row['target']}"}
        found |= {"truth": f"{true[row['arrow']]:.2f}"} if true else {}
        found |= {"this fit": _told(row["slope"], se)}
        found |= {name: _told(m.paths[target, source], m.se[target, source]) for name, m in models.items()}
        own = multilevel.loc[row["arrow"]]
        signs = {
            np.sign(row["slope"]),
            np.sign(own["estimate"]),
            *(np.sign(m.paths[target, source]) for m in models.values()),
        }
        found |= {MULTILEVEL: _told(own["estimate"], own["se"]), "one sign": "yes" if len(signs) == 1 else "no"}
        rows.append(found)
    return pd.DataFrame(rows)


def _told(estimate: float, se: float) -> str:
    return f"{estimate:.2f} ({se:.2f})"


def _true(problem: Problem, seen: Occasions, truth: dict[str, float], points: dict[str, float], info: str) -> dict:
    """Return the true effects per unit of the source's score; scores of a study have units of their own."""
    values = {str(name): np.full(2, truth.get(str(name), 0.0)) for name in problem.priors.index}
    found = effects_of(problem, _tree(values, info), seen)
    unit = {}
    for index, state in enumerate(problem.observed.states):
        name = problem.observed.indicators[index]
        unit[problem.plan.names[state]] = float(problem.scores["scale"].sel(indicator=name)) / points.get(name, 1.0)
    return {row["arrow"]: row["slope"] * unit[row["source"]] / unit[row["target"]] for _, row in found.iterrows()}


def main() -> None:
    """Print the table of the simulated study, or of the real one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--school", action="store_true", help="the shipped real study instead of the simulated one")
    if parser.parse_args().school:
        found = table(dl.read_study(ROOT / "examples" / "school"), waves=WAVES)
    else:
        with TemporaryDirectory() as scratch:
            folder = dl.simulate_alliance(Path(scratch) / "simulated-alliance")
            truth = json.loads((folder / "truth.json").read_text())["values"]
            points = {"wai_patient": 4.0, "wai_therapist": 3.0, "phq9": 3.0}
            found = table(dl.read_study(folder), truth, points)
    lines = [found.columns.tolist(), ["---"] * len(found.columns), *found.to_numpy().tolist()]
    print("\n".join(f"| {' | '.join(line)} |" for line in lines))


if __name__ == "__main__":
    main()
