"""Recordings, items, assays and games turned into scores with their errors, conventions and provenance."""

from dyadloop.measures.scores import measure

__all__ = ["measure"]
