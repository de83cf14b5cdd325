"""Which shipped questionnaire a heading names."""

import re

from dyadloop.measures.questionnaires import Instrument, instruments

_LEAST_LETTERS = 3


def instrument_of(stem: str) -> Instrument | None:
    """Return the shipped questionnaire that a heading names, None where none or several do."""
    bare = re.sub(r"[^a-z0-9]", "", stem.lower())
    found = []
    for key in instruments().values():
        name = re.sub(r"[^a-z0-9]", "", key.id)
        letters = name.rstrip("0123456789")
        if bare == name or bare.startswith(name) or (len(letters) >= _LEAST_LETTERS and bare == letters):
            found.append(key)
    longest = max((len(key.id) for key in found), default=0)
    best = [key for key in found if len(key.id) == longest]
    return best[0] if len(best) == 1 else None
