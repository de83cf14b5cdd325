"""Numbers and settings that no method can use are refused in words, whatever the method."""

import numpy as np
import pytest

import dyadloop as dl
from dyadloop.errors import MeasureError
from dyadloop.measures.synchrony import METHODS

FS = 10.0
FIRST, SECOND = np.random.default_rng(3).normal(size=(2, 900))
NEEDED = {"crqa": {"radius": 0.5}}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("unit", [1e200, 1e-200])
def test_sizes_whose_squares_are_no_numbers_are_refused(method, unit):
    with pytest.raises(MeasureError, match="use another unit"):
        dl.synchrony(FIRST * unit, SECOND, FS, method, **NEEDED.get(method, {}))


@pytest.mark.parametrize("method", METHODS)
def test_settings_that_are_no_usable_number_are_refused(method):
    for name, default in METHODS[method].settings().items():
        settings = NEEDED.get(method, {})
        for odd in (np.nan, np.inf):
            with pytest.raises(MeasureError, match=f"setting {name}: got {odd}; expected a finite"):
                dl.synchrony(FIRST, SECOND, FS, method, **settings | {name: odd})
        if type(default) is int:
            with pytest.raises(MeasureError, match=f"setting {name}: got 1.5; expected a whole"):
                dl.synchrony(FIRST, SECOND, FS, method, **settings | {name: 1.5})


@pytest.mark.parametrize(
    "odd", [{"spikes": 0.0}, {"spikes": -1.0}, {"spikes": np.nan}, {"smooth": np.nan}, {"smooth": -1.0}]
)
def test_preparations_that_are_no_usable_number_are_refused(odd):
    with pytest.raises(MeasureError, match=next(iter(odd))):
        dl.synchrony(FIRST, SECOND, FS, "rolling", **odd)


@pytest.mark.parametrize("odd", [{"guard": np.nan}, {"guard": -1.0}, {"rest": np.nan}])
def test_times_of_a_test_that_are_no_usable_number_are_refused(odd):
    with pytest.raises(MeasureError, match=next(iter(odd))):
        dl.synchrony_test(FIRST, SECOND, FS, "rolling", draws=19, **odd)


@pytest.mark.parametrize("octaves", np.arange(0.1, 1.3, 0.1))
def test_wavelets_take_a_band_of_few_scales(octaves):
    found = dl.synchrony(FIRST, FIRST, FS, "wavelet", band=(0.5, 0.5 * 2**octaves), lag=0.0)
    assert float(found["score"]) == pytest.approx(1, abs=1e-9)  # a copy is coherent everywhere


ODD = (0, -1, 0.0, -0.5, 1e300, 10**12, 1e-300, None, "zz", [1], (1, 0), (0.0, 0.0), True)


@pytest.mark.parametrize("method", METHODS)
def test_every_setting_at_odd_values_is_answered_or_refused(method):
    """Nothing else than an error of ours, whatever a setting is: 0, negative, huge, tiny, another kind of thing."""
    quick = {
        name: value for name, value in {"draws": 20, "surrogates": 10}.items() if name in METHODS[method].settings()
    }
    for name in METHODS[method].settings():
        for odd in ODD:
            try:
                found = dl.synchrony(
                    FIRST[:300], SECOND[:300], FS, method, **NEEDED.get(method, {}) | quick | {name: odd}
                )
            except MeasureError:
                continue
            assert np.isfinite(float(found["score"])), (name, odd)
