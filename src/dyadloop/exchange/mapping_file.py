"""Read and write import.yaml: the mapping, each guess with its reason beside it."""

from collections.abc import Mapping as AnyMapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from dyadloop.data.wording import faults_in, parsed_yaml, read_yaml
from dyadloop.errors import DataError, Fault
from dyadloop.exchange.mapping import ASK, Mapping
from dyadloop.exchange.phases import with_phase, without_needless
from dyadloop.yaml_files import dump_yaml, quoted_yaml

NAME = "import.yaml"
_HEAD = """\
# How dyadloop reads these files: which column is what. Behind each # stands the reason of a guess.
# Correct what is wrong; write something in place of each "?". Then run the same command again: it reads this file
# where it stands in the study folder; for another folder name it with --map {name}.
"""
_WIDTH = 100


def mapping_text(content: AnyMapping[str, Any], reasons: AnyMapping[str, str], head: str = _HEAD) -> str:
    """Return a mapping as commented YAML; ``head`` is what its first lines say."""
    lines: list[str] = []
    _write(lines, content, reasons, "", 0)
    return head.format(name=NAME) + "\n".join(lines) + "\n"


def _write(
    lines: list[str], content: AnyMapping[str, Any], reasons: AnyMapping[str, str], place: str, depth: int
) -> None:
    indent = "  " * depth
    for key, value in content.items():
        here = f"{place}.{key}" if place else str(key)
        head = f"{indent}{_flow(str(key))}:"
        why = reasons.get(here, "")
        if key == "tables":
            lines.append(head)
            for number, table in enumerate(value, start=1):
                start = len(lines)
                _write(lines, table, reasons, f"tables.{number}", depth + 2)
                dash = "  " * (depth + 1)
                lines[start] = (
                    f"{dash}- {lines[start].lstrip()}" if not lines[start].lstrip().startswith("#") else lines[start]
                )
        elif isinstance(value, AnyMapping) and value and key != "settings":
            lines.append(_with(head, why))
            _write(lines, value, reasons, here, depth + 1)
        else:
            lines.append(_with(f"{head} {_flow(value)}", why or _asked(value)))


def _asked(value: object) -> str:
    return "must be said" if value == ASK else ""


def _with(text: str, why: str) -> str:
    return f"{text}  # {' '.join(why.split())}" if why else text


def _flow(value: object) -> str:
    """Return a value as YAML in one line."""
    if isinstance(value, str):
        quoted = dump_yaml([value]).strip()[2:]
        plain = "\n" not in quoted and not quoted.startswith(("|", ">")) and not set(value) & set(",[]{}#")
        return quoted if plain else quoted_yaml(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_flow, value))}]"
    if isinstance(value, AnyMapping):
        return "{" + ", ".join(f"{_flow(str(k))}: {_flow(v)}" for k, v in value.items()) + "}"
    return dump_yaml(value).strip().removesuffix("...").strip()


def read_mapping(path: str | Path) -> tuple[Mapping, str]:
    """Return a mapping and its text.

    Raises
    ------
    DataError
        If it does not follow the schema; all faults at once.
    """
    file, faults = Path(path), []
    content = read_yaml(file, file.name, faults)
    return _validated(content, file.name, faults), "" if faults else file.read_text(encoding="utf-8-sig")


def parsed_mapping(text: str) -> Mapping:
    """Return the mapping of a text.

    Raises
    ------
    DataError
        As in :func:`read_mapping`.
    """
    faults: list[Fault] = []
    return _validated(parsed_yaml(text, NAME, faults), NAME, faults)


def _validated(content: object, name: str, faults: list[Fault]) -> Mapping:
    if faults:
        raise DataError(name, faults)
    try:
        return Mapping.model_validate(content)
    except ValidationError as error:
        raise DataError(name, faults_in(error, content, Mapping, name)) from None


def answered(content: dict[str, Any], answers: AnyMapping[str, str]) -> dict[str, Any]:
    """Return a mapping with answers put in: ``length_min=50`` for all tables, or ``tables.1.dyad=Code`` for one place.

    ``phase=after`` answers for all scores whose phase is open.

    Raises
    ------
    DataError
        If an answer names no place of the mapping.
    """
    for place, text in answers.items():
        faults: list[Fault] = []
        value = parsed_yaml(text, "--set", faults)
        if faults:
            raise DataError("--set", faults)
        steps = place.split(".")
        if steps == ["phase"]:
            with_phase(content, value)
            continue
        if len(steps) == 1 and steps[0] not in content:
            _answer_tables(content["tables"], place, value)
            continue
        holder: Any = content
        for step in steps[:-1]:
            holder = _inside(holder, step, place)
        if not isinstance(holder, dict):
            raise _no_place(place)
        holder[steps[-1]] = value
    return without_needless(content)


def _answer_tables(tables: list[dict[str, Any]], key: str, value: object) -> None:
    """Enter an answer in all tables of sessions that leave it open, or in the only table.

    Raises
    ------
    DataError
        If every one of several tables says it already.
    """
    holding = [table for table in tables if table.get("holds") == "sessions"]
    asked = [table for table in holding if table.get(key, ASK) == ASK or len(tables) == 1]
    if holding and not asked:
        got, expected = repr(key), "a place that is open in a table of several"
        remedy = f"name the table, such as tables.1.{key}"
        raise DataError("--set", [Fault("--set", None, None, got, expected, remedy)])
    for table in asked:
        table[key] = value


def still_true(
    reasons: AnyMapping[str, str], before: AnyMapping[str, Any], after: AnyMapping[str, Any]
) -> dict[str, str]:
    """Return the reasons of guesses that stand unchanged in a newer mapping."""
    found = {place: (_at(before, place), _at(after, place)) for place in reasons}
    whole = {place for place, pair in found.items() if all(isinstance(value, AnyMapping) for value in pair)}
    return {place: why for place, why in reasons.items() if place in whole or found[place][0] == found[place][1]}


def _at(content: object, place: str) -> object:
    """Return what stands at a place, None where nothing does."""
    if not place:
        return content
    if isinstance(content, list):
        step, _, rest = place.partition(".")
        return _at(content[int(step) - 1], rest) if step.isdigit() and 0 < int(step) <= len(content) else None
    if isinstance(content, AnyMapping):  # names may hold points
        steps = place.split(".")
        heads = (".".join(steps[:k]) for k in range(1, len(steps) + 1))
        known = next((head for head in heads if head in content), None)
        return None if known is None else _at(content[known], place[len(known) + 1 :])
    return None


def _inside(holder: Any, step: str, place: str) -> Any:  # noqa: ANN401 - whatever a mapping holds
    if isinstance(holder, list) and step.isdigit() and 0 < int(step) <= len(holder):
        return holder[int(step) - 1]
    if isinstance(holder, dict):
        return holder.setdefault(step, {})
    raise _no_place(place)


def _no_place(place: str) -> DataError:
    got, expected = repr(place), "a place such as length_min or tables.1.scores.wai.quantity"
    return DataError("--set", [Fault("--set", None, None, got, expected, "see import.yaml")])
