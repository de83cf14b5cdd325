"""From the bytes of a file to text: an encoding is recognised or refused by name, never guessed."""

import gzip
import zlib
from pathlib import Path

from dyadloop.errors import Fault

_LARGEST_BYTES = 512 * 2**20
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_OTHER_KINDS = {
    b"PK\x03\x04": "an Excel workbook or another ZIP archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"\x1f\x8b": "a gzip file without the ending .gz",
    b"$FL2": "an SPSS file",
    b"%PDF": "a PDF",
    b"version https://git-lfs": "a pointer to a file that Git LFS holds elsewhere",
}


def read_text(path: Path, name: str, faults: list[Fault], old_ends: bool = False) -> str | None:
    """Return the text of a file with line ends of one kind, or None after noting why there is none.

    A byte-order mark and UTF-16 are recognised; every other encoding than UTF-8 is a fault.

    Parameters
    ----------
    path
        File to read; one that ends in .gz is unpacked.
    name
        Name of the file in messages.
    faults
        List that collects the faults.
    old_ends
        Whether bare carriage returns are line ends, as on old Macs; otherwise they are a fault.
    """
    raw = _bytes(path, name, faults)
    if raw is None:
        return None
    for start, kind in _OTHER_KINDS.items():
        if raw.startswith(start):
            faults.append(Fault(name, 1, None, kind, "plain text", "export it as UTF-8 text, a table with tabs"))
            return None
    text = _decode(raw, name, faults)
    return None if text is None else _sound(text, name, faults, old_ends)


def _bytes(path: Path, name: str, faults: list[Fault]) -> bytes | None:
    if not path.is_file():
        faults.append(Fault(name, None, None, "no such file", f"a file {name}", "add it, or correct the path"))
        return None
    if path.stat().st_size > _LARGEST_BYTES:
        faults.append(Fault(name, None, None, f"{path.stat().st_size} bytes", "at most 512 MiB", "split the study"))
        return None
    try:
        return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        got = f"a compressed file that is damaged or cut off ({error})"
        faults.append(Fault(name, None, None, got, "a whole gzip file", "copy it again"))
    except OSError as error:
        got = f"a file that cannot be read ({error.strerror})"
        faults.append(Fault(name, None, None, got, "a readable file", "check its permissions"))
    return None


def _decode(raw: bytes, name: str, faults: list[Fault]) -> str | None:
    wide = raw.startswith(_UTF16_MARKS)
    try:
        return raw.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        if wide:
            got = "UTF-16 that is damaged or cut off"
            faults.append(Fault(name, None, None, got, "UTF-8", "save the file as UTF-8"))
            return None
        row, column = _place(raw, error.start)
        got = f"byte 0x{raw[error.start]:02x}, which is not UTF-8 (Latin-1 or Windows-1252?)"
        faults.append(Fault(name, row, column, got, "UTF-8", "save the file as UTF-8"))
        return None


def _place(raw: bytes, at: int) -> tuple[int, str | None]:
    """Return the row of a byte, and its column where the header can be read."""
    row, first = raw[:at].count(b"\n") + 1, raw.rfind(b"\n", 0, at) + 1
    header = raw.split(b"\n", 1)[0].decode("ascii", "replace").rstrip("\r")
    mark = next((mark for mark in "\t;," if mark in header), None)
    names = header.split(mark) if mark else [header]
    place = raw[first:at].count(mark.encode()) if mark else 0
    return row, names[place] if row > 1 and place < len(names) else None


def _sound(text: str, name: str, faults: list[Fault], old_ends: bool) -> str | None:
    if "\x00" in text:
        row = text[: text.index("\x00")].count("\n") + 1
        got = "a NUL character (damaged, or UTF-16 without its mark?)"
        faults.append(Fault(name, row, None, got, "text", "export the file again, as UTF-8"))
        return None
    text = text.replace("\r\n", "\n")
    text = text.replace("\r", "\n") if old_ends else text
    if "\r" in text:
        row = text[: text.index("\r")].count("\n") + 1
        got = "a bare carriage return (line ends of old Macs?)"
        faults.append(Fault(name, row, None, got, "line ends as \\n or \\r\\n", "save it with the usual line ends"))
        return None
    return text
