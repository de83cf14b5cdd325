"""Random calls with odd but valid series; ``python -m tests.measures.synchrony.odd_series`` makes as many as one likes."""

import pytest

from tests.measures.synchrony.odd_series import tried


@pytest.mark.parametrize("first", range(0, 120, 20))
def test_random_calls_give_numbers_or_reasons(first):
    wrong = {seed: how for seed in range(first, first + 20) if (how := tried(seed))[1] not in ("ok", "refused")}
    assert not wrong
