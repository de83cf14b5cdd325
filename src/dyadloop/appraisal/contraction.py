"""What the data of a study told of the parameters beyond their priors, and which directions they hardly told."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pandas as pd
import xarray as xr
from jaxtyping import Float

from dyadloop.data import Study, read_study
from dyadloop.errors import FitError
from dyadloop.inference.mode import constraining, find_mode, posterior_of
from dyadloop.inference.prior_scale import HARDLY, Scale
from dyadloop.inference.problem import Problem, build_problem
from dyadloop.inference.result import problem_of
from dyadloop.observation.scaling import scale_scores
from dyadloop.theory import Theory, read_theory

_DRAWS = 4000
_STAYED = 0.1  # contraction below which a parameter is as its prior has it


@dataclass(frozen=True)
class PracticalIdentifiability:
    """What data told.

    Attributes
    ----------
    parameters
        One row per parameter: ``label`` is its name in sentences; ``prior_sd`` and ``posterior_sd`` on the scale on
        which its prior is normal (``unit``, ``log`` where that is the logarithm), and ``contraction``, 1 minus their
        ratio: 0 where data told nothing.
    directions
        Combinations of parameters of which data told less than a tenth of what priors tell, the least told first:
        ``told`` (information of the data over that of the prior) and ``words``.
    rank
        Number of directions that are told, and of parameters.
    """

    parameters: pd.DataFrame
    directions: pd.DataFrame
    rank: tuple[int, int]

    def sentences(self) -> list[str]:
        """Return in plain words how much was told, what hardly, and which parameters stayed as their prior has them."""
        told, whole = self.rank
        most = self.parameters.sort_values("contraction")
        untold = most.loc[most["contraction"] < _STAYED, "label"].tolist()
        found = [f"Data tell of {told} of {whole} directions of the parameters, beyond a tenth of what priors tell."]
        found += [f"Hardly told: {words}." for words in self.directions["words"]]
        if untold:
            found.append(f"As the prior has it, within a tenth of its SD: {', '.join(untold)}.")
        return found


def practical_identifiability(
    source: xr.DataTree | Study | str | Path,
    theory: Theory | str | None = None,
    labels: Mapping[str, str] | None = None,
) -> PracticalIdentifiability:
    """Say what data told of the parameters of a fit, or what those of a study can tell before it is sampled.

    Parameters
    ----------
    source
        Result of :func:`dyadloop.fit`, a study, or its folder. For a study the posterior is approximated by its mode
        and the curvature there, which takes half a minute.
    theory
        Theory of a study; default: the one that it names.
    labels
        Words for parameters in sentences; default: their names.

    Returns
    -------
    PracticalIdentifiability
        Contraction of each parameter and the directions that are hardly told.

    Notes
    -----
    Directions are those of the posterior covariance in SD of the priors. They are found in one half of the draws and
    measured in the other, so that the noise of sampling is not taken for a lack of data. Auxiliary normals of values
    beyond a limit and of therapists do not count as parameters.

    Raises
    ------
    DataError
        If the study has faults.
    FitError
        If it measures nothing of the theory, or there are fewer draws than parameters.

    References
    ----------
    .. [1] Raue et al. (2009), structural and practical identifiability. doi:10.1093/bioinformatics/btp358

    Examples
    --------
    >>> found = dl.practical_identifiability(dl.load_result("results/example"))
    >>> found.parameters.columns.tolist()
    ['parameter', 'label', 'unit', 'prior_sd', 'posterior_sd', 'contraction']
    """
    if isinstance(source, xr.DataTree):
        problem, draws = problem_of(source), source["posterior"].to_dataset()
    else:
        study = source if isinstance(source, Study) else read_study(source)
        chosen = theory if isinstance(theory, Theory) else read_theory(theory or study.info.theory, study.path)
        problem = build_problem(scale_scores(study), chosen, None, study.info.priors)
        draws = _approximate(problem)
    scale = Scale.of(problem.priors)
    names = list(scale.names)
    points = scale.place({name: draws[name].values for name in names})
    words = {} if labels is None else labels
    scale = replace(scale, names=tuple(words.get(name, name) for name in names))
    standard = (points - scale.middle) / scale.sd
    first, second = _halves(standard)
    weak, rank = _directions(scale, scale.middle + scale.sd * standard.mean(axis=(0, 1)), first, second)
    spread = standard.std(axis=(0, 1), ddof=1)
    units = problem.priors["unit"].to_numpy()
    parameters = pd.DataFrame(
        {
            "parameter": names,
            "label": scale.names,
            "unit": np.where(scale.positive, "log", units),
            "prior_sd": scale.sd,
            "posterior_sd": scale.sd * spread,
            "contraction": 1 - spread,
        }
    )
    return PracticalIdentifiability(parameters, weak, rank)


def _approximate(problem: Problem) -> xr.Dataset:
    """Return draws from the normal approximation at the mode, as two chains."""
    posterior = posterior_of(problem)
    mode = find_mode(problem, posterior, seed=1, starts=2)
    normal = np.random.default_rng(1).standard_normal((_DRAWS, posterior.size))
    values = constraining(problem)(jnp.asarray(mode.center + normal @ mode.factor.T))
    return xr.Dataset({name: (("chain", "draw"), np.asarray(values[name]).reshape(2, -1)) for name in posterior.names})


def _halves(points: Float[np.ndarray, "chain draw parameter"]) -> tuple[np.ndarray, np.ndarray]:
    """Return two halves of the draws: of the chains where there are several, else of the one chain."""
    size = points.shape[-1]
    if len(points) > 1:
        return points[::2].reshape(-1, size), points[1::2].reshape(-1, size)
    first, second = np.array_split(points[0], 2)
    return first, second


def _directions(
    scale: Scale, point: np.ndarray, first: np.ndarray, second: np.ndarray
) -> tuple[pd.DataFrame, tuple[int, int]]:
    """Return what is hardly told, in words, and how many directions are told.

    Raises
    ------
    FitError
        If there are fewer draws than parameters.
    """
    size = first.shape[1]
    if min(len(first), len(second)) <= size:
        count = len(first) + len(second)
        raise FitError(f"{count} draws: expected more than {2 * size} for {size} parameters; sample more draws")
    _, vectors = np.linalg.eigh(np.cov(first, rowvar=False))
    rest = second - second.mean(axis=0)
    variances = ((rest @ vectors) ** 2).sum(axis=0) / (len(rest) - 1)
    told = np.maximum(1.0 / variances - 1.0, 0.0)
    order = [int(place) for place in np.argsort(told, kind="stable") if told[place] < HARDLY]
    rows = [{"told": float(told[k]), "words": scale.in_words(point, vectors[:, k])} for k in order]
    return pd.DataFrame(rows, columns=["told", "words"]), (size - len(rows), size)
