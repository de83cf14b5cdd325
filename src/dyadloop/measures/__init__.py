"""Recordings, items, assays and games turned into scores with their errors, conventions and provenance.

The rooms ``synchrony``, ``recordings``, ``items``, ``assays`` and ``games`` measure, ``raw`` does so for a study
folder, and ``scores`` puts a study's measurements on the scale of a fit.
"""

from dyadloop.measures.doubts import doubts, doubts_beside
from dyadloop.measures.scores import measure

__all__ = ["doubts", "doubts_beside", "measure"]
