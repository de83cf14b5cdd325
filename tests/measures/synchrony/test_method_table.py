"""What methods declare: one unit per setting, a span in seconds, a source; and what the command line makes of it."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib.figure import Figure

from dyadloop.errors import MeasureError
from dyadloop.measures.synchrony import METHODS, UNITS, methods, synchrony, synchrony_test
from dyadloop.reporting.measures import _paint_periods, synchrony_figure
from tests.architecture.test_cli import dyadloop
from tests.measures.conftest import follower


@pytest.mark.parametrize("name", list(METHODS))
def test_a_method_declares_itself(name):
    method = METHODS[name]
    assert method.name == name
    assert set(method.units()) == set(method.settings())
    assert all(text for text in (method.title, method.answers, method.null, method.error, method.limits))
    assert "doi:" in method.reference
    assert method.answers[-1] in "?."
    assert set(method.span) - {"embedding"} <= set(method.settings())
    json.dumps(method.row())


def test_a_method_is_one_file():
    folder = Path(methods.__file__).parent
    assert {path.stem for path in folder.glob("*.py")} - {"__init__"} == set(METHODS)


def test_no_unit_is_one_of_two():
    """A setting that is a time in one method and a count in another would need two entries."""
    assert {setting for method in METHODS.values() for setting in method.settings()} <= set(UNITS)
    assert all(" or " not in unit or unit.startswith("yes") for unit in UNITS.values())


@pytest.mark.parametrize(
    ("name", "settings", "seconds"),
    [
        ("windowed", {"window": 20, "lag": 3}, 23),
        ("crqa", {"radius": 0.2, "lag": 60}, 60),
        ("crqa", {"radius": 0.2}, 0),
        ("crqa", {"radius": 0.2, "lag": 2, "dimension": 3, "delay": 50}, 2 + 4),
        ("segments", {"segment": 30, "lag": 5}, 30),
        ("phase", {"band": [0.05, 0.5]}, 20),
        ("phase", {}, 0),
        ("granger", {"lag": 1.5}, 1.5),
        ("symbolic_entropy", {}, 0),
    ],
)
def test_spans_are_in_seconds_whatever_a_setting_counts_in(name, settings, seconds):
    assert METHODS[name].span_seconds(settings, 25.0) == pytest.approx(seconds)


def test_a_lag_of_a_minute_is_a_minute_for_every_method():
    """Six times the span must fit: 60 samples of a lag taken for seconds used to refuse five minutes."""
    a, b = follower(n=1500)
    tested = synchrony_test(a, b, 5, "crqa", lag=12, radius=0.2, draws=19)
    assert 0 < float(tested["p_value"]) <= 1
    with pytest.raises(MeasureError, match="60 s"):
        synchrony_test(a, b, 5, "crqa", lag=60, radius=0.2, draws=19)


@pytest.fixture
def recording(tmp_path):
    a, b = follower(n=3000)
    pd.DataFrame({"patient": a, "therapist": b}).to_csv(tmp_path / "both.csv", index=False)
    return tmp_path / "both.csv"


def test_the_table_of_methods_is_printed_for_people_and_machines():
    run = dyadloop("synchrony", "--list")
    assert run.returncode == 0
    for name in METHODS:
        assert f"\n{name}: " in f"\n{run.stdout}"
    assert "lag 5 [s]" in run.stdout
    assert "radius needed [SD]" in run.stdout
    machine = json.loads(dyadloop("synchrony", "--list", "--json").stdout)
    assert set(machine) == set(METHODS)
    assert machine["crqa"]["settings"]["lag"] == {"default": None, "needed": False, "unit": "s"}
    without = dyadloop("synchrony")
    assert without.returncode == 2
    assert "missing" in without.stderr


def test_a_result_tells_settings_units_duration_and_windows(recording):
    call = ("synchrony", recording, "--fs", 10, "--set", "window=20", "--set", "step=10", "--set", "lag=2")
    run = dyadloop(*call)
    assert run.returncode == 0, run.stderr
    assert "settings: window 20 s, step 10 s, lag 2 s" in run.stdout
    assert "recording: 300 s, 3000 samples at 10 Hz" in run.stdout
    assert "windows: 28" in run.stdout


def test_json_is_a_summary_and_arrays_go_to_netcdf(recording, tmp_path):
    out = tmp_path / "map.nc"
    run = dyadloop("synchrony", recording, "--fs", 10, "--method", "wavelet", "--json", "--out", out)
    assert run.returncode == 0, run.stderr
    assert len(run.stdout) < 50_000
    told = json.loads(run.stdout)
    whole = xr.load_dataset(out, engine="h5netcdf")
    for name in ("coherence", "phase"):
        values = whole[name].values
        assert told["data_vars"][name]["shape"] == list(values.shape)
        assert told["data_vars"][name]["median"] == pytest.approx(np.nanmedian(values))
        assert "data" not in told["data_vars"][name]
    assert told["data_vars"]["score"]["data"] == pytest.approx(float(whole["score"]))
    short = json.loads(dyadloop("synchrony", recording, "--fs", 10, "--json").stdout)
    assert len(short["data_vars"]["window_z"]["data"]) == 8


def test_a_map_over_periods_has_a_logarithmic_axis_and_shows_where_the_ends_reach():
    a, b = follower(n=1200)
    found = synchrony(a, b, 10, "wavelet")
    figure = Figure()
    axes = figure.add_subplot()
    _paint_periods(figure, axes, found, "coherence")
    heights = np.array([tick for tick in axes.get_yticks()])
    assert [label.get_text() for label in axes.get_yticklabels()][:3] == ["0.25", "0.5", "1"]
    assert (np.diff(heights) == 1).all()  # octaves are equally far apart
    assert axes.collections  # the cone
    assert "period [s]" in synchrony_figure(a, b, 10, found)
