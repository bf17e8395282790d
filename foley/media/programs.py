"""The door to programs of others: a list of arguments, never a shell; ended in time with all that they started."""

from __future__ import annotations

import atexit
import contextlib
import os
import re
import signal
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

PASSED_ON = re.compile(
    r"PATH|HOME|USER|LOGNAME|LANG|LANGUAGE|LC_\w+|TZ|SYSTEMROOT|PATHEXT|USERPROFILE|LOCALAPPDATA|LD_LIBRARY_PATH|"
    r"CUDA_\w+|(NVIDIA|HIP|ROCR)_VISIBLE_DEVICES|OMP_NUM_THREADS|XDG_CACHE_HOME|TORCH_HOME|HF_HOME|HF_HUB_(CACHE|OFFLINE)"
)
"""Variables of the environment that another program needs to find its language, its device and its weights. Keys and
tokens are not among them."""

_LAST_BYTES = 8192
"""Of what a program said that is looked at; its last words are what tells."""

_LAST_LINES, _LAST_CHARACTERS = 4, 400
"""Of its words that are repeated to a person."""

_TERMINAL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0e-\x1f\x7f]")
"""What colours, moves or rings on a terminal."""


_running: set[subprocess.Popen[bytes]] = set()
"""Programs that nobody has ended yet; they have no terminal, so an interrupt does not reach them by itself."""

_starting = threading.Lock()
"""A program that was started is in the set at once, whatever the exit comes between."""


class NotStartedError(Exception):
    """The program is not there or cannot be run; the text says why."""


class OverdueError(Exception):
    """The program took too long and was ended; the text is the last that it said."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended."""

    code: int
    """0 where it says that all went well; negative for the signal that ended it."""
    said: str
    """Its last lines, of both outputs, on one line."""


def environment(also: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of another program: what it needs of ours, and what is given."""
    kept = {name: value for name, value in os.environ.items() if PASSED_ON.fullmatch(name)}
    return kept | dict(also)


def run(command: Sequence[str | Path], *, folder: Path, environment: Mapping[str, str], time_limit_s: float) -> Ended:
    """Run a program to its end; whatever it started and left behind ends with it.

    A program that leaves its process group on purpose, as daemons do, is out of reach.

    Args:
        command: The program and its arguments, each as it is to arrive.
        folder: Where it works.
        environment: All its variables.
        time_limit_s: After which it is ended.

    Raises:
        NotStartedError: where it cannot be run.
        OverdueError: where it takes too long.
    """
    # a file and not a pipe: what a left-behind child holds open is waited for by nobody
    with tempfile.TemporaryFile() as log:
        try:
            with _starting:
                program = subprocess.Popen(
                    [str(part) for part in command],
                    cwd=folder,
                    env=dict(environment),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
                _running.add(program)
        except (OSError, ValueError) as cause:
            reason = cause.strerror if isinstance(cause, OSError) and cause.strerror else str(cause)
            raise NotStartedError(reason.lower()) from cause
        try:
            code = program.wait(time_limit_s)
        except subprocess.TimeoutExpired as cause:
            _end(program)
            raise OverdueError(_last_words(log)) from cause
        finally:
            _end(program)
            _running.discard(program)
        return Ended(code, _last_words(log))


@atexit.register
def end_all() -> None:
    """End all programs that run: whoever waited for them is gone."""
    with _starting:
        left = list(_running)
    for program in left:
        _end(program)


def _end(program: subprocess.Popen[bytes]) -> None:
    """End a program and its children at once, and wait for it."""
    if os.name == "posix":
        with contextlib.suppress(ProcessLookupError, PermissionError):  # nobody is left, or only what is ending
            os.killpg(program.pid, signal.SIGKILL)
    else:
        program.kill()
    program.wait()


def _last_words(log: IO[bytes]) -> str:
    size = log.seek(0, os.SEEK_END)
    log.seek(max(0, size - _LAST_BYTES))
    text = log.read().decode("utf-8", "replace")
    lines = [" ".join(_TERMINAL.sub("", line).split()) for line in text.splitlines()]
    return " | ".join([line for line in lines if line][-_LAST_LINES:])[-_LAST_CHARACTERS:]
