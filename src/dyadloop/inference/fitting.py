"""Fit a theory to a study: mode, blocks of NUTS, diagnostics, one labelled result."""

import json
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import xarray as xr

from dyadloop.data import Study
from dyadloop.errors import ResultError
from dyadloop.files import folder_or_temporary, write_text
from dyadloop.inference.cache import Cache
from dyadloop.inference.call import Call, call_in_python
from dyadloop.inference.convergence import diagnose
from dyadloop.inference.mode import Mode, Posterior, distribution, find_mode, posterior_of
from dyadloop.inference.problem import Problem, build_problem, priors_to_json
from dyadloop.inference.recall import overlapping
from dyadloop.inference.result import RESULT_SCHEMA, remember, save_result, versions
from dyadloop.inference.sampling import Progress, Settings, sample, write_npz
from dyadloop.inference.sampling_interval import proposal
from dyadloop.inference.stopping import FIRST_DRAWS, Promise, converged, outlook
from dyadloop.likelihood.propagation import STEPS
from dyadloop.observation.scaling import scale_scores
from dyadloop.theory import Theory, read_theory

N_PRIOR_DRAWS = 4000
_STATE_FILE = "fit.json"


def fit(
    study: Study,
    theory: Theory | None = None,
    *,
    priors: pd.DataFrame | None = None,
    seed: int = 1,
    settings: Settings | None = None,
    folder: str | Path | None = None,
    progress: Progress = lambda chain, done, divergences: None,
    message: Callable[[str], None] = lambda text: None,
    call: Call | None = None,
    promise: Promise = converged,
) -> xr.DataTree:
    """Fit a theory to a study with NUTS.

    Only the parts of the theory that the study measures enter: without oxytocin the direct network of components
    (M5), with it the reciprocal hypothesis (M3), unless ``theory`` is already a named hypothesis.

    Parameters
    ----------
    study
        Result of :func:`dyadloop.read_study`.
    theory
        Theory; default: the one that study.yaml names.
    priors
        Rows that replace priors, in the form of :func:`dyadloop.priors`.
    seed
        Seed of starts and chains.
    settings
        Chains, warm-up and draws; ``draws=None`` goes on until nothing is lacking, at most 6,000 draws a chain.
    folder
        Folder that keeps the draws while they are made; the same call goes on where an earlier one was killed.
    progress, message
        Called after each block, and at each stage.
    call
        The call to record in the result, where it was made on the command line.
    promise
        Says what a posterior still lacks where the number of draws is open; default: convergence of all parameters.

    Returns
    -------
    xarray.DataTree
        Groups ``posterior``, ``prior``, ``log_likelihood`` (of each dyad), ``sample_stats``, ``diagnostics`` and
        ``observed_data`` in the ArviZ schema; ``auxiliary`` holds the standard normals of values not seen as
        numbers, of therapists and of plates, where there are any.

    Raises
    ------
    FitError
        If the study and the theory have nothing in common.
    ResultError
        If ``folder`` holds another fit.

    Examples
    --------
    >>> reciprocal = dl.hypothesis("reciprocal", dl.read_theory("framework_linear"))
    >>> theory = dl.keep(reciprocal, ["oxytocin", "trust", "depression"])
    >>> study, settings = dl.read_study("results/example-study"), dl.Settings(chains=2, warmup=200, draws=700)
    >>> post = dl.fit(study, theory, seed=2, settings=settings, folder="results/example")
    >>> round(float(post["posterior"]["a_trust"].median()), 1), "truth 0.3"
    (0.3, 'truth 0.3')
    """
    settings = settings or Settings()
    theory = theory or read_theory(study.info.theory, study.path)
    problem = build_problem(scale_scores(study), theory, priors, study.info.priors)
    if block := proposal(problem):
        message(f"priors of time constants do not suit how often this study measures; in study.yaml:\n{block}")
    for text in overlapping(problem).values():
        message(text)
    made = call or call_in_python(study, theory, priors, seed, settings)
    with folder_or_temporary(None if folder is None else Path(folder) / "chains") as chains:
        # the programs of the sampler are large and serve no other purpose
        light = replace(problem, cache=Cache())
        post = fit_in(
            chains, study, problem, seed, settings, progress, message, promise=lambda _, post: promise(light, post)
        )
    post.attrs["call"] = json.dumps(vars(made))
    remember(post, light)
    if folder is not None:
        save_result(post, folder)
    return post


def fit_in(
    folder: Path,
    study: Study,
    problem: Problem,
    seed: int,
    settings: Settings,
    progress: Progress,
    message: Callable[[str], None],
    like: Path | None = None,
    promise: Promise = converged,
) -> xr.DataTree:
    """Fit a problem whose draws are kept in ``folder`` while they are made.

    ``like`` is the folder of a fit of almost the same problem: its mode centres and whitens this one, which changes
    how well the sampler moves and nothing else.
    """
    _stamp_folder(folder, problem, seed, settings)
    message(
        f"{len(problem.priors)} parameters, {int(problem.panel.seen.sum())} values: compiling and searching the mode"
    )
    posterior = posterior_of(problem)
    mode = _mode((like or folder) / "mode.npz", problem, posterior, seed)
    message(f"mode found: {_agreement(mode.agreeing, mode.starts)}; sampling")
    prior = _with_ties(problem, prior_draws(problem.priors, seed))
    # of a run that goes on it is not known how many of its iterations this process makes
    wanted, made = settings.draws or FIRST_DRAWS, 0 if any(folder.glob("chain-*.npz")) else -settings.warmup
    while True:
        taken, began = replace(settings, draws=wanted), time.monotonic()
        drawn = sample(posterior, problem.panel, mode, taken, seed, folder, progress)
        draws = _posterior(problem, posterior, drawn["position"])
        tree = diagnose(_tree(problem, draws, prior, _statistics(drawn)))
        ahead = None if settings.draws else outlook(problem, tree, wanted, promise)
        if ahead is None:
            break
        message(ahead.told(wanted, (time.monotonic() - began) / (wanted - made) if made else None))
        wanted, made = ahead.next_draws, wanted
    tree["log_likelihood"] = xr.DataTree(xr.Dataset({"dyads": problem.pointwise(draws)}))
    tree["observed_data"] = xr.DataTree(_storable(problem.scores))
    tree.attrs |= _attributes(study, problem, mode, seed, taken)
    return tree


def _agreement(agreeing: int, starts: int) -> str:
    """Return in words how many searches for the mode ended at the highest one, and that few are no fault."""
    if agreeing > 1:
        return f"{agreeing} of {starts} searches ended there"
    return f"the highest of {starts} searches, which ended at different points; the sampler starts near it all the same"


def _tree(problem: Problem, draws: xr.Dataset, prior: xr.Dataset, statistics: xr.Dataset) -> xr.DataTree:
    """Return draws with those of the prior and what the sampler says of them."""
    normals = list(problem.normals)
    auxiliary = {"auxiliary": draws[normals]} if normals else {}
    posterior = _with_ties(problem, draws.drop_vars(normals))
    return xr.DataTree.from_dict({"posterior": posterior, **auxiliary, "prior": prior, "sample_stats": statistics})


def _stamp_folder(folder: Path, problem: Problem, seed: int, settings: Settings) -> None:
    """Note what is fitted here, or refuse to mix two fits."""
    # more draws go on where fewer ended, so their number is no part of what is fitted
    fixed = {name: value for name, value in vars(settings).items() if name != "draws"}
    wanted = {"fingerprint": problem.fingerprint, "seed": seed, "settings": fixed, "versions": versions()}
    path = folder / _STATE_FILE
    if path.is_file():
        if json.loads(path.read_text(encoding="utf-8")) != wanted:
            raise ResultError(
                f"{folder}: holds draws of another study, theory, seed, setting or version; choose another folder or "
                "remove this one"
            )
        return
    write_text(path, json.dumps(wanted, indent=2) + "\n")


def _mode(path: Path, problem: Problem, posterior: Posterior, seed: int) -> Mode:
    if path.is_file():
        try:
            with np.load(path, allow_pickle=False) as stored:
                numbers = {name: stored[name] for name in ("center", "factor", "log_density", "starts", "agreeing")}
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise ResultError(f"{path}: not a readable mode ({error}); remove the folder to fit anew") from None
        return Mode(
            numbers["center"],
            numbers["factor"],
            float(numbers["log_density"]),
            int(numbers["starts"]),
            int(numbers["agreeing"]),
        )
    mode = find_mode(problem, posterior, seed)
    write_npz(path, {name: np.asarray(value) for name, value in vars(mode).items()})
    return mode


def _posterior(problem: Problem, posterior: Posterior, position: np.ndarray) -> xr.Dataset:
    values = jax.vmap(jax.vmap(posterior.constrain))(jnp.asarray(position))
    data: dict[str, tuple] = {
        str(name): (("chain", "draw"), np.asarray(values[name]), {"units": str(problem.priors.loc[name, "unit"])})
        for name in problem.priors.index
    }
    for name in problem.normals:
        data[name] = (("chain", "draw", f"{name}_number"), np.asarray(values[name]), {"units": "1"})
    chains, draws = position.shape[:2]
    return xr.Dataset(data, coords={"chain": np.arange(chains), "draw": np.arange(draws)})


def _with_ties(problem: Problem, draws: xr.Dataset) -> xr.Dataset:
    """Return draws with the parameters of a partner that are those of the other."""
    ties = (*problem.plan.ties, *problem.observed.ties)
    return draws.assign({name: draws[own] for name, own in ties if own in draws})


def prior_draws(priors: pd.DataFrame, seed: int, n_draws: int = N_PRIOR_DRAWS) -> xr.Dataset:
    """Return draws from the priors, one chain."""
    key = jax.random.key(seed)
    data = {
        str(name): (
            ("chain", "draw"),
            np.asarray(distribution(row).sample(jax.random.fold_in(key, index), (1, n_draws))),
            {"units": str(row["unit"])},
        )
        for index, (name, row) in enumerate(priors.iterrows())
    }
    return xr.Dataset(data, coords={"chain": [0], "draw": np.arange(n_draws)})


def _statistics(drawn: dict[str, np.ndarray]) -> xr.Dataset:
    names = {
        "diverging": "diverging",
        "num_steps": "n_steps",
        "accept_prob": "acceptance_rate",
        "potential_energy": "lp",
    }
    data = {new: (("chain", "draw"), -drawn[old] if new == "lp" else drawn[old]) for old, new in names.items()}
    return xr.Dataset({name: (dims, np.asarray(v).astype(float)) for name, (dims, v) in data.items()})


def _filter(problem: Problem) -> str:
    """Say which filter a fit rests on."""
    if problem.plan.is_linear:
        return "exact linear-Gaussian filter"
    return f"cubature filter, {STEPS} steps per interval, which only approximates the likelihood"


def _storable(scores: xr.Dataset) -> xr.Dataset:
    """Return scores as NetCDF can hold them: no booleans, no empty dimension."""
    scores = scores.assign(in_session=scores["in_session"].astype("int8"))
    return scores.drop_dims([name for name in ("event", "covariate") if not scores.sizes[name]])


def _attributes(study: Study, problem: Problem, mode: Mode, seed: int, settings: Settings) -> dict[str, object]:
    schedule = problem.schedule
    return {
        "result_schema": RESULT_SCHEMA,
        "study": study.info.name,
        "study_info": study.info.model_dump_json(),
        "study_digest": study.digest,
        "simulated": int(study.info.simulated),
        "theory": problem.plan.theory.model_dump_json(by_alias=True),
        "hypothesis": problem.plan.theory.hypothesis or "",
        "fingerprint": problem.fingerprint,
        "priors": priors_to_json(problem.priors),
        "schedule": json.dumps(None if schedule is None else vars(schedule)),
        "oxytocin_timescale": problem.oxytocin_timescale,
        "left_out": json.dumps(problem.left_out),
        "seed": seed,
        "settings": json.dumps(vars(settings)),
        "solver": f"{_filter(problem)}; NUTS on a Laplace-whitened space",
        "kinds": json.dumps(problem.panel.counts()),
        "mode_starts": mode.starts,
        "mode_agreeing": mode.agreeing,
        "versions": json.dumps(versions()),
    }
