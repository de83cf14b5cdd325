"""The linear form of the framework, which a fit uses."""

from dyadloop.theory import hypothesis, read_theory


def linear():
    return read_theory("framework_linear")


def rival(name):
    return hypothesis(name, linear())
