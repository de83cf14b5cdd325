"""LimeSurvey: answers by question codes, codes of answers such as A1, and moments that may be placeholders."""

import re
from dataclasses import replace

import pandas as pd

from dyadloop.exchange.formats.preset import Preset, preset_format
from dyadloop.exchange.grid import Grid, Remark

_OWN = (
    "id", "submitdate", "lastpage", "startlanguage", "seed", "token", "startdate", "datestamp", "ipaddr", "refurl",
    "interviewtime",
)  # fmt: skip

_CODE = re.compile(r"([A-Z]{1,3})(\d{1,3})")
_OTHER = "-oth-"


def _numbered(grid: Grid) -> Grid:
    """Return answer codes such as A0 to A3 as the numbers in them, in columns of three of one letter or more."""
    table, remarks, codes = grid.table.copy(), [], {}
    for name in [name for name in table.columns if name not in _OWN]:
        texts = sorted({text for text in grid.column(name).tolist() if text not in ("", _OTHER, "N/A")})
        found = [_CODE.fullmatch(text) for text in texts]
        numbers = {int(match[2]) for match in found if match}
        if None in found or len({match[1] for match in found if match}) != 1 or len(numbers) < max(3, len(texts)):
            continue
        table[name] = [str(int(m[2])) if (m := _CODE.fullmatch(text)) else text for text in grid.column(name)]
        told = f"its codes {texts[0]} to {texts[-1]} are read as the numbers in them"
        codes[name] = f"guess, to be confirmed: {told}, in the order of the answers"
        remarks.append(Remark(grid.file, grid.sheet, None, name, f"{texts[0]} to {texts[-1]}", "changed", told))
    table = pd.DataFrame(table, dtype=object)
    return replace(grid, table=table, remarks=(*grid.remarks, *remarks), hints=grid.hints | {"codes": codes})


PRESET = Preset(
    title="LimeSurvey",
    needs=frozenset({"id", "submitdate", "lastpage"}),
    keys={
        "dyad": ["token"],
        "date": ["startdate", "datestamp", "submitdate"],
        "missing": ["1980-01-01 00:00:00", "N/A"],
    },
    own=lambda name: name in _OWN or name.endswith("Time") or name.startswith("groupTime"),
    rows=_numbered,
)
FORMAT = preset_format(
    "limesurvey",
    PRESET,
    "answers by codes, A1 to A5 as 1 to 5; the token as the person; 1980-01-01, its word for no date, as missing",
    "exports with whole questions as headings are read as plain tables; timings",
    "headings of public exports, found in analysis scripts",
)
