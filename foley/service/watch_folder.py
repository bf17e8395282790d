"""A folder that any editor exports into: what lands there is given its sound.

Where a clip lies says how far it is, so nothing else has to be kept: in the folder itself it waits; in `working/CLIP/`,
moved there by one rename, it is being done; in `done/` or `failed/` it has been. Whoever is killed, the next watcher
goes on from there.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from threading import Event
from typing import Any

from foley import api
from foley.deliver import outputs
from foley.errors import FoleyError, ServiceError
from foley.media import ffmpeg
from foley.service import leases, limits, logs, sidecars, traces
from foley.service.hands import Hand
from foley.service.logs import Logging
from foley.service.messages import Ask, Problem, Result
from foley.service.telemetry import Telemetry
from foley.service.work import Order, Rules, problem
from foley.service.workers import MOST_CRASHES, CrashedError

VIDEO_SUFFIXES = frozenset(
    (
        *(".mov", ".mp4", ".m4v", ".mkv", ".webm", ".mxf", ".avi", ".ts", ".mts", ".m2ts"),
        *(".mpg", ".mpeg", ".ogv", ".wmv", ".flv", ".3gp", ".dv", ".gxf"),
    )
)
"""What editors export."""

WORKING, DONE, FAILED = "working", "done", "failed"
NOTES, JOB, OUTCOME = ".notes", "job.json", "outcome.json"
"""In a clip's working folder: what is asked for it, and how it went."""

LOCK = ".foley-watch.lock"

ENDING = "ending"
"""Why a clip is stopped that is not to be finished now."""


@dataclass(frozen=True, slots=True)
class Watching:
    """How to watch."""

    folder: Path
    rules: Rules
    settle_s: float = 5.0
    """A clip that did not change for so long is whole; network shares show sizes some seconds late."""
    poll_s: float = 2.0
    """How often the folder is looked at."""
    once: bool = False
    """Do what is there and end."""
    workers: int = 1
    """How many clips are done at once."""
    logging: Logging = field(default_factory=Logging)
    debug: bool = False


class _EndingError(Exception):
    """The watcher ends; the clip stays in `working/`."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What a watcher did."""

    done: int
    failed: int


def watch(watching: Watching, *, say: Callable[[str], None]) -> Tally:
    """Do what lands in a folder, until it is interrupted, or all is done where that is asked.

    Args:
        watching: What and how.
        say: Told what people should know.

    Raises:
        ServiceError: where the folder cannot be watched.
    """
    limits.refuse_unseen(watching.rules.limits)
    if not watching.folder.is_dir():
        raise ServiceError(f"{watching.folder} is no folder to watch")
    lock = leases.take(watching.folder / LOCK)
    if lock is None:
        raise ServiceError(
            f"{watching.folder} is watched already", hint="one watcher is enough: it does all that lands"
        )
    with ExitStack() as stack:
        stack.callback(lock.end)
        telemetry = Telemetry(stack.enter_context(logs.opened(watching.logging, say)), traces=traces.configured())
        stack.callback(telemetry.close)
        watcher = _Watcher(watching, telemetry)
        stack.callback(watcher.end)
        telemetry.log.say(f"watching {watching.folder}")
        tally = watcher.watch()
        telemetry.log.say(f"{tally.done} done, {tally.failed} failed")
        return tally


class _Settling:
    """Knows since when files have not changed."""

    def __init__(self, settle_s: float) -> None:
        self._settle_s = settle_s
        self._since: dict[Path, tuple[tuple[Any, ...], float]] = {}

    def is_settled(self, clip: Path, files: list[Path]) -> bool:
        """Return whether a clip and what belongs to it have been the same for long enough."""
        stamp = tuple((path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in files)
        known, since_s = self._since.get(clip, ((), 0.0))
        if known != stamp:
            self._since[clip] = stamp, time.monotonic()
            return False
        return time.monotonic() - since_s >= self._settle_s

    def forget_all_but(self, clips: list[Path]) -> None:
        """Forget those that are there no more."""
        self._since = {clip: known for clip, known in self._since.items() if clip in clips}


class _Watcher:
    """Watches one folder, with workers that stay warm."""

    def __init__(self, watching: Watching, telemetry: Telemetry) -> None:
        self.watching, self.telemetry, self.say = watching, telemetry, telemetry.log.say
        self.folder = watching.folder.resolve()
        self._settling = _Settling(watching.settle_s)
        self._unreadable: dict[Path, str] = {}
        """Why clips that look whole are left where they are."""
        alive = watching.rules.workdir / "service" / "alive"
        self._hands: SimpleQueue[Hand] = SimpleQueue()
        """Those that are free."""
        for number in range(1, watching.workers + 1):
            self._hands.put(Hand(number, alive, telemetry, debug=watching.debug))
        self._pool = ThreadPoolExecutor(watching.workers, thread_name_prefix="hand")
        self._running: dict[Path, Future[bool]] = {}
        """Clips that are being done, by their working folders."""
        self._ending = Event()
        self._done, self._failed = 0, 0

    def end(self) -> None:
        """End the workers; what they were at stays in `working/`."""
        self._ending.set()
        self._pool.shutdown(wait=True, cancel_futures=True)
        while not self._hands.empty():
            self._hands.get().end()

    def watch(self) -> Tally:
        """Do what lands in the folder."""
        fault = ""
        while True:
            try:
                waiting = self._pass()
                fault = ""
            except (OSError, FoleyError) as error:  # the share is gone for a while, or the disk is full
                if self.watching.once:
                    raise ServiceError(f"{self.folder}: {problem(error).message}") from error
                if str(error) != fault:
                    fault = str(error)
                    self.say(f"{self.folder}: {problem(error).message}; trying again")
                waiting = True
            if self.watching.once and not waiting:
                return Tally(self._done, self._failed)
            if self._running:
                wait(self._running.values(), self.watching.poll_s, return_when=FIRST_COMPLETED)
            else:
                time.sleep(self.watching.poll_s)

    def _pass(self) -> bool:
        """Begin all that is ready, as far as workers are free; return whether something runs or will be ready soon."""
        self._reap()
        for home in self._homes():
            self._begin(home)
        clips = self._clips()
        self._settling.forget_all_but(clips)
        waiting = False
        for clip in clips:
            if self._is_ready(clip):
                self._await_hand()
                self._begin(self._claim(clip))
            else:
                waiting |= clip not in self._unreadable
        return waiting or bool(self._running)

    def _begin(self, home: Path) -> None:
        """Give a clip to the next worker that is free."""
        self._await_hand()
        self._running[home] = self._pool.submit(self._finish, home)

    def _await_hand(self) -> None:
        while len(self._running) >= self.watching.workers:
            wait(self._running.values(), return_when=FIRST_COMPLETED)
            self._reap()

    def _reap(self) -> None:
        """Count what has been done.

        Raises:
            OSError: where a clip's files could not be moved; it stays in `working/`.
            FoleyError: where no worker could be started.
        """
        for home in [home for home, doing in self._running.items() if doing.done()]:
            failed = self._running.pop(home).result()
            self._failed, self._done = self._failed + failed, self._done + (not failed)

    def _homes(self) -> list[Path]:
        """Return the clips that an earlier watcher was ended over; put back what it had only begun to move."""
        homes = []
        for home in sorted((self.folder / WORKING).glob("*/")):
            if home in self._running:
                continue
            if (home / NOTES / OUTCOME).is_file() or _clip_in(home) is not None:
                homes.append(home)
            else:
                self._put_back(home)
        return homes

    def _put_back(self, home: Path) -> None:
        """Put sidecars back whose clip was not moved: it may have been exported anew since."""
        note = home / NOTES / JOB
        moved = json.loads(note.read_text(encoding="utf-8"))["sidecars"] if note.is_file() else {}
        for name, before in moved.items():
            if (home / name).is_file() and not (self.folder / before).exists():
                (home / name).rename(self.folder / before)
        shutil.rmtree(home)

    def _clips(self) -> list[Path]:
        return sorted(path for path in self.folder.iterdir() if _is_clip(path))

    def _is_ready(self, clip: Path) -> bool:
        """Return whether a clip is whole: neither it nor its sidecars change, and ffprobe can read it."""
        try:
            settled = self._settling.is_settled(clip, [clip, *sidecars.beside(clip)])
        except FileNotFoundError:  # taken away while it was looked at
            return False
        if not settled:
            self._unreadable.pop(clip, None)
            return False
        if clip in self._unreadable:
            return False
        try:
            ffmpeg.probe(clip)
        except ffmpeg.ProbeError as cause:
            self._unreadable[clip] = str(cause)
            self.say(f"{clip.name}: left where it is, for it is not whole or no video: {cause}")
            return False
        return True

    def _claim(self, clip: Path) -> Path:
        """Move a clip with its sidecar into a working folder of its own; the clip last, by one step."""
        ask, fault = Ask(), ""
        try:
            ask = sidecars.read_ask(clip, self.watching.rules)
        except FoleyError as error:
            fault = _text(problem(error))
        name = self._free_name(clip, overwrite=ask.overwrite)
        home = self.folder / WORKING / name
        moved = {f"{name}{sidecar.suffix}": sidecar.name for sidecar in sidecars.beside(clip)}
        notes = {"ask": dict(sidecars.plain(ask)), "fault": fault, "sidecars": moved}
        outputs.write_text(home / NOTES / JOB, json.dumps(notes))
        for new, old in moved.items():
            (self.folder / old).rename(home / new)
        clip.rename(home / f"{name}{clip.suffix}")
        return home

    def _free_name(self, clip: Path, *, overwrite: bool) -> str:
        """Return what a clip and its results are called: as it is, unless another of that name was done before."""
        working, done, failed = (self.folder / place for place in (WORKING, DONE, FAILED))
        number, name = 1, clip.stem
        while (
            (working / name).exists()
            or (failed / f"{name}{clip.suffix}").exists()
            or (not overwrite and _is_taken(done, name, clip.suffix))
        ):
            number += 1
            name = f"{clip.stem}-{number}"
        for left in (failed / f"{name}.error.txt", failed / f"{name}.foley"):  # the clip was taken out to try again
            _remove(left)
        return name

    def _finish(self, home: Path) -> bool:
        """Do a clip that was moved into its working folder, and move all to where it belongs; return if it failed."""
        outcome = home / NOTES / OUTCOME
        if not outcome.is_file():
            began_s = time.monotonic()
            error = self._do(home)
            if error:
                outputs.write_text(home / f"{home.name}.error.txt", error + "\n")
            outputs.write_text(outcome, json.dumps({"failed": bool(error)}))
            took = f"{time.monotonic() - began_s:.1f} s"
            self.say(f"{home.name}: failed: {error.splitlines()[0]}" if error else f"{home.name}: done in {took}")
        failed = bool(json.loads(outcome.read_text(encoding="utf-8"))["failed"])
        self._move_all(home, self.folder / (FAILED if failed else DONE))
        return failed

    def _do(self, home: Path) -> str:
        """Do a clip; return what went wrong."""
        notes = json.loads((home / NOTES / JOB).read_text(encoding="utf-8"))
        clip = _clip_in(home)
        if notes["fault"] or clip is None:
            return str(notes["fault"])
        output = api.destination(clip, None).video
        ask = Ask(**notes["ask"] | {"exports": tuple(notes["ask"].get("exports", ()))})  # JSON has lists
        came_of_it = self._answered(home.name, Order(ask, clip, output, home / NOTES, self.watching.rules))
        return _text(came_of_it) if isinstance(came_of_it, Problem) else ""

    def _answered(self, job_id: str, order: Order) -> Result | Problem:
        """Return what a worker makes of an order; a crash may be an accident, so it is tried again."""
        hand = self._hands.get()
        try:
            for attempt in range(1, MOST_CRASHES + 1):
                outcome = self._attempt(hand, job_id, order, attempt)
                if not isinstance(outcome, CrashedError):
                    return outcome
            times = f"over this clip, {MOST_CRASHES} times"
            return Problem("WorkerCrashed", f"{outcome}, {times}", "try a smaller clip or model")
        finally:
            self._hands.put(hand)

    def _attempt(self, hand: Hand, job_id: str, order: Order, attempt: int) -> Result | Problem | CrashedError:
        hand.ready()
        self.telemetry.job_began(job_id, order, worker=hand.number, attempt=attempt)
        outcome: Result | Problem | str | CrashedError
        try:
            outcome = hand.do(job_id, order, on_progress=lambda now: None, stop=self._why_stop)
        except CrashedError as cause:
            outcome = cause
        if isinstance(outcome, str):
            self.telemetry.job_ended(job_id, "queued")
            raise _EndingError
        if isinstance(outcome, CrashedError):
            state = "failed" if attempt == MOST_CRASHES else "queued"
            self.telemetry.job_ended(job_id, state, Problem("WorkerCrashed", str(outcome), ""))
        else:
            self.telemetry.job_ended(job_id, "failed" if isinstance(outcome, Problem) else "done", outcome)
        return outcome

    def _why_stop(self) -> str:
        return ENDING if self._ending.is_set() else ""

    def _move_all(self, home: Path, to: Path) -> None:
        """Move what lies in a working folder; killed in between, the next watcher moves the rest."""
        to.mkdir(exist_ok=True)
        clip = _clip_in(home)
        others = [path for path in home.iterdir() if path.name != NOTES and path != clip]
        for path in [*others, *([clip] if clip else [])]:
            if path.is_dir():
                _remove(to / path.name)
            path.replace(to / path.name)
        shutil.rmtree(home)


def _is_clip(path: Path) -> bool:
    """Return whether a file is one that an editor wrote to its end under its own name, as far as names tell."""
    name = path.name.lower()
    other = name.startswith((".", "~")) or path.stem.endswith(".foley") or path.is_symlink()
    return path.suffix.lower() in VIDEO_SUFFIXES and not other and path.is_file()


def _clip_in(home: Path) -> Path | None:
    return next((path for path in home.iterdir() if path.stem == home.name and _is_clip(path)), None)


def _is_taken(done: Path, name: str, suffix: str) -> bool:
    """Return whether a clip of that name, or its result, lies there."""
    names = (f"{name}{suffix}", f"{name}.foley")
    return done.is_dir() and any(path.name in names or path.stem == f"{name}.foley" for path in done.iterdir())


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _text(error: Problem) -> str:
    return f"{error.message}\n{error.hint}".strip()
