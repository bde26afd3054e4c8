"""A program that has everything imported, and forks a ``tfgate`` for each line it is told.

Started with the shim in LD_PRELOAD. A line is JSON: ``arguments``, ``cwd``, ``env``, ``out``,
``err``, ``input`` (files), ``spec``, ``under``, ``log`` and ``seconds``. The answer is the exit
code on a line, minus the signal where one ended it; ``None`` where its time was over.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import pkgutil
import signal
import sys
import time
from typing import Any

import tfgate

_BESIDE = ("re2", "rfc8785", "gzip", "zipfile", "jmespath", "tomli", "rich")
_NOT = (
    "tfgate.__main__",
    "tfgate.pytest_plugin",
    "tfgate.terraform.embedded",
)


def main() -> None:
    """Answer until the lines end."""
    for module in pkgutil.walk_packages(tfgate.__path__, "tfgate."):
        if not module.name.startswith(("tfgate.terraform.__main__", *_NOT)):
            importlib.import_module(module.name)
    for name in _BESIDE:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    answers = os.fdopen(os.dup(1), "w")
    lines = os.fdopen(os.dup(0), "rb")
    os.set_inheritable(answers.fileno(), False)
    for line in lines:
        job = json.loads(line)
        child = os.fork()
        if child == 0:
            _run(job)
        answers.write(f"{_wait(child, job['seconds'])}\n")
        answers.flush()


def _run(job: dict[str, Any]) -> None:
    try:
        os.setsid()
        for path, flags, to in (
            (job["input"], os.O_RDONLY, 0),
            (job["out"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 1),
            (job["err"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 2),
        ):
            descriptor = os.open(path, flags)
            os.dup2(descriptor, to)
            os.close(descriptor)
        os.chdir(job["cwd"])
        os.environ.clear()
        os.environ.update(job["env"])
        sys.argv = ["tfgate", *job["arguments"]]
        words = (job["spec"], job["under"], job["log"])
        ctypes.CDLL(None).faults_arm(*(ctypes.c_char_p(word.encode()) for word in words))
        from tfgate.__main__ import run

        run()
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        os._exit(97)


def _wait(child: int, seconds: float) -> int | None:
    end = time.monotonic() + seconds
    pause = 0.0005
    while True:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > end:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return None
        time.sleep(pause)
        pause = min(pause * 1.3, 0.01)


if __name__ == "__main__":
    main()
