"""Commands about what a theory implies."""

import math
from typing import Annotated

import typer

from dyadloop.cli.doors import Doors
from dyadloop.cli.outputs import FigurePath, write_figure
from dyadloop.cli.shared import (
    AsJson,
    On,
    PatientOnly,
    Quiet,
    Rival,
    TheoryName,
    Values,
    console,
    print_dataset,
    print_json,
    theory_of,
    values_of,
)

dynamics_app = Doors(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Ask a theory what it implies: loops, branches, synergy, phenomena.",
)
Between = Annotated[bool, typer.Option("--between", help="Between sessions instead of in session.")]


@dynamics_app.command("equilibria")
def equilibria(
    theory: TheoryName,
    hypothesis: Rival = None,
    on: On = None,
    values: Values = None,
    patient_only: PatientOnly = False,
    between: Between = False,
    box: Annotated[
        list[str] | None,
        typer.Option(
            help="STATE=LOW,HIGH to search, such as threat=0,1; default: wider and wider until nothing is new."
        ),
    ] = None,
    starts: Annotated[int, typer.Option(min=2, help="Starting points of the search.")] = 128,
    as_json: AsJson = False,
) -> None:
    """Find the equilibria of a theory, each with its stability, and say where they were searched.

    Example: dyadloop dynamics equilibria panic_core
    """
    from dyadloop.dynamics import equilibria as find

    model = theory_of(theory, hypothesis, on, patient_only)
    bounds = _box(box)
    print_dataset(find(model, in_session=not between, box=bounds, values=values_of(values), starts=starts), as_json)


def _box(texts: list[str] | None) -> dict[str, tuple[float, float]] | None:
    from dyadloop.errors import StateError

    found: dict[str, tuple[float, float]] = {}
    for text in texts or []:
        name, _, numbers = text.partition("=")
        try:
            low, high = (float(number) for number in numbers.split(","))
        except ValueError:
            raise StateError(f"--box {text!r}: expected a state and two numbers, such as threat=0,1") from None
        if not -float("inf") < low < high < float("inf"):
            raise StateError(f"--box {text!r}: got {low:g} to {high:g}; expected two numbers, the lower one first")
        found[name.strip()] = (low, high)
    return found or None


@dynamics_app.command("portrait")
def portrait(
    theory: TheoryName,
    horizontal: Annotated[str, typer.Argument(help="State on the horizontal axis.")],
    vertical: Annotated[str, typer.Argument(help="State on the vertical axis.")],
    figure: FigurePath = None,
    hypothesis: Rival = None,
    on: On = None,
    between: Between = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Draw flow, nullclines and equilibria of two states.

    Example: dyadloop dynamics portrait marriage wife husband --figure marriage.svg
    """
    from dyadloop.reporting.explore import phase_portrait

    svg = phase_portrait(theory_of(theory, hypothesis, on, False), horizontal, vertical, in_session=not between)
    if figure is not None:
        write_figure(svg, figure, quiet)
    elif as_json:
        print_json({"svg": svg})
    else:
        print(svg)


@dynamics_app.command("gains")
def gains(
    theory: TheoryName,
    cut: Annotated[list[str] | None, typer.Option(help="Variable or kind at which the loop is cut.")] = None,
    hypothesis: Rival = None,
    on: On = None,
    values: Values = None,
    patient_only: PatientOnly = False,
    figure: FigurePath = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Print the gain matrix, the loop gain, reciprocity and spill-over, as if a session never ended.

    Example: dyadloop dynamics gains hub --figure gains.svg
    """
    from dyadloop.dynamics import gains as find
    from dyadloop.reporting.explore import gain_map

    model = theory_of(theory, hypothesis, on, patient_only)
    found = find(model, values=values_of(values), cut=tuple(cut) if cut else ("oxytocin",))
    print_dataset(found, as_json)
    if figure is not None:
        write_figure(gain_map(found), figure, quiet)


@dynamics_app.command("map")
def session_map(
    theory: TheoryName,
    every: Annotated[str | None, typer.Option(help="Distance of sessions, such as '3.5 d'.")] = None,
    length: Annotated[str | None, typer.Option(help="Length of a session, such as '50 min'.")] = None,
    hypothesis: Rival = None,
    on: On = None,
    values: Values = None,
    patient_only: PatientOnly = False,
    as_json: AsJson = False,
) -> None:
    """Print the map from session to session: fixed point, multipliers, its loop gain beside the closed form.

    Example: dyadloop dynamics map framework --every "3.5 d"
    """
    from dyadloop.dynamics import session_map as find

    model = theory_of(theory, hypothesis, on, patient_only)
    print_dataset(find(model, every=every, length=length, values=values_of(values)), as_json)


@dynamics_app.command("synergy")
def synergy(
    theory: TheoryName,
    pair: Annotated[tuple[str, str], typer.Option(help="The two components that are pushed.")] = (
        "attachment",
        "empathy",
    ),
    dose: Annotated[list[float] | None, typer.Option(help="Size of the push; repeat for several.")] = None,
    baseline: Annotated[str | None, typer.Option(help="PARAMETER=VALUE,VALUE,... to push from.")] = None,
    response: Annotated[str, typer.Option(help="Variable that is read.")] = "oxytocin",
    hypothesis: Rival = None,
    on: On = None,
    values: Values = None,
    patient_only: PatientOnly = False,
    figure: FigurePath = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Push two components, alone and together, against four nulls; say where a 2 x 2 design would have misled.

    Example: dyadloop dynamics synergy hub --baseline bias_oxytocin=-4,-2 --figure synergy.svg
    """
    from dyadloop.dynamics import synergy as find
    from dyadloop.reporting.explore import synergy_map

    model = theory_of(theory, hypothesis, on, patient_only)
    found = find(
        model,
        pair,
        doses=dose or (0.5, 1.0, 2.0),
        baseline=_baseline(baseline),
        response=response,
        values=values_of(values),
    )
    print_dataset(found, as_json)
    if figure is not None:
        write_figure(synergy_map(found), figure, quiet)


def _baseline(text: str | None) -> tuple[str, list[float]] | None:
    from dyadloop.errors import TheoryError

    if text is None:
        return None
    name, _, listed = text.partition("=")
    try:
        numbers = [float(number) for number in listed.split(",")]
    except ValueError:
        numbers = [math.nan]
    if not all(map(math.isfinite, numbers)):
        raise TheoryError(f"--baseline {text!r}: expected a parameter and finite numbers, such as bias_oxytocin=-4,-2")
    return name, numbers


@dynamics_app.command("continuation")
def continuation(
    theory: TheoryName,
    parameter: Annotated[str, typer.Argument(help="Parameter id.")],
    low: Annotated[float, typer.Argument(help="Lowest value.")],
    high: Annotated[float, typer.Argument(help="Highest value.")],
    calendar: Annotated[
        bool, typer.Option("--calendar", help="Follow the fixed point from session to session.")
    ] = False,
    hypothesis: Rival = None,
    on: On = None,
    values: Values = None,
    patient_only: PatientOnly = False,
    variable: Annotated[str | None, typer.Option(help="State to draw; default: the first.")] = None,
    figure: FigurePath = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Follow equilibria, or the fixed point of the calendar, along a parameter; locate folds and Hopf points.

    Example: dyadloop dynamics continuation panic_core activation_threat_threshold 0 1 --figure branch.svg
    """
    from dyadloop.dynamics import continuation as follow
    from dyadloop.reporting.explore import branches

    model = theory_of(theory, hypothesis, on, patient_only)
    of = "calendar" if calendar else "equilibrium"
    found = follow(model, parameter, low, high, of=of, values=values_of(values))
    print_dataset(found, as_json)
    if figure is not None:
        write_figure(branches(found, variable or str(found["variable"].values[0])), figure, quiet)


@dynamics_app.command("characteristic")
def characteristic(
    theory: TheoryName,
    hypothesis: Rival = None,
    on: On = None,
    values: Values = None,
    patient_only: PatientOnly = False,
    figure: FigurePath = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Cut the loop at oxytocin and print what answers each level of it.

    Example: dyadloop dynamics characteristic hub --figure open-loop.svg
    """
    from dyadloop.dynamics import characteristic as find
    from dyadloop.reporting.explore import open_loop

    found = find(theory_of(theory, hypothesis, on, patient_only), values=values_of(values))
    print_dataset(found, as_json)
    if figure is not None:
        write_figure(open_loop(found), figure, quiet)


@dynamics_app.command("sensitivity")
def sensitivity(
    theory: TheoryName,
    outcome: Annotated[str, typer.Option(help="session_loop_gain, or a variable at the end.")] = "session_loop_gain",
    parameter: Annotated[list[str] | None, typer.Option(help="Parameter to vary; repeat for several.")] = None,
    local: Annotated[bool, typer.Option("--local", help="Slopes at the values of the file instead of Sobol.")] = False,
    samples: Annotated[int, typer.Option(help="Base samples of Sobol's method, a power of 2.")] = 256,
    hypothesis: Rival = None,
    on: On = None,
    patient_only: PatientOnly = False,
    seed: Annotated[int, typer.Option(help="Seed of the samples.")] = 1,
    figure: FigurePath = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Print how much an outcome depends on each parameter, over their priors.

    Example: dyadloop dynamics sensitivity framework --patient-only --outcome depression --figure sobol.svg
    """
    from dyadloop.dynamics import sensitivity as find
    from dyadloop.reporting.explore import sobol_bars

    model = theory_of(theory, hypothesis, on, patient_only)
    found = find(model, outcome, parameter, method="local" if local else "sobol", samples=samples, seed=seed)
    print_dataset(found, as_json)
    if figure is not None:
        write_figure(sobol_bars(found), figure, quiet)


@dynamics_app.command("phenomena")
def phenomena(
    name: Annotated[list[str] | None, typer.Argument(help="Phenomena to ask for; default: all.")] = None,
    draws: Annotated[int, typer.Option(min=1, help="Parameter draws from the priors.")] = 100,
    seed: Annotated[int, typer.Option(help="Seed of the draws.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Ask theories for the phenomena that they must produce, and in what share of their parameter draws they do.

    Example: dyadloop dynamics phenomena twice_weekly plasma_gone
    """
    from dyadloop.dynamics import phenomena as ask
    from dyadloop.reporting.tables import print_table

    found = ask(tuple(name or ()), draws=draws, seed=seed)
    if as_json:
        print(found.to_json(orient="records", indent=2))
    else:
        print_table(found, console())
