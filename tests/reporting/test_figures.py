"""Figures of estimates: numbers of several units never share an axis, and no label lies on another."""

import re

import pandas as pd
import pytest

from dyadloop.reporting import figures
from dyadloop.theory import read_theory


def _estimates(units, statement="A better alliance than usual in the patient's eyes precedes fewer symptoms"):
    size = {"d": 30.0}
    rows = [
        {"claim": f"C{place}", "statement": statement, "verdict": "undecided", "kind": "association", "unit": unit}
        | {"rope_low": -0.05 if unit != "d" else None, "rope_high": 0.05 * size.get(unit, 1.0)}
        | {"prior_low": -1.0 if unit != "d" else 2.0, "prior_median": 0.0, "prior_high": size.get(unit, 1.0)}
        | {"low": 0.1, "median": 0.2, "high": 0.3}
        for place, unit in enumerate(units)
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize("units", [["SD per SD"], ["SD per SD", "d", "SD per SD", "Fisher z"]])
def test_each_unit_has_a_panel_with_its_name(units):
    drawn = figures.estimates(_estimates(units))
    assert re.findall(r">estimate \[(.*?)\]<", drawn) == list(dict.fromkeys(units))
    assert ">estimate<" in figures.estimates(_estimates(["1"]))


def test_a_quantity_of_time_begins_at_0():
    assert "−" not in figures.estimates(_estimates(["d"]))


def test_no_statement_lies_on_another():
    claims = read_theory("alliance").claims
    table = pd.concat([_estimates([claim.unit], claim.statement) for claim in claims], ignore_index=True)
    drawn = figures.estimates(table)
    heights = [float(y) for y in re.findall(r'translate\([\d.]+ ([\d.]+)\)"[^>]*>(?=[A-Z][a-z\' ]{12})', drawn)]
    heights += [float(y) for y in re.findall(r'<text [^>]*y="([\d.]+)"[^>]*>[A-Z][a-z\' ]{12}', drawn)]
    assert len(heights) >= len(claims)
    gaps = [later - earlier for earlier, later in zip(sorted(heights), sorted(heights)[1:], strict=False)]
    assert min(gaps) > 8.0  # points, the size of the letters


def test_parameters_of_several_units_have_several_panels():
    columns = {name: [0.1, 0.2] for name in ("prior_low", "prior_median", "prior_high", "low", "median", "high")}
    drawn = figures.intervals(pd.DataFrame({"unit": ["SD per SD", "1/h"]} | columns, index=["a", "b"]))
    assert re.findall(r">coefficient \[(.*?)\]<", drawn) == ["SD per SD", "1/h"]
