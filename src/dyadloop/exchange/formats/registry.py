"""All formats, and which one a file is."""

from collections.abc import Mapping
from pathlib import Path

from dyadloop.errors import DataError
from dyadloop.exchange.formats import (
    delimited,
    excel,
    expiwell,
    folders,
    formr,
    limesurvey,
    movisens,
    mpath,
    openesm,
    otree,
    piel,
    psychopy,
    qualtrics,
    rds,
    redcap,
    sema3,
    statistics,
)
from dyadloop.exchange.formats.format import Format, Settings, refusal
from dyadloop.exchange.grid import Grid

FORMATS: dict[str, Format] = {
    entry.id: entry
    for entry in (
        delimited.FORMAT,
        excel.FORMAT,
        statistics.FORMAT,
        statistics.STATA,
        rds.FORMAT,
        redcap.FORMAT,
        qualtrics.FORMAT,
        limesurvey.FORMAT,
        formr.FORMAT,
        mpath.FORMAT,
        movisens.FORMAT,
        sema3.FORMAT,
        openesm.FORMAT,
        piel.FORMAT,
        expiwell.FORMAT,
        otree.FORMAT,
        psychopy.FORMAT,
        folders.FORMAT,
        folders.PSYCHDS,
    )
}
"""Formats by their names in import.yaml."""
_OTHER = "correct the format; the table of a published study is read by dyadloop convert"


def format_of(path: Path) -> Format:
    """Return the format of a file or folder: of those that recognise it, or by its ending.

    Raises
    ------
    DataError
        If there is no such file, or no format has its ending.
    """
    if not path.exists():
        raise _no_file(path)
    for entry in FORMATS.values():
        if entry.recognises is not None and _recognised(entry, path):
            return entry
    name = path.name.lower()
    for entry in FORMATS.values():
        if entry.recognises is None and name.endswith(entry.endings):
            return entry
    known = ", ".join(sorted({ending for entry in FORMATS.values() for ending in entry.endings}))
    raise refusal(
        path, f"the ending {path.suffix!r}", f"one of {known}", "name the format with --format, or export as CSV"
    )


def _no_file(path: Path) -> DataError:
    """Return the error of a path that leads to no file; one such as ``lab.xlsx:Sheet`` names a file and a sheet."""
    bare, _, sheet = str(path).rpartition(":")
    if bare and Path(bare).is_file():
        got, remedy = (
            f"a file and its sheet {sheet!r} in one",
            f"name {bare}, and choose the sheet by --set sheet={sheet}",
        )
        return refusal(path, got, "the file alone", remedy)
    return refusal(path, "no such file", "a file or folder", "check the path")


def _recognised(entry: Format, path: Path) -> bool:
    try:
        return entry.recognises is not None and entry.recognises(path)
    except (DataError, OSError):
        return False


def companions_of(sources: Mapping[str, Path]) -> dict[str, Path]:
    """Return the sources that only explain others, such as a data dictionary."""
    return {name: path for name, path in sources.items() if redcap.is_dictionary(path)}


def read_source(
    path: Path,
    format_id: str | None = None,
    settings: Settings | None = None,
    beside: Mapping[str, Path] | None = None,
) -> tuple[str, list[Grid]]:
    """Return the format of a source, and its tables.

    Parameters
    ----------
    path
        File or folder.
    format_id
        Format, where neither ending nor content tells it.
    settings
        How to read it.
    beside
        Sources that only explain others, by name.

    Raises
    ------
    DataError
        If it cannot be read, or the format is unknown.
    """
    if not path.exists():
        raise _no_file(path)
    if format_id is not None and format_id not in FORMATS:
        raise refusal(path, f"the format {format_id!r}", f"one of {', '.join(FORMATS)}", _OTHER)
    entry = FORMATS[format_id] if format_id is not None else format_of(path)
    own = dict(settings or {})
    if "dictionary" in own:
        name = str(own["dictionary"])
        own["dictionary"] = (beside or {}).get(name, path.parent / name)
    return entry.id, entry.read(path, own)
