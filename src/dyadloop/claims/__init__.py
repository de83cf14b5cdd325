"""Judge the claims of a theory: by one fit, under other priors and choices, and in simulated studies."""

from dyadloop.claims.before_fit import answerable
from dyadloop.claims.claims_table import judge_claims
from dyadloop.claims.next_study import what_next
from dyadloop.claims.prior_sets import compare_priors
from dyadloop.claims.settled import unsettled
from dyadloop.claims.specifications import multiverse, multiverse_options, summarise_multiverse
from dyadloop.claims.support import TRUTHS, support_rates

__all__ = [
    "TRUTHS",
    "answerable",
    "compare_priors",
    "judge_claims",
    "multiverse",
    "multiverse_options",
    "summarise_multiverse",
    "support_rates",
    "unsettled",
    "what_next",
]
