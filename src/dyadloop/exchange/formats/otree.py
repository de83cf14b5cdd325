"""oTree, wide: one row per participant, columns such as ``app.1.player.field`` for each round.

Fields of the group stand in the row of every player and are left out: taken for each player, one decision would count
several times.
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
    if most < 2:
        started = [n for n in ("participant.time_started_utc", "participant.time_started") if n in names]
        return replace(grid, hints=grid.hints | ({"date": started[0]} if started else {}))
    told = f"rounds of {app}; other apps: {', '.join(sorted(set(apps) - {app})) or 'none'}"
    return replace(
        grid, hints=grid.hints | {"wide": f"{app}.{{session}}.player.{{name}}"}, told=grid.told | {"rounds": told}
    )


FORMAT = replace(
    preset_format(
        "otree",
        PRESET,
        "wide exports (all apps): fields of players, round by round; the label or code of participants",
        "fields of groups and subsessions, which every player's row repeats; rounds of other apps; page times",
        "a table with the headings of its export",
    ),
    read=read_otree,
)
