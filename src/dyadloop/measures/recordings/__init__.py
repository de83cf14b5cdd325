"""Recordings: text files of any layout, video, heart, skin and voice, to series on an even clock with their gaps."""

from dyadloop.measures.recordings.body import (
    fundamental_frequency,
    heart_beats,
    interbeat_intervals,
    phasic_skin_conductance,
)
from dyadloop.measures.recordings.files import Recording, read_recording
from dyadloop.measures.recordings.video import FLAGS, motion_energy

__all__ = [
    "FLAGS",
    "Recording",
    "fundamental_frequency",
    "heart_beats",
    "interbeat_intervals",
    "motion_energy",
    "phasic_skin_conductance",
    "read_recording",
]
