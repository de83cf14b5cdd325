"""Participants out of rows: who belongs to which dyad, in which role, with which therapist."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from dyadloop.exchange.keys import Part, plain
from dyadloop.exchange.missing import is_missing
from dyadloop.exchange.numbers import told

_SINGLE = ("patient", "therapist")  # roles of which a dyad has one


def people_of(values: pd.DataFrame, parts: Sequence[Part]) -> tuple[pd.DataFrame, pd.Series]:
    """Return the participants, and which values belong to persons that a dyad cannot have.

    Parameters
    ----------
    values
        Values with dyad, participant and role.
    parts
        Tables, for the names of therapists.

    Returns
    -------
    tuple
        Rows of participants.tsv; and for each value the reason why its person is left out, empty for the others.
    """
    found: dict[str, dict[str, str]] = {}
    roles: dict[tuple[str, str], str] = {}
    why = []
    for dyad, person, role in zip(values["dyad"], values["participant"], values["role"], strict=True):
        known = found.get(person)
        if known is not None and (known["dyad"], known["role"]) != (dyad, role):
            why.append(f"{person!r} is the {known['role']} of dyad {known['dyad']!r} elsewhere")
        elif role in _SINGLE and roles.get((dyad, role), person) != person:
            why.append(f"a second {role} of dyad {dyad!r} beside {roles[dyad, role]!r}")
        else:
            why.append("")
            roles.setdefault((dyad, role), person)
            found.setdefault(person, {"participant_id": person, "dyad": dyad, "role": role})
    people = pd.DataFrame(list(found.values()), columns=["participant_id", "dyad", "role"], dtype=object)
    people = people.sort_values(["dyad", "role", "participant_id"], ignore_index=True)
    return _with_therapists(people, parts), pd.Series(why, index=values.index, dtype=object)


def unique_persons(values: pd.DataFrame) -> pd.Series:
    """Return the names of persons, with the dyad added where one therapist sees several patients."""
    dyads = values.groupby("participant")["dyad"].nunique()
    several = set(dyads[dyads > 1].index)
    named = [
        f"{person}_{dyad}" if person in several and role == "therapist" else person
        for person, dyad, role in zip(values["participant"], values["dyad"], values["role"], strict=True)
    ]
    return pd.Series(named, index=values.index, dtype=object)


def _with_therapists(people: pd.DataFrame, parts: Sequence[Part]) -> pd.DataFrame:
    """Add who treats each dyad; a second name is reported and not taken."""
    named: dict[str, str] = {}
    any_column = False
    for part in parts:
        if part.table.therapist is None:
            continue
        any_column = True
        texts, dyads = part.view.texts(part.table.therapist), part.keys["dyad"].to_numpy(dtype=str)
        for row in np.flatnonzero(part.keys["alive"].to_numpy(dtype=bool)):
            text, dyad = plain(texts[row]), dyads[row]
            place = part.place(part.table.therapist, np.array([row]))
            if not text or is_missing(text, part.table.missing, part.table.decimal):
                part.ledger.report(*place, "missing", "stands for no therapist")
            elif named.setdefault(dyad, text) != text:
                why = f"another therapist than {named[dyad]!r} of the same dyad; the first is taken"
                part.ledger.report(*place, "conflict", why)
            else:
                part.ledger.use(*place)
    if not any_column:
        return people
    first = ~people["dyad"].duplicated()
    names = [named.get(dyad, "") if is_first else "" for dyad, is_first in zip(people["dyad"], first, strict=True)]
    return people.assign(therapist=names)


def add_columns(people: pd.DataFrame, parts: Sequence[Part]) -> pd.DataFrame:
    """Add further columns and covariates of persons; a second, different entry is reported and not taken."""
    people = people.copy()
    for part in parts:
        persons = {name: (column, None) for name, column in part.table.persons.items()}
        covariates = {n: (c.column, c.of) for n, c in part.table.covariates.items() if c.of != "session"}
        for name, (column, role) in (persons | covariates).items():
            entries = _entries(part, column, name in covariates, set(people["dyad"]))
            mine = people["role"].eq(role) if role else ~people["dyad"].duplicated()
            people[name] = [entries.get(d, "") if own else "" for d, own in zip(people["dyad"], mine, strict=True)]
    return people


def _entries(part: Part, column: str, number: bool, known: set[str]) -> dict[str, str]:
    """Return the entry of each dyad in a column."""
    found: dict[str, str] = {}
    texts, declared, dyads = part.view.texts(column), part.declared(column), part.keys["dyad"].to_numpy(dtype=str)
    for row in np.flatnonzero(part.keys["dyad"].isin(known).to_numpy()):
        text, dyad = plain(texts[row]), dyads[row]
        if not text:
            continue
        place = part.place(column, np.array([row]))
        if is_missing(text, (*declared, *part.table.missing), part.table.decimal):
            part.ledger.report(*place, "missing", "stands for no answer")
            continue
        value = told(text, part.table.decimal) if number else None
        if number and value is None:
            part.ledger.report(*place, "unreadable", "a covariate that is no number")
            continue
        entry = text if value is None else f"{value.value:.15g}"
        if found.setdefault(dyad, entry) != entry:
            why = f"another entry than {found[dyad]!r} of the same dyad; the first is taken"
            part.ledger.report(*place, "conflict", why)
        else:
            part.ledger.use(*place)
            part.use(part.table.dyad, np.array([row]))
    return found
