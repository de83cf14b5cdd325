"""Loops compiled for the processor, which JAX calls: the filter of the likelihood. Imported at their first use."""
