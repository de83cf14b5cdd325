"""LaTeX: no line is wider than a page, measured by the typesetter of matplotlib, and nothing is lost by breaking."""

import re

import pytest
import sympy
from matplotlib.font_manager import FontProperties
from matplotlib.mathtext import MathTextParser

from dyadloop.theory import PRESETS, hypothesis, read_theory
from dyadloop.theory.equations import equations
from dyadloop.theory.latex import _Page, to_latex

TEXT_WIDTH = 345.0  # [pt] of LaTeX's class `article` in ten-point type
QUAD = 10.0
COMPUTER_MODERN = FontProperties(size=10, math_fontfamily="cm")


def _lines(theory):
    whole = to_latex(theory)
    assert whole.count(r"\begin{align}") == whole.count(r"\end{align}") == 1
    return [line.strip() for line in whole.splitlines() if line.startswith("  ")]


@pytest.mark.parametrize("name", PRESETS)
def test_no_line_is_wider_than_a_page(name):
    parser = MathTextParser("path")
    for line in _lines(read_theory(name)):
        if "cases" in line:  # matplotlib sets no cases: the widest row counts
            assert len(re.sub(r"\\[a-z]+|[{}\\&]", "", line)) < 160
            continue
        plain = line.removesuffix(r"\\").replace(r"\nonumber", "").replace("&", "").replace(r"\quad", "")
        plain = re.sub(r"\|\{(.*?)\}\\right\|", r"|\1\\right|", plain).replace("{}", "")
        found = parser.parse(f"${plain}$", dpi=72, prop=COMPUTER_MODERN)
        assert found.width + QUAD < TEXT_WIDTH, (found.width, line)


def test_symbols_of_wide_parts_stand_for_what_they_replace():
    """Everything put back, the equations are those of the theory."""
    written = equations(hypothesis("synergistic"), floors=False)
    page = _Page({})
    for expression in (*written.rates.values(), *written.definitions.values()):
        for term in expression.as_ordered_terms():
            left = page.fitted(term, 30.0)
            while left.free_symbols & set(page.own.values()):
                left = left.xreplace({symbol: part for part, symbol in page.own.items()})
            assert sympy.simplify(left - term) == 0 if left != term else True
    assert page.own


def test_a_floor_is_told_beside_the_equation():
    lines = _lines(read_theory("peacemath"))
    assert sum(r"&\geq 0" in line for line in lines) == 6
    assert not any("ITE" in line or "cases" in line for line in lines)
