"""Was it assigned at random? What a study shows of how events and arms were given, and what speaks against chance."""

from typing import Any, cast

import numpy as np
import xarray as xr
from jaxtyping import Bool, Float, Int
from scipy.stats import fisher_exact, ttest_ind

FOLLOWS = 4.0
"""t value beyond which an event follows earlier values; chance alone exceeds it in 1 of 15,000 looks."""
APART = 0.25
"""Share of the variance of an event within dyads that the course of sessions or weeks must leave."""
SHORT = 0.75
"""Share of the usual number of values below which a dyad counts as one that left."""
PLANNED = 0.1
"""Share of sessions below which an indicator is left out by plan, such as saliva where there was no dose."""
MINORITY = 0.2
"""Share of a therapist's patients that the smaller arm must have for that therapist to count as treating both."""
FEWEST_OF_ARM = 5
"""Dyads of an arm with values before it begins, below which arms are not compared there."""
SAME_HOUR = 0.5
"""Range of the mean hours of all dyads below which all answer at the same hour [h]."""
YEAR = 365.25
"""Length of a year [d]."""
CHANCE = 0.01
"""Probability below which chance does not make those leave more often who have a covariate, or who have it not."""

_TURNS = 200  # at most; a few are enough where most dyads hold most sessions


def balance_fault(
    scores: xr.Dataset, given: Bool[np.ndarray, "dyad session"], held: Bool[np.ndarray, "dyad session"]
) -> str:
    """Return which earlier values a randomised event follows, in words; empty where it follows none.

    Parameters
    ----------
    scores
        Result of :func:`dyadloop.scale_scores`.
    given, held
        Where the event was given, and where there was a session.

    Notes
    -----
    The event of a session is compared with the last value of each indicator before that session, and with whether the
    session holds a value of it, within dyads, apart from what all dyads share in a session and from whether the session
    before had the event.
    """
    earlier, answered = _last_values(scores, given.shape[1]), _answered(scores, given.shape[1])
    before, asked = _session_before(given), []
    for place, name in enumerate(scores["indicator"].values.tolist()):
        known = held & np.isfinite(earlier[..., place])
        t = _partial_t(given.astype(float), earlier[..., place], before, known)
        if abs(t) > FOLLOWS:
            way = "high" if t > 0 else "low"
            return f"was given rather after {way} values of {name} (t = {t:.1f}), which chance does not do"
        shares = [answered[..., place][part & held].mean() for part in (given, ~given)]
        if min(shares) < PLANNED:
            continue
        asked.append(place)
        t = _partial_t(given.astype(float), answered[..., place], before, held)
        if abs(t) > FOLLOWS:
            way = "more" if t > 0 else "fewer"
            return f"goes with {way} values of {name} in its session (t = {t:.1f}): who answers may depend on it"
    return _after_fault(given, answered[..., asked], before, held)


def _session_before(given: Bool[np.ndarray, "dyad session"]) -> Float[np.ndarray, "dyad session"]:
    """Return 1 where the session before had the event, else 0."""
    return np.concatenate([np.zeros_like(given[:, :1]), given[:, :-1]], axis=1).astype(float)


def _after_fault(
    given: Bool[np.ndarray, "dyad session"],
    answered: Float[np.ndarray, "dyad session indicator"],
    before: Float[np.ndarray, "dyad session"],
    held: Bool[np.ndarray, "dyad session"],
) -> str:
    """Return that fewer or more come and answer after an event, in words; empty where not."""
    following = np.zeros(given.shape)
    following[:, :-1] = answered[:, 1:].sum(axis=2)
    known = held.copy()
    known[:, -1:] = False
    t = _partial_t(given.astype(float), following, before, known)
    if abs(t) <= FOLLOWS:
        return ""
    way = "more" if t > 0 else "fewer"
    return f"is followed by {way} values in the next session (t = {t:.1f}): who comes back may depend on it"


def season_fault(
    scores: xr.Dataset, given: Bool[np.ndarray, "dyad session"], held: Bool[np.ndarray, "dyad session"]
) -> str:
    """Return that the chance of an event follows the time of the year, in words; empty where not.

    Waves of a year and of half a year are looked at; what dyads and sessions have in common, a straight course over
    the calendar included, is held constant.
    """
    before = _session_before(given)
    begins = _begins(scores, given.shape[1])
    known = held & np.isfinite(begins)
    phase = 2 * np.pi * np.where(known, begins, 0.0) / YEAR
    for wave in (1, 2):
        for value in (np.cos(wave * phase), np.sin(wave * phase)):
            t = _partial_t(given.astype(float), value, before, known)
            if abs(t) > FOLLOWS:
                return f"was given more often at one time of the year (t = {t:.1f}), which chance does not do"
    return ""


def course_fault(
    scores: xr.Dataset, given: Bool[np.ndarray, "dyad session"], held: Bool[np.ndarray, "dyad session"]
) -> str:
    """Return which course an event within dyads follows from, in words; empty where it follows from none.

    What is given to everybody in the same session, or in the same week of the calendar, cannot be told from what else
    that session or week brought.
    """
    numbers = np.broadcast_to(np.arange(given.shape[1]), given.shape)
    weeks = np.floor(_begins(scores, given.shape[1]) / 7)
    for words, when in (("number of the session", numbers), ("week of the calendar", weeks)):
        if _apart_from(given[held].astype(float), np.nonzero(held)[0], when[held]) < APART:
            return f"follows from the {words}"
    return ""


def _begins(scores: xr.Dataset, n_sessions: int) -> Float[np.ndarray, "dyad session"]:
    """Return the first day of each session by the calendar, NaN where there was none."""
    number, days = scores["session"].values, scores["days"].values
    zero = scores["origin"].values if "origin" in scores.coords else np.zeros(len(days))
    found = np.full((len(days), n_sessions), np.inf)
    dyads, times = np.nonzero((number > 0) & np.isfinite(days))
    np.minimum.at(found, (dyads, number[dyads, times] - 1), days[dyads, times] + zero[dyads])
    return np.where(np.isfinite(found), found, np.nan)


def _apart_from(y: Float[np.ndarray, " session"], dyad: Int[np.ndarray, " session"], when: np.ndarray) -> float:
    """Return the share of the variance within dyads that the times they have in common leave."""
    groups = [np.unique(part, return_inverse=True)[1] for part in (dyad, when)]
    rest, inside = y.copy(), 0.0
    for turn in range(_TURNS):
        for place, group in enumerate(groups):
            rest = rest - (np.bincount(group, rest) / np.bincount(group))[group]
            if not turn and not place:
                inside = float(rest @ rest)
    return float(rest @ rest) / max(inside, 1e-12)


def _answered(scores: xr.Dataset, n_sessions: int) -> Float[np.ndarray, "dyad session indicator"]:
    """Return 1 where a session holds a value of an indicator, else 0."""
    number, seen = scores["session"].values, np.isfinite(scores["score"].values)
    found = np.zeros((len(seen), n_sessions, seen.shape[2]))
    dyads, times, places = np.nonzero(seen & (number > 0)[..., None])
    found[dyads, number[dyads, times] - 1, places] = 1.0
    return found


def _last_values(scores: xr.Dataset, n_sessions: int) -> Float[np.ndarray, "dyad session indicator"]:
    """Return the last value of each indicator before each session."""
    score, number = scores["score"].values, scores["session"].values
    found, begun = np.full((len(score), n_sessions, score.shape[2]), np.nan), np.zeros((len(score), n_sessions), bool)
    last = np.full((len(score), score.shape[2]), np.nan)
    for time in range(score.shape[1]):
        dyads = np.flatnonzero(number[:, time] > 0)
        dyads = dyads[~begun[dyads, number[dyads, time] - 1]]
        places = number[dyads, time] - 1
        found[dyads, places], begun[dyads, places] = last[dyads], True
        last = np.where(np.isfinite(score[:, time]), score[:, time], last)
    return found


def _partial_t(
    event: np.ndarray, value: np.ndarray, before: np.ndarray, known: Bool[np.ndarray, "dyad session"]
) -> float:
    """Return the t value of a value in the regression of an event, dyads, sessions and the last event held constant."""
    n = int(known.sum())
    rank = int(known.any(axis=1).sum() + known.any(axis=0).sum())  # dyads and sessions, less one, and the last event
    if n - rank < 10:
        return 0.0
    given, earlier, other = (_within(part, known) for part in (event, value, before))
    size = float(other @ other)
    rest = [part - other * float(other @ part) / size if size > 1e-9 * n else part for part in (given, earlier)]
    sizes = [float(part @ part) for part in rest]
    if min(sizes) < 1e-9 * n:
        return 0.0
    share = float(rest[0] @ rest[1]) / np.sqrt(sizes[0] * sizes[1])
    return share * np.sqrt((n - rank - 1) / max(1.0 - share**2, 1e-12))


def _within(values: np.ndarray, known: Bool[np.ndarray, "dyad session"]) -> Float[np.ndarray, " value"]:
    """Return known values without what dyads and sessions explain, by taking their means away in turn."""
    found = np.where(known, values, 0.0)
    counts = [np.maximum(known.sum(axis=axis, keepdims=True), 1) for axis in (1, 0)]
    for _ in range(_TURNS):
        size = np.abs(found).max()
        for axis, count in zip((1, 0), counts, strict=True):
            found = np.where(known, found - found.sum(axis=axis, keepdims=True) / count, 0.0)
        if np.abs(found.sum(axis=1)).max() <= 1e-9 * max(size, 1e-300):
            break
    return found[known]


def covariate_faults(scores: xr.Dataset, fewest: int) -> dict[str, str]:
    """Return why a covariate that is declared as randomised identifies no effect, in words, by its name.

    Parameters
    ----------
    scores
        Result of :func:`dyadloop.scale_scores`.
    fewest
        Dyads, or therapists where these were assigned, that it takes with and without it.
    """
    there = np.isfinite(scores["days"].values)[..., None]
    values = np.where(there, scores["covariate_value"].values, np.nan)
    changes = np.nanmax(values, axis=1) > np.nanmin(values, axis=1)
    found = {}
    for layer, name in enumerate(scores["covariate"].values.tolist()):
        if not int(scores["covariate_randomised"].values[layer]):
            continue
        under_way = values[..., layer] > np.nanmean(values[..., layer])
        has_it, begins = np.asarray(under_way.any(axis=1)), bool(changes[:, layer].any())
        fault = _arm_fault(scores, has_it, np.delete(changes, layer, axis=1), begins, fewest)
        if not fault:
            fault = _hours_fault(scores, under_way) or (_baseline_fault(scores, under_way) if begins else "")
        if fault:
            found[str(name)] = f"{name} {fault}"
    return found


def _arm_fault(
    scores: xr.Dataset, has_it: Bool[np.ndarray, " dyad"], others: Bool[np.ndarray, "dyad covariate"],
    changes: bool, fewest: int,
) -> str:  # fmt: skip
    few = min(int(has_it.sum()), int((~has_it).sum()))
    if few < fewest:
        return f"takes each of two values in {few} dyads at most; it takes {fewest} of each"
    if changes and not others[~has_it].any():
        return (
            "begins within persons, and nothing lets those without it change over the same time; declare a covariate "
            "that says when, such as `of: time` or the phase of the study"
        )
    if left := _leaving_fault(scores, has_it):
        return left
    therapist = scores["therapist"].values if "therapist" in scores else None
    if therapist is None or (names := np.unique(therapist)).size >= len(has_it):
        return ""
    shares = {name: float(has_it[therapist == name].mean()) for name in names if name != ""}
    mixed = [name for name, share in shares.items() if MINORITY <= share <= 1 - MINORITY]
    if shares and np.isin(therapist, mixed).mean() < 0.5:
        with_it = sum(share > 1 - MINORITY for share in shares.values())
        without = sum(share < MINORITY for share in shares.values())
        if min(with_it, without) < fewest:
            return (
                f"was assigned to {with_it} therapists and not to {without}, whose patients have more in common than "
                f"that; it takes {fewest} of each"
            )
    return ""


def _leaving_fault(scores: xr.Dataset, has_it: Bool[np.ndarray, " dyad"]) -> str:
    """Return that those with a covariate leave more often than others, or others leave, in words; empty where not."""
    values = np.isfinite(scores["score"].values).sum(axis=(1, 2))
    short = values < SHORT * np.median(values)
    counts = [[int((short & arm).sum()), int((~short & arm).sum())] for arm in (has_it, ~has_it)]
    if cast(Any, fisher_exact(counts)).pvalue >= CHANCE:
        return _leavers_fault(scores, short & has_it, short & ~has_it)
    (with_it, stay), (without, others) = counts
    return (
        f"goes with how many answer: {with_it} of {with_it + stay} dyads with it and {without} of {without + others} "
        f"without it have less than {SHORT:.0%} of the usual number of values; who leaves may depend on the outcome"
    )


def _leavers_fault(scores: xr.Dataset, with_it: Bool[np.ndarray, " dyad"], without: Bool[np.ndarray, " dyad"]) -> str:
    """Return in which last value those who leave either arm differ, in words; empty where they do not."""
    last = _last_of_all(scores)
    for place, name in enumerate(scores["indicator"].values.tolist()):
        arms = [last[arm & np.isfinite(last[:, place]), place] for arm in (with_it, without)]
        if min(len(arm) for arm in arms) < FEWEST_OF_ARM:
            continue
        t = float(cast(Any, ttest_ind(*arms, equal_var=False)).statistic)
        if abs(t) > FOLLOWS:
            way = "high" if t > 0 else "low"
            return (
                f"has those leave who have {way} values of {name}, more than without it (t = {t:.1f}): who leaves may "
                "depend on the outcome"
            )
    return ""


def _last_of_all(scores: xr.Dataset) -> Float[np.ndarray, "dyad indicator"]:
    """Return the last value of each indicator, NaN where there is none."""
    seen = np.isfinite(scores["score"].values)
    places = seen.shape[1] - 1 - np.argmax(seen[:, ::-1], axis=1)
    last = np.take_along_axis(scores["score"].values, places[:, None], axis=1)[:, 0]
    return np.where(seen.any(axis=1), last, np.nan)


def _hours_fault(scores: xr.Dataset, under_way: Bool[np.ndarray, "dyad time"]) -> str:
    """Return that an arm answers at other hours, in words; empty where not, or where a covariate takes hours up."""
    if "covariate_of" in scores.coords and "time_of_day" in scores["covariate_of"].values:
        return ""
    zero = scores["origin"].values[:, None] if "origin" in scores.coords else 0.0
    days, has_it = scores["days"].values, under_way.any(axis=1)
    begin = np.where(under_way, days, np.inf).min(axis=1)
    begin[~has_it] = np.median(begin[has_it])
    here = np.isfinite(scores["score"].values).any(axis=2) & (days >= begin[:, None])
    hours = 24.0 * np.where(here, (days + zero) % 1.0, 0.0).sum(axis=1) / np.maximum(here.sum(axis=1), 1)
    arms = [hours[here.any(axis=1) & arm] for arm in (has_it, ~has_it)]
    if min(len(arm) for arm in arms) < FEWEST_OF_ARM or np.ptp(np.concatenate(arms)) < SAME_HOUR:
        return ""
    t = float(cast(Any, ttest_ind(*arms, equal_var=False)).statistic)
    if abs(t) <= FOLLOWS:
        return ""
    return (
        f"goes with the hour at which questions are answered ({arms[0].mean():.1f} h with it, {arms[1].mean():.1f} h "
        "without it); declare a covariate `of: time_of_day`"
    )


def _baseline_fault(scores: xr.Dataset, under_way: Bool[np.ndarray, "dyad time"]) -> str:
    """Return in which value the arms differed before any of them began, in words; empty where they did not.

    Those without it count up to the day on which it usually begins.
    """
    days, has_it = scores["days"].values - scores["days"].values[:, :1], under_way.any(axis=1)
    begin = np.where(has_it, np.where(under_way, days, np.inf).min(axis=1), np.inf)
    begin[~has_it] = np.median(begin[has_it])
    before = (days < begin[:, None])[..., None] & np.isfinite(scores["score"].values)
    for place, name in enumerate(scores["indicator"].values.tolist()):
        here = before[..., place]
        counts = here.sum(axis=1)
        means = np.where(here, scores["score"].values[..., place], 0.0).sum(axis=1) / np.maximum(counts, 1)
        arms = [means[(counts > 0) & arm] for arm in (has_it, ~has_it)]
        if min(len(arm) for arm in arms) < FEWEST_OF_ARM:
            continue
        t = float(cast(Any, ttest_ind(*arms, equal_var=False)).statistic)
        if abs(t) > FOLLOWS:
            way = "higher" if t > 0 else "lower"
            return f"has dyads with {way} values of {name} before it begins (t = {t:.1f}), which chance does not do"
    return ""
