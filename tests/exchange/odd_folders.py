"""Odd and corrupted folders of BIDS and Psych-DS: tables, descriptions and the folders themselves."""

import csv
import io
import json
import shutil

from dyadloop.exchange import export_study, import_study
from tests.exchange.made import german
from tests.exchange.odd import ANSWERS, bytes_edit, text_edit

FAMILIES = ("bids", "psychds")
_LINES = 24  # of the made-up export, so that a folder has a few dozen tables
_VALUES = (
    None, "", "n/a", "x", [], {}, [1, {"a": 2}], {"1": None, "99": ["no", "answer"]}, -1, 1e400, 10**400, True, "ä\x00",
)  # fmt: skip
_KEYS = ("Minimum", "Maximum", "Levels", "Description", "minValue", "maxValue", "description", "name")
_OF_FOLDERS = ("a file gone", "a file elsewhere", "another name", "a file twice", "a folder as a file", "a link out")


class Folders:
    """A sound folder of one kind, and odd ones made of it."""

    def __init__(self, name, folder):
        self.name, self.folder, self.beside = name, folder, []
        folder.mkdir(parents=True, exist_ok=True)
        lines = german(folder / "made.csv").read_bytes().split(b"\r\n")
        (folder / "made.csv").write_bytes(b"\r\n".join([*lines[:_LINES], b""]))
        import_study(folder / "made.csv", folder / "made", answers=ANSWERS)
        export_study(folder / "made", folder / "sound", name)
        if name == "bids":
            people = [path.name for path in sorted((folder / "sound").glob("sub-*"))]
            (folder / "sound" / "phenotype").mkdir()
            rows = "".join(f"{person}\t{20 + k}\n" for k, person in enumerate(people))
            (folder / "sound" / "phenotype" / "bdi.tsv").write_text(f"participant_id\tbdi\n{rows}")

    def odd(self, rng):
        """Make one odd folder; return it and what was done to it."""
        path = self.folder / "odd"
        shutil.rmtree(path, ignore_errors=True)
        shutil.copytree(self.folder / "sound", path)
        kind = str(rng.choice(["table", "table", "description", "folder"]))
        ending = {"table": (".tsv", ".csv"), "description": (".json",), "folder": (".tsv", ".csv", ".json")}[kind]
        files = [file for file in sorted(path.rglob("*")) if file.suffix in ending]
        tops = [file for file in files if file.parent == path or rng.random() < 0.2]
        file = (
            files[int(rng.integers(len(files)))]
            if rng.random() < 0.5 or not tops
            else tops[int(rng.integers(len(tops)))]
        )
        if kind == "table":
            return path, f"{file.name}: {_table(file, rng)}"
        if kind == "description":
            return path, f"{file.name}: {_description(file, rng)}"
        return path, f"{file.name}: {_folder(path, file, rng)}"

    def counted(self, path, plan):
        """Return the filled cells of all tables of data, with what the names of files tell; None where bytes are odd."""
        total = 0
        for file in sorted(path.rglob("*")):
            if file.is_file() and not file.is_symlink() and file.suffix in (".tsv", ".csv"):
                try:
                    text = file.read_bytes().decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
                except UnicodeDecodeError:
                    return None
                rows = list(csv.reader(io.StringIO(text), delimiter="\t" if file.suffix == ".tsv" else ","))
                rows = [row for row in rows if any(cell.strip() for cell in row)]
                if not rows or any(len(row) > len(rows[0]) for row in rows):
                    return None  # which row has the headings is then for the reader to say
                gaps = ("", "n/a") if self.name == "bids" else ("",)
                for row in rows[1:]:  # a row that is too short is reported as it stands
                    total += sum(cell.strip() not in (gaps if len(row) == len(rows[0]) else ("",)) for cell in row)
                of_sessions = file.name.endswith("_sessions.tsv") and file.parent.parent == path
                read = of_sessions or (file.name.endswith("_beh.tsv") and file.parent.name == "beh")
                told = {"sub": "participant_id", "ses": "session_id", "task": "task", "run": "run"}
                parts = [part.split("-")[0] for part in file.stem.split("_") if "-" in part] if read else []
                whole = sum(len(row) == len(rows[0]) for row in rows[1:])  # others are reported as they stand
                total += whole * sum(part in told and told[part] not in rows[0] for part in parts)
        return total


def _table(file, rng):
    mark = "\t" if file.suffix == ".tsv" else ","
    rows = list(csv.reader(io.StringIO(file.read_text()), delimiter=mark))
    rows, first = text_edit(rows, rng)
    stream = io.StringIO()
    csv.writer(stream, delimiter=mark, lineterminator=str(rng.choice(["\n", "\r\n"]))).writerows(rows)
    encoding = str(rng.choice(["utf-8", "utf-8", "utf-8-sig", "utf-16", "cp1252"]))
    raw, kind = stream.getvalue().encode(encoding, "replace"), "whole"
    if rng.random() < 0.3:
        raw, kind = bytes_edit(raw, rng)
    file.write_bytes(raw)
    return f"{first}, {encoding}, {kind}"


def _description(file, rng):
    told, kind = (
        json.loads(file.read_text()),
        str(rng.choice(["bytes", "a list", "a value", "a value", "deep", "keys"])),
    )
    if kind == "bytes":
        file.write_bytes(bytes_edit(file.read_bytes(), rng)[0])
        return kind
    if kind == "a list":
        told = [told]
    elif kind == "deep":
        file.write_text("[" * 50_000)
        return kind
    elif kind == "keys":
        told = {key.upper(): value for key, value in told.items()}
    else:
        name, value = str(rng.choice(list(told))), _VALUES[int(rng.integers(len(_VALUES)))]
        inner = told[name] if isinstance(told[name], dict) else next((p for p in told[name] if isinstance(p, dict)), {})
        if rng.random() < 0.3:
            told[name] = value
        else:
            inner[str(rng.choice(_KEYS))] = value
    file.write_text(json.dumps(told))
    return kind


def _folder(path, file, rng):
    kind = str(rng.choice(_OF_FOLDERS))
    if kind == "a file gone":
        file.unlink()
    elif kind == "a file elsewhere":
        place = [path, file.parent.parent if file.parent != path else path, path / "more" / "deep"][
            int(rng.integers(3))
        ]
        place.mkdir(parents=True, exist_ok=True)
        if not (place / file.name).exists():
            file.rename(place / file.name)
    elif kind == "another name":
        file.rename(
            file.with_name(str(rng.choice([file.name.upper(), f"copy of {file.name}", f"{file.stem}-1{file.suffix}"])))
        )
    elif kind == "a file twice":
        (file.parent / "more").mkdir(exist_ok=True)
        shutil.copy(file, file.parent / "more" / file.name)
    elif kind == "a folder as a file":
        file.unlink()
        file.mkdir()
    else:
        file.unlink()
        file.symlink_to(path.parent / "made.csv")
    return kind
