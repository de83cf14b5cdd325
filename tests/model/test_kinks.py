"""Kinks: what the filter and the gains are told, and where a state lies just at one."""

import numpy as np
import pytest

from dyadloop.model import compile_theory, kinks_at, system_of
from dyadloop.theory import Theory

NUMBER = {"assumed": "a test"}


def _theory(form, constants, priors=None, **source):
    shaped = {
        "form": form,
        "constants": {
            name: {"value": value, "unit": "1", **NUMBER, **({"prior": priors[name]} if name in (priors or {}) else {})}
            for name, value in constants.items()
        },
    }
    tau = {"value": 2.0, "unit": "d", **NUMBER}
    variables = [
        {"id": name, "kind": "state", "label": name, "unit": "1", "persons": ["dyad"], "time_constant": tau,
         "fluctuation": {"value": 1.0, "unit": "1", **NUMBER}} for name in ("a", "b")
    ]  # fmt: skip
    arrow = {"id": "k", "from": "a", "to": "b", "gate": "always", "coefficient": {"value": 1.0, "unit": "1", **NUMBER}}
    return Theory.model_validate({
        "schema_version": 1, "id": "bent", "title": "t", "source": "t", "variables": variables,
        "couplings": [{**arrow, **shaped, **source}],
        "correlations": {name: {"value": 0.0, "unit": "Fisher z", **NUMBER} for name in ("between", "noise")},
    })  # fmt: skip


def _wide(scale):
    return {"power": {"family": "lognormal", "location": 2.5, "scale": scale}}


@pytest.mark.parametrize(
    ("form", "constants", "priors", "gain_undefined", "more_points"),
    [
        ("tanh", {"scale": 1.0}, None, False, False),
        ("hill", {"half": 1.0, "power": 1.0}, None, True, True),
        ("hill", {"half": 1.0, "power": 1.5}, None, False, True),  # its curvature has no bound at 0
        ("hill", {"half": 1.0, "power": 3.0}, None, False, False),
        ("hill", {"half": 1.0, "power": 2.5}, _wide(0.05), False, False),
        ("hill", {"half": 1.0, "power": 2.5}, _wide(0.5), True, True),  # a power of 1 is within its prior
        ("power", {"power": 1.0}, None, True, True),
        ("inhibition", {"half": 1.0}, None, True, True),
        ("ojive", {"steepness": 1.0, "threshold": 1.0}, None, True, True),
        ("threshold", {"threshold": 0.5}, None, True, True),
    ],
)  # fmt: skip
def test_what_forms_declare_decides(form, constants, priors, gain_undefined, more_points):
    plan = compile_theory(_theory(form, constants, priors, centred=True))
    assert plan.has_kink == (["k"] if gain_undefined else [])
    assert plan.process_model(plan.defaults()).nonlinear.has_kink is more_points


def test_a_state_just_at_a_kink_is_told():
    plan = compile_theory(_theory("inhibition", {"half": 2.0}))
    system = system_of(plan, plan.defaults())
    assert kinks_at(system, np.array([0.0, 0.3]), True) == ["k (inhibition at 0: slope 0 left and -0.5 right)"]
    assert kinks_at(system, np.array([0.1, 0.3]), True) == []
    assert float(system.jacobian(np.zeros(2), True)[1, 0]) == pytest.approx(-0.5 / 2.0)
