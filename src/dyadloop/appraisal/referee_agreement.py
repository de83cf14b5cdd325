"""A fit beside its referees: does each arrow point where plain regressions point, and if not, why."""

import numpy as np
import pandas as pd
import xarray as xr

from dyadloop.appraisal.lagged import EFFECT_COLUMNS, effects_of, quantiles_of
from dyadloop.appraisal.occasions import Occasions, occasions
from dyadloop.appraisal.regressions import MULTILEVEL, REGRESSION, refereed, routes
from dyadloop.appraisal.replication import as_recorded, replicate, thinned
from dyadloop.inference.problem import Problem
from dyadloop.inference.result import problem_of

SAME, OPPOSITE, ALONE, UNSURE = "yes", "no", "fit alone", "not sure"
"""Whether the signs of fit and referees agree.

``fit alone``: the fit is sure, no referee is, and more than what error takes from a regression is missing there;
``not sure``: an interval reaches across 0.
"""
DOUBTFUL = (OPPOSITE, ALONE)
"""Answers that speak against a finding."""
KEYS = ["arrow", "source", "target", "person"]
COLUMNS: tuple[str, ...] = (
    *KEYS,
    *(name for name in EFFECT_COLUMNS if name not in KEYS),
    "regression", "regression_low", "regression_high", "pairs", "dyads",
    "multilevel", "multilevel_low", "multilevel_high", "without_trend", "without_trend_low", "without_trend_high",
    "replicated", "replicated_low", "replicated_high", "reproduced", "agree", "explanation",
)  # fmt: skip
"""Columns of the table of fit and referees."""
_SLOW = 0.135  # what is left of a deviation after two time constants
_ERROR = 0.2  # share of error from which it can turn a cross-lag
_TOGETHER = 0.1
_OUTSIDE = 0.02  # share of replicated studies beyond the observed regression, below which it is not reproduced


def compare_referees(post: xr.DataTree, gap_days: float | None = None, n_draws: int = 60) -> pd.DataFrame:
    """Put each arrow of a fit beside the regressions that every lab would run, and say whether they agree.

    Parameters
    ----------
    post
        Result of :func:`dyadloop.fit`.
    gap_days
        Distance of occasions [d]; default: the median distance of an occasion and the next.
    n_draws
        Studies replicated from the fit, in which the regression is run too.

    Returns
    -------
    pandas.DataFrame
        One row per arrow between measured states. What :func:`dyadloop.lagged_effects` says of the fit;
        ``regression`` and ``multilevel`` from :func:`dyadloop.referees`, both to be held against ``slope``;
        ``without_trend``, the regression when a straight course over time, the same in all dyads, is taken out;
        ``replicated``, what the regression finds in studies that the fit replicates, and ``reproduced``, whether the
        observed one is among these; ``agree`` (yes, no, fit alone, or not sure) and ``explanation`` in words. 89 %
        intervals.

    Notes
    -----
    The regression in replicated studies has the same pairs, the same missing values and the same bias of short
    courses. Where it is reproduced and the signs still differ, the fit takes apart what the regression mixes, and that
    rests on what the fit assumes of errors. Where it is not reproduced, the fit is wrong about these two quantities.

    Examples
    --------
    >>> table = dl.compare_referees(dl.load_result("results/example"), n_draws=5)
    >>> print(table[["source", "target", "agree"]].head(2).to_string(index=False))
    source             target    agree
     trust   oxytocin_patient not sure
     trust oxytocin_therapist not sure
    """
    return compared(problem_of(post), post, gap_days, n_draws)


def compared(problem: Problem, post: xr.DataTree, gap_days: float | None = None, n_draws: int = 60) -> pd.DataFrame:
    """Return the table of :func:`compare_referees` for a problem at hand, whose compiled programs are used again."""
    seen = occasions(problem, gap_days)
    if not list(routes(problem, seen.states)):
        return pd.DataFrame(columns=list(COLUMNS))
    table = _beside(problem, post, seen)
    flat = _regression(problem, occasions(problem, gap_days, trend=True))
    table[["without_trend", "without_trend_low", "without_trend_high"]] = flat.to_numpy()
    limited = as_recorded(problem)
    found = [
        _regression(problem, occasions(problem, seen.gap, limited(scores)))["estimate"].to_numpy()
        for scores in replicate(problem, thinned(post, n_draws), int(post.attrs["seed"]))
    ]
    replicated = np.stack(found).reshape(len(found), len(table))
    observed = table["regression"].to_numpy(dtype=float)
    quantiles = np.array([quantiles_of(column) for column in replicated.T]).reshape(-1, 3)
    share = (replicated >= observed).mean(axis=0)
    table[["replicated_low", "replicated", "replicated_high"]] = quantiles
    table["reproduced"] = (np.minimum(share, 1 - share) >= _OUTSIDE) | ~np.isfinite(observed)
    verdicts = [agreement(row) for _, row in table.iterrows()]
    table["agree"], table["explanation"] = [v[0] for v in verdicts], [v[1] for v in verdicts]
    return table[list(COLUMNS)]


def _regression(problem: Problem, seen: Occasions) -> pd.DataFrame:
    return refereed(problem, seen, (REGRESSION,))[["estimate", "low", "high"]]


def _beside(problem: Problem, post: xr.DataTree, seen: Occasions) -> pd.DataFrame:
    """Return one row per route with the fit's effect and both referees."""
    table = refereed(problem, seen)
    numbers = {"estimate": "", "low": "_low", "high": "_high"}
    sheets = []
    for method, name in ((REGRESSION, "regression"), (MULTILEVEL, "multilevel")):
        part = table[table["method"] == method].reset_index(drop=True)
        sheets.append(part[list(numbers)].rename(columns={old: name + new for old, new in numbers.items()}))
    first = table[table["method"] == REGRESSION].reset_index(drop=True)
    found = pd.concat([first[[*KEYS, "pairs", "dyads", "note"]], *sheets], axis=1)
    return found.merge(effects_of(problem, post, seen), on=KEYS, how="left")


def _sign(low: float, high: float) -> int:
    """Return the sign of an interval that does not reach across 0, else 0."""
    return int(low > 0) - int(high < 0)


def agreement(row: pd.Series) -> tuple[str, str]:
    """Return whether fit and referees agree on an arrow, and why not, in words; empty where nothing is to explain."""
    fits = [_sign(row[f"{name}_low"], row[f"{name}_high"]) for name in ("coefficient", "slope")]
    others = [_sign(row[f"{name}_low"], row[f"{name}_high"]) for name in ("regression", "multilevel")]
    reasons = []
    if not row["reproduced"]:
        reasons.append(
            f"the fit does not reproduce the regression: it gives {row['regression']:.2g} in this study, and between "
            f"{row['replicated_low']:.2g} and {row['replicated_high']:.2g} in studies simulated from the fit"
        )
    if any(fit * other < 0 for fit in fits for other in others):
        return OPPOSITE, "; ".join([*reasons, *(explanations(row, fits) or ["no reason was found: trust neither"])])
    left = row["slope"] * (1 - row["error_source"])
    if all(fits) and not any(others) and _sign(row["regression_low"] - left, row["regression_high"] - left) == -fits[1]:
        reasons.append(
            f"regressions do not see it ({row['regression']:.2g} [{row['regression_low']:.2g}, "
            f"{row['regression_high']:.2g}], where error alone would leave {left:.2g} of {row['slope']:.2g})"
        )
        return ALONE, "; ".join([*reasons, *explanations(row, fits)])
    if not np.isfinite(row["regression"]):
        reasons.append(f"no regression: {row['note']}")
    return (SAME if all(fits) and any(others) else UNSURE), "; ".join(reasons)


def explanations(row: pd.Series, fits: list[int]) -> list[str]:
    """Return what can make a fit and a regression of the same data point in opposite directions."""
    found = []
    flat = _sign(row["without_trend_low"], row["without_trend_high"])
    if flat != _sign(row["regression_low"], row["regression_high"]):
        found.append(
            f"without the common course over time the regression gives {row['without_trend']:.2g}: a trend that the "
            "study declares no covariate for"
        )
    short = [end for end in ("source", "target") if row[f"persistence_{end}"] < _SLOW]
    if short:
        found.append(
            f"{row['gap_days']:.3g} d between occasions is more than two time constants of the "
            f"{' and the '.join(short)}: order in time is lost, and the arrow rests on what moves both at one moment"
        )
    if fits[0] * fits[1] < 0:
        found.append("other arrows carry the effect the other way by the next occasion")
    worst = max(row["error_source"], row["error_target"])
    if worst > _ERROR:
        found.append(_about_errors(row, worst))
    return found


def _about_errors(row: pd.Series, worst: float) -> str:
    apart = row["error_correlation"]
    text = f"{worst:.0%} of the variance of a score is error in the fit"
    if abs(row["noise_correlation"]) > _TOGETHER:
        text += f" and noise moves both at one moment (correlation {row['noise_correlation']:.2f})"
    text += ", which a regression of scores on scores takes for an arrow"
    if np.isfinite(apart):
        return f"{text}; errors of one moment correlate by {apart:.2f} in the fit"
    return f"{text}; if errors of one moment go together, which this fit excludes, it is the fit that is wrong"
