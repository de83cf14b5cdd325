"""NUTS in blocks: the state and draws of a chain are on disk after each, so a killed run goes on bit-identically."""

import threading
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array
from numpyro.infer.hmc import hmc

from dyadloop.errors import FitError, ResultError
from dyadloop.files import replacing
from dyadloop.inference.mode import Mode, Posterior
from dyadloop.likelihood.panel import Panel
from dyadloop.likelihood.programs import program
from dyadloop.machine import processors

Progress = Callable[[int, int, int], None]
"""Called with chain, iterations done and divergences so far."""
Count = Callable[[str, int, int], None]
"""Called with what is done, how much of it and of how much."""

_STATISTICS = ("diverging", "num_steps", "accept_prob", "potential_energy")


@dataclass(frozen=True)
class Settings:
    """How long and how often to sample.

    Without a number of ``draws`` a fit goes on until it has converged, see :mod:`dyadloop.inference.stopping`.

    Examples
    --------
    >>> settings = dl.Settings(chains=2, draws=700)
    >>> settings.warmup, settings.draws
    (200, 700)
    """

    chains: int = 4
    warmup: int = 200
    draws: int | None = 600
    block: int = 50
    target_accept: float = 0.85

    @property
    def iterations(self) -> int:
        """Iterations of a chain, warm-up included."""
        if self.draws is None:
            raise FitError("how long chains are is open: give a number of draws")
        return self.warmup + self.draws

    @property
    def pace(self) -> tuple[int, int, float]:
        """What the program of a chain depends on: warm-up, length of a block and acceptance aimed at."""
        return self.warmup, self.block, self.target_accept


def counted(count: Count, name: str, settings: Settings) -> Progress:
    """Return the progress of a sampler that tells the iterations of all chains together, under a name."""
    done: dict[int, int] = {}

    def step(chain: int, iterations: int, divergences: int) -> None:
        done[chain] = iterations
        count(name, sum(done.values()), settings.chains * settings.iterations)

    return step


class Interrupted(Exception):
    """Sampling was stopped by the user between two blocks; everything so far is on disk."""


@dataclass(frozen=True, eq=False)
class _Chain:
    """What starts a chain and what runs one block of it."""

    begin: Callable[..., tuple]
    block: Callable[..., tuple]


@lru_cache(maxsize=8)
def _compiled(posterior: Posterior, *pace: Any) -> _Chain:  # noqa: ANN401 - see :func:`_chain`
    """Compile a chain once for all data of one shape."""
    chain = _chain(posterior, *pace)
    return _Chain(program(chain.begin), program(chain.block))


@lru_cache(maxsize=8)
def _batched(posterior: Posterior, *pace: Any) -> _Chain:  # noqa: ANN401 - see :func:`_chain`
    """Compile several chains in step, one for each of several data sets."""
    chain = _chain(posterior, *pace)
    return _Chain(program(jax.vmap(chain.begin)), program(jax.vmap(chain.block)))


def _chain(posterior: Posterior, warmup: int, length: int, target_accept: float) -> _Chain:
    def potential(panel: Panel, center: Array, factor: Array) -> Callable[[Array], Array]:
        return lambda z: posterior.negative(center + factor @ z, panel)

    start, step = hmc(potential_fn_gen=potential, algo="NUTS")

    def begin(key: Array, *data: Any) -> tuple:  # noqa: ANN401 - panel, center and factor
        place = 0.5 * jax.random.normal(jax.random.fold_in(key, 1), (posterior.size,))
        return start(
            place,
            warmup,
            step_size=0.5,
            target_accept_prob=target_accept,
            max_tree_depth=8,
            model_args=data,
            rng_key=key,
        )

    def body(data: tuple, state: tuple) -> tuple[tuple, tuple]:
        state = step(state, model_args=data)
        return state, (state.z, *(getattr(state, name) for name in _STATISTICS))

    def block(state: tuple, *data: Any) -> tuple:  # noqa: ANN401 - panel, center and factor
        return jax.lax.scan(lambda now, _: body(data, now), state, None, length=length)

    return _Chain(begin, block)


def sample(
    posterior: Posterior,
    panel: Panel,
    mode: Mode,
    settings: Settings,
    seed: int,
    folder: Path,
    progress: Progress = lambda chain, done, divergences: None,
) -> dict[str, np.ndarray]:
    """Sample all chains, continuing whatever ``folder`` holds.

    Each chain is a thread that runs one compiled block after another, so its draws do not depend on how chains share
    the cores. How many cores there are does matter, for XLA divides its sums among them and so rounds differently.

    Returns
    -------
    dict[str, numpy.ndarray]
        ``position`` (chain, draw, parameter) on the unconstrained scale and the sampler's statistics (chain, draw),
        warm-up removed.

    Raises
    ------
    Interrupted
        On a keyboard interrupt, after the running blocks have been written.
    """
    data = (panel, jnp.asarray(mode.center), jnp.asarray(mode.factor))
    programs = _compiled(posterior, *settings.pace)
    keys = jax.random.split(jax.random.PRNGKey(seed), settings.chains)
    fresh = [programs.begin(key, *data) for key in keys]

    def block(state: tuple) -> tuple:
        return programs.block(state, *data)

    stop = threading.Event()

    def run(chain: int) -> dict[str, np.ndarray]:
        return _run_chain(chain, fresh[chain], block, settings, folder / f"chain-{chain + 1}.npz", stop, progress)

    with ThreadPoolExecutor(max_workers=min(settings.chains, processors())) as pool:
        futures = [pool.submit(run, chain) for chain in range(settings.chains)]
        try:
            chains = [future.result() for future in futures]
        except KeyboardInterrupt:
            stop.set()
            raise Interrupted from None
        except BaseException:
            stop.set()
            raise
    if stop.is_set():
        raise Interrupted
    kept = {name: np.stack([chain[name][settings.warmup :] for chain in chains]) for name in ("position", *_STATISTICS)}
    kept["position"] = mode.center + kept["position"] @ mode.factor.T
    return kept


def sample_batch(
    posterior: Posterior, panels: list[Panel], modes: list[Mode], settings: Settings, seeds: list[int]
) -> dict[str, np.ndarray]:
    """Sample one chain for each of several data sets of one shape, all in step; nothing is kept on disk.

    Returns
    -------
    dict[str, numpy.ndarray]
        ``position`` (data set, draw, parameter) and the sampler's statistics (data set, draw), warm-up removed.
    """
    programs = _batched(posterior, *settings.pace)
    center, factor = (np.stack([getattr(mode, name) for mode in modes]) for name in ("center", "factor"))
    data = (jax.tree.map(lambda *leaves: jnp.stack(leaves), *panels), jnp.asarray(center), jnp.asarray(factor))
    state = programs.begin(jnp.stack([jax.random.PRNGKey(seed) for seed in seeds]), *data)
    blocks = []
    for _ in range(-(-settings.iterations // settings.block)):
        state, new = programs.block(state, *data)
        blocks.append([np.asarray(values) for values in new])
    kept = slice(settings.warmup, settings.iterations)
    parts = [np.concatenate(part, axis=1)[:, kept] for part in zip(*blocks, strict=True)]
    found: dict[str, np.ndarray] = {n: part for n, part in zip(("position", *_STATISTICS), parts, strict=True)}
    found["position"] = center[:, None] + np.einsum("bij,bdj->bdi", factor, found["position"])
    return found


def _run_chain(
    chain: int,
    fresh: tuple,
    block: Callable,
    settings: Settings,
    path: Path,
    stop: threading.Event,
    progress: Progress,
) -> dict[str, np.ndarray]:
    state, draws = _load(path, fresh)
    names = ("position", *_STATISTICS)
    while len(draws["position"]) < settings.iterations and not stop.is_set():
        state, new = block(state)
        for name, values in zip(names, new, strict=True):
            values = np.asarray(values)
            draws[name] = np.concatenate([draws[name], values]) if len(draws[name]) else values
        _save(path, state, draws)
        progress(chain, len(draws["position"]), int(draws["diverging"][settings.warmup :].sum()))
    return {name: values[: settings.iterations] for name, values in draws.items()}


def _load(path: Path, fresh: tuple) -> tuple[tuple, dict[str, np.ndarray]]:
    names = ("position", *_STATISTICS)
    if not path.is_file():
        return fresh, {name: np.array([]) for name in names}
    leaves, structure = jax.tree.flatten(fresh)
    try:
        with np.load(path, allow_pickle=False) as stored:
            saved = [jnp.asarray(stored[f"state_{i}"]) for i in range(len(leaves))]
            draws = {name: stored[name] for name in names}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ResultError(
            f"{path}: not a readable block of draws ({error}); remove the file to sample it anew"
        ) from None
    return jax.tree.unflatten(structure, saved), draws


def _save(path: Path, state: tuple, draws: dict[str, np.ndarray]) -> None:
    leaves = {f"state_{i}": np.asarray(leaf) for i, leaf in enumerate(jax.tree.leaves(state))}
    write_npz(path, {**leaves, **draws})


def write_npz(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write arrays so that the file is there whole or not at all."""
    with replacing(path) as draft, draft.open("wb") as stream:
        np.savez(stream, allow_pickle=False, **arrays)
