"""The commands on published evidence: list, show, check, add, pool, claims, priors, map."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dyadloop.cli.doors import Doors
from dyadloop.cli.outputs import FigurePath, svg_file, writable_file, write_figure
from dyadloop.cli.shared import (
    AsJson,
    PriorSetName,
    Quiet,
    TheoryName,
    console,
    pairs_of,
    print_json,
    print_written,
    say,
)

if TYPE_CHECKING:
    from dyadloop.evidence import Edge

evidence_app = Doors(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="""Published effects: list, check, pool them; priors and claims from evidence alone.

    \b
    Examples:
      dyadloop evidence list --from oxytocin --to trust
      dyadloop evidence claims
      dyadloop evidence priors framework""",
)
Table = Annotated[Path | None, typer.Option("--table", help="Own table of effects; default: the shipped one.")]
From = Annotated[str | None, typer.Option("--from", help="Start of the arrow, such as oxytocin.")]
To = Annotated[str | None, typer.Option("--to", help="End of the arrow, such as trust.")]


@evidence_app.command("list")
def list_rows(
    source: From = None, target: To = None, table: Table = None, as_json: AsJson = False, quiet: Quiet = False
) -> None:
    """List the effects, all or those of some arrows.

    Example: dyadloop evidence list --from oxytocin --to trust
    """
    from dyadloop.evidence import published_effects

    rows = published_effects(table)
    for column, wanted in (("edge_from", source), ("edge_to", target)):
        rows = rows if wanted is None else rows[rows[column] == wanted]
    if as_json:
        print(rows.to_json(orient="records", indent=2))
        return
    from dyadloop.reporting.tables import text_table

    headings = ("id", "arrow", "metric", "estimate", "95 %", "n", "k", "direction", "verified", "citation")
    console().print(text_table(headings, map(_listed, rows.to_dict("records"))))
    say(f"{len(rows)} rows", quiet)


def _listed(row: dict[Any, Any]) -> tuple[str, ...]:
    interval = f"[{row['ci_low']:g}, {row['ci_high']:g}]" if row["ci_low"] == row["ci_low"] else ""
    number = f"{row['estimate']:g}" if row["estimate"] == row["estimate"] else ""
    counts = [f"{row[c]:.0f}" if row[c] == row[c] else "" for c in ("n_participants", "k_studies")]
    arrow, seen = f"{row['edge_from']} -> {row['edge_to']}", "yes" if row["verified"] else "no"
    return row["id"], arrow, row["metric"], number, interval, *counts, row["direction"], seen, row["citation"]


@evidence_app.command()
def show(
    name: Annotated[str, typer.Argument(help="Id of an effect, such as OT-TRU-04.")],
    table: Table = None,
    as_json: AsJson = False,
) -> None:
    """Show one effect: what was seen, where, and what became of it.

    Example: dyadloop evidence show OT-TRU-04
    """
    from dyadloop.errors import EvidenceError
    from dyadloop.evidence import edge_evidence, published_effects

    rows = published_effects(table)
    mine = rows[rows["id"] == name]
    if mine.empty:
        raise EvidenceError(f"effect {name!r} does not exist; see: dyadloop evidence list")
    row = mine.iloc[0]
    edge = edge_evidence(row["edge_from"], row["edge_to"], rows)
    told = {str(column): value for column, value in row.items() if value == value and value not in (None, "")}
    told["in pooling"] = edge.rows.set_index("id").loc[name, "how"]
    if as_json:
        print_json(told)
    else:
        print("\n".join(f"{column}: {value}" for column, value in told.items()))


@evidence_app.command()
def check(path: Annotated[Path, typer.Argument(help="Table of effects.")], as_json: AsJson = False) -> None:
    """Check a table of effects: all faults at once, with row and remedy.

    Example: dyadloop evidence check my_effects.csv
    """
    from dyadloop.evidence import read_effects

    count = len(read_effects(path))
    if as_json:
        print_json({"effects": count, "faults": []})
    else:
        print(f"{count} effects, no faults")


@evidence_app.command()
def add(
    path: Annotated[
        Path, typer.Argument(help="Own table; it is made where it does not exist.", callback=writable_file)
    ],
    values: Annotated[list[str] | None, typer.Option("--set", help="COLUMN=VALUE, such as metric=d.")] = None,
    rows: Annotated[Path | None, typer.Option("--rows", help="CSV whose rows are added.")] = None,
    as_json: AsJson = False,
) -> None:
    """Add an effect to a table of one's own, asked for column by column in a terminal, or given.

    Example: dyadloop evidence add mine.csv --rows new.csv
    """
    import sys

    from dyadloop.errors import EvidenceError
    from dyadloop.evidence import add_effect, read_effects
    from dyadloop.evidence.table import COLUMNS

    if rows is not None:
        found = read_effects(rows)
        for effect in found:
            add_effect(path, **effect.model_dump())
        _print_added(path, [effect.id for effect in found], f"{len(found)} effects", as_json)
        return
    given = pairs_of(values)
    if not given:
        if not sys.stdin.isatty():
            raise EvidenceError("nothing to add; give --set COLUMN=VALUE, --rows FILE, or run it in a terminal")
        given = {column: typer.prompt(column, default="", err=True) for column in COLUMNS}
    unknown = sorted(set(given) - set(COLUMNS))
    if unknown:
        from dyadloop.data.names import known_names

        raise EvidenceError(f"no column {', '.join(unknown)}; known: {known_names(COLUMNS, *unknown)}")
    added = add_effect(path, **given).id
    _print_added(path, [added], added, as_json)


def _print_added(path: Path, ids: list[str], words: str, as_json: bool) -> None:
    if as_json:
        print_json({"written": [str(path)], "added": ids})
    else:
        print(f"{words} added to {path}")


@evidence_app.command()
def pool(
    source: Annotated[str, typer.Argument(help="Start of the arrow.")],
    target: Annotated[str, typer.Argument(help="End of the arrow.")],
    table: Table = None,
    figure: FigurePath = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Pool the evidence on one arrow: what enters, how it was converted, what could not be pooled and why.

    Example: dyadloop evidence pool oxytocin stress --figure stress.svg
    """
    from dataclasses import asdict

    from dyadloop.errors import EvidenceError
    from dyadloop.evidence import edge_evidence, published_effects

    edge = edge_evidence(source, target, published_effects(table))
    if edge.rows.empty:
        raise EvidenceError(f"no row on {source} -> {target}; see: dyadloop evidence list")
    if as_json:
        parts = {
            name: None if part is None else asdict(part)
            for name, part in (("pooled", edge.pooled), ("bayes", edge.bayes))
        }
        print_json(parts | {"rows": json.loads(edge.rows.to_json(orient="records"))})
    else:
        for row in edge.rows.to_dict("records"):
            print(
                f"{row['id']:<12} {row['d']:+.2f}  {row['how']}"
                if row["d"] == row["d"]
                else f"{row['id']:<12}        {row['how']}"
            )
        _print_pooled(edge)
    if figure is not None:
        if edge.pooled is None:
            raise EvidenceError(f"nothing on {source} -> {target} can be pooled, so there is nothing to draw")
        from dyadloop.reporting.evidence import edge_forest

        write_figure(edge_forest(edge), figure, quiet)


def _print_pooled(edge: "Edge") -> None:
    from dyadloop.evidence import leave_one_out

    p, b = edge.pooled, edge.bayes
    if p is None or b is None:
        print("nothing can be pooled")
        return
    print(f"pooled d {p.estimate:+.3f} [{p.low:+.3f}, {p.high:+.3f}], tau2 {p.tau2:.3f}, k = {p.k}, {p.method}")
    print(f"Bayesian {b.mean:+.3f} [{b.low:+.3f}, {b.high:+.3f}]; {b.prior}")
    print(f"a new setting: [{b.predict_low:+.3f}, {b.predict_high:+.3f}]")
    if p.k > 2:
        used = edge.studies
        rest = leave_one_out(used["d"], used["variance"], used["ids"])
        print(f"without one publication: {rest['estimate'].min():+.3f} to {rest['estimate'].max():+.3f}")


@evidence_app.command()
def claims(theory: TheoryName = "framework", table: Table = None, as_json: AsJson = False) -> None:
    """Say what published evidence alone says about each claim, without any data.

    Example: dyadloop evidence claims
    """
    from dyadloop.evidence import evidence_claims, published_effects
    from dyadloop.theory import read_theory

    found = evidence_claims(read_theory(theory), published_effects(table))
    if as_json:
        print(found.to_json(orient="records", indent=2))
        return
    from dyadloop.reporting.tables import text_table

    headings = ("claim", "arrow", "rows", "k", "+", "0", "-", "mixed", "pooled d", "reading")
    console().print(text_table(headings, map(_read_off, found.to_dict("records"))))
    print("Published effects on d, in the settings that were studied; no reading speaks of therapy.")
    print(
        "k: studies of verified rows; pooled d: mean of settings, 95 % interval where several publications are pooled."
    )


def _read_off(row: dict[Any, Any]) -> tuple[object, ...]:
    counts = [
        f"{row[c]:.0f}" if row[c] == row[c] and row[c] is not None else ""
        for c in ("rows", "studies", "positive", "null", "negative", "mixed")
    ]
    d, low, high = (float("nan") if row[c] is None else float(row[c]) for c in ("pooled_d", "low", "high"))
    number = f"{d:+.2f}" if d == d else ""
    number += f" [{low:+.2f}, {high:+.2f}]" if low == low else ""
    return row["claim"], row["arrow"], *counts, number, row["reading"]


@evidence_app.command()
def priors(
    theory: TheoryName = "framework",
    prior_set: PriorSetName = "evidence",
    everything: Annotated[bool, typer.Option("--all", help="Also time constants, fluctuations and errors.")] = False,
    table: Table = None,
    as_json: AsJson = False,
) -> None:
    """Print the priors of a theory: distribution, evidence ids, and what was assumed.

    Example: dyadloop evidence priors framework --priors evidence
    """
    from dyadloop.evidence import published_effects
    from dyadloop.theory import linear_form, read_theory

    model, own = read_theory(theory), None if table is None else published_effects(table)
    if everything:
        from dyadloop.inference import priors as whole

        found = whole(model, prior_set, table=own)
    else:
        from dyadloop.evidence import coefficient_priors

        found = coefficient_priors(linear_form(model), prior_set, table=own)
    if as_json:
        print(found.reset_index().to_json(orient="records", indent=2))
        return
    from dyadloop.reporting.tables import text_table

    rows = [
        (name, f"{row['family']}({row['location']:.3g}, {row['scale']:.3g})", row["unit"], row["source"])
        for name, row in found.iterrows()
    ]
    console().print(text_table(("parameter", "prior", "unit", "source"), rows))


@evidence_app.command("map")
def draw_map(
    figure: Annotated[Path, typer.Argument(help="SVG file to draw to.", callback=svg_file)],
    table: Table = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Draw the evidence map: every arrow with its rows, their directions and the pooled d.

    Example: dyadloop evidence map evidence.svg
    """
    from dyadloop.evidence import published_effects
    from dyadloop.reporting.evidence import evidence_map

    write_figure(evidence_map(published_effects(table)), figure, quiet)
    if as_json:
        print_written([figure], as_json)
