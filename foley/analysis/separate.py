"""Have the clip's sound in two, dialogue and all else: as given, by difference, by a program, or poorly by spectrum."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from foley.analysis.activity import BLOCK_SAMPLES, Levels, blocks, levels_db, mask, speaking
from foley.contracts import Context, stage
from foley.dsp.fades import edge_gain
from foley.dsp.parting import Power, spectrum_of, without_speech
from foley.media import conform, separation, sound
from foley.media.sound import Block, WavWriter
from foley.model import AudioFile, Clip, Listening, Span
from foley.model.dub import Conformed, Separation
from foley.units import RATE_HZ, span_samples, to_samples

VERSION = 1
"""Raised when the same sound is parted otherwise."""

POOR = "spectral subtraction (poor)"
POOR_NOTE = (
    "nobody separated the dialogue: mid/side and spectral subtraction stood in, which is poor (remains of voices stay, "
    "effects under speech are lost); give --background, or name a --separator"
)

COHERENT_DB = 12.0
"""Where two sounds are of one mix, their difference lies so far under them wherever one of them is alone."""
COHERENT_SHARE = 0.2
"""Of the audible time: even a dialogue film pauses so much."""
AUDIBLE_DB = -60.0

AROUND_S = 0.05
"""Fade from the clip's own sound into what was taken apart, on both sides of speech."""
CONTEXT_S = 4.0
"""How far from speech its background is learned."""
CHUNK_S = 20.0
"""The longest stretch that is taken apart at once; 50 MB of spectra."""


@dataclass(frozen=True, slots=True)
class SeparateOptions:
    """Who separates where no background is given."""

    separator: str = ""
    """A program with its arguments, in which {input}, {background}, {dialogue}, {folder} and {request} are filled."""
    time_limit_s: float = 6 * 3600.0
    """For the program: a film takes a good model an hour on a processor."""

    def __post_init__(self) -> None:
        if self.separator:
            separation.words_of(self.separator)
        if not self.time_limit_s > 0.0:
            raise ValueError(f"time_limit_s must be more than 0, got {self.time_limit_s}")


@dataclass(frozen=True, slots=True)
class _Parts:
    background: AudioFile
    dialogue: AudioFile | None
    by: str
    speech: tuple[Span, ...] | None = None
    """Where somebody speaks; None: where the dialogue sounds."""
    notes: tuple[str, ...] = ()


@stage(version=VERSION, cached=False)  # kept below: by who separates
def separate(clip: Clip, given: Conformed, listening: Listening, opts: SeparateOptions, ctx: Context) -> Separation:
    """Return background and dialogue, and where the dialogue sounds.

    Raises:
        MediaError: where the separator fails.
        MissingProgramError: where it is not there.
    """
    parts = _parts(clip, given, listening, opts=opts, ctx=ctx)
    dialogue_db = _levels(parts.dialogue, ctx) if parts.dialogue else np.zeros(0, np.float32)
    speech = speaking(dialogue_db) if parts.speech is None else parts.speech
    notes = (*given.notes, *parts.notes)
    return Separation(parts.background, parts.dialogue, parts.by, speech, _levels(parts.background, ctx), notes)


def _parts(clip: Clip, given: Conformed, listening: Listening, *, opts: SeparateOptions, ctx: Context) -> _Parts:
    own = _own(clip, ctx) if listening.has_sound else None
    if given.background is not None:
        return _with_background(given.background, given.dialogue, own, listening=listening, ctx=ctx)
    if own is None:
        silence = ctx.once("silent", (to_samples(clip.duration_s, RATE_HZ),), lambda making: _silence(clip, making))
        return _Parts(silence, given.dialogue, "none", notes=("the clip has no sound: the M&E is made whole",))
    if opts.separator:
        return _by_program(own, opts, ctx)
    if given.dialogue is not None:
        rest = _difference(own, given.dialogue, ctx)
        if _of_one_mix(given.dialogue, rest, ctx):
            return _Parts(rest, given.dialogue, "difference")
    speech = speaking(_levels(given.dialogue, ctx)) if given.dialogue else listening.speech
    return _by_spectrum(own, given.dialogue, speech, ctx)


def _with_background(
    background: AudioFile, dialogue: AudioFile | None, own: AudioFile | None, *, listening: Listening, ctx: Context
) -> _Parts:
    if dialogue is not None or own is None:
        unknown = () if dialogue else ("where somebody speaks is not known: the clip has no sound; give --dialogue",)
        return _Parts(background, dialogue, "given", notes=unknown)
    rest = _difference(own, background, ctx)
    if _of_one_mix(background, rest, ctx):
        return _Parts(background, rest, "given", notes=("the dialogue is the clip's sound less the background",))
    note = "the background is not of the same mix as the clip's sound: speech is found in that sound alone"
    return _Parts(background, _only_in(own, listening.speech, ctx), "given", listening.speech, (note,))


def _own(clip: Clip, ctx: Context) -> AudioFile:
    """Return the clip's own sound, its first track, on the picture's timeline."""

    def make(making: Context) -> AudioFile:
        with WavWriter(making.scratch / "own.wav", rate_hz=RATE_HZ, channels=2) as writer:
            for block in sound.read_track(clip, clip.sound[0], rate_hz=RATE_HZ, channels=2, block_s=10.0):
                writer.append(block)
        return writer.file

    return ctx.once("own-sound", (VERSION, clip), make)


def _silence(clip: Clip, making: Context) -> AudioFile:
    length = to_samples(clip.duration_s, RATE_HZ)
    return _written(
        making.scratch / "silence.wav", (np.zeros((2, last - first), np.float32) for first, last in _spans(length))
    )


def _spans(length: int) -> Iterator[tuple[int, int]]:
    for first in range(0, length, BLOCK_SAMPLES):
        yield first, min(length, first + BLOCK_SAMPLES)


def _written(to: Path, parts: Iterator[Block]) -> AudioFile:
    with WavWriter(to, rate_hz=RATE_HZ, channels=2) as writer:
        for block in parts:
            writer.append(block)
    return writer.file


def _difference(whole: AudioFile, part: AudioFile, ctx: Context) -> AudioFile:
    def make(making: Context) -> AudioFile:
        pairs = zip(blocks(whole), blocks(part), strict=True)
        return _written(making.scratch / "difference.wav", (one - other for one, other in pairs))

    return ctx.once("difference", (VERSION, whole, part), make)


def _of_one_mix(part: AudioFile, rest: AudioFile, ctx: Context) -> bool:
    """Return whether a part and what is left of the whole are two parts of one mix."""
    part_db, rest_db = _levels(part, ctx), _levels(rest, ctx)
    audible = part_db > AUDIBLE_DB
    if not audible.any():
        return True
    return float(np.mean(rest_db[audible] <= part_db[audible] - COHERENT_DB)) >= COHERENT_SHARE


def _levels(file: AudioFile, ctx: Context) -> Levels:
    return ctx.once("levels", (VERSION, file), lambda _: levels_db(file))


def _only_in(own: AudioFile, speech: Sequence[Span], ctx: Context) -> AudioFile | None:
    """Return the sound in the spans alone, as what comes nearest to the dialogue."""
    if not speech:
        return None

    def make(making: Context) -> AudioFile:
        inside = np.repeat(mask(speech, -(-own.length // 480)), 480)
        parts = (sound.read(own, a, b) * inside[a:b].astype(np.float32) for a, b in _spans(own.length))
        return _written(making.scratch / "spoken.wav", parts)

    return ctx.once("only-in", (VERSION, own, tuple(speech)), make)


def _by_program(own: AudioFile, opts: SeparateOptions, ctx: Context) -> _Parts:
    def make(making: Context) -> tuple[AudioFile, AudioFile | None]:
        folder = making.scratch / "separator"
        folder.mkdir()
        made = separation.separated(opts.separator, own.path, folder, time_limit_s=opts.time_limit_s)
        kept = [
            conform.conformed(path, own.length, making.scratch / name)[0] if path else None
            for path, name in zip(made, ("background.wav", "dialogue.wav"), strict=True)
        ]
        _clear(folder)
        assert kept[0] is not None
        return kept[0], kept[1]

    background, dialogue = ctx.once("separated", (VERSION, own, opts.separator), make)
    name = Path(separation.words_of(opts.separator)[0]).name
    return _Parts(background, dialogue or _difference(own, background, ctx), name)


def _clear(folder: Path) -> None:
    """Remove what the program left: what is needed of it is conformed."""
    import shutil

    shutil.rmtree(folder, ignore_errors=True)


def _by_spectrum(own: AudioFile, dialogue: AudioFile | None, speech: Sequence[Span], ctx: Context) -> _Parts:
    """Return the clip's own sound, where somebody speaks without what its middle has over its surroundings."""
    if not speech:
        return _Parts(own, dialogue, POOR, (), ("no speech is found in the clip's sound: all of it is background",))

    def make(making: Context) -> AudioFile:
        return _written(making.scratch / "background.wav", _parted(own, speech))

    background = ctx.once("parted", (VERSION, own, tuple(speech)), make)
    voice = dialogue or _difference(own, background, ctx)
    return _Parts(background, voice, POOR, tuple(speech), (POOR_NOTE,))


def _parted(own: AudioFile, speech: Sequence[Span]) -> Iterator[Block]:
    """Yield the clip's own sound, in the spans with the background's spectrum for a lid."""
    done = 0
    for span in speech:
        first, last = span_samples(span.start_s, min(span.end_s, own.length / RATE_HZ), RATE_HZ)
        yield from (sound.read(own, a, min(first, a + BLOCK_SAMPLES)) for a in range(done, first, BLOCK_SAMPLES))
        quiet = _background_near(own, span, speech)
        for begin in range(first, last, to_samples(CHUNK_S, RATE_HZ)):
            end = min(last, begin + to_samples(CHUNK_S, RATE_HZ))
            block = sound.read(own, begin, end)
            yield block if quiet is None else _faded_over(block, begin - first, last - first, quiet)
        done = max(done, last)
    yield from (sound.read(own, a, min(own.length, a + BLOCK_SAMPLES)) for a in range(done, own.length, BLOCK_SAMPLES))


def _faded_over(block: Block, at: int, length: int, quiet: Power) -> Block:
    fade = min(to_samples(AROUND_S, RATE_HZ), length // 2)
    share = edge_gain(at, at + block.shape[1], length=length, fade_in=fade, fade_out=fade)
    return np.asarray(block + (without_speech(block, quiet) - block) * share, np.float32)


def _background_near(own: AudioFile, span: Span, speech: Sequence[Span]) -> Power | None:
    """Return the spectrum of the sound around a span where nobody speaks."""
    first, last = span_samples(max(0.0, span.start_s - CONTEXT_S), span.end_s + CONTEXT_S, RATE_HZ)
    parts, begin = [], first
    for other in (*speech, Span(last / RATE_HZ, last / RATE_HZ)):
        until, after = span_samples(other.start_s, other.end_s, RATE_HZ)
        if begin < min(until, last):
            parts.append(sound.read(own, begin, min(until, last, own.length)))
        begin = max(begin, after)
    return spectrum_of(parts)
