"""Count verdicts of simulated studies, with Monte Carlo errors everywhere."""

import numpy as np
import pandas as pd

from dyadloop.claims.claims_table import UNTESTABLE
from dyadloop.claims.support import upper_bound
from dyadloop.theory import Theory

VERDICTS = ("supported", "contradicted", "undecided", UNTESTABLE)
ENOUGH = 0.95
"""Share of verdicts that sampling must confirm for the approximation to be trusted without a note."""
_WITHOUT_OXYTOCIN = ("spill_over", "components_to_symptom", "coefficient")
_INTERVAL = 0.89


def standard_error(share: float, total: int) -> float:
    """Return the Monte Carlo standard error of a share."""
    return float(np.sqrt(share * (1 - share) / total)) if total else float("nan")


def by_claim(rows: pd.DataFrame, theory: Theory) -> pd.DataFrame:
    """Return what became of each claim in each world.

    Parameters
    ----------
    rows
        One row per study and claim, with columns ``design`` and ``truth``.
    theory
        Theory of the analysis.

    Returns
    -------
    pandas.DataFrame
        ``design``, ``truth``, ``claim``, ``studies``; ``holds``, the share of truths under which the claim holds; the
        share of each verdict (``supported``, ``contradicted``, ``undecided``, ``untestable``) with the standard error
        of the first two; ``power``, the share supported where the claim holds; ``false_support`` where it does not, and
        its ``upper`` 95 % bound; ``type_s``, the share of findings of the wrong sign; ``type_m``, the median of
        estimate over truth among findings of the right sign; ``coverage`` of the 89 % interval with the binomial 95 %
        band around 89 % (``band_low``, ``band_high``); ``width``, the median width of that interval; ``why``, the
        commonest reason for no verdict.
    """
    found = []
    for (design, truth, claim), mine in rows[rows["claim"] != ""].groupby(["design", "truth", "claim"], sort=False):
        shares = {verdict: float((mine["verdict"] == verdict).mean()) for verdict in VERDICTS}
        total = len(mine)
        about = {"design": design, "truth": truth, "claim": claim, "studies": total}
        untold = mine[mine["verdict"].isin(["undecided", UNTESTABLE])]["reason"]
        why = str(untold.mode().iloc[0]) if len(untold) else ""
        found.append(
            about
            | {"holds": _mean(mine.get("holds"))}
            | {"supported": shares["supported"], "supported_se": standard_error(shares["supported"], total)}
            | {"contradicted": shares["contradicted"], "contradicted_se": standard_error(shares["contradicted"], total)}
            | {"undecided": shares["undecided"], "untestable": shares[UNTESTABLE]}
            | _errors(mine)
            | _precision(mine)
            | {"why": why}
        )
    return pd.DataFrame(found)


def _errors(mine: pd.DataFrame) -> dict[str, float]:
    """Return power, false support, and errors of sign and magnitude of one claim."""
    none = {"power": np.nan, "false_support": np.nan, "upper": np.nan, "type_s": np.nan, "type_m": np.nan}
    if "holds" not in mine or mine["holds"].isna().all():
        return none
    told = mine[mine["holds"].notna()]
    holds, supported = told["holds"].astype(bool), told["verdict"] == "supported"
    wrong, without = int((supported & ~holds).sum()), int((~holds).sum())
    found = none | {"power": _mean(supported[holds])}
    if without:
        found |= {"false_support": wrong / without, "upper": upper_bound(wrong, without)}
    clear = told[told["finding"].isin(["positive", "negative"]) & told["verdict"].isin(["supported", "contradicted"])]
    clear = clear[clear["value"].notna() & (clear["value"] != 0)]
    if len(clear):
        ratio = clear["median"].astype(float) / clear["value"].astype(float)
        found |= {"type_s": float((ratio < 0).mean()), "type_m": float(ratio[ratio > 0].median())}
    return found


def _precision(mine: pd.DataFrame) -> dict[str, float]:
    """Return coverage of the interval that a verdict rests on, the band in which it should lie, and the width."""
    inside = mine["inside"].dropna().astype(bool) if "inside" in mine else pd.Series(dtype=bool)
    if not len(inside):
        return {"coverage": np.nan, "band_low": np.nan, "band_high": np.nan, "width": np.nan}
    spread = 1.96 * standard_error(_INTERVAL, len(inside))
    width = (mine["high"].astype(float) - mine["low"].astype(float)).median()
    band = {"band_low": max(0.0, _INTERVAL - spread), "band_high": min(1.0, _INTERVAL + spread)}
    return {"coverage": float(inside.mean())} | band | {"width": float(width)}


def by_world(rows: pd.DataFrame, theory: Theory) -> pd.DataFrame:
    """Return how often a study supports any claim that does not hold.

    Returns
    -------
    pandas.DataFrame
        ``design``, ``truth``, ``studies``, ``not_fitted``; ``false_support``, the share of studies that support any
        claim that does not hold, and ``upper``, its upper 95 % bound; the same of claims that speak of oxytocin
        (``false_oxytocin``, ``oxytocin_upper``); ``right_oxytocin``, the share that supports one that holds;
        ``redrawn``, truths that ran away and were drawn anew, ``below_limit``, values, and ``dropped_out``, dyads, per
        study.
    """
    ours, found = oxytocin_claims(theory), []
    for (design, truth), mine in rows.groupby(["design", "truth"], sort=False):
        studies = mine.groupby("study")
        total, failed = studies.ngroups, int((mine["verdict"] == "not fitted").sum())
        supported = mine["verdict"] == "supported"
        holds = mine["holds"].eq(True) if "holds" in mine else supported & False
        speaks = mine["claim"].isin(ours)
        counts = {
            name: int(chosen.groupby(mine["study"]).any().sum())
            for name, chosen in (
                ("false_support", supported & ~holds),
                ("false_oxytocin", supported & ~holds & speaks),
                ("right_oxytocin", supported & holds & speaks),
            )
        }
        found.append(
            {"design": design, "truth": truth, "studies": total, "not_fitted": failed}
            | {"false_support": counts["false_support"] / total, "upper": upper_bound(counts["false_support"], total)}
            | {"false_oxytocin": counts["false_oxytocin"] / total}
            | {"oxytocin_upper": upper_bound(counts["false_oxytocin"], total)}
            | {"right_oxytocin": counts["right_oxytocin"] / total}
            | {name: float(studies[name].first().mean()) for name in ("redrawn", "below_limit", "dropped_out")}
        )
    return pd.DataFrame(found)


def oxytocin_claims(theory: Theory) -> set[str]:
    """Return the claims that speak of oxytocin, each with the name of what it is about."""
    found = set()
    for claim in theory.claims:
        if claim.estimand not in _WITHOUT_OXYTOCIN:
            names = [variable.id for variable in theory.of_kind(claim.for_each)] if claim.for_each else [""]
            found |= {claim.id.format(id=name) for name in names}
    return found


def agreement(by_mode: pd.DataFrame, by_nuts: pd.DataFrame) -> pd.DataFrame:
    """Return the share of verdicts on testable claims that sampling confirms, of the studies that were sampled.

    Returns
    -------
    pandas.DataFrame
        ``design``, ``truth``, ``studies``, ``verdicts``, ``agree`` and ``enough``: whether at least 95 % agree.
    """
    columns = ["design", "truth", "studies", "verdicts", "agree", "enough"]
    if by_nuts.empty:
        return pd.DataFrame(columns=columns)
    keys = ["design", "truth", "study", "claim"]
    both = by_mode[[*keys, "verdict"]].merge(by_nuts[[*keys, "verdict"]], on=keys, suffixes=("", "_nuts"))
    both = both[both["verdict"] != UNTESTABLE]
    found = []
    for (design, truth), mine in both.groupby(["design", "truth"], sort=False):
        share = float((mine["verdict"] == mine["verdict_nuts"]).mean())
        found.append([design, truth, mine["study"].nunique(), len(mine), share, "yes" if share >= ENOUGH else "no"])
    return pd.DataFrame(found, columns=columns)


def by_hypothesis(rows: pd.DataFrame) -> pd.DataFrame:
    """Return how often each hypothesis wins a comparison, by world.

    Returns
    -------
    pandas.DataFrame
        ``design``, ``truth``, ``hypothesis``, ``studies``; ``best``, the share of studies in which it scores highest,
        with its standard error ``best_se``; ``alone``, the share in which it is best and all others are told apart as
        worse, with ``alone_se``; ``bad_k``, the mean share of dyads whose score is not to be trusted.
    """
    columns = ["design", "truth", "hypothesis", "studies", "best", "best_se", "alone", "alone_se", "bad_k"]
    if rows.empty:
        return pd.DataFrame(columns=columns)
    others = rows.assign(rest=~rows["best"].astype(bool) & ~rows["told"].astype(bool))
    undecided = others.groupby(["design", "truth", "study"])["rest"].transform("any")
    rows = rows.assign(alone=rows["best"].astype(bool) & ~undecided)
    found = []
    for (design, truth, name), mine in rows.groupby(["design", "truth", "hypothesis"], sort=False):
        total, best, alone = len(mine), float(mine["best"].astype(bool).mean()), float(mine["alone"].mean())
        errors = standard_error(best, total), standard_error(alone, total)
        found.append([design, truth, name, total, best, errors[0], alone, errors[1], _mean(mine["bad_k"])])
    return pd.DataFrame(found, columns=columns)


def _mean(values: pd.Series | None) -> float:
    kept = pd.Series(dtype=float) if values is None else values.dropna()
    return float(kept.astype(float).mean()) if len(kept) else float("nan")
