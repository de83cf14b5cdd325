"""Avro containers, written here byte by byte, as the wristband EmbracePlus has them."""

import json
import struct
import zlib

BEGAN = 1_700_000_000_000_000  # µs


def whole(number):
    folded, out = (number << 1) ^ (number >> 63), bytearray()
    while folded > 0x7F:
        out.append(folded & 0x7F | 0x80)
        folded >>= 7
    return bytes([*out, folded])


def text(words):
    return whole(len(words.encode())) + words.encode()


def array(items, sized=False):
    """An array in two blocks, which may tell their size."""
    found = b""
    for part in (items[:2], items[2:]):
        body = b"".join(part)
        head = whole(-len(part)) + whole(len(body)) if sized else whole(len(part))
        found += head + body if part else b""
    return found + whole(0)


def container(schema, records, codec="null", sync=b"s" * 16):
    body = b"".join(records)
    if codec == "deflate":
        machine = zlib.compressobj(wbits=-15)
        body = machine.compress(body) + machine.flush()
    told = {"avro.schema": json.dumps(schema).encode(), "avro.codec": codec.encode()}
    head = whole(len(told)) + b"".join(text(k) + whole(len(v)) + v for k, v in told.items()) + whole(0)
    return b"Obj\x01" + head + sync + whole(len(records)) + whole(len(body)) + body + sync


def record(name, *fields):
    return {"type": "record", "name": name, "fields": [{"name": key, "type": kind} for key, kind in fields]}


FLOATS, INTS, LONGS = ({"type": "array", "items": kind} for kind in ("float", "int", "long"))
PARAMS = record("Params", *((name, "int") for name in ("physicalMin", "physicalMax", "digitalMin", "digitalMax")))
CLOCK = (("timestampStart", "long"), ("samplingFrequency", "float"))
SENSORS = record(
    "Raw",
    ("accelerometer", record("Acc", *CLOCK, ("imuParams", PARAMS), *((axis, INTS) for axis in "xyz"))),
    ("gyroscope", ["null", record("Gyro", *CLOCK, ("imuParams", "Params"), *((axis, INTS) for axis in "xyz"))]),
    ("eda", record("Eda", *CLOCK, ("values", FLOATS))),
    ("tags", record("Tags", ("tagsTimeMicros", LONGS))),
)
SCHEMA = record(
    "Band", ("version", {"type": "fixed", "name": "Two", "size": 2}), ("note", ["null", "string"]), ("rawData", SENSORS)
)


def band(eda=(0.5, 0.75, 1.0, 1.25), rate=4.0, tags=(BEGAN + 2_000_000,)):
    float_ = lambda value: struct.pack("<f", value)  # noqa: E731 - a word for one line
    acc = whole(BEGAN) + float_(64.0) + b"".join(map(whole, (-16, 16, -32768, 32768)))
    acc += b"".join(array([whole(v) for v in axis], sized=True) for axis in ((0, -2048, 2048), (0, 0, 0), (2048,) * 3))
    skin = whole(BEGAN + 500_000) + float_(rate) + array([float_(v) for v in eda])
    return b"v6" + whole(1) + text("left") + acc + whole(0) + skin + array([whole(tag) for tag in tags])
