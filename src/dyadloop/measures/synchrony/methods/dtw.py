"""The method `dtw`: dynamic time warping."""

import xarray as xr

from dyadloop.measures.synchrony.method import Method
from dyadloop.signals.series import Pair


def _dtw(pair: Pair, reach: float = 5.0, piece: float = 60.0) -> xr.Dataset:
    from dyadloop.measures.synchrony.warping import dtw

    found = dtw(pair, reach, piece)
    found.attrs["reach"] = found.attrs.pop("band")
    return found


METHOD = Method(
    name="dtw",
    title="dynamic time warping",
    function=_dtw,
    family="state",
    answers="How alike are two courses if each may hurry or wait a little?",
    span=("piece", "reach"),
    null="no absolute meaning: surrogates by shift",
    error="of the mean over pieces; none for fewer than 4",
    limits="minus a distance, so never above 0",
    reference="Sakoe & Chiba 1978, doi:10.1109/TASSP.1978.1163055",
)
