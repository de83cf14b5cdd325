"""Shared fixtures: 64-bit arithmetic, the shipped study, one simulated study."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# the same programs are compiled by many tests, by both workers and by the commands that tests start
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(ROOT / ".pytest_cache" / "jax"))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.2")

import jax  # noqa: E402 - it reads the two lines above

jax.config.update("jax_enable_x64", True)


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items):
    """Give each worker whole modules, and one of them all that need the one long fit."""
    modules = {item.module.__name__ for item in items if "small_fit" in item.fixturenames}
    for item in items:
        name = item.module.__name__
        item.add_marker(pytest.mark.xdist_group("small_fit" if name in modules else name))


@pytest.fixture(scope="session")
def school_folder() -> Path:
    return ROOT / "examples" / "school"


@pytest.fixture(scope="session")
def haifa_folder(tmp_path_factory) -> Path:
    from dyadloop.simulation import simulate_study

    return simulate_study(tmp_path_factory.mktemp("simulated") / "haifa", seed=3)


@pytest.fixture(scope="session")
def small_fit(tmp_path_factory):
    """A simulated study of oxytocin and trust, and its fit in a result folder."""
    from dyadloop.data import read_study
    from dyadloop.inference import Settings, fit
    from tests.inference.small import make, shorten, theory

    root = tmp_path_factory.mktemp("small")
    variables = ["oxytocin", "trust", "depression"]
    folder = shorten(make(root / "study", variables, seed=5, values={"a_trust": 0.3}), 20)
    post = fit(
        read_study(folder), theory(variables), seed=2, settings=Settings(chains=2, warmup=200, draws=700),
        folder=root / "result",
    )  # fmt: skip
    return folder, post
