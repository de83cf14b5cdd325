"""LimeSurvey: answers by question codes, and moments that may be placeholders."""

from dyadloop.exchange.formats.preset import Preset, preset_format

_OWN = (
    "id", "submitdate", "lastpage", "startlanguage", "seed", "token", "startdate", "datestamp", "ipaddr", "refurl",
    "interviewtime",
)  # fmt: skip

PRESET = Preset(
    title="LimeSurvey",
    needs=frozenset({"id", "submitdate", "lastpage"}),
    keys={
        "dyad": ["token"],
        "date": ["startdate", "datestamp", "submitdate"],
        "missing": ["1980-01-01 00:00:00", "N/A"],
    },
    own=lambda name: name in _OWN or name.endswith("Time") or name.startswith("groupTime"),
)
FORMAT = preset_format(
    "limesurvey",
    PRESET,
    "answers by codes; the token as the person; 1980-01-01, its placeholder for no date, as missing",
    "exports with whole questions as headings are read as plain tables; timings",
    "headings of public exports, found in analysis scripts",
)
