"""Make the oxytocin theory of the therapeutic alliance executable and testable.

``import dyadloop as dl``; every public name is loaded when it is first used.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "Settings": "dyadloop.inference",
    "Study": "dyadloop.data",
    "Theory": "dyadloop.theory",
    "claims": "dyadloop.inference",
    "convert_school": "dyadloop.data",
    "fit": "dyadloop.inference",
    "framework": "dyadloop.theory",
    "hypothesis": "dyadloop.theory",
    "keep": "dyadloop.theory",
    "load_result": "dyadloop.inference",
    "loop_gain": "dyadloop.dynamics",
    "measure": "dyadloop.measures",
    "priors": "dyadloop.inference",
    "read_study": "dyadloop.data",
    "read_theory": "dyadloop.theory",
    "report": "dyadloop.reporting",
    "save_result": "dyadloop.inference",
    "simulate_study": "dyadloop.simulation",
    "summarise": "dyadloop.data",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:  # noqa: ANN401 - any public object
    if name not in _HOMES:
        raise AttributeError(f"module 'dyadloop' has no attribute {name!r}; public names: {', '.join(__all__)}")
    found = getattr(import_module(_HOMES[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return [*__all__]
