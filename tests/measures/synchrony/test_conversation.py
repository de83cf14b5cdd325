"""Turns after their published definition, against a naive walk through frames; language style in its own language."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dyadloop.errors import MeasureError
from dyadloop.measures.synchrony import language_style, turn_taking
from dyadloop.measures.synchrony.language import function_words


def _turns(gaps):
    rows, clock = [], 0.0
    for k, gap in enumerate(gaps):
        rows.append({"speaker": "AB"[k % 2], "start": clock, "end": clock + 2.0})
        clock += 2.0 + gap
    return pd.DataFrame(rows)


def test_turn_taking_reads_gaps_and_who_is_quicker():
    gaps = [0.2, 0.8] * 10
    found = turn_taking(_turns(gaps))
    np.testing.assert_allclose(found["gap"], gaps[:-1], atol=1e-9)
    assert float(found["lead"]) == pytest.approx(-0.6)  # B answers after 0.2 s, A after 0.8 s: the second is quicker
    assert float(turn_taking(_turns(gaps), first="B")["lead"]) == pytest.approx(0.6)
    adapting = np.abs(np.sin(np.arange(40) / 4))
    assert float(turn_taking(_turns(adapting))["score"]) > 1
    for table, message in (
        (_turns(gaps).drop(columns="end"), "no column end"),
        (_turns(gaps).assign(speaker="A"), "1 speakers"),
        (_turns(gaps).assign(end=0), "end after start"),
        (_turns(gaps[:4]), "at least 6"),
    ):
        with pytest.raises(MeasureError, match=message):
            turn_taking(table)


def _frames(table, names, width=0.01):
    """The definition, frame by frame: the turn is with who spoke alone last, and passes when the other does."""
    count = round(table["end"].max() / width)
    middle = (np.arange(count) + 0.5) * width
    active = np.zeros((2, count), dtype=bool)
    for row in table.to_dict("records"):
        active[names.index(row["speaker"])] |= (middle > row["start"]) & (middle < row["end"])
    gaps, holder, run, kind = [], None, 0, None
    for one, two in active.T:
        if one != two:
            speaker = 0 if one else 1
            if holder is not None and speaker != holder:
                gaps.append((-run if kind == "both" else run) * width)
            holder, run, kind = speaker, 0, None
        else:
            here = "both" if one else "none"
            run = run + 1 if here == kind else 1
            kind = here
    return gaps


def _conversation(seed, turns=30):
    """Turns with pauses, overlaps and sounds of the listener, all on a grid of 10 ms."""
    rng, rows, clock = np.random.default_rng(seed), [], 0
    for k in range(turns):
        speaker, listener = "PT"[k % 2], "TP"[k % 2]
        length = int(rng.integers(150, 900))
        rows.append((speaker, clock, clock + length))
        for _ in range(int(rng.integers(0, 3))):  # sounds inside the other's speech
            at = clock + int(rng.integers(1, length - 40))
            rows.append((listener, at, at + 30))
        clock += length
        if rng.random() < 0.3:  # a pause of the same person
            clock += int(rng.integers(5, 60))
            rows.append((speaker, clock, clock + 100))
            clock += 100
        clock += int(rng.integers(-60, 120))
    table = pd.DataFrame(rows, columns=["speaker", "start", "end"])
    return table.assign(start=table["start"] / 100, end=table["end"] / 100)


@pytest.mark.parametrize("seed", range(8))
def test_gaps_agree_with_a_walk_through_frames(seed):
    table = _conversation(seed)
    shuffled = table.sample(frac=1, random_state=seed)
    found = turn_taking(shuffled, first="P")
    np.testing.assert_allclose(found["gap"], _frames(table, ["P", "T"]), atol=1e-9)
    assert float(found["share_overlap"]) == np.mean(found["gap"].values < 0)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 39), st.floats(0.02, 0.9), st.floats(0.05, 0.3)), max_size=40))
def test_sounds_inside_the_other_turn_change_no_gap(sounds):
    rng = np.random.default_rng(0)
    plain = _turns(rng.uniform(0.1, 1.5, 40)).assign(end=lambda t: t["end"] + 0.0)
    inside = [
        {"speaker": "BA"[k % 2], "start": plain["start"][k] + 1.6 * at, "end": plain["start"][k] + 1.6 * at + length}
        for k, at, length in sounds
    ]
    found, alone = turn_taking(pd.concat([plain, pd.DataFrame(inside)], ignore_index=True)), turn_taking(plain)
    for name in ("gap", "median_gap", "score", "lead", "share_overlap"):
        np.testing.assert_allclose(found[name], alone[name], atol=1e-9)


def test_forty_turns_with_a_listeners_sound_in_each():
    """Values by hand: 39 exchanges, the sounds counted apart by person."""
    gaps = np.where(np.arange(40) % 2 == 0, 0.4, 0.83) + 0.01 * np.tile([-1, 0, 1, 0], 10)
    plain = _turns(gaps)
    sounds = plain.assign(
        speaker=plain["speaker"].map({"A": "B", "B": "A"}), start=plain["start"] + 1, end=plain["start"] + 1.3
    )
    found = turn_taking(pd.concat([plain, sounds], ignore_index=True))
    assert found.sizes["exchange"] == 39
    assert found["median_gap"].sel(direction="first_to_second").item() == pytest.approx(0.4, abs=0.011)
    assert found["median_gap"].sel(direction="second_to_first").item() == pytest.approx(0.83, abs=0.011)
    assert found["nested"].values.tolist() == [20, 20]
    assert float(found["share_overlap"]) == 0


def test_an_interruption_takes_the_turn_and_a_failed_one_does_not():
    rows = [
        ("A", 0, 5),
        ("B", 4.5, 9),
        ("A", 9.5, 14),
        ("B", 12, 13),
        ("B", 14.2, 16),
        ("A", 16.1, 18),
        ("B", 17.7, 20),
        ("A", 20.6, 22),
        ("B", 22.1, 23),
    ]
    found = turn_taking(pd.DataFrame(rows, columns=["speaker", "start", "end"]))
    np.testing.assert_allclose(found["gap"], [-0.5, 0.5, 0.2, 0.1, -0.3, 0.6, 0.1], atol=1e-9)
    assert found["nested"].sel(person="B").item() == 1


def test_a_sound_in_a_pause_is_set_aside_only_on_request():
    plain = _turns(np.random.default_rng(1).uniform(0.3, 1.2, 20))
    halves = pd.concat([plain.assign(end=plain["start"] + 0.7), plain.assign(start=plain["start"] + 1.3)])
    sounds = plain.assign(
        speaker=plain["speaker"].map({"A": "B", "B": "A"}), start=plain["start"] + 0.85, end=plain["start"] + 1.1
    )
    table = pd.concat([halves, sounds], ignore_index=True)
    by_definition = turn_taking(table)
    assert by_definition.sizes["exchange"] == 59
    found = turn_taking(table, shortest=0.5)
    np.testing.assert_allclose(found["gap"], turn_taking(plain)["gap"], atol=1e-9)
    assert found["set_aside"].values.tolist() == [10, 10]


def test_times_that_are_no_seconds_are_named():
    table = _turns([0.2, 0.8] * 10)
    with pytest.raises(MeasureError, match="milliseconds"):
        turn_taking(table.assign(start=table["start"] * 1000, end=table["end"] * 1000))
    bad = table.assign(end=table["end"].mask(table.index.isin([1, 4]), 0.0))
    with pytest.raises(MeasureError, match=r"row 3 .*row 6 "):
        turn_taking(bad)
    with pytest.raises(MeasureError, match=r"all 19 gaps last 0\.5 s"):
        turn_taking(_turns([0.5] * 20))
    with pytest.raises(MeasureError, match="3 speakers"):
        turn_taking(table.assign(speaker=table["speaker"].where(table.index != 3, "a")))


def test_language_style_matching_follows_its_formula():
    turns = pd.DataFrame(
        {"speaker": ["A", "B"], "text": ["the cat and the dog", "a cat not the dog, I’m sure of it and it is so"]}
    )
    words = {"article": frozenset({"the", "a"}), "negation": frozenset({"not"})}
    found = language_style(turns, words=words, least=3)
    p, q = 100 * 2 / 5, 100 * 2 / 13
    assert float(found["category_match"].sel(category="article")) == pytest.approx(1 - (p - q) / (p + q + 1e-4))
    assert float(found["category_match"].sel(category="negation")) == pytest.approx(0, abs=2e-5)
    assert float(language_style(pd.concat([turns, turns.iloc[::-1]]), by="turn", least=3)["score"]) > 0
    with pytest.raises(MeasureError, match="session or turn"):
        language_style(turns, by="word")
    with pytest.raises(MeasureError, match="both persons say 50"):
        language_style(turns, least=50)


_TEXTS = {
    "german": "Ich bin heute wieder sehr müde, weil ich in der Nacht kaum geschlafen habe, und es war so, dass ich am Abend grübelte. ",
    "dutch": "Ik ben vandaag weer moe, want ik heb vannacht nauwelijks geslapen en ik lag te piekeren over mijn werk en mijn moeder. ",
    "french": "Je suis encore fatiguée parce que je n'ai pas dormi de la nuit et que je dois parler à mon mari de son frère. ",
    "spanish": "Estoy muy cansada porque no he dormido en toda la noche pensando en lo que me dijo mi madre por teléfono ayer. ",
    "polish": "Jestem dzisiaj bardzo zmęczona, bo nie spałam w nocy i myślałam o tym, co powiedziała mi mama wczoraj wieczorem. ",
}  # fmt: skip
_ENGLISH = (
    "I could not sleep last night because I kept thinking about what my mother said to me, and it was too much for us. "
)


@pytest.mark.parametrize("language", _TEXTS)
def test_another_language_is_refused_by_name(language):
    for one, two in ((_TEXTS[language], _TEXTS[language]), (_ENGLISH, _TEXTS[language])):
        turns = pd.DataFrame({"speaker": ["P", "T"] * 6, "text": [one, two] * 6})
        with pytest.raises(MeasureError, match=r"of the words of .*'T'.*English"):
            language_style(turns)
    alike = pd.DataFrame({"speaker": ["P", "T"] * 6, "text": [_ENGLISH] * 12})
    assert float(language_style(alike)["score"]) == pytest.approx(1, abs=1e-4)


def test_a_category_that_nobody_uses_is_left_out():
    words = {"article": frozenset({"the"}), "unused": frozenset({"whereas"}), "negation": frozenset({"not"})}
    turns = pd.DataFrame({"speaker": ["A", "B"], "text": ["the cat " * 30, "the cat not cat " * 15]})
    found = language_style(turns, words=words)
    match = found["category_match"]
    article, negation = 1 - 25 / (50 + 25 + 1e-4), 1 - 25 / (25 + 1e-4)
    np.testing.assert_allclose(match, [article, np.nan, negation])
    assert float(found["score"]) == pytest.approx((article + negation) / 2)
    assert int(found["categories"]) == 2
    with pytest.raises(MeasureError, match="lists given"):
        language_style(turns.assign(text=["cat " * 60, "the " * 60]), words=words)


def test_few_words_and_empty_turns_make_no_score():
    turns = pd.DataFrame({"speaker": ["A", "B"], "text": [_ENGLISH, _ENGLISH]})
    with pytest.raises(MeasureError, match="both persons say 50 words"):
        language_style(turns)  # 24 words each
    gaps = pd.DataFrame({"speaker": ["A", "B"] * 40, "text": ["the dog and I went out", np.nan] * 40})
    with pytest.raises(MeasureError, match="both persons say 50 words"):
        language_style(gaps)  # a missing text is no word
    assert float(language_style(turns, least=10)["score"]) == pytest.approx(1, abs=1e-4)
    assert "article" in function_words()
