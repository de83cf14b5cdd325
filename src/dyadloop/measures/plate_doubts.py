"""Doubts about the plates of a study's assays, before or after they are measured."""

from pathlib import Path

from dyadloop.data import Study, read_records
from dyadloop.data.doubts import Doubt, doubt
from dyadloop.data.sources import AssaySource
from dyadloop.errors import DataError, MeasureError
from dyadloop.measures.assays import read_plates
from dyadloop.measures.assays.plate_units import plates_apart

_NEEDED = ("plate", "kind", "sample", "signal")
_REMEDY = "check the unit of the column `concentration` on each plate, and measure again"


def plate_doubts(study: Study) -> list[Doubt]:
    """Return the plates of each assay whose standards seem to be written in another unit.

    A table that cannot be read gives no doubt here: `dyadloop measure` names its faults.
    """
    found = []
    for source in study.info.measures.values():
        if isinstance(source, AssaySource):
            texts = _texts(Path(study.path).resolve(), source)
            found += [doubt(source.file, [], "concentration", t, "one unit on all plates", _REMEDY) for t in texts]
    return found


def _texts(root: Path, source: AssaySource) -> tuple[str, ...]:
    path = root / source.file
    if not path.is_file() or not path.resolve().is_relative_to(root):
        return ()
    try:
        table = read_records(path, _NEEDED, source.file)
        return plates_apart(read_plates(table, source.model, source.weighting, source.file).curves).doubts
    except (DataError, MeasureError):  # told by `dyadloop measure`, which reads the same file
        return ()
