"""Every measure of synchrony, one object in one file: a new file here is a new method, in the list and in the docs."""

from importlib import import_module
from pkgutil import iter_modules

from dyadloop.measures.synchrony.method import FAMILIES, Method

_FOUND = [import_module(f"{__name__}.{entry.name}").METHOD for entry in iter_modules(__path__)]
METHODS: dict[str, Method] = {
    method.name: method for method in sorted(_FOUND, key=lambda method: (FAMILIES.index(method.family), method.name))
}
"""Measures of two series, or of a group, by name; by family, then in the order of the alphabet."""

__all__ = ["METHODS"]
