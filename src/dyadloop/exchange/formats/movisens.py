"""movisensXS: one row per form, a date and a time of day for each of its moments."""

from dyadloop.exchange.formats.preset import Preset, preset_format

_OWN = ("Trigger", "Form", "Missing", "Participant")

PRESET = Preset(
    title="movisensXS",
    needs=frozenset({"Participant", "Form", "Form_start_date", "Form_start_time"}),
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
    "a table with the headings of its export",
)
