"""PsychoPy: one row per trial, with participant, session and date on each."""

from dyadloop.exchange.formats.preset import Preset, preset_format

_OWN = (
    "expName", "expStart", "psychopyVersion", "frameRate", "OS", "thisRow.t", "notes", "date", "session", "participant",
)  # fmt: skip
_ENDINGS = (
    ".thisRepN", ".thisTrialN", ".thisN", ".thisIndex", ".ran", ".order", ".started", ".stopped", ".keys", ".duration",
    ".history", ".name",
)  # fmt: skip

PRESET = Preset(
    title="PsychoPy",
    needs=frozenset({"participant", "date", "expName", "psychopyVersion"}),
    keys={"dyad": ["participant"], "session": ["session"], "date": ["date"], "twice": "mean"},
    own=lambda name: name in _OWN or name.endswith(_ENDINGS) or name.startswith("thisRow"),
)
FORMAT = preset_format(
    "psychopy",
    PRESET,
    "answers by participant, session and date, which it writes as 2020-05-19_16h20.01.792, as the mean of the "
    "trials of a session",
    "times of trials, single trials",
    "a table with the headings of its export",
)
