"""Shared fixtures: 64-bit arithmetic, the shipped study, one simulated study."""

from pathlib import Path

import jax
import pytest

ROOT = Path(__file__).parents[1]

jax.config.update("jax_enable_x64", True)
# the same programs are compiled by many tests and by both workers
jax.config.update("jax_compilation_cache_dir", str(ROOT / ".pytest_cache" / "jax"))
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)


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
    from tests.inference.small import make, theory

    root = tmp_path_factory.mktemp("small")
    variables = ["oxytocin", "trust", "depression"]
    folder = make(root / "study", variables, seed=5, values={"a_trust": 0.3})
    post = fit(
        read_study(folder), theory(variables), seed=2, settings=Settings(chains=2, warmup=200, draws=700),
        folder=root / "result",
    )  # fmt: skip
    return folder, post
