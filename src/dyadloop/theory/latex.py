"""A theory as LaTeX: one equation per quantity, broken into lines that fit a page."""

import re
from typing import TYPE_CHECKING

from dyadloop.theory.equations import GATE, Equations, equations
from dyadloop.theory.schema import Theory

if TYPE_CHECKING:
    import sympy

WIDEST = 62.0
"""Width of a line in letters of the running text: a column of 12 cm in ten-point type."""
_SMALL = 0.75  # width of a subscript, relative
_COMMAND = re.compile(r"\\(left|right|mathrm|quad|begin|end|nonumber|operatorname|frac|text)\b|\\\\|[{}&^\s]|cases")


def to_latex(theory: Theory) -> str:
    """Return the equations of a theory as a LaTeX align environment, with the meaning of each symbol behind it.

    Sums go over several lines. What is too wide within a term gets a symbol of its own, defined at the end.
    """
    written = equations(theory, floors=False)
    page = _Page(_names(written))
    lines = ["% needs amsmath", r"\begin{align}"]
    for name, expression in written.definitions.items():
        lines += page.equation(_symbol(name), expression)
    for name, expression in written.rates.items():
        lines += page.equation(rf"\frac{{d}}{{dt}} {_symbol(name)}", expression)
        if (lower := written.nodes[name].variable.lower) is not None:
            lines.append(rf"  {_symbol(name)} &\geq {lower:g} \\")
    lines += page.rest()
    lines.append(r"\end{align}")
    lines += [f"% {name}: {node.variable.label} [{node.variable.unit}]" for name, node in written.nodes.items()]
    lines += [f"% {name} = {value:g}" for name, value in written.values.items()]
    return "\n".join(lines) + "\n"


def width(latex: str) -> float:
    """Return about how wide LaTeX is set, in letters; the wider of the two parts of a fraction counts."""
    total, place = 0.0, 0
    while place < len(latex):
        if latex.startswith(r"\frac{", place):
            above, place = _group(latex, place + 5)
            below, place = _group(latex, place)
            total += max(width(above), width(below)) + 0.5
        elif latex.startswith("_{", place):
            inner, place = _group(latex, place + 1)
            total += _SMALL * width(inner)
        elif found := _COMMAND.match(latex, place):
            place = found.end()
        elif latex[place] == "\\":  # one sign, such as \tau
            place = re.compile(r"\\[a-zA-Z]*").match(latex, place).end()  # pyright: ignore[reportOptionalMemberAccess]
            place += place == 0
            total += 1.0
        else:
            total += 1.6 if latex[place] in "+-=<>" else 1.0
            place += 1
    return total


def _group(latex: str, place: int) -> tuple[str, int]:
    """Return what stands in the braces that open at a place, and where they have closed."""
    depth = 0
    for end in range(place, len(latex)):
        depth += {"{": 1, "}": -1}.get(latex[end], 0)
        if depth == 0:
            return latex[place + 1 : end], end + 1
    return latex[place + 1 :], len(latex)


def _names(written: Equations) -> "dict[sympy.Symbol, str]":
    import sympy

    names = {sympy.Symbol(name, real=True): _symbol(name) for name in (*written.values, *written.nodes, GATE)}
    return names | {
        sympy.Symbol(name, real=True, positive=True): _symbol(name)
        for name in written.values
        if name.startswith("tau_")
    }


def _symbol(name: str) -> str:
    head, _, tail = name.partition("_")
    greek = {"tau": r"\tau", "gamma": r"\gamma", "kappa": r"\kappa"}.get(head, rf"\mathrm{{{head}}}")
    return rf"{greek}_{{\mathrm{{{tail.replace('_', ' ')}}}}}" if tail else greek


class _Page:
    """Sets equations; ``own`` holds the expressions that got a symbol of their own."""

    def __init__(self, names: "dict[sympy.Symbol, str]") -> None:
        self.names = names
        self.own: dict[sympy.Expr, sympy.Symbol] = {}
        self.set = 0

    def latex(self, expression: "sympy.Basic") -> str:
        """Return an expression on one line."""
        import sympy

        return sympy.latex(expression, symbol_names=self.names, ln_notation=True)

    def equation(self, left: str, expression: "sympy.Expr") -> list[str]:
        """Return an equation, its right side broken between the terms of its sum."""
        terms = expression.as_ordered_terms()  # pyright: ignore[reportAttributeAccessIssue]
        lines, room = [], WIDEST - width(left) - 3
        line = ""
        for number, term in enumerate(terms):
            text = self.latex(self.fitted(term, min(room, WIDEST - 8)))  # pyright: ignore[reportArgumentType]
            text = text if number == 0 else f" - {text[1:].lstrip()}" if text.startswith("-") else f" + {text}"
            if line and width(line) + width(text) > (room if not lines else WIDEST - 8):
                lines.append(line)
                line = text.lstrip()
            else:
                line += text
        lines.append(line)
        first, *others = lines
        rows = [rf"  {left} &= {first}", *(rf"  &\quad {{}}{other}" for other in others)]
        return [rf"{row} \nonumber \\" for row in rows[:-1]] + [rf"{rows[-1]} \\"]

    def rest(self) -> list[str]:
        """Return the equations of the symbols that wide expressions got, those within them included."""
        lines = []
        while self.set < len(self.own):
            expression, symbol = list(self.own.items())[self.set]
            self.set += 1
            lines += self.equation(self.latex(symbol), expression)
        return lines

    def fitted(self, expression: "sympy.Basic", room: float) -> "sympy.Basic":
        """Return an expression with the widest of its parts replaced by symbols until it fits."""
        import sympy

        for _ in range(20):
            if width(self.latex(expression)) <= room:
                return expression
            parts = [part for part in _parts(expression) if width(self.latex(part)) > 6 and not part.is_Symbol]
            if not parts:
                return expression
            widest = max(parts, key=lambda part: width(self.latex(part)))
            inner = widest if isinstance(widest, sympy.Add | sympy.Piecewise) else self.fitted(widest, room / 2)
            if inner is widest or inner == widest:
                inner = self.named(widest)
            expression = expression.xreplace({widest: inner})  # pyright: ignore[reportArgumentType]
        return expression

    def named(self, expression: "sympy.Expr") -> "sympy.Symbol":
        """Return the symbol of an expression that is too wide."""
        import sympy

        if expression not in self.own:
            symbol = sympy.Symbol(f"u_{len(self.own) + 1}", real=True)
            self.own[expression] = symbol
            self.names[symbol] = f"u_{{{len(self.own)}}}"
        return self.own[expression]


def _parts(expression: "sympy.Basic") -> "list[sympy.Expr]":
    """Return the parts of an expression that have a value; of a condition, what it compares."""
    import sympy

    found = []
    for part in expression.args:
        found += [part] if isinstance(part, sympy.Expr) else _parts(part)
    return found
