"""The tables that the pages show are those that the program prints."""

import subprocess
import sys

import pytest

from tests.conftest import ROOT


@pytest.mark.parametrize("page", ["docs/evidence.md"])
def test_the_page_shows_what_the_commands_print(page):
    script = f"import sys; sys.path.insert(0, 'docs'); import printed; t = open({page!r}).read(); assert printed.renewed(t) == t"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT)
    assert run.returncode == 0, f"run `python docs/printed.py` to renew {page}\n{run.stderr}"
