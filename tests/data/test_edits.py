"""A few hundred random edits of good folders: each is harmless, found, doubted, or such that nobody could tell."""

import zlib

import numpy as np
import pytest

from tests.conftest import ROOT
from tests.data.edits import EDITS, first_dyads, scores_of, therapy, tried

TELLABLE = {"found", "doubted", "harmless"}
# edits that leave a table which could have been written that way: what the page says of them
PLAUSIBLE = {
    "a dyad in another unit",
    "a value without its point",
    "an indicator counted from 0",
    "an indicator in another unit",
    "a role or phase otherwise",
    "an id otherwise",
    "missing as a number",
    "cut after a row",
    "cut anywhere",
    "a year mistyped",
    "a column by a row",
    "all times in another unit",
    "two fields of a row",
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    top = tmp_path_factory.mktemp("edits")
    roots = [first_dyads(ROOT / "examples" / name, top / name, 5) for name in ("school", "mindfulness")]
    roots.append(therapy(top / "therapy"))
    return top, {root: scores_of(root) for root in roots}


def test_good_folders_raise_no_doubt(folders):
    school, other, raw = (words for _, words in folders[1].values())
    # one pupil gave the same answer at every prompt, which is true and worth a look
    assert school == {"measurements.tsv value 'stress_all' that never changes in P17000272"}
    assert other == set()
    # five low samples have one censored well each, which is said of each and of the plate
    assert len(raw) == 6
    assert all("1 of 2 wells beyond the curve" in text for text in raw)


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_is_harmless_found_or_doubted(folders, name):
    top, bases = folders
    rng, seen = np.random.default_rng(zlib.crc32(name.encode())), []
    for attempt in range(12):  # not every edit can be made in every folder
        root = list(bases)[(attempt + int(rng.integers(2))) % 3]
        outcome = tried(root, top / "edited", bases[root], name, rng)
        seen += [outcome] if outcome is not None else []
        if len(seen) == 4:
            break
    assert seen
    assert set(seen) <= TELLABLE | ({"silent"} if name in PLAUSIBLE else set()), seen
