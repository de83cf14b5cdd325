"""Methods in words, for a manuscript: composed of what a fit had, and of the source that its theory file names."""

import json
import re

import numpy as np
import pandas as pd
import xarray as xr

from dyadloop.claims.claims_table import UNTESTABLE
from dyadloop.inference import convergence_faults
from dyadloop.inference.convergence import FAR_RHAT, MIN_ESS, sampling_fault
from dyadloop.inference.problem import Problem
from dyadloop.theory import Hypothesis, Theory

_DOI = re.compile(r"(?:doi:)?(10\.\d{4,}/\S+)")
_PMID = re.compile(r"pmid:(\d+)")
_OF_DYADS = "with an effect that differs between dyads (random slopes)"


def source_of(theory: Theory) -> tuple[str, str]:
    """Return what a theory file names as its source, as text and as an address; no address where it names none."""
    if doi := _DOI.fullmatch(theory.source):
        return f"doi:{doi[1]}", f"https://doi.org/{doi[1]}"
    if pmid := _PMID.fullmatch(theory.source):
        return f"pmid:{pmid[1]}", f"https://pubmed.ncbi.nlm.nih.gov/{pmid[1]}/"
    return theory.source, ""


def observation_times(problem: Problem) -> int:
    """Return at how many moments of all dyads something was measured; other moments are borders of sessions."""
    return int(np.isfinite(problem.scores["score"].values).any(axis=-1).sum())


def unconverged(post: xr.DataTree) -> dict[str, object] | None:
    """Return what a report says of sampling that has not converged, None where it has.

    The rule is the one by which claims are judged: one fault of the whole sampling withholds every verdict; else a
    claim is left undecided where its own estimand has not converged.
    """
    faults = convergence_faults(post)
    if not faults:
        return None
    if whole := sampling_fault(post):
        return {"head": "No claim is judged here", "why": f"{whole[0].upper()}{whole[1:]}.", "faults": faults}
    why = (
        f"No R-hat exceeds {FAR_RHAT:g}, so claims are judged one by one. A claim whose own estimand has not converged "
        "is left undecided, with that as its reason. The other verdicts hold; numbers of single parameters may change."
    )
    return {"head": "Not all parameters have converged", "why": why, "faults": faults}


def methods(post: xr.DataTree, problem: Problem, hypothesis: Hypothesis | None, table: pd.DataFrame) -> str:
    """Return a paragraph of methods that can be pasted into a manuscript.

    Parameters
    ----------
    post, problem
        A fit and its problem.
    hypothesis
        Rival that was fitted; None for a theory without rivals.
    table
        Claims table of the fit.
    """
    theory, scores = problem.plan.theory, problem.scores
    version = json.loads(post.attrs["versions"])["dyadloop"]
    what = f"hypothesis {hypothesis.id} ({hypothesis.title[0].lower()}{hypothesis.title[1:]}) of " if hypothesis else ""
    first = (
        f"We fitted {what}the theory “{theory.title}” ({source_of(theory)[0]}) to {scores.sizes['dyad']} dyads at "
        f"{observation_times(problem)} observation times as a continuous-time dynamic model with dyadloop {version}"
    )
    parts = [first, _levels(problem), *_covariates(problem, json.loads(post.attrs["study_info"])["covariates"])]
    parts += [_errors(problem), _priors(problem.priors, problem), _sampling(post, problem), _convergence(post)]
    return " ".join(f"{part}." for part in [*parts, *_judgement(problem, table)] if part)


def _levels(problem: Problem) -> str:
    """Say what states are, and what differs between dyads, therapists and plates."""
    names, levels = set(map(str, problem.priors.index)), problem.random_levels
    means = "person means, which are random effects"
    means += " with free correlations" if any(name.startswith("rho_between_") for name in names) else ""
    found = [f"States are deviations from {means}"]
    if any(name.startswith("rho_noise_") for name in names):
        found.append("what moves several states at one moment is correlated process noise")
    if levels.levels:
        found.append(f"{levels.n_therapists} therapists are a further level, with random effects on every quantity")
    if own := levels.random_parameters.names:
        found.append(f"{', '.join(own)} differ between therapists")
    if own := problem.random_parameters.names:
        found.append(f"{', '.join(own)} differ between dyads")
    if levels.indicators:
        found.append(f"{levels.n_plates} assay plates have random effects on their samples")
    return "; ".join(found)


def _covariates(problem: Problem, declared: dict[str, dict]) -> list[str]:
    """Return a sentence for each covariate that shifts a level."""
    observed, found = problem.observed, []
    for name in dict.fromkeys(covariate for covariate, _ in observed.effects):
        entry = declared.get(name, {})
        kind = "a linear trend over time" if entry.get("of") == "time" else f"the covariate {name}"
        on = ", ".join(state for covariate, state in observed.effects if covariate == name)
        slopes = f", {_OF_DYADS}" if any(covariate == name for covariate, _ in observed.varying) else ""
        found.append(f"Levels of {on} were shifted by {kind}{slopes}")
    return found


def _errors(problem: Problem) -> str:
    raters = problem.observed.raters
    if not raters.groups:
        return "Errors of measurement were independent"
    when = "at one time, or before and after one session," if raters.lasting else "at one time"
    number = dict(zip(problem.scores["indicator"].values, problem.scores["shared_error"].values.tolist(), strict=True))
    rater = [number[name] for name in problem.observed.indicators]
    both = any(rater[later] != rater[earlier] for later, earlier in raters.pairs)
    persons = ", and of those that both persons gave about one session" if both else ""
    return f"Errors of the answers that one person gave {when}{persons} were allowed to correlate"


def _priors(priors: pd.DataFrame, problem: Problem) -> str:
    """Say what the priors of arrows were like, from the table that was used."""
    arrows = [coupling.id for coupling in problem.plan.couplings if coupling.id in priors.index]
    if not arrows:
        return ""
    mine = priors.loc[arrows]
    where = "centred on 0" if (mine["location"] == 0).all() else f"with locations {_range(mine['location'])}"
    family = "normal" if (mine["family"] == "normal").all() else "normal or lognormal"
    return (
        f"Effects between states had {family} priors {where} (scales {_range(mine['scale'])}); all {len(priors)} "
        "priors are listed in the supplement"
    )


def _range(values: pd.Series) -> str:
    low, high = float(values.min()), float(values.max())
    return f"{low:.3g}" if low == high else f"{low:.3g} to {high:.3g}"


def _sampling(post: xr.DataTree, problem: Problem) -> str:
    settings = json.loads(post.attrs["settings"])
    linear = "an exact Kalman" if problem.plan.is_linear else "an approximate Gaussian"
    return (
        f"The likelihood came from {linear} filter; {settings['chains']} chains of {settings['draws']} draws were "
        f"sampled by NUTS after {settings['warmup']} warm-up draws (seed {post.attrs['seed']})"
    )


def _convergence(post: xr.DataTree) -> str:
    faults = convergence_faults(post)
    if not faults:
        return f"All R-hat were at most 1.01 and all effective sample sizes at least {MIN_ESS:g}"
    left = "no claim was judged" if sampling_fault(post) else "claims whose estimand had not converged were not judged"
    return f"The sampling had not converged ({'; '.join(faults)}); {left}"


def _judgement(problem: Problem, table: pd.DataFrame) -> list[str]:
    """Return how claims were judged; of randomised events only where a claim asks for them."""
    said = "Estimates are posterior medians with 89 % intervals"
    if (table["verdict"] == UNTESTABLE).all():
        return [said]
    judged = (
        "Each claim was judged against a region of practical equivalence declared beforehand, with probability 0.95"
    )
    events = any(claim.randomised_on for claim in problem.plan.theory.claims)
    return [said, judged + ("; claims that something acts were judged by randomised events alone" if events else "")]
