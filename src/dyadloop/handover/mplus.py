"""An input file for Mplus (DSEM): the linear model in steps of one length, and its data.

References
----------
.. [1] Asparouhov, Hamaker & Muthen (2018), Dynamic structural equation models. doi:10.1080/10705511.2017.1406803
"""

from pathlib import Path

import numpy as np

from dyadloop.handover.cells import names
from dyadloop.handover.statement import Statement
from dyadloop.handover.steps import Step, observed, step_of

DATA, SCRIPT = "mplus.dat", "mplus.inp"
_LONGEST = 8
_WIDTH = 88
MISSING = -9999


def write_mplus(statement: Statement, out: Path) -> list[Path]:
    """Write ``mplus.dat`` and ``mplus.inp``."""
    told = short_names(statement)
    rows = _rows(statement)
    numbers = {dyad: k for k, dyad in enumerate(dict.fromkeys(rows["dyad"]), start=1)}
    kept = [name for name in told if name != "dyad" and name in rows]
    table = rows[kept].fillna(MISSING)
    table.insert(0, "dyad", [numbers[dyad] for dyad in rows["dyad"]])
    table.to_csv(out / DATA, sep=" ", header=False, index=False, float_format="%.9g")
    (out / SCRIPT).write_text(script(statement, told, step_of(statement)), encoding="utf-8")
    dyads = "".join(f"{number}\t{dyad}\n" for dyad, number in numbers.items())
    (out / "mplus_dyads.tsv").write_text(f"number\tdyad\n{dyads}", encoding="utf-8")
    return [out / DATA, out / SCRIPT, out / "mplus_dyads.tsv"]


def _rows(statement: Statement):  # noqa: ANN202 - a data frame
    """Return the observed moments; what happened since the one before stands at each."""
    rows = statement.rows.copy()
    for name in statement.events:
        before = rows.groupby("dyad", sort=False)[name].cumsum() - rows[name]
        rows[name] = before
    seen = rows.loc[observed(statement).index].copy()
    for name in statement.events:
        seen[name] = seen.groupby("dyad", sort=False)[name].diff().fillna(seen[name])
    return seen


def short_names(statement: Statement) -> dict[str, str]:
    """Return names of at most 8 letters for columns and factors; factors begin with f."""
    columns = ["dyad", "time", *statement.indicators, *statement.covariates, *statement.events]
    found = names(columns, _LONGEST)
    factors = names([f"f_{state}" for state in statement.states], _LONGEST, tuple(found.values()))
    return found | factors


def script(statement: Statement, told: dict[str, str], step: Step) -> str:
    """Return the input file."""
    columns = ["dyad", "time", *statement.indicators, *statement.covariates, *statement.events]
    within = [*statement.covariates, *statement.events]
    known = [f"!   {name} = {plain}" for name, plain in told.items() if name != plain]
    said = [f"! - {words}" for words in statement.unstated]
    head = [
        "TITLE: the linear model of a study, stated by dyadloop; not run by dyadloop;",
        "! Steps of one length: Mplus DSEM has no continuous time. Starting values (*) are",
        f"! dyadloop's own numbers over one step of {step.days:.6g} days.",
        "! What the model of the study has and this input has not:",
        "! - drift and diffusion: here a transition over one step and its residual covariance;",
        f"!   sessions are open for {100 * step.in_session:.3g} % of the time on average, not at their own times",
        "! - times between grid points: Mplus moves each to its grid point",
        "! - events act on the step in which they happen, not at their moment",
        "! - equal parameters of two persons: all are free here",
        *said,
    ]
    parts = [
        *(_wrapped(line, "!   ") for line in head),
        *(["! Names here:", *known] if known else []),
        f"DATA: FILE = {DATA};",
        "VARIABLE:",
        _wrapped("NAMES = " + " ".join(told[name] for name in columns) + ";"),
        _wrapped("USEVARIABLES = " + " ".join(told[n] for n in [*statement.indicators, *within]) + ";"),
        *([_wrapped("WITHIN = " + " ".join(told[name] for name in within) + ";")] if within else []),
        f"CLUSTER = {told['dyad']};",
        f"MISSING = ALL({MISSING});",
        f"TINTERVAL = {told['time']}({step.days:.9g});",
        "ANALYSIS:",
        "TYPE = TWOLEVEL;\nESTIMATOR = BAYES;\nPROCESSORS = 2;\nBITERATIONS = (5000);",
        "MODEL:\n%WITHIN%",
        *_within(statement, told, step),
        "%BETWEEN%",
        *_between(statement, told),
        "OUTPUT: TECH1 TECH8;",
    ]
    return "\n".join(parts) + "\n"


def _within(statement: Statement, told: dict[str, str], step: Step) -> list[str]:
    numbers, free, lines = statement.matrices, statement.free, []
    arrows = (step.matrix != 0) | (free["drift"] > 0) | (free["gated"] > 0)
    shifts = numbers["loading"] @ ((numbers["shift"] != 0) | (free["shift"] > 0)) != 0
    factors = [told[f"f_{state}"] for state in statement.states]
    for k, name in enumerate(factors):
        own = np.flatnonzero(numbers["loading"][:, k])
        for place, i in enumerate(own):
            mark = "@1" if place == 0 else f"*{figure4(numbers['loading'][i, k])}"
            lines.append(f"{name} BY {told[statement.indicators[i]]}{mark}{' (&1)' if place == len(own) - 1 else ''};")
    for i, j in np.ndindex(*step.matrix.shape):
        if arrows[i, j]:
            lines.append(f"{factors[i]} ON {factors[j]}&1*{figure4(float(step.matrix[i, j]))};")
    for i, j in np.ndindex(*step.noise.shape):
        if i == j:
            lines.append(f"{factors[i]}*{figure4(float(step.noise[i, i]))};")
        elif j < i and (abs(step.noise[i, j]) > 1e-12 or free["noise"][i, j]):
            lines.append(f"{factors[i]} WITH {factors[j]}*{figure4(float(step.noise[i, j]))};")
    for i, e in zip(*np.nonzero(numbers["jumps"]), strict=True):
        lines.append(f"{factors[i]} ON {told[statement.events[e]]}*{figure4(float(numbers['jumps'][i, e]))};")
    for i, indicator in enumerate(statement.indicators):
        lines.append(f"{told[indicator]}*{figure4(float(numbers['error'][i, i]))};")
        for j in range(i):
            if abs(numbers["error"][i, j]) > 1e-12 or free["error"][i, j]:
                lines.append(
                    f"{told[indicator]} WITH {told[statement.indicators[j]]}*{figure4(numbers['error'][i, j])};"
                )
        effects = numbers["loading"][i] @ numbers["shift"]
        for c in np.flatnonzero(shifts[i]):
            lines.append(f"{told[indicator]} ON {told[statement.covariates[c]]}*{figure4(effects[c])};")
    return lines


def _between(statement: Statement, told: dict[str, str]) -> list[str]:
    """Return means and the covariance of person means, which every indicator of a state reads by its loading."""
    numbers = statement.matrices
    spread = numbers["loading"] @ numbers["between"] @ numbers["loading"].T
    own = [told[name] for name in statement.indicators]
    lines = [f"[{name}*{figure4(numbers['mean'][i, 0])}];" for i, name in enumerate(own)]
    lines += [f"{name}*{figure4(spread[i, i])};" for i, name in enumerate(own)]
    for i, j in np.ndindex(*spread.shape):
        if j < i and spread[i, i] * spread[j, j] > 0:
            lines.append(f"{own[i]} WITH {own[j]}*{figure4(float(spread[i, j]))};")
    return lines


def figure4(number: float) -> str:
    """Return a starting value; Mplus takes no exponents."""
    return f"{number:.6f}"


def _wrapped(text: str, indent: str = "  ") -> str:
    """Return a statement in lines that Mplus reads whole: it takes 90 characters of each."""
    lines, line = [], ""
    for part in text.split(" "):
        if line and len(line) + 1 + len(part) > _WIDTH:
            lines.append(line)
            line = indent + part
        else:
            line = f"{line} {part}" if line else part
    return "\n".join([*lines, line])
