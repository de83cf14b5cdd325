"""A design that compiles quickly: trust rated after two sessions, work on it in one of two arms."""

from dyadloop.design import Design
from dyadloop.design.reader import design_of
from dyadloop.theory import keep, read_theory
from dyadloop.yaml_files import dump_yaml

ERROR, RELIABILITY = 0.5**0.5, 0.5


def theory_file(folder, randomised_on=(), rope=0.05):
    """Write a theory of trust alone, whose one claim is about the effect of work on it."""
    theory = keep(read_theory("framework_linear"), ["trust"])
    content = theory.model_dump(mode="json", by_alias=True)
    content["claims"] = [
        {
            "id": "W", "statement": "Work raises trust", "estimand": "coefficient", "formula": "work_trust",
            "unit": "SD within persons", "randomised_on": list(pushes), "rope": {"low": -rope, "high": rope, "assumed": "a test"},
        }
    ]  # fmt: skip
    path = folder / "trust.yaml"
    path.write_text(dump_yaml(content))
    return path


def content(theory, **changes):
    return {
        "schema_version": 1,
        "name": "small",
        "title": "Two arms",
        "dyads": 80,
        "sessions": {"count": 2, "every": "7 d", "length": "50 min"},
        "measures": {"trust": {"quantity": "trust", "when": "after", "reliability": RELIABILITY}},
        "events": {"work_trust": {"by": "dyad", "share": 0.5, "sessions": [1]}},
        "analysis": {"theory": str(theory)},
    } | changes


def design(theory, **changes) -> Design:
    return design_of(content(theory, **changes))
