"""Any other program as a generator: a request as JSON in, a sound file out; a preset says how it is called."""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from foley.contracts import Capabilities, GeneratorSettings, SoundRequest
from foley.errors import FoleyError, GenerationError
from foley.media import programs
from foley.model import Audio, SoundEvent
from foley.neural import licences
from foley.render import presets
from foley.render.presets import Preset
from foley.render.prompting import negative_prompt_of, prompt_of, seed_of
from foley.render.received import TIME_SHARE, Kept, as_asked, key_of

NAME = "command"
VERSION = "2"
"""Raise it when the same request makes a program be asked for something else."""

SCHEMA = "foley.request/1"
"""What the JSON file is; raised when a field changes its meaning."""

RANK = 140
SEED_BITS = 31
"""Programs keep seeds in whole numbers of 32 bits with a sign."""

MOST_FAILURES = 3
"""In a row, after which a program is asked no more: each may have loaded a model for a minute, all in vain. One that
hangs is asked no more at once."""

NOTHING = Preset("", ("",), about="no program is named")
"""Stands where no model is given."""


@dataclass(frozen=True, slots=True)
class _Job:
    """One request with the folder that it is worked on in, and what the program is asked for."""

    request: SoundRequest
    folder: Path
    asked_s: float
    seed: int


class Command:
    """Runs a program once for each sound, in an empty folder of its own."""

    def __init__(self, preset: Preset, settings: GeneratorSettings) -> None:
        self.preset = preset
        self.settings = settings
        self.capabilities = _capabilities(preset)
        self._kept = Kept()
        self._failures = 0
        """In a row."""
        self._given_up = ""

    def identity(self) -> str:
        """Return name and version, the preset's too, and what tells the program from others."""
        if self.preset is NOTHING:
            return f"{NAME}/{VERSION}"
        device = "" if self.settings.device == "auto" else f" on {self.settings.device}"
        return f"{NAME}/{VERSION} {self.preset.name} {self.preset.fingerprint()}{device}"

    def missing(self) -> tuple[str, ...]:
        """Return what must be named, set or installed before the program can be run."""
        if self.preset is NOTHING:
            known = ", ".join(presets.names())
            return (f"name a program or a preset with --model {NAME}=...; presets: {known}",)
        return self.preset.missing()

    def suits(self, event: SoundEvent) -> bool:
        """Return whether the program makes that kind of sound."""
        return event.kind in self.capabilities.kinds

    def margins_s(self, event: SoundEvent) -> tuple[float, float]:
        """Return no margins: nobody knows how long another program's sounds ring."""
        return 0.0, 0.0

    def prepare(self) -> None:
        """Do nothing: the program loads what it needs each time."""

    def generate(self, requests: Sequence[SoundRequest]) -> list[Audio]:
        """Return one sound for each request, made one after another.

        Raises:
            GenerationError: where the program fails, takes too long, or gives no such sound.
        """
        seeds = [seed_of(request.rng) % 2**SEED_BITS for request in requests]
        keys = [key_of(request, seed) for request, seed in zip(requests, seeds, strict=True)]
        sounds = []
        for request, seed, key in zip(requests, seeds, keys, strict=True):
            audio = self._kept.get(key) or self._tried(request, seed)
            self._kept.keep(key, audio)
            sounds.append(audio)
        self._kept.hand_out(keys)
        return sounds

    def _tried(self, request: SoundRequest, seed: int) -> Audio:
        """Return the sound, unless the program has failed so often that it is not to be hoped for."""
        if self._given_up:
            raise GenerationError(request.event.id, NAME, f"is asked no more: {self._given_up}")
        try:
            audio = self._made(request, seed)
        except GenerationError as cause:
            self._failures += 1
            overdue = isinstance(cause.__cause__, programs.OverdueError)
            if overdue or self._failures >= MOST_FAILURES:
                self._given_up = cause.message.partition(f"{NAME}: ")[2]
            raise
        self._failures = 0
        return audio

    def _made(self, request: SoundRequest, seed: int) -> Audio:
        with tempfile.TemporaryDirectory(prefix="foley-command-", ignore_cleanup_errors=True) as folder:
            asked_s = asked_for_s(request.duration_s, self.preset)
            job = _Job(request, Path(folder).resolve(), asked_s, seed)
            try:
                self._lay_out(job)
                self._run(job)
                given = self._read(job)
            except GenerationError:
                raise
            except (FoleyError, OSError) as cause:
                raise self._failed(job, str(cause)) from cause
            return as_asked(given, request, generator=NAME, asked_s=asked_s, capabilities=self.capabilities)

    def _lay_out(self, job: _Job) -> None:
        """Put into the folder what the program gets: the request, the picture, and links to what it needs."""
        (job.folder / self.preset.output).parent.mkdir(parents=True, exist_ok=True)
        own = self.preset.own_values()
        for name, place in self.preset.links.items():
            (job.folder / name).symlink_to(self.preset.filled(place, own))
        if self.preset.video:
            self._cut_picture(job)
        (job.folder / "request.json").write_text(json.dumps(self._described(job), indent=1), encoding="utf-8")

    def _cut_picture(self, job: _Job) -> None:
        from foley.media import excerpt

        film = job.request.film
        if film is None:
            raise self._failed(job, f"{self.preset.name} looks at the picture, and there is none")
        excerpt.cut(film.path, film.start_s + job.request.start_s, job.asked_s, to=_picture(job))

    def _described(self, job: _Job) -> dict[str, object]:
        """Return the request as the program reads it; all times count from the first sample that is asked for."""
        event, start_s = job.request.event, job.request.start_s
        return {
            "schema": SCHEMA,
            "prompt": prompt_of(event),
            "negative_prompt": negative_prompt_of(event),
            "kind": event.kind,
            "ucs": event.ucs,
            "duration_s": job.asked_s,
            "sounds_from_s": event.start_s - start_s,
            "sounds_to_s": event.end_s - start_s,
            "hits": [{"time_s": hit.time_s - start_s, "strength": hit.strength} for hit in event.hits],
            "curve": [{"time_s": point.time_s - start_s, "level": point.level} for point in event.curve],
            "seed": job.seed,
            "rate_hz": self.preset.rate_hz,
            "channels": self.preset.channels,
            "device": self.settings.device,
            "video": str(_picture(job)) if self.preset.video else None,
            "output": str(job.folder / self.preset.output),
        }

    def _run(self, job: _Job) -> None:
        limit_s = self.settings.time_limit_s
        # what it writes to the system's folder for temporary files goes with the folder, too
        surroundings = self.preset.given_environment() | dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(job.folder))
        try:
            ended = programs.run(
                self._command(job),
                folder=job.folder,
                environment=surroundings,
                time_limit_s=TIME_SHARE * limit_s,
            )
        except programs.NotStartedError as cause:
            raise self._failed(job, f"{self.preset.name} cannot be run: {cause}") from cause
        except programs.OverdueError as cause:
            raise self._failed(job, f"{self.preset.name} took longer than {limit_s:g} s{_quoted(cause)}") from cause
        if ended.code:
            how = f"with code {ended.code}" if ended.code > 0 else f"by signal {-ended.code}"
            raise self._failed(job, f"{self.preset.name} ended {how}{_quoted(ended.said)}")
        self._check_written(job, ended.said)

    def _command(self, job: _Job) -> list[str]:
        event, output = job.request.event, job.folder / self.preset.output
        values = {
            "request": str(job.folder / "request.json"),
            "output": str(output),
            "output_folder": str(output.parent),
            "video": str(_picture(job)) if self.preset.video else "",
            "prompt": prompt_of(event),
            "negative": negative_prompt_of(event),
            "duration": f"{job.asked_s:.6f}".rstrip("0").rstrip("."),
            "seed": str(job.seed),
            "device": self.settings.device,
        }
        return [self.preset.filled(text, self.preset.own_values() | values) for text in self.preset.argv]

    def _check_written(self, job: _Job, said: str) -> None:
        found = _written(job.folder, self.preset.output)
        if len(found) != 1:
            what = "wrote no sound" if not found else f"wrote {len(found)} sounds"
            raise self._failed(job, f"{self.preset.name} {what} to {self.preset.output}{_quoted(said)}")

    def _read(self, job: _Job) -> Audio:
        from foley.media import sound

        try:
            file = sound.describe(_written(job.folder, self.preset.output)[0])
            # a header may promise hours: no more is read than tells that it is too long
            most = math.ceil((self.preset.max_duration_s + job.asked_s + 1.0) * file.rate_hz)
            return Audio(sound.read(file, 0, min(file.length, most)), file.rate_hz)
        except (FoleyError, RuntimeError) as cause:  # libsndfile's errors, where the file breaks off
            raise self._failed(job, f"{self.preset.name} wrote no sound file that can be read") from cause

    def _failed(self, job: _Job, reason: str) -> GenerationError:
        """Return the error, from which what the program was trusted with is struck out."""
        for secret in self.preset.secrets():
            reason = reason.replace(secret, "***")
        return GenerationError(job.request.event.id, NAME, reason)


def asked_for_s(duration_s: float, preset: Preset) -> float:
    """Return the length that a program is asked for: at least what is due, as the preset says it can.

    >>> asked_for_s(0.9, Preset("p", ("p",), min_duration_s=8.0)), asked_for_s(8.2, Preset("p", ("p",), step_s=1.0))
    (8.0, 9.0)
    """
    asked_s = max(duration_s, preset.min_duration_s)
    # a whole number of steps that comes out of a division a hair above itself is not rounded up once more
    return math.ceil(asked_s / preset.step_s - 1e-9) * preset.step_s if preset.step_s else asked_s


def build(settings: GeneratorSettings | None = None) -> Command:
    """Make the generator; its model is a preset's name or file, or a program that reads requests.

    Raises:
        OptionError: where the model is none of these.
    """
    settings = settings or GeneratorSettings()
    return Command(presets.find(settings.model) if settings.model else NOTHING, settings)


def _capabilities(preset: Preset) -> Capabilities:
    licence = licences.licence(preset.weights_licence)
    return Capabilities(
        kinds=frozenset(preset.kinds),
        rate_hz=preset.rate_hz,
        channels=preset.channels,
        max_duration_s=preset.max_duration_s,
        hit_exact=False,
        code_licence=preset.code_licence,
        weights_licence=preset.weights_licence,
        commercial=bool(licence.commercial if preset.commercial is None else preset.commercial),
        rank=RANK,
        needs_gpu=preset.needs_gpu,
        memory_mb=preset.memory_mb,
        follows_curve=False,
        video=preset.video,
        excluded_regions=licence.excluded,
    )


def _picture(job: _Job) -> Path:
    return job.folder / "video.mp4"


def _written(folder: Path, pattern: str) -> list[Path]:
    """Return the files that fit; what a link leads out of the folder to does not count."""
    return [path for path in folder.glob(pattern) if path.is_file() and path.resolve().is_relative_to(folder)]


def _quoted(said: object) -> str:
    return f", saying: {said}" if str(said) else ""
