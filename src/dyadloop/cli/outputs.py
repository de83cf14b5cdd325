"""Where commands write: whether they can is known before any work starts."""

import os
from collections.abc import Iterable
from itertools import chain, count
from pathlib import Path
from typing import Annotated

import typer

from dyadloop.cli.shared import say

OWNER_FILE = "of.txt"
"""Names the study folder whose results a folder holds."""


def writable_file(path: Path | None) -> Path | None:
    """Return a path at which a file can be written; refuse any other.

    Raises
    ------
    typer.BadParameter
        If it cannot, with the reason.
    """
    if path is not None and path.is_dir():
        raise typer.BadParameter(f"{path} is a folder; expected the name of a file")
    if path is not None and path.exists() and not os.access(path, os.W_OK):
        raise typer.BadParameter(f"{path} is there and may not be written; choose another name")
    if path is not None:
        _refuse_parent(path.parent, path)
    return path


def writable_folder(path: Path | None) -> Path | None:
    """Return a path at which a folder can be made or filled; refuse any other.

    Raises
    ------
    typer.BadParameter
        If it cannot, with the reason.
    """
    if path is not None:
        _refuse_parent(path, path)
    return path


def svg_file(path: Path | None) -> Path | None:
    """Return a path at which a figure can be written; figures are drawn as SVG, so another ending is refused.

    Raises
    ------
    typer.BadParameter
        If it cannot, with the reason.
    """
    if path is not None and path.suffix.lower() != ".svg":
        raise typer.BadParameter(f"{path}: figures are drawn as SVG; expected a name that ends in .svg")
    return writable_file(path)


def _refuse_parent(folder: Path, path: Path) -> None:
    """Refuse a path whose folder cannot be made or written."""
    while not folder.exists() and folder.parent != folder:
        folder = folder.parent
    if not folder.is_dir():
        raise typer.BadParameter(f"{path}: {folder} is a file, so nothing can be written in it; choose another place")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise typer.BadParameter(f"{path}: the folder {folder} may not be written; choose another place")


def result_folder(out: Path | None, name: str) -> Path:
    """Return the folder that results go to: the one asked for, or ``results/NAME``.

    Raises
    ------
    typer.BadParameter
        If nothing can be written there.
    """
    folder = out or Path("results") / name
    try:
        writable_folder(folder)
    except typer.BadParameter as error:
        error.param_hint = "--out"
        raise
    return folder


def owned_folder(out: Path | None, name: str, study: Path) -> Path:
    """Return such a folder; the default one is for one study alone, so that none overwrites another of its name.

    Raises
    ------
    typer.BadParameter
        If it holds what was made of another study folder, or cannot be written.
    """
    folder = result_folder(out, name)
    if out is not None:
        return folder
    note, mine = folder / OWNER_FILE, str(study.resolve())
    owner = note.read_text(encoding="utf-8").strip() if note.is_file() else mine
    if owner != mine:
        raise typer.BadParameter(
            f"{folder} holds what was made of {owner}, another study of the same name; choose another folder with "
            "--out, or remove that one",
            param_hint="--out",
        )
    folder.mkdir(parents=True, exist_ok=True)
    note.write_text(f"{mine}\n", encoding="utf-8")
    return folder


def file_names(names: Iterable[str]) -> list[str]:
    """Return one file name for each of some names, whatever letters they hold; no two are the same."""
    found: list[str] = []
    for name in names:
        plain = "".join(letter if letter.isalnum() or letter in "-." else "_" for letter in name).lstrip(".") or "_"
        taken = {other.lower() for other in found}
        found.append(next(f for f in chain([plain], (f"{plain}-{n}" for n in count(2))) if f.lower() not in taken))
    return found


def write_figure(svg: str, path: Path, quiet: bool = False) -> None:
    """Write a figure and say where."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(svg, encoding="utf-8")
    say(f"figure: {path}", quiet)


FigurePath = Annotated[Path | None, typer.Option("--figure", help="SVG file to draw to.", callback=svg_file)]
