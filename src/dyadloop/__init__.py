"""Make the oxytocin theory of the therapeutic alliance executable and testable.

``import dyadloop as dl``; every public name is loaded when it is first used.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "Settings": "dyadloop.inference",
    "Study": "dyadloop.data",
    "Theory": "dyadloop.theory",
    "characteristic": "dyadloop.dynamics",
    "claims": "dyadloop.inference",
    "clamp": "dyadloop.theory",
    "continuation": "dyadloop.dynamics",
    "convert_school": "dyadloop.data",
    "cut": "dyadloop.theory",
    "equilibria": "dyadloop.dynamics",
    "fit": "dyadloop.inference",
    "framework": "dyadloop.theory",
    "gains": "dyadloop.dynamics",
    "hypothesis": "dyadloop.theory",
    "keep": "dyadloop.theory",
    "load_result": "dyadloop.inference",
    "loop_gain": "dyadloop.dynamics",
    "measure": "dyadloop.measures",
    "patient_only": "dyadloop.theory",
    "phenomena": "dyadloop.dynamics",
    "priors": "dyadloop.inference",
    "protocol": "dyadloop.theory",
    "read_study": "dyadloop.data",
    "read_theory": "dyadloop.theory",
    "report": "dyadloop.reporting",
    "save_result": "dyadloop.inference",
    "sensitivity": "dyadloop.dynamics",
    "session_map": "dyadloop.dynamics",
    "simulate": "dyadloop.simulation",
    "simulate_study": "dyadloop.simulation",
    "summarise": "dyadloop.data",
    "switch_on": "dyadloop.theory",
    "synergy": "dyadloop.dynamics",
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
