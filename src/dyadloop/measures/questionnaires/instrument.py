"""The registry of instruments: keys as data, never item text, each with its source and licence."""

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from dyadloop.data.wording import parsed_yaml, read_yaml, wrongs
from dyadloop.errors import Fault, MeasureError, number_of

Answer = tuple[float, float]


class Instrument(BaseModel):
    """A questionnaire: how many items, on which scale, which are reversed, and how they make scores.

    Items are numbered from 1. ``source`` says where the key was seen; ``verified`` in how many sources it agrees.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1]
    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    title: str
    quantity: str
    items: Annotated[int, Field(ge=1)]
    scale: Answer
    scale_of: dict[int, Answer] = Field(default={}, description="items whose answers have another range")
    continuous: bool = Field(default=False, description="lines and sliders: answers need not be whole numbers")
    reversed: tuple[int, ...] = ()
    subscales: dict[str, tuple[int, ...]] = {}
    score: Literal["sum", "mean"]
    total: bool = Field(default=True, description="whether all items make one score")
    recall_days: Annotated[float, Field(gt=0)] | None = Field(
        default=None, description="days that the published form asks about; absent where it asks about the moment"
    )
    least_answered: Annotated[float, Field(gt=0, le=1)] = 0.8
    missing_rule: str
    alpha: Annotated[float, Field(gt=0, lt=1)] | None = None
    alpha_source: str = ""
    doi: Annotated[str, Field(pattern=r"^(10\.\d{4,9}/\S+)?$")] = ""
    citation: str
    licence: str
    source: Annotated[tuple[str, ...], Field(min_length=1)]
    verified: Annotated[str, Field(min_length=1)]

    @model_validator(mode="after")
    def _sound(self) -> "Instrument":
        known = set(range(1, self.items + 1))
        for what, numbers in (("reversed", self.reversed), *self.subscales.items(), ("scale_of", tuple(self.scale_of))):
            wrong = sorted(set(numbers) - known)
            if wrong:
                raise ValueError(f"{what}: items {wrong} are not among 1 to {self.items}")
            if len(set(numbers)) != len(numbers):
                raise ValueError(f"{what}: an item is named twice")
        for low, high in (self.scale, *self.scale_of.values()):
            if low >= high:
                raise ValueError(f"scale must be [lowest, highest], got [{low}, {high}]")
        if not self.total and not self.subscales:
            raise ValueError("an instrument needs a total or subscales")
        return self

    def range_of(self, item: int) -> Answer:
        """Return the lowest and highest answer of an item."""
        return self.scale_of.get(item, self.scale)

    def scales(self) -> dict[str, tuple[int, ...]]:
        """Return the items of every score by name; ``total`` where all items make one."""
        everything = {"total": tuple(range(1, self.items + 1))} if self.total else {}
        return everything | self.subscales

    def bounds(self, scale: str) -> Answer:
        """Return the lowest and highest score of a scale."""
        ranges = [self.range_of(item) for item in self.scales()[scale]]
        low, high = (sum(r[k] for r in ranges) for k in (0, 1))
        return (low, high) if self.score == "sum" else (low / len(ranges), high / len(ranges))


@cache
def instruments() -> dict[str, Instrument]:
    """Return the shipped instruments by id.

    Examples
    --------
    >>> phq9 = dl.instruments()["phq9"]
    >>> print(phq9.title)
    Patient Health Questionnaire, depression module
    """
    found = {}
    for file in sorted((files("dyadloop.measures.questionnaires") / "library").iterdir(), key=lambda f: f.name):
        if file.name.endswith(".yaml"):
            instrument = _parse(file.read_text(encoding="utf-8"), file.name)
            found[instrument.id] = instrument
    return found


def read_instrument(name: str | Path, folder: str | Path = ".") -> Instrument:
    """Return a shipped instrument by id, or one from a file of the same format.

    Parameters
    ----------
    name
        Id of a shipped instrument, or path of a YAML file.
    folder
        Folder that a relative path starts from.

    Raises
    ------
    MeasureError
        If there is no such instrument, or the file does not follow the schema.
    """
    if str(name) in instruments():
        return instruments()[str(name)]
    path = Path(folder) / name
    if not path.is_file():
        known = ", ".join(instruments())
        raise MeasureError(f"instrument {str(name)!r} does not exist; shipped: {known}; or give the path of a file")
    faults: list[Fault] = []
    return _instrument(read_yaml(path, path.name, faults), path.name, faults)


def _parse(text: str, name: str) -> Instrument:
    faults: list[Fault] = []
    return _instrument(parsed_yaml(text, name, faults), name, faults)


def _instrument(content: object, name: str, faults: list[Fault]) -> Instrument:
    if faults:
        raise MeasureError("\n".join(map(str, faults)))
    try:
        return Instrument.model_validate(content)
    except ValidationError as error:
        lines = [f"  {wrong}" for wrong in wrongs(error, content, Instrument)]
        count = number_of(len(lines), "fault")
        raise MeasureError("\n".join([f"{name}: {count} in the instrument", *lines])) from None
