"""A study as plain tables for other programs: long or wide CSV, each with a data dictionary."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from dyadloop.data import Study
from dyadloop.exchange.folder import neutral

LONG, WIDE, DICTIONARY = "long.csv", "wide.csv", "data_dictionary.csv"
_LONG_COLUMNS = (
    "dyad", "participant_id", "role", "therapist", "session", "start", "length_min", "time", "phase", "indicator",
    "value", "limit", "error", "plate", "trials", "quantity", "unit",
)  # fmt: skip
_MEANINGS = {
    "dyad": "who belongs together", "participant_id": "who was measured",
    "role": "patient, therapist, partner, peer, other",
    "therapist": "who treats the dyad", "session": "name of the session within the dyad",
    "start": "start of the session, as in the study", "length_min": "length of the session [minutes]",
    "phase": "before or after the session, within or between",
    "time": "moment of the value, where it is not that of the session", "indicator": "what was measured",
    "value": "the value, or the limit that it lies beyond", "limit": "below or above, where the value is a limit",
    "error": "standard error of the value", "plate": "plate that the sample was read on",
    "trials": "out of how many trials a count is", "quantity": "variable of the theory that the indicator stands for",
    "unit": "unit of the value", "events": "events of the session, name or name=number",
}  # fmt: skip
_ENDINGS = {"before": ("pre", "before", "vor"), "after": ("post", "after", "nach")}


def text_tables(study: Study) -> dict[str, pd.DataFrame]:
    """Return the three tables of a study as text, as they stand in the folder."""
    return {
        name: pd.read_csv(Path(study.path) / f"{name}.tsv", sep="\t", dtype=str, keep_default_na=False)
        for name in ("participants", "sessions", "measurements")
    }


def long_table(study: Study) -> pd.DataFrame:
    """Return one row per value."""
    tables = text_tables(study)
    values = tables["measurements"].merge(tables["sessions"], on=["dyad", "session"], how="left")
    people = tables["participants"].set_index("participant_id")
    therapists = dict(zip(study.dyads, study.therapists, strict=True))
    values["role"] = values["participant_id"].map(people["role"])
    values["therapist"] = values["dyad"].map(therapists)
    values["quantity"] = [study.info.indicators[name].quantity for name in values["indicator"]]
    values["unit"] = [study.info.indicators[name].unit for name in values["indicator"]]
    known = [
        name for name in _LONG_COLUMNS if name in values and (name in _LONG_COLUMNS[:13] or (values[name] != "").any())
    ]
    more = [name for name in tables["sessions"].columns if name not in (*_LONG_COLUMNS, "events")]
    return values[[*known, *more]].fillna("")


def wide_table(study: Study) -> pd.DataFrame:
    """Return one row per dyad, session and moment, with a column per indicator.

    An indicator with values before and after sessions has two columns, such as ``phq_pre`` and ``phq_post``, which an
    import puts together again. Limits, standard errors and trials have columns of their own where there are any. Where
    a dyad has several persons in one role, the indicators of the second get the ending ``_2``, and so on.
    """
    tables = text_tables(study)
    values, people = tables["measurements"], tables["participants"]
    number = people.groupby(["dyad", "role"]).cumcount() + 1
    place = dict(zip(people["participant_id"], number, strict=True))
    halves = _halves(study)
    told = zip(values["indicator"], values["phase"], values["participant_id"], strict=True)
    values = values.assign(
        column=[
            f"{halves.get((name, phase), name)}{f'_{place[who]}' if place[who] > 1 else ''}"
            for name, phase, who in told
        ],
        phase=values["phase"].where(values["phase"].isin(["within", "between"]), ""),
    )
    keys = ["dyad", "session", "time", "phase"]
    parts = []
    for name, ending in (("value", ""), ("limit", "_limit"), ("error", "_error"), ("trials", "_trials")):
        if name in values and (name == "value" or (values[name] != "").any()):
            kept = values if name == "value" else values[values[name] != ""]
            part = kept.pivot(index=keys, columns="column", values=name)
            parts.append(part.rename(columns=lambda column, ending=ending: f"{column}{ending}"))
    wide = pd.concat(parts, axis=1).reset_index()
    sessions = tables["sessions"].merge(wide, on=["dyad", "session"], how="outer").fillna("")
    therapists = dict(zip(study.dyads, study.therapists, strict=True))
    sessions.insert(1, "therapist", [therapists.get(dyad, "") for dyad in sessions["dyad"]])
    empty = [
        name
        for name in ("therapist", "time", "phase", "events")
        if name in sessions and not (sessions[name] != "").any()
    ]
    order = dict(zip(zip(study.sessions["dyad"], study.sessions["session"], strict=True), range(10**9), strict=False))
    place_of = [order.get(key, 10**9) for key in zip(sessions["dyad"], sessions["session"], strict=True)]
    return (
        sessions.assign(_place=place_of).sort_values(["_place", "time"], kind="stable").drop(columns=[*empty, "_place"])
    )


def _phases(study: Study) -> dict[str, set[str]]:
    """Return the phases of each indicator, without those between moments of a session."""
    table = text_tables(study)["measurements"]
    table = table[table["phase"].isin(["", *_ENDINGS])]
    return {str(name): set(phases) for name, phases in table.groupby("indicator")["phase"]}


def _halves(study: Study) -> dict[tuple[str, str], str]:
    """Return the columns of indicators that have values at several phases of a session, by indicator and phase."""
    phases = _phases(study)
    found: dict[tuple[str, str], str] = {}
    for name in (name for name, told in phases.items() if len(told) > 1):
        for phase, endings in _ENDINGS.items():
            free = (f"{name}_{ending}" for ending in endings if f"{name}_{ending}" not in study.info.indicators)
            found[name, phase] = next(free, name)
    return found


def dictionary(study: Study, columns: Sequence[str]) -> pd.DataFrame:
    """Return what each column of a table means."""
    rows, phases, halves = [], _phases(study), {column: key for key, column in _halves(study).items()}
    for name in columns:
        base, ending, phase = _indicator_of(study, name, halves)
        if base is None:
            rows.append({"column": name, "meaning": _meaning(study, name), "unit": "", "lowest": "", "highest": ""})
            continue
        entry = study.info.indicators[base]
        what = {"limit": "limit of ", "error": "standard error of ", "trials": "trials of "}.get(ending, "")
        scale = ("", "") if entry.scale is None or what else (f"{entry.scale[0]:g}", f"{entry.scale[1]:g}")
        only = phases.get(base, set())
        phase = phase or (next(iter(only)) if len(only) == 1 else "")
        when = f", {phase} the session" if phase else ""
        asked = f", about the last {entry.recall_days:g} days" if entry.recall_days else ""
        reason = f" ({entry.reason})" if entry.reason else ""
        meaning = f"{what}{base}: {entry.quantity} of the {entry.person}{when}{asked}{reason}"
        rows.append({"column": name, "meaning": meaning, "unit": entry.unit, "lowest": scale[0], "highest": scale[1]})
    return pd.DataFrame(rows, columns=["column", "meaning", "unit", "lowest", "highest"])


def _meaning(study: Study, name: str) -> str:
    covariate = study.info.covariates.get(name)
    return (
        covariate.reason or f"covariate of the {covariate.of}" if covariate is not None else _MEANINGS.get(name, name)
    )


def _indicator_of(study: Study, name: str, halves: dict[str, tuple[str, str]]) -> tuple[str | None, str, str]:
    """Return the indicator of a column of a wide table, what of it the column holds, and its phase where it says so."""
    columns = {known: (known, "") for known in study.info.indicators} | halves
    for column, (known, phase) in columns.items():
        if name == column:
            return known, "", phase
    for column, (known, phase) in columns.items():
        rest = name.removeprefix(f"{column}_") if name.startswith(f"{column}_") else ""
        parts = rest.split("_")
        if rest and all(part.isdigit() or part in ("limit", "error", "trials") for part in parts):
            return known, parts[-1] if not parts[-1].isdigit() else "", phase
    return None, "", ""


def write_csv(table: pd.DataFrame, path: Path) -> Path:
    """Write a table as CSV in UTF-8, with commas and decimal points; nothing in it is a formula to a spreadsheet."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([neutral(str(name)) for name in table.columns])
        writer.writerows([[neutral(str(value)) for value in row] for row in table.to_numpy(dtype=object)])
    return path


def write_long(study: Study, out: Path) -> list[Path]:
    """Write one row per value, and the data dictionary."""
    table = long_table(study)
    return [write_csv(table, out / LONG), write_csv(dictionary(study, list(table.columns)), out / DICTIONARY)]


def write_wide(study: Study, out: Path) -> list[Path]:
    """Write one row per session, and the data dictionary."""
    table = wide_table(study)
    return [write_csv(table, out / WIDE), write_csv(dictionary(study, list(table.columns)), out / DICTIONARY)]


def numbers(column: pd.Series) -> np.ndarray | None:
    """Return the numbers of a column of text, NaN where it is empty; None where it holds words."""
    found = pd.to_numeric(column.where(column != "", np.nan), errors="coerce")
    return found.to_numpy(dtype=float) if bool((found.notna() | column.eq("")).all()) else None
