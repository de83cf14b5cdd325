"""Read and write YAML as people mean it: ``on``, ``yes`` and 12:30 are text, 1e-3 is a number, no key comes twice.

PyYAML follows YAML 1.1, where ``on`` and ``no`` are booleans and 12:30 is the number 750. These are the core types of
YAML 1.2 instead; a dump quotes whatever either version would take for something else.
"""

import re
from typing import Any

import yaml

_TYPES = {
    "tag:yaml.org,2002:null": (r"~|null|Null|NULL|", "~nN\0"),
    "tag:yaml.org,2002:bool": (r"true|True|TRUE|false|False|FALSE", "tTfF"),
    "tag:yaml.org,2002:int": (r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    "tag:yaml.org,2002:float": (
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        "-+.0123456789",
    ),
    "tag:yaml.org,2002:merge": (r"<<", "<"),
}


class _Loader(yaml.SafeLoader):
    """Safe loader of the core types of YAML 1.2 that refuses a key given twice instead of keeping the last."""

    yaml_implicit_resolvers: dict[str, list] = {}  # noqa: RUF012 - the way in which PyYAML is told

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        """Return the mapping of a node whose keys are all different."""
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.YAMLError(f"key {key!r} is given twice, line {node.start_mark.line + 1} or below")
        return super().construct_mapping(node, deep)

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        """Return a whole number: a leading 0 does not make it octal, a colon not sexagesimal."""
        text = str(self.construct_scalar(node))
        return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))


class _Dumper(yaml.SafeDumper):
    """Dumper that quotes text which YAML 1.1 or 1.2 would take for something else."""


for _tag, (_pattern, _first) in _TYPES.items():
    for _class in (_Loader, _Dumper):
        _class.add_implicit_resolver(_tag, re.compile(f"^(?:{_pattern})$"), ["" if c == "\0" else c for c in _first])
_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)
_Loader.add_constructor("tag:yaml.org,2002:merge", _Loader.construct_yaml_str)


def load_yaml(text: str) -> Any:  # noqa: ANN401 - whatever a file holds
    """Return the content of a YAML text.

    Raises
    ------
    yaml.YAMLError
        If it cannot be read, or a key is given twice.
    """
    try:
        return yaml.load(text, Loader=_Loader)  # a SafeLoader
    except (RecursionError, ValueError, TypeError, AttributeError, LookupError) as error:
        raise yaml.YAMLError(f"too deep or not plain data ({error})") from None


def dump_yaml(content: Any) -> str:  # noqa: ANN401 - whatever a file holds
    """Return plain data as YAML, keys in their order."""
    return yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)


def quoted_yaml(text: str) -> str:
    """Return a text as YAML in double quotes, in one line."""
    return yaml.dump(text, default_style='"', width=10**6, allow_unicode=True).strip()
