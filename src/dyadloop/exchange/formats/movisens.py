"""movisensXS: one row per form, a date and a time of day for each of its moments, in one column or two."""

from dyadloop.exchange.formats.preset import Preset, preset_format

_OWN = ("Trigger", "Form", "Missing", "Participant", "Device")

PRESET = Preset(
    title="movisensXS",
    needs=frozenset({"Participant", "Trigger", "Form", "Form_start_date"}),
    keys={
        "dyad": ["Participant"],
        "session": None,
        "date": ["Form_start_date"],
        "clock": ["Form_start_time"],
        "length_min": 0,
    },
    own=lambda name: name.startswith(_OWN),
)
FORMAT = preset_format(
    "movisens",
    PRESET,
    "answers at the moment a form was started; workbooks and CSV",
    "forms that nobody started; sensor data",
    "the columns that the tests of its R client ask for",
)
