"""The only door to the ffmpeg programs: lists of arguments, never a shell; what goes wrong is said in foley's words."""

from __future__ import annotations

import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, lru_cache
from pathlib import Path
from typing import IO, Any, TypeVar

import ffmpeg

from foley.errors import CannotWriteError, DiskFullError, FoleyError, MediaError, MissingProgramError, MuxError
from foley.media.atomic import written_whole

T = TypeVar("T")

_QUIET = ("-hide_banner", "-nostdin", "-loglevel", "error")
_INSTALL = "install ffmpeg 5 or newer (apt install ffmpeg, brew install ffmpeg, winget install ffmpeg)"
_PIPE_BYTES = 1 << 20
"""How much is taken from the program at once where the caller does not say: so much that switching costs nothing."""

_PROBING = ThreadPoolExecutor(4, thread_name_prefix="ffprobe")
"""Where ffprobe is waited for: probing a clip asks it several things at once."""

_programs: ContextVar[Programs | None] = ContextVar("programs", default=None)
"""Where programs that are started now are noted, so that somebody else can end them."""


class ProbeError(Exception):
    """ffprobe could not read a file; the text is its own reason."""


def address(path: Path) -> str:
    """Return the path as ffmpeg takes it: never an option, a protocol or a pattern, whatever it is called."""
    return f"file:{path}"


def probe(path: Path, **show: object) -> dict[str, Any]:
    """Return what ffprobe says of a file's format and streams.

    Args:
        path: The file.
        **show: More options of ffprobe, None for a switch; without any, chapters are told too.

    Raises:
        ProbeError: where ffprobe cannot read it.
        MissingProgramError: where ffprobe is not installed.
    """
    try:
        return begin_probe(path, **show).result()
    except ffmpeg.Error as cause:
        raise ProbeError(_reason(cause.stderr, about=path)) from cause
    except FileNotFoundError as cause:
        _asked_once.cache_clear()  # it may be installed by the next time
        raise MissingProgramError("ffprobe", _INSTALL) from cause


def begin_probe(path: Path, **show: object) -> Future[dict[str, Any]]:
    """Begin to ask ffprobe, so that its answer is there when `probe` wants it; once while the file stays as it is.

    It runs in a thread that is waited for, also when the program ends: an interrupt would else leave ffprobe running.
    """
    try:
        found = path.stat()
    except OSError:  # ffprobe says what is wrong with it
        return _PROBING.submit(_asked, path, show)
    show = show or {"show_chapters": None}
    return _asked_once(path, (found.st_size, found.st_mtime_ns, found.st_ino), tuple(show.items()))


@lru_cache(maxsize=16)
def _asked_once(path: Path, stamp: tuple[int, ...], show: tuple[tuple[str, object], ...]) -> Future[dict[str, Any]]:
    """Ask ffprobe of a file as it is now: another `stamp` is another question."""
    return _PROBING.submit(_asked, path, dict(show))


def _asked(path: Path, show: dict[str, object]) -> dict[str, Any]:
    found: dict[str, Any] = ffmpeg.probe(address(path), v="error", **show)
    return found


def write(*args: str | Path, to: Path) -> None:
    """Run ffmpeg to write one file, which is whole or untouched afterwards.

    Args:
        *args: Everything before the output's name. A `Path` is taken as the name of a file, a `str` as it is.
        to: The output; its suffix chooses the container unless the arguments do. It is replaced.

    Raises:
        MissingProgramError: where ffmpeg is not installed.
        OutputError: where the output cannot be written.
    """
    with written_whole(to) as part, _running(*args, "-y", part) as (program, log):
        code = program.wait()
        if code:
            raise _unwritten(_read(log), to)


def blocks(*args: str | Path, reading: Path, block_bytes: int = _PIPE_BYTES) -> Iterator[bytes]:
    """Run ffmpeg and yield what it writes to its standard output, in blocks; only the last may be shorter.

    Args:
        *args: All arguments; the output among them is "-".
        reading: The input that is at fault where it fails.
        block_bytes: The length of a block.

    Raises:
        MissingProgramError: where ffmpeg is not installed.
        MediaError: where it fails.
    """
    with _running(*args, stdout=subprocess.PIPE) as (program, log):
        assert program.stdout is not None
        while block := program.stdout.read(block_bytes):
            yield block
        if program.wait():
            raise MediaError(f"{reading}: {_reason(_read(log), about=reading)}", hint="check that the file plays")


def video_hash(path: Path) -> str:
    """Return a hash of the coded pictures of all video streams: equal where every packet is bit-identical."""
    text = b"".join(
        blocks("-i", path, "-map", "0:v", "-c", "copy", "-f", "streamhash", "-hash", "md5", "-", reading=path)
    )
    return text.decode().strip()


def version() -> str:
    """Return the version that ffmpeg gives itself, e.g. "5.1.9".

    Raises:
        MissingProgramError: where ffmpeg is not installed.
    """
    return begin_version().result()


@cache
def begin_version() -> Future[str]:
    """Begin to ask ffmpeg for its version; waited for as `begin_probe` is."""
    return _PROBING.submit(_version)


def _version() -> str:
    said = b"".join(blocks("-version", reading=Path("ffmpeg"))).decode(errors="replace")
    return said.removeprefix("ffmpeg version ").split(" ", 1)[0] or "unknown"


class Programs:
    """The programs that a piece of work starts: another thread may end them, and with them the work."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()
        self._ended = False
        self._lock = threading.Lock()

    def run(self, work: Callable[[], T]) -> T:
        """Do a piece of work, noting what it starts in this thread."""
        token = _programs.set(self)
        try:
            return work()
        finally:
            _programs.reset(token)

    def end(self) -> None:
        """End all that run, and at once whatever is started from now on."""
        with self._lock:
            self._ended = True
            for program in self._running:
                program.kill()

    def add(self, program: subprocess.Popen[bytes]) -> None:
        """Note a program that was started."""
        with self._lock:
            self._running.add(program)
            if self._ended:
                program.kill()

    def remove(self, program: subprocess.Popen[bytes]) -> None:
        """Forget a program that has ended."""
        with self._lock:
            self._running.discard(program)


@contextmanager
def _running(
    *args: str | Path, stdout: int = subprocess.DEVNULL
) -> Iterator[tuple[subprocess.Popen[bytes], IO[bytes]]]:
    """Run ffmpeg while the block lasts and end it with the block, however the block ends."""
    command = ["ffmpeg", *_QUIET, *(address(arg) if isinstance(arg, Path) else arg for arg in args)]
    # a file and not a pipe: a program that complains a lot must not wait for somebody to read it
    with tempfile.TemporaryFile() as log:
        try:
            program = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=log)
        except FileNotFoundError as cause:
            raise MissingProgramError("ffmpeg", _INSTALL) from cause
        noted = _programs.get()
        if noted is not None:
            noted.add(program)
        try:
            yield program, log
        finally:
            if program.poll() is None:
                program.kill()
            program.wait()
            if noted is not None:
                noted.remove(program)
            if program.stdout is not None:
                program.stdout.close()


def _read(log: IO[bytes]) -> bytes:
    log.seek(0)
    return log.read()


def _unwritten(log: bytes, to: Path) -> FoleyError:
    text = log.decode(errors="replace")
    if "No space left on device" in text or "Disk quota exceeded" in text:
        return DiskFullError(to)
    for words in ("Permission denied", "Read-only file system", "File too large", "Not a directory"):
        if words in text:
            return CannotWriteError(to, words.lower())
    if not to.parent.is_dir():
        return CannotWriteError(to, "its folder does not exist")
    return MuxError(f"ffmpeg could not write {to}: {_reason(log, about=to)}")


def _reason(log: bytes, *, about: Path) -> str:
    """Return the last thing ffmpeg complained of, without the file's name and its own module names."""
    lines = [line.strip() for line in log.decode(errors="replace").splitlines() if line.strip()]
    if not lines:
        return "ffmpeg gave no reason"
    telling = [line for line in lines if line.startswith("[")]
    # the module's line ("[mov] moov atom not found") says why, the last one ("Invalid data found") only that
    line = telling[-1] if telling else lines[-1]
    return line.rsplit("] ", 1)[-1].replace(f"{address(about)}: ", "")
