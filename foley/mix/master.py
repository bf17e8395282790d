"""Bring the sum to its loudness, write the stems and the mix, and make the track that goes into the video."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

import numpy as np

from foley.contracts import Context, stage
from foley.dsp.profiles import PROFILES, LoudnessProfile, ProfileName
from foley.media import sound
from foley.media.sound import WavWriter
from foley.mix.chain import chain_of
from foley.mix.level import Level, milliseconds, survey
from foley.mix.revise import carried_over, edited_buses, mastered_block, revised
from foley.mix.strip import Compressing, Memo, StemSum, Strip
from foley.mix.sum import VERSION, Block, buses_of, spans
from foley.mix.track import track_over_speech
from foley.mix.write import Figures, settled, write_measured
from foley.model import Arrangement, AudioFile, Bus, Clip, Listening, Master, Mixdown, PreviousMaster
from foley.model.sound import Chain
from foley.units import RATE_HZ

TONE_KEPT = (
    "mix: nothing but room tone is planned, which keeps its level and is not raised to a loudness: name sounds in a "
    "prompt, or raise its gain_db"
)
_STEPS = 2.0**23
"""Of 24 bit, to either side of 0."""


@dataclass(frozen=True, slots=True)
class MasterOptions:
    """How loud the result is, and what becomes of the clip's own sound."""

    loudness: ProfileName = "ebu-r128"
    """ebu-r128: -23 LUFS; atsc-a85, netflix: -24 LUFS; web: -14 LUFS; off: as planned. Peaks stay under a ceiling."""
    chain: Chain = "designed"
    """designed: each bus runs through its filters and its compressor (docs/mixing.md has the table); off: as placed."""
    original: Literal["keep", "replace"] = "keep"
    """keep: where somebody speaks in the clip's own sound, the track carries it too; replace: effects alone."""
    duck_db: float = 9.0
    """How far effects give way under speech in that track; stems and mix never do."""
    remaster: bool = False
    """Balances everything anew; else an edited plan keeps its last render's gain, and untouched stems their bits."""

    def __post_init__(self) -> None:
        if self.loudness not in PROFILES:
            raise ValueError(f"loudness must be one of {', '.join(PROFILES)}, got {self.loudness!r}")
        if self.original not in ("keep", "replace"):
            raise ValueError(f"original must be keep or replace, got {self.original!r}")
        if self.chain not in get_args(Chain):
            raise ValueError(f"chain must be one of {', '.join(get_args(Chain))}, got {self.chain!r}")
        if not 0.0 <= self.duck_db <= 60.0:
            raise ValueError(f"duck_db must lie in 0 to 60, got {self.duck_db}")


@dataclass(frozen=True, slots=True)
class _Work:
    """What all steps of one mastering work on."""

    strips: Mapping[Bus, Strip]
    keys: Mapping[Bus, str]
    length: int
    profile: LoudnessProfile
    """Without a target where there is room tone alone."""
    tone_alone: bool
    chain: Chain
    memo: Memo
    ctx: Context
    fresh: set[AudioFile] = field(default_factory=set)
    """Stems that were written just now, so that what is in them is still known."""


@dataclass(frozen=True, slots=True)
class _Made:
    """Stems and mix on disk, with what the meter read of the mix."""

    master: Master
    stems: Mapping[Bus, AudioFile]
    mix: AudioFile
    figures: Figures
    notes: tuple[str, ...] = ()


@stage(version=4)
def master(
    arrangement: Arrangement,
    clip: Clip,
    listening: Listening,
    previous: PreviousMaster,
    opts: MasterOptions,
    ctx: Context,
) -> Mixdown:
    """Master the stems together, so that they sum to the mix, and make the track for the video."""
    asked = PROFILES[opts.loudness]
    profile = replace(asked, target_lufs=None) if arrangement.tone_alone else asked
    buses = buses_of(arrangement)
    memo = Memo.for_clip(arrangement.length, len(buses))
    strips = {bus: Strip(arrangement, bus, opts.chain, memo) for bus in buses}
    keys = {bus: _content(arrangement, bus, opts.chain, ctx) for bus in buses}
    work = _Work(strips, keys, arrangement.length, profile, arrangement.tone_alone, opts.chain, memo, ctx)
    old = None if opts.remaster else _usable(previous.master, work)
    made = _anew(work) if old is None else _edited(work, old)
    carries = opts.original == "keep" and bool(listening.speech) and bool(clip.sound)
    track, notes = made.mix, made.notes
    if profile != asked and made.master.gain_db == 0.0:
        notes += (TONE_KEPT,)
    if carries:
        ctx.progress(0.7, "track with speech")
        to = ctx.scratch / "track.wav"
        track, more = track_over_speech(made.mix, clip, listening, profile=asked, duck_db=opts.duck_db, to=to)
        notes += more
    return Mixdown(
        stems=made.stems,
        mix=made.mix,
        track=track,
        has_original=carries,
        replaces_original=opts.original == "replace",
        target_lufs=profile.target_lufs,
        ceiling_dbtp=profile.ceiling_dbtp,
        master=made.master,
        notes=notes,
        loudness=opts.loudness,
    )


def _content(arrangement: Arrangement, bus: Bus, chain: Chain, ctx: Context) -> str:
    """Return the key of what sounds on a bus: the names of events do not sound, nor what part of a gain is a trim."""
    heard = tuple(replace(item, event_id="", trim=1.0) for item in arrangement.placements if item.bus == bus)
    return ctx.digest(VERSION, chain_of(chain, bus), heard, arrangement.length)


def _usable(old: Master | None, work: _Work) -> Master | None:
    """Return the last master where it was made for a picture of this length, this loudness and this chain."""
    if old is None or not old.limiter or old.chain != work.chain:
        return None
    if old.target_lufs != work.profile.target_lufs and not work.tone_alone:
        return None
    points = milliseconds(work.length) + 1
    return old if all(len(curve) == points for curve in (*old.limiter.values(), *old.compressor.values())) else None


def _anew(work: _Work) -> _Made:
    """Master without a past: one gain, one limiter curve for all stems; each bus has its own compressor."""
    work.ctx.progress(0.0, "measuring the sum")
    buses = {bus: Compressing(strip) for bus, strip in work.strips.items()}
    found = survey([bus.block(*span) for bus in buses.values()] for span in spans(work.length))
    curves = {bus: compressing.curve() for bus, compressing in buses.items()}
    compressor = {bus: curve for bus, curve in curves.items() if curve is not None}
    none = StemSum((), work.memo)

    def write(tried: Level) -> tuple[_Made, Figures]:
        limiter, target_lufs = dict.fromkeys(buses, tried.curve), work.profile.target_lufs
        made = _written(
            work, Master(tried.gain_db, target_lufs, limiter, dict(work.keys), work.chain, compressor), none
        )
        return made, made.figures

    made, notes = settled(found, work.profile, write)
    return _Made(made.master, made.stems, made.mix, made.figures, tuple(f"mix: {note}" for note in notes))


def _edited(work: _Work, old: Master) -> _Made:
    """Master on top of the last master, and say where the edit led away from the target."""
    work.ctx.progress(0.0, "measuring the edit")
    carried, changed = carried_over(old, work.keys), edited_buses(old, work.keys)
    beside = StemSum([_stem(work, carried, bus) for bus in work.strips if bus not in changed], work.memo)
    edited = {bus: work.strips[bus] for bus in changed}
    mastered, notes = revised(carried, edited, beside, length=work.length, ceiling_dbtp=work.profile.ceiling_dbtp)
    made = _written(work, mastered, beside)
    return _Made(made.master, made.stems, made.mix, made.figures, (*notes, *_drift(made.figures, work.profile)))


def _drift(mix: Figures, profile: LoudnessProfile) -> Iterator[str]:
    if mix.peak_dbtp > profile.ceiling_dbtp:
        over = f"{mix.peak_dbtp:.1f} dBTP, over {profile.ceiling_dbtp:.1f}"
        yield f"mix: the edit lifts the true peak to {over}: re-master with --remaster"
    if profile.target_lufs is None or mix.lufs is None:
        return
    if abs(mix.lufs - profile.target_lufs) > profile.tolerance_lu:
        yield (
            f"mix: {mix.lufs:.1f} LUFS where {profile.target_lufs:.0f} is the target; the gain of the last render was "
            "kept so that untouched stems stay as they are: re-master with --remaster"
        )


def _written(work: _Work, mastered: Master, beside: StemSum) -> _Made:
    """Write the stems that are not there yet, and their sum.

    Stems lie on the grid of 24 bit, where sums of a few in float32 are exact: the mix is their sum to the last bit.
    """
    work.ctx.progress(0.3, "stems")
    stems = {bus: _stem(work, mastered, bus) for bus in work.strips}

    def write_mix(ctx: Context) -> tuple[AudioFile, float | None, float]:
        file, figures = write_measured(_summed(work, mastered, stems, beside=beside), ctx.scratch / "mix.wav")
        return file, figures.lufs, figures.peak_dbtp

    work.ctx.progress(0.5, "mix")
    mix, lufs, peak_dbtp = work.ctx.once("mix", tuple(stems.values()), write_mix)
    return _Made(mastered, stems, mix, Figures(lufs, peak_dbtp))


def _stem(work: _Work, mastered: Master, bus: Bus) -> AudioFile:
    strip, fresh = work.strips[bus], False

    def write_stem(ctx: Context) -> AudioFile:
        nonlocal fresh
        fresh = True
        with WavWriter(ctx.scratch / f"{bus}.wav", rate_hz=RATE_HZ, channels=2) as writer:
            for first, last in spans(work.length):
                writer.append(mastered_block(mastered, strip, bus, first, last))
        return writer.file

    key = (bus, work.keys[bus], mastered.gain_db, mastered.limiter[bus], mastered.compressor.get(bus))
    file = work.ctx.once("stem", key, write_stem)
    if fresh:
        work.fresh.add(file)
    return file


def _summed(work: _Work, mastered: Master, stems: Mapping[Bus, AudioFile], *, beside: StemSum) -> Iterator[Block]:
    """Yield the sum of the stems as they are written; what was read or made just now and is kept is not read again."""
    heard = {bus: file for bus, file in stems.items() if file not in beside.stems and not work.strips[bus].silent}
    for first, last in spans(work.length):
        total = beside.block(first, last).copy()
        for bus, file in heard.items():
            strip = work.strips[bus]
            known = file in work.fresh and strip.keeps(first, last)
            made = on_grid(mastered_block(mastered, strip, bus, first, last)) if known else None
            total += sound.read(file, first, last) if made is None else made
        yield total


def on_grid(block: Block) -> Block:
    """Return samples as a file of 24 bit gives them back."""
    steps = np.rint(block * np.float32(_STEPS))
    return np.asarray(np.clip(steps, -_STEPS, _STEPS - 1, out=steps) * np.float32(1 / _STEPS))
