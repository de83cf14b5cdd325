"""Games and ratings: shares and slopes by hand, shrinkage that pays, accuracy with its error."""

import numpy as np
import pandas as pd
import pytest

from dyadloop.errors import DataError, MeasureError
from dyadloop.measures.games import empathic_accuracy, public_goods, trust_game, truth_and_bias
from dyadloop.measures.games.choices import hierarchical_means, hierarchical_slopes
from tests.measures.conftest import autoregressive


def _trust(people=30, rounds=8, seed=0):
    rng, rows = np.random.default_rng(seed), []
    trust, slope = rng.normal(0.5, 0.15, people), rng.normal(0.4, 0.2, people)
    for k in range(people):
        for r in range(rounds):
            sent = float(np.clip(round(10 * (trust[k] + 0.15 * rng.normal())), 0, 10))
            back = float(
                np.clip(3 * sent * np.clip(0.2 + slope[k] * sent / 10 + 0.05 * rng.normal(), 0, 1), 0, 3 * sent)
            )
            rows.append((f"a{k}", f"b{k}", r + 1, 10, sent, 3, back if sent else ""))
    return (
        pd.DataFrame(rows, columns=["trustor", "trustee", "round", "endowment", "sent", "multiplier", "returned"]),
        trust,
        slope,
    )


def test_shares_and_slopes_of_a_trust_game():
    table, trust, slope = _trust()
    found = trust_game(table).table.set_index(["scale", "participant"])
    own = table[table["trustor"] == "a3"]
    assert found.loc[("sent_share", "a3"), "estimate"] == pytest.approx((own["sent"] / 10).mean())
    paid = own[own["sent"] > 0]
    share = paid["returned"].astype(float) / (3 * paid["sent"])
    assert found.loc[("returned_share", "b3"), "estimate"] == pytest.approx(share.mean())
    expected = np.polyfit(paid["sent"] / 10, share, 1)[0]
    assert found.loc[("reciprocity", "b3"), "estimate"] == pytest.approx(expected)
    mine = found.loc["reciprocity"]
    order = [int(name[1:]) for name in mine.index]
    shrunk, own = (np.sqrt(np.mean((mine[column].to_numpy() - slope[order]) ** 2)) for column in ("score", "estimate"))
    assert shrunk < own
    assert shrunk < 0.2  # less than the SD between trustees
    group = trust_game(table).group.set_index("scale")
    assert group.loc["reciprocity", "mean"] == pytest.approx(0.4, abs=0.12)
    assert group.loc["sent_share", "sd_between"] == pytest.approx(trust.std(), abs=0.05)


def test_shrinkage_is_nearer_to_the_truth_and_its_error_covers():
    rng = np.random.default_rng(1)
    truth = rng.normal(0, 0.3, 200)
    person = np.repeat(np.arange(200), 4)
    x = rng.normal(size=800)
    y = truth[person] * x + 0.5 * rng.normal(size=800)
    found = hierarchical_slopes(y, x, person, "slope").table
    kept = truth[found["participant"].to_numpy()]
    shrunk, own = (np.abs(found[c].to_numpy() - kept) for c in ("score", "estimate"))
    assert np.mean(shrunk**2) < 0.8 * np.mean(own**2)
    assert 0.9 < np.mean(shrunk < 1.96 * found["error"]) < 0.99
    assert np.isnan(hierarchical_means(np.array([np.nan]), np.array(["p"]), "m").table["score"]).all()
    assert hierarchical_means(np.array([0.2, 0.4]), np.array(["p", "q"]), "m").table["error"].isna().all()


def test_iterated_trust_answers_repayment():
    rng, rows = np.random.default_rng(2), []
    for k in range(20):
        sent, back = 5.0, 0.3
        for r in range(12):
            rows.append((f"a{k}", f"b{k}", r, 10, sent, 3, 3 * sent * back))
            sent = float(np.clip(sent + 10 * (0.8 * (back - 0.3)) + rng.normal(), 0.5, 10))
            back = float(np.clip(0.3 + 0.2 * rng.normal(), 0, 1))
    columns = ["trustor", "trustee", "round", "endowment", "sent", "multiplier", "returned"]
    group = trust_game(pd.DataFrame(rows, columns=columns)).group.set_index("scale")
    assert group.loc["repayment_response", "mean"] == pytest.approx(0.8, abs=0.2)


def test_real_investors_trust_friends_more_than_strangers_and_computers(shared):
    choices = pd.read_csv(shared / "data" / "trust_choices_dvs" / "choices.csv")
    means = {}
    for partner, part in choices.groupby("partner"):
        back = np.where(part["outcome"] == "recip", 1.5 * part["sent"], np.where(part["outcome"].isna(), np.nan, 0.0))
        table = pd.DataFrame(
            {"trustor": part["sub"].astype(str), "trustee": partner, "round": 1000 * part["run"] + part["trial"],
             "endowment": 8, "sent": part["sent"], "multiplier": 3, "returned": back}
        )  # fmt: skip
        row = trust_game(table).group.set_index("scale").loc["sent_share"]
        means[partner] = (row["mean"], row["error"])
    assert means["friend"][0] > means["stranger"][0] > means["computer"][0]
    assert means["friend"][0] - means["computer"][0] > 3 * np.hypot(means["friend"][1], means["computer"][1])


def test_public_goods():
    rng, rows = np.random.default_rng(3), []
    for g in range(10):
        shares = rng.uniform(0.3, 0.7, 4)
        for r in range(10):
            for k in range(4):
                rows.append((f"g{g}", f"p{g}{k}", r + 1, 20, 20 * (0 if r == 9 else shares[k])))
            others = (shares.sum() - shares) / 3
            shares = np.clip(0.2 + 0.5 * others + 0.1 * rng.normal(size=4), 0, 1)
    found = public_goods(pd.DataFrame(rows, columns=["group", "participant", "round", "endowment", "contributed"]))
    group = found.group.set_index("scale")
    assert group.loc["end_drop", "mean"] < -0.2
    assert set(found.table["scale"]) == {"contributed_share", "conditional_cooperation", "end_drop"}
    assert group.loc["contributed_share", "mean"] == pytest.approx(0.4, abs=0.1)


def test_impossible_choices_are_faults_all_at_once():
    table = _trust()[0].astype(object)
    table.loc[0, "sent"], table.loc[2, "returned"], table.loc[4, "endowment"] = 11, 99, "x"
    with pytest.raises(DataError) as caught:
        trust_game(table)
    assert {(f.row, f.column) for f in caught.value.faults} >= {(2, "sent"), (4, "returned"), (6, "endowment")}
    with pytest.raises(DataError, match="no such column"):
        trust_game(table.drop(columns="sent"))
    goods = pd.DataFrame([("g", "p", 1, 10, 11)], columns=["group", "participant", "round", "endowment", "contributed"])
    with pytest.raises(DataError, match="11 of 10"):
        public_goods(goods)


def test_empathic_accuracy_with_lag_and_bias():
    target = np.repeat(autoregressive(120, 0.5, 0), 5)
    perceiver = np.roll(target, 20) + 1.5 + 0.3 * np.random.default_rng(0).normal(size=600)
    found = empathic_accuracy(target, perceiver, 1, bin_seconds=5, lag=30)
    assert float(found["lead"]) == 20
    assert float(found["bias"]) == pytest.approx(1.5, abs=0.1)
    assert float(found["r"]) > 0.9
    assert float(empathic_accuracy(target, perceiver, 1, bin_seconds=5)["r"]) < 0.6
    for other, message in ((np.full(600, 2.0), "never varies"), (np.full(600, np.nan), "all 600")):
        with pytest.raises(MeasureError, match=message):
            empathic_accuracy(target, other, 1)
    with pytest.raises(MeasureError, match="at least 6"):
        empathic_accuracy(target[:20], perceiver[:20], 1)


def test_the_error_of_accuracy_knows_autocorrelation():
    z, error = [], []
    for seed in range(120):
        a, b = autoregressive(200, 0.8, 2 * seed), autoregressive(200, 0.8, 2 * seed + 1)
        found = empathic_accuracy(a, b, 1, bin_seconds=1)
        z.append(float(found["score"]))
        error.append(float(found["error"]))
    assert np.std(z) > 1.5 / np.sqrt(197)  # what independent bins would say is far too small
    assert np.mean(error) == pytest.approx(np.std(z), rel=0.25)


def test_real_couples_dials(shared):
    states = pd.read_csv(shared / "data" / "couples_dial_rties" / "states.csv")
    pair = states[states["couple"] == 2].pivot(index="time", columns="female", values="dial")
    found = empathic_accuracy(pair[1], pair[0], 0.5, bin_seconds=4)
    assert 0 < float(found["error"]) < 0.5
    assert float(found["independent_bins"]) < float(found["bins"])


def test_truth_and_bias_recovers_its_parts():
    rng, rows = np.random.default_rng(0), []
    for d in range(40):
        accuracy, level = 0.6 + 0.2 * rng.normal(), rng.normal()
        for _ in range(16):
            truth, own = rng.normal(), rng.normal()
            rows.append(
                (f"D{d}", 3.4 + level + accuracy * truth + 0.2 * own + 0.5 * rng.normal(), 3 + level + truth, own)
            )
    found = truth_and_bias(pd.DataFrame(rows, columns=["dyad", "judgement", "truth", "own"]))
    effects = found.effects.set_index("effect")
    for name, true in (("directional_bias", 0.4), ("tracking_accuracy", 0.6), ("assumed_similarity", 0.2)):
        assert effects.loc[name, "estimate"] == pytest.approx(true, abs=4 * effects.loc[name, "error"])
    assert len(found.dyads) == 40
    assert found.dyads["error"].between(0.01, 0.3).all()
    with pytest.raises(MeasureError, match="at least 5 dyads"):
        truth_and_bias(pd.DataFrame(rows[:20], columns=["dyad", "judgement", "truth", "own"]))


def _rounds(people=6, rounds=10, seed=4):
    rng, rows = np.random.default_rng(seed), []
    for k in range(people):
        for r in range(1, rounds + 1):
            sent = int(rng.integers(1, 11))
            rows.append((f"P{k}", f"T{k}", r, 10, sent, 3, int(rng.integers(0, 3 * sent + 1))))
    return pd.DataFrame(
        rows, columns=["trustor", "trustee", "round", "endowment", "sent", "multiplier", "returned"], dtype=object
    )


def test_a_decision_on_two_rows_is_no_second_decision():
    """Each decision once per player, as wide exports have it: the error must not shrink by the square root of two."""
    one = _rounds()
    twice = one.loc[one.index.repeat(2)].reset_index(drop=True)
    for table in (twice, pd.concat([one, one], ignore_index=True)):
        with pytest.raises(DataError, match="row 2 again") as caught:
            trust_game(table)
        assert len(caught.value.faults) == len(one)
    with pytest.raises(DataError) as caught:
        trust_game(twice)
    assert [fault.row for fault in caught.value.faults] == list(range(3, 2 * len(one) + 2, 2))
    sent = one[one["trustor"] == "P1"]["sent"].astype(float) / 10
    found = trust_game(one).table.query("scale == 'sent_share' and participant == 'P1'").iloc[0]
    within = [(part["sent"].astype(float) / 10).var(ddof=1) for _, part in one.groupby("trustor")]
    assert found["estimate"] == pytest.approx(sent.mean())
    assert found["estimate_error"] == pytest.approx(np.sqrt(np.mean(within) / 10))
    assert found["rounds"] == 10


def test_a_game_written_from_both_sides_is_one_game():
    one = _rounds()
    mirror = one.rename(columns={"trustor": "trustee", "trustee": "trustor"})
    with pytest.raises(DataError, match="row 2 with the roles exchanged") as caught:
        trust_game(pd.concat([one, mirror[one.columns]], ignore_index=True))
    assert len(caught.value.faults) == len(one)
    turned = _rounds(seed=9).rename(columns={"trustor": "trustee", "trustee": "trustor"})
    both = pd.concat([one, turned[one.columns]], ignore_index=True)  # both roles in turn, own decisions
    assert set(trust_game(both).table.query("scale == 'sent_share'")["rounds"]) == {10}


def test_rounds_that_start_anew_belong_to_their_session():
    one = _rounds()
    again = pd.concat([one.assign(session="1"), one.assign(session="2", sent=1, returned=1)], ignore_index=True)
    with pytest.raises(DataError, match="column session"):
        trust_game(again.drop(columns="session"))
    found, alone = trust_game(again).table, trust_game(one).table
    pick = "scale == 'repayment_response' and participant == 'P2'"
    assert found.query(pick)["rounds"].item() == 18  # 9 changes of each session, none from one to the next
    assert alone.query(pick)["rounds"].item() == 9


def test_a_contribution_or_a_rating_on_two_rows_is_refused():
    goods = pd.DataFrame(
        [("g", p, r, 20, 5 + r) for p in "abc" for r in range(4)],
        columns=["group", "participant", "round", "endowment", "contributed"],
    )
    assert (public_goods(goods).table.query("scale == 'contributed_share'")["rounds"] == 4).all()
    with pytest.raises(DataError, match="row 14, column 'round'"):
        public_goods(pd.concat([goods, goods.iloc[:1]], ignore_index=True))
    rng = np.random.default_rng(0)
    ratings = pd.DataFrame(rng.normal(size=(30, 3)), columns=["judgement", "truth", "own"]).assign(
        dyad=np.repeat([f"D{k}" for k in range(6)], 5), session=np.tile(np.arange(5), 6)
    )
    twice = pd.concat([ratings, ratings], ignore_index=True)
    with pytest.raises(DataError, match="row 32, column 'dyad'"):
        truth_and_bias(twice)
    with pytest.raises(DataError, match="every row twice"):
        truth_and_bias(twice.drop(columns="session"))
    assert len(truth_and_bias(ratings.assign(remark=np.nan)).dyads) == 6  # a column that nobody asks for


def test_ratings_too_large_to_be_told_apart_are_refused():
    n = 40
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"dyad": [f"D{k % 5}" for k in range(n)], "session": np.arange(n) // 5 + 1})
    for name in ("judgement", "truth", "own"):
        table[name] = rng.normal(size=n)
    table.loc[3, "truth"], table.loc[8, "truth"] = 1.7e308, 1.7e308  # their mean overflows
    with pytest.raises(MeasureError, match="too large"):
        truth_and_bias(table)
    table.loc[[3, 8], "truth"] = 1e200  # their squares overflow
    with pytest.raises(MeasureError, match="too large"):
        truth_and_bias(table)
