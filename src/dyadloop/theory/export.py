"""A theory in other languages: Mermaid, and a JSON record for a registry of models."""

import json

from dyadloop.theory.equations import equations
from dyadloop.theory.schema import Theory

_NODE = {
    "oxytocin": ("((", "))"),
    "component": ("([", "])"),
    "symptom": ("[", "]"),
    "peripheral": ("[(", ")]"),
    "factor": ("{{", "}}"),
    "state": ("[", "]"),
}


def to_mermaid(theory: Theory) -> str:
    """Return the loop diagram of a theory as a Mermaid flowchart; dotted arrows lower their target."""
    theory = theory.active()
    lines = ["flowchart LR"]
    for variable in theory.variables:
        left, right = _NODE[variable.kind]
        label = variable.label.replace('"', "'")
        lines.append(f'  {variable.id}{left}"{label}"{right}')
    for coupling in theory.couplings:
        gate = ", in session" if coupling.gate == "session" else ""
        for source, sign in coupling.signs.items():
            arrow = "-->" if sign == 1 else "-.->"
            lines.append(f'  {source} {arrow}|"{coupling.id}{gate}"| {coupling.target}')
    return "\n".join(lines) + "\n"


def to_registry(theory: Theory) -> str:
    """Return a JSON record of a theory as registries of formal models ask for it."""
    theory = theory.active()
    written = equations(theory)
    record = {
        "title": theory.title,
        "description": theory.explanation or theory.title,
        "publication": theory.source,
        "framework": "ordinary differential equations" + (", gated by sessions" if _is_gated(theory) else ""),
        "programming_language": "Python (dyadloop)",
        "variables": [
            {"id": name, "name": node.variable.label, "unit": node.variable.unit, "kind": node.variable.kind}
            for name, node in written.nodes.items()
        ],
        "parameters": written.values,
        "equations": {
            name: str(expression) for name, expression in (*written.definitions.items(), *written.rates.items())
        },
        "code": json.loads(theory.model_dump_json(by_alias=True, exclude_none=True, exclude_defaults=True)),
    }
    return json.dumps(record, indent=2, ensure_ascii=False) + "\n"


def _is_gated(theory: Theory) -> bool:
    return any(coupling.gate == "session" for coupling in theory.couplings)


def differences(first: Theory, second: Theory) -> list[dict[str, str]]:
    """Return what differs between two theories, element by element.

    Returns
    -------
    list[dict[str, str]]
        Keys: ``element``, ``what`` (added, removed or the field that changed), ``first``, ``second``.
    """
    one, two = (_elements(theory) for theory in (first, second))
    found = []
    for name in dict.fromkeys((*one, *two)):
        if name not in two:
            found.append({"element": name, "what": "removed", "first": "there", "second": "absent"})
        elif name not in one:
            found.append({"element": name, "what": "added", "first": "absent", "second": "there"})
        else:
            keys = dict.fromkeys((*one[name], *two[name]))
            found += [
                {"element": name, "what": key, "first": one[name].get(key, "-"), "second": two[name].get(key, "-")}
                for key in keys
                if one[name].get(key, "-") != two[name].get(key, "-")
            ]
    return found


def _elements(theory: Theory) -> dict[str, dict[str, str]]:
    theory = theory.active()
    groups = {
        "variable": theory.variables,
        "coupling": theory.couplings,
        "input": theory.inputs,
        "claim": theory.claims,
    }
    found = {
        f"{kind} {entry.id}": _flat(json.loads(entry.model_dump_json(by_alias=True)))
        for kind, entries in groups.items()
        for entry in entries
    }
    for name in ("protocol", "correlations", "ruptures", "dropout"):
        part = getattr(theory, name)
        if part is not None:
            found[name] = _flat(json.loads(part.model_dump_json(by_alias=True)))
    return found


def _flat(content: object, prefix: str = "") -> dict[str, str]:
    if isinstance(content, dict):
        parts = [_flat(value, f"{prefix}.{key}" if prefix else str(key)) for key, value in content.items()]
        return {key: value for part in parts for key, value in part.items()}
    return {prefix: json.dumps(content, ensure_ascii=False)}
