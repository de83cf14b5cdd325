"""What the machine offers."""

import os

import pytest

from dyadloop import machine


def test_processors_are_those_that_the_process_may_use(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 3, 5}, raising=False)
    assert machine.processors() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert machine.processors() == 1


@pytest.mark.parametrize(
    ("system", "variable", "inside"),
    [
        ("linux", "XDG_CACHE_HOME", ".cache"),
        ("darwin", "", "Library/Caches"),
        ("win32", "LOCALAPPDATA", "AppData/Local"),
    ],
)
def test_programs_are_kept_in_the_cache_of_the_user(monkeypatch, tmp_path, system, variable, inside):
    monkeypatch.setattr(machine.sys, "platform", system)
    monkeypatch.setattr(machine.Path, "home", lambda: tmp_path)
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    assert machine.program_cache() == tmp_path / inside / "dyadloop" / "programs" / machine.kind()
    if variable:
        monkeypatch.setenv(variable, str(tmp_path / "elsewhere"))
        assert machine.program_cache().parts[: len(tmp_path.parts) + 1] == (tmp_path / "elsewhere").parts


def test_what_the_user_says_of_the_cache_stays(monkeypatch, tmp_path):
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "7")
    machine.keep_programs()
    assert os.environ["JAX_COMPILATION_CACHE_DIR"] == str(tmp_path)
    monkeypatch.delenv("JAX_COMPILATION_CACHE_DIR")
    machine.keep_programs()
    assert os.environ["JAX_COMPILATION_CACHE_DIR"] == str(machine.program_cache())
