"""No result without a number: odd input gives a finite score, or an error of the package, or a status with the reason."""

import numpy as np
import pytest
import xarray as xr

from dyadloop.errors import MeasureError
from dyadloop.measures.synchrony import METHODS, group_synchrony, synchrony
from dyadloop.measures.synchrony.guard import checked
from tests.measures.conftest import autoregressive, follower
from tests.odd_samples import series

_CALLS = 8  # per method; docs/fuzz.py makes as many as are wanted
_CHOICES = {
    "window": (0.2, 1.0, 5.0), "step": (0.2, 1.0, 5.0), "segment": (0.2, 1.0, 5.0), "piece": (1.0, 5.0),
    "lag": (0.0, 0.3, 2.0), "dimension": (1, 2, 4), "theiler": (0, 1, 4), "radius": (0.1, 1.0), "rate": (0.01, 0.3),
    "peak_size": (1, 8), "span": (0.1, 0.75), "draws": (20,), "absolute": (True, False), "mea_smooth": (0.0, 0.5),
}  # fmt: skip


@pytest.mark.parametrize("method", list(METHODS))
def test_odd_input_gives_a_number_an_error_or_a_reason(method):
    known = METHODS[method].settings()
    for call in range(_CALLS):
        rng = np.random.default_rng([call, *map(ord, method)])
        n = int(rng.choice([3, 8, 40, 150, 400]))
        settings = {
            name: values[rng.integers(len(values))]
            for name, values in _CHOICES.items()
            if name in known and (name in ("draws", "radius") or rng.random() < 0.4)
        }
        try:
            found = synchrony(series(rng, n), series(rng, n), 10, method, **settings)
        except MeasureError:
            continue
        assert np.isfinite(float(found["score"]))
        for name, values in found.data_vars.items():
            if values.dtype.kind == "f":
                assert not np.isinf(values.values).any(), name
                assert values.ndim or np.isfinite(float(values)) or str(name) in found.attrs["status"], name


def test_a_result_without_a_score_is_an_error_and_infinity_is_missing():
    parts = {"score": 1.0, "p": np.inf, "course": ("time", [1.0, np.inf])}
    found = checked(xr.Dataset(parts, attrs={"method": "m"}))
    assert np.isnan(float(found["p"]))
    assert np.isnan(found["course"].values[1])
    assert found.attrs["status"] == "p: not defined on these data"
    with pytest.raises(MeasureError, match="no score"):
        checked(xr.Dataset({"score": np.nan, "p_value": 0.001}, attrs={"method": "m"}))


@pytest.mark.parametrize(
    ("method", "n", "settings", "message"),
    [
        ("granger", 8, {"lag": 0.2}, "usable moments"),
        ("granger", 8, {"lag": 1.0}, "usable moments"),
        ("recurrence", 40, {"window": 10}, "too short for a window"),
        ("recurrence", 40, {"theiler": 50}, "leaves no cell"),
        ("mdrqa", 40, {"dimension": 30, "delay": 4}, "embedding"),
        ("wcc", 60, {"window": 2, "step": 1, "lag": 0.1}, "at least 4 lags|4 lags or more"),
        ("windowed", 20, {"window": 5}, "too short"),
        ("regression", 20, {"window": 5}, "too short"),
        ("susy", 40, {"segment": 0.5, "lag": 0}, "expected at least 3"),
        ("coherence", 40, {"segment": 3}, "expected at least 4"),
    ],
)
def test_what_is_too_short_is_an_error_that_says_what_to_do(method, n, settings, message):
    with pytest.raises(MeasureError, match=message):
        synchrony(autoregressive(n, 0.5, 0), autoregressive(n, 0.5, 1), 10, method, **settings)


def test_mvsusy_gives_no_p_where_it_has_no_score():
    a, b = (x.copy() for x in follower(n=900))
    still = np.tile([0.1, 0.1, 0.1, 0.2], 225)  # moves by a sample each, so that every segment varies
    b[:] = np.where(np.arange(900) < 890, 0.1, still)
    with pytest.raises(MeasureError, match="have a value"):
        group_synchrony(np.stack([a, b], axis=1), 10, "mvsusy", segment=10, kind="omega", draws=50)
