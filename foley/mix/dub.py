"""Mix each language onto the M&E: as far above it as the original dialogue stood above its background.

A dub is brought to the loudness that the original dialogue had over its background, the M&E stays at that background's.
Under the dub it gives way a little, in this mix only: the M&E itself is delivered as it is. The sum is then brought to
the profile's loudness.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from foley.contracts import Context, stage
from foley.dsp.limiter import gain_between
from foley.dsp.loudness import LoudnessMeter
from foley.dsp.profiles import PROFILES, Dialogue, LoudnessProfile, ProfileName, aim
from foley.media import sound
from foley.mix.duck import ducking_curve
from foley.mix.level import Level, milliseconds, survey
from foley.mix.sum import Block, spans
from foley.mix.write import Figures, settled, write_measured
from foley.model import AudioFile, Span
from foley.model.dub import Conformed, DubFile, DubJob, LanguageMix, LanguageMixes, MusicAndEffects, Separation
from foley.units import RATE_HZ, to_gain, to_seconds

VERSION = 1
"""Raised when the same dub is mixed otherwise."""

USUAL_RATIO_LU = 10.0
"""How far speech stands over what lies under it where the original cannot tell: what M. Torcoli et al. recommend at
least for voices over music and ambience ("Preferred levels for background ducking", JAES 67(12), 2019)."""

MOST_GAIN_DB = 30.0
"""A dub is recorded at some level; what would need more gain than this is silence with a noise in it."""


@dataclass(frozen=True, slots=True)
class DubOptions:
    """How languages are mixed."""

    loudness: ProfileName = "ebu-r128"
    """Profile of each language's mix."""
    duck_db: float = 3.0
    """How far the M&E gives way under the dub in its mix; 0 leaves it alone: the balance is the original's already."""

    def __post_init__(self) -> None:
        if self.loudness not in PROFILES:
            raise ValueError(f"loudness must be one of {', '.join(PROFILES)}, got {self.loudness!r}")
        if not 0.0 <= self.duck_db <= 60.0:
            raise ValueError(f"duck_db must lie in 0 to 60, got {self.duck_db}")


@dataclass(frozen=True, slots=True)
class _Balance:
    """What the original says of its levels."""

    speech_lufs: float | None
    background_lufs: float | None
    ratio_lu: float
    measured: bool


@stage(version=VERSION, cached=False)  # each mix is kept below
def dub(
    job: DubJob, given: Conformed, separation: Separation, effects: MusicAndEffects, opts: DubOptions, ctx: Context
) -> LanguageMixes:
    """Return a mix for each language."""
    balance = _balance(separation, ctx) if job.dubs else _Balance(None, None, USUAL_RATIO_LU, measured=False)
    items = []
    for number, each in enumerate(job.dubs):
        ctx.progress(number / len(job.dubs), f"mixing {each.title}")
        items.append(_mixed(each, given, effects.audio, balance=balance, opts=opts, ctx=ctx))
    return LanguageMixes(
        tuple(items), balance.speech_lufs, balance.background_lufs, balance.ratio_lu, measured=balance.measured
    )


def _balance(separation: Separation, ctx: Context) -> _Balance:
    background_lufs = _lufs(separation.background, ctx)
    speech_lufs = _lufs(separation.dialogue, ctx) if separation.dialogue else None
    if speech_lufs is None or background_lufs is None:
        return _Balance(speech_lufs, background_lufs, USUAL_RATIO_LU, measured=False)
    return _Balance(speech_lufs, background_lufs, speech_lufs - background_lufs, measured=True)


def _lufs(file: AudioFile, ctx: Context) -> float | None:
    def measure(_: Context) -> float | None:
        meter = LoudnessMeter(RATE_HZ, file.channels)
        for first, last in spans(file.length):
            meter.add(sound.read(file, first, last))
        return meter.integrated_lufs()

    return ctx.once("loudness", (VERSION, file), measure)


def _mixed(
    each: DubFile, given: Conformed, effects: AudioFile, *, balance: _Balance, opts: DubOptions, ctx: Context
) -> LanguageMix:
    voice, speech = given.dubs[each.name], given.speech[each.name]
    own_lufs = _lufs(voice, ctx)
    gain_db, notes = _gain_db(own_lufs, balance, effects, ctx)

    def make(making: Context) -> tuple[AudioFile, float | None, float, tuple[str, ...]]:
        return _written(voice, effects, speech, gain_db=gain_db, opts=opts, making=making)

    key = (VERSION, voice, effects, speech, gain_db, opts.loudness, opts.duck_db)
    audio, lufs, peak_dbtp, told = ctx.once("language", key, make)
    said = tuple(f"{each.title}: {note}" for note in (*notes, *told))
    return LanguageMix(each.name, audio, own_lufs, gain_db, lufs, peak_dbtp, speech, said)


def _gain_db(
    own_lufs: float | None, balance: _Balance, effects: AudioFile, ctx: Context
) -> tuple[float, tuple[str, ...]]:
    """Return what brings a dub to its place over the M&E, and what to say of it."""
    if own_lufs is None:
        return 0.0, ("the dub is silent, or too short to have a loudness",)
    notes: tuple[str, ...] = ()
    wanted_lufs = balance.speech_lufs
    if wanted_lufs is None:
        under_lufs = _lufs(effects, ctx)
        if under_lufs is None:
            return 0.0, ("neither the original dialogue nor the M&E has a loudness: the dub keeps its level",)
        wanted_lufs = under_lufs + USUAL_RATIO_LU
        notes = (f"the original's balance is not known: the dub stands {USUAL_RATIO_LU:.0f} LU over the M&E",)
    gain_db = wanted_lufs - own_lufs
    if gain_db > MOST_GAIN_DB:
        notes += (f"the dub is so quiet that {gain_db:.0f} dB would be needed; it is raised by {MOST_GAIN_DB:.0f}",)
    return min(gain_db, MOST_GAIN_DB), notes


def _written(
    voice: AudioFile, effects: AudioFile, speech: Sequence[Span], *, gain_db: float, opts: DubOptions, making: Context
) -> tuple[AudioFile, float | None, float, tuple[str, ...]]:
    """Write one mix at its loudness; return it with its loudness and true peak, and what to say."""
    profile = PROFILES[opts.loudness]
    aimed = aim(profile, Dialogue(tuple(speech), "the dub's own level"), to_seconds(effects.length, RATE_HZ))
    asked: LoudnessProfile = replace(profile, target_lufs=aimed.target_lufs, tolerance_lu=aimed.tolerance_lu)
    counted = speech if aimed.measure == "dialogue" else None
    curve = ducking_curve(speech, length_ms=milliseconds(effects.length), depth_db=opts.duck_db)

    def sums() -> Iterator[tuple[int, int, Block]]:
        for first, last in spans(effects.length):
            under = sound.read(effects, first, last) * gain_between(curve, first, last)
            yield first, last, under + sound.read(voice, first, last) * to_gain(gain_db)

    def write(tried: Level) -> tuple[tuple[AudioFile, Figures], Figures]:
        factor = to_gain(tried.gain_db)
        blocks = (block * (factor * gain_between(tried.curve, first, last)) for first, last, block in sums())
        file, figures = write_measured(blocks, making.scratch / "mix.wav", speech=counted)
        return (file, figures), figures

    found = survey(((block,) for _, _, block in sums()), speech=counted)
    (file, figures), notes = settled(found, asked, write)
    return file, figures.lufs, figures.peak_dbtp, notes
