"""What is wrong with a file that a schema describes, in words: where, what was found, what was expected, what to do.

The checks are pydantic's; its messages speak of Python and are not shown.
"""

import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError

from dyadloop.data.text import read_text
from dyadloop.errors import Fault
from dyadloop.yaml_files import load_yaml

WHOLE = "the whole file"


def read_yaml(path: Path, name: str, faults: list[Fault]) -> Any:  # noqa: ANN401 - whatever a file holds
    """Return the content of a YAML file, or None after noting why it cannot be read."""
    text = read_text(path, name, faults)
    return None if text is None else parsed_yaml(text, name, faults)


def parsed_yaml(text: str, name: str, faults: list[Fault]) -> Any:  # noqa: ANN401 - whatever a file holds
    """Return the content of a YAML text, or None after noting where it breaks off."""
    try:
        return load_yaml(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        row = None if mark is None else mark.line + 1
        expected = " ".join(str(getattr(error, "problem", None) or error).split())
        faults.append(
            Fault(name, row, None, "unreadable YAML", f"another text here ({expected})", "correct the syntax")
        )
        return None


def faults_in(error: ValidationError, content: object, model: type[BaseModel], file: str) -> list[Fault]:
    """Return what a file gets wrong as faults; its entries stand in place of columns."""
    return [
        Fault(file, None, None if wrong.place == WHOLE else wrong.place, wrong.got, wrong.expected, wrong.remedy)
        for wrong in wrongs(error, content, model)
    ]


_LONGEST = 60
_PLAIN = {
    "string": "text",
    "float": "a number",
    "int": "a whole number",
    "bool": "true or false",
    "list": "a list, such as [a, b]",
    "tuple": "a list, such as [a, b]",
    "set": "a list, such as [a, b]",
    "frozen_set": "a list, such as [a, b]",
    "dict": "keys with values, such as {a: 1}",
    "mapping": "keys with values, such as {a: 1}",
    "model": "keys with values, such as {a: 1}",
    "model_attributes": "keys with values, such as {a: 1}",
}
_BOUNDS = {
    "greater_than": "above",
    "greater_than_equal": "at least",
    "less_than": "below",
    "less_than_equal": "at most",
}


@dataclass(frozen=True)
class Wrong:
    """One thing that is wrong with an entry."""

    place: str
    got: str
    expected: str
    remedy: str
    own: bool = False
    """Whether ``expected`` is a message of ours, which says all by itself."""

    def __str__(self) -> str:
        """Return it as one line."""
        if self.own:
            return f"{self.place}: {self.expected}"
        return f"{self.place}: got {self.got}; expected {self.expected}; {self.remedy}"


def wrongs(error: ValidationError, content: object, model: type[BaseModel]) -> list[Wrong]:
    """Return what a file gets wrong, entry by entry.

    Parameters
    ----------
    error
        What pydantic found.
    content
        Content of the file.
    model
        Schema of the file.
    """
    found = [wrong for item in error.errors() for wrong in _wrong(item, content, model)]
    deeper = [wrong for wrong in found if not any(other.place.startswith(f"{wrong.place}.") for other in found)]
    return _joined([wrong for wrong in found if wrong in deeper or wrong.own])


def _joined(found: list[Wrong]) -> list[Wrong]:
    """Return one fault where an entry that may be of several kinds is of none of them."""
    kept: dict[tuple, Wrong] = {}
    for wrong in found:
        key = (wrong.place, wrong.got, wrong.expected if wrong.own else "")
        earlier = kept.get(key)
        if earlier is None or earlier == wrong:
            kept[key] = wrong
        else:
            both = dict.fromkeys([*earlier.expected.split(" or "), *wrong.expected.split(" or ")])
            kept[key] = replace(earlier, expected=" or ".join(both))
    return list(kept.values())


def shown(value: object) -> str:
    """Return a value as a person wrote it, shortened."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return f"the keys {', '.join(map(str, value))}"[:_LONGEST] if value else "no keys"
    if isinstance(value, list | tuple):
        inner = ", ".join(shown(part) if not isinstance(part, Mapping) else "{...}" for part in value)
        return f"[{inner if len(inner) < _LONGEST else inner[: _LONGEST - 4] + ' ...'}]"
    text = str(value) if isinstance(value, int | float) else repr(str(value))
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 4]} ...'"


def nearest(name: object, known: Sequence[str]) -> str:
    """Return the spelling that was probably meant as a question, or nothing."""
    close = get_close_matches(str(name).lower(), [entry.lower() for entry in known], 1)
    return next((f"did you mean {entry}?" for entry in known if close and entry.lower() == close[0]), "")


def _wrong(item: Any, content: object, model: type[BaseModel]) -> list[Wrong]:  # noqa: ANN401 - what pydantic reports
    kind, loc = item["type"], tuple(item["loc"])
    if kind == "extra_forbidden":
        known = _keys(_annotation(model, loc[:-1]))
        remedy = nearest(loc[-1], known) or f"remove it{', or use one of ' + ', '.join(known) if known else ''}"
        return [Wrong(place(loc, content, model), "an unknown key", "a key of the schema", remedy)]
    if kind in ("missing", "union_tag_not_found"):
        tag = (_tag(item),) if kind == "union_tag_not_found" else ()
        here = _annotation(model, loc)
        allowed = _expected(here) if kind == "missing" else f"one of {', '.join(_tags(here))}"
        return [Wrong(".".join([place(loc, content, model), *tag]), "nothing", allowed, "add this entry")]
    if kind in ("value_error", "assertion_error"):
        lines = str(item.get("ctx", {}).get("error", item["msg"])).split("\n")
        got, where = shown(item["input"]), place(loc, content, model)
        return [Wrong(where, got, line, "correct this entry", own=True) for line in lines]
    if kind in ("literal_error", "enum"):
        known = [str(value) for value in get_args(_bare(_annotation(model, loc)))] or [_choices(item)]
        return [_choice(place(loc, content, model), item["input"], known)]
    if kind == "union_tag_invalid":
        tag = _tag(item)
        given = item["input"].get(tag) if isinstance(item["input"], Mapping) else None
        known = [text.strip().strip("'") for text in str(item["ctx"]["expected_tags"]).split(",")]
        return [_choice(place(loc, content, model) + f".{tag}", given, known)]
    return [
        Wrong(place(loc, content, model), shown(item["input"]), _by_kind(item, _annotation(model, loc)), "correct it")
    ]


def _choice(where: str, given: object, known: Sequence[str]) -> Wrong:
    meant = nearest(given, known)
    expected = known[0] if len(known) == 1 else f"one of {', '.join(known)}"
    return Wrong(where, shown(given), expected, meant or "choose one of them" if len(known) > 1 else "correct it")


def _tag(item: Any) -> str:  # noqa: ANN401 - what pydantic reports
    return str(item["ctx"]["discriminator"]).strip("'")


def _choices(item: Any) -> str:  # noqa: ANN401 - what pydantic reports
    context = item.get("ctx", {})
    text = str(context.get("expected_tags", context.get("expected", "another value"))).replace("'", "")
    return f"one of {text.replace(' or ', ', ')}"


def _by_kind(item: Any, annotation: object) -> str:  # noqa: ANN401 - what pydantic reports
    """Return what was expected, by the kind of fault."""
    kind, context = item["type"], item.get("ctx", {})
    if kind in _BOUNDS:
        return f"a number {_BOUNDS[kind]} {next(iter(context.values())):g}"
    if kind in ("too_short", "too_long"):
        entries = context.get("min_length", context.get("max_length"))
        return f"{'at least' if kind == 'too_short' else 'at most'} {entries} entries"
    if kind == "string_too_short":
        return "text that is not empty"
    if kind == "string_pattern_mismatch":
        return _pattern(str(context["pattern"]))
    if kind == "finite_number":
        return "a finite number"
    if kind == "int_from_float":
        return "a whole number"
    stem = next((stem for end in ("_type", "_parsing") if (stem := kind.removesuffix(end)) != kind), kind)
    return _PLAIN.get(stem) or _expected(annotation)


def _pattern(pattern: str) -> str:
    known = {
        "^[a-z][a-z0-9_]*$": "small letters, digits and underscores, a letter first",
        r"^\w[\w .-]*$": "letters, digits, spaces, dots and dashes, a letter or digit first",
        r"^M\d+(\+M\d+)?$": "M and a number, such as M3 or M3+M4",
    }
    return known.get(pattern, f"text of the form {pattern}")


def place(loc: Sequence[str | int], content: object, model: object = None) -> str:
    """Return where an entry stands: keys joined by dots, an element of a list by its ``id`` where it has one."""
    parts: list[str] = []
    here = _bare(model)
    for step in loc:
        if get_origin(here) in (Union, types.UnionType):  # pydantic names the kind that it tried: no place of the file
            here = _member(here, step)
            continue
        here, content = _bare(_step(here, step)), _inside(content, step)
        name = content.get("id") if isinstance(step, int) and isinstance(content, Mapping) else None
        number = str(step + 1) if isinstance(step, int) else str(step)
        parts.append(name if isinstance(name, str) and name else number)
    return ".".join(parts) or WHOLE


def _member(union: object, label: object) -> object:
    """Return the schema among several that pydantic's label stands for."""
    members = [_bare(part) for part in get_args(union) if part is not type(None)]
    tagged = [part for part in members if _tag_of(part) == label]
    lists = [
        part for part in members if get_origin(part) in (tuple, list) and str(label).strip("`")[:4] in ("tupl", "list")
    ]
    return next(iter([*tagged, *lists]), None)


_NOTHING = object()


def _inside(content: object, step: str | int) -> Any:  # noqa: ANN401 - whatever a file holds
    if isinstance(content, Mapping):
        return content.get(step, _NOTHING)
    if isinstance(content, list | tuple) and isinstance(step, int) and step < len(content):
        return content[step]
    return _NOTHING


def _bare(annotation: object) -> object:
    """Return an annotation without its bounds and without None."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, types.UnionType):
        rest = [part for part in get_args(annotation) if part is not type(None)]
        return _bare(rest[0]) if len(rest) == 1 else annotation
    return annotation


def _annotation(model: object, loc: Sequence[str | int]) -> object:
    """Return what the schema says of an entry, None where it says nothing."""
    here = model
    for step in loc:
        here = _step(_bare(here), step)
    return _bare(here)


def _step(here: object, step: str | int) -> object:
    if isinstance(here, type) and issubclass(here, BaseModel):
        fields = here.model_fields
        found = fields.get(str(step)) or next((f for f in fields.values() if f.alias == step), None)
        return None if found is None else found.annotation
    arguments = get_args(here)
    if get_origin(here) in (Union, types.UnionType):
        tagged = [part for part in arguments if _tag_of(part) == step]
        return tagged[0] if tagged else next((f for part in arguments if (f := _step(_bare(part), step))), here)
    if get_origin(here) is dict:
        return arguments[1]
    if get_origin(here) in (tuple, list) and isinstance(step, int):
        return arguments[0] if Ellipsis in arguments or step >= len(arguments) else arguments[step]
    return None


def _tag_of(part: object) -> object:
    if not (isinstance(part, type) and issubclass(part, BaseModel)) or "kind" not in part.model_fields:
        return None
    return next(iter(get_args(part.model_fields["kind"].annotation)), None)


def _tags(union: object) -> list[str]:
    """Return the kinds among which an entry chooses."""
    return [str(tag) for part in get_args(union) if (tag := _tag_of(_bare(part))) is not None]


def _keys(annotation: object) -> list[str]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [field.alias or name for name, field in annotation.model_fields.items()]
    return []


def _expected(annotation: object) -> str:
    """Return in words what may stand at a place."""
    annotation = _bare(annotation)
    origin = get_origin(annotation)
    if origin is Literal:
        values = [str(value) for value in get_args(annotation)]
        return values[0] if len(values) == 1 else f"one of {', '.join(values)}"
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(_expected(part) for part in get_args(annotation) if part is not type(None)))
    if origin in (tuple, list) and get_args(annotation):
        return "a list, such as [a, b]"
    simple = {str: "text", float: "a number", int: "a whole number", bool: "true or false"}
    if annotation in simple:
        return simple[annotation]  # pyright: ignore[reportArgumentType]
    if keys := _keys(annotation):
        return f"an entry with {', '.join(keys[:6])}{' ...' if len(keys) > 6 else ''}"
    return "keys with values, such as {a: 1}" if origin is dict else "another value"
