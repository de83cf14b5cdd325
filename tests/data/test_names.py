"""A name that is close to a known one is asked about by that name, wherever names are given."""

import pytest

from dyadloop.data.names import known_names
from dyadloop.errors import TheoryError
from dyadloop.theory import hypothesis, read_theory
from tests.cli.program import dyadloop


def test_the_nearest_name_is_asked_about():
    assert known_names(["alliance", "affect"], "alianc") == "alliance, affect; did you mean alliance?"
    assert known_names(["alliance", "affect"], "zebra") == "alliance, affect"
    assert known_names([], "zebra") == "none"


def test_theories_and_hypotheses():
    with pytest.raises(TheoryError, match=r"did you mean alliance\?"):
        read_theory("alianc")
    with pytest.raises(TheoryError, match=r"did you mean biomarker\?"):
        hypothesis("biomaker")


@pytest.mark.parametrize(
    "call",
    [("theory", "show", "alianc"), ("schema", "studdy"), ("export", "x", "y", "--to", "bid"), ("convert", "x", "y", "--of", "scool")],
)  # fmt: skip
def test_the_command_line_asks(tmp_path, call):
    run = dyadloop(*call)
    assert run.returncode in (2, 3)
    assert "did you mean" in " ".join(run.stderr.replace("│", " ").split())
