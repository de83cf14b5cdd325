"""Machine words as sets of 64 places, for kernels: the first place in a word, and how many places it holds."""

from collections.abc import Callable
from typing import Any, cast

import numba
import numpy as np
from numba import types
from numba.core.typing.templates import Signature
from numba.extending import intrinsic
from numpy.typing import NDArray

Words = NDArray[np.uint64]
NONE, ONE, ALL = np.uint64(0), np.uint64(1), np.uint64(2**64 - 1)


def _first_of(context: Any, word: Any) -> tuple[Signature, Callable]:  # noqa: ANN401 - numba's own types
    def build(at: Any, builder: Any, _signature: Any, arguments: Any) -> Any:  # noqa: ANN401
        return builder.cttz(arguments[0], at.get_constant(types.boolean, True))

    return types.int64(types.uint64), build


def _count_of(context: Any, word: Any) -> tuple[Signature, Callable]:  # noqa: ANN401
    def build(_at: Any, builder: Any, _signature: Any, arguments: Any) -> Any:  # noqa: ANN401
        return builder.ctpop(arguments[0])

    return types.int64(types.uint64), build


first_of: Callable[[Any], int] = cast("Any", intrinsic(_first_of))
"""The place of the lowest bit of a word that is not 0, for kernels."""
count_of: Callable[[Any], int] = cast("Any", intrinsic(_count_of))
"""How many bits of a word are set, for kernels."""


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
