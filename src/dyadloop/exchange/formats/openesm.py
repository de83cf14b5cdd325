"""openESM: one row per prompt of a collected data set, with the columns that all its tables have."""

from dyadloop.exchange.formats.preset import Preset, preset_format

PRESET = Preset(
    title="openESM",
    needs=frozenset({"id", "day", "beep", "counter"}),
    keys={"dyad": ["id"], "session": ["counter"], "length_min": 0, "by_session": True},
    own=lambda name: name in ("day", "beep", "counter"),
)
FORMAT = preset_format(
    "openesm",
    PRESET,
    "time series (`..._ts.tsv`): the running number of the prompt as the session, a column of times where there is one",
    "its metadata (.json); numbers of days and prompts, which tell no time of day: without times, days are asked for",
    "the columns that its guide for contributors requires",
)
