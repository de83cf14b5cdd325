"""Archives before they are opened: bombs, paths that lead out, and XML that defines entities are refused."""

import zipfile
import zlib
from pathlib import Path

from dyadloop.errors import DataError
from dyadloop.exchange.formats.format import refusal

_MOST_UNPACKED = 4 * 2**30
_MOST_RATIO, _SMALL = 200, 50 * 2**20  # XML of tables packs some 10 to 30 times; more, of much, is a bomb
_HEAD = 4096  # bytes of an XML part in which its declarations stand
_WHENCE = "do not open it; ask where it is from"


def guard_zip(path: Path) -> None:
    """Refuse archives that unpack to too much, lead out of their folder, or define entities.

    Raises
    ------
    DataError
        If the file is such an archive, or a damaged one; a file that is no archive passes.
    """
    if not zipfile.is_zipfile(path):
        return
    try:
        with zipfile.ZipFile(path) as archive:
            _guard(path, archive)
    except DataError:
        raise
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        got = f"an archive that cannot be read ({' '.join(str(error).split())[:120]})"
        raise refusal(path, got, "a whole file", "save it again") from None


def _guard(path: Path, archive: zipfile.ZipFile) -> None:
    parts = archive.infolist()
    total = sum(part.file_size for part in parts)
    bomb = any(p.file_size > _SMALL and p.file_size > _MOST_RATIO * max(p.compress_size, 1) for p in parts)
    if total > _MOST_UNPACKED or bomb:
        raise refusal(path, f"an archive that unpacks to {total / 2**20:.0f} MiB", "a table", _WHENCE)
    if (bad := archive.testzip()) is not None:
        raise refusal(path, f"an archive whose part {bad!r} is damaged", "a whole file", "save it again")
    for part in parts:
        if part.filename.startswith("/") or ".." in part.filename.split("/"):
            raise refusal(path, f"an archive with the path {part.filename!r}", "paths inside it", _WHENCE)
        if part.filename.endswith((".xml", ".rels")):
            with archive.open(part) as stream:
                head = stream.read(_HEAD).upper()
            if b"<!DOCTYPE" in head or b"<!ENTITY" in head:
                raise refusal(path, f"XML that defines entities, in {part.filename!r}", "plain XML", _WHENCE)
