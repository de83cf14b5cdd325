"""What a theory file names must exist, and the example of the docs is whole."""

import re

import numpy as np
import pytest
import yaml

from dyadloop.errors import TheoryError
from dyadloop.estimands import catalogue as estimands
from dyadloop.theory import PRESETS, Theory, keep, read_theory
from dyadloop.theory.references import COEFFICIENT, ESTIMANDS
from dyadloop.theory.uses import fit_faults
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "theory-file.md").read_text()
EXAMPLE = next(block for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL) if "schema_version" in block)


def _read(tmp_path, change=lambda content: None):
    content = yaml.safe_load(EXAMPLE)
    change(content)
    path = tmp_path / "theory.yaml"
    path.write_text(yaml.safe_dump(content))
    return read_theory(path)


def test_the_example_of_the_docs_validates_simulates_and_can_be_fitted(tmp_path):
    from dyadloop.model import compile_theory
    from dyadloop.simulation import simulate

    theory = _read(tmp_path)
    assert fit_faults(theory) == []
    run = simulate(theory, dyads=2, seed=1, steps=(2, 2))
    assert run["status"].values.tolist() == ["ok", "ok"]
    assert run["trust"].values[0, -1] != 0
    plan = compile_theory(theory, {(name, "patient") for name in ("trust", "support", "depression")}, ("dose",))
    process = plan.process_model(plan.defaults())
    assert plan.is_linear
    assert np.asarray(process.jumps).ravel().tolist() == pytest.approx([0.2 / 24, 0, 0])


def test_every_key_of_the_schema_is_documented():
    def keys(schema):
        for part in (schema, *schema.get("$defs", {}).values()):
            yield from part.get("properties", {})

    missing = sorted(key for key in keys(Theory.model_json_schema(by_alias=True)) if f"`{key}`" not in PAGE)
    assert missing == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t["claims"][1].update(formula="c_trust_depresion - c_support_depression"), "c_trust_depresion.*c_trust_depression"),
        (lambda t: t["claims"][1].update(formula="c_trust_depression * 2"), "joined by"),
        (lambda t: t["claims"][1].update(formula="c_trust_depression - w_support_trust"), "different units.*1/h"),
        (lambda t: t["claims"][0].update(formula="c_{id}_depresion"), "c_trust_depresion"),
        (lambda t: t["claims"][0].update(formula="c_{name}_depression"), "{name}"),
        (lambda t: t["claims"][0].update(formula="c_{id_depression"), "brace"),
        (lambda t: t["claims"][1].update(formula="c_{id}_depression"), "needs for_each"),
        (lambda t: t["claims"][0].update(id="C1"), "write {id}"),
        (lambda t: t["claims"][1].update(randomised_on=["trst"]), "'trst'.*trust"),
        (lambda t: t["claims"][0].update(randomised_on=["{id}s"]), "{id}s"),
        (lambda t: t["claims"][1].update(estimand="coeficient"), "coeficient.*known: coefficient"),
        (lambda t: t["claims"][1].update(estimand="reciprocity"), "for_each: component"),
        (lambda t: t["claims"].append(dict(t["claims"][1])), "'C2' is there twice"),
        (lambda t: t["hypotheses"][0].update(without=["z_*"]), "z_.*fits no coupling"),
        (lambda t: t["hypotheses"][1].update(name="none"), "'none' is there twice"),
        (lambda t: t["protocol"]["events"][0].update(event="doze"), "'doze'.*known: dose"),
        (lambda t: t.update(varies=["c_trust_depresion"]), "varies names.*c_trust_depression"),
        (lambda t: t.update(hypothesis="aliance"), "aliance.*known: alliance"),
        (lambda t: t.update(linear_form="framework_linaer"), "no preset"),
    ],
)  # fmt: skip
def test_a_name_that_does_not_exist_is_refused_with_what_is_like_it(tmp_path, change, message):
    with pytest.raises(TheoryError, match=message):
        _read(tmp_path, change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t["couplings"][0].update(centred=False), "not centred"),
        (lambda t: t.pop("correlations"), "no correlations"),
        (lambda t: t["variables"][0].pop("fluctuation"), "no fluctuation"),
        (lambda t: t["couplings"][0]["coefficient"].pop("prior"), "c_trust_depression has no prior"),
        (lambda t: t.update(varies=["c_trust_depression", "tau_trust", "sd_trust"]), "at most 2"),
        (lambda t: t.update(varies=["between_trust"]), "can vary"),
    ],
)  # fmt: skip
def test_a_theory_whose_claims_no_fit_can_judge_is_told_so(tmp_path, change, message):
    assert re.search(message, "\n".join(fit_faults(_read(tmp_path, change))))


def test_the_estimands_of_files_are_those_of_the_fit():
    assert set(ESTIMANDS) == {COEFFICIENT, *estimands._ESTIMANDS}


@pytest.mark.parametrize("name", PRESETS)
def test_presets_with_claims_can_be_fitted(name):
    theory = read_theory(name)
    assert not (theory.claims and fit_faults(theory))


def test_a_restricted_theory_may_name_what_it_has_lost():
    small = keep(read_theory("affect"), ["cheerful", "stress"])
    assert Theory.model_validate_json(small.model_dump_json(by_alias=True)) == small
