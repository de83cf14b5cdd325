"""What users and contributors rely on: names, lazy imports, sizes, documents."""

import ast
import importlib.util
import json
import pkgutil
import re
import subprocess
import sys
from importlib import import_module
from types import ModuleType

import pytest

import dyadloop as dl
from tests.conftest import ROOT

NAMES = [
    "Settings", "Study", "Theory", "actor_partner_effects", "answerable", "area_under_curve", "assurance", "calibrate",
    "change_synchrony", "characteristic", "checks", "clamp", "compare", "compare_priors", "compare_referees",
    "continuation", "convert_dial", "convert_diaries", "convert_mindfulness", "convert_school", "cut", "doubts",
    "empathic_accuracy", "equilibria", "evidence_claims", "export_study", "finding_faults", "fit", "framework", "gains",
    "group_synchrony", "group_test", "halves", "hand_over", "hypothesis", "identifiability", "import_study", "instruments", "judge_claims",
    "keep", "lagged_effects", "load_result", "log_change", "loop_gain", "lump", "measure", "motion_energy", "multiverse", "multiverse_options",
    "new_study", "patient_only", "phenomena", "pool", "practical_identifiability", "priors", "protocol", "public_goods", "published_effects", "read_design",
    "read_plates", "read_recording", "read_study", "read_theory", "read_turns", "referees", "report", "save_result",
    "scale_scores", "schedule", "score_items", "sensitivity", "session_map", "simulate", "simulate_alliance", "simulate_study",
    "smooth",
    "standard_curve", "summarise", "summarise_multiverse", "switch_on", "synchrony", "synchrony_multiverse", "synchrony_test", "synergy", "trust_game", "truth_and_bias", "vary",
    "what_next", "whatif", "without_each",
]  # fmt: skip
SOURCES = sorted((ROOT / "src").rglob("*.py"))


def test_the_public_names_are_pinned():
    assert sorted(dl.__all__) == NAMES
    assert all(getattr(dl, name).__doc__ for name in NAMES)
    with pytest.raises(AttributeError, match="public names"):
        dl.nothing  # noqa: B018


def test_no_name_hides_a_module():
    """A room and its modules can always be imported by name, whatever else a room exports."""
    rooms = {path.stem for path in (ROOT / "src" / "dyadloop").iterdir()}
    assert not rooms & set(NAMES)
    for module in pkgutil.walk_packages(dl.__path__, "dyadloop."):
        room, _, name = module.name.rpartition(".")
        if name != "__main__" and room != "dyadloop":
            import_module(module.name)
            assert isinstance(getattr(sys.modules[room], name), ModuleType), module.name


def _modules_after(code):
    script = f"{code}\nimport sys, json; print(json.dumps(sorted(m for m in sys.modules if '.' not in m)))"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(json.loads(run.stdout.splitlines()[-1]))


def test_help_is_free_of_heavy_imports():
    code = "import sys; sys.argv = ['dyadloop', '--help']\nfrom dyadloop.cli import app\ntry:\n app()\nexcept SystemExit: pass"
    heavy = {"jax", "numpy", "pandas", "scipy", "matplotlib", "numpyro", "pydantic", "xarray"}
    assert not heavy & _modules_after(code)


def test_data_theory_and_measures_need_no_jax():
    code = "import dyadloop as dl; dl.framework(); dl.scale_scores; dl.read_study; dl.summarise"
    assert "jax" not in _modules_after(code)


def test_the_likelihood_imports_its_compiler_at_its_first_use():
    assert "numba" not in _modules_after("import dyadloop.likelihood.linear_filter")


def test_files_and_functions_stay_readable():
    for path in SOURCES:
        text = path.read_text()
        assert text.count("\n") <= 400, path
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                doc = ast.get_docstring(node, clean=False)
                length = node.end_lineno - node.lineno + 1 - (doc.count("\n") + 1 if doc else 0)
                assert length <= 60, f"{path}: {node.name} has {length} lines"


def test_nothing_is_unpickled_or_evaluated():
    for path in SOURCES:
        assert not re.search(
            r"\bpickle\.|allow_pickle=True|\beval\(|\bexec\(|yaml\.(unsafe_|safe_)?load\((?!.*Loader=_Loader)|read_pickle",
            path.read_text(),
        ), path


def test_every_room_is_described_where_contributors_look():
    text = (ROOT / "CONTRIBUTING.md").read_text()
    rooms = {p.stem if p.is_file() else p.name for p in (ROOT / "src" / "dyadloop").iterdir()}
    rooms -= {"__init__", "__main__", "__pycache__", "py"}
    assert {room for room in rooms if f"`{room}" not in text and room not in text} == set()


def test_the_shipped_data_are_noticed_and_documents_exist():
    notice = (ROOT / "NOTICE.md").read_text()
    assert "CC BY 4.0" in notice
    assert "10.12688/f1000research.157148.1" in notice
    for name in ("LICENSE", "CONTRIBUTING.md", "CITATION.cff", "changes", "docs/method.md", "docs/study-folder.md"):
        assert (ROOT / name).exists(), name


def test_the_extras_that_the_readme_names_are_those_of_the_package():
    import tomllib

    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    named = re.findall(r"^\| `(\w+)` \|", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert sorted(named) == sorted(set(declared) - {"docs", "dev", "peers"})  # for those who work on it


def load(name):
    """Return a script of the folder of pages as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def printed():
    """The script that renews what the pages say that the program prints."""
    return load("printed")


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "docs/overview.md",
        "docs/exploring.md",
        "docs/measures.md",
        "docs/evidence.md",
        "docs/alliance.md",
        "docs/misled.md",
        "docs/design.md",
    ],
)
def test_a_page_shows_what_its_examples_and_commands_print(page, printed):
    text = (ROOT / page).read_text()
    assert printed.renewed(text) == text, f"run `python docs/printed.py` to renew {page}"


def test_the_commands_of_the_documents_are_those_of_the_program():
    text = (ROOT / "docs" / "command-line.md").read_text()
    assert load("command_line").page() == text, "run `python docs/command_line.py` to renew docs/command-line.md"
