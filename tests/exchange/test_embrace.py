"""Avro containers, written here byte by byte, and the wristband that uses them."""

import contextlib
import json
import struct
import zlib

import numpy as np
import pytest

from dyadloop.errors import DataError
from dyadloop.exchange.recordings import unpack
from dyadloop.exchange.recordings.avro import read_avro
from dyadloop.signals import read_recording

BEGAN = 1_700_000_000_000_000  # µs


def _whole(number):
    folded, out = (number << 1) ^ (number >> 63), bytearray()
    while folded > 0x7F:
        out.append(folded & 0x7F | 0x80)
        folded >>= 7
    return bytes([*out, folded])


def _text(text):
    return _whole(len(text.encode())) + text.encode()


def _array(items, sized=False):
    """An array in two blocks, which may tell their size."""
    found = b""
    for part in (items[:2], items[2:]):
        body = b"".join(part)
        head = _whole(-len(part)) + _whole(len(body)) if sized else _whole(len(part))
        found += head + body if part else b""
    return found + _whole(0)


def _container(schema, records, codec="null", sync=b"s" * 16):
    body = b"".join(records)
    if codec == "deflate":
        machine = zlib.compressobj(wbits=-15)
        body = machine.compress(body) + machine.flush()
    told = {"avro.schema": json.dumps(schema).encode(), "avro.codec": codec.encode()}
    head = _whole(len(told)) + b"".join(_text(k) + _whole(len(v)) + v for k, v in told.items()) + _whole(0)
    return b"Obj\x01" + head + sync + _whole(len(records)) + _whole(len(body)) + body + sync


def _record(name, *fields):
    return {"type": "record", "name": name, "fields": [{"name": key, "type": kind} for key, kind in fields]}


FLOATS, INTS, LONGS = ({"type": "array", "items": kind} for kind in ("float", "int", "long"))
PARAMS = _record("Params", *((name, "int") for name in ("physicalMin", "physicalMax", "digitalMin", "digitalMax")))
CLOCK = (("timestampStart", "long"), ("samplingFrequency", "float"))
SENSORS = _record(
    "Raw",
    ("accelerometer", _record("Acc", *CLOCK, ("imuParams", PARAMS), *((axis, INTS) for axis in "xyz"))),
    ("gyroscope", ["null", _record("Gyro", *CLOCK, ("imuParams", "Params"), *((axis, INTS) for axis in "xyz"))]),
    ("eda", _record("Eda", *CLOCK, ("values", FLOATS))),
    ("tags", _record("Tags", ("tagsTimeMicros", LONGS))),
)
SCHEMA = _record(
    "Band", ("version", {"type": "fixed", "name": "Two", "size": 2}), ("note", ["null", "string"]), ("rawData", SENSORS)
)


def _band(eda=(0.5, 0.75, 1.0, 1.25), rate=4.0, tags=(BEGAN + 2_000_000,)):
    float_ = lambda value: struct.pack("<f", value)  # noqa: E731 - a word for one line
    acc = _whole(BEGAN) + float_(64.0) + b"".join(map(_whole, (-16, 16, -32768, 32768)))
    acc += b"".join(
        _array([_whole(v) for v in axis], sized=True) for axis in ((0, -2048, 2048), (0, 0, 0), (2048,) * 3)
    )
    skin = _whole(BEGAN + 500_000) + float_(rate) + _array([float_(v) for v in eda])
    return b"v6" + _whole(1) + _text("left") + acc + _whole(0) + skin + _array([_whole(tag) for tag in tags])


@pytest.mark.parametrize("codec", ["null", "deflate"])
def test_sensors_keep_their_rates_units_and_clock(tmp_path, codec):
    (tmp_path / "band.avro").write_bytes(_container(SCHEMA, [_band()], codec))
    tables = {path.stem: path for path in unpack(tmp_path / "band.avro", tmp_path / "out")}
    assert set(tables) == {"band_accelerometer", "band_eda"}
    skin, moved = (read_recording(tables[f"band_{name}"]) for name in ("eda", "accelerometer"))
    assert (skin.fs, moved.fs) == (4.0, 64.0)
    np.testing.assert_allclose(skin.channel("eda"), [0.5, 0.75, 1.0, 1.25])
    np.testing.assert_allclose(moved.channel("x"), [0.0, -1.0, 1.0])
    told = json.loads(tables["band_eda"].with_suffix(".json").read_text())
    assert told["StartTime"] == 0.5
    assert told["Units"] == {"eda": "µS"}
    assert told["ClockZero"] == BEGAN / 1e6
    assert told["Tags"] == [2.0]


def test_what_is_damaged_or_of_another_kind_is_refused_in_words(tmp_path):
    whole = _container(SCHEMA, [_band()], "deflate")
    other = _container(_record("Odd", ("a", "int")), [_whole(3)])
    cases = {
        "cut": (whole[:-20], "damaged"), "changed": (whole.replace(b"deflate", b"snappyy"), "packed by snappyy"),
        "sync": (whole[:-1] + b"x", "does not end where it should"), "other": (other, "without such sensors"),
        "rate": (_container(SCHEMA, [_band(rate=0.0)]), "a rate and a start"),
        "empty": (_container(SCHEMA, []), "without such sensors"), "schema": (whole.replace(b'"float"', b'"flaot"'), "damaged"),
    }  # fmt: skip
    for name, (content, words) in cases.items():
        path = tmp_path / f"{name}.avro"
        path.write_bytes(content)
        with pytest.raises(DataError, match=words):
            unpack(path, tmp_path / name)
        assert not (tmp_path / name).exists()


def test_any_cut_or_changed_byte_is_refused_or_read(tmp_path):
    """No other kind of error, however the bytes are spoiled."""
    whole, rng = _container(SCHEMA, [_band(), _band()]), np.random.default_rng(1)
    for turn in range(300):
        spoiled = bytearray(whole[: int(rng.integers(4, len(whole)))] if turn % 2 else whole)
        spoiled[int(rng.integers(len(spoiled)))] = int(rng.integers(256))
        (tmp_path / "a.avro").write_bytes(spoiled)
        with contextlib.suppress(DataError):
            read_avro(tmp_path / "a.avro")
