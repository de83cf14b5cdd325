"""What all tutorials begin with: an empty folder of their own, beside the shipped examples, and figures as SVG."""

import os
import shutil
import subprocess
import warnings
from pathlib import Path

from IPython import get_ipython
from matplotlib_inline.backend_inline import set_matplotlib_formats

ROOT = Path(__file__).parent.parent
WIDTH = 100
"""Letters of a line that a page shows without scrolling."""


def start(name: str) -> None:
    """Go into a new, empty folder that holds a link to the shipped examples."""
    folder = ROOT / "docs" / "_build" / "tutorials" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "examples").symlink_to(ROOT / "examples")
    for table in (ROOT / "docs" / "tutorials").glob("*.csv"):
        shutil.copy(table, folder)
    os.chdir(folder)
    for name in ("FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE"):  # a kernel sets them, and a page shows plain text
        os.environ.pop(name, None)
    os.environ.update({"NO_COLOR": "1", "TERM": "dumb", "COLUMNS": str(WIDTH), "DYADLOOP_WIDTH": str(WIDTH)})
    get_ipython().register_magic_function(bash, "cell", "bash")
    set_matplotlib_formats("svg")
    warnings.filterwarnings("ignore", message="IProgress not found")  # of a progress bar that a page does not show


def bash(line: str, cell: str) -> None:
    """Run commands and print all of their output at once: streamed pieces would be joined with line breaks.

    Raises
    ------
    subprocess.CalledProcessError
        If the last command fails.
    """
    done = subprocess.run(
        ["bash", "-c", cell], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    print(done.stdout, end="")
    done.check_returncode()
