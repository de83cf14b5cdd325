"""The formula of a claim: what it reads, and what it refuses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dyadloop.errors import TheoryError
from dyadloop.theory.formula import coefficients_of

NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
SPACE = st.sampled_from(["", " ", "  "])


@given(
    st.lists(st.tuples(NAMES, st.sampled_from([1, -1])), min_size=1, max_size=5, unique_by=lambda part: part[0]),
    SPACE, SPACE, st.booleans(),
)  # fmt: skip
def test_what_is_written_is_read(parts, before, after, plain):
    written = "".join(f"{'+' if sign > 0 else '-'}{before}{name}{after}" for name, sign in parts)
    if plain and parts[0][1] > 0:
        written = written.removeprefix("+")
    assert coefficients_of(written) == parts


def test_a_difference():
    expected = [("c_trust_depression", 1), ("c_support_depression", -1)]
    assert coefficients_of("c_trust_depression - c_support_depression") == expected
    assert coefficients_of("-effect_sad") == [("effect_sad", -1)]


def test_a_coefficient_may_count_several_times():
    assert coefficients_of("2*a - b") == [("a", 2), ("b", -1)]
    assert coefficients_of("-0.5 * a + 12 * b_c - d") == [("a", -0.5), ("b_c", 12), ("d", -1)]


@pytest.mark.parametrize(
    "formula",
    [
        "",
        " ",
        "-",
        "a -",
        "a b",
        "2 a",
        "a * b",
        "a / b",
        "a - - b",
        "A",
        "a - (b + c)",
        "a_{id}",
        "a - 1",
        "a * 2",
        "1e3 * a",
        "2 * 3 * a",
        "-2",
        "2 * - a",
    ],
)
def test_anything_else_is_refused_with_an_example(formula):
    with pytest.raises(TheoryError, match="such as c_trust_depression"):
        coefficients_of(formula)


def test_a_coefficient_that_cancels_is_refused():
    with pytest.raises(TheoryError, match="got a twice"):
        coefficients_of("a + b - a")


def test_a_factor_of_nothing_is_refused():
    with pytest.raises(TheoryError, match="got b times 0"):
        coefficients_of("a - 0.0 * b")
