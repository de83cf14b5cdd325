"""Assays: curves read back what they were made of, limits are censoring, areas and changes carry their errors."""

import numpy as np
import pandas as pd
import pytest

from dyadloop.errors import DataError, MeasureError
from dyadloop.measures.assays import (
    area_under_curve,
    check_pooling,
    dilution_recovery,
    log_change,
    log_moments,
    parallelism,
    read_plates,
    standard_curve,
)

STANDARDS = np.array([0, 1, 3, 10, 30, 100, 300, 1000.0])


def _signal(x, g=1.0):
    """A competitive assay: 2 without analyte, 0.1 with much."""
    return 0.1 + 1.9 / (1 + (np.asarray(x) / 50) ** 1.1) ** g


def _noisy(x, rng, cv=0.03):
    return _signal(x) * (1 + cv * rng.normal(size=np.shape(x)))


def test_an_exact_curve_is_recovered():
    for model, g in (("4pl", 1.0), ("5pl", 0.6)):
        found = standard_curve(np.repeat(STANDARDS, 2), np.repeat(_signal(STANDARDS, g), 2), model)
        x = np.array([2.0, 20, 200])
        np.testing.assert_allclose(found.read_back(_signal(x, g)), x, rtol=1e-4)
        np.testing.assert_allclose(found.signal(x), _signal(x, g), rtol=1e-4)
    assert (found.lowest, found.highest) == (1, 1000)


def test_rising_assays_work_too():
    y = 0.05 + 3 / (1 + (np.maximum(STANDARDS, 1e-9) / 80) ** -1.2)
    found = standard_curve(STANDARDS, y)
    assert found.a < found.d
    np.testing.assert_allclose(found.read_back(found.signal([5.0, 50])), [5, 50], rtol=1e-6)


def test_the_interval_of_a_reading_covers():
    rng = np.random.default_rng(0)
    x, inside = np.repeat(STANDARDS, 2), 0
    for _ in range(150):
        curve = standard_curve(x, _noisy(x, rng))
        mean = _noisy([40.0, 40.0], rng).mean()
        z = (np.log(curve.read_back(mean)) - np.log(40)) / curve.log_error(mean, 2)
        inside += abs(z) < 1.96
    assert 133 <= inside <= 149  # 95 % of 150, 3.6 standard errors


def _plates(seed=0, controls=(30.0,)):
    rng, rows = np.random.default_rng(seed), []
    for plate, shift in (("p1", 0.0), ("p2", 0.2), ("p3", -0.2)):
        for level in np.repeat(STANDARDS, 2):
            rows.append((plate, "standard", f"s{level:g}", float(_noisy(level, rng)), level, 1))
        for level in controls:
            for _ in range(2):
                rows.append((plate, "control", f"c{level:g}", float(_noisy(level * np.exp(shift), rng)), "", 1))
    for sample, level, dilution in (("a", 40.0, 1), ("b", 400.0, 4), ("low", 0.05, 1), ("high", 9e4, 1)):
        for _ in range(2):
            rows.append(("p1", "sample", sample, float(_noisy(level / dilution, rng)), "", dilution))
    for dilution in (1, 2, 4, 8):
        for _ in range(2):
            rows.append(("p2", "dilution", "d", float(_noisy(300 / dilution, rng)), "", dilution))
    return pd.DataFrame(rows, columns=["plate", "kind", "sample", "signal", "concentration", "dilution"])


def test_plates_to_concentrations_with_limits_and_plate_effects():
    found = read_plates(_plates())
    by = found.samples.set_index("sample")
    assert by.loc["a", "value"] == pytest.approx(40, rel=0.15)
    assert by.loc["b", "value"] == pytest.approx(400, rel=0.2)
    assert by.loc["low", "limit"] == "below"
    assert by.loc["low", "value"] == found.plates["lloq"][0]  # the limit itself, not LOD / sqrt 2
    assert by.loc["high", "limit"] == "above"
    assert by.loc[["low", "high"], "error"].isna().all()
    assert 0 < by.loc["a", "error"] < 0.2
    assert found.plate_sd == pytest.approx(0.2, abs=0.08)
    assert (found.plates["status"] == "ok").all()
    assert found.plates["median_cv_percent"].max() < 15
    recovered = dilution_recovery(found.samples)
    assert recovered["percent"].between(75, 130).all()


def test_a_bad_plate_does_not_stop_the_others():
    wells = _plates()
    wells.loc[(wells["plate"] == "p2") & (wells["kind"] == "standard"), "signal"] = 1.0
    found = read_plates(wells)
    status = found.plates.set_index("plate")["status"]
    assert "neither falls nor rises" in status["p2"]
    assert status["p1"] == status["p3"] == "ok"
    with pytest.raises(MeasureError, match="no plate has a usable"):
        read_plates(wells[wells["plate"] == "p2"])


def test_faults_of_wells_all_at_once():
    wells = _plates().astype(object)
    wells.loc[1, "signal"], wells.loc[3, "kind"], wells.loc[5, "concentration"], wells.loc[8, "dilution"] = (
        "x",
        "well",
        "",
        -1,
    )
    with pytest.raises(DataError) as caught:
        read_plates(wells)
    assert [(f.row, f.column) for f in caught.value.faults] == [
        (3, "signal"), (5, "kind"), (7, "concentration"), (10, "dilution"),
    ]  # fmt: skip
    with pytest.raises(DataError, match="no such column"):
        read_plates(wells.drop(columns="signal"))


@pytest.mark.parametrize(
    ("x", "y", "options", "message"),
    [
        (STANDARDS[:4], _signal(STANDARDS[:4]), {}, "needs at least 5"),
        (STANDARDS, -_signal(STANDARDS), {}, "signals above 0"),
        (-STANDARDS, _signal(STANDARDS), {}, "concentration >= 0"),
        (STANDARDS, _signal(STANDARDS), {"model": "6pl"}, "4pl or 5pl"),
    ],
)
def test_bad_standards(x, y, options, message):
    with pytest.raises(MeasureError, match=message):
        standard_curve(x, y, **options)


def test_blanks_set_the_limit_of_detection():
    rng = np.random.default_rng(1)
    found = standard_curve(
        np.repeat(STANDARDS, 2), _noisy(np.repeat(STANDARDS, 2), rng), blanks=2 + 0.05 * rng.normal(size=8)
    )
    assert 1 < found.detection < 20
    assert found.signal(found.detection) < 2 - 0.05


def test_real_standards_give_back_the_published_concentrations(shared):
    table = pd.read_csv(shared / "data" / "ot_saliva_pigs" / "calibration-curve.csv")
    for hormone, tolerance in (("cort_ng_ml", 0.01), ("oxyt_pg_ml", 0.25)):  # oxytocin: signals printed to 0.1
        part = table[table["hormone"] == hormone]
        standards, diluted = (part[part["method"] == kind] for kind in ("standard", "dilution"))
        curve = standard_curve(standards["conc"], standards["OD"])
        np.testing.assert_allclose(curve.read_back(diluted["OD"]), diluted["conc"], rtol=tolerance)
        zero = float((standards["OD"] / standards["b.Bo"]).median())
        above = standards[standards["conc"] > 0]
        found = parallelism(
            (above["conc"].to_numpy(), above["OD"].to_numpy()),
            (0.5 ** np.arange(len(diluted)), diluted["OD"].to_numpy()),
            zero,
        )
        assert found.parallel
        assert found.low < found.ratio < found.high


def test_parallelism_notices_another_slope():
    x = np.array([10, 30, 100, 300.0])
    steep = 2 / (1 + (x / 50) ** 2.2)
    found = parallelism((x, 2 / (1 + (x / 50) ** 1.1)), (x, steep * np.array([1, 1.001, 0.999, 1])), 2.0)
    assert found.ratio == pytest.approx(2, abs=0.02)
    assert not found.parallel
    with pytest.raises(MeasureError, match="usable points"):
        parallelism((x, steep), (x[:2], steep[:2]), 2.0)


def test_censored_moments_are_unbiased_where_substitution_is_not():
    rng = np.random.default_rng(0)
    values = np.exp(rng.normal(2.0, 0.6, 4000))
    limit = np.quantile(values, 0.4)
    written, side = np.maximum(values, limit), np.where(values < limit, "below", "")
    found = log_moments(written, side)
    assert found.mean == pytest.approx(2.0, abs=4 * found.mean_error)
    assert found.sd == pytest.approx(0.6, abs=4 * found.sd_error)
    substituted = np.log(np.where(side == "below", limit / np.sqrt(2), values))
    assert abs(substituted.mean() - 2) > abs(found.mean - 2)
    assert log_moments(values, np.full(4000, "")).mean == pytest.approx(np.log(values).mean(), abs=1e-6)
    with pytest.raises(MeasureError, match="inside the limits"):
        log_moments([1, 1, 1, 2], ["below"] * 3 + [""])
    with pytest.raises(MeasureError, match="above 0"):
        log_moments([0, 1, 2], [""] * 3)


def test_changes_carry_both_errors_and_make_nothing_up():
    found = log_change(10, 20, 0.1, 0.2)
    assert found.change == pytest.approx(np.log(2))
    assert found.error == pytest.approx(np.hypot(0.1, 0.2))
    with pytest.raises(MeasureError, match="none is made up"):
        log_change(10, 20, before_limit="below")
    moments = log_moments(np.exp(np.random.default_rng(0).normal(2.5, 0.5, 200)), np.full(200, ""))
    censored = log_change(8, 20, after_error=0.1, before_limit="below", moments=moments)
    assert censored.censored
    assert censored.change > np.log(20 / 8)  # the value lies below the limit
    assert censored.error > 0.1


def test_areas_by_hand_by_draws_and_under_censoring():
    found = area_under_curve([0, 30, 60], [10, 20, 15])
    assert (found["aucg"], found["auci"]) == (450 + 525, 975 - 600)
    down = area_under_curve([0, 30], [20, 10])
    assert down["auci"] < 0
    noisy = area_under_curve([0, 30, 60], [10, 20, 15], error=0.1)
    spread = 0.1 * np.sqrt((15 * 10) ** 2 + (30 * 20) ** 2 + (15 * 15) ** 2)
    assert noisy["aucg_error"] == pytest.approx(spread, rel=0.05)
    moments = log_moments(np.exp(np.random.default_rng(0).normal(2.5, 0.5, 200)), np.full(200, ""))
    censored = area_under_curve([0, 30, 60], [8, 20, 15], limit=["below", "", ""], moments=moments)
    assert censored["censored"]
    assert censored["aucg"] < area_under_curve([0, 30, 60], [8, 20, 15])["aucg"]
    for options, message in (({"limit": ["below", "", ""]}, "none is made up"), ({"minutes": [0, 0, 1]}, "increasing")):
        with pytest.raises(MeasureError, match=message):
            area_under_curve(options.pop("minutes", [0, 30, 60]), [8, 20, 15], **options)


def test_assay_classes_are_not_pooled_raw():
    table = pd.DataFrame({"matrix": ["saliva", "saliva"], "method": ["ELISA", "ELISA"], "extracted": [True, False]})
    with pytest.raises(MeasureError, match="'extracted' has False, True"):
        check_pooling(table)
    check_pooling(table.iloc[:1])


def test_real_saliva_has_a_plate_effect(shared):
    table = pd.read_csv(shared / "data" / "ot_saliva_pigs" / "prosocial-pigs-hormones.csv").dropna(subset="oxyt_pgml")
    log = np.log(table["oxyt_pgml"])
    found = log_moments(table["oxyt_pgml"], np.full(len(table), ""))
    assert found.mean == pytest.approx(log.mean(), abs=1e-6)
    between = log.groupby(table["plate.name.oxyt"]).transform("mean")
    assert between.var() / log.var() == pytest.approx(0.47, abs=0.05)  # as the data's own description says
