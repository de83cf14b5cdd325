"""Odd and corrupted sources: an import takes them, asks, or refuses in words; no cell is lost silently.

`docs/odd_sources.py` runs as many as one likes; a few of each family always run.
"""

import numpy as np
import pytest

from dyadloop.errors import DataError
from dyadloop.exchange.formats import statistics
from dyadloop.exchange.formats.registry import read_source
from tests.exchange import odd_folders, odd_recordings, odd_statistics
from tests.exchange.made import spss
from tests.exchange.odd import Family, outcome

KINDS = (
    [(Family, "csv", 12), (Family, "excel", 8), (Family, "redcap", 8), (Family, "surveys", 16)]
    + [(odd_statistics.Statistics, name, number) for name, number in (("spss", 8), ("stata", 8), ("r", 12))]
    + [(odd_folders.Folders, name, 12) for name in odd_folders.FAMILIES]
)


@pytest.mark.parametrize(("kind", "name", "number"), KINDS)
def test_nothing_breaks_and_cells_add_up(kind, name, number, tmp_path):
    family = kind(name, tmp_path / name)
    found = [outcome(family, np.random.default_rng([20, k])) for k in range(number)]
    assert [result for result in found if result[0].startswith("broken")] == []
    assert len({result for result, _ in found}) > 1


@pytest.mark.parametrize("name", odd_recordings.FAMILIES)
def test_odd_recordings_are_read_whole_or_refused(name, tmp_path):
    found = [odd_recordings.outcome(name, tmp_path, np.random.default_rng([20, k])) for k in range(25)]
    assert [result for result in found if result[0].startswith("broken")] == []
    assert {result for result, _ in found} == {"imported", "refused"}


def test_a_file_that_ends_its_reader_is_refused(tmp_path, monkeypatch):
    """Some changed bytes of SPSS files end the process of pyreadstat with a segmentation fault."""
    path = spss(tmp_path / "a.sav")
    monkeypatch.setattr(statistics, "_TRIAL", "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    with pytest.raises(DataError, match="on which its reader breaks down"):
        read_source(path)
