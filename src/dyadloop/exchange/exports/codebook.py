"""A codebook: what the study holds, indicator by indicator, as a page of Markdown."""

from pathlib import Path

import numpy as np

from dyadloop.data import Study, summarise

_COLUMNS = (
    "indicator", "quantity", "person", "unit", "scale", "values", "dyads", "lowest", "median", "highest", "distinct",
    "why",
)  # fmt: skip


def write_codebook(study: Study, out: Path) -> list[Path]:
    """Write ``codebook.md``."""
    path = out / "codebook.md"
    path.write_text(codebook(study), encoding="utf-8")
    return [path]


def codebook(study: Study) -> str:
    """Return the codebook of a study."""
    info, summary = study.info, summarise(study)
    low, middle, high = summary.sessions_per_dyad
    many = f"{summary.persons} persons in {summary.dyads} dyads, {summary.sessions} sessions"
    lines = [f"# {info.name}: codebook", "", _cell(info.title), "", f"- licence: {_cell(info.licence)}"]
    lines += [f"- source: {_cell(info.source)}"] if info.source else []
    lines += [f"- {many} ({low} to {high} per dyad, median {middle:g})"]
    lines += [f"- from {summary.first} to {summary.last}"] if summary.first else ["- no times"]
    lines += ["- SIMULATED data"] if summary.simulated else []
    lines += [f"- SHA-256 of the folder: {study.digest}", "", "## Indicators", "", f"| {' | '.join(_COLUMNS)} |"]
    lines += ["|---" * len(_COLUMNS) + "|"]
    for entry in summary.indicators:
        declared = info.indicators[entry.name]
        scale = "" if declared.scale is None else f"{declared.scale[0]:g} to {declared.scale[1]:g}"
        ends = [f"{v:.4g}" if np.isfinite(v) else "" for v in (entry.lowest, entry.median, entry.highest)]
        cells = (
            entry.name, entry.quantity, entry.person, entry.unit, scale, str(entry.values), str(entry.dyads), *ends,
            str(entry.distinct), declared.reason,
        )  # fmt: skip
        lines.append(f"| {' | '.join(map(_cell, cells))} |")
    if info.covariates:
        lines += ["", "## Covariates", "", "| covariate | of | per | why |", "|---|---|---|---|"]
        lines += [f"| {_cell(n)} | {c.of} | {c.per:g} | {_cell(c.reason)} |" for n, c in info.covariates.items()]
    if summary.events:
        lines += ["", "## Events", "", "| event | sessions |", "|---|---|"]
        lines += [f"| {_cell(name)} | {count} |" for name, count in summary.events.items()]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "/").split())
