"""Compiled kernels as functions of JAX: what XLA hands to a foreign function, and how it is registered.

XLA calls with one structure that lists the buffers of arguments and results. The kernels read it as words of 64 bits;
they hold no lock of Python while they run. See the foreign function interface of XLA, ``xla/ffi/api/c_api.h``.
"""

import ctypes
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import jax
from numba import cfunc, types

from dyadloop.kernels.lanes import inner, put, put_whole, whole

HANDLER = types.intp(types.intp)
"""Type of a handler: it takes the address of the structure of a call and returns 0, no error."""
_EXTENSION, _INTERFACE = 1, 2  # words of the structure of a call
_KIND, _DATA, _RANK, _DIMENSIONS = 2, 3, 4, 5  # words of a buffer
_TRUTH, _KIND_BITS = 1, 0xFFFFFFFF  # the kind of truth values, in the lower half of its word
_METADATA, _OFFERED, _TOLD = 3, 4, 3  # words that lead to the version of the interface, and to where it is told


@inner
def asked(frame):
    """Answer a call that only asks for the version of the interface; return whether it was one."""
    extension = whole(frame, _EXTENSION)
    if extension == 0:
        return False
    put_whole(whole(extension, _METADATA), _TOLD, whole(whole(frame, _INTERFACE), _OFFERED))
    return True


class Call(NamedTuple):
    """Addresses of the lists of arguments and results of a call, and their lengths."""

    arguments: int
    results: int
    n_arguments: int
    n_results: int


@inner
def call_of(frame):
    """Return the lists of arguments and results of a call."""
    return Call(whole(frame, 9), whole(frame, 14), whole(frame, 7), whole(frame, 12))


@inner
def length(buffers, place, axis):
    """Return the length of an axis of an array, counted from the last (1 is the last)."""
    buffer = whole(buffers, place)
    return whole(whole(buffer, _DIMENSIONS), whole(buffer, _RANK) - axis)


@inner
def entries_of(buffer, n_axes):
    """Return how many entries the axes before the last ``n_axes`` have together."""
    found, sizes = 1, whole(buffer, _DIMENSIONS)
    for axis in range(whole(buffer, _RANK) - n_axes):
        found *= whole(sizes, axis)
    return found


@inner
def tabulate(table, buffers, n_buffers, which, n_sets):
    """List where the numbers of each array begin that belong to one of several data sets side by side."""
    for place in range(n_buffers):
        buffer = whole(buffers, place)
        width = 1 if whole(buffer, _KIND) & _KIND_BITS == _TRUTH else 8
        own = entries_of(buffer, 0) // n_sets
        put_whole(table, place, whole(buffer, _DATA) + own * which * width)


@inner
def nothing(buffers, n_buffers):
    """Put 0 into all results."""
    for place in range(n_buffers):
        buffer = whole(buffers, place)
        for entry in range(entries_of(buffer, 0)):
            put(whole(buffer, _DATA), entry, 0.0)


def stamp() -> int:
    """Return a number that changes with the text of any kernel: what is compiled is kept on disk under it."""
    found = 0
    for file in sorted(Path(__file__).parent.glob("*.py")):
        if file.stem not in ("__init__", "targets"):  # which hold nothing that is compiled
            found = zlib.crc32(file.read_bytes(), found)
    return found + 1


def register(name: str, handler: Callable) -> None:
    """Tell XLA of a kernel under a name; ``handler`` is compiled at the first time and kept on disk."""
    try:
        compiled = cfunc(HANDLER, cache=True)(handler)
    except RuntimeError:  # no folder to write to: neither beside this file nor in the user's cache
        compiled = cfunc(HANDLER)(handler)
    _KEPT.append(compiled)
    jax.ffi.register_ffi_target(name, jax.ffi.pycapsule(ctypes.c_void_p(compiled.address)), platform="cpu")


_KEPT: list = []  # a kernel must outlive the programs that call it
