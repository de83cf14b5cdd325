"""Numbers that a measure can compute with: neither infinite nor so large or small that their squares are no numbers."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dyadloop.errors import MeasureError

LARGEST = 1e100
"""Beyond it products of squares overflow, and below its inverse they vanish."""


def usable(values: ArrayLike, what: str) -> NDArray[np.float64]:
    """Return values as float64, NaN where missing.

    Raises
    ------
    MeasureError
        If they are no numbers, infinite, or of a size or spread whose squares are no numbers.
    """
    try:
        found = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise MeasureError(f"{what}: got values that are not numbers ({error}); expected numbers") from None
    if np.isinf(found).any():
        raise MeasureError(f"{what}: got an infinite number; expected finite ones; write gaps as NaN")
    seen = np.abs(found[~np.isnan(found) & (found != 0)])
    if seen.size and (seen.max() > LARGEST or seen.max() < 1 / LARGEST):
        raise MeasureError(
            f"{what}: got sizes up to {seen.max():g}, whose squares are no numbers; expected {1 / LARGEST:g} to "
            f"{LARGEST:g}; use another unit"
        )
    return found
