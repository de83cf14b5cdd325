"""Numbers that JAX computes with, made by JAX or by NumPy."""

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Array

if TYPE_CHECKING:
    Number = Array
else:
    # NumPy is quicker where nothing is traced, and its arrays serve JAX as well
    Number = Array | np.ndarray | np.number | float | int
