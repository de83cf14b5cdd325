"""The process that runs one command for the app: ``python -m dyadloop.app.runner FOLDER MODULE ARGUMENT...``.

It starts the command, keeps its messages and its answer in FOLDER, and notes how it ended. Where the app ends, however
it does, the pipe to this process breaks; then the command is stopped as by Ctrl-C, which loses nothing that is done. So
no fit goes on that nobody sees, and two processes never write into one folder.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from dyadloop.app.job import ANSWER_FILE, END_FILE, LOCK_FILE, LOG_FILE
from dyadloop.files import write_text

GRACE_SECONDS = 60.0
"""How long a command has to stop by itself before it is ended."""


def run(folder: Path, words: list[str]) -> int:
    """Run a command in this process group and return its exit code."""
    # a handler, unlike SIG_IGN, is not inherited: the command itself must hear Ctrl-C
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    with (
        (folder / LOCK_FILE).open("w") as lock,
        (folder / LOG_FILE).open("w") as log,
        (folder / ANSWER_FILE).open("w") as answer,
    ):
        _take(lock.fileno())
        call = [sys.executable, "-m", *words]
        process = subprocess.Popen(
            call, stdin=subprocess.DEVNULL, stdout=answer, stderr=log, pass_fds=(lock.fileno(),), env=_environment()
        )
        alone = threading.Event()
        threading.Thread(target=_stop_with_app, args=(process, alone), daemon=True).start()
        code = process.wait()
        write_text(folder / END_FILE, json.dumps({"code": code, "ended": time.time(), "alone": alone.is_set()}))
    return code


def _take(descriptor: int) -> None:
    """Hold the lock of the folder until this process and the command have ended."""
    import fcntl

    fcntl.flock(descriptor, fcntl.LOCK_EX)


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONUNBUFFERED": "1", "NO_COLOR": "1"}


def _stop_with_app(process: subprocess.Popen, alone: threading.Event) -> None:
    """Stop the command when the pipe from the app breaks."""
    while os.read(0, 1):
        pass
    alone.set()
    process.send_signal(signal.SIGINT)
    try:
        process.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        process.terminate()


if __name__ == "__main__":
    sys.exit(run(Path(sys.argv[1]), sys.argv[2:]) & 0xFF)
