"""Count how many programs are lowered for the compiler, whether or not it finds them in its cache on disk."""

from contextlib import contextmanager
from types import SimpleNamespace

import jax

_LOWERED = "/jax/core/compile/jaxpr_to_mlir_module_duration"
_counters = []


def _heard(event, _seconds, **_about):
    if event == _LOWERED:
        for counter in _counters:
            counter.lowered += 1


jax.monitoring.register_event_duration_secs_listener(_heard)


@contextmanager
def counted():
    """Yield a counter whose ``lowered`` is the number of programs that are lowered within."""
    counter = SimpleNamespace(lowered=0)
    _counters.append(counter)
    try:
        yield counter
    finally:
        _counters.remove(counter)
