"""Notes of changes can be folded into the changelog, and none is left out."""

import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT

NOTES = sorted(path for path in (ROOT / "changes").iterdir() if path.name != "template.jinja")


def test_every_note_is_in_the_draft():
    assert all(path.name.startswith("+") and path.name.endswith(".change.md") for path in NOTES), (
        "name a note +NAME.change.md"
    )
    call = [sys.executable, "-m", "towncrier", "build", "--draft", "--version", "0.0.0"]
    run = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, check=True)
    for path in map(Path, NOTES):
        first = path.read_text(encoding="utf-8").strip().splitlines()[0]
        assert first in run.stdout, path.name
