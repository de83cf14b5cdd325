"""Doubts about values: codes for missing ones, outliers, other units, copies, and numbers that never change."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float
from scipy.stats import poisson

from dyadloop.data.carried_values import carried_values, overlapping_answers
from dyadloop.data.doubts import Doubt, doubt, lines_of, named
from dyadloop.data.schema import CALENDAR, Study
from dyadloop.observation.kinds import kinds

_CODES = (*range(1, 10), 66, 77, 88, 97, 98, 99, 666, 777, 888, 997, 998, 999, 7777, 8888, 9998, 9999, 99999)
_FEWEST = 5  # values that a usual range can be told from
_RAW_SDS, _LOG_SDS, _LEVEL_SDS = 8.0, 5.0, 6.0  # robust SDs beyond which a value, or a dyad, is doubted
_OWN_SDS = 3.0  # a doubted dyad is also so many SDs within dyads away
_MAD_TO_SD, _IQR_TO_SD = 1.4826, 1.349
_MOSTLY_WHOLE, _MANY, _FEW_DYADS = 0.95, 20, 0.2
_CHANCE, _EXCESS, _FINE = 1e-4, 3.0, 20  # a code so much too frequent is doubted where so many values are different
_LEAST_CODE = 9
_ANSWERS, _UNUSED, _ENOUGH = 11, 0.25, 50  # coarse scales: most answers, unused share of the range, values
_FEWEST_OF_ONE, _FEW_CONSTANT = 10, 0.2  # answers of a person that should differ; share of persons that may be odd
_SAME, _DISTINCT = 10, 3  # values of two dyads that agree, and how many different ones are among them


@dataclass(frozen=True)
class _Series:
    """The numbers of one indicator or covariate, each with its dyad and line."""

    file: str
    column: str
    name: str
    values: Float[np.ndarray, "row"]
    dyads: np.ndarray
    lines: np.ndarray
    scale: tuple[float, float] | None = None
    is_log: bool = False

    def doubt(self, odd: np.ndarray, got: str, expected: str, remedy: str) -> Doubt:
        return doubt(self.file, self.lines[odd].tolist(), self.column, got, expected, remedy)


def value_doubts(study: Study) -> list[Doubt]:
    """Return what is unlikely about the values of indicators and covariates."""
    found = []
    for series in _all_series(study):
        codes, coded = _codes(series)
        outliers, odd = _outliers(series, coded)
        found += [*codes, *outliers, *_levels(series, coded | odd), *_constant(series), *_grain(series), *_ends(series)]
    return [
        *found,
        *_never_within(study),
        *_same_answers(study),
        *_twins(study),
        *carried_values(study),
        *overlapping_answers(study),
    ]


def _all_series(study: Study) -> Iterator[_Series]:
    table, lines = study.measurements, lines_of(study, "measurements.tsv")
    for name, entry in study.info.indicators.items():
        mine = (table["indicator"].eq(name) & ~table["limit"].isin(["below", "above"])).to_numpy()
        part = table[mine]
        values, scale = next(
            (found for kind in kinds() if (found := kind.on_scale(entry, part)) is not None),
            (part["value"].to_numpy(dtype=float), entry.scale),
        )
        dyads, log = part["dyad"].to_numpy(), entry.transform == "log"
        yield _Series("measurements.tsv", "value", name, values, dyads, lines[mine], scale, log)
    for name, entry in study.info.covariates.items():
        if entry.of in CALENDAR:  # has no column
            continue
        of_session = entry.of == "session"
        file, source = ("sessions.tsv", study.sessions) if of_session else ("participants.tsv", study.participants)
        mine = np.ones(len(source), bool) if of_session else source["role"].eq(entry.of).to_numpy()
        part = source[mine]
        values = part[name].to_numpy(dtype=float)
        yield _Series(file, name, name, values, part["dyad"].to_numpy(), lines_of(study, file)[mine])


def _codes(series: _Series) -> tuple[list[Doubt], np.ndarray]:
    """Doubt codes of missing values: far outside what else occurs."""
    values = series.values
    candidates = np.isin(np.abs(values), _CODES) & (values == np.round(values)) & ~_answers(series)
    found, coded = [], np.zeros(len(values), bool)
    for code in np.unique(values[candidates]):
        # further out than a code may lie other codes, which are no range that it could belong to
        sides = [
            values[(values != code) & ~coded & ~(candidates & further)] for further in (values < code, values > code)
        ]
        outside = [rest for place, rest in enumerate(sides) if _outside(rest, code, above=place == 1)]
        if outside or _too_often(values, code):
            others = outside[0] if outside else values[values != code]
            odd, low, high = values == code, float(others.min()), float(others.max())
            got = f"{code:g} for {series.name!r}, where the other values lie between {low:g} and {high:g}"
            got += "" if outside else f", {odd.sum()} times"
            declare = "" if series.scale else "; declare the `scale` in study.yaml, so that it is a fault"
            remedy = f"if it means missing, leave it empty{declare}"
            found.append(series.doubt(odd, got, "values of one range", remedy))
            coded |= odd
    return found, coded


def _answers(series: _Series) -> np.ndarray:
    """Return which values are answers of the declared scale that no code of one digit can be told from."""
    if series.scale is None:
        return np.zeros(len(series.values), bool)
    low, high = series.scale
    return (np.abs(series.values) < 10) & (series.values >= low) & (series.values <= high)


def _outside(rest: np.ndarray, code: float, *, above: bool) -> bool:
    """Return whether a code lies so far above, or below, all other values that it is none of them."""
    if len(rest) < _FEWEST:
        return False
    low, high = float(rest.min()), float(rest.max())
    gap = code - high if above else low - code
    step = float(np.diff(np.unique(rest)).max(initial=0.0)) or 1.0
    return gap > 0 and ((code < 0 <= low) or gap >= max(2 * step, (high - low) / 2))


def _too_often(values: np.ndarray, code: float) -> bool:
    """Return whether a code occurs far more often than the values around it."""
    others, count = values[values != code], int((values == code).sum())
    if abs(code) < _LEAST_CODE or len(np.unique(others)) < _FINE or count < 3:
        return False
    grain = 1.0 if (others == np.round(others)).all() else 0.01
    width = max(4 * grain, _spread(others)[1] / 4)
    near = int((np.abs(others - code) <= width).sum())
    expected = (near + 1) * grain / (2 * width)
    return count > _EXCESS * expected and float(poisson.sf(count - 1, expected)) < _CHANCE


def _spread(x: np.ndarray) -> tuple[float, float]:
    """Return the median and a robust SD, 0 where more than half of the values are the same."""
    middle = float(np.median(x))
    low, high = np.quantile(x, [0.25, 0.75])
    return middle, max(_MAD_TO_SD * float(np.median(np.abs(x - middle))), float(high - low) / _IQR_TO_SD)


def _far(x: np.ndarray, bound: float) -> np.ndarray:
    middle, spread = _spread(x)
    return np.abs(x - middle) > bound * spread if spread > 0 else np.zeros(len(x), bool)


def _outliers(series: _Series, coded: np.ndarray) -> tuple[list[Doubt], np.ndarray]:
    values, nothing = series.values, np.zeros(len(series.values), bool)
    if series.scale is not None or len(values) < 2 * _FEWEST:
        return [], nothing
    positive = bool((values > 0).all())
    odd = ~coded
    if not series.is_log:
        odd &= _far(values, _RAW_SDS)
    if positive:
        odd &= _far(np.log(values), _LOG_SDS)
    if not odd.any():
        return [], nothing
    middle = float(np.median(values))
    extreme = values[odd][np.argmax(np.abs(values[odd] - middle))]
    got, expected = f"{extreme:g} for {series.name!r}", f"values near the median, {middle:.4g}, of all"
    remedy = "check the number and its unit; a declared `scale` makes impossible values faults"
    return [series.doubt(odd, got, expected, remedy)], odd


def _levels(series: _Series, known: np.ndarray) -> list[Doubt]:
    """Doubt a dyad all of whose values are far from those of the others, as in another unit."""
    use = ~known
    coarse = series.scale is not None and series.scale[1] - series.scale[0] < _ANSWERS
    if coarse or len(set(series.dyads[use])) < _FEWEST:
        return []
    x = np.log(series.values[use]) if (series.values[use] > 0).all() else series.values[use]
    groups = pd.Series(x).groupby(series.dyads[use])
    levels, own = groups.median(), _spread(x - groups.transform("median").to_numpy())[1]
    apart = np.abs(levels.to_numpy() - np.median(levels)) > _OWN_SDS * own
    far = levels[_far(levels.to_numpy(), _LEVEL_SDS) & apart]
    if far.empty:
        return []
    odd = np.isin(series.dyads, far.index) & use
    middle = float(np.median(series.values[use]))
    got = f"values of {series.name!r} near {np.median(series.values[odd]):.4g} in {named(map(str, far.index))}"
    expected = f"values near {middle:.3g}, as in the other dyads"
    return [series.doubt(odd, got, expected, "check that all dyads have the same unit and coding")]


def _constant(series: _Series) -> list[Doubt]:
    if len(series.values) < _FEWEST or len(np.unique(series.values)) > 1:
        return []
    got = f"{series.values[0]:g} for {series.name!r} in every row"
    remedy = "check the column that was exported, or leave it out"
    return [doubt(series.file, [], series.column, got, "values that differ", remedy)]


def _grain(series: _Series) -> list[Doubt]:
    """Doubt the few broken numbers among whole ones."""
    values = series.values
    odd = values != np.round(values)
    dyads, of = len(set(series.dyads)), len(set(series.dyads[odd]))
    few = odd.mean() <= 1 - _MOSTLY_WHOLE if len(odd) else False
    if len(values) < _MANY or not odd.any() or not (few or (dyads >= _FEWEST and of <= _FEW_DYADS * dyads)):
        return []
    got = f"{values[odd][0]:g} for {series.name!r} among whole numbers"
    return [series.doubt(odd, got, "whole numbers, as in nearly all rows", "check the decimal point and the unit")]


def _ends(series: _Series) -> list[Doubt]:
    """Doubt a coarse scale of which a good part at one end is never used, as if coded otherwise than declared."""
    values, scale = series.values, series.scale
    coarse = scale is not None and 1 < scale[1] - scale[0] < _ANSWERS and (values == np.round(values)).all()
    if scale is None or not coarse or len(values) < _ENOUGH or len(np.unique(values)) == 1:
        return []
    low, high = float(values.min()), float(values.max())
    if max(low - scale[0], scale[1] - high) < _UNUSED * (scale[1] - scale[0]):
        return []
    got = f"values of {series.name!r} from {low:g} to {high:g} on a scale declared as {scale[0]:g} to {scale[1]:g}"
    remedy = "check how the answers are coded, and the declared scale"
    return [doubt(series.file, [], series.column, got, "both ends of the scale in use", remedy)]


def _never_within(study: Study) -> list[Doubt]:
    """Doubt an indicator that differs between persons but never within one."""
    found = []
    for name, part in study.measurements.groupby("indicator", sort=False):
        groups = part.groupby("participant_id")["value"]
        several = groups.count() > 1
        if several.sum() >= _FEWEST and part["value"].nunique() > 1 and (groups.nunique()[several] == 1).all():
            got = f"{name!r} that never changes within a person"
            remedy = "a trait is a covariate of the person (`covariates` in study.yaml)"
            found.append(doubt("measurements.tsv", [], "value", got, "values that change", remedy))
    return found


def _same_answers(study: Study) -> list[Doubt]:
    """Doubt persons whose answers never change, where the answers of most others do."""
    found, lines = [], lines_of(study, "measurements.tsv")
    for name, part in study.measurements.groupby("indicator", sort=False):
        groups = part.groupby("participant_id")["value"]
        known = groups.count() >= _FEWEST_OF_ONE
        constant = groups.nunique().eq(1) & known
        if not constant.any() or constant.sum() > _FEW_CONSTANT * known.sum() or part["value"].nunique() < _DISTINCT:
            continue
        who = [str(person) for person in constant.index[constant]]
        mine = study.measurements["indicator"].eq(name) & study.measurements["participant_id"].isin(who)
        got = f"{name!r} that never changes in {named(who)}"
        remedy = "ask whether somebody answered for the form; leave the person out if so"
        rows = lines[mine.to_numpy()].tolist()
        found.append(doubt("measurements.tsv", rows, "value", got, "answers that change, as of most persons", remedy))
    return found


def _twins(study: Study) -> list[Doubt]:
    """Doubt two dyads all of whose values are the same."""
    table, lines, found = study.measurements, lines_of(study, "measurements.tsv"), []
    first: dict[tuple, str] = {}
    for dyad, places in table.groupby("dyad", sort=True).indices.items():
        part = table.iloc[places]
        if len(part) < _SAME or part["value"].nunique() < _DISTINCT:
            continue
        key = (tuple(part["indicator"]), tuple(part["value"]))
        other = first.setdefault(key, str(dyad))
        if other != dyad:
            got = f"all {len(part)} values of dyad {dyad!r} are those of dyad {other!r}"
            remedy = "check that no rows were copied"
            found.append(doubt("measurements.tsv", lines[places].tolist(), "value", got, "values of its own", remedy))
    return found
