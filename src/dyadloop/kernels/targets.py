"""The kernels by name, compiled at their first use in a process or read from disk."""

import threading
from importlib import import_module
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array

_FILES = {
    "filter": "filter_forward",
    "filter_back": "filter_backward",
    "transitions": "transition_forward",
    "transitions_back": "transition_backward",
}


_ONE_AT_A_TIME = threading.Lock()
_REGISTERED: set[str] = set()


def doubles(*shape: int) -> jax.ShapeDtypeStruct:
    """Return the shape of a result."""
    return jax.ShapeDtypeStruct(shape, jnp.float64)


def kernel(name: str, results: tuple[jax.ShapeDtypeStruct, ...], *arguments: Array) -> Any:
    """Return the results of a kernel, also under ``jax.jit`` and ``jax.vmap``."""
    _register(name)
    return jax.ffi.ffi_call(_target(name), results, vmap_method="broadcast_all")(*arguments)


def _target(name: str) -> str:
    return f"dyadloop_{name}"


def _register(name: str) -> None:
    """Tell XLA of a kernel, unless it was told before; threads that ask at the same time wait for each other."""
    from dyadloop.kernels.calls import register, stamp

    with _ONE_AT_A_TIME:
        if name not in _REGISTERED:
            register(_target(name), import_module(f"dyadloop.kernels.{_FILES[name]}").handler(stamp()))
            _REGISTERED.add(name)
