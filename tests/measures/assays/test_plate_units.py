"""Plates of one assay with standards in different units are named; other ranges and other kits are not."""

import shutil

import numpy as np
import pandas as pd
import pytest

import dyadloop as dl
from dyadloop.measures.assays.plate_units import plates_apart
from dyadloop.measures.assays.wells import WELL_COLUMNS

STANDARDS = np.array([0, 7.8, 15.6, 31.25, 62.5, 125, 250, 500, 1000])


def _plate(name, unit=1.0, middle=200.0, standards=STANDARDS, seed=0):
    """A plate with 3 % scatter of its signals, whose concentrations are written in another unit."""
    rng = np.random.default_rng(seed)
    x = np.repeat(standards, 2)
    signal = (2.5 - 2.45 / (1 + x / middle)) * (1 + 0.03 * rng.normal(size=len(x)))
    rows = [(name, "standard", f"s{c:g}", y, c * unit, 1) for c, y in zip(x, signal, strict=True)]
    return pd.DataFrame([*rows, (name, "sample", "a", 0.4, np.nan, 1)], columns=[*WELL_COLUMNS])


def _apart(*plates):
    return plates_apart(dl.read_plates(pd.concat(plates, ignore_index=True)).curves)


@pytest.mark.parametrize(("unit", "factor"), [(1e-3, "1000"), (1e3, "1000"), (0.1, "10"), (100, "100"), (1 / 31, "3")])
def test_another_unit_is_doubted_with_its_factor(unit, factor):
    found = _apart(_plate("one"), _plate("two", unit, seed=1))
    assert len(found.doubts) == 1
    assert "plate 'two'" in found.doubts[0]
    assert f"a factor of {factor}" in found.doubts[0]
    assert set(found.plates) == {"one", "two"}  # of two, either may be wrong


def test_the_one_plate_of_many_is_marked_alone():
    found = _apart(*(_plate(f"p{k}", 1e-3 if k == 2 else 1.0, seed=k) for k in range(5)))
    assert set(found.plates) == {"p2"}


def test_plates_of_one_kit_are_not_doubted():
    """Middles that differ by a third, standards that reach farther, and curves whose middle lies beyond them."""
    for seed in range(20):
        low = STANDARDS[:6] if seed % 2 else STANDARDS
        plates = [_plate("one", seed=seed), _plate("two", 1, 260, low, seed + 50), _plate("three", 1, 150, seed=seed)]
        assert _apart(*plates).doubts == ()
    assert _apart(_plate("one"), _plate("two", 1, standards=STANDARDS[:4])).doubts == ()
    assert _apart(_plate("one"), _plate("two", 3.0)).doubts == ()


_STUDY = """schema_version: 1
name: units
title: SIMULATED plates
licence: CC0-1.0
simulated: true
indicators:
  saliva: {quantity: oxytocin, person: patient, unit: pg/ml, transform: log}
measures:
  saliva: {kind: assay, file: plates.tsv, matrix: saliva, method: ELISA, extracted: true}
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "study.yaml").write_text(_STUDY)
    people = "P01\tD01\tpatient\nT01\tD01\ttherapist\nP02\tD02\tpatient\nT02\tD02\ttherapist\n"
    (tmp_path / "participants.tsv").write_text("participant_id\tdyad\trole\n" + people)
    (tmp_path / "sessions.tsv").write_text("dyad\tsession\tstart\tlength_min\nD01\t1\t0\t50\nD02\t1\t0\t50\n")
    (tmp_path / "measurements.tsv").write_text("dyad\tparticipant_id\tsession\ttime\tphase\tindicator\tvalue\tlimit\n")
    plates = []
    for k, unit in enumerate((1.0, 1e-3)):
        plate = _plate(f"pl{k}", unit, seed=k).assign(participant_id="", session="")
        plate.loc[plate["kind"] == "sample", ["participant_id", "session"]] = f"P0{k + 1}", "1"
        plates.append(plate)
    pd.concat(plates).to_csv(tmp_path / "plates.tsv", sep="\t", index=False)
    return tmp_path


def test_measure_and_check_say_so(folder):
    measured = dl.measure(folder)
    assert measured.status["status"].str.contains("doubtful: plate 'pl1' has standards of 0.0078 to 1").all()
    assert any("a factor of 1000" in text for text in measured.record["saliva"]["notes"]["plates.tsv"])
    doubts = [str(doubt) for doubt in dl.doubts(folder) if doubt.file == "plates.tsv"]
    assert len(doubts) == 1
    assert "a factor of 1000" in doubts[0]
    shutil.move(folder / "plates.tsv", folder / "elsewhere.tsv")
    assert not any(doubt.file == "plates.tsv" for doubt in dl.doubts(folder))
