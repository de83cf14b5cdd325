"""SEMA3: one row per survey that was sent, with its moments."""

from dyadloop.exchange.formats.preset import Preset, preset_format

_OWN = ("STUDY_", "SURVEY_", "TRIGGER", "EXPORT_TZ", "START_END", "RAND_PROB", "TOTAL_RT", "PARTICIPANT_TZ")

PRESET = Preset(
    title="SEMA3",
    needs=frozenset({"PARTICIPANT_ID", "SURVEY_NAME", "STARTED_TS", "SCHEDULED_TS"}),
    keys={
        "dyad": ["PARTICIPANT_ID"],
        "session": None,
        "date": ["STARTED_TS"],
        "length_min": 0,
    },
    own=lambda name: name.startswith(_OWN) or name.endswith(("_TS", "_RT")),
)
FORMAT = preset_format(
    "sema3",
    PRESET,
    "answers at the moment a survey was started; `<no-response>` as missing; reaction times left out",
    "surveys that nobody started: they have no answers, and are reported",
    "a record that a public description of its export shows",
)
