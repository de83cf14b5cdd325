"""Settings of the site: Sphinx, MyST-NB and the PyData theme; nothing is fetched while it is built."""

import os
import re
import sys
from importlib.metadata import version as installed
from pathlib import Path

from pydantic import BaseModel

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

# tutorials run commands of this environment, 100 columns wide, and share compiled programs with later builds
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
os.environ["PYTHONPATH"] = os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")])
os.environ.update(
    {
        "COLUMNS": "100",
        "DYADLOOP_WIDTH": "100",
        "TERM": "dumb",
        "NO_COLOR": "1",
        "JAX_COMPILATION_CACHE_DIR": str(HERE / "_build/jax"),
    }
)
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.2")
# compiles in half the time; a jaxlib that does not know one of the flags ends the process, hence the versions
if installed("jaxlib").startswith(("0.9.", "0.10.")):
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_use_fusion_emitters=false --xla_backend_optimization_level=1")

project = "dyadloop"
author = "The dyadloop developers"
version = release = installed("dyadloop")
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.napoleon", "sphinx_design"]
exclude_patterns = ["_build", "**.ipynb_checkpoints"]

html_theme = "pydata_sphinx_theme"
html_title = "dyadloop"
templates_path = ["_templates"]
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_theme_options = {
    "header_links_before_dropdown": 5,
    "navigation_with_keys": False,
    "show_prev_next": True,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
_NEIGHBOURS = ["sidebar-nav-bs"]
html_sidebars = {"*": [], "tutorials/*": _NEIGHBOURS, "coming-from/*": _NEIGHBOURS, "generated/*": _NEIGHBOURS}
copyright = "the dyadloop developers; code under Apache-2.0. A research instrument, not a clinical device"
pygments_style = "default"

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 4
nb_execution_mode = "cache"
nb_execution_cache_path = str(HERE / "_build/executed")
nb_execution_timeout = 600
nb_execution_raise_on_error = True
nb_execution_show_tb = True
nb_merge_streams = True

autosummary_generate = True
autosummary_ignore_module_all = False
autodoc_typehints_format = "short"
autodoc_member_order = "bysource"
napoleon_google_docstring = False
napoleon_use_rtype = False
python_maximum_signature_line_length = 80

_OUTSIDE = {"NOTICE.md": "notice.md", "CONTRIBUTING.md": "contributing.md", "README.md": "index.md"}
_ARRAY = re.compile(r"_Buffer \| _SupportsArray\[.*?_NestedSequence\[complex \| bytes \| str\]")


def _links(app, page, source) -> None:  # noqa: ANN001
    """Point links to files beside the folder of pages at the pages that include these files."""
    up = "../" * page.count("/")
    for name, target in _OUTSIDE.items():
        source[0] = source[0].replace(f"]({up}../{name}", f"]({up}{target}")


def _references(app, what, name, thing, options, lines) -> None:  # noqa: ANN001
    """Turn the entries of a section References into a list: nothing in the text of a docstring calls them by number."""
    lines[:] = [re.sub(r"^( *)\.\. \[\d+\] ", r"\1- ", line) for line in lines]


def _signature(app, what, name, thing, options, signature, returned):  # noqa: ANN001, ANN202
    """Write types without their modules, what NumPy calls array-like as one word, and default functions as dots."""
    if signature is None or (isinstance(thing, type) and issubclass(thing, BaseModel)):
        return ("(**fields)", None) if signature else (signature, returned)
    short = [None if text is None else _short(text) for text in (signature, returned)]
    return short[0], short[1]


def _short(text: str) -> str:
    text = _ARRAY.sub("ArrayLike", re.sub(r"~(?:\w+\.)+(\w+)", r"\1", text))
    return text.replace("<function <lambda>>", "...")


def setup(app) -> None:  # noqa: ANN001
    """Register the changes above."""
    app.connect("source-read", _links)
    app.connect("autodoc-process-docstring", _references, priority=400)
    app.connect("autodoc-process-signature", _signature)
