"""oTree, wide: one row per participant, columns such as ``app.1.player.field`` for each round.

Fields of the group stand in the row of every player and are left out: taken for each player, one decision would count
several times. Where every group has two players who stay together, the group is the dyad.
"""

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

from dyadloop.exchange.formats.delimited import read_delimited
from dyadloop.exchange.formats.excel import read_excel
from dyadloop.exchange.formats.format import Settings
from dyadloop.exchange.formats.preset import Preset, preset_format
from dyadloop.exchange.grid import Grid
from dyadloop.exchange.vocabulary import ROLES

_PLAYER = re.compile(r"^(?P<app>\w+)\.(?P<round>\d+)\.player\.(?P<field>\w+)$")
_OWN_FIELDS = ("id_in_group", "role", "payoff", "_gbat_arrived", "_gbat_grouped", "_gbat_is_waiting")

PRESET = Preset(
    title="oTree",
    needs=frozenset({"participant.code", "participant.id_in_session", "session.code"}),
    keys={"dyad": ["participant.label", "participant.code"], "length_min": 0},
    own=lambda name: name.startswith(("participant.", "session.")) or ".group." in name or ".subsession." in name
    or name.rpartition(".")[2] in _OWN_FIELDS,
)  # fmt: skip


def read_otree(path: Path, settings: Settings) -> list[Grid]:
    """Return one row per participant; the rounds of the app that has most are taken as sessions.

    Raises
    ------
    DataError
        If the file cannot be read.
    """
    grids = read_excel(path, settings) if path.suffix.lower() == ".xlsx" else read_delimited(path, settings)
    return [_with_rounds(PRESET.hinted(grid)) for grid in grids]


def _with_rounds(grid: Grid) -> Grid:
    names = list(grid.table.columns)
    rounds = {(match["app"], match["round"]) for name in names if (match := _PLAYER.match(name))}
    apps = Counter(app for app, _ in rounds)
    app, most = apps.most_common(1)[0] if apps else ("", 0)
    grid = _with_pairs(grid, app, sorted(number for own, number in rounds if own == app), most > 1)
    if most < 2:
        started = [n for n in ("participant.time_started_utc", "participant.time_started") if n in names]
        return replace(grid, hints=grid.hints | ({"date": started[0]} if started else {}))
    told = f"rounds of {app}; other apps: {', '.join(sorted(set(apps) - {app})) or 'none'}"
    return replace(
        grid, hints=grid.hints | {"wide": f"{app}.{{session}}.player.{{name}}"}, told=grid.told | {"rounds": told}
    )


def _with_pairs(grid: Grid, app: str, rounds: list[str], folded: bool) -> Grid:
    """Return a table whose dyads are the groups of an app, where each has two players and the same in all rounds."""
    groups = [f"{app}.{number}.group.id_in_subsession" for number in rounds]
    places = [f"{app}.{number}.player.id_in_group" for number in rounds]
    if not rounds or not {*groups, *places, "session.code"} <= set(grid.table.columns):
        return grid
    sessions, table = grid.column("session.code"), grid.table
    stay = all((grid.column(names[0]) == grid.column(name)).all() for names in (groups, places) for name in names)
    own = [f"{code}-{group}" if group else "" for code, group in zip(sessions, grid.column(groups[0]), strict=True)]
    if not stay or set(Counter(filter(None, own)).values()) != {2}:
        return replace(grid, told=grid.told | {"groups": "groups are no dyads: more than two players, or new ones"})
    if len(set(sessions.tolist())) > 1:
        table = table.assign(**{groups[0]: own})
    role, roles = _roles(grid, app, rounds[0])
    person = grid.hints["dyad"]
    found = {"dyad": groups[0], "person": person, "role": role if folded else f"{app}.{rounds[0]}.player.{role}"}
    if not folded:
        found["session"] = "session.code"
    told = f"the two players of a group of {app} are a dyad; a group is named by its session and number"
    return replace(grid, table=table, hints=grid.hints | found | {"roles": roles}, told=grid.told | {"groups": told})


def _roles(grid: Grid, app: str, number: str) -> tuple[str, dict[str, str]]:
    """Return the field that tells who of a pair is whom, and what its entries mean."""
    named = f"{app}.{number}.player.role"
    texts = sorted({text for text in grid.column(named).tolist() if text}) if named in grid.table else []
    meant = {text: ROLES[text.casefold()] for text in texts if text.casefold() in ROLES}
    if len(texts) == len(set(meant.values())) == 2:
        return "role", meant
    return "id_in_group", {"1": "patient", "2": "partner"}


FORMAT = replace(
    preset_format(
        "otree",
        PRESET,
        "wide exports (all apps): fields of players by round; label or code of participants; pairs of players as dyads",
        "fields of groups and subsessions, which every player's row repeats; rounds of other apps; page times",
        "a table with the headings of its export",
    ),
    read=read_otree,
)
