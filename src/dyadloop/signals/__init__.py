"""Recordings: text files of any layout, video, heart, skin and voice, to series on an even clock with their gaps."""

from dyadloop.signals.beats import interbeat_intervals
from dyadloop.signals.body import fundamental_frequency, heart_beats, phasic_skin_conductance
from dyadloop.signals.files import read_recording
from dyadloop.signals.recording import Recording, Stretch
from dyadloop.signals.video import FLAGS, motion_energy
from dyadloop.signals.wristbands import read_tags

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
