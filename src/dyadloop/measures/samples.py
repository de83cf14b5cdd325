"""From the wells of a study's plates to its samples: who gave them and when, and what became of every well.

A sample is known by its plate and its name there: readers number their unknowns anew on each plate.
"""

from typing import Any

import numpy as np
import pandas as pd

from dyadloop.data.sources import AssaySource
from dyadloop.data.table import MISSING
from dyadloop.errors import DataError, Fault
from dyadloop.measures.assays import Plates, read_plates
from dyadloop.measures.assays.plate_units import plates_apart
from dyadloop.measures.work import Work, is_of_role, keys_of, table_of

_NEEDED = ("plate", "kind", "sample", "signal", "participant_id", "session")
_OCCASION = ("participant_id", "session", "phase", "time")

Sample = tuple[str, str]
Occasion = tuple[str, ...]


def measure_samples(work: Work) -> None:
    """Read the plates of an assay; each occasion gets one value, and each well a status."""
    source: AssaySource = work.source
    table = table_of(work, source.file, _NEEDED)
    plates = read_plates(table, source.model, source.weighting, source.file)
    persons = _persons(table, source.file)
    reasons = _unknown(work, persons)
    keys = _keys(work, table, persons, reasons, source.file)
    reasons |= {
        sample: "another role" for sample, key in keys.items() if not is_of_role(work, str(key["participant_id"]))
    }
    read = plates.samples[plates.samples["kind"] == "sample"].set_index(["plate", "sample"])
    chosen = _chosen(persons, reasons, read["value"].dropna().index.tolist())
    for sample, by in chosen.items():
        if by != sample:
            reasons[sample] = f"replaced by a re-run on plate {by[0]!r}"
    _add_rows(work, read, keys, reasons, plates)
    wells = _well_table(plates.wells, persons, reasons, read)
    work.results |= {"plates": plates, "wells": wells}
    for doubt in plates.doubts:
        work.note(source.file, doubt)
    work.record |= {
        "convention": f"{source.model} curve, {source.weighting} weights; error: of the log concentration",
        "assay_class": {"matrix": source.matrix, "method": source.method, "extracted": source.extracted},
        "plate_sd_log": plates.plate_sd,
        "plates": plates.plates.to_dict("records"),
        "wells": wells["status"].value_counts(sort=False).to_dict(),
    }


def _persons(table: pd.DataFrame, file: str) -> dict[Sample, Occasion]:
    """Return whose sample each name on each plate is; two persons under one name are a fault.

    A well that names nobody belongs to the person whom the other wells of its sample name.
    """
    found: dict[Sample, Occasion] = {}
    first: dict[Sample, int] = {}
    faults = []
    wells = table[table["kind"] == "sample"]
    for place, record in zip(wells.index, wells.to_dict("records"), strict=True):
        sample, row = (record["plate"], record["sample"]), int(place) + 2
        here = tuple("" if record.get(c, "") in MISSING else record[c] for c in _OCCASION)
        if any(here[:2]) and any(found.get(sample, here)[:2]) and found.get(sample, here) != here:
            got = (
                f"sample {sample[1]!r} of {' '.join(part for part in here if part)}, of another in row {first[sample]}"
            )
            remedy = "give each sample of a plate a name of its own"
            faults.append(Fault(file, row, "sample", got, "one person and occasion per sample and plate", remedy))
        elif any(here[:2]):
            found[sample] = here
            first.setdefault(sample, row)
        else:
            found.setdefault(sample, here)
    faults += _twice(found, first, file)
    if faults:
        raise DataError(file, sorted(faults, key=lambda fault: fault.row or 0))
    return found


def _twice(found: dict[Sample, Occasion], first: dict[Sample, int], file: str) -> list[Fault]:
    """Return a fault for each occasion with two samples on one plate: one of them is somebody else's."""
    faults, seen = [], {}
    for sample, row in first.items():
        other = seen.setdefault((sample[0], found[sample]), sample)
        if other != sample:
            who = " ".join(part for part in found[sample] if part)
            got = f"sample {sample[1]!r} of {who}, who has {other[1]!r} (row {first[other]}) on the same plate"
            remedy = "correct the person, tell them apart by phase or time, or make them two indicators"
            faults.append(Fault(file, row, "sample", got, "one sample per occasion and plate", remedy))
    return faults


def _unknown(work: Work, persons: dict[Sample, Occasion]) -> dict[Sample, str]:
    """Return the samples that belong to nobody in the study, or to no session."""
    people = dict(zip(work.study.participants["participant_id"], work.study.participants["dyad"], strict=True))
    calendar = set(zip(work.study.sessions["dyad"], work.study.sessions["session"].astype(str), strict=True))
    found = {}
    for sample, (person, session, *_) in persons.items():
        if person not in people:
            found[sample] = f"unknown id {person!r}" if person else "unknown id: none given"
        elif (people[person], session) not in calendar:
            found[sample] = f"unknown session {session!r} of {person!r}"
    return found


def _keys(
    work: Work, table: pd.DataFrame, persons: dict[Sample, Occasion], reasons: dict[Sample, str], file: str
) -> dict[Sample, dict[str, Any]]:
    """Return dyad, person, session, phase, time and plate of every sample that has a place in the study."""
    wells = table[(table["kind"] == "sample") & ~table["participant_id"].isin(MISSING)].drop_duplicates(
        ["plate", "sample"]
    )
    samples = list(zip(wells["plate"], wells["sample"], strict=True))
    known = [sample in persons and sample not in reasons for sample in samples]
    keys = keys_of(work, wells[known], file)
    return {
        sample: {"phase": ""} | key | {"plate": sample[0]}
        for sample, key in zip([s for s, kept in zip(samples, known, strict=True) if kept], keys, strict=True)
    }


def _chosen(persons: dict[Sample, Occasion], reasons: dict[Sample, str], read: list[Sample]) -> dict[Sample, Sample]:
    """Return, for every sample that was read, the one that counts: that of the last plate of its occasion."""
    runs: dict[Occasion, list[Sample]] = {}
    for sample in read:
        if sample not in reasons:
            runs.setdefault(persons[sample], []).append(sample)
    return {sample: group[-1] for group in runs.values() for sample in group}


def _add_rows(
    work: Work, read: pd.DataFrame, keys: dict[Sample, dict[str, Any]], reasons: dict[Sample, str], plates: Plates
) -> None:
    """Add a row for each sample that counts, and say why the other occasions and samples have none."""
    rows = read.to_dict("index")
    valued = {sample for sample in read.index[read["value"].notna()] if sample not in reasons}
    apart = plates_apart(plates.curves).plates
    served = {_occasion(keys[sample]) for sample in valued}
    for sample, key in keys.items():
        if sample in valued:
            row = rows[sample]
            doubts = [] if row["status"] == "ok" else [str(row["status"])]
            doubts += [apart[sample[0]]] if sample[0] in apart else []
            work.add(key, float(row["value"]), float(row["error"]), str(row["limit"]), "; ".join(doubts))
        elif sample not in reasons and _occasion(key) not in served:
            why = str(read.loc[sample, "status"]) if sample in read.index else _why_unread(plates, sample)
            work.bad(str(key["dyad"]), str(key["session"]), f"no value: {why}, plate {sample[0]!r}")
    for sample, reason in reasons.items():
        if reason.startswith("unknown"):
            work.bad("-", "-", f"{reason}: sample {sample[1]!r} of plate {sample[0]!r}")
    for row in plates.plates[plates.plates["status"] != "ok"].to_dict("records"):
        work.bad("-", "-", f"plate {row['plate']!r}: {row['status']}")


def _occasion(key: dict[str, Any]) -> Occasion:
    return tuple(str(key.get(name, "")) for name in _OCCASION)


def _why_unread(plates: Plates, sample: Sample) -> str:
    wells = plates.wells
    mine = wells[(wells["kind"] == "sample") & (wells["plate"] == sample[0]) & (wells["sample"] == sample[1])]
    return ", ".join(mine["status"].unique())


def _well_table(
    wells: pd.DataFrame, persons: dict[Sample, Occasion], reasons: dict[Sample, str], read: pd.DataFrame
) -> pd.DataFrame:
    """Return what became of every well: the words of the plate, but for samples that have no place or no value."""
    samples = list(zip(wells["plate"], wells["sample"], strict=True))
    mine = wells["kind"].eq("sample").to_numpy()
    lost = set(read.index[read["value"].isna()])
    status = [
        _status(str(word), reasons.get(sample, ""), sample in lost) if own else word
        for sample, own, word in zip(samples, mine, wells["status"], strict=True)
    ]
    whose = [persons.get(sample, ("",) * 4) if own else ("",) * 4 for sample, own in zip(samples, mine, strict=True)]
    found = wells.assign(status=np.where(wells["status"].eq("curve"), wells["kind"], status))
    return found.assign(**{name: [place[k] for place in whose] for k, name in enumerate(_OCCASION)})


def _status(word: str, reason: str, lost: bool) -> str:
    if word in ("no curve", "no signal"):
        return word
    if reason:
        return reason.split(" '")[0].split(":")[0].split(" on plate")[0]
    return "contradicted" if lost else "scored" if word == "read" else word
