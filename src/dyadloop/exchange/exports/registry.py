"""All kinds of exports of a study."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dyadloop.data import Study, read_study
from dyadloop.errors import DataError, Fault
from dyadloop.exchange.exports.bids import write_bids
from dyadloop.exchange.exports.codebook import write_codebook
from dyadloop.exchange.exports.psychds import write_psychds
from dyadloop.exchange.exports.spss import write_spss
from dyadloop.exchange.exports.tables import write_long, write_wide
from dyadloop.files import replacing_folder


@dataclass(frozen=True)
class Export:
    """One kind of export: its name, what it writes, and how."""

    id: str
    title: str
    write: Callable[[Study, Path], list[Path]]


EXPORTS: dict[str, Export] = {
    entry.id: entry
    for entry in (
        Export("long", "one row per value, as CSV, with a data dictionary", write_long),
        Export("wide", "one row per session, as CSV, with a data dictionary", write_wide),
        Export("spss", "one row per session, as an SPSS file with labels", write_spss),
        Export("bids", "a BIDS folder: participants, sessions, tables of behaviour with descriptions", write_bids),
        Export("psychds", "a Psych-DS folder: one table of data, and what each variable is", write_psychds),
        Export("codebook", "a page of Markdown: what each indicator is, with its values", write_codebook),
    )
}
"""Kinds of exports by name."""


def export_study(study: Study | str | Path, out: str | Path, to: str = "long") -> list[Path]:
    """Write a study for another program, whole or not at all.

    Parameters
    ----------
    study
        Study, or its folder.
    out
        Folder to make.
    to
        Kind of export, one of :data:`dyadloop.exchange.EXPORTS`.

    Returns
    -------
    list of Path
        Files that were written.

    Raises
    ------
    DataError
        If the study has faults, the kind is unknown, or the folder exists already.

    Examples
    --------
    >>> files = dl.export_study("examples/survival", "results/for-r", to="long")
    >>> [path.name for path in files]
    ['long.csv', 'data_dictionary.csv']
    """
    found, folder = study if isinstance(study, Study) else read_study(study), Path(out)
    if to not in EXPORTS:
        known = ", ".join(EXPORTS)
        raise DataError(str(out), [Fault(str(out), None, None, f"the export {to!r}", f"one of {known}", "correct it")])
    if folder.exists():
        fault = Fault(str(out), None, None, "an existing folder", "a new folder", "choose another or move it away")
        raise DataError(str(out), [fault])
    with replacing_folder(folder) as draft:
        files = [file.relative_to(draft) for file in EXPORTS[to].write(found, draft)]
    return [folder / file for file in files]
