"""All doubts about a study: its times, what is missing, its values, and the ranges of known questionnaires."""

import re
from pathlib import Path

from dyadloop.data import Study, read_study
from dyadloop.data.absence_doubts import absence_doubts
from dyadloop.data.calendar_doubts import calendar_doubts
from dyadloop.data.doubts import Doubt, doubt, lines_of
from dyadloop.data.schema import Indicator
from dyadloop.data.sources import QuestionnaireSource
from dyadloop.data.value_doubts import value_doubts
from dyadloop.errors import DataError
from dyadloop.measures.plate_doubts import plate_doubts
from dyadloop.measures.quantity_doubts import quantity_doubts
from dyadloop.measures.questionnaires.instrument import Answer, Instrument, instruments

_SHORTEST_NAME = 3


def doubts(study: Study | str | Path, today: float | None = None) -> list[Doubt]:
    """Return what is possible in a study but unlikely: nothing of it stops a fit, all of it should be looked at.

    Parameters
    ----------
    study
        Sound study, or its folder.
    today
        Days since 1970 from which dates lie in the future; default: now.

    Returns
    -------
    list of Doubt
        Each with file, row, column, what was found, what is usual, and what to do; printed as one line.

    Raises
    ------
    DataError
        If the folder has faults.

    Examples
    --------
    >>> doubts = dl.doubts("results/example-study")
    >>> len(doubts)
    0
    """
    found = study if isinstance(study, Study) else read_study(study)
    of_rows = [*calendar_doubts(found, today), *absence_doubts(found), *value_doubts(found)]
    return [*of_rows, *instrument_doubts(found), *plate_doubts(found), *quantity_doubts(found)]


def doubts_beside(error: DataError) -> list[Doubt]:
    """Return what is doubtful in the rows that have no fault, of a folder that has faults elsewhere.

    What is absent is doubted only where every row of the tables is sound, and times only where all of sessions.tsv is:
    a row with a fault leaves a gap that is none of the study's.
    """
    study: Study | None = error.sound
    if study is None:
        return []
    files = {fault.file for fault in error.faults}
    tables = {"participants.tsv", "sessions.tsv", "measurements.tsv"}
    found = [] if "sessions.tsv" in files else calendar_doubts(study)
    found += [] if files & tables else absence_doubts(study)
    return [*found, *value_doubts(study), *instrument_doubts(study)]


def instrument_doubts(study: Study) -> list[Doubt]:
    """Return values, or declared scales, beyond what a known questionnaire can give."""
    found, lines = [], lines_of(study, "measurements.tsv")
    table = study.measurements
    for name, entry in study.info.indicators.items():
        key = _instrument(study, name, entry)
        if key is None:
            continue
        low, high = _range(key)
        mine = table["indicator"].eq(name)
        odd = (mine & ~table["value"].between(low, high)).to_numpy()
        expected = f"{low:g} to {high:g}, as {key.title} gives"
        if odd.any():
            values = table["value"][odd]
            extreme = float(values.max() if values.max() > high else values.min())
            remedy = f"check it, and declare `scale: [{low:g}, {high:g}]`"
            found.append(
                doubt("measurements.tsv", lines[odd].tolist(), "value", f"{extreme:g} for {name!r}", expected, remedy)
            )
        if entry.scale is not None and (entry.scale[0] < low or entry.scale[1] > high):
            got = f"a scale of {entry.scale[0]:g} to {entry.scale[1]:g} for {name!r}"
            found.append(doubt("study.yaml", [], f"indicators.{name}.scale", got, expected, "check the scale"))
    return found


def _instrument(study: Study, name: str, entry: Indicator) -> Instrument | None:
    """Return the shipped questionnaire that an indicator is: by its source, or by its name."""
    source = study.info.measures.get(name)
    if isinstance(source, QuestionnaireSource):
        return instruments().get(source.instrument)
    words = {_bare(name), *map(_bare, name.split("_")), *map(_bare, re.split(r"[\s,;:()]+", entry.reason))}
    fitting = []
    for key in instruments().values():
        bare = _bare(key.id)
        letters = bare.rstrip("0123456789")
        if bare in words or _bare(name).startswith(bare) or (len(letters) >= _SHORTEST_NAME and letters in words):
            fitting.append(key)
    return fitting[0] if len(fitting) == 1 else None


def _bare(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


def _range(key: Instrument) -> Answer:
    """Return the widest range of its scores, as sums or means of whole scales or parts."""
    ends = []
    for items in key.scales().values():
        ranges = [key.range_of(item) for item in items]
        sums = [sum(answer[k] for answer in ranges) for k in (0, 1)]
        ends += [*sums, *(value / len(ranges) for value in sums)]
    return min(ends), max(ends)
