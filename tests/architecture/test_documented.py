"""Everything public has a page and an example that runs: names of the package, commands, pages of the site."""

import doctest
import re
import shlex
import shutil
from fnmatch import fnmatch
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

import dyadloop as dl
from dyadloop.cli.program import app
from tests.architecture.test_public_face import load
from tests.conftest import ROOT

DOCS = ROOT / "docs"
FITTED_ANEW = {"assurance", "calibrate", "compare", "identifiability", "multiverse", "schedule"}
"""Names whose examples compile programs and make fits of their own: they run with `make calibrate`."""
COMMANDS = [command for command in load("command_line").commands(get_command(app)) if command]


def _examples(name):
    return doctest.DocTestParser().get_doctest(getattr(dl, name).__doc__, {"dl": dl}, name, None, None)


@pytest.fixture(scope="module")
def clone(small_fit, tmp_path_factory):
    """A folder that looks like a clone in which `python docs/example_result.py` was run."""
    home = tmp_path_factory.mktemp("clone")
    (home / "examples").symlink_to(ROOT / "examples")
    for name in ("example-study", "example"):
        shutil.copytree(small_fit[0].parent / name, home / "results" / name)
    return home


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in FITTED_ANEW else name for name in sorted(dl.__all__)]
)
def test_the_example_of_a_public_name_prints_what_its_page_says(name, clone, monkeypatch):
    monkeypatch.chdir(clone)
    told: list[str] = []
    found = doctest.DocTestRunner(verbose=False).run(_examples(name), out=told.append)
    assert found.failed == 0, "".join(told)


def test_every_public_name_has_an_example_and_a_page():
    listed = re.findall(r"^ {3}dyadloop\.(\w+)$", (DOCS / "api.md").read_text(), re.MULTILINE)
    assert sorted(listed) == sorted(dl.__all__)
    assert [name for name in dl.__all__ if not _examples(name).examples] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_section_and_an_example(command):
    assert f"\n## dyadloop {command}\n" in (DOCS / "command-line.md").read_text()
    call, wide = [*command.split(), "--help"], {"COLUMNS": "200", "TERM": "dumb"}
    usage, _, rest = CliRunner().invoke(app, call, prog_name="dyadloop", env=wide).stdout.partition("\n")
    assert usage.startswith("Usage:")
    assert re.search(rf"dyadloop {command}\b", rest), rest


def test_every_page_is_reached_from_the_first():
    """What no table of contents names would be built and never found."""
    pages = {path.relative_to(DOCS).with_suffix("").as_posix() for path in DOCS.rglob("*.md")}
    pages = {page for page in pages if not page.startswith(("_build", "generated"))}
    seen, ahead = set(), ["index"]
    while ahead:
        page = ahead.pop()
        seen.add(page)
        folder = Path(page).parent
        for block in re.findall(r"```\{toctree\}\n(.*?)```", (DOCS / f"{page}.md").read_text(), re.DOTALL):
            names = [re.sub(r".*<(.*)>", r"\1", line).strip() for line in block.splitlines() if line[:1] not in ":"]
            ahead += [target for name in names if name and (target := (folder / name).as_posix()) not in seen]
    assert seen == pages


def test_the_page_on_the_paper_is_that_of_the_theory_files():
    """Every variable, arrow, claim and evidence id that it names exists, and every arrow has its sentence or its reason."""
    paper = load("paper")
    assert paper.page() == (DOCS / "paper.md").read_text(), "run `python docs/paper.py` to renew docs/paper.md"
    theory = dl.read_theory("framework_linear")
    for sentence in paper.SENTENCES:
        for pattern in sentence.arrows:
            assert paper.matching((pattern,), theory), pattern
        for pattern in sentence.claims:
            assert any(fnmatch(claim.id, pattern) for claim in theory.claims), pattern


@pytest.mark.parametrize("page", sorted(path.name for path in (DOCS / "coming-from").glob("*.md")))
def test_numbers_beside_those_of_other_programs_are_ours(page):
    text = (DOCS / "coming-from" / page).read_text()
    assert load("peers").renewed(text) == text, "run `python docs/peers.py` to renew the pages"
    assert all("| below 1e-" in row for row in re.findall(r"^\| [^|]+: [^|]+ \| -?\d.*$", text, re.MULTILINE))


def test_the_gallery_names_every_figure_that_its_script_draws():
    assert load("gallery").page() == (DOCS / "gallery.md").read_text(), "run `python docs/gallery.py` to renew it"


@pytest.mark.parametrize("call", sorted({entry.call for entry in load("gallery").GALLERY.values()}))
def test_every_command_of_the_gallery_has_its_arguments(call, monkeypatch):
    monkeypatch.chdir(ROOT)
    name, *words = shlex.split(call)
    assert name == "dyadloop"
    command, context = get_command(app), None
    while hasattr(command, "commands"):
        context = command.make_context(name, words[:1], parent=context, resilient_parsing=True)
        name, command = command.resolve_command(context, words[:1])[:2]
        words = words[1:]
    command.make_context(name, words, parent=context)


def test_the_gallery_finds_its_figures_in_the_shipped_report():
    taken = [entry.draw() for entry in load("gallery").GALLERY.values() if entry.group == "Report of a fit"]
    assert len(taken) == 7
    assert all(figure.lstrip().startswith(("<svg", "<?xml")) for figure in taken)


@pytest.mark.slow
def test_every_other_figure_of_the_gallery_is_drawn():
    for name, entry in load("gallery").GALLERY.items():
        if entry.group != "Report of a fit":
            assert "<svg" in entry.draw(), name


def test_the_sheet_of_the_tutorial_is_the_one_that_its_script_makes():
    assert load("sheet").sheet() == (DOCS / "tutorials" / "sessions.csv").read_text(), "run `python docs/sheet.py`"


def test_the_page_of_rooms_lists_what_they_export():
    assert load("rooms").page() == (DOCS / "rooms.md").read_text(), "run `python docs/rooms.py` to renew docs/rooms.md"
