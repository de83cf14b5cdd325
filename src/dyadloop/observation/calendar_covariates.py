"""Covariates that follow from the times of a study: a trend, a course over the day, weekends."""

import numpy as np
from jaxtyping import Float

from dyadloop.data import Covariate, Study
from dyadloop.data.clock import DAYS
from dyadloop.errors import DataError, Fault

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_FIRST_OF_1970 = 3  # 1 January 1970 was a Thursday, counted from Monday
_SATURDAY = 5

Days = Float[np.ndarray, "dyad time"]


def columns_of(name: str, declared: Covariate) -> list[str]:
    """Return the names of the columns of a covariate: one, or two for each wave of a course over the day."""
    if declared.of != "time_of_day":
        return [name]
    return [f"{name}_{part}{wave}" for wave in range(1, declared.harmonics + 1) for part in ("cos", "sin")]


def calendar_columns(study: Study, name: str, declared: Covariate, days: Days) -> Float[np.ndarray, "dyad time column"]:
    """Return the columns of a covariate of the calendar, centred at their mean over all moments, 0 where padded.

    Parameters
    ----------
    study
        Result of :func:`dyadloop.read_study`.
    name, declared
        The covariate.
    days
        Days since the first moment of each dyad, NaN where padded [d].

    Raises
    ------
    DataError
        If the weekday of the study's zero is not known, or a column is the same at every moment.
    """
    if declared.of == "time":
        found = (days - days[:, :1])[..., None]
    else:
        clock = days + origins(study)[:, None]
        found = _weekend(study, name, clock) if declared.of == "weekend" else _waves(clock, declared.harmonics)
        if np.nanmax(np.ptp(found[np.isfinite(days)], axis=0)) < 1e-9:
            got = f"a covariate of {declared.of}, and the same at every moment"
            raise _refused(study, name, got, "moments that differ in it", "remove the covariate")
    return np.nan_to_num(found - np.nanmean(found, axis=(0, 1)))


def origins(study: Study) -> Float[np.ndarray, " dyad"]:
    """Return the first time of each dyad [d], since 1970 or since the study's own zero."""
    return np.array([float(study.trace.origin[dyad]) for dyad in study.dyads])


def _waves(clock: Days, harmonics: int) -> Float[np.ndarray, "dyad time column"]:
    turns = [2.0 * np.pi * wave * (clock % 1.0) for wave in range(1, harmonics + 1)]
    return np.stack([wave for turn in turns for wave in (np.cos(turn), np.sin(turn))], axis=-1)


def _weekend(study: Study, name: str, clock: Days) -> Float[np.ndarray, "dyad time column"]:
    first = study.info.times.first_day
    if study.trace.kind != DAYS:
        zero = _FIRST_OF_1970
    elif first is not None:
        zero = _WEEKDAYS.index(first)
    else:
        got = "a covariate of weekend, and times that count from the study's own zero"
        remedy = "write dates, or declare such as `times: {first_day: monday}`, the weekday of day 0"
        raise _refused(study, name, got, "a known weekday", remedy)
    weekday = (np.floor(clock) + zero) % 7
    return np.where(np.isfinite(clock), weekday >= _SATURDAY, np.nan)[..., None]


def _refused(study: Study, name: str, got: str, expected: str, remedy: str) -> DataError:
    return DataError(study.path, [Fault("study.yaml", None, f"covariates.{name}", got, expected, remedy)])
