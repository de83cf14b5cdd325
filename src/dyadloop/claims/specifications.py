"""A study under other defensible choices: whether a verdict hangs on how the data were read."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from dyadloop.claims.claims_table import UNTESTABLE, judge_claims
from dyadloop.data import Study
from dyadloop.data.names import known_names
from dyadloop.errors import FitError
from dyadloop.files import folder_or_temporary, sha256
from dyadloop.inference.convergence import convergence_faults
from dyadloop.inference.fitting import fit
from dyadloop.inference.result import file_name
from dyadloop.inference.sampling import Count, Settings, counted
from dyadloop.observation.kinds import kinds
from dyadloop.theory import Theory

DECLARED = "declared"
_LEAST = 0.25  # share of dyads, those with the fewest values, that a choice leaves out


def multiverse_options(study: Study) -> dict[str, Study]:
    """Return the study with one choice after the other made otherwise, by a name that says which.

    ``without_X`` and ``with_X``: an indicator that is used is not, or the reverse; ``continuous_X``, ``borders_X``,
    ``ends_X`` ...: declared otherwise, as its kind of observation allows (:meth:`Kind.alternatives`); ``error_X``: a
    declared reliability estimated instead; ``without_covariate_X``; ``without_therapists``: patients of one therapist
    taken as unrelated; ``without_least_observed``: without the quarter of the dyads that has the fewest values.

    Examples
    --------
    >>> sorted(dl.multiverse_options(dl.read_study("results/example-study")))[:3]
    ['without_alliance', 'without_depression', 'without_least_observed']
    """
    found: dict[str, Study] = {}
    used = [name for name, entry in study.info.indicators.items() if entry.use]
    for name, entry in study.info.indicators.items():
        if not entry.use:
            found[f"with_{name}"] = _with_indicator(study, name, use=True)
            continue
        if len(used) > 1:
            found[f"without_{name}"] = _with_indicator(study, name, use=False)
        for kind in kinds():
            for choice, changes in kind.alternatives(entry).items():
                found[f"{choice}_{name}"] = _with_indicator(study, name, **changes)
        if entry.reliability is not None:
            found[f"error_{name}"] = _with_indicator(study, name, reliability=None)
    for name in study.info.covariates:
        rest = {other: entry for other, entry in study.info.covariates.items() if other != name}
        found[f"without_covariate_{name}"] = replace(study, info=study.info.model_copy(update={"covariates": rest}))
    if any(study.therapists):
        found["without_therapists"] = replace(study, participants=study.participants.assign(therapist=""))
    counts = study.measurements["dyad"].value_counts().reindex(study.dyads).fillna(0).sort_values(kind="stable")
    if n_least := int(_LEAST * len(counts)):
        found["without_least_observed"] = _without_dyads(study, counts.index[:n_least].tolist())
    named: dict[str, Study] = {}
    for name, other in found.items():
        plain = file_name(name)
        while plain in named:  # two indicators that differ in a sign that no file name takes
            plain += "_"
        named[plain] = _renewed(other, name)
    return named


def multiverse(
    study: Study,
    theory: Theory | None = None,
    *,
    only: list[str] | None = None,
    priors: pd.DataFrame | None = None,
    seed: int = 1,
    settings: Settings | None = None,
    folder: str | Path | None = None,
    progress: Count = lambda name, done, total: None,
    message: Callable[[str], None] = lambda text: None,
) -> pd.DataFrame:
    """Fit a study as it is declared and with each other defensible choice, and judge the claims each time.

    Parameters
    ----------
    study, theory, priors, seed, settings
        As in :func:`dyadloop.fit`.
    only
        Names of the choices to take; default: all that :func:`multiverse_options` finds.
    folder
        Folder that keeps each fit; the same call goes on where an earlier one was killed.
    progress, message
        Called while sampling, and at each stage.

    Returns
    -------
    pandas.DataFrame
        One row per ``choice`` and ``claim``: ``statement``, ``median``, ``low`` and ``high`` (89 %), ``verdict``, and
        ``converged``. The first choice is ``declared``.

    Raises
    ------
    FitError
        If a choice is unknown or there is none, or the study as declared cannot be fitted.

    References
    ----------
    .. [1] Steegen et al. (2016), the multiverse of an analysis. doi:10.1177/1745691616658637

    Examples
    --------
    >>> study = dl.read_study("results/example-study")
    >>> network = dl.hypothesis("network", dl.read_theory("framework_linear"))
    >>> theory = dl.keep(network, ["trust", "depression"])
    >>> short = dl.Settings(chains=1, warmup=50, draws=50)  # far too short to conclude from
    >>> table = dl.multiverse(study, theory, only=["without_least_observed"], settings=short)
    >>> sorted(table["choice"].unique())
    ['declared', 'without_least_observed']
    """
    found = multiverse_options(study)
    unknown = sorted(set(only or ()) - set(found))
    if unknown or not found:
        raise FitError(f"{', '.join(unknown) or 'this study'}: no other choice; known: {known_names(found, *unknown)}")
    chosen = {DECLARED: study, **{name: other for name, other in found.items() if only is None or name in only}}
    settings, tables = settings or Settings(), []
    with folder_or_temporary(folder) as kept:
        for name, other in chosen.items():
            message(f"choice {name}")
            try:
                post = fit(
                    other, theory, priors=priors, seed=seed, settings=settings, folder=kept / name,
                    progress=counted(progress, name, settings), message=message,
                )  # fmt: skip
            except FitError as error:
                if name == DECLARED:
                    raise
                message(f"choice {name} cannot be fitted: {error}")
                continue
            table = judge_claims(post)[["claim", "statement", "median", "low", "high", "verdict"]]
            tables.append(table.assign(choice=name, converged=not convergence_faults(post)))
    return pd.concat(tables, ignore_index=True)


def summarise_multiverse(table: pd.DataFrame) -> pd.DataFrame:
    """Return one row per claim that the study as declared can test: what holds under all choices.

    Returns
    -------
    pandas.DataFrame
        ``claim``, ``declared`` (verdict), ``median`` as declared, ``lowest`` and ``highest`` median of all choices,
        ``choices`` that can test it, ``agree``, how many of them give the same verdict, and ``otherwise``, the choices
        with another verdict.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = [("declared", 0.3, "supported"), ("without_x", 0.1, "undecided")]  # made up; see dl.multiverse
    >>> table = pd.DataFrame(rows, columns=["choice", "median", "verdict"])
    >>> table = table.assign(claim="C4", statement="spill-over", low=0.0, high=0.6, converged=True)
    >>> dl.summarise_multiverse(table)[["claim", "declared", "choices", "agree", "otherwise"]].to_dict("records")
    [{'claim': 'C4', 'declared': 'supported', 'choices': 2, 'agree': 1, 'otherwise': 'without_x: undecided'}]
    """
    rows = []
    for claim, group in table[table["verdict"] != UNTESTABLE].groupby("claim", sort=False):
        first = group[group["choice"] == DECLARED]
        if first.empty:
            continue
        verdict = str(first["verdict"].iloc[0])
        other = group[group["verdict"] != verdict]
        rows.append(
            {
                "claim": claim,
                "declared": verdict,
                "median": float(first["median"].iloc[0]),
                "lowest": float(np.min(group["median"])),
                "highest": float(np.max(group["median"])),
                "choices": len(group),
                "agree": len(group) - len(other),
                "otherwise": "; ".join(f"{row['choice']}: {row['verdict']}" for _, row in other.iterrows()),
            }
        )
    columns = ["claim", "declared", "median", "lowest", "highest", "choices", "agree", "otherwise"]
    return pd.DataFrame(rows, columns=columns)


def _with_indicator(study: Study, name: str, **changes: object) -> Study:
    old = study.info.indicators[name]
    entry = type(old).model_validate({**old.model_dump(), **changes})
    indicators = {**study.info.indicators, name: entry}
    return replace(study, info=study.info.model_copy(update={"indicators": indicators}))


def _without_dyads(study: Study, dyads: list[str]) -> Study:
    tables = ("participants", "sessions", "measurements")
    kept = {part: getattr(study, part) for part in tables}
    kept = {part: frame[~frame["dyad"].isin(dyads)].reset_index(drop=True) for part, frame in kept.items()}
    return replace(study, **kept)


def _renewed(study: Study, name: str) -> Study:
    """Return the study with a digest of its own, so that its fit is not taken for that of another."""
    return replace(study, digest=sha256(f"{study.digest}\x00{name}"))
