"""Make the oxytocin theory of the therapeutic alliance executable and testable.

``import dyadloop as dl``; every public name is loaded when it is first used.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "Settings": "dyadloop.inference",
    "Study": "dyadloop.data",
    "Theory": "dyadloop.theory",
    "across": "dyadloop.inference",
    "alternatives": "dyadloop.inference",
    "area_under_curve": "dyadloop.measures.assays",
    "assurance": "dyadloop.design",
    "calibrate": "dyadloop.inference",
    "change_synchrony": "dyadloop.measures.synchrony",
    "characteristic": "dyadloop.dynamics",
    "checks": "dyadloop.inference",
    "choices": "dyadloop.inference",
    "claims": "dyadloop.inference",
    "clamp": "dyadloop.theory",
    "compare": "dyadloop.inference",
    "compare_priors": "dyadloop.inference",
    "compare_referees": "dyadloop.inference",
    "continuation": "dyadloop.dynamics",
    "convert_dial": "dyadloop.data",
    "convert_diaries": "dyadloop.data",
    "convert_mindfulness": "dyadloop.data",
    "convert_school": "dyadloop.data",
    "cut": "dyadloop.theory",
    "doubts": "dyadloop.measures",
    "empathic_accuracy": "dyadloop.measures.games",
    "equilibria": "dyadloop.dynamics",
    "evidence": "dyadloop.evidence",
    "evidence_claims": "dyadloop.evidence",
    "finding_faults": "dyadloop.inference",
    "fit": "dyadloop.inference",
    "framework": "dyadloop.theory",
    "gains": "dyadloop.dynamics",
    "group_synchrony": "dyadloop.measures.synchrony",
    "group_test": "dyadloop.measures.synchrony",
    "halves": "dyadloop.inference",
    "hypothesis": "dyadloop.theory",
    "instruments": "dyadloop.measures.items",
    "keep": "dyadloop.theory",
    "lagged_effects": "dyadloop.inference",
    "load_result": "dyadloop.inference",
    "log_change": "dyadloop.measures.assays",
    "loop_gain": "dyadloop.dynamics",
    "measure": "dyadloop.measures",
    "measure_raw": "dyadloop.measures.raw",
    "motion_energy": "dyadloop.measures.recordings",
    "multiverse": "dyadloop.measures.synchrony",
    "patient_only": "dyadloop.theory",
    "phenomena": "dyadloop.dynamics",
    "pool": "dyadloop.evidence",
    "priors": "dyadloop.inference",
    "protocol": "dyadloop.theory",
    "public_goods": "dyadloop.measures.games",
    "read_design": "dyadloop.design",
    "read_plates": "dyadloop.measures.assays",
    "read_recording": "dyadloop.measures.recordings",
    "read_study": "dyadloop.data",
    "read_theory": "dyadloop.theory",
    "referees": "dyadloop.inference",
    "report": "dyadloop.reporting.report",
    "save_result": "dyadloop.inference",
    "score_items": "dyadloop.measures.items",
    "sensitivity": "dyadloop.dynamics",
    "session_map": "dyadloop.dynamics",
    "simulate": "dyadloop.simulation",
    "simulate_alliance": "dyadloop.simulation",
    "simulate_study": "dyadloop.simulation",
    "smooth": "dyadloop.inference",
    "standard_curve": "dyadloop.measures.assays",
    "summarise": "dyadloop.data",
    "switch_on": "dyadloop.theory",
    "synchrony": "dyadloop.measures.synchrony",
    "synchrony_test": "dyadloop.measures.synchrony",
    "synergy": "dyadloop.dynamics",
    "trust_game": "dyadloop.measures.games",
    "truth_and_bias": "dyadloop.measures.games",
    "vary": "dyadloop.theory",
    "whatif": "dyadloop.inference",
    "without_each": "dyadloop.inference",
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
