"""A layout, well by well, and the readings of plates as one table of wells; no well is lost on the way."""

import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from dyadloop.errors import DataError, Fault
from dyadloop.exchange.formats.registry import read_source
from dyadloop.exchange.plates.readings import Reading, read_readings
from dyadloop.files import write_text
from dyadloop.measures.assays.wells import KINDS

LAYOUT_COLUMNS = ("well", "kind", "sample", "concentration", "dilution", "participant_id", "session", "phase", "time")
"""Columns of a layout; ``plate`` may be added where plates differ, and ``well`` and ``kind`` must be there."""
_NEEDED = ("well", "kind")
_EMPTY = "empty"
"""Kind of a well that holds nothing."""
_MISSING = ("", "n/a", "-")
_COMMA = re.compile(r"^-?\d+,\d+$")


def wells_of(
    readings: Sequence[str | Path], layout: str | Path, label: str | None = None
) -> tuple[pd.DataFrame, list[str]]:
    """Return the wells of plates with what stands in each, and in words what was left out.

    Parameters
    ----------
    readings
        Exports of a plate reader, see :func:`read_readings`.
    layout
        Table with a row per well: :data:`LAYOUT_COLUMNS`. ``kind`` is standard, blank, control, sample, dilution or
        empty. Without a column ``plate`` it holds for every plate.
    label
        Which reading counts where a plate was read several times, such as ``450``.

    Raises
    ------
    DataError
        If layout and readings do not fit; all faults at once.
    """
    plates = [_chosen(Path(path), label) for path in readings]
    known: dict[str, Reading] = {}
    faults: list[Fault] = []
    for path, own in zip(readings, plates, strict=True):
        for reading in map(_with_points, own):
            if reading.plate in known:
                got, remedy = f"a second plate named {reading.plate!r}", "rename the file or the plate"
                faults.append(Fault(Path(path).name, None, None, got, "each plate once", remedy))
            known[reading.plate] = reading
    table = _layout(Path(layout), faults)
    if faults:
        raise DataError(str(layout), faults)
    rows, told = [], []
    for plate, reading in known.items():
        own = table[table["plate"].isin(["", plate])]
        rows += _joined(Path(layout).name, plate, reading, own, faults, told)
    named = table[(table["plate"] == "") & (table["participant_id"] != "")]
    if len(known) > 1 and len(named):
        several = f"{len(named)} wells of the layout name a person and no plate"
        told.append(f"{several}: each is taken as a re-run of the same sample on all {len(known)} plates")
    strange = sorted(set(table["plate"]) - {"", *known})
    faults += [
        Fault(Path(layout).name, None, "plate", repr(name), f"one of {', '.join(known)}", "correct the layout")
        for name in strange
    ]
    if faults:
        raise DataError(str(layout), faults)
    return pd.DataFrame(rows), told


def _chosen(path: Path, label: str | None) -> list[Reading]:
    """Return one reading per plate of a file."""
    found: dict[str, list[Reading]] = {}
    for reading in read_readings(path):
        found.setdefault(reading.plate, []).append(reading)
    chosen = []
    for plate, several in found.items():
        fitting = several if label is None else [r for r in several if label in (r.label, r.label.split(" ")[0])]
        if len(fitting) != 1:
            names = ", ".join(r.label or "one without a name" for r in several)
            got = f"{len(several)} readings of plate {plate!r}: {names}"
            remedy = "say which one with --reading; save plates that differ as files of their own"
            raise DataError(str(path), [Fault(path.name, None, None, got, "one that is to count", remedy)])
        chosen += fitting
    return chosen


def _with_points(reading: Reading) -> Reading:
    """Return a reading with decimal points, where it has decimal commas throughout."""
    if any("." in cell for cell in reading.wells.values()):
        return reading
    wells = {well: cell.replace(",", ".") if _COMMA.match(cell) else cell for well, cell in reading.wells.items()}
    return Reading(reading.plate, reading.label, wells)


def _layout(path: Path, faults: list[Fault]) -> pd.DataFrame:
    (grid, *_) = read_source(path)[1]
    table = grid.table.astype(str)
    for name in _NEEDED:
        if name not in table:
            faults.append(Fault(path.name, 1, name, "no such column", f"a column {name!r}", "add it"))
    if faults:
        raise DataError(str(path), faults)
    for name in ("plate", *LAYOUT_COLUMNS[2:]):
        if name not in table:
            table[name] = ""
    table["well"] = table["well"].str.upper().str.replace(r"^([A-Z]+)0+", r"\1", regex=True)
    table["kind"] = table["kind"].str.lower()
    for name in ("concentration", "dilution"):
        if not table[name].str.contains(".", regex=False).any():
            table[name] = table[name].str.replace(_COMMA, lambda found: found[0].replace(",", "."), regex=True)
    table["line"] = grid.rows
    for record in table.to_dict("records"):
        if record["kind"] not in (*KINDS, _EMPTY):
            expected = f"one of {', '.join(KINDS)}, {_EMPTY}"
            faults.append(Fault(path.name, int(record["line"]), "kind", repr(record["kind"]), expected, "correct it"))
    for line in table.loc[table.duplicated(["plate", "well"]), "line"]:
        faults.append(Fault(path.name, int(line), "well", "a well named before", "each well once", "remove one"))
    return table


def _joined(
    layout: str, plate: str, reading: Reading, table: pd.DataFrame, faults: list[Fault], told: list[str]
) -> list[dict[str, str]]:
    """Return the wells of a plate that hold something; a signal without a place in the layout is told."""
    rows = []
    for record in table.to_dict("records"):
        signal = reading.wells.get(str(record["well"]))
        if signal is None:
            got = f"{record['well']!r}, which plate {plate!r} has not"
            faults.append(Fault(layout, int(record["line"]), "well", got, "a well of the plate", "correct it"))
        elif record["kind"] != _EMPTY:
            own = {name: str(record[name]) for name in LAYOUT_COLUMNS[1:]}
            rows.append({"plate": plate, "well": str(record["well"])} | own | {"signal": signal})
    named = {str(well) for well in table["well"]}
    spare = [well for well, signal in reading.wells.items() if signal not in _MISSING and well not in named]
    if spare:
        shown = ", ".join(spare[:8]) + (", ..." if len(spare) > 8 else "")
        told.append(f"plate {plate!r}: {len(spare)} wells with a signal are not in the layout: {shown}")
    empty = [str(r["well"]) for r in table.to_dict("records") if r["kind"] == _EMPTY]
    if held := [well for well in empty if reading.wells.get(well, "") not in _MISSING]:
        told.append(f"plate {plate!r}: {len(held)} wells that the layout calls empty have a signal: left out")
    return rows


def write_wells(
    readings: Sequence[str | Path], layout: str | Path, out: str | Path, label: str | None = None
) -> list[str]:
    """Write the wells as the table that an assay of a study is read from; return in words what was left out.

    Raises
    ------
    DataError
        As in :func:`wells_of`.
    """
    table, told = wells_of(readings, layout, label)
    lines = ["\t".join(map(str, table.columns))]
    lines += ["\t".join(" ".join(str(cell).split()) for cell in row) for row in table.to_numpy(dtype=object)]
    write_text(out, "\n".join(lines) + "\n")
    return told
