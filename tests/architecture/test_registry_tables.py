"""Tables of the docs that registries make are as the registries are."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SPEC = importlib.util.spec_from_file_location("registry_tables", ROOT / "docs" / "registry_tables.py")
tables = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(tables)


@pytest.mark.parametrize("page", tables.PAGES)
def test_the_tables_are_those_of_the_registries(page):
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    assert text.count("made by docs/registry_tables.py") == 1
    assert tables.renewed(text) == text, "run `python docs/registry_tables.py`"
