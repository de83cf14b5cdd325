"""A quantity that the theory does not know is doubted where it is close to one that it knows."""

from dyadloop.data import read_study
from dyadloop.exchange import new_study
from dyadloop.measures.quantity_doubts import quantity_doubts
from dyadloop.theory import read_theory
from dyadloop.theory.measured import quantities_of
from tests.cli.program import dyadloop


def _study(tmp_path, quantity, theory="alliance"):
    tmp_path.mkdir(exist_ok=True)
    folder = new_study(tmp_path / "mine", "alliance")
    text = (folder / "study.yaml").read_text()
    text = text.replace("quantity: symptoms", f"quantity: {quantity}").replace("theory: alliance", f"theory: {theory}")
    (folder / "study.yaml").write_text(text)
    return folder


def test_a_misspelt_quantity_is_a_doubt(tmp_path):
    folder = _study(tmp_path, "symptom")
    (found,) = quantity_doubts(read_study(folder))
    assert (found.column, found.remedy) == ("indicators.phq9.quantity", "did you mean symptoms?")
    run = dyadloop("check", folder)
    assert "1 doubt" in run.stderr
    assert "did you mean symptoms?" in run.stdout


def test_another_quantity_is_none(tmp_path):
    assert quantity_doubts(read_study(_study(tmp_path, "sleep"))) == []
    assert quantity_doubts(read_study(_study(tmp_path / "other", "symptoms"))) == []


def test_a_theory_that_is_not_there_is_a_fault_of_its_own(tmp_path):
    assert quantity_doubts(read_study(_study(tmp_path, "symptom", "aliance"))) == []


def test_quantities_are_those_of_the_fitted_form_too():
    assert "alliance" in quantities_of(read_theory("framework"))
    assert quantities_of(read_theory("alliance")) == ["alliance", "symptoms"]
