"""Answers examined before a total: turned twice, shifted, halves, straight lines; sound answers pass without a word."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dyadloop.errors import DataError
from dyadloop.measures.questionnaires import instruments, read_instrument, score_items

_WITH_REVERSED = ["pss10", "cesd", "stai_s", "teq", "core10"]


def answers(name, people=10, occasions=8, seed=0, noise=0.8):
    """Answers as they are ticked: one trait and one state per person and occasion behind all items."""
    key, rng = read_instrument(name), np.random.default_rng(seed)
    level = np.repeat(rng.normal(size=people), occasions) + 0.6 * rng.normal(size=people * occasions)
    low, high = key.scale
    one_way = (low + high) / 2 + (high - low) / 4 * (level[:, None] + noise * rng.normal(size=(len(level), key.items)))
    ticked = np.clip(np.round(one_way), low, high)
    for item in key.reversed:
        ticked[:, item - 1] = low + high - ticked[:, item - 1]
    table = pd.DataFrame(ticked, columns=[f"{name}_{k}" for k in range(1, key.items + 1)])
    return key, table.assign(participant_id=np.repeat([f"P{k}" for k in range(people)], occasions))


def _turn(key, table, items):
    low, high = key.scale
    names = [f"{key.id}_{item}" for item in items]
    return table.assign(**{name: low + high - table[name] for name in names})


def _total(found):
    return found[found["scale"] == "total"].reset_index(drop=True)


@pytest.mark.parametrize("name", _WITH_REVERSED)
def test_items_that_were_turned_before_make_no_total_without_a_word(name):
    key, table = answers(name)
    right = _total(score_items(table, key, persons="participant_id"))
    assert right["doubt"].eq("").all()
    already = _turn(key, table, key.reversed)
    found = score_items(already, key, persons="participant_id")
    total = _total(found)
    assert total["score"].isna().all()
    told = found.attrs["withheld"]["total"]
    others = [k for k in range(1, key.items + 1) if k not in key.reversed]
    assert any(", ".join(map(str, group)) in told for group in (key.reversed, others))
    assert "item-rest correlations -0." in told
    assert "`turned: true`" in told
    mended = _total(score_items(already, key, persons="participant_id", turned=True))
    np.testing.assert_allclose(mended["score"], right["score"])
    assert mended["doubt"].eq("").all()
    forced = _total(score_items(already, key, persons="participant_id", turned=False))
    assert forced["score"].notna().all()
    assert forced["doubt"].str.contains("turned twice").all()


@settings(max_examples=12, deadline=None)
@given(st.sets(st.integers(1, 10), min_size=1, max_size=4), st.integers(0, 50))
def test_any_few_items_turned_by_the_export_are_named(items, seed):
    key, table = answers("pss10", people=15, seed=seed, noise=0.6)
    found = score_items(_turn(key, table, items), key, persons="participant_id")
    told = " ".join([found.attrs["withheld"]["total"], *found.attrs["doubts"]["total"]])
    assert f"{', '.join(map(str, sorted(items)))} run" in told
    assert _total(found)["doubt"].str.contains("run").all()


def test_sound_answers_pass_without_a_word():
    told = 0
    for name, key in instruments().items():
        for seed in range(1):
            found = score_items(answers(name, seed=seed)[1], key, persons="participant_id")
            told += sum(bool(text) for text in found.attrs["withheld"].values())
            told += sum("run" in text for texts in found.attrs["doubts"].values() for text in texts)
    assert told == 0
    rng = np.random.default_rng(1)  # answers without any common trait: no item can be told to run against others
    for _ in range(12):
        noise = pd.DataFrame(rng.integers(0, 5, (60, 10)), columns=[f"pss10_{k}" for k in range(1, 11)])
        noise["participant_id"] = np.repeat(np.arange(6), 10)
        assert not score_items(noise, "pss10", persons="participant_id").attrs["withheld"]["total"]


def test_a_shifted_coding_is_named():
    key, table = answers("phq9")
    items = [c for c in table if c.startswith("phq9")]
    up = table.assign(**{c: table[c] + 1 for c in items})
    with pytest.raises(DataError, match="the answers look coded 1 to 4; subtract 1 from each item"):
        score_items(up, key)
    unused = table.assign(**{c: table[c].clip(upper=2) + 1 for c in items})  # nobody ticks the highest
    found = score_items(unused, key)
    assert "no answer of 720 is 0: coded 1 to 4 instead of 0 to 3?" in found.attrs["doubts"]["total"][0]
    assert _total(found)["doubt"].str.contains("coded 1 to 4").all()
    key, table = answers("waisr")
    down = table.assign(**{c: table[c] - 1 for c in table if c.startswith("waisr")})
    with pytest.raises(DataError, match="the answers look coded 0 to 4; add 1 to each item"):
        score_items(down, key)
    few = pd.DataFrame([[1, 2, 1, 1, 2, 1, 1, 1, 2]], columns=items)
    assert score_items(few, "phq9")["doubt"].eq("").all()  # nine answers say nothing about a coding


@pytest.mark.parametrize("code", [99, -9, 999])
def test_codes_for_missing_answers_are_named(code):
    _, table = answers("waisr")
    table.loc[3, "waisr_2"] = code
    with pytest.raises(DataError, match=f"row 5, column 'waisr_2'.*leave it empty if {code} means not answered"):
        score_items(table, "waisr")


def test_halves_are_doubted_where_answers_are_whole():
    _, table = answers("pss10")
    table.loc[4, ["pss10_3", "pss10_9"]] = [1.5, 2.25]
    found = _total(score_items(table, "pss10"))
    assert found.loc[4, "doubt"] == "1.5 to item 3, 2.25 to item 9: no whole number"
    assert found["doubt"].ne("").sum() == 1
    lines = pd.DataFrame(np.random.default_rng(0).uniform(0, 10, (20, 4)), columns=[f"srs_{k}" for k in range(1, 5)])
    assert score_items(lines, "srs")["doubt"].eq("").all()  # ten-centimetre lines


def test_straight_lines_are_doubted_where_items_contradict_each_other():
    key, table = answers("pss10")
    items = [c for c in table if c.startswith("pss10")]
    table.loc[7, items], table.loc[9, items] = 4, 2  # the middle contradicts nothing
    for turned, given_as in ((None, table), (True, _turn(key, table, key.reversed))):
        found = _total(score_items(given_as, key, turned=turned))
        assert found.index[found["doubt"].str.contains("straight line")].tolist() == [7]
    assert "4 to all 10 items, of which 4 are reversed" in found.loc[7, "doubt"]
    zeros = pd.DataFrame(np.zeros((5, 9)), columns=[f"phq9_{k}" for k in range(1, 10)])
    assert score_items(zeros, "phq9")["doubt"].eq("").all()  # no symptom at all is an answer
