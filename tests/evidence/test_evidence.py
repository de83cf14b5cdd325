"""Evidence: metafor's numbers, published conversions, calibration of intervals, faults all at once, priors and claims."""

import csv
import json
import math

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from dyadloop.cli import app
from dyadloop.errors import DataError, EvidenceError
from dyadloop.evidence import (
    Discount,
    add_effect,
    coefficient_priors,
    edge_evidence,
    evidence_claims,
    leave_one_out,
    pet_peese,
    pool,
    pool_bayes,
    pool_three_level,
    pool_trials,
    published_effects,
    read_effects,
    selection_model,
    trial_effects,
)
from dyadloop.evidence import conversions as convert
from dyadloop.evidence.table import COLUMNS
from dyadloop.inference import priors
from dyadloop.inference.problem import coupling_priors
from dyadloop.reporting.evidence import edge_forest, evidence_map, forest_plot
from dyadloop.theory import read_theory
from tests.conftest import ROOT

_METAFOR = ROOT / "tests" / "reference" / "metafor.csv"  # made with metafor 3.8.1 (R 4.2.2)


@pytest.fixture(scope="module")
def trials():
    return {name: trial_effects(name) for name in ("oxytocin", "oxytocin_raw", "psychotherapy")}


def _part(trials, name):
    kind, _, rest = name.partition(":")
    oxytocin, therapy = trials["oxytocin"], trials["psychotherapy"]
    if kind == "depression":
        return therapy if rest == "all" else therapy[therapy["type"] == rest]
    if kind == "ot":
        return oxytocin
    column = oxytocin["meta_analysis_pop_ind"].fillna("") if kind == "pop" else oxytocin["meta_analysis"]
    return oxytocin[column == rest]


def test_every_meta_analysis_agrees_with_metafor(trials):
    reference = pd.read_csv(_METAFOR, keep_default_na=False, na_values=["NA"])
    assert len(reference) == 378
    names = {
        "estimate": "estimate", "error": "se", "low": "low", "high": "high", "tau2": "tau2", "q": "q", "q_p": "qp", "i2": "i2",
        "predict_low": "pi_low", "predict_high": "pi_high",
    }  # fmt: skip
    for row in reference.to_dict("records"):
        part = _part(trials, row["set"])
        found = pool(part["effect"], part["error"] ** 2, row["method"], row["test"] == "knha")
        assert found.k == row["k"]
        for ours, theirs in names.items():
            if ours.startswith("predict") and (row["method"] == "FE" or row["k"] < 3):
                continue  # a common effect has no new study; metafor repeats its interval
            assert getattr(found, ours) == pytest.approx(row[theirs], abs=1e-6), (row["set"], row["method"], ours)


def test_three_levels_selection_and_regression_agree_with_metafor(trials):
    oxytocin, therapy = trials["oxytocin"], trials["psychotherapy"]
    found = pool_three_level(oxytocin["effect"], oxytocin["error"] ** 2, oxytocin["study"])
    reference = (0.212098545113255876, 0.048979035122932939, 0.227203240708262005, 0.063169938963000119)  # rma.mv
    assert (found.estimate, found.error, found.between, found.within) == pytest.approx(reference, abs=1e-6)
    assert found.studies < found.k == 182
    chosen = selection_model(therapy["effect"], therapy["error"] ** 2)
    reference = (
        0.667405388051659609,
        0.050747827682936668,
        0.326403713218968883,
        0.734841065201184862,
        0.058380453388584150,
    )
    assert tuple(chosen) == pytest.approx(reference, abs=1e-6)  # selmodel, stepfun at .025, ML
    bias = pet_peese(therapy["effect"], therapy["error"] ** 2)
    assert tuple(bias.pet)[:2] == pytest.approx((0.21596673557360355, 0.049653010135656733))  # lm with weights
    assert tuple(bias.peese)[:4:3] == pytest.approx((0.40035544764523334, 3.1325739526353873))
    assert bias.used == "PEESE"


def test_the_bayesian_pool_meets_its_limits():
    rng = np.random.default_rng(0)
    y, v = rng.normal(0.3, 0.4, 200), np.full(200, 0.05)
    found, classic = pool_bayes(y, v), pool(y, v)
    assert found.mean == pytest.approx(classic.estimate, abs=0.003)
    assert found.tau == pytest.approx(math.sqrt(classic.tau2), rel=0.03)
    alone = pool_bayes([0.5], [0.04], tau_scale=0.2)
    assert alone.sd > 0.2
    assert alone.predict_sd > alone.sd
    rough = pool_bayes(y[:6], v[:6], points=200)
    fine = pool_bayes(y[:6], v[:6], points=1600)
    assert (rough.mean, rough.low, rough.predict_high) == pytest.approx(
        (fine.mean, fine.low, fine.predict_high), abs=1e-6
    )


@pytest.mark.parametrize(("k", "tau"), [(5, 0.0), (5, 0.3), (20, 0.0), (20, 0.3)])
def test_intervals_cover_at_their_level(k, tau):
    rng, inside, runs = np.random.default_rng(k), 0, 2000
    for _ in range(runs):
        v = rng.uniform(0.02, 0.2, k)
        y = 0.2 + tau * rng.normal(size=k) + np.sqrt(v) * rng.normal(size=k)
        found = pool(y, v, "PM" if k == 5 else "DL")
        inside += found.low <= 0.2 <= found.high
    assert 0.93 <= inside / runs <= 0.97


def test_the_edges_of_pooling():
    one = pool([0.4], [0.04])
    assert (one.estimate, one.tau2, one.k) == (0.4, 0.0, 1)
    assert math.isnan(one.predict_low)
    two = pool([0.1, 0.5], [0.04, 0.04])
    assert math.isnan(two.predict_low)
    assert two.high - two.low > 2
    alike = pool([0.3, 0.3, 0.3], [0.04, 0.05, 0.06])
    assert alike.tau2 == 0
    assert len(leave_one_out([0.1, 0.5, 0.3], [0.04] * 3, ["a", "b", "c"])) == 3
    for y, v, message in (([], [], "at least one"), ([1.0], [0.0], "variance of 0"), ([1.0, 2.0], [0.1], "as many"), ([1.0], [math.nan], "variance of nan")):  # fmt: skip
        with pytest.raises(EvidenceError, match=message):
            pool(y, v)
    with pytest.raises(EvidenceError, match="FE, REML, PM or DL"):
        pool([1.0], [1.0], "ML")
    with pytest.raises(EvidenceError, match="of both kinds"):
        selection_model([0.1] * 6, [1.0] * 6)


def test_mixed_metrics_and_doubles_are_refused_by_row(trials):
    raw = trials["oxytocin_raw"]
    with pytest.raises(EvidenceError, match="mixed metrics"):
        pool_trials(raw)
    one = raw[raw["metric"] == raw["metric"].mode()[0]]
    with pytest.raises(EvidenceError, match=r"entered more than once \(rows \d+, \d+"):
        pool_trials(pd.concat([one, one.iloc[:1]]))
    assert raw.duplicated().sum() == 5
    assert set(raw.loc[raw["meta_analysis_doi"] == "10.1038/tp.2013.34", "meta_analysis_year"]) == {2013}
    assert pool_trials(trials["psychotherapy"]).k == 411


def test_published_worked_examples():
    """Borenstein et al. (2009), chapters 4, 6 and 7: their printed digits."""
    assert convert.d_variance(0.5970, 50, 50) == pytest.approx(0.0418, abs=5e-5)
    g = convert.d_to_g(0.5970, 0.0418, 98)
    assert (g.value, g.variance) == pytest.approx((0.5924, 0.0411), abs=1e-4)
    z = convert.r_to_z(0.50, 100)
    assert (z.value, z.variance) == pytest.approx((0.5493, 0.0103), abs=5e-5)
    d = convert.log_odds_to_d(0.9069, 0.0676)
    assert (d.value, d.variance) == pytest.approx((0.5000, 0.0205), abs=5e-5)
    d = convert.r_to_d(0.50, 0.0058)
    assert (d.value, d.variance) == pytest.approx((1.1547, 0.0550), abs=5e-5)
    r = convert.d_to_r(1.1547, 0.0550)
    assert (r.value, r.variance) == pytest.approx((0.5000, 0.0058), abs=5e-5)


@pytest.mark.parametrize("value", [-0.9, -0.2, 0.0, 0.3, 0.8])
def test_conversions_come_back(value):
    d = convert.r_to_d(value, 0.01)
    assert tuple(convert.d_to_r(*d)) == pytest.approx((value, 0.01), abs=1e-12)
    assert tuple(convert.log_odds_to_d(*convert.d_to_log_odds(value, 0.02))) == pytest.approx((value, 0.02), abs=1e-12)
    assert tuple(convert.g_to_d(*convert.d_to_g(value, 0.02, 30), 30)) == pytest.approx((value, 0.02), abs=1e-12)
    assert convert.z_to_r(*convert.r_to_z(value, 40)).value == pytest.approx(value, abs=1e-12)
    if value:
        t = value / math.sqrt(40 / 400)
        sign = 1 if value > 0 else -1
        assert convert.f_to_d(t**2, 20, 20, sign).value == pytest.approx(value)
    for bad in (
        lambda: convert.r_to_z(1.2, 10),
        lambda: convert.f_to_d(3, 5, 5, 0),
        lambda: convert.interval_to_error(2, 1),
    ):
        with pytest.raises(EvidenceError):
            bad()


def test_p_values_come_back_as_d():
    from scipy.stats import t

    d = convert.p_to_d(0.03, 12, 15, -1)
    assert d.value < 0
    statistic = d.value / math.sqrt(27 / 180)
    assert 2 * t.sf(abs(statistic), 25) == pytest.approx(0.03)


def test_the_shipped_table_is_sound_and_speaks_of_itself():
    table = published_effects()
    assert len(table) == 162
    assert published_effects(verified=True)["verified"].all()
    text = " ".join(str(value) for value in table.to_numpy().ravel())
    assert "MEMORY" not in text
    trust = published_effects(edge=("oxytocin", "trust"))
    assert set(trust["edge_to"]) == {"trust"}


def test_every_coefficient_of_every_preset_is_traced():
    from dyadloop.theory.presets import PRESETS

    ids = set(published_effects()["id"])
    for name in PRESETS:
        for coupling in read_theory(name).couplings:
            number = coupling.coefficient
            assert number.evidence or number.assumed, (name, coupling.id)
            own = [item for item in number.evidence if not item.startswith(("doi:", "pmid:"))]
            assert set(own) <= ids, (name, coupling.id, own)


_ROW = {
    "id": "OT-TRU-99", "edge_from": "oxytocin", "edge_to": "trust", "design": "RCT", "metric": "d", "estimate": "0.2",
    "ci_low": "-0.1", "ci_high": "0.5", "n_participants": "80", "edge_sign": "1", "direction": "+", "doi": "10.1000/abc",
    "citation": "A made-up study for tests", "verified": "yes",
}  # fmt: skip


def _table(path, *changes):
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(_ROW))
        writer.writeheader()
        for number, change in enumerate(changes):
            writer.writerow(_ROW | {"id": f"OT-TRU-{90 + number}"} | change)
    return path


def test_all_faults_at_once_with_row_and_remedy(tmp_path):
    path = _table(
        tmp_path / "own.csv", {}, {"ci_low": "0.9"}, {"edge_to": "love"}, {"doi": "https://doi.org/10.1/x"}, {"edge_sign": "0"},
        {"metric": "r", "estimate": "1.4", "ci_low": "", "ci_high": ""}, {"estimate": "0.7"}, {"ci_low": ""}, {"id": "OT-TRU-90"},
        {"verified": "maybe"}, {"estimate": "many"},
    )  # fmt: skip
    with pytest.raises(DataError) as caught:
        read_effects(path)
    rows = {(fault.row, (fault.column or "").split(",")[0]) for fault in caught.value.faults}
    assert rows >= {
        (3, "ci_low"), (4, "edge_to"), (5, "doi"), (6, "edge_sign"), (7, "estimate"), (8, "estimate"), (9, "ci_low and ci_high"),
        (10, "id"), (11, "verified"), (12, "estimate"),
    }  # fmt: skip
    assert "sign convention is missing" in str(caught.value)
    assert "write it as 10.1234/abc" in str(caught.value)


def test_a_null_result_needs_its_number_of_participants():
    rows = edge_evidence("oxytocin", "trust").rows.set_index("id")["how"]
    assert rows["OT-TRU-02"] == "not pooled: null without a number of participants, so its variance is not known"
    assert rows["OT-TRU-04"].startswith("null result without a number")


def test_adding_and_reading_back(tmp_path):
    own = tmp_path / "own.csv"
    add_effect(own, **_ROW)
    with pytest.raises(DataError, match="not taken"):
        add_effect(own, **_ROW)
    with pytest.raises(DataError, match="between -1 and 1"):
        add_effect(own, **(_ROW | {"id": "OT-TRU-98", "metric": "r", "estimate": "2", "ci_low": "", "ci_high": ""}))
    with pytest.raises(DataError, match=r"own.csv, the new row, column 'se'"):
        add_effect(own, **(_ROW | {"id": "OT-TRU-97", "se": "-1"}))
    found = published_effects(own)
    assert found["id"].tolist() == ["OT-TRU-99"]
    assert list(found.columns) == list(COLUMNS)


def test_an_arrow_shows_what_was_pooled_and_what_was_not():
    edge = edge_evidence("oxytocin", "stress")
    how = edge.rows.set_index("id")["how"]
    assert how["OT-STR-03"].startswith("not pooled")
    assert how["OT-STR-07"] == "not pooled: not verified"
    assert "assumed" in how["OT-STR-08"]
    assert (edge.pooled.k, len(edge.used)) == (3, 4)  # two numbers of one publication count once
    two = edge.rows.set_index("id").loc[["OT-STR-01", "OT-STR-02"]]
    study = edge.studies.set_index("ids").loc["OT-STR-01, OT-STR-02"]
    assert study["d"] == pytest.approx(two["d"].mean())
    assert math.sqrt(study["variance"]) == pytest.approx(np.sqrt(two["variance"]).mean())
    nulls = edge_evidence("oxytocin", "fear")
    assert not nulls.studies["reported"].any()
    assert nulls.pooled.high > 0.2  # effects that are all 0 are not known to be 0
    fear = edge_evidence("support", "fear").rows.iloc[0]
    assert fear["d"] < 0  # a g of benefit is turned to the level of fear
    tiny = edge_evidence("support", "oxytocin").rows.set_index("id")["how"]
    assert tiny["SUP-OT-05"] == "not pooled: fewer than 10 persons"
    assert edge_evidence("trust", "stress").pooled is None


def test_nulls_pull_the_prior_of_oxytocin_to_trust_to_zero():
    model = read_theory("framework")
    found = priors(model, "evidence")
    assert abs(found.loc["w_trust", "location"]) < 0.02
    assert "OT-TRU-04" in found.loc["w_trust", "source"]
    assert "assumed" in found.loc["w_trust", "source"]
    sceptical, flat = priors(model), priors(model, "flat")
    linear = read_theory("framework_linear")
    couplings = coefficient_priors(linear, "evidence").index
    assert (sceptical.loc[couplings, "location"] == 0).all()
    np.testing.assert_allclose(flat.loc[couplings, "scale"], 5 * sceptical.loc[couplings, "scale"].astype(float))
    others = [name for name in found.index if name not in couplings]
    pd.testing.assert_frame_equal(found.loc[others], sceptical.loc[others])
    assert found.loc["c_depression_support", "location"] > 0  # relief counts as positive
    assert found.loc["v_depression", "location"] > 0
    assert "no published number" in found.loc["a_empathy", "source"]
    assert coupling_priors(model, "sceptical") is None
    with pytest.raises(EvidenceError, match="evidence, sceptical or flat"):
        coefficient_priors(model, "certain")


def test_discounts_are_adjustable_and_checked():
    linear = read_theory("framework_linear")
    whole = coefficient_priors(linear, "evidence", Discount(shrink=1, indirect_sd=0))
    none = coefficient_priors(linear, "evidence", Discount(shrink=0))
    usual = coefficient_priors(linear)
    assert whole.loc["v_depression", "location"] == pytest.approx(2 * usual.loc["v_depression", "location"])
    assert whole.loc["v_depression", "scale"] < usual.loc["v_depression", "scale"]  # distrust never narrows
    assert (none["location"].abs() < 1e-12).all()
    with pytest.raises(EvidenceError, match=r"shrink in 0\.\.1"):
        Discount(shrink=2)


def test_claims_by_evidence_alone():
    found = evidence_claims(read_theory("framework")).set_index("claim")
    assert found.loc["C2.trust", "null"] == 2
    assert found.loc["C3.trust", "reading"] == "neither arrow is for it"
    assert found.loc["C1.empathy", "reading"].startswith("a single result")
    assert "single arrows cannot tell" in found.loc["C5", "reading"]
    assert found.loc["C4.synchrony.trust", "rows"] == 2
    depression = found.loc["C7.depression.oxytocin"]
    assert depression["pooled_d"] < 0 < depression["high"]
    assert depression["reading"].startswith("cannot be told from zero; results conflict")
    assert found.loc["C7.fear.oxytocin", "pooled_d"] is None or math.isnan(found.loc["C7.fear.oxytocin", "pooled_d"])
    narrow = (
        published_effects()
        .query("id in ('OT-DEP-02', 'OT-DEP-04')")
        .assign(metric="d", estimate=[-0.9, -0.6], ci_low=[-1.1, -0.8], ci_high=[-0.7, -0.4])
    )
    part = (
        evidence_claims(read_theory("framework"), narrow.assign(edge_sign=1))
        .set_index("claim")
        .loc["C7.depression.oxytocin"]
    )
    assert part["high"] < 0  # the Bayesian interval alone is not enough
    assert part["reading"].startswith("cannot be told from zero")
    assert not found["reading"].str.contains("supported|proven").any()


def test_a_strong_row_of_ones_own_changes_prior_and_claim(tmp_path):
    strong = {"estimate": "0.6", "ci_low": "0.5", "ci_high": "0.7", "n_participants": "1000"}
    own = _table(tmp_path / "own.csv", *[strong | {"doi": f"10.1000/{k}"} for k in range(6)])
    table = published_effects(own)
    moved = coefficient_priors(read_theory("framework_linear"), table=table)
    assert moved.loc["w_trust", "location"] == pytest.approx(0.3, abs=0.01)
    reading = evidence_claims(read_theory("framework"), table).set_index("claim").loc["C2.trust", "reading"]
    assert reading.startswith("for it")


def test_figures_hold_what_they_show(trials):
    svg = edge_forest(edge_evidence("oxytocin", "stress"))
    assert "OT-STR-01" in svg
    assert "a new study, 95 %" in svg
    part = trials["oxytocin"].query("meta_analysis == 'keech'")
    assert "pooled, k" in forest_plot(part["effect"], part["error"] ** 2, part["study"].tolist())
    assert "oxytocin" in evidence_map(published_effects())


def test_the_commands(tmp_path):
    runner = CliRunner()

    def call(*arguments):
        return runner.invoke(app, ["evidence", *map(str, arguments)])

    assert "OT-TRU-04" in call("list", "--from", "oxytocin", "--to", "trust").stdout
    assert json.loads(call("list", "--to", "fear", "--json").stdout)
    assert "in pooling: null result" in call("show", "OT-TRU-04").stdout
    assert "162 effects, no faults" in call("check", ROOT / "src/dyadloop/evidence/library/effects.csv").stdout
    own = tmp_path / "own.csv"
    new = _table(tmp_path / "new.csv", {}, {})
    assert "2 effects added" in call("add", own, "--rows", new).stdout
    assert (
        "OT-TRU-97 added"
        in call(
            "add", own, *[part for k, v in (_ROW | {"id": "OT-TRU-97"}).items() for part in ("--set", f"{k}={v}")]
        ).stdout
    )
    figure = tmp_path / "f.svg"
    assert "k = 3" in call("pool", "oxytocin", "stress", "--figure", figure).stdout
    assert figure.read_text().startswith("<svg")
    assert json.loads(call("pool", "oxytocin", "stress", "--json").stdout)["pooled"]["k"] == 3
    assert "C2.trust" in call("claims").stdout
    assert "w_trust" in call("priors", "framework").stdout
    assert "tau_oxytocin" in call("priors", "framework", "--priors", "flat", "--all", "--json").stdout
    assert call("map", tmp_path / "m.svg").exit_code == 0
    for arguments, message in (
        (("show", "XX-99"), "does not exist"), (("pool", "trust", "love"), "no row"), (("add", own), "nothing to add"),
        (("add", own, "--set", "colour=red"), "no column colour"), (("pool", "empathy", "oxytocin", "--figure", figure), "nothing to draw"),
    ):  # fmt: skip
        found = call(*arguments)
        assert found.exit_code == 3, arguments
        assert isinstance(found.exception, SystemExit), arguments  # no traceback
        assert message in found.stderr
