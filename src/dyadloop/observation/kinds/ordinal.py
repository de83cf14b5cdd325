"""The kind `ordinal`: an answer of a coarse scale says between which thresholds the value lies.

The thresholds are half a step away, or the inner ones are estimated; the outer two set the unit of the scale.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from pydantic import Field, model_validator

from dyadloop.observation.kinds.censored import FARTHEST
from dyadloop.observation.kinds.kind import Alike, Keys, Kind, Parameter, Record

if TYPE_CHECKING:
    from jax import Array

_FEWEST_ANSWERS = 4
"""Answers of a scale whose inner thresholds can be estimated: the outer two thresholds set its unit."""


class _Keys(Keys):
    step: Annotated[float, Field(gt=0)] | None = Field(
        default=None,
        description="points from one answer of a coarse scale to the next: the true value lies within half a step",
    )
    thresholds: Literal["equal", "free"] = Field(
        default="equal",
        description="whether thresholds between answers are at equal distances or are estimated, but for the two ends",
    )

    @model_validator(mode="after")
    def _answers_are_sound(self) -> "_Keys":
        if self.step is not None and (getattr(self, "transform", "") == "log" or getattr(self, "scale", None) is None):
            raise ValueError("step needs a scale: [lowest, highest] and no logarithm")
        if self.thresholds == "free" and not _can_be_free(self):
            raise ValueError(
                f"free thresholds need ends_are_limits and a step that makes {_FEWEST_ANSWERS} answers or more"
            )
        return self


def _n_answers(entry: Any) -> int:  # noqa: ANN401 - an indicator
    """Return the number of answers of a coarse scale, 0 of another."""
    if entry.step is None or entry.scale is None:
        return 0
    return round((entry.scale[1] - entry.scale[0]) / entry.step) + 1


def _can_be_free(entry: Any) -> bool:  # noqa: ANN401 - an indicator
    """Return whether the inner thresholds between answers can be estimated."""
    return entry.ends_are_limits and _n_answers(entry) >= _FEWEST_ANSWERS


class Answers(NamedTuple):
    """Indicator, thresholds at equal distances and inner answers of an indicator whose thresholds are estimated."""

    indicator: int
    equal: tuple[float, ...]
    inner: tuple[str, ...]


class Thresholds(NamedTuple):
    """Thresholds between the answers of one indicator.

    ``equal`` says where each threshold lies at equal distances, ``free`` where it does [units of the score]; the two
    outer ones are fixed.
    """

    equal: Any
    free: Any

    def reach(self, answer: "Array", half: "Array") -> tuple["Array", "Array"]:
        """Return how far the thresholds below and above an answer lie from where it stands at equal distances.

        ``answer`` is the number of the answer from 0; what lies outside the outer thresholds has steps as at equal
        distances. ``half`` is half a step at equal distances.
        """
        import jax.numpy as jnp

        moved = jnp.pad(self.free - self.equal, 1)
        return moved[answer] - half, moved[answer + 1] + half

    def at_equal_distances(self, value: "Array") -> "Array":
        """Return where values lie if the stretches between thresholds are made equally long."""
        import jax.numpy as jnp

        inside = (value > self.free[0]) & (value < self.free[-1])
        return jnp.where(inside, jnp.interp(value, self.free, self.equal), value)


class Ordinal(Kind):
    """Answers of a coarse scale. Each has the probability of lying between its thresholds."""

    name: ClassVar[str] = "ordinal"
    summary: ClassVar[str] = "an answer of a scale of few points (`step`): the value lies between two thresholds"
    keys: ClassVar[type[Keys] | None] = _Keys
    per_indicator: ClassVar[dict[str, float]] = {"step": float("nan"), "lowest": float("nan"), "free_answers": 0}
    positive: ClassVar[tuple[str, ...]] = ("width_",)

    def alternatives(self, entry: Any) -> dict[str, dict[str, object]]:  # noqa: ANN401 - an indicator
        """Return a coarse scale taken as continuous, and its thresholds estimated or at equal distances."""
        found: dict[str, dict[str, object]] = {}
        if entry.step is not None:
            found["continuous"] = {"step": None, "thresholds": "equal"}
        if _can_be_free(entry):
            found["thresholds"] = {"thresholds": "equal" if entry.thresholds == "free" else "free"}
        return found

    def raw(self, entry: Any, part: pd.DataFrame, y: np.ndarray) -> np.ndarray:  # noqa: ANN401 - an indicator
        """Return answers; the first one stands for all below the threshold between it and the second."""
        if entry.step is None or not entry.ends_are_limits or entry.scale is None:
            return y
        return y.clip(entry.scale[0] + entry.step / 2, entry.scale[1] - entry.step / 2)

    def claims(self, entry: Any, part: pd.DataFrame) -> np.ndarray:  # noqa: ANN401 - an indicator
        """Return which values are answers of a coarse scale: all of an indicator, or none."""
        return np.full(len(part), entry.step is not None)

    def by_indicator(self, entry: Any, scale: float) -> dict[str, float]:  # noqa: ANN401 - an indicator
        """Return the step [as score], the lowest point of the scale, and the number of answers with free thresholds."""
        return {
            "step": (entry.step or np.nan) / scale,
            "lowest": entry.scale[0] if entry.scale is not None else np.nan,
            "free_answers": _n_answers(entry) if entry.thresholds == "free" else 0,
        }

    def planned(self, scores: xr.Dataset) -> tuple[Answers, ...]:
        """Return the indicators whose thresholds are estimated."""
        found = []
        for j in np.flatnonzero(scores["free_answers"].values > 0):
            entry = scores.isel(indicator=j)
            scale = float(entry["scale"])
            step, lowest = float(entry["step"]) * scale, float(entry["lowest"])
            numbers = lowest + step * np.arange(int(entry["free_answers"]))
            equal = (numbers[:-1] + step / 2 - float(entry["center"])) / scale
            found.append(Answers(int(j), tuple(equal.tolist()), tuple(f"{number:g}" for number in numbers[1:-1])))
        return tuple(found)

    def parameters(self, plan: tuple[Answers, ...], indicators: tuple[str, ...]) -> dict[str, Parameter]:
        """Return the widths of the inner answers."""
        why = "answers are about equally wide, one perhaps twice another"
        return {
            f"width_{indicators[entry.indicator]}_{answer}": Parameter(1.0, "1", "lognormal", 1.0, 0.5, why)
            for entry in plan
            for answer in entry.inner
        }

    def numbers(
        self, plan: tuple[Answers, ...], indicators: tuple[str, ...], values: Mapping[str, Any]
    ) -> dict[int, Thresholds]:
        """Return thresholds from the widths of the inner answers, which share the stretch between the outer ones."""
        import jax.numpy as jnp

        found = {}
        for entry in plan:
            name, equal = indicators[entry.indicator], jnp.asarray(entry.equal)
            widths = jnp.stack([jnp.asarray(values[f"width_{name}_{answer}"]) for answer in entry.inner])
            places = equal[0] + (equal[-1] - equal[0]) * jnp.cumsum(widths) / widths.sum()
            found[entry.indicator] = Thresholds(equal, jnp.concatenate([equal[:1], places[:-1], equal[-1:]]))
        return found

    def record(
        self, values: dict[str, np.ndarray], about: dict[str, np.ndarray], score: np.ndarray, plan: tuple[Answers, ...]
    ) -> Record:
        """Return half a step of each indicator, and which answer each score is where thresholds are estimated."""
        import jax.numpy as jnp

        half = jnp.asarray(np.nan_to_num(about["step"]) / 2)
        if not plan:
            return Record({}, {"half_step": half})
        equal = np.full((score.shape[2], max(len(entry.equal) for entry in plan)), np.inf)  # infinite beyond the last
        for entry in plan:
            equal[entry.indicator, : len(entry.equal)] = entry.equal
        constants = {"half_step": half, "equal": jnp.asarray(equal)}
        return self.recorded(Record({}, constants), jnp.asarray(np.nan_to_num(score)))

    def recorded(self, record: Record, score: "Array") -> Record:
        """Return which answer, from 0, other scores are."""
        if "equal" not in record.constants:
            return record
        return record._replace(values={"answer": (score[..., None] > record.constants["equal"]).sum(axis=-1)})

    def given(self, record: Record, numbers: dict[int, Thresholds] | None, shape: tuple[int, ...]) -> "Array":
        """Return how far the thresholds below and above each score lie from it."""
        import jax.numpy as jnp

        half_step = record.constants["half_step"]
        half = jnp.where(half_step > 0, half_step, 1.0)
        found = jnp.broadcast_to(jnp.stack([-half, half], axis=-1), (*shape, 2))
        for j, thresholds in (numbers or {}).items():
            ends = thresholds.reach(record.values["answer"][..., j], half[j])
            found = found.at[:, :, j].set(jnp.stack(ends, axis=-1))
        return found

    def observe(
        self, v: "Array", sd: "Array", normal: "Array", given: "Array", about: dict[str, "Array"]
    ) -> tuple["Array", "Array"]:
        """Return an innovation drawn from between two ends about ``v``, and the log probability of being there."""
        import jax.numpy as jnp
        from jax.scipy.special import log_ndtr, ndtr, ndtri

        # mirrored to the lower tail, where differences of probabilities are exact
        mirrored = v + (given[0] + given[1]) / 2 > 0
        away, below, above = jnp.where(mirrored, -1.0, 1.0), v + given[0], v + given[1]
        low, high = jnp.where(mirrored, -above, below) / sd, jnp.where(mirrored, -below, above) / sd
        log_low, log_high = log_ndtr(low), log_ndtr(high)
        least, most = ndtr(jnp.maximum(low, FARTHEST)), ndtr(jnp.maximum(high, FARTHEST))
        # the normal is mirrored too, so that the draw does not jump where the side changes
        drawn = ndtri(least + ndtr(away * normal) * (most - least))
        # so far out that the two probabilities are one number, the near threshold stands for the draw
        drawn = jnp.where(most > least, jnp.clip(drawn, low, high), high)
        return away * sd * drawn, log_high + jnp.log1p(-jnp.exp(log_low - log_high))

    def plain_variance(self, record: Record) -> "Array":
        """Return the variance of a uniform error within a step."""
        return record.constants["half_step"] ** 2 / 3

    def draw(self, key: "Array", score: "Array", record: Record, numbers: dict[int, Thresholds] | None) -> "Array":
        """Return scores in which rounding to the steps of the scale makes its answers."""
        for j, thresholds in (numbers or {}).items():
            score = score.at[..., j].set(thresholds.at_equal_distances(score[..., j]))
        return score

    def alike(self, record: Record, score: np.ndarray, here: np.ndarray) -> Alike:
        """Return what rounds scores to the steps of the scale."""
        step, origin = np.zeros(score.shape[2]), np.zeros(score.shape[2])
        for j in np.flatnonzero(here.any(axis=(0, 1))):
            step[j] = 2 * float(np.asarray(record.constants["half_step"])[j])
            origin[j] = score[..., j][here[..., j]][0]
        width = np.where(step > 0, step, 1.0)
        return lambda scores: np.where(step > 0, origin + width * np.round((scores - origin) / width), scores)

    def sentence(self, count: int) -> str:
        """Return what the report says of coarse answers."""
        return (
            f"{count} values come from coarse scales. Each enters with the probability of lying between the thresholds "
            "of its answer: half a step away, or estimated where the study declares them free. Replicated data have "
            "the same steps."
        )
