"""Time the optimiser of SciPy on a function of 60 numbers, with BLAS as it comes and on one thread; print the ratio."""

import time

import numpy as np
from scipy.optimize import minimize

from dyadloop.inference.one_thread import one_thread

_SIZE, _REPEATS = 60, 10


def main() -> None:
    """Print processor and wall time per evaluation."""
    rng = np.random.default_rng(0)
    root = rng.standard_normal((_SIZE, _SIZE))
    curvature = root @ root.T / _SIZE + 0.01 * np.eye(_SIZE)
    start = 5 * rng.standard_normal(_SIZE)

    def objective(x: np.ndarray) -> tuple[float, np.ndarray]:
        return 0.5 * x @ curvature @ x + np.cosh(0.3 * x).sum(), curvature @ x + 0.3 * np.sinh(0.3 * x)

    def timed() -> tuple[float, float]:
        wall, own, count = time.perf_counter(), time.process_time(), 0
        for _ in range(_REPEATS):
            count += minimize(objective, start, jac=True, method="L-BFGS-B", options={"maxcor": 30}).nfev
        return 1e6 * (time.perf_counter() - wall) / count, 1e6 * (time.process_time() - own) / count

    free = timed()
    with one_thread():
        single = timed()
    print("| BLAS | wall time per evaluation [us] | processor time [us] |\n|---|---|---|")
    print(f"| as it comes | {free[0]:.0f} | {free[1]:.0f} |\n| one thread | {single[0]:.0f} | {single[1]:.0f} |")
    print(f"\nratios {free[0] / single[0]:.1f} (wall), {free[1] / single[1]:.1f} (processor)")


if __name__ == "__main__":
    main()
