"""Cells of a script's matrices: names of parameters with their numbers, and what is a fixed number."""

import re
from dataclasses import dataclass, field

_SMALL = 1e-12


@dataclass
class Cells:
    """Names of parameters and their numbers, each name once."""

    start: dict[str, float] = field(default_factory=dict)
    inside: list[str] = field(default_factory=list)
    known: dict[tuple[str, int], str] = field(default_factory=dict)

    def cell(self, matrix: str, name: str, number: float, label: int) -> str:
        """Return the cell: the number where it is fixed, else a name that cells with one label share."""
        if label == 0:
            return figure(number)
        if (matrix, label) not in self.known:
            bare = plain = f"{matrix}_{word(name)}"
            number_of_name = 2
            while plain in self.start:
                plain, number_of_name = f"{bare}_{number_of_name}", number_of_name + 1
            self.known[matrix, label] = plain
            self.start[plain] = number
        return self.known[matrix, label]

    def term(self, cell: str, times: str) -> str:
        """Return a product with a column of the data; a parameter in a sum must be known to the program."""
        if cell in self.start and cell not in self.inside:
            self.inside.append(cell)
        return f"{cell} * {times}"

    def total(self, cell: str, terms: list[str]) -> str:
        """Return a cell with what is added to it."""
        if not terms:
            return cell
        if cell == "0":
            return " + ".join(terms)
        if cell in self.start and cell not in self.inside:
            self.inside.append(cell)
        return " + ".join([cell, *terms])


def word(name: str) -> str:
    """Return a name of letters, digits and underscores."""
    return re.sub(r"\W", "_", name)


def figure(number: float) -> str:
    """Return a number as text that is read back as the same number."""
    return "0" if abs(number) < _SMALL else f"{number:.17g}"


def names(found: list[str], longest: int | None = None, taken: tuple[str, ...] = ()) -> dict[str, str]:
    """Return plain names, each once whatever its case; with a longest length they are shortened.

    No name is one of those taken.
    """
    made: dict[str, str] = {}
    used = {name.lower() for name in taken}
    for name in found:
        bare = word(name)
        bare = bare if bare[:1].isalpha() else f"x{bare}"
        plain, number = bare[:longest], 2
        while plain.lower() in used:
            ending = f"_{number}"
            plain, number = bare[: None if longest is None else longest - len(ending)] + ending, number + 1
        used.add(plain.lower())
        made[name] = plain
    return made
