"""Avro containers, written here byte by byte, and the wristband that uses them."""

import contextlib
import json

import numpy as np
import pytest

from dyadloop.errors import DataError
from dyadloop.exchange.recordings import unpack
from dyadloop.exchange.recordings.avro import read_avro
from dyadloop.signals import read_recording
from tests.exchange import avro_files


@pytest.mark.parametrize("codec", ["null", "deflate"])
def test_sensors_keep_their_rates_units_and_clock(tmp_path, codec):
    (tmp_path / "band.avro").write_bytes(avro_files.container(avro_files.SCHEMA, [avro_files.band()], codec))
    tables = {path.stem: path for path in unpack(tmp_path / "band.avro", tmp_path / "out")}
    assert set(tables) == {"band_accelerometer", "band_eda"}
    skin, moved = (read_recording(tables[f"band_{name}"]) for name in ("eda", "accelerometer"))
    assert (skin.fs, moved.fs) == (4.0, 64.0)
    np.testing.assert_allclose(skin.channel("eda"), [0.5, 0.75, 1.0, 1.25])
    np.testing.assert_allclose(moved.channel("x"), [0.0, -1.0, 1.0])
    told = json.loads(tables["band_eda"].with_suffix(".json").read_text())
    assert told["StartTime"] == 0.5
    assert told["Units"] == {"eda": "µS"}
    assert told["ClockZero"] == avro_files.BEGAN / 1e6
    assert told["Tags"] == [2.0]


def test_what_is_damaged_or_of_another_kind_is_refused_in_words(tmp_path):
    whole = avro_files.container(avro_files.SCHEMA, [avro_files.band()], "deflate")
    other = avro_files.container(avro_files.record("Odd", ("a", "int")), [avro_files.whole(3)])
    cases = {
        "cut": (whole[:-20], "damaged"), "changed": (whole.replace(b"deflate", b"snappyy"), "packed by snappyy"),
        "sync": (whole[:-1] + b"x", "does not end where it should"), "other": (other, "without such sensors"),
        "rate": (avro_files.container(avro_files.SCHEMA, [avro_files.band(rate=0.0)]), "a rate and a start"),
        "empty": (avro_files.container(avro_files.SCHEMA, []), "without such sensors"), "schema": (whole.replace(b'"float"', b'"flaot"'), "damaged"),
    }  # fmt: skip
    for name, (content, words) in cases.items():
        path = tmp_path / f"{name}.avro"
        path.write_bytes(content)
        with pytest.raises(DataError, match=words):
            unpack(path, tmp_path / name)
        assert not (tmp_path / name).exists()


def test_any_cut_or_changed_byte_is_refused_or_read(tmp_path):
    """No other kind of error, however the bytes are spoiled."""
    whole, rng = (
        avro_files.container(avro_files.SCHEMA, [avro_files.band(), avro_files.band()]),
        np.random.default_rng(1),
    )
    for turn in range(300):
        spoiled = bytearray(whole[: int(rng.integers(4, len(whole)))] if turn % 2 else whole)
        spoiled[int(rng.integers(len(spoiled)))] = int(rng.integers(256))
        (tmp_path / "a.avro").write_bytes(spoiled)
        with contextlib.suppress(DataError):
            read_avro(tmp_path / "a.avro")
