"""Wells of one sample: the likelihood of all of them, against brute force; every well accounted for; names by plate."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from dyadloop.errors import DataError
from dyadloop.measures.assays import read_plates
from dyadloop.measures.assays.replicates import Wells, combined

STANDARDS = np.array([0, 1, 3, 10, 30, 100, 300, 1000.0])
_COLUMNS = ["plate", "kind", "sample", "signal", "concentration", "dilution"]


def _falling(x):
    return 0.1 + 1.9 / (1 + (np.asarray(x) / 50) ** 1.1)


def _rising(x):
    return 0.05 + 2.95 / (1 + (np.maximum(x, 1e-9) / 65) ** -1.1)


def _plate(samples, signal=_falling, plate="p", seed=0):
    """A plate of eight standards in duplicate, with 2 % scatter, and wells as they are given."""
    rng = np.random.default_rng(seed)
    rows = [
        (plate, "standard", f"s{x:g}", float(signal(x) * (1 + 0.02 * rng.normal())), x, 1)
        for x in np.repeat(STANDARDS, 2)
    ]
    for name, wells in samples.items():
        rows += [(plate, "sample", name, y, "", dilution) for y, dilution in wells]
    return pd.DataFrame(rows, columns=_COLUMNS)


def _read(samples, signal=_falling):
    found = read_plates(_plate(samples, signal))
    return found, found.samples.set_index("sample")


def _brute_force(wells):
    """The textbook likelihood on a grid of log concentrations and scatters, one well at a time."""
    mus = np.linspace(wells.reading.min() - 1.5, wells.reading.max() + 1.5, 601)[:, None]
    factors = np.exp(np.linspace(0, 6, 301))[None, :]
    total = np.zeros((601, 301))
    for reading, scatter, below, above in zip(*wells, strict=True):
        spread = scatter * factors
        if below:
            total += norm.logcdf(reading, mus, spread)
        elif above:
            total += norm.logsf(reading, mus, spread)
        else:
            total += norm.logpdf(reading, mus, spread)
    best = np.unravel_index(total.argmax(), total.shape)
    return float(mus[best[0], 0]), float(factors[0, best[1]]), total


_SIDES = st.sampled_from(["read", "below", "above"])


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.tuples(st.floats(-2, 2), st.floats(0.03, 0.3), _SIDES), min_size=2, max_size=4).filter(
        lambda wells: any(side == "read" for *_, side in wells)
    )
)
def test_the_estimate_is_the_maximum_of_the_likelihood_of_all_wells(drawn):
    reading, scatter, sides = (np.array(part) for part in zip(*drawn, strict=True))
    reading = np.where(sides == "below", -1.0, np.where(sides == "above", 1.0, np.clip(reading, -1, 1)))
    wells = Wells(reading.astype(float), scatter.astype(float), sides == "below", sides == "above")
    found = combined(wells)
    mu, factor, heights = _brute_force(wells)
    at = np.array([[found.mu]]), np.array([[found.factor]])
    own = 0.0
    for value, spread, below, above in zip(*wells, strict=True):
        distribution = norm(at[0][0, 0], spread * at[1][0, 0])
        own += (
            distribution.logcdf(value) if below else distribution.logsf(value) if above else distribution.logpdf(value)
        )
    assert own >= heights.max() - 1e-3  # the grid is coarse; nothing on it is better
    assert found.factor >= 1
    assert found.error > 0
    if abs(mu) < 2.4 and heights.max() - np.sort(heights.max(axis=1))[-20] > 0.05:
        assert found.mu == pytest.approx(mu, abs=0.15 * max(1.0, factor * float(scatter.max())))


def test_readings_alone_give_mean_and_standard_error():
    none = np.zeros(4, dtype=bool)
    close = combined(Wells(np.array([1.0, 1.01, 0.99, 1.0]), np.full(4, 0.1), none, none))
    assert close == pytest.approx((1.0, 0.1 / 2, 1.0), abs=1e-6)
    reading = np.array([0.0, 1.0, 2.0, 3.5])
    apart = combined(Wells(reading, np.full(4, 0.1), none, none))
    assert apart.mu == pytest.approx(reading.mean(), abs=1e-7)
    assert apart.error == pytest.approx(reading.std(ddof=1) / 2, rel=1e-3)


@pytest.mark.parametrize("limit", [0.05, -0.05])
def test_the_interval_covers_where_one_of_two_wells_is_beyond(limit):
    """A concentration of 1 (log 0), a limit just above or below it, scatter .1: pairs of which one well is beyond."""
    rng, inside, count = np.random.default_rng(0), 0, 0
    for pair in 0.1 * rng.normal(size=(600, 2)):
        above = pair > limit
        if above.sum() == 1 and count < 60:
            found = combined(Wells(np.where(above, limit, pair), np.full(2, 0.1), np.zeros(2, dtype=bool), above))
            inside += abs(found.mu) < 1.96 * found.error
            count += 1
    assert count == 60
    assert inside >= 52  # 95 % of 60, three standard errors


@pytest.mark.parametrize("signal", [_falling, _rising])
def test_a_well_off_the_curve_never_makes_a_sample_surer(signal):
    off_high, off_low = float(signal(5e4)), float(signal(0.001))
    samples = {
        "good": [(float(signal(40) * f), 1) for f in (0.99, 1.01)],
        "one above": [(float(signal(40)), 1), (off_high, 1)],
        "one below": [(float(signal(40)), 1), (off_low, 1)],
        "both above": [(off_high, 1)] * 2,
        "both ways": [(off_high, 1), (off_low, 1)],
    }
    found, by = _read(samples, signal)
    assert by.loc["good", "value"] == pytest.approx(40, rel=0.06)
    assert by["error"].idxmin() == "good"
    for name in ("one above", "one below"):
        assert by.loc[name, "error"] > 5 * by.loc["good", "error"]
        assert math.isnan(by.loc[name, "cv_percent"])
        assert by.loc[name, "status"] == "1 of 2 wells beyond the curve"
    assert by.loc["both above", ["limit", "value"]].tolist() == ["above", found.plates["uloq"][0]]
    assert math.isnan(by.loc["both ways", "value"])
    assert by.loc["both ways", "status"].startswith("wells contradict each other: 1 below and 1 above")
    assert sum("'both ways'" in doubt for doubt in found.doubts) == 1


def test_the_wells_of_the_published_fault():
    """Wells of 0.0 and 2.4 on a curve from 1 to 1000 were read from their mean, 43.6 with an error of .028."""
    for signal in (_falling, _rising):
        found, by = _read({"x": [(0.0, 1), (2.4, 1)], "good": [(float(signal(40)), 1)] * 2}, signal)
        assert math.isnan(by.loc["x", "error"]) or by.loc["x", "error"] > 2
        assert by.loc["x", "status"] != "ok"
        assert any("signals of 0 or less in rows 18" in doubt for doubt in found.doubts)


def test_near_the_limit_the_beyond_well_pulls_by_its_scatter():
    found, by = _read({"x": [(float(_falling(900)), 1), (float(_falling(1200)), 1)]})
    assert 900 < by.loc["x", "value"] <= 1000
    assert 0.02 < by.loc["x", "error"] < 0.5
    assert found.wells["status"].tolist()[-2:] == ["read", "above"]


def test_wells_of_several_dilutions_are_one_sample():
    samples = {"x": [(float(_falling(5e3)), 1), (float(_falling(500)), 10), (float(_falling(500)), 10)],
               "far": [(float(_falling(9e5)), 1), (float(_falling(9e4)), 10)]}  # fmt: skip
    _, by = _read(samples)
    assert by.loc["x", "value"] == pytest.approx(5000, rel=0.15)
    assert by.loc["x", "limit"] == ""
    assert by.loc["far", ["limit", "value"]].tolist() == ["above", 10_000]


def test_every_well_is_accounted_for():
    wells = _plate(
        {"a": [(1.0, 1), ("OVRFLW", 1)], "b": [("", 1), ("#Sat", 1)], "c": [(float(_falling(0.01)), 1)]}
    ).astype(object)
    flat = _plate({"a": [(1.0, 1)]}, plate="q").assign(signal=1.0)
    found = read_plates(pd.concat([wells, flat], ignore_index=True))
    assert len(found.wells) == len(wells) + len(flat)
    counts = found.wells["status"].value_counts().to_dict()
    assert counts == {"curve": 32, "read": 1, "saturated": 2, "no signal": 1, "below": 1, "no curve": 1}
    assert found.wells["row"].tolist() == list(range(2, 2 + len(found.wells)))
    assert found.samples.set_index("sample").loc["b", "limit"] == "below"  # much signal is little hormone here
    with pytest.raises(DataError, match="a saturated well is OVRFLW"):
        read_plates(wells.assign(signal="high"))


def test_names_and_places_of_wells_are_checked():
    wells = _plate({"a": [(1.0, 1)], "": [(1.1, 1)]})
    with pytest.raises(DataError, match="row 19, column 'sample'"):
        read_plates(wells)
    placed = _plate({"a": [(1.0, 1)] * 2}).assign(well=[f"A{k}" for k in range(17)] + ["A16"])
    with pytest.raises(DataError, match=r"'A16' of plate 'p', already in row 18"):
        read_plates(placed)
    two = pd.concat(
        [_plate({"a": [(1.0, 1)]}), _plate({"a": [(1.0, 1)]}, plate="q"), _plate({"b": [(1.2, 1)]}, seed=3)]
    )
    assert "plate 'p' stands in rows 2 to 18 and 36 to 52: one plate" in read_plates(two).doubts[0]


def test_one_name_on_two_plates_is_two_samples():
    both = pd.concat(
        [_plate({"SPL1": [(float(_falling(20)), 1)] * 2}), _plate({"SPL1": [(float(_falling(200)), 1)] * 2}, plate="q")]
    )
    by = read_plates(both).samples.set_index(["plate", "sample"])["value"]
    assert by["p", "SPL1"] == pytest.approx(20, rel=0.05)
    assert by["q", "SPL1"] == pytest.approx(200, rel=0.05)


def test_shares_in_place_of_factors_of_dilution_are_doubted():
    found, _ = _read({"thin": [(float(_falling(40)), 0.25)] * 2, "plain": [(float(_falling(40)), 1)] * 2})
    assert any("2 wells have a dilution below 1 (0.25)" in doubt for doubt in found.doubts)
    found, _ = _read({"plain": [(float(_falling(40)), 4)] * 2})
    assert not any("dilution below 1" in doubt for doubt in found.doubts)
