"""Questionnaires: keys that are sound, scores by hand, reliability by its formulas, faults all at once."""

import numpy as np
import pandas as pd
import pytest

from dyadloop.errors import DataError, MeasureError
from dyadloop.measures.questionnaires import (
    instruments,
    read_instrument,
    reliability,
    score_items,
    within_reliability,
)


def test_every_shipped_key_is_sound_and_traced():
    assert set(instruments()) == {
        "waisr", "srs", "ecrr", "ecr_rs", "teq", "iri", "mspss", "phq9", "gad7", "pss10", "cesd", "promis_depression_8a",
        "stai_s", "core10",
    }  # fmt: skip
    for key in instruments().values():
        assert key.source
        assert key.verified
        assert key.licence
        assert key.doi or key.citation
        for scale, members in key.scales().items():
            assert members, (key.id, scale)


@pytest.mark.parametrize(
    ("name", "lowest", "highest"),
    [("phq9", 0, 27), ("gad7", 0, 21), ("pss10", 0, 40), ("cesd", 0, 60), ("stai_s", 20, 80), ("core10", 0, 40),
     ("srs", 0, 40), ("teq", 0, 64), ("promis_depression_8a", 8, 40), ("waisr", 1, 5), ("mspss", 1, 7)],
)  # fmt: skip
def test_totals_reach_their_published_range(name, lowest, highest):
    key = read_instrument(name)
    assert key.bounds("total") == (lowest, highest)
    best = [key.range_of(i)[0 if i in key.reversed else 1] for i in range(1, key.items + 1)]
    worst = [key.range_of(i)[1 if i in key.reversed else 0] for i in range(1, key.items + 1)]
    table = pd.DataFrame([best, worst], columns=[f"{name}_{i}" for i in range(1, key.items + 1)])
    scores = score_items(table, key)
    total = scores[scores["scale"] == "total"]["score"].tolist()
    assert total == [highest, lowest]


def _random(name, n=60, seed=0, share_missing=0.0):
    key = read_instrument(name)
    rng = np.random.default_rng(seed)
    person = rng.normal(size=n)[:, None]
    low, high = key.scale
    raw = np.clip(np.round((low + high) / 2 + person + rng.normal(size=(n, key.items))), low, high)
    for item in key.reversed:
        raw[:, item - 1] = low + high - raw[:, item - 1]
    raw[rng.random(raw.shape) < share_missing] = np.nan
    return key, pd.DataFrame(raw, columns=[f"{name}_{i}" for i in range(1, key.items + 1)])


def test_scores_and_their_error():
    key, table = _random("ecrr")
    scores = score_items(table, key)
    anxiety = scores[scores["scale"] == "anxiety"]
    turned = table.to_numpy().copy()
    for item in key.reversed:
        turned[:, item - 1] = 8 - turned[:, item - 1]
    np.testing.assert_allclose(anxiety["score"], turned[:, :18].mean(axis=1))
    covariance = np.cov(turned[:, :18], rowvar=False)
    alpha = 18 / 17 * (1 - np.trace(covariance) / covariance.sum())
    told = scores.attrs["reliability"]["anxiety"]
    assert told["alpha"] == pytest.approx(alpha)
    np.testing.assert_allclose(anxiety["error"], np.sqrt(covariance.sum() * (1 - alpha)) / 18)
    assert told["alpha_low"] < alpha < told["alpha_high"]
    assert scores.attrs["error_from"]["anxiety"] == "alpha between persons, in this study"


def test_missing_answers_follow_the_rule_and_cost_precision():
    key, table = _random("cesd")
    table.iloc[0, :4] = np.nan
    table.iloc[1, :5] = np.nan
    scores = score_items(table, key)
    answered = table.iloc[0].to_numpy(copy=True)
    for item in key.reversed:
        answered[item - 1] = 3 - answered[item - 1]
    assert scores["score"][0] == pytest.approx(20 * np.nanmean(answered))
    assert np.isnan(scores["score"][1])
    assert scores["error"][0] == pytest.approx(scores["error"][2] * np.sqrt(20 / 16))
    strict = score_items(_random("srs")[1].assign(srs_1=[np.nan, *[5] * 59]), "srs")
    assert np.isnan(strict["score"][0])


def test_omega_of_a_congeneric_scale_is_known():
    rng = np.random.default_rng(1)
    loading, n = np.array([0.9, 0.8, 0.7, 0.6, 0.5]), 20_000
    items = rng.normal(size=(n, 1)) * loading + rng.normal(size=(n, 5)) * np.sqrt(1 - loading**2)
    found = reliability(items)
    omega = loading.sum() ** 2 / (loading.sum() ** 2 + (1 - loading**2).sum())
    assert found.omega == pytest.approx(omega, abs=0.01)
    assert found.alpha < found.omega
    assert np.isnan(reliability(items[:, :2]).omega)


def test_the_interval_of_alpha_covers():
    rng = np.random.default_rng(2)
    inside = 0
    for _ in range(200):
        items = rng.normal(size=(50, 1)) + rng.normal(size=(50, 4))
        found = reliability(items)
        inside += found.alpha_low < 0.8 < found.alpha_high  # parallel items: alpha = 4 / (4 + 1)
    assert 180 <= inside <= 199


def test_reliability_of_changes_is_not_that_of_persons():
    rng = np.random.default_rng(3)
    person = np.repeat(np.arange(40), 10)
    trait, state = rng.normal(size=40)[person], 0.5 * rng.normal(size=400)
    items = trait[:, None] * 2 + state[:, None] + rng.normal(size=(400, 6))
    between, within = reliability(items), within_reliability(items, person)
    assert between.alpha > 0.9
    assert within.alpha == pytest.approx(6 * 0.25 / (6 * 0.25 + 1), abs=0.06)
    assert within.error == pytest.approx(np.sqrt(6), rel=0.08)
    with pytest.raises(MeasureError, match="repeated occasions"):
        within_reliability(items[:20], np.arange(20))


def test_repeated_answers_give_the_error_of_changes():
    _, table = _random("phq9")
    table["participant_id"] = np.repeat(np.arange(12), 5)
    scores = score_items(table, "phq9", persons="participant_id")
    assert scores.attrs["error_from"]["total"] == "alpha of changes within persons, in this study"
    few = score_items(table.iloc[:5], "phq9")
    assert few["error"].isna().all()
    assert few.attrs["error_from"]["total"] == "unknown"


def test_all_faults_at_once_with_their_rows():
    _, table = _random("phq9", n=20)
    table = table.astype(object)
    table.iloc[2, 3], table.iloc[5, 0], table.iloc[6, 8] = 7, "x", "3,5"
    with pytest.raises(DataError) as caught:
        score_items(table, "phq9")
    assert [(fault.row, fault.column) for fault in caught.value.faults] == [(4, "phq9_4"), (7, "phq9_1"), (8, "phq9_9")]
    assert "0 to 3 or empty" in str(caught.value)


def test_columns_are_found_or_asked_for():
    _, table = _random("gad7")
    assert score_items(table.rename(columns=lambda c: c.replace("gad7_", "item")), "gad7")["score"].notna().all()
    with pytest.raises(MeasureError, match="no column for item 3"):
        score_items(table.drop(columns="gad7_3"), "gad7")
    with pytest.raises(MeasureError, match="has 7 items"):
        score_items(table, "gad7", items=["gad7_1"])
    with pytest.raises(MeasureError, match="no column x"):
        score_items(table, "gad7", items=[*table.columns[:6], "x"])


def test_an_instrument_of_ones_own(tmp_path):
    own = tmp_path / "trust3.yaml"
    text = (
        "schema_version: 1\nid: trust3\ntitle: Three items on trust\nquantity: trust\nitems: 3\nscale: [1, 5]\n"
        "reversed: [2]\nscore: mean\nmissing_rule: all items\nleast_answered: 1\ncitation: own\nlicence: CC0\n"
        "source: [own]\nverified: own key\n"
    )
    own.write_text(text)
    table = pd.DataFrame([[1, 1, 1], [5, 1, 5]], columns=["trust3_1", "trust3_2", "trust3_3"])
    assert score_items(table, read_instrument("trust3.yaml", tmp_path))["score"].tolist() == [7 / 3, 5.0]
    for old, new, message in (
        ("reversed: [2]", "reversed: [4]", "not among 1 to 3"),
        ("scale: [1, 5]", "scale: [5, 1]", "lowest, highest"),
        ("score: mean", "score: median", "score"),
        ("items: 3", "items: 3\nitem_text: no", "item_text"),
        ("citation: own", "citation: own\ndoi: nothing", "doi"),
    ):
        own.write_text(text.replace(old, new))
        with pytest.raises(MeasureError, match=message):
            read_instrument(own)
    with pytest.raises(MeasureError, match="shipped: "):
        read_instrument("nothing")


def test_real_depression_items(shared):
    table = pd.read_csv(shared / "data" / "items_depression" / "promis_depression_cesd.csv")
    key = instruments()["cesd"].model_copy(update={"scale": (1.0, 4.0), "reversed": ()})  # as published: turned already
    scores = score_items(table, key, [f"CESD{i}" for i in range(1, 21)])
    assert scores["score"].min() >= 20
    assert scores.attrs["reliability"]["total"]["alpha"] == pytest.approx(0.93, abs=0.01)
    bank = [c for c in table if c.startswith("EDDEP")]
    assert reliability(table[bank].to_numpy(float)).omega > 0.95
