"""Have one clip scored, by `foley serve` or by the `foley` command, and read what came back: nothing but Python 3.9.

Editors' clients hold this file and the service's client in themselves, see `foley.integrations.catalogue`.
"""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess  # noqa: TID251 - this runs inside editors, where there is no foley to ask
import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from foley.service.client import URL, Client, JobFailed, ServiceRefused

BUSES = ("foley", "effects", "backgrounds", "music")

CLOCK = re.compile(r"(?<![\w:.])\d+(?::\d\d){1,2}(?:[.,]\d+)?")
"""A time in a prompt."""


class Task:
    """Scoring one clip: may be done in a thread of its own, looked at and cancelled from another.

    Plain, as all here: dataclasses want their module to be one that was imported, which a script in an editor is not.
    """

    def __init__(
        self,
        clip: Path,
        folder: Path,
        *,
        prompt: str = "",
        seed: int = 0,
        exports: Collection[str] = ("csv",),
        cut: Callable[[Path], Path] | None = None,
        url: str = URL,
        token_file: str = "",
        command: str = "foley",
    ) -> None:
        """Take note of what is asked.

        Args:
            clip: What is scored.
            folder: Where the sounds go.
            prompt: What is heard.
            seed: Another seed, other takes.
            exports: Timelines that are wanted; `csv` is the cue sheet, which says what is heard when.
            cut: Makes what is sent of the clip, in a folder that it is given; the clip itself where None.
            url: Of the service.
            token_file: Of the service; where it usually lies where empty.
            command: What is run where no service answers.
        """
        self.clip, self.folder, self.prompt, self.seed = clip, folder, prompt, seed
        self.exports, self._cut = tuple(exports), cut
        self._url, self._token_file, self._command = url, token_file, command
        self.doing, self.done = "starting", 0.0
        self.result: Path | None = None  # the folder with manifest, stems and cue sheet
        self.error = ""
        self.cancelled = False
        self.on_change: Callable[[], object] | None = None
        self._stop: Callable[[], object] | None = None

    def run(self) -> None:
        """Do it; `result` or `error` says how it ended."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix="foley-") as work:
                self.result = self._score(Path(work))
        except (ServiceRefused, OSError, ValueError, LookupError, StopIteration) as problem:
            self.error = "cancelled" if self.cancelled else str(problem) or type(problem).__name__

    def cancel(self) -> None:
        """End it; a moment later it has an error."""
        self.cancelled = True
        if self._stop is not None:
            try:
                self._stop()
            except ServiceRefused:  # it has ended meanwhile
                return

    def _say(self, doing: str, done: float = 0.0) -> None:
        self.doing, self.done = doing, done
        if self.on_change is not None:
            self.on_change()

    def _score(self, work: Path) -> Path:
        clip = self.clip
        if self._cut is not None:
            self._say("cutting what is sent")
            clip = self._cut(work)
        try:
            client = Client.here(self._url, self._token_file)
            client.jobs(limit=1)
        except ServiceRefused as refused:
            if refused.status:
                raise
            return self._by_command(clip, work)
        return self._by_service(client, clip)

    def _by_service(self, client: Client, clip: Path) -> Path:
        asked: dict[str, Any] = {"prompt": self.prompt, "seed": self.seed, "exports": list(self.exports)}
        try:
            job = client.submit(str(clip), **asked)
        except ServiceRefused as refused:
            if refused.kind not in ("PathRefused", "FileNotFound"):
                raise
            self._say("sending the clip")  # the service cannot read it where it lies
            job = client.submit(upload=client.upload(clip), **asked)
        self._started(lambda: client.cancel(job["id"]))
        done = client.wait(job["id"], on_change=self._show)
        wanted = [file["name"] for file in client.files(job["id"]) if is_wanted(file["name"], self.exports)]
        to = self.folder / f"{clip.stem}-{done['id'][:8]}"
        client.download(job["id"], to, wanted)
        client.delete(job["id"])
        return next(to.glob("*/manifest.json")).parent

    def _show(self, job: dict[str, Any]) -> None:
        progress = job["progress"] or {"doing": job["state"], "done": 0.0}
        self._say(str(progress["doing"]), float(progress["done"]))

    def _by_command(self, clip: Path, work: Path) -> Path:
        command = shutil.which(self._command)
        if command is None:
            raise ServiceRefused("NoService", "no service answers, and there is no command foley", "foley serve")
        self._say("working (foley run)")
        scored = work / "scored.foley"
        video = work / f"scored{clip.suffix}"
        asked = ["--prompt", self.prompt, "--seed", str(self.seed), "-o", str(video)]
        run_program([command, "run", str(clip), *asked], self._started)
        run_program([command, "export", str(scored / "plan.yaml"), "--to", ",".join(self.exports)], self._started)
        to = Path(tempfile.mkdtemp(prefix=f"{clip.stem}-", dir=self.folder)) / f"{clip.stem}.foley"
        shutil.move(str(scored), str(to))
        return to

    def _started(self, stop: Callable[[], object]) -> None:
        self._stop = stop
        if self.cancelled:
            stop()


def run_program(words: Sequence[str], on_start: Callable[[Callable[[], object]], object] | None = None) -> None:
    """Run another program to its end.

    Args:
        words: The program and its arguments.
        on_start: Is given what ends it early.

    Raises:
        JobFailed: where it fails, with what it said.
    """
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:  # noqa: S603
        if on_start is not None:
            on_start(process.terminate)
        said = process.communicate()[1].decode("utf-8", "replace").strip()
    if process.returncode:
        raise JobFailed("Failed", said or f"{words[0]} ended with code {process.returncode}")


def is_wanted(name: str, exports: Collection[str]) -> bool:
    """Return whether a file of a job is fetched: stems, plan and figures, and the timelines that were asked for."""
    inside = name.split("/")[1:]
    if not inside or inside[0] in ("takes", "report.html"):
        return False
    return inside[0] != "export" or inside[1] in exports or (inside[1] == "media" and set(exports) != {"csv"})


def later(prompt: str, by_s: float) -> str:
    """Return a prompt whose times are counted from an instant so much earlier.

    >>> later("0:00.5 a door slams; rain; 1:02:03 thunder", 1.25)
    '0:01.750 a door slams; rain; 62:04.250 thunder'
    """
    return CLOCK.sub(lambda found: clock(seconds(found[0]) + by_s), prompt)


def seconds(text: str) -> float:
    """Return the seconds of a time as 0:03.25 or 1:02:05."""
    total = 0.0
    for part in text.replace(",", ".").split(":"):
        total = total * 60 + float(part)
    return total


def clock(position_s: float) -> str:
    """Return a time as prompts have them.

    >>> clock(3.25)
    '0:03.250'
    """
    minutes, ms = divmod(round(position_s * 1000), 60_000)
    return f"{minutes}:{ms // 1000:02d}.{ms % 1000:03d}"


class Cue(NamedTuple):
    """What is heard once, times in seconds from the clip's first frame."""

    event: str
    bus: str
    label: str
    start_s: float
    """Of what has hits: the first of them."""
    end_s: float
    reason: str


def cues(folder: Path) -> Iterator[Cue]:
    """Yield what is heard, by the cue sheet."""
    for sheet in sorted(folder.glob("export/csv/*.csv")):
        with sheet.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                hits = [float(hit) for hit in row["hits"].split()]
                start_s = hits[0] if hits else float(row["start"])
                yield Cue(row["id"], row["track"], row["description"], start_s, float(row["end"]), row["reason"])


def stems(folder: Path) -> dict[str, Path]:
    """Return the stems that hold sound, by bus."""
    made = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    files = {str(one["holds"]): folder / str(one["file"]) for one in made["sounds"] if one["origin"] != "Silence"}
    return {bus: files[bus] for bus in BUSES if bus in files and files[bus].is_file()}
