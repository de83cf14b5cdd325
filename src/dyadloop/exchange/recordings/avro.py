"""Avro object container files: records by the schema that stands in the file, blocks plain or deflated.

Apache Avro 1.11 specification, https://avro.apache.org/docs/1.11.1/specification/
"""

import json
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from dyadloop.exchange.formats.format import MOST_BYTES, refusal

MAGIC = b"Obj\x01"
_SYNC = 16
_DEEPEST = 40
_NUMBERS = {"float": ("<f4", 4), "double": ("<f8", 8)}

Read = Callable[["Content"], Any]


class Content:
    """Bytes that are read from the front."""

    def __init__(self, raw: bytes) -> None:
        self.raw, self.at = raw, 0

    def take(self, size: int) -> bytes:
        """Return the next bytes.

        Raises
        ------
        ValueError
            If there are not so many.
        """
        if size < 0 or self.at + size > len(self.raw):
            raise ValueError(f"{size} bytes where {len(self.raw) - self.at} are left")
        self.at += size
        return self.raw[self.at - size : self.at]

    def whole(self) -> int:
        """Return the next whole number: seven bits a byte, the lowest first, signs folded in."""
        total = shift = 0
        while shift < 70:
            byte = self.take(1)[0]
            total |= (byte & 0x7F) << shift
            if byte < 0x80:
                return (total >> 1) ^ -(total & 1)
            shift += 7
        raise ValueError("a whole number of more than ten bytes")


def is_avro(path: Path) -> bool:
    """Return whether a file is an Avro container."""
    with path.open("rb") as stream:
        return stream.read(4) == MAGIC


def read_avro(path: Path) -> list[Any]:
    """Return the records of a file.

    Raises
    ------
    DataError
        If the file is damaged, or packed in another way than plain or deflate.
    """
    try:
        return list(_records(Content(path.read_bytes())))
    except (ValueError, KeyError, TypeError, IndexError, struct.error, zlib.error, RecursionError) as error:
        got = f"an Avro file that is damaged or of an unknown form ({' '.join(str(error).split())[:120]})"
        raise refusal(path, got, "a whole container, plain or deflated", "copy it again") from None


def _records(content: Content) -> Iterator[Any]:
    if content.take(4) != MAGIC:
        raise ValueError("no Avro container")
    head = _blocks(content, lambda part: (_text(part), part.take(part.whole())))
    told = dict(head)
    codec = told.get("avro.codec", b"null").decode()
    if codec not in ("null", "deflate"):
        raise ValueError(f"packed by {codec}")
    read = _reader(json.loads(told["avro.schema"]), {}, 0)
    sync = content.take(_SYNC)
    while content.at < len(content.raw):
        count, size = content.whole(), content.whole()
        body = content.take(size)
        block = Content(_inflated(body) if codec == "deflate" else body)
        for _ in range(count):
            yield read(block)
        if block.at != len(block.raw) or content.take(_SYNC) != sync:
            raise ValueError("a block that does not end where it should")


def _inflated(body: bytes) -> bytes:
    machine = zlib.decompressobj(-15)
    found = machine.decompress(body, MOST_BYTES)
    if not machine.eof:
        raise ValueError("a block that is cut off or unpacks to more than 2 GiB")
    return found


def _text(content: Content) -> str:
    return content.take(content.whole()).decode("utf-8")


def _blocks(content: Content, item: Read) -> list[Any]:
    """Return the items of an array or map, which come in blocks that tell their number."""
    found: list[Any] = []
    while count := content.whole():
        if count < 0:  # the size of the block in bytes stands behind the number
            count, _ = -count, content.whole()
        if count > len(content.raw) - content.at and item not in _FREE:
            raise ValueError(f"{count} items in {len(content.raw) - content.at} bytes")
        found += [item(content) for _ in range(count)]
    return found


def _nothing(content: Content) -> None:
    return None


_FREE = (_nothing,)
_PLAIN: dict[str, Read] = {
    "null": _nothing,
    "boolean": lambda content: content.take(1) != b"\x00",
    "int": Content.whole,
    "long": Content.whole,
    "float": lambda content: struct.unpack("<f", content.take(4))[0],
    "double": lambda content: struct.unpack("<d", content.take(8))[0],
    "bytes": lambda content: content.take(content.whole()),
    "string": _text,
}


def _reader(schema: Any, named: dict[str, Read], depth: int, space: str = "") -> Read:  # noqa: ANN401 - JSON
    """Return what reads a value of a schema; ``named`` are types that were declared before."""
    if depth > _DEEPEST:
        raise ValueError("a schema of too many levels")
    if isinstance(schema, list):
        return _union([_reader(part, named, depth + 1, space) for part in schema])
    if isinstance(schema, str):
        return _PLAIN[schema] if schema in _PLAIN else _later(schema, named, space)
    kind = schema["type"]
    if kind == "array":
        items = schema["items"]
        if isinstance(items, dict) and items.get("type") in _PLAIN:
            items = items["type"]
        return _numbers(items) if items in _NUMBERS else _array(_reader(items, named, depth + 1, space))
    if kind == "map":
        value = _reader(schema["values"], named, depth + 1, space)
        return lambda content: dict(_blocks(content, lambda part: (_text(part), value(part))))
    if kind not in ("record", "enum", "fixed"):
        return _reader(kind, named, depth + 1, space)
    own = schema.get("namespace", space)
    read = _declared(schema, kind, named, depth, own)
    named[schema["name"]] = named[f"{own}.{schema['name']}"] = read
    return read


def _declared(schema: Any, kind: str, named: dict[str, Read], depth: int, space: str) -> Read:  # noqa: ANN401 - JSON
    if kind == "enum":
        symbols = schema["symbols"]
        return lambda content: symbols[content.whole()]
    if kind == "fixed":
        size = int(schema["size"])
        return lambda content: content.take(size)
    fields = [(entry["name"], _reader(entry["type"], named, depth + 1, space)) for entry in schema["fields"]]
    return lambda content: {name: read(content) for name, read in fields}


def _later(name: str, named: dict[str, Read], space: str) -> Read:
    """Return the reader of a declared type, which may still be in the making where a record holds its own kind."""

    def read(content: Content) -> Any:  # noqa: ANN401 - of any type
        return (named.get(name) or named[f"{space}.{name}"])(content)

    return read


def _union(parts: list[Read]) -> Read:
    def read(content: Content) -> Any:  # noqa: ANN401 - of any type
        place = content.whole()
        if place < 0:
            raise ValueError("a part of a union that is not there")
        return parts[place](content)

    return read


def _array(item: Read) -> Read:
    return lambda content: _blocks(content, item)


def _numbers(kind: str) -> Read:
    """Return what reads an array of floating-point numbers, block by block."""
    form, size = _NUMBERS[kind]

    def read(content: Content) -> np.ndarray:
        parts = []
        while count := content.whole():
            if count < 0:
                count, _ = -count, content.whole()
            parts.append(np.frombuffer(content.take(count * size), dtype=form))
        return np.concatenate(parts).astype(float) if parts else np.zeros(0)

    return read
