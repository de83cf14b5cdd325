"""Read study.yaml: every fault with its place, in the words of a study folder."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from dyadloop.data.schema import StudyInfo
from dyadloop.data.wording import WHOLE, wrongs
from dyadloop.errors import Fault
from dyadloop.yaml_files import load_yaml


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
