"""A small sound study folder, as text, for tests that break one thing at a time."""

import pytest

STUDY = """\
schema_version: 1
name: tiny
title: A made-up study for tests
licence: CC0-1.0
simulated: true
indicators:
  trust: {quantity: trust, person: patient, unit: points, scale: [1, 7]}
  ot: {quantity: oxytocin, person: patient, unit: pg/ml, transform: log}
"""
PARTICIPANTS = "participant_id\tdyad\trole\tage\nP1\tD1\tpatient\t30\nT1\tD1\ttherapist\t40\nP2\tD2\tpatient\t25\nNA\tD2\ttherapist\t50\n"
SESSIONS = (
    "dyad\tsession\tstart\tlength_min\tevents\n"
    "D1\t1\t2024-03-01T14:00:00\t50\t\nD1\t2\t2024-03-08T14:00:00\t50\tdose=24; rupture\n"
    "D2\t1\t2024-03-02T10:00:00\t45\t\nD2\t2\t2024-03-09T10:00:00\t45\t\n"
)
MEASUREMENTS = (
    "dyad\tparticipant_id\tsession\ttime\tphase\tindicator\tvalue\tlimit\n"
    "D1\tP1\t1\t\tafter\ttrust\t4\t\nD1\tP1\t2\t\tafter\ttrust\t5\t\n"
    "D1\tP1\t1\t\tbefore\tot\t6.5\t\nD1\tP1\t1\t\tafter\tot\t8.5\t\n"
    "D2\tP2\t1\t\tafter\ttrust\t3\t\nD2\tP2\t2\t2024-03-09T10:45:00\t\ttrust\t6\t\n"
    "D2\tP2\t1\t\tbefore\tot\t2.0\tbelow\n"
)


@pytest.fixture
def tiny(tmp_path):
    folder = tmp_path / "tiny"
    folder.mkdir()
    (folder / "study.yaml").write_text(STUDY)
    (folder / "participants.tsv").write_text(PARTICIPANTS)
    (folder / "sessions.tsv").write_text(SESSIONS)
    (folder / "measurements.tsv").write_text(MEASUREMENTS)
    return folder
