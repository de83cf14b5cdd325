"""The chunks of an XDF file, read one after the other; samples go to temporary files, never into memory as a whole.

The specification: https://github.com/sccn/xdf/wiki/Specifications (XDF 1.0). Reads nothing that is not in it.
"""

import struct
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from xml.etree.ElementTree import Element, ParseError, fromstring

import numpy as np

from dyadloop.exchange.formats.format import refusal, sound_file

_TYPES = {
    "float32": "<f4", "double64": "<f8", "int8": "<i1", "int16": "<i2", "int32": "<i4", "int64": "<i8",
}  # fmt: skip
_HEADER, _STREAM, _SAMPLES, _CLOCK, _FOOTER = 1, 2, 3, 4, 6
_MOST_CHUNK = 2**31
_WORDS = 10_000_000  # of all strings of one stream


@dataclass
class Stream:
    """One stream of a file.

    Attributes
    ----------
    number
        Its number in the file.
    info
        Its header.
    fs
        Nominal rate [Hz], 0 where samples come at any time.
    n_channels, form
        Channels, and the type of their samples.
    offsets
        Measurements of how far its clock lies from that of the recorder: time and offset [s].
    words
        Samples of a stream of strings.
    """

    number: int
    info: Element
    fs: float
    n_channels: int
    form: str
    stamps: IO[bytes] = field(repr=False)
    samples: IO[bytes] = field(repr=False)
    offsets: list[tuple[float, float]] = field(default_factory=list)
    words: list[tuple[str, ...]] = field(default_factory=list)
    last: float = float("nan")
    times: np.ndarray = field(default_factory=lambda: np.zeros(0), repr=False)
    values: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)), repr=False)

    @property
    def dtype(self) -> np.dtype:
        """Type of a sample of one channel."""
        return np.dtype(_TYPES[self.form])

    def text(self, name: str) -> str:
        """Return an entry of the header."""
        return (self.info.findtext(name) or "").strip()

    def labels(self) -> list[str]:
        """Return the labels of the channels, where the header has one for each."""
        found = [(entry.findtext("label") or "").strip() for entry in self.info.findall("desc/channels/channel")]
        return found if len(found) == self.n_channels else [f"channel{k + 1}" for k in range(self.n_channels)]

    def units(self) -> list[str]:
        """Return the units of the channels."""
        found = [(entry.findtext("unit") or "").strip() for entry in self.info.findall("desc/channels/channel")]
        return found if len(found) == self.n_channels else [""] * self.n_channels

    def close(self) -> None:
        """Take the time stamps as they were sent [s] and map the samples (sample, channel); nothing more is added."""
        self.stamps.seek(0)
        self.times = np.frombuffer(self.stamps.read(), dtype="<f8").copy()
        self.samples.flush()
        if len(self.times) and self.form != "string":
            shape = (len(self.times), self.n_channels)
            self.values = np.memmap(self.samples, dtype=self.dtype, mode="r", shape=shape)
        self.dropped()

    def dropped(self) -> None:
        """Close the temporary files."""
        self.stamps.close()
        self.samples.close()


def read_streams(path: str | Path) -> list[Stream]:
    """Return the streams of a file.

    Raises
    ------
    DataError
        If the file is no XDF, is cut off or damaged. Chunks before the damage are not used: what is missing is unknown.
    """
    file = sound_file(Path(path), None)
    streams: dict[int, Stream] = {}
    try:
        with file.open("rb") as stream:
            _read(file, stream, streams)
        if not streams:
            raise refusal(file, "no stream", "a recording with streams", "record it again")
        for own in streams.values():
            own.close()
    finally:
        for own in streams.values():
            own.dropped()
    return list(streams.values())


def _read(file: Path, stream: IO[bytes], streams: dict[int, Stream]) -> None:
    if stream.read(4) != b"XDF:":
        raise refusal(file, "a file that does not begin with 'XDF:'", "XDF", "export it again")
    for tag, size, place in _chunks(file, stream):
        if tag not in (_STREAM, _SAMPLES, _CLOCK):
            stream.seek(size - 2, 1)
            continue
        if size - 2 > _MOST_CHUNK:
            raise _damaged(file, place, "a chunk beyond 2 GiB")
        content = _exactly(file, stream, size - 2, place)
        number = struct.unpack_from("<I", content)[0] if len(content) >= 4 else -1
        _take(file, place, tag, number, content[4:], streams)


def _chunks(file: Path, stream: IO[bytes]) -> Iterator[tuple[int, int, int]]:
    """Yield tag, length (the tag included) and place of each chunk."""
    end = file.stat().st_size
    while (place := stream.tell()) < end:
        size = _length(file, stream, place)
        if size < 2 or stream.tell() + size > end:
            raise _damaged(file, place, "a chunk that is cut off")
        yield struct.unpack("<H", _exactly(file, stream, 2, place))[0], size, place


def _length(file: Path, stream: IO[bytes], place: int) -> int:
    width = _exactly(file, stream, 1, place)[0]
    if width not in (1, 4, 8):
        raise _damaged(file, place, f"{width} bytes for a length")
    return int.from_bytes(_exactly(file, stream, width, place), "little")


def _exactly(file: Path, stream: IO[bytes], size: int, place: int) -> bytes:
    found = stream.read(size)
    if len(found) != size:
        raise _damaged(file, place, "a chunk that is cut off")
    return found


def _damaged(file: Path, place: int, got: str) -> Exception:
    return refusal(file, f"{got} at byte {place}", "whole chunks", "copy or export the file again")


def _take(file: Path, place: int, tag: int, number: int, content: bytes, streams: dict[int, Stream]) -> None:
    if tag == _STREAM:
        if number in streams:
            raise _damaged(file, place, f"a second header of stream {number}")
        streams[number] = _opened(file, place, number, content)
        return
    if number not in streams:
        raise _damaged(file, place, f"a chunk of stream {number}, which has no header")
    own = streams[number]
    if tag == _CLOCK:
        if len(content) != 16:
            raise _damaged(file, place, "a clock offset that is cut off")
        own.offsets.append(struct.unpack("<dd", content))
        return
    try:
        _samples(own, content)
    except (struct.error, ValueError, IndexError, UnicodeDecodeError):
        raise _damaged(file, place, f"samples of stream {number} that do not fit its header") from None


def _opened(file: Path, place: int, number: int, content: bytes) -> Stream:
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise _damaged(file, place, "a header that defines entities")
    try:
        info = fromstring(content.decode("utf-8"))
        fs, channels = float(info.findtext("nominal_srate") or 0), int(info.findtext("channel_count") or 0)
    except (ParseError, ValueError, UnicodeDecodeError):
        raise _damaged(file, place, f"an unreadable header of stream {number}") from None
    form = (info.findtext("channel_format") or "").strip()
    if form not in (*_TYPES, "string") or not 0 < channels < 100_000 or not 0 <= fs < 1e7:
        raise _damaged(file, place, f"{channels} channels of {form!r} at {fs:g} Hz")
    stamps, samples = (tempfile.TemporaryFile() for _ in range(2))  # noqa: SIM115 - as long as the stream is in use
    return Stream(number, info, fs, channels, form, stamps, samples)


def _samples(own: Stream, content: bytes) -> None:
    """Take one chunk of samples."""
    width = content[0]
    count, at = int.from_bytes(content[1 : 1 + width], "little"), 1 + width
    if width not in (1, 4, 8):
        raise ValueError(width)
    if own.form == "string":
        _strings(own, content, at, count)
        return
    size = own.dtype.itemsize * own.n_channels
    # most chunks have no stamps but that of their first sample, or one for each
    stamped = np.dtype([("flag", "u1"), ("stamp", "<f8"), ("value", own.dtype, (own.n_channels,))])
    bare = np.dtype([("flag", "u1"), ("value", own.dtype, (own.n_channels,))])
    left = len(content) - at
    if left == count * stamped.itemsize:
        table = np.frombuffer(content, stamped, count, at)
        if (table["flag"] == 8).all():
            _append(own, table["stamp"], table["value"])
            return
    first = 8 if count and content[at] == 8 else 0
    if count and left == count * bare.itemsize + first:
        rest = np.frombuffer(content, bare, count - bool(first), at + (stamped.itemsize if first else 0))
        if (rest["flag"] == 0).all():
            head = (
                np.frombuffer(content, stamped, 1, at)["value"] if first else np.zeros((0, own.n_channels), own.dtype)
            )
            stamps = np.full(count, np.nan)
            if first:
                stamps[0] = struct.unpack_from("<d", content, at + 1)[0]
            _append(own, stamps, np.concatenate([head, rest["value"]]))
            return
    stamps, values = np.full(count, np.nan), np.zeros((count, own.n_channels), own.dtype)
    for k in range(count):
        flag, at = content[at], at + 1
        if flag not in (0, 8):
            raise ValueError(flag)
        if flag:
            stamps[k], at = struct.unpack_from("<d", content, at)[0], at + 8
        values[k], at = np.frombuffer(content, own.dtype, own.n_channels, at), at + size
    if at != len(content):
        raise ValueError(at)
    _append(own, stamps, values)


def _append(own: Stream, stamps: np.ndarray, values: np.ndarray) -> None:
    """Write samples; one without a stamp comes one interval after the one before."""
    told = np.flatnonzero(~np.isnan(stamps))
    if len(told) < len(stamps):
        step = 1 / own.fs if own.fs else 0.0
        known = np.concatenate([[-1], told])
        base = np.concatenate([[own.last], stamps[told]])
        place = np.searchsorted(told, np.arange(len(stamps)), side="right")
        stamps = base[place] + step * (np.arange(len(stamps)) - known[place])
    if len(stamps):
        own.last = float(stamps[-1])
    own.stamps.write(np.ascontiguousarray(stamps, dtype="<f8").tobytes())
    own.samples.write(np.ascontiguousarray(values).tobytes())


def _strings(own: Stream, content: bytes, at: int, count: int) -> None:
    stamps = np.full(count, np.nan)
    for k in range(count):
        flag, at = content[at], at + 1
        if flag:
            stamps[k], at = struct.unpack_from("<d", content, at)[0], at + 8
        row = []
        for _ in range(own.n_channels):
            width, at = content[at], at + 1
            size, at = int.from_bytes(content[at : at + width], "little"), at + width
            if at + size > len(content):
                raise ValueError(size)
            row.append(content[at : at + size].decode("utf-8"))
            at += size
        own.words.append(tuple(row))
    if at != len(content) or len(own.words) > _WORDS:
        raise ValueError(at)
    _append(own, stamps, np.zeros((count, 0), "u1"))
