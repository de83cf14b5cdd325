"""Do levels change over a study more than the fit reproduces? A common course, one's own, days and times of day.

What improves in everybody, or in each person at a pace of their own, goes together without any arrow, and so does what
follows the same days, weeks or hours in all persons, or in all patients of one therapist.
"""

import numpy as np
import pandas as pd
import xarray as xr

from dyadloop.appraisal.replication import as_recorded, replicate, thinned
from dyadloop.appraisal.smoothing import moments
from dyadloop.inference.problem import Problem
from dyadloop.likelihood.panel import numbered_therapists

COLUMNS = ("indicator", "common", "common_expected", "own", "own_expected", "flag")
_FEWEST = 5
"""Values of a person below which a slope says nothing."""
_FEWEST_PERSONS = 5
"""Persons below whose number the mean of a day says nothing about all."""
_FEWEST_OF_THERAPIST = 3
"""Patients of one therapist below whose number the mean of their week says nothing."""
_HOURS = 12
"""Parts of a day that are compared."""
_REMEDIES = {
    "time of day": "a covariate `of: time_of_day`",
    "days of the week": "a covariate `of: weekend`",
    "days of the study": "what they have in common as a covariate of sessions",
    "weeks of the calendar": "what they have in common as a covariate of sessions",
    "weeks of the therapist": "what the patients of a therapist have in common as a covariate of sessions",
}
_COURSE = 4.0
"""t value of the mean slope beyond which all persons change, whether or not a fit reproduces it by its arrows."""
_OUTSIDE = 0.01  # share of replicated studies beyond the observed one, below which it is told


def trends(problem: Problem, post: xr.DataTree, n_draws: int = 100) -> pd.DataFrame:
    """Return slopes over the study beside those that the fit replicates.

    Parameters
    ----------
    problem
        Problem that a posterior answers.
    post
        Result of :func:`dyadloop.fit`.
    n_draws
        Studies replicated from the fit.

    Returns
    -------
    pandas.DataFrame
        One row per indicator: ``common``, the mean over persons of the slope on time [units of the score per span of
        the study], and ``own``, the SD of these slopes between persons; their medians in replicated studies; and
        ``flag``, a sentence where the observed one lies beyond these, or where all persons change as no covariate says:
        slow states and arrows reproduce such a course, and then pass for effects.
    """
    days, limited = moments(problem), as_recorded(problem)
    observed = np.where(np.asarray(problem.panel.seen), np.asarray(problem.panel.score), np.nan)
    replicated = replicate(problem, thinned(post, n_draws), int(post.attrs["seed"]) + 1)
    zero = problem.scores["origin"].values[:, None] if "origin" in problem.scores.coords else 0.0
    clock = days + problem.scores["days"].values[:, :1] + zero
    found = _slopes(limited(observed), days)
    course = _course(_apart_from(limited(observed), problem.panel.covariate), days)
    expected = np.stack([_slopes(limited(scores), days) for scores in replicated])
    cycles = _cycles(problem.scores, clock)
    together = {name: _shared_course(limited(observed), *part) for name, part in cycles.items()}
    alike = {
        name: np.stack([_shared_course(limited(scores), *part) for scores in replicated])
        for name, part in cycles.items()
    }
    rows = []
    for j, name in enumerate(problem.observed.indicators):
        common, own = found[:, j]
        others = expected[:, :, j]
        flag = ""
        if _beyond(common, others[:, 0], both=True):
            flag = f"{name} changes by {common:.2g} over the study in everybody, which the fit does not reproduce"
        elif _beyond(own, others[:, 1], both=False):
            flag = (
                f"persons differ in how {name} changes over the study (SD {own:.2g}, expected "
                f"{np.median(others[:, 1]):.2g})"
            )
        elif abs(course[j]) > _COURSE:
            flag = f"{name} changes by {common:.2g} over the study in everybody, and no covariate takes that up"
        if flag:
            flag += "; declare a covariate `of: time` in study.yaml"
        for cycle, part in together.items():
            if not flag and _beyond(part[j], alike[cycle][:, j], both=False):
                whom = "all patients of one" if "therapist" in cycle else "all persons"
                flag = (
                    f"{name} follows the {cycle} alike in {whom} (SD {part[j]:.2g} of that within persons, expected "
                    f"{np.median(alike[cycle][:, j]):.2g}); declare {_REMEDIES[cycle]}"
                )
        middle = np.median(others, axis=0)
        rows.append((name, common, middle[0], own, middle[1], flag))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _cycles(scores: xr.Dataset, clock: np.ndarray) -> dict[str, tuple[np.ndarray, int]]:
    """Return the parts of the study that persons may have in common, and how many must have a value in one."""
    weeks = np.floor(clock / 7)
    found = {
        "time of day": (np.floor(_HOURS * (clock % 1.0)), _FEWEST_PERSONS),
        "days of the week": (np.floor(clock) % 7, _FEWEST_PERSONS),
        "days of the study": (np.floor(clock), _FEWEST_PERSONS),
        "weeks of the calendar": (weeks, _FEWEST_PERSONS),
    }
    therapist = numbered_therapists(scores)
    if len(set(therapist.tolist())) > 1 and (therapist >= 0).all():
        span = np.nanmax(weeks) - np.nanmin(weeks) + 1
        found["weeks of the therapist"] = (weeks - np.nanmin(weeks) + span * therapist[:, None], _FEWEST_OF_THERAPIST)
    return found


def _apart_from(scores: np.ndarray, covariate: object) -> np.ndarray:
    """Return scores without what covariates explain within persons."""
    if covariate is None:
        return scores
    rows, found = np.asarray(covariate), scores.copy()
    for j in range(scores.shape[2]):
        seen = np.isfinite(scores[..., j])
        count = np.maximum(seen.sum(axis=1), 1)
        x = np.where(seen[..., None], rows, 0.0)
        x = np.where(seen[..., None], x - (x.sum(axis=1) / count[:, None])[:, None], 0.0)
        y = np.where(seen, scores[..., j], 0.0)
        slope = np.linalg.lstsq(x[seen], (y - (y.sum(axis=1) / count)[:, None])[seen], rcond=None)[0]
        found[..., j] = scores[..., j] - x @ slope
    return found


def _course(scores: np.ndarray, days: np.ndarray) -> np.ndarray:
    """Return the t value of the mean over persons of the slope of each indicator; 0 where too few persons have one."""
    mean, spread = _slopes(scores, days)
    persons = (np.isfinite(scores).sum(axis=1) >= _FEWEST).sum(axis=0)
    error = np.where((persons >= _FEWEST_PERSONS) & (spread > 0), spread / np.sqrt(np.maximum(persons, 1)), np.inf)
    return np.nan_to_num(mean) / error


def _beyond(value: float, others: np.ndarray, both: bool) -> bool:
    """Say whether a value lies beyond what replicated studies give, above or on either side."""
    if not np.isfinite(value):
        return False
    above = (1 + int((others >= value).sum())) / (1 + len(others))
    below = (1 + int((others <= value).sum())) / (1 + len(others))
    return (min(above, below) if both else above) <= _OUTSIDE


def _shared_course(scores: np.ndarray, part: np.ndarray, fewest: int) -> np.ndarray:
    """Return the SD over parts of the study, such as its days, of the mean over persons [SD within persons].

    Scores are deviations from the person's mean; a part counts where ``fewest`` persons have a value in it.
    """
    seen = np.isfinite(scores)
    count = np.maximum(seen.sum(axis=1, keepdims=True), 1)
    centred = scores - np.where(seen, scores, 0.0).sum(axis=1, keepdims=True) / count
    means = []
    for value in np.unique(part[np.isfinite(part)]):
        here = (part == value)[..., None] & seen
        persons = here.any(axis=1)
        own = np.where(here, centred, 0.0).sum(axis=1) / np.maximum(here.sum(axis=1), 1)
        mean = np.where(persons, own, 0.0).sum(axis=0) / np.maximum(persons.sum(axis=0), 1)
        means.append(np.where(persons.sum(axis=0) >= fewest, mean, np.nan))
    table = np.array(means).reshape(-1, scores.shape[2])
    enough = np.isfinite(table).sum(axis=0) > 1
    within = np.sqrt(np.where(seen, centred**2, 0.0).sum(axis=(0, 1)) / np.maximum(seen.sum(axis=(0, 1)), 1))
    return np.where(enough, np.nanstd(np.where(enough, table, 0.0), axis=0) / within, np.nan)


def _slopes(scores: np.ndarray, days: np.ndarray) -> np.ndarray:
    """Return mean and SD over persons of the slope of each indicator (statistic, indicator), per span of the study."""
    time = np.where(np.isfinite(days), (days - days[:, :1]) / np.nanmax(days - days[:, :1]), np.nan)
    seen = np.isfinite(scores) & np.isfinite(time)[..., None]
    count = seen.sum(axis=1)
    enough = count >= _FEWEST
    x = np.where(seen, time[..., None], 0.0)
    y = np.where(seen, scores, 0.0)
    x = np.where(seen, x - x.sum(axis=1, keepdims=True) / np.maximum(count, 1)[:, None], 0.0)
    square = (x**2).sum(axis=1)
    enough &= square > 0
    slope = np.where(enough, (x * y).sum(axis=1) / np.where(enough, square, 1.0), np.nan)
    usable = enough.sum(axis=0)
    mean = np.where(usable > 0, np.nansum(slope, axis=0) / np.maximum(usable, 1), np.nan)
    spread = np.nansum((slope - mean) ** 2, axis=0) / np.maximum(usable - 1, 1)
    return np.stack([mean, np.where(usable > 1, np.sqrt(spread), np.nan)])
