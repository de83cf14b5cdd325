"""A small part of the framework that compiles quickly: oxytocin of the patient, two components, no symptom."""

from dyadloop.theory import framework, keep, patient_only

OXYTOCIN = ["oxytocin", "drive", "signal", "antagonist"]


def small(*components, symptoms=()):
    return patient_only(keep(framework(), [*OXYTOCIN, *(components or ("trust", "support")), *symptoms]))
