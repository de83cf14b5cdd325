"""formr: its column ``session`` is the person, not a session."""

from dyadloop.exchange.formats.preset import Preset, preset_format

_OWN = (
    "session", "session_id", "run_session_id", "unit_session_id", "study_id", "survey_id", "created", "modified",
    "ended", "expired", "iteration", "email", "user_id",
)  # fmt: skip

PRESET = Preset(
    title="formr",
    needs=frozenset({"session", "created", "modified", "ended"}),
    keys={"dyad": ["session"], "session": None, "date": ["created"], "length_min": 0},
    own=lambda name: name in _OWN,
)
FORMAT = preset_format(
    "formr",
    PRESET,
    "answers at the moment a survey was begun; the column `session` as the person, which it is",
    "item tables, run structure",
    "the system columns that its R package and public codebooks name",
)
