"""Records gathered column by column, so that a million of them take little memory."""

from array import array
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd


class Collected:
    """Columns that grow record by record; each different text is held once.

    Attributes
    ----------
    texts
        Columns of texts, or of other objects.
    numbers, whole
        Columns of numbers, and of whole numbers.
    """

    def __init__(self, texts: Iterable[str], numbers: Iterable[str], whole: Iterable[str] = ()) -> None:
        self.texts: dict[str, list[Any]] = {name: [] for name in texts}
        self.numbers = {name: array("d") for name in numbers}
        self.whole = {name: array("q") for name in whole}
        self._known: dict[str, str] = {}

    def same(self, text: str) -> str:
        """Return the text that stands for all that are equal to one."""
        return self._known.setdefault(text, text)

    def add(self, record: Mapping[str, Any]) -> None:
        """Add a record; it may have further keys, which are passed over."""
        for name, column in self.texts.items():
            value = record[name]
            column.append(self._known.setdefault(value, value) if type(value) is str else value)
        for columns in (self.numbers, self.whole):
            for name, column in columns.items():
                column.append(record[name])

    def some(self, names: Iterable[str]) -> pd.DataFrame:
        """Return some of the columns as a table."""
        return pd.DataFrame({name: self._values(name) for name in names}, copy=False)

    def emptied(self) -> pd.DataFrame:
        """Return all columns as a table; nothing stays here, so that no column is held twice."""
        made: dict[str, np.ndarray] = {}
        for name in list(self.texts):
            made[name], self.texts[name] = self._values(name), []
        for name in list(self.numbers):
            made[name], self.numbers[name] = self._values(name), array("d")
        for name in list(self.whole):
            made[name], self.whole[name] = self._values(name), array("q")
        self._known.clear()
        return pd.DataFrame(made, copy=False)

    def _values(self, name: str) -> np.ndarray:
        if name in self.texts:
            return np.fromiter(self.texts[name], dtype=object, count=len(self.texts[name]))
        return np.array(self.numbers[name] if name in self.numbers else self.whole[name])
