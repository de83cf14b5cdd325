"""Tables that pandas keeps in HDF5 files, as DeepLabCut writes them; names are read and nothing is unpickled.

Where PyTables keeps the names of columns as a pickle, its steps are read one by one: texts, numbers, tuples and lists
are taken, and whatever would call or import something is refused.
"""

import pickletools
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from dyadloop.exchange.formats.format import refusal

_TEXTS = ("UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8")
_WHOLE = ("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1")
_PASSED = ("PROTO", "FRAME", "STOP")


def is_frame(path: Path) -> bool:
    """Return whether a file holds one table of pandas."""
    try:
        with h5py.File(path, "r") as file:
            return len(_groups(file)) == 1
    except (OSError, RuntimeError, KeyError, ValueError):  # how h5py says that a file is damaged
        return False


def read_frame(path: Path) -> tuple[list[tuple[str, ...]], np.ndarray, np.ndarray]:
    """Return the names of the columns level by level, the index, and the numbers (row, column).

    Raises
    ------
    DataError
        If the file holds no such table, or its names are no plain texts.
    """
    try:
        with h5py.File(path, "r") as file:
            (group,) = _groups(file)
            names, index, values = _appended(group) if "table" in group else _fixed(group)
    except (OSError, RuntimeError, ValueError, KeyError, IndexError, TypeError, AttributeError, StopIteration) as error:
        got = f"a table of pandas that cannot be read ({' '.join(str(error).split())[:100]})"
        raise refusal(path, got, "a table that DeepLabCut wrote", "export it as CSV") from None
    return [tuple(str(part) for part in name) for name in names], np.asarray(index, float), np.asarray(values, float)


def _groups(file: h5py.File) -> list[h5py.Group]:
    return [part for part in file.values() if isinstance(part, h5py.Group) and "pandas_type" in part.attrs]


def _appended(group: h5py.Group) -> tuple[list[Any], np.ndarray, np.ndarray]:
    """Return a table that is kept row by row; blocks of values stand beside each other."""
    table: Any = group["table"]
    blocks = [name for name in table.dtype.names or () if name.startswith("values_block_")]
    names = [name for block in blocks for name in _plain(table.attrs[f"{block}_kind"])]
    rows = table[:]
    values = np.concatenate([rows[block].reshape(len(rows), -1) for block in blocks], axis=1)
    if len(names) != values.shape[1]:
        raise ValueError(f"{len(names)} names of {values.shape[1]} columns")
    return names, rows["index"], values


def _fixed(group: h5py.Group) -> tuple[list[Any], np.ndarray, np.ndarray]:
    """Return a table that is kept block by block, with the levels of its columns."""
    names: list[Any] = []
    parts, told = [], dict[str, Any](group.attrs)
    for number in range(int(told["nblocks"])):
        levels = []
        for level in range(int(told[f"block{number}_items_nlevels"])):
            texts = np.asarray(group[f"block{number}_items_level{level}"])
            codes = np.asarray(group[f"block{number}_items_label{level}"])
            levels.append([_decoded(text) for text in texts[codes]])
        names += list(zip(*levels, strict=True))
        parts.append(np.asarray(group[f"block{number}_values"]))
    return names, np.asarray(group["axis1"]), np.concatenate(parts, axis=1)


def _decoded(text: Any) -> str:  # noqa: ANN401 - of HDF5
    return text.decode("utf-8") if isinstance(text, bytes) else str(text)


def _plain(content: Any) -> list[Any]:  # noqa: ANN401 - of HDF5
    """Return the list that a pickle holds where it holds nothing but texts, numbers, tuples and lists.

    Raises
    ------
    ValueError
        If there is anything else in it.
    """
    raw = content if isinstance(content, bytes) else bytes(np.asarray(content).tobytes()).rstrip(b"\x00")
    stack: list[Any] = []
    known: dict[int, Any] = {}
    for step, argument, _ in pickletools.genops(raw):
        name = step.name
        if name in _TEXTS or name in _WHOLE:
            stack.append(argument)
        elif name in ("MARK", "EMPTY_LIST", "EMPTY_TUPLE"):
            stack.append({"MARK": _MARK, "EMPTY_LIST": [], "EMPTY_TUPLE": ()}[name])
        elif name in ("TUPLE", "LIST", "APPENDS"):
            items = _marked(stack)
            _ended(stack, name, items)
        elif name in ("TUPLE1", "TUPLE2", "TUPLE3"):
            size = int(name[-1])
            stack[-size:] = [tuple(stack[-size:])]
        elif name == "APPEND":
            stack[-2].append(stack.pop())
        elif name in ("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"):
            known[len(known) if argument is None else int(argument)] = stack[-1]
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            stack.append(known[int(argument)])  # pyright: ignore[reportArgumentType]
        elif name not in _PASSED:
            raise ValueError(f"names of columns that need {name}")
    (found,) = stack
    return list(found)


_MARK = object()


def _marked(stack: list[Any]) -> list[Any]:
    """Return what stands above the last mark, and take both away."""
    place = len(stack) - 1 - next(k for k, item in enumerate(reversed(stack)) if item is _MARK)
    items = stack[place + 1 :]
    del stack[place:]
    return items


def _ended(stack: list[Any], name: str, items: list[Any]) -> None:
    if name == "APPENDS":
        stack[-1].extend(items)
    else:
        stack.append(tuple(items) if name == "TUPLE" else items)
