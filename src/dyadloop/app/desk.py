"""What the app may read and write: the study folders it was opened with, and its own work folder."""

import os
import re
import secrets
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from starlette.requests import Request

from dyadloop.app.faults import Refused
from dyadloop.app.jobs import Jobs
from dyadloop.app.requests import Explorer, explorer_of
from dyadloop.files import sha256
from dyadloop.machine import runs

STUDIES, DESIGNS, UPLOADS, JOBS = "studies", "designs", "uploads", "jobs"
"""Folders of the work folder."""
NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9 _.-]{0,59}$")
_SHORT = 6  # digits that tell folders of one name apart


@dataclass(frozen=True)
class Place:
    """A study folder that may be read."""

    key: str
    path: Path
    opened: bool


@dataclass
class Desk:
    """The folders of one server.

    Attributes
    ----------
    opened
        Study folders that were named when the app was started.
    work
        Folder of everything that is made.
    jobs
        Its long work.
    uploads
        Folders of what was dropped on this server's pages; they go when they are imported, or with the server.
    """

    opened: tuple[Path, ...]
    work: Path
    jobs: Jobs
    uploads: set[Path] = field(default_factory=set)

    def places(self) -> list[Place]:
        """Return the study folders that may be read, those of the command line first."""
        given = [Place(_key(path), path.resolve(), True) for path in self.opened]
        root = self.work / STUDIES
        made = sorted(path for path in root.iterdir() if path.is_dir()) if root.is_dir() else []
        own = [Place(_key(path), path, False) for path in made if not path.is_symlink() and path.name[0] != "."]
        return [*given, *own]

    def place(self, key: str) -> Place:
        """Return the study folder of a key.

        Raises
        ------
        Refused
            If there is none, or something in it leads out of the folders that were opened.
        """
        found = next((place for place in self.places() if place.key == key), None)
        if found is None:
            raise Refused(404, f"study {key!r}: not opened; expected one of the list; name it after dyadloop app")
        allowed = [place.path for place in self.places()]
        for link in _links(found.path):
            target = link.resolve()
            if not any(target.is_relative_to(folder) for folder in allowed):
                raise Refused(
                    403,
                    f"{found.path.name}: {link.relative_to(found.path)} is a link that leads out of the opened "
                    "folders; expected files of the study; put the file there, or open its folder too",
                )
        return found

    def new_study(self, name: str) -> Path:
        """Return where a study of a name is made.

        Raises
        ------
        Refused
            If the name cannot be that of a folder.
        """
        return self.work / STUDIES / checked_name(name)

    def upload(self, key: str) -> Path:
        """Return the folder of one upload.

        Raises
        ------
        Refused
            If there is none.
        """
        path = self.work / UPLOADS / checked_name(key)
        if path not in self.uploads:
            raise Refused(404, f"upload {key!r}: there is none; expected one that was made here; drop the file again")
        return path

    def new_upload(self) -> Path:
        """Make the folder of an upload."""
        path = self.work / UPLOADS / secrets.token_hex(8)
        path.mkdir(parents=True)
        _owner_of(path).write_text(str(os.getpid()), encoding="ascii")
        self.uploads.add(path)
        return path

    def clear_dead(self) -> None:
        """Remove uploads of servers that were killed before they could."""
        for owner in (self.work / UPLOADS).glob("*.owner"):
            if not runs(int(owner.read_text(encoding="ascii") or 0)):
                self.clear(owner.with_suffix(""))

    def clear(self, *paths: Path) -> None:
        """Remove uploads; copies of data do not stay where nobody looks for them."""
        for path in paths:
            shutil.rmtree(path, ignore_errors=True)
            _owner_of(path).unlink(missing_ok=True)
            self.uploads.discard(path)


def checked_name(name: str) -> str:
    """Return a name that is one step of a path and no more.

    Raises
    ------
    Refused
        If it is not.
    """
    if not NAME.fullmatch(name) or ".." in name:
        raise Refused(
            400,
            f"name {name[:60]!r}: expected letters, digits, spaces, dots and dashes, a letter first; choose another",
        )
    return name


def _owner_of(upload: Path) -> Path:
    """Return the file that names the process of the server that made an upload."""
    return upload.with_suffix(".owner")


def desk_of(request: Request) -> Desk:
    """Return the folders of the server that answers a request."""
    return desk(explorer_of(request))


def desk(explorer: Explorer) -> Desk:
    """Return the folders of a server; those that it finds are read once."""
    if "desk" not in explorer.kept:
        work = explorer.folder.resolve()
        explorer.kept["desk"] = Desk(explorer.studies, work, Jobs(work / JOBS))
        explorer.kept["desk"].clear_dead()
    return explorer.kept["desk"]


def _key(path: Path) -> str:
    bare = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in path.resolve().name)
    return f"{bare.strip('-')[:40] or 'study'}-{sha256(str(path.resolve()))[:_SHORT]}"


def _links(folder: Path) -> list[Path]:
    """Return the symbolic links of a folder, of whatever depth."""
    return [
        Path(root) / name
        for root, folders, files in os.walk(folder)
        for name in (*folders, *files)
        if os.path.islink(os.path.join(root, name))
    ]
