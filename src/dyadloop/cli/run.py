"""The main job: study folder -> scores -> fit -> claims table -> report."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dyadloop.cli.calls import command_line
from dyadloop.cli.outputs import result_folder, writable_folder
from dyadloop.cli.shared import (
    INTERRUPTED,
    NOT_CONVERGED,
    AsJson,
    Chains,
    OpenDraws,
    PriorSet,
    PriorSetName,
    Quiet,
    Seed,
    StudyPath,
    TheoryOption,
    Vary,
    VaryByTherapist,
    Warmup,
    console,
    say,
)

if TYPE_CHECKING:
    from pandas import DataFrame
    from xarray import Dataset, DataTree

    from dyadloop.data import Study
    from dyadloop.inference import Settings, TheoryChoice
    from dyadloop.theory import Theory

_MADE = ("claims.json", "claims.csv", "report.html")


def run(
    context: typer.Context,
    study: StudyPath,
    out: Annotated[
        Path | None, typer.Option(help="Result folder; default results/NAME.", callback=writable_folder)
    ] = None,
    theory: TheoryOption = None,
    hypothesis: Annotated[str | None, typer.Option(help="Restrict the theory to a rival, such as biomarker.")] = None,
    prior_set: PriorSetName = "sceptical",
    all_priors: Annotated[
        bool, typer.Option("--all-priors", help="Fit all three sets; show them side by side.")
    ] = False,
    vary: Vary = None,
    vary_by_therapist: VaryByTherapist = None,
    seed: Seed = 1,
    chains: Chains = 4,
    warmup: Warmup = 200,
    draws: OpenDraws = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Run the main job: study folder -> scores -> fit -> claims table -> report.

    Sampling ends when all parameters and the estimands of all claims have converged (R-hat at most 1.01, 400 effective
    draws), or after 6,000 draws a chain; --draws fixes their number. A run that was interrupted or killed goes on where
    it was when started again; one that is complete says so.

    Example: dyadloop run examples/school --out results/school
    """
    from dyadloop.data import read_study
    from dyadloop.inference import Settings, TheoryChoice, finished

    found = read_study(study)
    choice = TheoryChoice(
        theory or found.info.theory, "." if theory else str(study), hypothesis, (), tuple(vary or ()),
        tuple(vary_by_therapist or ()),
    )  # fmt: skip
    settings, model = Settings(chains=chains, warmup=warmup, draws=draws), choice.theory()
    folder = result_folder(out, found.info.name)
    what = _what(found, model, prior_set, all_priors, seed, settings)
    if (left := finished(folder, what, _MADE)) is not None:
        say(f"complete: nothing has changed since this run ended; to compute it anew remove {folder}", quiet)
    else:
        say(_begins(found, study), quiet)
        line = command_line(context, ("seed", *vars(settings)))
        fits = _Fits(found, choice, model, seed, settings, folder, quiet, line)
        left = _judged(fits, prior_set, all_priors, what)
    _print(folder, bool(found.info.simulated), as_json)
    for text in left["said"]:
        say(text)
    if left["said"]:
        raise typer.Exit(NOT_CONVERGED)


def _begins(found: "Study", study: Path) -> str:
    """Return what a run begins with: the study, and how much of it is doubted."""
    from dyadloop.errors import number_of
    from dyadloop.measures import doubts

    doubted = doubts(found)
    more = f", {number_of(len(doubted), 'doubt')}: see dyadloop check {study}" if doubted else ""
    return f"study {found.info.name}: {len(found.dyads)} dyads, {len(found.measurements)} values, no faults{more}"


def _what(
    study: "Study", model: "Theory", prior_set: PriorSet, all_priors: bool, seed: int, settings: "Settings"
) -> dict[str, Any]:
    """Return all that decides what a run gives, as JSON can hold it."""
    from dyadloop.files import sha256
    from dyadloop.inference import versions

    theory = sha256(model.model_dump_json(by_alias=True))
    asked = {"prior_set": prior_set, "all_priors": all_priors, "seed": seed, "settings": vars(settings)}
    return {"study": study.digest, "theory": theory, **asked, "versions": versions()}


@dataclass(frozen=True)
class _Fits:
    """The fits of one run: one study and theory under one or several sets of priors."""

    study: "Study"
    choice: "TheoryChoice"
    model: "Theory"
    seed: int
    settings: "Settings"
    folder: Path
    quiet: bool
    line: str

    def under(self, kind: PriorSet, place: Path) -> "DataTree":
        """Return the fit under a set of priors, kept in a folder of its own."""
        from dyadloop.claims import unsettled
        from dyadloop.inference import Interrupted, call_of, coupling_priors, fit
        from dyadloop.reporting.progress import watch

        priors = coupling_priors(self.model, kind)
        call = call_of(self.study, self.choice, kind, self.seed, self.settings, self.line)
        try:
            with watch(_iterations(self.settings), self.quiet) as (progress, message):
                return fit(
                    self.study, self.model, priors=priors, seed=self.seed, settings=self.settings, folder=place,
                    progress=progress, message=message, call=call, promise=unsettled,
                )  # fmt: skip
        except (Interrupted, KeyboardInterrupt):
            say(f"interrupted; all finished blocks are in {place}; run the same command to go on")
            raise typer.Exit(INTERRUPTED) from None


def _iterations(settings: "Settings") -> int | None:
    """Return the iterations of all chains, None where their number is open."""
    return None if settings.draws is None else settings.chains * settings.iterations


def _judged(fits: _Fits, prior_set: PriorSet, all_priors: bool, what: dict[str, Any]) -> dict[str, Any]:
    """Fit, judge and report; leave a note of what was done and return it."""
    from dyadloop.appraisal import actor_partner_effects
    from dyadloop.claims import judge_claims as judge
    from dyadloop.claims.claims_table import rests_on_events
    from dyadloop.inference import save_rivals, write_manifest
    from dyadloop.inference.result import RUN_FILE
    from dyadloop.reporting.actor_partner import write_actor_partner
    from dyadloop.reporting.claims_table import write_claims
    from dyadloop.reporting.report import report

    post = fits.under(prior_set, fits.folder)
    for text in [
        *(f"left out: {entry}" for entry in json.loads(post.attrs["left_out"])),
        post.attrs["oxytocin_timescale"],
    ]:
        say(text, fits.quiet or not text)
    sets = _other_priors(post, prior_set, fits) if all_priors else None
    say("judging the claims and writing the report", fits.quiet)
    table = judge(post)
    rivals = _rivals(fits, prior_set, post) if rests_on_events(table) else None
    if rivals is not None:
        save_rivals(rivals, fits.folder)
        table = judge(post, rivals)
    write_claims(table, fits.folder)
    write_actor_partner(actor_partner_effects(post), fits.folder)
    report(post, fits.folder / "report.html", sets, table)
    left = {"of": what, "said": _faults(post, fits.quiet)}
    (fits.folder / RUN_FILE).write_text(json.dumps(left, indent=2) + "\n", encoding="utf-8")
    write_manifest(fits.folder)
    return left


def _rivals(fits: _Fits, kind: PriorSet, post: "DataTree") -> "Dataset | None":
    """Compare the fitted hypothesis with rivals that could explain what would be supported; None if it has none."""
    from dyadloop.appraisal import compare
    from dyadloop.claims.randomisation import RIVALS
    from dyadloop.inference import Interrupted, coupling_priors
    from dyadloop.reporting.progress import steps
    from dyadloop.theory import linear_form

    own, theory = str(post.attrs["hypothesis"]), replace(fits.choice, hypothesis=None).theory()
    settings = replace(fits.settings, draws=post["posterior"].sizes["draw"])
    known = [rival.name for rival in linear_form(theory).hypotheses if rival.name in RIVALS]
    names = [own, *(name for name in known if name != own)]
    if not own or len(names) < 2:
        return None
    say(f"a claim would be supported: comparing {own} with {' and '.join(names[1:])} first", fits.quiet)
    place = fits.folder / "rivals"
    try:
        with steps(fits.quiet) as progress:
            return compare(
                fits.study, names, theory, priors=coupling_priors(theory, kind), seed=fits.seed,
                settings=settings, folder=place, progress=progress, message=lambda text: say(text, fits.quiet),
            )  # fmt: skip
    except (Interrupted, KeyboardInterrupt):
        say(f"interrupted; all finished blocks are in {place}; run the same command to go on")
        raise typer.Exit(INTERRUPTED) from None


def _print(folder: Path, simulated: bool, as_json: bool) -> None:
    """Print the claims that a run left in its folder."""
    from dyadloop.reporting.actor_partner import print_actor_partner
    from dyadloop.reporting.claims_table import print_claims, read_claims

    if as_json:
        print((folder / "claims.json").read_text(encoding="utf-8"), end="")
    else:
        print_claims(read_claims(folder), console(), simulated)
        print_actor_partner(folder, console())
        print(f"\nreport: {folder / 'report.html'}")


def _faults(post: "DataTree", quiet: bool) -> list[str]:
    """Return what is wrong with a fit, in words; nothing where it has converged."""
    from dyadloop.inference import convergence_faults, prior_conflicts

    if conflicts := prior_conflicts(post):
        say(f"prior and data disagree on {', '.join(conflicts)}; see the report", quiet)
    faults = convergence_faults(post)
    return [f"not converged: {'; '.join(faults)}; run again with --draws {_enough(post)}"] if faults else []


def _other_priors(post: "DataTree", first: PriorSet, fits: _Fits) -> "DataFrame":
    """Fit the other prior sets into folders of their own and return the claims side by side."""
    from dyadloop.claims import compare_priors
    from dyadloop.inference import write_manifest
    from dyadloop.reporting.tables import write_csv

    posts = {first: post}
    for kind in ("evidence", "sceptical", "flat"):
        if kind not in posts:
            say(f"fitting under the priors {kind}", fits.quiet)
            posts[kind] = fits.under(kind, fits.folder / kind)
            write_manifest(fits.folder / kind)
    table = compare_priors(posts)
    write_csv(table, fits.folder / "prior_sets.csv")
    return table


def _enough(post: "DataTree") -> int:
    """Return how many draws per chain the worst effective sample size asks for, with a margin."""
    from dyadloop.inference.convergence import MIN_ESS

    table = post["diagnostics"].to_dataset()
    worst = float(min(table["ess_bulk"].min(), table["ess_tail"].min()))
    factor = max(1.5 * MIN_ESS / worst, 1.5) if worst > 0 else 10.0
    return int(-(-post["posterior"].sizes["draw"] * factor // 50) * 50)
