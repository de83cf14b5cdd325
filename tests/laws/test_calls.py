"""A few random calls of every measure: answered, or refused in words; ``docs/fuzz.py`` makes as many as are wanted."""

import warnings

import numpy as np
import pytest

from tests.laws.calls import CALLS, outcome


@pytest.mark.parametrize("name", CALLS)
def test_odd_input_is_answered_or_refused_in_words(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = [outcome(CALLS[name], np.random.default_rng((3, call))) for call in range(4)]
    assert not [text for text in found if text.startswith("broken")], found
