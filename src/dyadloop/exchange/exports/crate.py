"""A result folder as an RO-Crate: what it was made of and with, every file by its hash."""

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

from dyadloop.errors import ResultError
from dyadloop.files import sha256_of

FILE = "ro-crate-metadata.json"
_TYPES = {
    ".nc": "application/x-netcdf", ".csv": "text/csv", ".json": "application/json", ".html": "text/html",
    ".svg": "image/svg+xml", ".txt": "text/plain", ".tsv": "text/tab-separated-values", ".md": "text/markdown",
}  # fmt: skip


def write_crate(result: Path) -> Path:
    """Write ``ro-crate-metadata.json`` into a result folder.

    Raises
    ------
    ResultError
        If the folder holds no manifest, or a file differs from it.
    """
    try:
        sums = json.loads((result / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ResultError(f"{result}: no readable manifest.json ({error}); expected a result of dyadloop run") from None
    for name, told in sums.items():
        file = result / name
        if name != FILE and (not file.is_file() or sha256_of(file) != told):
            raise ResultError(f"{file}: not the file of the manifest; run dyadloop run again")
    path = result / FILE
    path.write_text(json.dumps(_crate(result, sums), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def _crate(result: Path, sums: dict[str, str]) -> dict[str, Any]:
    run = _told(result / "run.json")
    files = [
        {
            "@id": name,
            "@type": "File",
            "contentSize": str((result / name).stat().st_size),
            "sha256": told,
            "encodingFormat": _TYPES.get(Path(name).suffix, "application/octet-stream"),
        }
        for name, told in sums.items()
        if name != FILE
    ]
    program = {
        "@id": "#dyadloop", "@type": "SoftwareApplication", "name": "dyadloop", "softwareVersion": version("dyadloop"),
    }  # fmt: skip
    action = {
        "@id": "#run",
        "@type": "CreateAction",
        "name": "dyadloop run",
        "instrument": {"@id": "#dyadloop"},
        "result": [{"@id": entry["@id"]} for entry in files],
        "description": json.dumps(run.get("wanted", run), sort_keys=True, default=str)[:4000],
    }
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": f"Result of dyadloop run: {result.resolve().name}",
        "description": "Posterior, claims and report of one study and one theory; a research instrument",
        "datePublished": _date(result),
        "license": "not stated",
        "hasPart": [{"@id": entry["@id"]} for entry in files],
        "mentions": [{"@id": "#run"}],
    }
    descriptor = {
        "@id": FILE,
        "@type": "CreativeWork",
        "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
        "about": {"@id": "./"},
    }
    return {"@context": "https://w3id.org/ro/crate/1.1/context", "@graph": [descriptor, root, program, action, *files]}


def _told(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _date(result: Path) -> str:
    from datetime import UTC, datetime

    newest = max((file.stat().st_mtime for file in result.iterdir() if file.name != FILE), default=0.0)
    return datetime.fromtimestamp(newest, UTC).date().isoformat()
