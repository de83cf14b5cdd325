"""The commands that the app starts, from what a page asks for; each can be typed as it stands."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from dyadloop.app.requests import Body

Word = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,59}$")]
Chains = Annotated[int, Field(ge=1, le=16)]
Warmup = Annotated[int, Field(ge=50, le=20_000)]
Draws = Annotated[int, Field(ge=50, le=100_000)]
Seed = Annotated[int, Field(ge=0, le=2**31 - 1)]
PriorSet = Literal["sceptical", "evidence", "flat"]
RESULT = "{folder}"


class Fit(Body):
    """What a fit is asked for."""

    kind: Literal["fit"] = "fit"
    priors: PriorSet = "sceptical"
    hypothesis: Word | None = None
    chains: Chains = 4
    warmup: Warmup = 200
    draws: Draws = 600
    seed: Seed = 1

    @property
    def total(self) -> int:
        """Iterations of all chains."""
        return self.chains * (self.warmup + self.draws)

    def words(self, study: Path) -> list[str]:
        """Return the command."""
        rival = [f"--hypothesis={self.hypothesis}"] if self.hypothesis else []
        return ["dyadloop", "run", str(study), "--out", RESULT, "--priors", self.priors, *rival, *_sampling(self)]


class Compare(Body):
    """Which hypotheses are compared."""

    kind: Literal["compare"]
    hypotheses: Annotated[tuple[Word, ...], Field(min_length=2, max_length=10)]
    priors: PriorSet = "sceptical"
    chains: Chains = 4
    warmup: Warmup = 200
    draws: Draws = 600
    seed: Seed = 1

    def words(self, study: Path) -> list[str]:
        """Return the command."""
        names = f"--hypotheses={','.join(self.hypotheses)}"
        return ["dyadloop", "compare", str(study), names, "--out", RESULT, "--priors", self.priors, *_sampling(self)]


class Measure(Body):
    """Scores from raw files."""

    kind: Literal["measure"]

    def words(self, study: Path) -> list[str]:
        """Return the command."""
        return ["dyadloop", "measure", str(study), "--out", RESULT]


class Claims(Body):
    """Which claims a study can tell."""

    kind: Literal["claims"]

    def words(self, study: Path) -> list[str]:
        """Return the command."""
        return ["dyadloop", "check", str(study), "--claims", "--json"]


class Assurance(Body):
    """Simulated studies of a design."""

    truths: Annotated[tuple[Word, ...], Field(min_length=1, max_length=6)] = ("prior",)
    replicates: Annotated[int, Field(ge=1, le=5000)] = 100
    dyads: Annotated[tuple[Annotated[int, Field(ge=2, le=5000)], ...], Field(max_length=8)] = ()
    seed: Seed = 1

    def words(self, design: Path) -> list[str]:
        """Return the command."""
        truths = [word for truth in self.truths for word in ("--truth", truth)]
        over = ["--over", f"dyads={','.join(map(str, self.dyads))}"] if self.dyads else []
        rest = ["--replicates", str(self.replicates), "--seed", str(self.seed), "--workers", "1", "--folder", RESULT]
        return ["dyadloop", "design", "assurance", str(design), *truths, *over, *rest]


class Identifiability(Body):
    """What a design can tell before any data."""

    rivals: Annotated[tuple[Word, ...], Field(max_length=4)] = ()

    def words(self, design: Path) -> list[str]:
        """Return the command."""
        rivals = [f"--rivals={','.join(self.rivals)}"] if self.rivals else []
        return ["dyadloop", "design", "identifiability", str(design), "--no-remedies", *rivals, "--json"]


class Frontier(Body):
    """Budgets to spend, and the claim to know best."""

    claim: Annotated[str, Field(pattern=r"^C[0-9][A-Za-z0-9_.]{0,59}$")]
    budgets: Annotated[tuple[Annotated[float, Field(gt=0, le=1e12)], ...], Field(min_length=1, max_length=8)]

    def words(self, design: Path) -> list[str]:
        """Return the command."""
        return ["dyadloop.app.frontier", str(design), self.claim, ",".join(f"{one:g}" for one in self.budgets)]


def _sampling(asked: Fit | Compare) -> list[str]:
    numbers = {"--chains": asked.chains, "--warmup": asked.warmup, "--draws": asked.draws, "--seed": asked.seed}
    return [word for option, number in numbers.items() for word in (option, str(number))]
