"""Raw data turned into values with their errors: synchrony, questionnaires, assays and games.

``raw`` does so for the raw files of a study folder.
"""

from dyadloop.measures.study_doubts import doubts, doubts_beside

__all__ = ["doubts", "doubts_beside"]
