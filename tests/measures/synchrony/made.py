"""Series that are the same everywhere: sums of chirps, and two coupled logistic maps. No random numbers."""

import numpy as np


def waves(n: int, persons: int = 2) -> np.ndarray:
    """Series (sample, person) that share one rhythm and have others of their own."""
    k = np.arange(n)
    common = np.sin(0.21 * k + 0.8 * np.sin(0.013 * k))
    own = [
        np.sin((0.17 + 0.05 * p) * k + 2e-5 * (p + 1) * k**2) + 0.6 * np.cos((1.3 + 0.4 * p) * k)
        for p in range(persons)
    ]
    return np.stack([common * (0.6 + 0.3 * np.sin(0.004 * k)) + 0.7 * one for one in own], axis=1)


def maps(n: int, first_to_second: float, second_to_first: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Two logistic maps of which one drives the other (Sugihara et al. 2012, figure 1)."""
    x, y = np.empty(n), np.empty(n)
    x[0], y[0] = 0.4, 0.2
    for t in range(n - 1):
        x[t + 1] = x[t] * (3.8 - 3.8 * x[t] - second_to_first * y[t])
        y[t + 1] = y[t] * (3.5 - 3.5 * y[t] - first_to_second * x[t])
    return x, y
