"""The page on import shows the formats and exports that there are, and all of its sections."""

import importlib.util

from tests.conftest import ROOT


def test_the_tables_of_the_page_are_those_of_the_registry():
    spec = importlib.util.spec_from_file_location("format_table", ROOT / "docs" / "format_table.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    text = (ROOT / "docs" / "import.md").read_text()
    assert module.renewed(text) == text, "run `python docs/format_table.py` to renew docs/import.md"
    assert "## Odd files" in text
    assert "## Out again" in text
