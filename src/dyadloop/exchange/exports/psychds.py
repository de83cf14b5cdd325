"""A study as a Psych-DS folder: one table of data, a row per session and moment, and what each variable is."""

import json
import re
from pathlib import Path
from typing import Any

from dyadloop.data import Study
from dyadloop.exchange.exports.tables import dictionary, wide_table, write_csv

DESCRIPTION = "dataset_description.json"


def write_psychds(study: Study, out: Path) -> list[Path]:
    """Write ``data/study-NAME_data.csv``, whose values of a keyword are letters and digits, and its description."""
    table, info = wide_table(study), study.info
    label = re.sub(r"[^A-Za-z0-9]", "", info.name) or "study"
    (out / "data").mkdir()
    file = write_csv(table, out / "data" / f"study-{label}_data.csv")
    told: dict[str, Any] = {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "name": info.name,
        "description": info.title,
        "license": info.licence,
        "variableMeasured": [_variable(row) for row in dictionary(study, list(table.columns)).to_dict("records")],
    }
    told |= {"citation": info.source} if info.source else {}
    told |= {"creditText": info.attribution} if info.attribution else {}
    description = out / DESCRIPTION
    description.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    readme = out / "README.md"
    readme.write_text(f"# {info.name}\n\n{info.title}\n\nLicence: {info.licence}\n", encoding="utf-8")
    return [description, file, readme]


def _variable(row: dict[Any, Any]) -> dict[str, Any]:
    """Return a variable as a PropertyValue of schema.org."""
    found: dict[str, Any] = {"@type": "PropertyValue", "name": row["column"], "description": row["meaning"]}
    if row["unit"]:
        found["unitText"] = row["unit"]
    if row["lowest"] != "":
        found |= {"minValue": float(row["lowest"]), "maxValue": float(row["highest"])}
    return found
