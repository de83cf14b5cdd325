"""What is wrong with a file is said in words of ours, whatever is wrong with it."""

import copy
import random
import re
from importlib import resources

import pytest
import yaml
from pydantic import ValidationError

from dyadloop.data import StudyInfo
from dyadloop.data.wording import nearest, place, shown, wrongs
from dyadloop.errors import TheoryError
from dyadloop.measures.questionnaires.instrument import Instrument
from dyadloop.theory import Theory, read_theory
from tests.data.conftest import STUDY

FOREIGN = re.compile(
    r"Input should|Field required|Extra inputs|Value error|valid (tuple|string|number|integer|boolean|dictionary|list)"
    r"|Unable to|unable to parse|constrained|discriminat|\[type=|NoneType|\{'|None\b|\bTrue\b|\bFalse\b|literal|dict\b|tuple\b"
)
"""What pydantic and Python say."""


def _library(room, *names):
    return yaml.safe_load(resources.files(room).joinpath(*names).read_text(encoding="utf-8"))


def _study():
    content = yaml.safe_load(STUDY)
    content["measures"] = {
        "trust": {"kind": "questionnaire", "file": "x.tsv", "instrument": "phq9"},
        "ot": {"kind": "assay", "file": "y.tsv", "matrix": "saliva", "method": "ELISA", "extracted": True},
    }
    content["covariates"] = {"arm": {"of": "patient", "on": ["trust"]}}
    content["priors"] = {"w_trust": {"family": "normal", "location": 0.0, "scale": 1.0, "assumed": "wide"}}
    return content


SCHEMAS = {
    "study": (StudyInfo, _study()),
    "theory": (Theory, _library("dyadloop.theory", "library", "framework_linear.yaml")),
    "nonlinear": (Theory, _library("dyadloop.theory", "library", "panic.yaml")),
    "instrument": (Instrument, _library("dyadloop.measures.questionnaires", "library", "phq9.yaml")),
}
BAD = [
    None,
    3,
    -1.5,
    "x y!",
    "",
    True,
    [],
    [1, "a", None],
    {},
    {"a": 1},
    [{"b": 2}],
    float("nan"),
    {"kind": "nonsense"},
]


def _places(node, path=()):
    yield path
    for key, value in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        yield from _places(value, (*path, key))


def _holder(content, path):
    for step in path[:-1]:
        content = content[step]
    return content


def _broken(content, generator):
    """Return a content with one entry replaced, removed, misspelt or added."""
    content = copy.deepcopy(content)
    path = generator.choice([path for path in _places(content) if path])
    holder, how = _holder(content, path), generator.choice(["replace", "replace", "remove", "misspell", "add"])
    if how == "remove":
        del holder[path[-1]]
    elif how == "misspell" and isinstance(holder, dict):
        holder[f"{path[-1]}x"] = holder.pop(path[-1])
    elif how == "add" and isinstance(holder, dict):
        holder["nonsens"] = 1
    else:
        holder[path[-1]] = generator.choice(BAD)
    return content


@pytest.mark.parametrize("name", SCHEMAS)
def test_no_word_of_python_reaches_a_person(name):
    """Random edits of a sound file: every fault has a place of the file and words of ours."""
    model, sound = SCHEMAS[name]
    generator, found = random.Random(name), 0
    for _ in range(150):
        content = _broken(sound, generator)
        try:
            model.model_validate(content)
        except ValidationError as error:
            found += 1
            faults = wrongs(error, content, model)
            assert faults
            for fault in faults:
                said = f"{fault.place}: {'' if fault.own else fault.got + '; '}{fault.expected}; {fault.remedy}"
                assert not FOREIGN.search(said), said
                assert fault.place
                assert fault.expected
                assert "another value" not in said, said
    assert found > 60


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("study", lambda c: c["indicators"]["trust"].update(scale=5), "indicators.trust.scale: got 5; expected a list"),
        ("study", lambda c: c["indicators"]["trust"].update(scal=[1, 5]), "indicators.trust.scal: got an unknown key; expected a key of the schema; did you mean scale?"),
        ("study", lambda c: c["indicators"]["trust"].update(person="pateint"), "got 'pateint'; expected one of patient, therapist, partner, peer, other; did you mean patient?"),
        ("study", lambda c: c["indicators"]["trust"].pop("unit"), "indicators.trust.unit: got nothing; expected text; add this entry"),
        ("study", lambda c: c["measures"]["trust"].update(kind="questionaire"), "measures.trust.kind: got 'questionaire'; expected one of synchrony, questionnaire"),
        ("study", lambda c: c["measures"]["trust"].update(phase="befor"), "measures.trust.phase: got 'befor'; expected one of before, within, after; did you mean before?"),
        ("study", lambda c: c["measures"]["trust"].pop("file"), "measures.trust.file: got nothing"),
        ("study", lambda c: c["indicators"]["trust"].update(reliability=1.5), "expected a number below 1"),
        ("study", lambda c: c.update(simulated="perhaps"), "simulated: got 'perhaps'; expected true or false"),
        ("study", lambda c: c["indicators"]["trust"].update(scale=[7, 1]), "scale must be [lowest, highest]"),
        ("theory", lambda c: c["variables"][0].update(persons="patient"), "variables.oxytocin.persons: got 'patient'; expected a list"),
        ("theory", lambda c: c["couplings"][0].update({"gate": "sesion"}), "couplings.a_attachment.gate: got 'sesion'; expected one of always, session; did you mean session?"),
        ("theory", lambda c: c["couplings"][0].update({"from": 3}), "couplings.a_attachment.from: got 3; expected text or a list"),
        ("theory", lambda c: c["couplings"][0].pop("coefficient"), "couplings.a_attachment.coefficient: got nothing; expected an entry with value, unit"),
        ("theory", lambda c: c["variables"][0].update(id="Oxy tocin"), "expected small letters, digits and underscores, a letter first"),
    ],
)  # fmt: skip
def test_a_fault_names_place_value_and_remedy(name, change, said):
    model, sound = SCHEMAS[name]
    content = copy.deepcopy(sound)
    change(content)
    with pytest.raises(ValidationError) as caught:
        model.model_validate(content)
    assert any(said in str(wrong) for wrong in wrongs(caught.value, content, model)), wrongs(
        caught.value, content, model
    )


def test_one_broken_list_is_one_fault(tmp_path):
    """Where all variables are lost nobody wants to hear of every arrow that misses one."""
    content = copy.deepcopy(SCHEMAS["theory"][1]) | {"variables": {"trust": 1}}
    (tmp_path / "t.yaml").write_text(yaml.safe_dump(content))
    with pytest.raises(TheoryError, match="1 fault in the theory"):
        read_theory(tmp_path / "t.yaml")


def test_a_theory_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "t.yaml").write_bytes(b"title: caf\xe9\n")
    with pytest.raises(TheoryError, match="UTF-8"):
        read_theory(tmp_path / "t.yaml")


def test_values_and_places_are_shown_as_written():
    assert [shown(v) for v in (None, True, 3, "a", [1, None])] == ["nothing", "true", "3", "'a'", "[1, nothing]"]
    assert shown({"a": 1, "b": 2}) == "the keys a, b"
    assert len(shown("x" * 500)) < 70
    assert place(("list", 1, "key"), {"list": [{}, {"key": 2}]}) == "list.2.key"
    assert place((), {}) == "the whole file"
    assert nearest("befor", ["before", "after"]) == "did you mean before?"
    assert nearest("zzz", ["before", "after"]) == ""
