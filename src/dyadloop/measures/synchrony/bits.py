"""Machine words as sets of 64 places, for kernels: the first place in a word, and how many places it holds."""

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from numba import types
from numba.core.typing.templates import Signature
from numba.extending import intrinsic
from numpy.typing import NDArray

Words = NDArray[np.uint64]
NONE, ONE, ALL = np.uint64(0), np.uint64(1), np.uint64(2**64 - 1)


@intrinsic
def first_of(context: Any, word: Any) -> tuple[Signature, Callable]:  # noqa: ANN401 - numba's own types
    """Return the place of the lowest bit of a word that is not 0."""

    def build(at: Any, builder: Any, _signature: Any, arguments: Any) -> Any:  # noqa: ANN401
        return builder.cttz(arguments[0], at.get_constant(types.boolean, True))

    return types.int64(types.uint64), build


@intrinsic
def count_of(context: Any, word: Any) -> tuple[Signature, Callable]:  # noqa: ANN401
    """Return how many bits of a word are set."""

    def build(_at: Any, builder: Any, _signature: Any, arguments: Any) -> Any:  # noqa: ANN401
        return builder.ctpop(arguments[0])

    return types.int64(types.uint64), build


@numba.njit(cache=True)
def clear(words: Words, low: int, high: int) -> None:
    """Take the places low ... high - 1 out of a row of words."""
    if low >= high:
        return
    first, last = low >> 6, (high - 1) >> 6
    begin, end = ALL << np.uint64(low & 63), ALL >> np.uint64(63 - ((high - 1) & 63))
    if first == last:
        words[first] &= ~(begin & end)
        return
    words[first] &= ~begin
    for k in range(first + 1, last):
        words[k] = NONE
    words[last] &= ~end
