"""Referees of a fit: what two regressions that every lab knows say of each arrow, with none of the fit's machinery.

Both predict a score from the scores of the occasion before, within persons. They know no error of measurement, so what
two answers share at one moment leaks into their cross-lags; a fit that says the opposite of them owes an explanation.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from scipy.stats import t as student

from dyadloop.appraisal.mixed_model import Products, fit_mixed
from dyadloop.appraisal.occasions import Occasions, occasions
from dyadloop.data import Study
from dyadloop.inference.problem import Problem, build_problem
from dyadloop.inference.result import problem_of
from dyadloop.observation.scaling import scale_scores
from dyadloop.theory import Theory, read_theory
from dyadloop.theory.nodes import pairs_of

REGRESSION, MULTILEVEL = "lag-1 regression", "multilevel VAR"
COLUMNS: tuple[str, ...] = (
    "arrow", "source", "target", "person", "method", "estimate", "se", "low", "high", "pairs", "dyads", "gap_days",
    "note",
)  # fmt: skip
"""Columns of the table of referees; low and high bound the 89 % interval."""
COVERAGE = 0.89
FEWEST_DYADS = 10
"""Dyads below which the coefficients of a multilevel VAR do not differ between dyads."""
_KEPT = 0.5  # a quantity enters beside source and target where it leaves at least this share of their pairs
_SHORT = 20  # pairs per dyad below which the bias of person-mean centring is told
_FLAT = 1e-10  # variance within dyads below which a column is constant


@dataclass(frozen=True)
class Route:
    """One arrow between two measured states, by their places among the measured ones."""

    arrow: str
    source: int
    target: int


def referees(
    source: xr.DataTree | Study, theory: Theory | None = None, *, gap_days: float | None = None
) -> pd.DataFrame:
    """Return what a within-person lag-1 regression and a multilevel VAR say of each arrow of a theory.

    Parameters
    ----------
    source
        Result of :func:`dyadloop.fit` or, before any fit, of :func:`dyadloop.read_study`.
    theory
        Theory whose arrows are asked about in a study; default: the one that study.yaml names. A fit has its own.
    gap_days
        Distance of the pairs of occasions [d]; default: the median distance of an occasion and the next. Pairs between
        half and one and a half of it are used, so that nights between prompts are not.

    Returns
    -------
    pandas.DataFrame
        Two rows per arrow, one per ``method``: ``arrow``, ``source``, ``target``, ``person``, ``method``, ``estimate``,
        ``se``, ``low`` and ``high`` of the 89 % interval, ``pairs``, ``dyads``, ``gap_days``, ``note``. ``estimate`` is
        the change of the target's next score per unit of the source's score now [SD within persons of both], given the
        scores of the target and of all other quantities now.

    Notes
    -----
    The regression has one intercept per dyad and standard errors clustered by dyad, with the small-sample correction of
    Stata and statsmodels and a t distribution with as many degrees of freedom as dyads less one. The multilevel VAR
    has random intercepts and, with at least 10 dyads, random slopes of person-mean centred scores. With T pairs per
    dyad, centring biases the own lag by about -(1 + lag) / T (Nickell 1981) and lets part of that into the others.
    What covariates of the study explain is taken out of the scores first; the standard errors do not know that.

    References
    ----------
    .. [1] Nickell (1981). doi:10.2307/1911408
    .. [2] Epskamp et al. (2018), multilevel VAR. doi:10.1080/00273171.2018.1454823

    Examples
    --------
    >>> table = dl.referees(dl.load_result("results/example"))
    >>> table["method"].unique().tolist()
    ['lag-1 regression', 'multilevel VAR']
    """
    if isinstance(source, Study):
        whole = theory or read_theory(source.info.theory, source.path)
        problem = build_problem(scale_scores(source), whole, None, source.info.priors)
    else:
        problem = problem_of(source)
    return refereed(problem, occasions(problem, gap_days))


def refereed(problem: Problem, seen: Occasions, methods: tuple[str, ...] = (REGRESSION, MULTILEVEL)) -> pd.DataFrame:
    """Return the referees' table of scores by occasion."""
    names = [problem.plan.names[state] for state in seen.states]
    found: dict[tuple[str, int, tuple[int, ...]], list[dict]] = {}
    rows = []
    for route in routes(problem, seen.states):
        chosen = predictors(seen, route)
        for method in methods:
            key = (method, route.target, chosen)
            if key not in found:
                found[key] = _fitted(seen, route.target, chosen, method)
            about = {
                "arrow": route.arrow,
                "source": names[route.source],
                "target": names[route.target],
                "person": problem.plan.states[seen.states[route.target]].person,
                "method": method,
            }
            rows.append(about | found[key][chosen.index(route.source)])
    return pd.DataFrame(rows, columns=list(COLUMNS))


def routes(problem: Problem, measured: tuple[int, ...]) -> Iterator[Route]:
    """Yield every arrow between two measured states; one of several sources once for each."""
    for coupling in problem.plan.couplings:
        for target, groups in pairs_of(coupling, problem.plan.states):
            for source in dict.fromkeys(node for group in groups for node in group):
                if source != target and {source, target} <= set(measured):
                    yield Route(coupling.id, measured.index(source), measured.index(target))


def predictors(seen: Occasions, route: Route) -> tuple[int, ...]:
    """Return the states that enter as predictors: source and target, and the others that keep half of the pairs."""
    both = {route.source, route.target}
    here = np.isfinite(seen.value)
    now, after = here[:, :-1], here[:, 1:, route.target] & seen.follows
    pairs = after & now[..., sorted(both)].all(axis=2)
    others = [k for k in range(here.shape[2]) if k not in both and (pairs & now[..., k]).sum() >= _KEPT * pairs.sum()]
    kept: list[int] = []
    for state in others:
        if (pairs & now[..., [*kept, state]].all(axis=2)).sum() >= _KEPT * pairs.sum():
            kept.append(state)
    return tuple(sorted({*both, *kept}))


@dataclass(frozen=True)
class _Pairs:
    """Pairs of occasions: predictors, target and dyad of each (pair, ...)."""

    before: np.ndarray
    after: np.ndarray
    dyad: np.ndarray

    def summed(self, values: np.ndarray) -> np.ndarray:
        """Return sums over the pairs of each dyad."""
        total = np.zeros((self.dyad.max(initial=-1) + 1, *values.shape[1:]))
        np.add.at(total, self.dyad, values)
        return total

    def centred(self, values: np.ndarray) -> np.ndarray:
        """Return values less the mean over the pairs of their dyad."""
        counts = self.summed(np.ones(len(values))).reshape(-1, *(1,) * (values.ndim - 1))
        return values - (self.summed(values) / counts)[self.dyad]


def _pairs(seen: Occasions, target: int, chosen: tuple[int, ...]) -> _Pairs:
    before, after = seen.value[:, :-1][..., list(chosen)], seen.value[:, 1:, target]
    here = seen.follows & np.isfinite(after) & np.isfinite(before).all(axis=2)
    dyad = np.unique(np.nonzero(here)[0], return_inverse=True)[1]
    level = np.broadcast_to(seen.level[:, None, target], after.shape)
    return _Pairs(before[here], np.stack([after[here], level[here]], axis=1), dyad)


def _fitted(seen: Occasions, target: int, chosen: tuple[int, ...], method: str) -> list[dict]:
    """Return estimate and interval of each predictor by one method."""
    pairs = _pairs(seen, target, chosen)
    n_pairs, n_dyads = len(pairs.dyad), int(pairs.dyad.max(initial=-1)) + 1
    about = {"pairs": n_pairs, "dyads": n_dyads, "gap_days": seen.gap}
    empty = {"estimate": np.nan, "se": np.nan, "low": np.nan, "high": np.nan}
    if n_pairs - n_dyads <= len(chosen):
        note = f"{n_pairs} pairs of occasions at this distance are too few for {len(chosen)} predictors"
        return [about | empty | {"note": note} for _ in chosen]
    design = pairs.centred(pairs.before)
    moving = design.var(axis=0) > _FLAT
    if np.linalg.matrix_rank(design[:, moving]) < moving.sum():
        return [about | empty | {"note": "predictors that determine each other within dyads"} for _ in chosen]
    run = _clustered if method == REGRESSION else _multilevel
    estimate, variance, note = run(pairs, np.flatnonzero(moving))
    reach = student.ppf((1 + COVERAGE) / 2, max(n_dyads - 1, 1))
    numbers = dict(zip(np.flatnonzero(moving).tolist(), zip(estimate, np.sqrt(variance), strict=True), strict=True))
    rows = []
    for place in range(len(chosen)):
        if place not in numbers:
            rows.append(about | empty | {"note": "it does not change within dyads"})
            continue
        middle, se = numbers[place]
        interval = {"se": se, "low": middle - reach * se, "high": middle + reach * se}
        rows.append(about | {"estimate": middle} | interval | {"note": note})
    return rows


def _short(pairs: _Pairs) -> list[str]:
    typical = float(np.median(np.bincount(pairs.dyad)))
    if typical >= _SHORT:
        return []
    return [f"{typical:.0f} pairs per dyad: centring lowers the own lag by about (1 + lag) / {typical:.0f}"]


def _clustered(pairs: _Pairs, moving: np.ndarray) -> tuple[np.ndarray, np.ndarray, str]:
    """Return least squares with an intercept per dyad and variances clustered by dyad."""
    design, target = pairs.centred(pairs.before[:, moving]), pairs.centred(pairs.after[:, 0])
    inverse = np.linalg.inv(design.T @ design)
    estimate = inverse @ (design.T @ target)
    pushes = pairs.summed(design * (target - design @ estimate)[:, None])
    n_pairs, n_dyads = len(target), len(pushes)
    if n_dyads < 2:
        return estimate, np.full(len(moving), np.nan), "one dyad: an estimate, and no interval over dyads"
    correction = n_dyads / (n_dyads - 1) * (n_pairs - 1) / (n_pairs - len(moving))
    variance = np.diag(inverse @ (pushes.T @ pushes) @ inverse) * correction
    return estimate, variance, "; ".join(_short(pairs))


def _multilevel(pairs: _Pairs, moving: np.ndarray) -> tuple[np.ndarray, np.ndarray, str]:
    """Return mean slopes of a regression with random intercepts and, where they can be estimated, random slopes."""
    n_dyads = int(pairs.dyad.max()) + 1
    none = np.full(len(moving), np.nan)
    if n_dyads < 2:
        return none, none, "one dyad: there is no level of dyads"
    design = np.concatenate([np.ones((len(pairs.dyad), 1)), pairs.before[:, moving]], axis=1)
    target = pairs.after.sum(axis=1)  # person means enter here: they are what random intercepts are
    whole = pairs.summed
    products = Products(
        whole(design[:, :, None] * design[:, None, :]), whole(design * target[:, None]), whole(target**2), len(target)
    )
    slopes = n_dyads >= FEWEST_DYADS and np.median(np.bincount(pairs.dyad)) > design.shape[1]
    found = fit_mixed(products, np.array([1.0, *[float(slopes)] * len(moving)]))
    notes = [*_short(pairs), *([] if slopes else ["random intercepts only: too few dyads or pairs for random slopes"])]
    return found.mean[1:], np.diag(found.covariance)[1:], "; ".join(notes)
