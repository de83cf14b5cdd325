"""A study small enough to be fitted many times: simulated, with few variables."""

from dyadloop.simulation import simulate_study
from dyadloop.theory import keep
from tests.linear import rival

PAIR = ["oxytocin", "trust"]


def theory(variables):
    return keep(rival("reciprocal"), variables)


def make(path, variables, seed=1, values=None):
    return simulate_study(path, theory=theory(variables), seed=seed, values=values)
