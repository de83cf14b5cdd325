"""Designs and what they could show, for the terminal."""

import pandas as pd
from rich.console import Console

from dyadloop.claims.claims_table import UNTESTABLE
from dyadloop.design import Assurance, Design, Effort, Identifiability
from dyadloop.reporting.tables import number, share, text_table


def print_design(design: Design, takes: Effort, table: pd.DataFrame, console: Console) -> None:
    """Print what a design takes and what it can say of each claim."""
    sessions = design.sessions
    console.print(f"{design.title}", markup=False)
    console.print(
        f"{design.dyads} dyads, {sessions.count} sessions of {sessions.length} every {sessions.every}: "
        f"{takes.sessions} sessions, {takes.answers} answers, {takes.samples} samples; "
        f"{takes.cost:,.0f} {design.costs.currency}",
        markup=False,
    )
    for text in design.assumed:
        console.print(f"assumed: {text}", markup=False)
    told = table[table["can_tell"] != UNTESTABLE]
    headings = ("claim", "can_tell", "why", "statement")
    console.print(text_table(headings, told[list(headings)].itertuples(index=False)))
    for why, mine in table[table["can_tell"] == UNTESTABLE].groupby("why", sort=False):
        console.print(f"not testable with this design ({', '.join(mine['claim'])}): {why}", markup=False)


def print_assurance(made: Assurance, console: Console) -> None:
    """Print verdicts of simulated studies by claim, and false support by world."""
    factor = [name for name in made.claims.columns[:1] if name != "truth"]
    told = made.claims[made.claims["untestable"] < 1]
    headings = (*factor, "truth", "claim", "holds", "supported", "contradicted", "undecided", "power", "coverage")
    rows = [_claim_row(row, factor) for row in told.to_dict("records")]
    console.print(text_table((*headings, "width", "type S", "type M"), rows))
    untold = made.claims[made.claims["untestable"] == 1].drop_duplicates("claim")
    for why, mine in untold.groupby("why", sort=False):
        console.print(f"not testable with this design ({', '.join(mine['claim'])}): {why}", markup=False)
    console.print()
    worlds = (*factor, "truth", "studies", "false support", "upper 95 %", "of oxytocin", "upper 95 %", "right support")
    keys = ("false_support", "upper", "false_oxytocin", "oxytocin_upper", "right_oxytocin")
    console.print(
        text_table(
            worlds,
            [
                (*(row[name] for name in factor), row["truth"], row["studies"], *(number(row[key]) for key in keys))
                for row in made.worlds.to_dict("records")
            ],
        )
    )
    _print_comparisons(made, factor, console)
    _print_agreement(made, console)


def _print_comparisons(made: Assurance, factor: list[str], console: Console) -> None:
    """Print how often each hypothesis wins; a star marks the one that is true."""
    if made.comparisons.empty:
        return
    headings = (*factor, "truth", "hypothesis", "studies", "scores best", "best, all others worse", "heavy tails")
    rows = [
        (
            *(row[name] for name in factor),
            row["truth"],
            f"{row['hypothesis']}{' *' if row['hypothesis'] == row['truth'] else ''}",
            row["studies"],
            *(f"{share(row[name])} ({number(row[f'{name}_se'])})" for name in ("best", "alone")),
            share(row["bad_k"]),
        )
        for row in made.comparisons.to_dict("records")
    ]
    console.print(text_table(headings, rows))
    console.print()


def _claim_row(row: dict, factor: list[str]) -> tuple:
    shares = [f"{share(row[name])} ({number(row[f'{name}_se'])})" for name in ("supported", "contradicted")]
    numbers = [number(row[name]) for name in ("width", "type_s", "type_m")]
    own = [row[name] for name in factor]
    return (*own, row["truth"], row["claim"], number(row["holds"]), *shares, share(row["undecided"]),
            number(row["power"]), number(row["coverage"]), *numbers)  # fmt: skip


def _print_agreement(made: Assurance, console: Console) -> None:
    for row in made.agreement.to_dict("records"):
        note = "" if row["enough"] == "yes" else "; this is under 95 %, so the rates above may be off by as much"
        console.print(
            f"{row['truth']}: sampling confirms {row['agree']:.0%} of {row['verdicts']} verdicts in {row['studies']} "
            f"studies{note}",
            markup=False,
        )
    if made.agreement.empty:
        console.print("no study was sampled (--nuts), so whether the approximation is fair here is not known")


def print_identifiability(found: Identifiability, console: Console) -> None:
    """Print what a plan can tell of claims, what is hardly told, and which rivals are told apart."""
    told, whole = found.rank
    console.print(f"data tell of {told} of {whole} directions of the parameters, beyond a tenth of what priors tell")
    for words in found.directions["words"]:
        console.print(f"  {words}", markup=False)
    claims = found.claims[found.claims["can_tell"] != UNTESTABLE]
    headings = ("claim", "can tell", "prior SD", "expected SD", "contraction", "by events", "contraction")
    keys = ("prior_sd", "expected_sd", "contraction", "randomised_expected_sd", "randomised_contraction")
    rows = [(row["claim"], row["can_tell"], *(number(row[key]) for key in keys)) for row in claims.to_dict("records")]
    console.print(text_table(headings, rows))
    for row in found.rivals.to_dict("records"):
        apart = "told apart" if row["apart"] else "NOT told apart"
        needed = f"; {row['dyads_needed']:.0f} dyads would" if row["dyads_needed"] == row["dyads_needed"] else ""
        change = f"; {row['change']} leads to {number(row['nats_changed'])}" if row["change"] else ""
        console.print(
            f"{row['truth']} and {row['rival']}: {apart}, expected loss of log-likelihood {number(row['nats'])} "
            f"(3 is 20 to 1){'' if row['apart'] else needed + change}",
            markup=False,
        )
