"""The kind `count`: how many of a number of trials, such as trusting choices in a game; of one trial, a 0/1 answer.

The log odds are normal given the state; the count has the binomial probability at them.
"""

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from dyadloop.observation.kinds.kind import Keys, Kind, Record, Row

if TYPE_CHECKING:
    from jax import Array


class _Keys(Keys):
    kind: Literal["binary"] | None = Field(
        default=None, description="binary: answers 0 and 1, each a count out of one trial, without a column `trials`"
    )

    @model_validator(mode="before")
    @classmethod
    def _one_trial(cls, given: Any) -> Any:  # noqa: ANN401 - what stands in study.yaml
        """Take 0/1 answers as counts; their scale may be said and is known."""
        if not isinstance(given, dict) or given.get("kind") != "binary":
            return given
        if given.get("transform", "logit") not in ("none", "logit") or list(given.get("scale") or (0, 1)) != [0, 1]:
            raise ValueError("`kind: binary` takes answers 0 and 1 as they are; remove `transform` and `scale`")
        return {name: value for name, value in given.items() if name != "scale"} | {"transform": "logit"}

    @model_validator(mode="after")
    def _knows_its_scale(self) -> "_Keys":
        own = (getattr(self, name, None) for name in ("scale", "reliability"))
        if getattr(self, "transform", "none") == "logit" and any(value is not None for value in own):
            raise ValueError("a logit takes a count out of `trials`, whose scale and error it knows; remove them")
        return self


def _is_answer(row: Row) -> bool:
    """Return whether a row is an answer 0 or 1 and nothing else; note what it is otherwise."""
    if row.value not in (0, 1):
        got = f"{row.value:g} for {row.record['indicator']!r}"
        row.note("value", got, "an answer 0 or 1, as `kind: binary` says", "recode it, such as 1 for yes and 0 for no")
        return False
    beside = [name for name in ("limit", "error", "trials") if row.given(name)]
    for name in beside:
        row.note(name, repr(row.record[name]), "an empty field: an answer 0 or 1 stands alone", "remove it")
    return not beside


class Count(Kind):
    """Counts out of trials. Their scores are empirical logits, half a trial added to successes and to failures [1]_.

    References
    ----------
    .. [1] Agresti (2013), Categorical Data Analysis, section 3.1.1.
    """

    name: ClassVar[str] = "count"
    summary: ClassVar[str] = (
        "a count out of `trials` (`transform: logit`), or an answer 0 or 1 (`kind: binary`): binomial at log odds that "
        "are normal"
    )
    keys: ClassVar[type[Keys] | None] = _Keys
    transforms: ClassVar[tuple[str, ...]] = ("logit",)
    columns: ClassVar[tuple[str, ...]] = ("trials",)
    per_value: ClassVar[dict[str, float]] = {"trials": 0.0}
    knows_error: ClassVar[bool] = True

    def check_row(self, entry: Any, row: Row) -> dict[str, float]:  # noqa: ANN401 - an indicator, or None
        """Return out of how many trials a count is, NaN for an indicator that is no count."""
        text = row.record.get("trials", "")
        if entry is None or entry.transform != "logit":
            if row.given("trials"):
                expected = "no trials: the indicator is no count"
                row.note("trials", repr(text), expected, "set `transform: logit`, or remove them")
            return {"trials": float("nan")}
        if entry.kind == "binary":
            return {"trials": 1.0 if _is_answer(row) else float("nan")}
        trials = row.number("trials")
        if trials is None or trials < 1 or trials != int(trials):
            row.note("trials", repr(text), "a number of trials, 1 or more", "fill it in")
        elif not 0 <= row.value <= trials or row.value != int(row.value):
            got, expected = (
                f"{row.value:g} for {row.record['indicator']!r}",
                f"a count from 0 to {trials:g}, the trials",
            )
            row.note("value", got, expected, "write how many of the trials, not the share")
        elif row.given("limit") or row.given("error"):
            row.note(
                "value", "a count with a limit or a standard error", "a count alone", "remove the limit and the error"
            )
        return {"trials": float("nan") if trials is None else trials}

    def on_scale(self, entry: Any, part: pd.DataFrame) -> tuple[np.ndarray, tuple[float, float]] | None:  # noqa: ANN401
        """Return shares of trials."""
        if entry.transform != "logit":
            return None
        return part["value"].to_numpy(dtype=float) / part["trials"].to_numpy(dtype=float), (0.0, 1.0)

    def raw(self, entry: Any, part: pd.DataFrame, y: np.ndarray) -> np.ndarray:  # noqa: ANN401 - an indicator
        """Return the empirical logits."""
        if entry.transform != "logit":
            return y
        count, trials = (part[name].to_numpy(dtype=float) for name in ("value", "trials"))
        return np.log((count + 0.5) / (trials - count + 0.5))

    def claims(self, entry: Any, part: pd.DataFrame) -> np.ndarray:  # noqa: ANN401 - an indicator
        """Return which values are counts: all of an indicator, or none."""
        return np.full(len(part), entry.transform == "logit")

    def by_value(self, entry: Any, part: pd.DataFrame) -> dict[str, np.ndarray]:  # noqa: ANN401 - an indicator
        """Return the trials."""
        return {"trials": np.nan_to_num(part["trials"].to_numpy(dtype=float))}

    def record(
        self, values: dict[str, np.ndarray], about: dict[str, np.ndarray], score: np.ndarray, plan: tuple
    ) -> Record:
        """Return successes, trials, and the log odds of a score: ``center`` + ``scale`` * score."""
        import jax.numpy as jnp

        counts = {"successes": jnp.zeros(score.shape), "trials": jnp.asarray(values["trials"])}
        constants = {name: jnp.asarray(about[name]) for name in ("center", "scale")}
        return self.recorded(Record(counts, constants), jnp.asarray(np.nan_to_num(score)))

    def recorded(self, record: Record, score: "Array") -> Record:
        """Return the counts whose empirical logits are these scores."""
        import jax
        import jax.numpy as jnp

        trials = record.values["trials"]
        share = jax.nn.sigmoid(record.constants["center"] + record.constants["scale"] * score)
        found = jnp.clip(jnp.round((trials + 1) * share - 0.5), 0, trials)
        return record._replace(values={"successes": found, "trials": trials})

    def given(self, record: Record, numbers: Any, shape: tuple[int, ...]) -> "Array":  # noqa: ANN401 - none
        """Return successes and trials."""
        import jax.numpy as jnp

        return jnp.stack([record.values["successes"], record.values["trials"]], axis=-1)

    def observe(
        self, v: "Array", sd: "Array", normal: "Array", given: "Array", about: dict[str, "Array"]
    ) -> tuple["Array", "Array"]:
        """Return the innovation that a normal makes, and the log probability of the count at its log odds."""
        import jax
        import jax.numpy as jnp
        from jax.scipy.special import gammaln

        successes, failures, odds = given[0], given[1] - given[0], about["scale"]
        drawn = sd * normal
        place = jnp.log((successes + 0.5) / (failures + 0.5)) + odds * (drawn - v)
        ways = gammaln(given[1] + 1) - gammaln(successes + 1) - gammaln(failures + 1)
        return drawn, ways + successes * jax.nn.log_sigmoid(place) + failures * jax.nn.log_sigmoid(-place)

    def plain_variance(self, record: Record) -> "Array":
        """Return the variance of the empirical logits."""
        successes = record.values["successes"] + 0.5
        return (1 / successes + 1 / (record.values["trials"] + 1 - successes)) / record.constants["scale"] ** 2

    def draw(self, key: "Array", score: "Array", record: Record, numbers: Any) -> "Array":  # noqa: ANN401 - none
        """Return the empirical logits of counts drawn at these log odds."""
        import jax
        import jax.numpy as jnp

        center, scale = record.constants["center"], record.constants["scale"]
        trials, share = record.values["trials"], jax.nn.sigmoid(center + scale * score)
        successes = jax.random.binomial(key, trials, share)
        drawn = (jnp.log((successes + 0.5) / (trials - successes + 0.5)) - center) / scale
        return jnp.where(trials > 0, drawn, score)

    def sentence(self, count: int) -> str:
        """Return what the report says of counts."""
        return (
            f"{count} values are counts out of trials. Each has the binomial probability at log odds that are normal "
            "given the state. Replicated data are counts too."
        )
