"""Data sets of BIDS whose subjects are persons of dyads: a column of participants.tsv says who belongs together."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from dyadloop.exchange.grid import Grid
from dyadloop.exchange.vocabulary import ROLES, rank

_SUBJECT = "participant_id"
_PAIRED = 95  # rank from which a heading names a dyad, couple or pair, and no single person


def with_pairs(grids: Sequence[Grid]) -> list[Grid]:
    """Return tables of persons with the dyad and role of each, where participants.tsv names them; others as they are.

    Parameters
    ----------
    grids
        Tables with a column ``participant_id``, that of the participants first.
    """
    people, *others = grids
    dyad = next((name for name in people.table.columns if rank(str(name), "dyad") >= _PAIRED), None)
    if dyad is None or not others or _SUBJECT not in people.table:
        return list(grids)
    sizes = Counter(text for text in people.column(dyad).tolist() if text)
    if not sizes or min(sizes.values()) < 2 or len(set(people.column(_SUBJECT))) < len(people.table):
        return list(grids)
    role = next((name for name in people.table.columns if _is_role(people, str(name))), None)
    told = f"{_SUBJECT} is a person; participants.tsv names the dyad" + (" and the role" if role else "")
    hints = {"dyad": dyad, "person": _SUBJECT} | ({} if role else {"person_role": "partner"})
    joined = [_joined(grid, people, [dyad, *([role] if role else [])]) for grid in others]
    found = [replace(grid, hints=grid.hints | hints, told=grid.told | {"dyads": told}) for grid in joined]
    why = "a row per person, whose dyad and role stand in the other tables"
    return [replace(people, hints=people.hints | {"dyad": dyad, "holds": ("nothing", why)}), *found]


def _is_role(people: Grid, name: str) -> bool:
    texts = {text.casefold() for text in people.column(name).tolist() if text}
    return len({ROLES[text] for text in texts if text in ROLES}) > 1 and texts <= set(ROLES)


def _joined(grid: Grid, people: Grid, names: Sequence[str]) -> Grid:
    """Return a table with columns of the participants beside the person of each row."""
    if _SUBJECT not in grid.table:
        return grid
    table = grid.table.copy()
    for name in names:
        known = dict(zip(people.column(_SUBJECT), people.column(name), strict=True))
        if name not in table:
            table[name] = pd.Series([known.get(subject, "") for subject in table[_SUBJECT]], dtype=object)
    return replace(grid, table=table)
