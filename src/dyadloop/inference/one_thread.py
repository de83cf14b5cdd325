"""Small matrices on one thread: BLAS would spread them over all cores, and its threads would wait for each other."""

from contextlib import AbstractContextManager
from functools import lru_cache

from threadpoolctl import ThreadpoolController


def one_thread() -> AbstractContextManager:
    """Return a context in which BLAS and LAPACK use one thread.

    The optimiser of SciPy calls them on matrices of some thirty rows. With two threads on two cores that took 15 times
    the processor time, and more where other programs run (``benchmarks/threads.py``). Programs of JAX have threads of
    their own and do not change.
    """
    return _controller().limit(limits=1, user_api="blas")


@lru_cache(maxsize=1)
def _controller() -> ThreadpoolController:
    return ThreadpoolController()  # looking through the loaded libraries takes some milliseconds
