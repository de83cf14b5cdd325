"""Recordings: text files of any layout, video, heart, skin and voice, to series on an even clock with their gaps."""

from dyadloop.measures.recordings.beats import interbeat_intervals
from dyadloop.measures.recordings.body import (
    fundamental_frequency,
    heart_beats,
    phasic_skin_conductance,
)
from dyadloop.measures.recordings.files import read_recording
from dyadloop.measures.recordings.recording import Recording, Stretch
from dyadloop.measures.recordings.video import FLAGS, motion_energy
from dyadloop.measures.recordings.wristbands import read_tags

__all__ = [
    "FLAGS",
    "Recording",
    "Stretch",
    "fundamental_frequency",
    "heart_beats",
    "interbeat_intervals",
    "motion_energy",
    "phasic_skin_conductance",
    "read_recording",
    "read_tags",
]
