"""Where the process is switched to 64-bit numbers: not by an import, but by the first theory that is compiled."""

import subprocess
import sys

_IMPORTS = """
import importlib, pkgutil, jax, jax.numpy as jnp, dyadloop
for entry in pkgutil.walk_packages(dyadloop.__path__, "dyadloop."):
    if not entry.name.endswith("__main__"):
        importlib.import_module(entry.name)
arrays = [
    (name, key) for name, module in list(sys.modules.items()) if name.startswith("dyadloop")
    for key, value in vars(module).items() if isinstance(value, jax.Array)
]
assert not arrays, arrays
assert jnp.ones(1).dtype == jnp.float32
assert not jax.config.jax_enable_x64
dyadloop.loop_gain(dyadloop.hypothesis("reciprocal", dyadloop.read_theory("framework_linear")))
assert jax.config.jax_enable_x64
"""


def test_an_import_leaves_the_process_as_it_is():
    run = subprocess.run([sys.executable, "-c", f"import sys\n{_IMPORTS}"], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
