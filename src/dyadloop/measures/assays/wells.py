"""The wells of plates: every sample known by its plate and its name, every well accounted for.

Readers number their unknowns anew on each plate, so that a name means nothing without the plate.
"""

import math

import numpy as np
import pandas as pd

from dyadloop.errors import DataError, Fault

WELL_COLUMNS = ("plate", "kind", "sample", "signal", "concentration", "dilution")
KINDS = ("standard", "blank", "sample", "control", "dilution")
NAMED = ("sample", "control", "dilution")
"""Kinds of wells that have a concentration to be read."""
SATURATED = ("ovrflw", "overflow", "over", "#sat", "sat", "saturated")
"""What readers write for a signal beyond their range; taken as a signal above all others."""
MISSING = ("", "n/a")
_LARGEST = 1e15


def checked_wells(wells: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return wells with numbers in place of texts, ``row`` (line of the file, the header being 1) and ``status``.

    ``status`` is ``no signal`` where there is none, ``saturated`` where the reader says so, else empty.

    Raises
    ------
    DataError
        If a well is not usable; all faults at once, with their rows.
    """
    absent = [c for c in WELL_COLUMNS[:4] if c not in wells.columns]
    if absent:
        faults = [Fault(name, 1, c, "no such column", f"a column {c!r}", "add it") for c in absent]
        raise DataError(name, faults)
    table = wells.reset_index(drop=True).copy()
    table["row"], table["status"] = np.arange(len(table)) + 2, ""
    for column, default in (("concentration", math.nan), ("dilution", 1.0)):
        if column not in table:
            table[column] = default
    saturated = table["signal"].astype(str).str.strip().str.lower().isin(SATURATED)
    table["signal"] = table["signal"].astype(object).mask(saturated, math.inf)
    faults = [fault for column in ("signal", "concentration", "dilution") for fault in _numbers(table, column, name)]
    table["dilution"] = table["dilution"].fillna(1.0)
    for record in table.to_dict("records"):
        faults += _faults_of({str(key): value for key, value in record.items()}, name)
    faults += _places(table, name)
    if faults:
        raise DataError(name, sorted(faults, key=lambda fault: fault.row or 0))
    table["status"] = np.where(table["signal"].isna(), "no signal", np.where(saturated, "saturated", ""))
    return table


def _numbers(table: pd.DataFrame, column: str, name: str) -> list[Fault]:
    """Turn a column into numbers, NaN where nothing stands; return what is no number."""
    given = table[column].where(~table[column].isin(MISSING))
    numbers = pd.to_numeric(given, errors="coerce").astype(float)
    known = numbers.abs().where(numbers.ne(0) & given.ne(math.inf))  # infinite: said by the reader
    odd = (numbers.isna() & given.notna()) | known.lt(1 / _LARGEST) | known.gt(_LARGEST)
    remedy = {
        "signal": f"correct it; a saturated well is {SATURATED[0].upper()}",
        "dilution": "write the factor, such as 4 where one part of four is sample",
    }.get(column, "correct it")
    faults = [
        Fault(name, int(k) + 2, column, repr(table[column].iloc[k]), "a number of usual size", remedy)
        for k in np.flatnonzero(odd.to_numpy())
    ]
    table[column] = numbers
    return faults


def _faults_of(well: dict, name: str) -> list[Fault]:
    row, kind, found = well["row"], well["kind"], []
    if kind not in KINDS:
        found.append(Fault(name, row, "kind", repr(kind), f"one of {', '.join(KINDS)}", "correct it"))
    elif kind == "standard" and not well["concentration"] >= 0:
        found.append(Fault(name, row, "concentration", "none", "the standard's concentration", "fill it in"))
    elif kind in NAMED and _is_empty(well["sample"]):
        found.append(Fault(name, row, "sample", "none", "the name of the sample on its plate", "fill it in"))
    if not well["dilution"] > 0:
        found.append(Fault(name, row, "dilution", f"{well['dilution']:g}", "a factor above 0", "correct it"))
    if _is_empty(well["plate"]):
        found.append(Fault(name, row, "plate", "none", "the name of the plate", "fill it in"))
    return found


def _is_empty(value: object) -> bool:
    return value is None or value in MISSING or (isinstance(value, float) and math.isnan(value))


def _places(table: pd.DataFrame, name: str) -> list[Fault]:
    """Return a fault for every well whose place on its plate is taken already, where places are given."""
    if "well" not in table:
        return []
    known = table[~table["well"].map(_is_empty)]
    twice = known[known.duplicated(["plate", "well"])]
    first = known.drop_duplicates(["plate", "well"]).set_index(["plate", "well"])["row"]
    remedy = "remove the copy, or give each run of a plate its own name"
    got = "{!r} of plate {!r}, already in row {}"
    return [
        Fault(name, int(row), "well", got.format(well, plate, first[plate, well]), "each well once", remedy)
        for row, plate, well in zip(twice["row"], twice["plate"], twice["well"], strict=True)
    ]  # fmt: skip


def plate_doubts(table: pd.DataFrame) -> list[str]:
    """Return in words what about checked wells may be a mistake that no rule can tell."""
    found = []
    starts = table["plate"].ne(table["plate"].shift()).cumsum()
    for plate, part in table.groupby("plate", sort=False):
        blocks = part.groupby(starts)["row"].agg(["min", "max"])
        if len(blocks) > 1:
            rows = " and ".join(f"{low} to {high}" for low, high in blocks.to_numpy())
            found.append(f"plate {plate!r} stands in rows {rows}: one plate, or two runs under one name?")
        thin = part[part["kind"].isin(NAMED) & (part["dilution"] < 1)]
        if len(thin):
            factors = ", ".join(f"{factor:g}" for factor in sorted(set(thin["dilution"]))[:3])
            found.append(
                f"plate {plate!r}: {len(thin)} wells have a dilution below 1 ({factors}): concentrated samples, or "
                "shares where a factor should stand, such as 4 for one part in four?"
            )
        signals = part["signal"]
        empty = part.loc[part["kind"].isin(NAMED) & (signals <= 0), "row"]
        if len(empty) and (signals[part["kind"].isin(["standard", "blank"])] > 0).all():
            rows = ", ".join(str(row) for row in empty[:5])
            found.append(f"plate {plate!r}: signals of 0 or less in rows {rows}: wells that failed or were saturated?")
    return found
