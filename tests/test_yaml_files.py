"""YAML is read as the documents show it, in one place, and what is written comes back."""

import re

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from dyadloop.data import StudyInfo, read_study
from dyadloop.data.sources import Source
from dyadloop.errors import DataError
from dyadloop.measures.synchrony.language import function_words
from dyadloop.yaml_files import dump_yaml, load_yaml
from tests.conftest import ROOT
from tests.data.conftest import tiny  # noqa: F401 - a fixture

BLOCKS = [
    pytest.param(path, block, id=f"{path.name}:{text[: text.index(block)].count(chr(10)) + 1}")
    for path in sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
    for text in [path.read_text(encoding="utf-8")]
    for block in re.findall(r"```ya?ml\n(.*?)```", text, re.DOTALL)
]


@pytest.mark.parametrize(("path", "block"), BLOCKS)
def test_every_block_of_the_documents_is_read(path, block):
    content = load_yaml(block)
    if path.name == "study-folder.md" and "schema_version" in content:
        info = StudyInfo.model_validate(content)
        assert info.covariates["age"].on == ("depression",)
    for name, source in (content.get("measures") or {}).items() if isinstance(content, dict) else ():
        assert TypeAdapter(Source).validate_python(source), name


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", "on"), ("off", "off"), ("yes", "yes"), ("No", "No"), ("y", "y"), ("n", "n"),
        ("12:30", "12:30"), ("12:30:00", "12:30:00"), ("190:20:30", "190:20:30"),
        ("2024-03-01", "2024-03-01"), ("1_000", "1_000"), ("=", "="),
        ("010", 10), ("0o10", 8), ("0x1f", 31), ("1e-3", 1e-3), ("+.5E2", 50.0), ("1.", 1.0), ("-7", -7),
        ("true", True), ("FALSE", False), ("~", None), ("null", None), (".inf", float("inf")),
    ],
)  # fmt: skip
def test_plain_words_and_numbers(text, value):
    assert load_yaml(f"a: {text}") == {"a": value}
    assert load_yaml(f"{text}: 1") == {value: 1}


TEXT = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Cn", "Zl", "Zp"]), max_size=8
)  # YAML folds other line ends
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT | st.sampled_from(
    ["on", "no", "Yes", "~", "1e3", "12:30", "010", "0o7", "1_000", "2024-03-01", "null", "=", "<<", "", " x", "1.", ".5", "0x1f", "1e-05"]
)  # fmt: skip


@given(
    st.recursive(
        SCALARS,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(TEXT | st.sampled_from(["on", "no", "1e3"]), inner, max_size=3)
        ),
        max_leaves=8,
    )
)
@settings(max_examples=150, deadline=None)
def test_what_is_written_comes_back(content):
    try:
        text = dump_yaml(content)
        yaml.safe_load(text)
    except yaml.YAMLError:  # characters that YAML does not know
        return
    assert load_yaml(text) == content
    assert yaml.safe_load(text) == content


@pytest.mark.parametrize(
    "text",
    ["a: 1\na: 2", "a: [", "{[a]: 1}", "[" * 3000, "a: 1\n---\nb: 2", "!!python/object:os.x {}", "!!int x", "!!bool x", "!!float x", "\t- a", "a: \x01", "!!timestamp 5"],
)  # fmt: skip
def test_whatever_cannot_be_read_is_one_kind_of_error(text):
    with pytest.raises(yaml.YAMLError):
        load_yaml(text)


def test_the_words_of_the_language_measure_are_words():
    words = set().union(*function_words().values())
    assert all(isinstance(word, str) for word in words)
    assert {"on", "off", "no"} <= words


def test_files_of_this_package_mean_the_same_to_both_versions():
    for path in (ROOT / "src" / "dyadloop").rglob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        if path.name != "function_words.yaml":
            assert load_yaml(text) == yaml.safe_load(text), path


def test_yaml_is_loaded_in_one_place():
    users = [
        p.name
        for p in (ROOT / "src").rglob("*.py")
        if re.search(r"yaml\.(safe_|unsafe_|full_)?(load|dump)\(", p.read_text())
    ]
    assert users == ["yaml_files.py"]


@pytest.mark.parametrize(
    ("old", "new", "column", "got", "expected"),
    [
        ("simulated: true", "simulated: maybe", "simulated", "'maybe'", "true or false"),
        ("licence: CC0-1.0\n", "", "licence", "nothing", "text add this entry"),
        ("name: tiny", "nmae: tiny", "nmae", "an unknown key", "did you mean name?"),
        ("[1, 7]", "[1, seven]", "indicators.trust.scale.2", "'seven'", "number"),
        ("[1, 7]", "7", "indicators.trust.scale", "7", "list"),
        ("indicators:", "measures:\n  trust: {kind: magic, file: x}\nindicators:", "measures.trust", "magic", "questionnaire"),
        ("simulated: true", "simulated: true\ntimes: {unit: fortnights}", "times.unit", "'fortnights'", "unix_seconds"),
        ("simulated: true", "simulated: true\nmeasures:\n  trust: {kind: synchrony, files: x, settings: {whole: yes}}", None, "'yes'", "true or false"),
    ],
)  # fmt: skip
def test_faults_of_study_yaml_are_said_in_plain_words(tiny, old, new, column, got, expected):  # noqa: F811
    text = (tiny / "study.yaml").read_text()
    assert old in text
    (tiny / "study.yaml").write_text(text.replace(old, new, 1))
    with pytest.raises(DataError) as caught:
        read_study(tiny)
    hits = [
        f
        for f in caught.value.faults
        if f.file == "study.yaml" and (column is None or (f.column or "").startswith(column))
    ]
    assert hits, str(caught.value)
    assert any(got in f.got and expected in f"{f.expected} {f.remedy}" for f in hits), str(caught.value)
    assert "Input should" not in str(caught.value)
    assert "{'" not in str(caught.value)


def test_words_for_switches_still_switch(tiny):  # noqa: F811
    text = (tiny / "study.yaml").read_text()
    (tiny / "study.yaml").write_text(text.replace("transform: log", "transform: log, use: no"))
    assert read_study(tiny).info.indicators["ot"].use is False
