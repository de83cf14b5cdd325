"""Odd and corrupted sources: an import takes them, asks, or refuses in words; no cell is lost silently.

`docs/odd_sources.py` runs as many as one likes; a few of each family always run.
"""

import numpy as np
import pytest

from tests.exchange import odd_recordings
from tests.exchange.odd import Family, outcome


@pytest.mark.parametrize(
    ("name", "number"), [("csv", 12), ("excel", 8), ("spss", 6), ("stata", 4), ("redcap", 8), ("surveys", 16)]
)
def test_nothing_breaks_and_cells_add_up(name, number, tmp_path):
    family = Family(name, tmp_path / name)
    found = [outcome(family, np.random.default_rng([20, k])) for k in range(number)]
    assert [result for result in found if result[0].startswith("broken")] == []
    assert len({result for result, _ in found}) > 1


@pytest.mark.parametrize(("name", "number"), [("recordings", 30), ("plates", 20), ("transcripts", 20)])
def test_odd_recordings_are_read_whole_or_refused(name, number, tmp_path):
    found = [odd_recordings.outcome(name, tmp_path, np.random.default_rng([20, k])) for k in range(number)]
    assert [result for result in found if result[0].startswith("broken")] == []
    assert {result for result, _ in found} == {"imported", "refused"}


def test_a_file_that_ends_its_reader_is_refused(tmp_path):
    """Some changed bytes of SPSS files end the process of pyreadstat with a segmentation fault."""
    family = Family("spss", tmp_path / "spss")
    assert outcome(family, np.random.default_rng([7, 2, 147])) == ("refused", "bytes changed")
