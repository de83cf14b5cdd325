"""Results of many simulated studies, each kept as one line, so that an interrupted run goes on where it was."""

import json
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from dyadloop.data.names import known_names
from dyadloop.errors import FitError, ResultError


class Records:
    """What is known of each simulated study, by number.

    Parameters
    ----------
    folder
        Folder of the file; None keeps nothing on disk.
    name
        Name of the file, without its suffix.
    settings
        What all studies depend on; a file made with other settings is refused.

    Raises
    ------
    ResultError
        If the file was made with other settings.
    """

    def __init__(self, folder: str | Path | None, name: str, settings: dict[str, Any]) -> None:
        self.path = None if folder is None else Path(folder) / f"{name}.jsonl"
        self.known: dict[int, Any] = {}
        head = {"settings": json.loads(json.dumps(settings))}
        if self.path is None:
            return
        if self.path.exists():
            self._read(head)
        else:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.write_text(json.dumps(head) + "\n")

    def _read(self, head: dict[str, Any]) -> None:
        assert self.path is not None
        text = self.path.read_text()
        whole = text[: text.rfind("\n") + 1]  # a line that was being written when the run stopped is made again
        if whole != text:
            self.path.write_text(whole)
        first, *lines = whole.splitlines() or [""]
        if first != json.dumps(head):
            raise ResultError(
                f"{self.path} was made with other settings; name another folder, or remove the file to start anew"
            )
        self.known = {entry["number"]: entry["found"] for entry in map(json.loads, lines)}

    def made(self, number: int, make: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever JSON can hold
        """Return what is known of a study, made now if it is not; it must survive being written as JSON."""
        if number not in self.known:
            self.known[number] = json.loads(json.dumps(make()))
            if self.path is not None:
                with self.path.open("a") as stream:
                    stream.write(json.dumps({"number": number, "found": self.known[number]}) + "\n")
        return self.known[number]


def chosen_from(known: Collection[str], names: tuple[str, ...] | None, word: str, replicates: int) -> tuple[str, ...]:
    """Return the names that are simulated, by default all that are known.

    Raises
    ------
    FitError
        If one is not known, or there is nothing to simulate; ``word`` says what the names are.
    """
    chosen = tuple(known) if names is None else names
    if unknown := [name for name in chosen if name not in known]:
        raise FitError(f"{', '.join(unknown)}: no {word}; known: {known_names(known, *unknown)}")
    if replicates < 1:
        raise FitError(f"replicates={replicates}: expected 1 or more")
    return chosen
