"""Odd and corrupted recordings, plates and transcripts: read whole, asked about or refused; nothing breaks."""

import shutil

import numpy as np

from dyadloop.errors import DyadloopError
from dyadloop.exchange.plates import read_readings
from dyadloop.exchange.recordings import unpack
from dyadloop.exchange.transcripts import read_turns
from dyadloop.signals import read_recording
from tests.exchange import odd_signals, xdf_files
from tests.exchange.odd import bytes_edit, text_edit

FAMILIES = ("recordings", "edf", "points", "wristbands", "plates", "transcripts")
_NUMBERS = [str(k) for k in range(1, 13)]


def _bytes(text, rng):
    return bytes_edit(text.encode(), rng) if rng.random() < 0.3 else (text.encode(), "whole")


def _xdf(path, rng):
    times = 50.0 + np.arange(300) / 100
    one = xdf_files.stream(1, "Heart", 100.0, times, rng.normal(size=(300, 2)), ["ecg", "resp"], offsets=[(50.0, 0.1)])
    two = xdf_files.stream(2, "Marks", 0, [51.0, 52.0], [["a"], ["b"]], ["what"], form="string")
    return xdf_files.write(path, *one, *two).read_bytes()


def _texts(kind, rng):
    """Return rows of a text recording and their separator."""
    if kind == 0:
        head = [
            ["scorer", *["net"] * 6],
            ["bodyparts", *["a"] * 3, *["b"] * 3],
            ["coords", *["x", "y", "likelihood"] * 2],
        ]
        return [*head, *([k, *rng.integers(0, 99, 2), 0.9, *rng.integers(0, 99, 2), 0.8] for k in range(40))], ","
    if kind == 1:
        head = ["track", "frame_idx", "instance.score", "nose.x", "nose.y", "nose.score"]
        return [head, *([w, k, 0.9, *rng.integers(0, 99, 2), 0.9] for k in range(30) for w in "ab")], ","
    if kind == 2:
        head = [["S_Timestamp_Unix_CAL", "S_GSR_CAL"], ["ms", "uS"]]
        return [*head, *([1.7e12 + 10 * k, k / 9] for k in range(60))], "\t"
    if kind == 3:
        return [
            ["Phone timestamp", "RR-interval [ms]"],
            *([f"2024-04-24T14:10:{k:02d}.752", 790 + k] for k in range(50)),
        ], ";"
    if kind == 4:
        return [["name", "frameTime", "F0"], *(["x", f"{k / 100:.2f}", 100 + k] for k in range(60))], ";"
    head = ["frame", "FaceRectX", "FaceScore", "AU01", "happiness", "Pitch"]
    return [head, *([k, 1, 0.99, k / 9, 0.5, 2] for k in range(50))], ","


def _recording(folder, rng):
    kind = int(rng.integers(8))
    if kind > 5:
        path = folder / "odd.xdf"
        raw, done = bytes_edit(_xdf(path, rng), rng)
        path.write_bytes(raw)
        return path, f"xdf, {done}"
    rows, mark = _texts(kind, rng)
    rows, first = text_edit([[str(cell) for cell in row] for row in rows], rng)
    raw, done = _bytes("\n".join(mark.join(row) for row in rows), rng)
    path = folder / "odd.csv"
    path.write_bytes(raw)
    return path, f"{kind}, {first}, {done}"


def _plate(folder, rng):
    rows = [
        ["Plate:", "P7"],
        ["", *_NUMBERS],
        *([letter, *(f"{v:.3f}" for v in rng.random(12))] for letter in "ABCDEFGH"),
    ]
    rows, first = text_edit([[str(cell) for cell in row] for row in rows], rng)
    mark = str(rng.choice(list("\t;,")))
    raw, done = _bytes("\n".join(mark.join(row) for row in rows), rng)
    path = folder / "odd.txt"
    path.write_bytes(raw)
    return path, f"{first}, {done}"


_TURNS = {
    ".vtt": "WEBVTT\n\n00:01.000 --> 00:02.500\n<v Ada>hello\n\n00:03.000 --> 00:04.000\n<v Ben>hi\n",
    ".srt": "1\n00:00:01,000 --> 00:00:02,500\nAda: hello\n\n2\n00:00:03,000 --> 00:00:04,000\nBen: hi\n",
    ".json": '{"segments": [{"start": 1.0, "end": 2.5, "text": "hello", "speaker": "A"}, {"start": 3, "end": 4, "text": "hi", "speaker": "B"}]}',
    ".cha": "@UTF8\n@Begin\n*ADA:\thello . \u00151000_2500\u0015\n*BEN:\thi . \u00153000_4000\u0015\n@End\n",
    ".eaf": '<?xml version="1.0"?><ANNOTATION_DOCUMENT><TIME_ORDER><TIME_SLOT TIME_SLOT_ID="a" TIME_VALUE="1"/><TIME_SLOT TIME_SLOT_ID="b" TIME_VALUE="9"/></TIME_ORDER><TIER TIER_ID="Ada"><ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="x" TIME_SLOT_REF1="a" TIME_SLOT_REF2="b"><ANNOTATION_VALUE>hi</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION></TIER></ANNOTATION_DOCUMENT>',
    ".TextGrid": 'File type = "ooTextFile"\nObject class = "TextGrid"\n\n0\n4\n<exists>\n1\n"IntervalTier"\n"Ada"\n0\n4\n2\n0\n2\n"hello"\n2\n4\n""\n',
}  # fmt: skip


def _transcript(folder, rng):
    ending = str(rng.choice(list(_TURNS)))
    raw, done = bytes_edit(_TURNS[ending].encode(), rng)
    path = folder / f"odd{ending}"
    path.write_bytes(raw)
    return path, f"{ending}, {done}"


def outcome(name, folder, rng):
    """Return what becomes of one odd file: read, refused, or what is wrong; and what was done to it."""
    make, read = {
        "recordings": (_recording, _unpacked),
        "edf": (odd_signals.edf, _samples),
        "points": (odd_signals.points, _unpacked),
        "wristbands": (odd_signals.band, _unpacked),
        "plates": (_plate, _wells),
        "transcripts": (_transcript, lambda path: "" if len(read_turns(path)) >= 0 else "no table"),
    }[name]
    path, kind = make(folder, rng)
    try:
        wrong = read(path)
    except DyadloopError as error:
        return ("refused" if str(error).strip() else "broken: refused without a word"), kind
    except BaseException as error:
        import traceback

        last = traceback.extract_tb(error.__traceback__)[-1]
        return f"broken: {type(error).__name__} {error} at {last.filename}:{last.lineno}", kind
    return (f"broken: {wrong}" if wrong else "imported"), kind


def _unpacked(path):
    """Unpack; what was written is read again, with as many rows as it has."""
    out = path.parent / "out"
    shutil.rmtree(out, ignore_errors=True)
    for table in unpack(path, out, 25.0):
        lines = table.read_text().count("\n") - 1
        if not table.stem.endswith("markers") and lines > 2 and len(read_recording(table).channels) != lines:
            return f"{lines} rows written, {len(read_recording(table).channels)} read"
    return ""


def _samples(path):
    """Unpack; there are as many samples as the header tells, and as many rows as are read again."""
    shutil.rmtree(path.parent / "out", ignore_errors=True)
    return odd_signals.unpacked_edf(path, path.parent / "out") or _unpacked(path)


def _wells(path):
    """Every filled cell of a matrix that is read stands in a well."""
    for reading in read_readings(path):
        if len(reading.wells) not in (24, 96, 384, 1536) and not set(reading.wells) <= {
            f"{a}{n}" for a in "ABCDEFGH" for n in _NUMBERS
        }:
            return f"{len(reading.wells)} wells"
    return ""
