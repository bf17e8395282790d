"""Bring the files that a dub is made of to the picture: one rate, one length, refused where they cannot belong."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from foley.analysis.activity import levels_db, speaking
from foley.contracts import Context, stage
from foley.errors import MediaError
from foley.media import conform as conforming
from foley.model import AudioFile, Clip, Source, Span
from foley.model.dub import Conformed, DubFile, DubJob
from foley.units import RATE_HZ, clock, to_samples, to_seconds

VERSION = 1
"""Raised when the same file is conformed otherwise."""


@dataclass(frozen=True, slots=True)
class ConformOptions:
    """What becomes of a dub that is too long."""

    trim_dubs: bool = False
    """Cuts a dub that is longer than the picture, with a fade; else it is refused."""
    fade_s: float = 0.25
    """Of a dub that is cut: a word breaks off without a click, and is heard to be cut, not swallowed."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.fade_s <= 10.0:
            raise ValueError(f"fade_s must lie in 0 to 10, got {self.fade_s}")


@stage(version=VERSION, cached=False)  # kept below, file by file
def conform(clip: Clip, job: DubJob, opts: ConformOptions, ctx: Context) -> Conformed:
    """Conform all files that are given.

    Raises:
        MediaError: where one cannot be read, or a dub is longer than the picture.
    """
    notes: list[str] = []
    background = _beside(clip, job.background, "the background", notes=notes, ctx=ctx)
    dialogue = _beside(clip, job.dialogue, "the dialogue", notes=notes, ctx=ctx)
    dubs = {dub.name: _dub(clip, dub, opts, notes=notes, ctx=ctx) for dub in job.dubs}
    speech = {name: _spoken(file, ctx) for name, file in dubs.items()}
    return Conformed(background, dialogue, dubs, speech, tuple(notes))


def _conformed(source: Source, length: int, fade: int, ctx: Context) -> tuple[AudioFile, int]:
    def make(making: Context) -> tuple[AudioFile, int]:
        to = making.scratch / f"{Path(source.path.name).stem[:40]}.wav"
        return conforming.conformed(source.path, length, to, fade_samples=fade)

    return ctx.once("conformed", (VERSION, source, length, fade), make)


def _beside(clip: Clip, source: Source | None, what: str, *, notes: list[str], ctx: Context) -> AudioFile | None:
    """Return a file that runs along with the picture; where its length is another, that is told."""
    if source is None:
        return None
    length = to_samples(clip.duration_s, RATE_HZ)
    file, own = _conformed(source, length, 0, ctx)
    if _is_a_frame(clip, abs(own - length)):
        done = "its end is cut off" if own > length else "its end is filled with silence"
        notes.append(f"{what} {source.path.name} {_lengths(own, length)}: {done}; check that it is in sync")
    given = conforming.look_at(source.path)
    if given.channels > 2:
        notes.append(f"{what} {source.path.name} has {given.channels} channels and is mixed down to stereo")
    return file


def _dub(clip: Clip, dub: DubFile, opts: ConformOptions, *, notes: list[str], ctx: Context) -> AudioFile:
    length = to_samples(clip.duration_s, RATE_HZ)
    fade = to_samples(opts.fade_s, RATE_HZ)
    file, own = _conformed(dub.source, length, fade, ctx)
    if own > length and _is_a_frame(clip, own - length):
        told = f"the dub {dub.name} ({dub.source.path.name}) {_lengths(own, length)}"
        if not opts.trim_dubs:
            raise MediaError(told, hint="shorten it, or add --trim-dubs to cut it off at the picture's end")
        notes.append(f"{told}: its end is cut off")
    elif own < length and _is_a_frame(clip, length - own):
        notes.append(f"the dub {dub.name} ({dub.source.path.name}) {_lengths(own, length)}: silence follows it")
    return file


def _spoken(file: AudioFile, ctx: Context) -> tuple[Span, ...]:
    return ctx.once("spoken", (VERSION, file), lambda _: speaking(levels_db(file)))


def _is_a_frame(clip: Clip, samples: int) -> bool:
    """Return whether so many samples are more than a frame: less than that is how coders end."""
    return samples > RATE_HZ / clip.video.frame_rate


def _lengths(own: int, length: int) -> str:
    than = "longer" if own > length else "shorter"
    by_s = to_seconds(abs(own - length), RATE_HZ)
    return f"lasts {clock(to_seconds(own, RATE_HZ))}, {by_s:.3f} s {than} than the picture"
