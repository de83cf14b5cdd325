"""Write a study folder, whole or not at all."""

from collections.abc import Iterable, Iterator, Mapping, Sized
from contextlib import contextmanager
from pathlib import Path

from dyadloop.data.schema import (
    MEASUREMENT_COLUMNS,
    PARTICIPANT_COLUMNS,
    SESSION_COLUMNS,
    SESSION_EXTRAS,
    StudyInfo,
    measurement_extras,
)
from dyadloop.data.table import read_table
from dyadloop.errors import DataError, Fault
from dyadloop.files import replacing, replacing_folder
from dyadloop.yaml_files import dump_yaml

Rows = Iterable[Mapping[str, object]]


def write_study(
    path: str | Path,
    info: StudyInfo,
    participants: Rows,
    sessions: Rows,
    measurements: Rows,
    extra_files: Mapping[str, str] | None = None,
) -> Path:
    """Write a study folder; an existing folder is left alone.

    Parameters
    ----------
    path
        Folder to make.
    info
        Content of study.yaml.
    participants, sessions, measurements
        Rows with the columns of the data contract; missing keys are written empty.
    extra_files
        Further text files by name, such as the true values of a simulated study.

    Raises
    ------
    DataError
        If the folder exists already.
    """
    with new_folder(path) as draft:
        write_files(draft, info, participants, sessions, measurements)
        for name, body in (extra_files or {}).items():
            (draft / name).write_text(body, encoding="utf-8")
    return Path(path)


@contextmanager
def new_folder(path: str | Path) -> Iterator[Path]:
    """Yield a draft of a folder that takes its place once it is whole; an existing folder is left alone.

    Raises
    ------
    DataError
        If the folder exists already.
    """
    root = Path(path)
    if root.exists():
        fault = Fault(str(root), None, None, "an existing folder", "a new folder", "choose another or move it away")
        raise DataError(str(root), [fault])
    with replacing_folder(root) as draft:
        yield draft


def write_files(draft: Path, info: StudyInfo, participants: Rows, sessions: Rows, measurements: Rows) -> None:
    """Write the files of a study into a folder that is there; rows as in :func:`write_study`."""
    content = info.model_dump(mode="json", exclude_defaults=True) | {"schema_version": info.schema_version}
    (draft / "study.yaml").write_text(dump_yaml(content), encoding="utf-8")
    people = list(participants)
    covariates = tuple(dict.fromkeys(key for row in people for key in row if key not in PARTICIPANT_COLUMNS))
    _write_table(draft / "participants.tsv", (*PARTICIPANT_COLUMNS, *covariates), people)
    extras = (*SESSION_EXTRAS, *info.covariates_of("session"))
    _write_table(draft / "sessions.tsv", (*SESSION_COLUMNS, *extras), sessions)
    write_measurements(draft / "measurements.tsv", measurements)


def write_measurements(path: Path, rows: Rows) -> None:
    """Write measurements.tsv, whole or not at all; optional columns only where a row has one.

    Rows that have a length are gone through twice and never held together.
    """
    table = rows if isinstance(rows, Sized) else list(rows)
    extras = tuple(name for name in measurement_extras() if any(row.get(name, "") != "" for row in table))
    with replacing(path) as draft:
        _write_table(draft, (*MEASUREMENT_COLUMNS, *extras), table)


def replace_measurements(path: str | Path, rows: Rows, indicators: list[str]) -> None:
    """Replace the rows of some indicators in measurements.tsv; all other rows stay as they are.

    Parameters
    ----------
    path
        Study folder.
    rows
        New rows of these indicators.
    indicators
        Indicators whose old rows go.

    Raises
    ------
    DataError
        If the table that is there has faults.
    """
    file = Path(path) / "measurements.tsv"
    kept: list[Mapping[str, object]] = []
    if file.exists():
        faults: list[Fault] = []
        table = read_table(file, MEASUREMENT_COLUMNS, faults, measurement_extras())
        if faults:
            raise DataError(str(path), faults)
        kept = [record for _, record in table.rows if record["indicator"] not in indicators]
    write_measurements(file, [*kept, *rows])


def _write_table(path: Path, columns: tuple[str, ...], rows: Rows) -> None:
    with path.open("w", encoding="utf-8") as stream:
        stream.write("\t".join(columns) + "\n")
        stream.writelines("\t".join([_text(row.get(column, "")) for column in columns]) + "\n" for row in rows)


def _text(value: object) -> str:
    return repr(float(value)) if isinstance(value, float) else str(value)
