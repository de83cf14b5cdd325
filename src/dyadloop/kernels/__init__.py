"""Loops compiled for the processor, which JAX calls: transitions and filter. numba is imported at their first use."""
