"""Print numbers of other programs beside ours on the same data: the tables of docs/coming-from.

Run from the repository: ``python docs/peers.py metafor`` (or ctsem, rmea, susy) prints a table, without a name all pages are
renewed. The numbers of the programs were made with R 4.2.2. Those of metafor lie in tests/reference; data of the others
may not ship, and are read where they lie beside the repository (../shared), as the tests do. Tables of panel models are
parts of the table in docs/alliance.md, which docs/panels.py prints.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

import dyadloop as dl
from dyadloop.evidence import trial_effects

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))
BESIDE = ROOT.parent / "shared"
SYNCHRONY = BESIDE / "reference" / "synchrony"
Row = tuple[str, float, float]


def metafor() -> Iterator[Row]:
    """Yield the pooled effect of all 182 oxytocin trial effects, by three estimators."""
    table = pd.read_csv(ROOT / "tests" / "reference" / "metafor.csv")
    effects = trial_effects("oxytocin")
    for method, test in (("FE", "z"), ("REML", "knha"), ("DL", "z")):
        theirs = table[(table["set"] == "ot:all") & (table["method"] == method) & (table["test"] == test)].iloc[0]
        ours = dl.pool(effects["effect"], effects["error"] ** 2, method, test == "knha")
        for what, own, other in (
            ("estimate", ours.estimate, "estimate"), ("standard error", ours.error, "se"), ("tau2", ours.tau2, "tau2"),
        ):  # fmt: skip
            yield f"{method} ({test}): {what}", float(theirs[other]), own


def rmea() -> Iterator[Row]:
    """Yield rMEA's grand averages and zero lags of its own example interviews."""
    grand = pd.read_csv(SYNCHRONY / "rmea_A_grand.csv").set_index("uid")["grandAver"]
    windows = pd.read_csv(SYNCHRONY / "rmea_A_windows.csv")
    for uid, theirs in grand.items():
        first, second = _interview(str(uid).removesuffix("_1"))
        found = dl.synchrony(first, second, 25, "rmea", window=60, step=30, lag=5)
        yield f"{uid}: grand average", float(theirs), float(found["score"])
        mine = windows[windows["uid"] == uid]
        yield (
            f"{uid}: mean over windows, the patient leads",
            float(mine["s1_lead"].mean()),
            float(found["s1_lead"].mean()),
        )


def susy() -> Iterator[Row]:
    """Yield SUSY's indices of one interview."""
    theirs = pd.read_csv(SYNCHRONY / "S2_rmea_normal200_seg30_hz25_maxlag5_summary.csv").iloc[0]
    found = dl.synchrony(*_interview("normal_200"), 25, "susy", segment=30, lag=5)
    for name, column, own in (
        ("mean absolute Z", "Z", "score"), ("of pseudo segments", "Z-Pseudo", "z_pseudo"), ("effect size", "ES", "effect"),
    ):  # fmt: skip
        yield name, float(theirs[column]), float(found[own])


def ctsem() -> Iterator[Row]:
    """Yield ctsem's log-likelihoods at its own points."""
    from tests.reference.test_ctsem import EXAMPLES, POINTS, log_likelihood_at

    for case, path, manifest, impulse in (
        ("sunspots", POINTS / "sunspots_long.csv", ["sunspots"], None),
        ("ctExample2", EXAMPLES / "ctExample2_long.csv", ["LeisureTime", "Happiness"], "MoneyInt"),
        ("s7_mild_fixed", POINTS / "s7_mild_fixed_long.csv", ["ATT", "EMP", "SYN", "TRU", "SUP", "OT", "SYM"], None),
    ):  # fmt: skip
        point = json.loads((POINTS / f"point_{case}.json").read_text())
        yield f"{case}: log-likelihood", point["ll"], log_likelihood_at(point, path, manifest, impulse)


def _interview(name: str) -> tuple:
    return tuple(pd.read_csv(BESIDE / "data" / "therapy_mea_rmea" / f"{name}_01.csv").to_numpy(float).T)


def table(rows: Iterator[Row], program: str) -> str:
    """Return the rows as Markdown; a difference is a bound, for the last digits depend on the machine."""
    lines = [f"| | {program} | dyadloop | difference |", "|---|---|---|---|"]
    for what, theirs, ours in rows:
        bound = next((bound for bound in ("1e-9", "1e-6") if abs(ours - theirs) < float(bound)), None)
        lines.append(
            f"| {what} | {theirs:.9g} | {ours:.9g} | {f'below {bound}' if bound else f'{ours - theirs:.1g}'} |"
        )
    return "\n".join(lines)


def panels(names: list[str]) -> str:
    """Return some models of the side-by-side table in docs/alliance.md."""
    text = (ROOT / "docs" / "alliance.md").read_text(encoding="utf-8")
    lines = re.search(r"^\| effect \| truth .*?(?=\n\n)", text, re.DOTALL | re.MULTILINE)
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[0].splitlines()] if lines else []
    kept = [cells[0].index(name) for name in ["effect", "truth", "this fit", *names]]
    return "\n".join(f"| {' | '.join(row[index] for index in kept)} |" for row in cells)


PROGRAMS = {"ctsem": ctsem, "metafor": metafor, "rmea": rmea, "susy": susy}
_BLOCK = re.compile(r"(<!-- (peers|panels): (.*?) -->\n)(.*?)(<!-- end -->)", re.DOTALL)


def renewed(text: str) -> str:
    """Return a page with its tables made anew; those whose data are not here stay."""

    def block(found: re.Match[str]) -> str:
        head, kind, name, old, end = found.groups()
        if kind == "panels":
            return f"{head}{panels(name.split(', '))}\n{end}"
        if name != "metafor" and not BESIDE.is_dir():
            return f"{head}{old}{end}"
        return f"{head}{table(PROGRAMS[name](), name)}\n{end}"

    return _BLOCK.sub(block, text)


if __name__ == "__main__":
    if sys.argv[1:]:
        print(table(PROGRAMS[sys.argv[1]](), sys.argv[1]))
    else:
        for page in sorted((ROOT / "docs" / "coming-from").glob("*.md")):
            page.write_text(renewed(page.read_text(encoding="utf-8")), encoding="utf-8")
