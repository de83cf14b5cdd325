"""Read study.yaml: every fault with its place, in the words of a study folder."""

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError

from dyadloop.data.schema import StudyInfo
from dyadloop.errors import Fault
from dyadloop.yaml_files import load_yaml, yaml_line

_SHOWN = 80
_WORDS = {
    "missing": "this entry",
    "string_type": "text; put it in quotes",
    "float_type": "a number",
    "float_parsing": "a number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "tuple_type": "a list such as [1, 5]",
    "list_type": "a list such as [1, 5]",
    "dict_type": "entries such as `name: value`",
    "model_type": "entries such as `name: value`",
    "model_attributes_type": "entries such as `name: value`",
    "too_long": "fewer entries",
    "union_tag_not_found": "an entry `kind`",
}


def read_info(path: Path, faults: list[Fault]) -> StudyInfo | None:
    """Return the content of study.yaml, or None after noting what is wrong with it."""
    name = path.name
    if not path.is_file():
        faults.append(Fault(name, None, None, "no such file", "a file study.yaml", "add it; see the documentation"))
        return None
    try:
        content = load_yaml(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        got = f"byte 0x{error.object[error.start]:02x}, which is not UTF-8"
        faults.append(Fault(name, None, None, got, "UTF-8", "save the file as UTF-8"))
        return None
    except yaml.YAMLError as error:
        got = "unreadable YAML"
        faults.append(Fault(name, None, None, got, " ".join(str(error).split()), "correct the syntax"))
        return None
    try:
        return StudyInfo.model_validate(content)
    except ValidationError as error:
        faults += [_fault(name, item) for item in error.errors()]
        return _without_unknown_keys(content, error)


def _fault(name: str, item: Mapping[str, Any]) -> Fault:
    """Return one fault of the schema in four parts."""
    place = ".".join(str(part) for part in item["loc"]) or None
    kind, message = item["type"], item["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    if kind == "missing":
        return Fault(name, None, place, "no such entry", f"an entry {item['loc'][-1]!r}", "add it")
    if kind == "extra_forbidden":
        known = _keys_at(StudyInfo, item["loc"][:-1])
        like = get_close_matches(str(item["loc"][-1]), known, 1)
        expected = f"{like[0]!r}?" if like else f"only {', '.join(known)}" if known else "no such entry"
        return Fault(name, None, place, _shown(item["input"]), expected, "correct or remove this entry")
    return Fault(name, None, place, _shown(item["input"]), _WORDS.get(kind) or message, "correct this entry")


def _keys_at(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    """Return the keys that an entry may have, as far as the schema can be followed."""
    if not loc:
        return list(model.model_fields)
    field = model.model_fields.get(str(loc[0]))
    found = [] if field is None else _models(field.annotation)
    if len(found) > 1:  # the kinds of a source
        found = [kind for kind in found if get_args(kind.model_fields["kind"].annotation)[0] in loc]
    return list(found[0].model_fields) if len(found) == 1 else []


def _models(annotation: Any) -> list[type[BaseModel]]:  # noqa: ANN401 - a type
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in getattr(annotation, "__args__", ()) for model in _models(part)]


def _shown(value: Any) -> str:  # noqa: ANN401 - whatever a file holds
    """Return a value of a file as it may stand there, cut where it is long."""
    if isinstance(value, dict | list | tuple):
        text = yaml_line(list(value) if isinstance(value, tuple) else value)
    else:
        text = "nothing" if value is None else repr(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."


def _without_unknown_keys(content: object, error: ValidationError) -> StudyInfo | None:
    """Return the rest of study.yaml where only unknown keys are wrong, so that the tables can be checked too."""
    if not isinstance(content, dict) or any(item["type"] != "extra_forbidden" for item in error.errors()):
        return None
    for item in error.errors():
        *path, last = item["loc"]
        holder: Any = content
        for part in path:
            holder = holder.get(part, holder)  # the kind of a source is a step of the place, not of the file
        holder.pop(last, None)
    try:
        return StudyInfo.model_validate(content)
    except ValidationError:
        return None
