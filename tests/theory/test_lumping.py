"""Several states lumped into one: exact where they move together, and in words where the study decides."""

import json

import numpy as np
import pytest
from scipy.linalg import expm

from dyadloop.errors import TheoryError
from dyadloop.model import compile_theory
from dyadloop.theory import Composite, Theory, as_measured, composite_remarks, hypothesis, keep, lump, vary
from tests.linear import linear

MEMBERS = ("attachment", "empathy", "synchrony", "trust", "support")
WHOLE = Composite(id="alliance", label="The alliance as a whole", of=MEMBERS, assumed="for the test")


def alike(own=0.05):
    """Return the framework with components that cannot be told apart, and the numbers that make them so."""
    theory = hypothesis("combined", linear())
    numbers = {"tau": 12.0, "sd": 0.7, "between": 0.8, "start": -0.3}
    values = {f"{name}_{member}": number for member in MEMBERS for name, number in numbers.items()}
    for coupling in theory.couplings:
        if coupling.target in MEMBERS and coupling.is_linear:
            inside = coupling.source in MEMBERS
            values[coupling.id] = own if inside else {"oxytocin": 0.4}.get(coupling.source, 0.15)
    return with_values(theory, values), values


def with_values(theory, values):
    content = json.loads(theory.model_dump_json(by_alias=True))
    for group in ("couplings", "inputs"):
        for entry in content[group]:
            entry["coefficient"]["value"] = values.get(entry["id"], entry["coefficient"]["value"])
    names = {"tau": "time_constant", "sd": "fluctuation", "between": "between", "start": "start"}
    for entry in content["variables"]:
        for short, name in names.items():
            if f"{short}_{entry['id']}" in values:
                entry[name]["value"] = values[f"{short}_{entry['id']}"]
    return Theory.model_validate(content)


def process_of(theory):
    plan = compile_theory(theory)
    return plan, plan.process_model(plan.defaults())


def test_members_that_move_together_are_the_lumped_state_exactly():
    theory, _ = alike()
    (full, whole), (small, lumped) = (process_of(one) for one in (theory, lump(theory, "alliance")))
    assert small.names == ("oxytocin_patient", "oxytocin_therapist", "alliance", "depression", "stress", "fear")
    spread = np.array(
        [
            [float(name == other or (name in MEMBERS and other == "alliance")) for other in small.names]
            for name in full.names
        ]
    )
    for gate, stretches in ((0.0, (0.02, 7.0, 60.0)), (1.0, (0.02, 50 / 1440))):
        big, little = (np.asarray(one.jacobian(gate)) for one in (whole, lumped))
        for days in stretches:
            assert np.abs(expm(big * days) @ spread - spread @ expm(little * days)).max() < 1e-10
    assert np.abs(np.asarray(whole.drive) - spread @ np.asarray(lumped.drive)).max() < 1e-12
    assert np.abs(np.asarray(whole.start) - spread @ np.asarray(lumped.start)).max() < 1e-12


def test_an_event_on_all_members_moves_the_whole_as_it_moves_each():
    theory, _ = alike()
    plan, lumped = process_of(lump(theory, "alliance"))
    jumps = {entry.event: np.asarray(row) for entry, row in zip(plan.events, lumped.jumps, strict=True)}
    place = plan.names.index("alliance")
    assert jumps["work_alliance"][place] == pytest.approx(0.4)
    assert jumps["work_trust"][place] == pytest.approx(0.4 / 5)
    assert "dose" in jumps


def test_what_the_whole_does_is_the_sum_and_what_is_done_to_it_the_mean():
    theory = lump(linear(), "alliance")
    numbers = {c.id: c.coefficient for c in theory.couplings}
    assert numbers["a_alliance"].value == pytest.approx(0.1 + 0.2 + 0.25 + 0.1 + 0.2)
    assert numbers["a_alliance"].prior.scale == pytest.approx(0.3 * 5**0.5)
    assert numbers["w_alliance"].value == pytest.approx((0.2 + 0.4 + 0.4 + 0.5 + 0.3) / 5)
    assert numbers["w_alliance"].prior.scale == pytest.approx(0.5 / 5**0.5)
    assert numbers["c_depression_alliance"].value == pytest.approx(1.0)
    assert numbers["f_alliance_depression"].value == pytest.approx(0.1)
    assert "EMP-OT-01" in numbers["a_alliance"].evidence
    assert "attachment, empathy, synchrony, trust, support" in numbers["a_alliance"].assumed
    tau = theory.variable("alliance").time_constant
    assert tau.value == pytest.approx((90 * 5 * 3 * 21 * 28) ** 0.2)
    logs = np.log([90, 5, 3, 21, 28])
    assert tau.prior.scale == pytest.approx(np.sqrt((0.8**2 + 4 * 0.5**2) / 5 + logs.var()))


def test_hypotheses_cut_the_arrows_of_the_whole_too():
    reciprocal = lump(hypothesis("reciprocal", linear()), "alliance")
    network = hypothesis("network", lump(linear(), "alliance"))
    assert {c.id for c in reciprocal.couplings if "alliance" in (*c.sources, c.target)} >= {"a_alliance", "w_alliance"}
    assert not {"a_alliance", "w_alliance"} & {c.id for c in network.couplings}
    assert not any(c.id.startswith(("d_", "gamma_")) or c.id == "weakest" for c in network.couplings)
    context = {c.id: c for c in lump(hypothesis("context", linear()), "alliance").couplings}["m_alliance"]
    assert context.sources == ("oxytocin", "insecurity")
    assert context.coefficient.value == pytest.approx((0.2 + 0.4 + 0.4 + 0.5 + 0.3) / 5)


def test_what_varies_keeps_varying_under_its_new_name():
    assert lump(vary(linear(), "w_trust", "tau_support"), "alliance").varies == ("w_alliance", "tau_alliance")


def test_the_whole_stands_for_members_only_where_none_is_measured():
    theory = linear()
    assert as_measured(theory, {"alliance", "depression"}).variable("alliance").kind == "component"
    assert as_measured(theory, {"alliance", "trust"}) is theory
    assert as_measured(theory, {"trust"}) is theory
    (both,), (whole,) = (composite_remarks(theory, {"alliance", *more}) for more in (("trust",), ("oxytocin",)))
    assert "stays out, because the study also measures what makes it up (trust)" in both
    assert "stands for them (the paper calls these five" in whole
    once = as_measured(theory, {"alliance"})
    assert as_measured(once, {"alliance"}) is once
    assert keep(theory, ["oxytocin", "trust", "depression"]).composites == ()


def test_faults_of_composites_are_told():
    with pytest.raises(TheoryError, match="no composite of the theory 'framework_linear'; known: alliance"):
        lump(linear(), "bond")
    with pytest.raises(TheoryError, match="of one kind, unit and person"):
        lump(linear(), WHOLE.model_copy(update={"of": ("trust", "depression")}))
    with pytest.raises(TheoryError, match="settle nowhere"):
        lump(alike(own=0.3)[0], "alliance")
    content = json.loads(linear().model_dump_json(by_alias=True))
    content["composites"][0]["of"] = ["trust", "hope"]
    with pytest.raises(ValueError, match=r"composite alliance\.of names 'hope', which does not exist"):
        Theory.model_validate(content)
