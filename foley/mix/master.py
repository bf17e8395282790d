"""Bring the sum to its loudness, write the stems and the mix, and make the track that goes into the video."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from foley.contracts import Context, stage
from foley.dsp.loudness import PROFILES, TOLERANCE_LU, LoudnessProfile, ProfileName
from foley.media import sound
from foley.media.sound import WavWriter
from foley.mix.level import Level, milliseconds, survey
from foley.mix.revise import mastered_block, revised
from foley.mix.sum import BUSES, Block, BusReader, spans
from foley.mix.track import track_over_speech
from foley.mix.write import Figures, settled, write_measured
from foley.model import Arrangement, AudioFile, Bus, Clip, Listening, Master, Mixdown, PreviousMaster
from foley.units import RATE_HZ


@dataclass(frozen=True, slots=True)
class MasterOptions:
    """How loud the result is, and what becomes of the clip's own sound."""

    loudness: ProfileName = "ebu-r128"
    """ebu-r128: -23 LUFS; web: -14 LUFS; off: as planned. Peaks stay under -1 dBTP always."""
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
        if not 0.0 <= self.duck_db <= 60.0:
            raise ValueError(f"duck_db must lie in 0 to 60, got {self.duck_db}")


@dataclass(frozen=True, slots=True)
class _Work:
    """What all steps of one mastering work on."""

    readers: Mapping[Bus, BusReader]
    keys: Mapping[Bus, str]
    length: int
    profile: LoudnessProfile
    ctx: Context


@dataclass(frozen=True, slots=True)
class _Made:
    """Stems and mix on disk, with what the meter read of the mix."""

    master: Master
    stems: Mapping[Bus, AudioFile]
    mix: AudioFile
    figures: Figures
    notes: tuple[str, ...] = ()


@stage(version=1)
def master(
    arrangement: Arrangement,
    clip: Clip,
    listening: Listening,
    previous: PreviousMaster,
    opts: MasterOptions,
    ctx: Context,
) -> Mixdown:
    """Master the stems together, so that they sum to the mix, and make the track for the video."""
    profile = PROFILES[opts.loudness]
    readers = {bus: BusReader(arrangement, bus) for bus in BUSES}
    keys = {bus: _content(arrangement, bus, ctx) for bus in BUSES}
    work = _Work(readers, keys, arrangement.length, profile, ctx)
    old = None if opts.remaster else _usable(previous.master, arrangement.length, profile)
    made = _anew(work) if old is None else _edited(work, old)
    carries = opts.original == "keep" and bool(listening.speech) and bool(clip.sound)
    track, notes = made.mix, made.notes
    if carries:
        ctx.progress(0.7, "track with speech")
        to = ctx.scratch / "track.wav"
        track, more = track_over_speech(made.mix, clip, listening, profile=profile, duck_db=opts.duck_db, to=to)
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
    )


def _content(arrangement: Arrangement, bus: Bus, ctx: Context) -> str:
    """Return the key of what sounds on a bus: the names of events do not sound."""
    heard = tuple(
        (item.audio, item.first_sample, item.gain_left, item.gain_right)
        for item in arrangement.placements
        if item.bus == bus
    )
    return ctx.digest(heard, arrangement.length)


def _usable(old: Master | None, length: int, profile: LoudnessProfile) -> Master | None:
    """Return the last master where it was made for a picture of this length and for the same loudness."""
    if old is None or old.target_lufs != profile.target_lufs:
        return None
    fits = all(len(old.limiter.get(bus, ())) == milliseconds(length) + 1 for bus in BUSES)
    return old if fits else None


def _anew(work: _Work) -> _Made:
    """Master without a past: one gain, one curve for all stems."""
    work.ctx.progress(0.0, "measuring the sum")
    found = survey([work.readers[bus].block(*span) for bus in BUSES] for span in spans(work.length))

    def write(tried: Level) -> tuple[_Made, Figures]:
        made = _written(
            work, Master(tried.gain_db, work.profile.target_lufs, dict.fromkeys(BUSES, tried.curve), dict(work.keys))
        )
        return made, made.figures

    made, notes = settled(found, work.profile, write)
    return _Made(made.master, made.stems, made.mix, made.figures, tuple(f"mix: {note}" for note in notes))


def _edited(work: _Work, old: Master) -> _Made:
    """Master on top of the last master, and say where the edit led away from the target."""
    work.ctx.progress(0.0, "measuring the edit")
    mastered, notes = revised(old, work.readers, work.keys, length=work.length, ceiling_dbtp=work.profile.ceiling_dbtp)
    made = _written(work, mastered)
    return _Made(made.master, made.stems, made.mix, made.figures, (*notes, *_drift(made.figures, work.profile)))


def _drift(mix: Figures, profile: LoudnessProfile) -> Iterator[str]:
    if mix.peak_dbtp > profile.ceiling_dbtp:
        over = f"{mix.peak_dbtp:.1f} dBTP, over {profile.ceiling_dbtp:.1f}"
        yield f"mix: the edit lifts the true peak to {over}: re-master with --remaster"
    if profile.target_lufs is None or mix.lufs is None:
        return
    if abs(mix.lufs - profile.target_lufs) > TOLERANCE_LU:
        yield (
            f"mix: {mix.lufs:.1f} LUFS where {profile.target_lufs:.0f} is the target; the gain of the last render was "
            "kept so that untouched stems stay as they are: re-master with --remaster"
        )


def _written(work: _Work, mastered: Master) -> _Made:
    """Write the stems that are not there yet, and their sum.

    Stems lie on the grid of 24 bit, where sums of a few in float32 are exact: the mix is their sum to the last bit.
    """
    work.ctx.progress(0.3, "stems")
    stems = {bus: _stem(work, mastered, bus) for bus in BUSES}
    heard = [stems[bus] for bus in BUSES if not work.readers[bus].silent]

    def write_mix(ctx: Context) -> tuple[AudioFile, float | None, float]:
        file, figures = write_measured(_summed(heard, work.length), ctx.scratch / "mix.wav")
        return file, figures.lufs, figures.peak_dbtp

    work.ctx.progress(0.5, "mix")
    mix, lufs, peak_dbtp = work.ctx.once("mix", tuple(stems[bus] for bus in BUSES), write_mix)
    return _Made(mastered, stems, mix, Figures(lufs, peak_dbtp))


def _stem(work: _Work, mastered: Master, bus: Bus) -> AudioFile:
    def write_stem(ctx: Context) -> AudioFile:
        with WavWriter(ctx.scratch / f"{bus}.wav", rate_hz=RATE_HZ, channels=2) as writer:
            for first, last in spans(work.length):
                writer.append(mastered_block(mastered, work.readers[bus], bus, first, last))
        return writer.file

    return work.ctx.once("stem", (bus, work.keys[bus], mastered.gain_db, mastered.limiter[bus]), write_stem)


def _summed(stems: Sequence[AudioFile], length: int) -> Iterator[Block]:
    for first, last in spans(length):
        total = np.zeros((2, last - first), np.float32)
        for stem in stems:
            total += sound.read(stem, first, last)
        yield total
