"""m-Path: one row per questionnaire that was sent, its moments in seconds since 1970."""

from dyadloop.exchange.formats.preset import Preset, preset_format

_OWN = (
    "connectionId", "legacyCode", "code", "alias", "initials", "accountCode", "scheduledBeepId", "sentBeepId",
    "reminderForOriginalSentBeepId", "questionListName", "questionListLabel", "fromProtocolName", "timeZoneOffset",
    "deltaUTC", "originalTimeStampSent",
)  # fmt: skip

PRESET = Preset(
    title="m-Path",
    needs=frozenset({"connectionId", "timeStampStart", "questionListName"}),
    keys={
        "dyad": ["connectionId"],
        "session": None,
        "day": ["timeStampStart"],
        "unit": "unix_seconds",
        "length_min": 0,
    },
    own=lambda name: name in _OWN or "timeStamp" in name or "TimeStamp" in name,
)
FORMAT = preset_format(
    "mpath",
    PRESET,
    "answers at the moment a questionnaire was started; seconds since 1970",
    "questionnaires that nobody started; answers that are lists; changes of the time zone within a person",
    "the columns that its R package mpathr declares",
)
