"""Read study.yaml: every fault with its place, in the words of a study folder."""

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from dyadloop.data.schema import StudyInfo, study_schema
from dyadloop.data.wording import faults_in, read_yaml
from dyadloop.errors import Fault


def read_info(path: Path, faults: list[Fault]) -> StudyInfo | None:
    """Return the content of study.yaml, or None after noting what is wrong with it."""
    before = len(faults)
    content = read_yaml(path, path.name, faults)
    if len(faults) > before:
        return None
    schema = study_schema()
    try:
        return schema.model_validate(content)
    except ValidationError as error:
        faults += faults_in(error, content, schema, path.name)
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
        return study_schema().model_validate(content)
    except ValidationError:
        return None
