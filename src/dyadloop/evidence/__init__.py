"""Published effects: the table, conversions, pooling, bias, priors of coefficients, and claims by evidence alone."""

from dyadloop.evidence.bias import leave_one_out, pet_peese, selection_model
from dyadloop.evidence.coefficients import Discount, coefficient_priors
from dyadloop.evidence.conversions import Estimate
from dyadloop.evidence.edges import Edge, edge_evidence
from dyadloop.evidence.pooling import Bayesian, Pooled, ThreeLevel, pool, pool_bayes, pool_three_level
from dyadloop.evidence.table import CONCEPTS, METRICS, Effect, add_effect, duplicates, published_effects, read_effects
from dyadloop.evidence.trials import pool_trials, trial_effects
from dyadloop.evidence.verdicts import evidence_claims

__all__ = [
    "CONCEPTS",
    "METRICS",
    "Bayesian",
    "Discount",
    "Edge",
    "Effect",
    "Estimate",
    "Pooled",
    "ThreeLevel",
    "add_effect",
    "coefficient_priors",
    "duplicates",
    "edge_evidence",
    "evidence_claims",
    "leave_one_out",
    "pet_peese",
    "pool",
    "pool_bayes",
    "pool_three_level",
    "pool_trials",
    "published_effects",
    "read_effects",
    "selection_model",
    "trial_effects",
]
