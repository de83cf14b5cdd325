"""Kernels that several threads ask for at the same time are registered once."""

import subprocess
import sys

THREADS = """
import threading
import jax, jax.numpy as jnp
jax.config.update("jax_enable_x64", True)
from dyadloop.kernels import targets

failed, gate = [], threading.Barrier(4)

def ask():
    gate.wait()
    try:
        jax.eval_shape(lambda number: targets.kernel("transitions", (targets.doubles(1),), number), jnp.zeros(1))
    except Exception as error:
        failed.append(error)

threads = [threading.Thread(target=ask) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(failed), *failed)
"""


def test_threads_register_a_kernel_once():
    run = subprocess.run([sys.executable, "-c", THREADS], capture_output=True, text=True)
    assert run.stdout.split() == ["0"], run.stdout + run.stderr
