"""Where a study's scores come from: recordings, items, assays, games; the section ``measures`` of study.yaml."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def _no_switch_word(value: bool | int | float | str | list[float]) -> bool | int | float | str | list[float]:
    """Refuse words that older YAML takes for true or false and newer YAML for text."""
    if isinstance(value, str) and value.lower() in ("yes", "no", "on", "off", "y", "n"):
        raise ValueError(f"write true or false, not {value}")
    return value


Setting = Annotated[bool | int | float | str | list[float], AfterValidator(_no_switch_word)]


Code = Annotated[float | str, Field(union_mode="left_to_right")]


class _Source(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Answers(_Source):
    """A table of entries of persons: ``missing`` are numbers and words that stand for no answer."""

    missing: list[Code] = []


class SynchronySource(_Source):
    """Synchrony of two channels of a recording, one file per session or one per person and session.

    ``files`` names the file with ``{dyad}`` and ``{session}``; ``second_files`` that of the second person where each
    has one. ``first`` and ``second`` are columns; ``gap_values`` are numbers that stand for a gap. ``signal`` says what
    the files hold: samples as they are, video (with ``regions`` in pixels, named like ``first`` and ``second``), an
    electrocardiogram or the times of beats in seconds (both to interbeat intervals), skin conductance (to its phasic
    part) or voices (to their fundamental frequency). Voices and beats have one file per person.
    """

    kind: Literal["synchrony"]
    files: str
    second_files: str | None = None
    first: str | None = None
    second: str | None = None
    fs: Annotated[float, Field(gt=0)] | None = None
    gap_values: list[float] = []
    signal: Literal["samples", "video", "ecg", "beats", "eda", "voice"] = "samples"
    regions: dict[str, list[float] | list[tuple[float, float]]] = {}
    method: str = "windowed"
    settings: dict[str, Setting] = {}
    spikes: Annotated[float, Field(gt=0)] | None = None
    smooth: Annotated[float, Field(ge=0)] = 0.0
    transform: Literal["none", "log", "rank", "difference", "whiten"] = "none"
    surrogate: Literal["none", "between", "shift", "permutation", "phase", "iaaft"] = "none"
    draws: Annotated[int, Field(ge=19)] = 199
    value: Literal["score", "effect", "lead"] = "score"
    phase: Literal["before", "within", "after"] = "after"


class QuestionnaireSource(_Answers):
    """A table of answers: participant_id, session, optional phase and time, and one column per item.

    ``turned``: true where the reversed items were turned before the file was written, false where none was; without it
    no totals are made where the answers contradict the key. ``missing``: codes for no answer, such as [-77, 99].
    """

    kind: Literal["questionnaire"]
    file: str
    instrument: str
    scale: str = "total"
    items: tuple[str, ...] | None = None
    turned: bool | None = None
    phase: Literal["before", "within", "after"] = "after"


class AssaySource(_Source):
    """A table of wells (plate, kind, sample, signal, concentration, dilution); samples name participant and session."""

    kind: Literal["assay"]
    file: str
    model: Literal["4pl", "5pl"] = "4pl"
    weighting: Literal["relative", "constant"] = "relative"
    matrix: str
    method: str
    extracted: bool


class TrustSource(_Answers):
    """A table of trust-game decisions with a column session; trustor and trustee are participants."""

    kind: Literal["trust_game"]
    file: str
    scale: Literal["sent_share", "returned_share"] = "sent_share"
    phase: Literal["before", "within", "after"] = "after"


class GoodsSource(_Answers):
    """A table of contributions to a public good with a column session."""

    kind: Literal["public_goods"]
    file: str
    phase: Literal["before", "within", "after"] = "after"


class AccuracySource(_Source):
    """Two continuous ratings of one session: what the target felt, and what the perceiver thought of it."""

    kind: Literal["empathic_accuracy"]
    files: str
    target: str
    perceiver: str
    fs: Annotated[float, Field(gt=0)] | None = None
    bin_seconds: Annotated[float, Field(gt=0)] = 5.0
    lag: Annotated[float, Field(ge=0)] = 0.0
    phase: Literal["before", "within", "after"] = "after"


Source = Annotated[
    SynchronySource | QuestionnaireSource | AssaySource | TrustSource | GoodsSource | AccuracySource,
    Field(discriminator="kind"),
]
"""Any source, told apart by ``kind``."""
