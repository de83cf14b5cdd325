"""Read study.yaml: every fault with its place, in the words of a study folder."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from dyadloop.data.schema import StudyInfo
from dyadloop.data.text import read_text
from dyadloop.data.wording import WHOLE, wrongs
from dyadloop.errors import Fault
from dyadloop.yaml_files import load_yaml


def read_info(path: Path, faults: list[Fault]) -> StudyInfo | None:
    """Return the content of study.yaml, or None after noting what is wrong with it."""
    name = path.name
    text = read_text(path, name, faults)
    if text is None:
        return None
    try:
        content = load_yaml(text)
    except yaml.YAMLError as error:
        got = "unreadable YAML"
        faults.append(Fault(name, None, None, got, " ".join(str(error).split()), "correct the syntax"))
        return None
    try:
        return StudyInfo.model_validate(content)
    except ValidationError as error:
        for wrong in wrongs(error, content, StudyInfo):
            place = None if wrong.place == WHOLE else wrong.place
            faults.append(Fault(name, None, place, wrong.got, wrong.expected, wrong.remedy))
        return _without_unknown_keys(content, error)


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
