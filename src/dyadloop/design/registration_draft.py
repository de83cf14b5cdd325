"""A draft of a registration from a design and what was simulated of it, and how a study departs from it."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from dyadloop.claims.claims_table import SURE, UNTESTABLE
from dyadloop.data import Study
from dyadloop.design.costs import effort
from dyadloop.design.drafting import draft
from dyadloop.design.planned_study import skeleton
from dyadloop.design.reader import theory_of
from dyadloop.design.schema import Design
from dyadloop.design.tasks import digest_of
from dyadloop.design.testability import prospects
from dyadloop.errors import FitError
from dyadloop.units import behind

TOLERANCE = 0.1
"""Share by which numbers of a study may differ from those that were registered before it counts as a deviation."""

_ONE_BY_ONE = (
    "are judged one by one, without a correction for their number: the chance that any of them is falsely supported is "
    "higher than that of each. Write here which of them count: WRITE."
)
_REGION = (
    "A larger number speaks for the claim, also where this says that something is lowered; its estimand has the sign "
    "that makes it so. The region is in the unit behind it."
)


@dataclass(frozen=True)
class Section:
    """A heading with paragraphs, and a table that may be empty."""

    heading: str
    paragraphs: tuple[str, ...] = ()
    table: pd.DataFrame | None = None


def registration(
    design: Design, claims: pd.DataFrame | None = None, worlds: pd.DataFrame | None = None
) -> list[Section]:
    """Return the sections of a registration draft.

    Parameters
    ----------
    design
        The design.
    claims
        ``claims`` of :func:`dyadloop.assurance` for the same design; without it the draft says that none was computed.
    worlds
        ``worlds`` of it: how often any claim that does not hold is supported.
    """
    theory, plan = theory_of(design), skeleton(design)
    table = prospects(plan)
    told = table[table["can_tell"] != UNTESTABLE]
    return [
        Section(design.title, (f"Question. {design.question or 'The design states none; write it under question.'}",)),
        _sampling_plan(design),
        Section("Variables", ("Measures and when they are taken.",), _measures(design)),
        Section("What is randomised", _events(design)),
        _analysis(design, digest_of(theory.model_dump(mode="json", by_alias=True))),
        Section(
            "Hypotheses and what would contradict them",
            (
                f"A claim is supported where its estimand lies beyond the region of practical equivalence with a "
                f"probability of at least {SURE:.0%}, by randomised events where it says that something acts. It is "
                "contradicted where the estimand lies on the other side or inside the region with that probability. "
                "Everything else is undecided.",
                _REGION,
                f"The {len(told)} claims below {_ONE_BY_ONE}",
            ),
            _decisions(design, told),
        ),
        Section(
            "What this design cannot test",
            _untold(table),
        ),
        _assurance(claims),
        *_any_false(worlds),
        Section("Assumptions of the design", design.assumed or ("None is named.",)),
    ]


def _untold(table: pd.DataFrame) -> tuple[str, ...]:
    untold = table[table["can_tell"] == UNTESTABLE]
    return tuple(f"{', '.join(mine['claim'])}: {why}." for why, mine in untold.groupby("why"))


def _sampling_plan(design: Design) -> Section:
    takes, sessions, missing = effort(design), design.sessions, design.missing
    whose = "" if design.therapists is None else f" of {design.therapists} therapists"
    return Section(
        "Sampling plan",
        (
            f"{design.dyads} dyads{whose}, {sessions.count} sessions of {sessions.length} every {sessions.every}.",
            f"{takes.answers} answers and {takes.samples} samples are planned; {takes.cost:,.0f} "
            f"{design.costs.currency}.",
            f"Expected losses: {missing.values:.0%} of values, {missing.dropout:.0%} of dyads.",
        ),
    )


def _measures(design: Design) -> pd.DataFrame:
    rows = []
    for name, entry in design.measures.items():
        sessions = "all" if entry.sessions == "all" else ", ".join(map(str, design.of_sessions(entry.sessions)))
        how = entry.assay.method.replace("_", " ") if entry.assay is not None else "rating"
        rows.append([name, entry.quantity, entry.person, ", ".join(entry.phases), sessions, how])
    return pd.DataFrame(rows, columns=["measure", "quantity", "person", "when", "sessions", "how"])


def _events(design: Design) -> tuple[str, ...]:
    found = []
    for name, given in design.events.items():
        unit = "sessions of each dyad" if given.by == "session" else "dyads"
        how = "drawn at random" if given.randomised else "not drawn at random"
        found.append(f"{name} (amount {given.amount:g}) in {given.share:.0%} of the {unit}, {how}.")
    return tuple(found) or ("Nothing is randomised, so no claim that something acts can be supported.",)


def _analysis(design: Design, digest: str) -> Section:
    analysis = design.analysis
    options = f" --theory {analysis.theory}" + (f" --hypothesis {analysis.hypothesis}" if analysis.hypothesis else "")
    return Section(
        "Analysis plan",
        (
            f"Command: dyadloop run STUDY{options} --priors {analysis.priors}",
            f"Theory: {analysis.theory}, SHA-256 of its fitted form {digest}.",
            f"Design: SHA-256 {digest_of(design.model_dump(mode='json'))}.",
        ),
    )


def _decisions(design: Design, told: pd.DataFrame) -> pd.DataFrame:
    theory, rows = theory_of(design), []
    for claim in theory.claims:
        subjects = [variable.id for variable in theory.of_kind(claim.for_each)] if claim.for_each else [""]
        for subject in subjects:
            name = claim.id.format(id=subject)
            mine = told[told["claim"] == name]
            if len(mine):
                low = "any" if claim.rope.low is None else f"{claim.rope.low:g}"
                rope = f"{low} to {claim.rope.high:g}{behind(claim.unit)}"
                rows.append([name, mine["statement"].iloc[0], rope, mine["can_tell"].iloc[0], mine["why"].iloc[0]])
    return pd.DataFrame(rows, columns=["claim", "statement", "equivalence region", "can tell", "why"])


def _assurance(claims: pd.DataFrame | None) -> Section:
    if claims is None or claims.empty:
        return Section("Assurance", ("None was computed; run dyadloop design assurance first.",))
    keys = ["truth", "claim", "studies", "supported", "supported_se", "contradicted", "undecided", "upper"]
    told = claims[claims["untestable"] < 1]
    return Section(
        "Assurance",
        ("Shares of simulated studies, with Monte Carlo errors; `upper` bounds false support with 95 %.",),
        told[[key for key in keys if key in told]].round(3),
    )


def _any_false(worlds: pd.DataFrame | None) -> list[Section]:
    """Return how often a study supports any claim that does not hold, by simulated world."""
    if worlds is None or worlds.empty:
        return []
    said = "Share of simulated studies that support at least one claim that does not hold; `upper` bounds it with 95 %."
    keys = ["truth", "studies", "false_support", "upper"]
    return [Section("False support of any claim", (said,), worlds[keys].round(3))]


def as_markdown(sections: list[Section]) -> str:
    """Return sections as Markdown."""
    parts = []
    for place, section in enumerate(sections):
        parts.append(f"{'#' if place == 0 else '##'} {section.heading}")
        parts += section.paragraphs
        if section.table is not None and len(section.table):
            parts.append(_markdown_table(section.table))
    return "\n\n".join(parts) + "\n"


def _markdown_table(table: pd.DataFrame) -> str:
    rows = [list(map(str, table.columns)), ["---"] * len(table.columns)]
    rows += [[_cell(value) for value in row] for row in table.itertuples(index=False)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _cell(value: object) -> str:
    return "" if value is None or value != value else str(value).replace("|", "\\|").replace("\n", " ")


def write_docx(sections: list[Section], path: Path) -> None:
    """Write sections as a DOCX file.

    Raises
    ------
    FitError
        If the package for it is not installed.
    """
    try:
        from docx import Document
    except ImportError:
        raise FitError("a DOCX file needs python-docx; install dyadloop[docx], or write Markdown") from None
    document = Document()
    for place, section in enumerate(sections):
        document.add_heading(section.heading, level=0 if place == 0 else 1)
        for text in section.paragraphs:
            document.add_paragraph(text)
        if section.table is not None and len(section.table):
            sheet = document.add_table(rows=1, cols=len(section.table.columns), style="Table Grid")
            for cell, name in zip(sheet.rows[0].cells, section.table.columns, strict=True):
                cell.text = str(name)
            for row in section.table.itertuples(index=False):
                for cell, value in zip(sheet.add_row().cells, row, strict=True):
                    cell.text = _cell(value)
    document.save(str(path))


def deviations(design: Design, study: Study) -> list[str]:
    """Return how a study departs from the design that was registered, in words; numbers may differ by a tenth.

    Raises
    ------
    DataError
        If the study has no sessions, so that it cannot be compared.
    """
    made, found = draft(study), []
    numbers = (
        ("dyads", design.dyads, made.dyads),
        ("sessions", design.sessions.count, made.sessions.count),
        ("days between sessions", design.sessions.every_days, made.sessions.every_days),
    )
    for name, planned, there in numbers:
        if abs(there - planned) > TOLERANCE * planned:
            found.append(f"{name}: {planned:g} registered, {there:g} in the study")
    planned, there = ({(e.quantity, e.person) for e in entry.measures.values()} for entry in (design, made))
    found += [f"{what} of the {who} was registered and is not measured" for what, who in sorted(planned - there)]
    found += [f"{what} of the {who} is measured and was not registered" for what, who in sorted(there - planned)]
    given, took = set(design.events), set(made.events)
    found += [f"event {name} was registered and did not take place" for name in sorted(given - took)]
    found += [f"event {name} took place and was not registered" for name in sorted(took - given)]
    if design.analysis.theory != made.analysis.theory:
        found.append(f"theory: {design.analysis.theory} registered, {made.analysis.theory} in the study")
    lost = made.missing.values - design.missing.values
    if lost > TOLERANCE:
        found.append(f"values lost: {design.missing.values:.0%} expected, {made.missing.values:.0%} lost")
    return found
