"""The report of a design: what is planned, what it can tell, what simulated studies of it came to; one HTML file."""

from pathlib import Path

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from dyadloop.claims.claims_table import UNTESTABLE
from dyadloop.design import Design, Identifiability, effort, prospects, skeleton
from dyadloop.files import write_text
from dyadloop.reporting import design_figures as figures
from dyadloop.reporting.figures import simulated_mark
from dyadloop.reporting.tables import number, share


def design_report(
    design: Design,
    path: str | Path,
    claims: pd.DataFrame | None = None,
    worlds: pd.DataFrame | None = None,
    found: Identifiability | None = None,
) -> Path:
    """Write the report of a design.

    Parameters
    ----------
    design
        The design.
    path
        HTML file to write.
    claims, worlds
        Tables of :func:`dyadloop.assurance`; default: the report says that none was computed.
    found
        Result of :func:`dyadloop.identifiability`; default: left out.

    Returns
    -------
    Path
        The file written.
    """
    environment = Environment(
        loader=PackageLoader("dyadloop.reporting"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters |= {"number": number, "share": share}
    table = prospects(skeleton(design))
    page = environment.get_template("design.html").render(
        design=design,
        effort=effort(design),
        told=table[table["can_tell"] != UNTESTABLE].to_dict("records"),
        untold=[(why, ", ".join(mine["claim"])) for why, mine in table[table["can_tell"] == UNTESTABLE].groupby("why")],
        figures=_figures(design, claims, found),
        claims=[] if claims is None else claims[claims["untestable"] < 1].to_dict("records"),
        worlds=[] if worlds is None else worlds.to_dict("records"),
        factor=_factor(claims),
        directions=[] if found is None else found.directions.to_dict("records"),
        rivals=[] if found is None else found.rivals.to_dict("records"),
    )
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    write_text(target, page)
    return target


def _factor(claims: pd.DataFrame | None) -> str:
    """Return the factor that was varied, empty where none was."""
    first = "truth" if claims is None else str(claims.columns[0])
    return "" if first == "truth" else first


def _figures(design: Design, claims: pd.DataFrame | None, found: Identifiability | None) -> dict[str, str]:
    drawn = dict.fromkeys(("contraction", "curves", "mosaic"), "") | {"calendar": figures.calendar(design)}
    if found is not None:
        drawn["contraction"] = figures.contraction(found.claims)
    if claims is None or claims.empty:
        return drawn
    factor = _factor(claims)
    if factor:
        drawn["curves"] = simulated_mark(figures.curves(claims[claims["untestable"] < 1], factor))
    else:
        drawn["mosaic"] = simulated_mark(figures.mosaic(claims))
    return drawn
