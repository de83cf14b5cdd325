"""Make the oxytocin theory of the therapeutic alliance executable and testable.

``import dyadloop as dl``; every public name is loaded when it is first used.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "Settings": "dyadloop.inference",
    "Study": "dyadloop.data",
    "Theory": "dyadloop.theory",
    "actor_partner_effects": "dyadloop.appraisal",
    "answerable": "dyadloop.claims",
    "area_under_curve": "dyadloop.measures.assays",
    "assurance": "dyadloop.design",
    "calibrate": "dyadloop.appraisal",
    "change_synchrony": "dyadloop.measures.synchrony",
    "characteristic": "dyadloop.dynamics",
    "checks": "dyadloop.appraisal",
    "clamp": "dyadloop.theory",
    "compare": "dyadloop.appraisal",
    "compare_priors": "dyadloop.claims",
    "compare_referees": "dyadloop.appraisal",
    "continuation": "dyadloop.dynamics",
    "convert_dial": "dyadloop.exchange.published",
    "convert_diaries": "dyadloop.exchange.published",
    "convert_mindfulness": "dyadloop.exchange.published",
    "convert_school": "dyadloop.exchange.published",
    "cut": "dyadloop.theory",
    "doubts": "dyadloop.measures",
    "empathic_accuracy": "dyadloop.measures.games",
    "equilibria": "dyadloop.dynamics",
    "evidence_claims": "dyadloop.evidence",
    "export_study": "dyadloop.exchange",
    "finding_faults": "dyadloop.appraisal",
    "fit": "dyadloop.inference",
    "framework": "dyadloop.theory",
    "gains": "dyadloop.dynamics",
    "group_synchrony": "dyadloop.measures.synchrony",
    "group_test": "dyadloop.measures.synchrony",
    "halves": "dyadloop.appraisal",
    "hand_over": "dyadloop.handover",
    "hypothesis": "dyadloop.theory",
    "identifiability": "dyadloop.design",
    "import_study": "dyadloop.exchange",
    "instruments": "dyadloop.measures.questionnaires",
    "judge_claims": "dyadloop.claims",
    "keep": "dyadloop.theory",
    "lagged_effects": "dyadloop.appraisal",
    "load_result": "dyadloop.inference",
    "log_change": "dyadloop.measures.assays",
    "loop_gain": "dyadloop.dynamics",
    "lump": "dyadloop.theory",
    "measure": "dyadloop.measures.raw",
    "motion_energy": "dyadloop.signals",
    "multiverse": "dyadloop.claims",
    "multiverse_options": "dyadloop.claims",
    "new_study": "dyadloop.exchange",
    "patient_only": "dyadloop.theory",
    "phenomena": "dyadloop.dynamics",
    "pool": "dyadloop.evidence",
    "practical_identifiability": "dyadloop.appraisal",
    "priors": "dyadloop.inference",
    "protocol": "dyadloop.theory",
    "public_goods": "dyadloop.measures.games",
    "published_effects": "dyadloop.evidence",
    "read_design": "dyadloop.design",
    "read_plates": "dyadloop.measures.assays",
    "read_recording": "dyadloop.signals",
    "read_study": "dyadloop.data",
    "read_theory": "dyadloop.theory",
    "read_turns": "dyadloop.exchange.transcripts",
    "referees": "dyadloop.appraisal",
    "report": "dyadloop.reporting.report",
    "save_result": "dyadloop.inference",
    "scale_scores": "dyadloop.observation.scaling",
    "schedule": "dyadloop.design",
    "score_items": "dyadloop.measures.questionnaires",
    "sensitivity": "dyadloop.dynamics",
    "session_map": "dyadloop.dynamics",
    "simulate": "dyadloop.simulation",
    "simulate_alliance": "dyadloop.simulation",
    "simulate_study": "dyadloop.simulation",
    "smooth": "dyadloop.appraisal",
    "standard_curve": "dyadloop.measures.assays",
    "summarise": "dyadloop.data",
    "summarise_multiverse": "dyadloop.claims",
    "switch_on": "dyadloop.theory",
    "synchrony": "dyadloop.measures.synchrony",
    "synchrony_multiverse": "dyadloop.measures.synchrony",
    "synchrony_test": "dyadloop.measures.synchrony",
    "synergy": "dyadloop.dynamics",
    "trust_game": "dyadloop.measures.games",
    "truth_and_bias": "dyadloop.measures.games",
    "vary": "dyadloop.theory",
    "what_next": "dyadloop.claims",
    "whatif": "dyadloop.appraisal",
    "without_each": "dyadloop.appraisal",
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
