"""Measure what was made, from the files themselves: is every hit on its frame, the level right, the sum exact?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise

import numpy as np

from foley.contracts import Context, stage
from foley.dsp.loudness import LoudnessMeter
from foley.dsp.onsets import onset_near
from foley.dsp.profiles import EFFECTS_ALONE, PROFILE_NAMES, Dialogue, ProfileName
from foley.media import sound
from foley.mix.sum import spans
from foley.model import (
    Audio,
    Clip,
    FittedTakes,
    Listening,
    LoudnessFigures,
    Mixdown,
    Report,
    SoundEvent,
    SoundPlan,
    SyncCheck,
    Take,
)
from foley.units import RATE_HZ, clock, to_frames, to_samples, to_seconds

VERSION = 4
"""Raised when the same sound gives other figures."""

WITHIN_S = 0.1
"""How far from its time an onset is looked for: past a tenth of a second it is another sound, or none."""
NEIGHBOUR_SHARE = 0.45
"""Of the way to the next hit: under half, so that no hit is measured at its neighbour's onset."""
CONTEXT_S = 0.25
"""What is read on either side of the search, for the level that an onset rises from."""
CLEAR_START = 0.5
"""A span that begins under this intensity swells, so it has no onset to measure."""
FRAMES_OFF = 1.0
"""A sound nearer than a frame to what is seen cannot be seen to be off."""
_LSB = 2.0**23
"""Steps of 24 bit in full scale."""


@stage(version=VERSION)
def verify(
    clip: Clip, plan: SoundPlan, fitted: FittedTakes, mixdown: Mixdown, listening: Listening, ctx: Context
) -> Report:
    """Measure takes, stems, mix and track, and say what a person should know, worst first."""
    length = to_samples(clip.duration_s, RATE_HZ)
    takes = {take.event_id: take for take in fitted.items}
    heard = [event for event in plan.events if not event.muted]
    ctx.progress(0.0, "sync")
    sync = tuple(_sync(heard, takes, clip, ctx))
    ctx.progress(0.3, "stems and mix")
    mix, stem_sum_lsb = _mix(mixdown)
    ctx.progress(0.7, "track")
    track = mix if mixdown.track == mixdown.mix else _track(mixdown, listening)
    notes = (
        *_file_faults(mixdown, length, stem_sum_lsb),
        *_loudness_faults("the mix", mix),
        *(_loudness_faults("the track", track) if track is not mix else ()),
        *(f"{event.label} ({event.id}) has no sound" for event in heard if event.id not in takes),
        *_sync_faults(sync),
        *mixdown.notes,
        *_fallback(track),
        *_take_notes(heard, takes),
    )
    return Report(sync, mix, track, stem_sum_lsb, mixdown.mix.length, notes)


def _sync(events: Iterable[SoundEvent], takes: Mapping[str, Take], clip: Clip, ctx: Context) -> Iterator[SyncCheck]:
    checks: list[SyncCheck] = []
    for event in events:
        if event.id in takes:
            checks += _checks(event, takes[event.id], clip, ctx)
    yield from sorted(checks, key=lambda check: (check.planned_s, check.event_id))


def _checks(event: SoundEvent, take: Take, clip: Clip, ctx: Context) -> tuple[SyncCheck, ...]:
    """Return the checks of one event, measured once for the same take at the same place."""
    instants = tuple(at_s for at_s in _instants(event) if 0.0 <= at_s < clip.duration_s)
    frame_rate = clip.video.frame_rate

    def measure(_: Context) -> tuple[SyncCheck, ...]:
        within = zip(instants, _reaches(instants), strict=True)
        return tuple(_check(event, take, at_s, within_s=within_s, frame_rate=frame_rate) for at_s, within_s in within)

    measured = (VERSION, event.id, event.label, take.audio, take.first_sample, instants, frame_rate)
    return ctx.once("sync", measured, measure) if instants else ()


def _instants(event: SoundEvent) -> list[float]:
    """Return when an event's onsets should be heard."""
    if event.kind == "hits":
        return [hit.time_s for hit in event.hits if hit.strength > 0.0]
    begins_clearly = not event.curve or event.curve[0].level >= CLEAR_START
    return [event.start_s] if event.kind == "span" and event.start_s > 0.0 and begins_clearly else []


def _reaches(instants: Sequence[float]) -> list[float]:
    """Return how far from each instant to look."""
    gaps = np.diff(instants, prepend=-np.inf, append=np.inf)
    return [min(WITHIN_S, NEIGHBOUR_SHARE * float(min(gap))) for gap in pairwise(gaps)]


def _check(event: SoundEvent, take: Take, planned_s: float, *, within_s: float, frame_rate: Fraction) -> SyncCheck:
    """Measure one onset in its take alone, where no other sound can be mistaken for it."""
    reach = to_samples(within_s + CONTEXT_S, RATE_HZ)
    centre = to_samples(planned_s, RATE_HZ) - take.first_sample
    # from before the take's start there is nothing to read: the onset finder then knows that silence precedes
    first = max(0, centre - reach)
    around = Audio(sound.read(take.audio, first, max(first, centre + reach)), RATE_HZ)
    offset_s = to_seconds(first + take.first_sample, RATE_HZ)
    found_s = onset_near(around, planned_s - offset_s, within_s) if around.length else None
    if found_s is None:
        return SyncCheck(event.id, event.label, planned_s, None, None, None)
    error_s = found_s + offset_s - planned_s
    return SyncCheck(
        event.id, event.label, planned_s, found_s + offset_s, 1000 * error_s, to_frames(error_s, frame_rate)
    )


def _mix(mixdown: Mixdown) -> tuple[LoudnessFigures, float]:
    """Return the mix's figures and the largest difference from the sum of its stems, in steps of 24 bit."""
    meter, worst = LoudnessMeter(RATE_HZ, 2), np.float32(0.0)
    for first, last in spans(mixdown.mix.length):
        mixed = sound.read(mixdown.mix, first, last)
        total = sum((sound.read(stem, first, last) for stem in mixdown.stems.values()), start=np.zeros_like(mixed))
        worst = np.maximum(worst, np.abs(mixed - total).max())
        meter.add(mixed)
    # the mix of room tone alone has no target, whatever is asked of the track
    profile: ProfileName = "off" if mixdown.target_lufs is None else _profile(mixdown)
    return meter.figures(profile, EFFECTS_ALONE), float(worst) * _LSB


def _track(mixdown: Mixdown, listening: Listening) -> LoudnessFigures:
    meter = LoudnessMeter(RATE_HZ, mixdown.track.channels)
    for first, last in spans(mixdown.track.length):
        meter.add(sound.read(mixdown.track, first, last))
    return meter.figures(_profile(mixdown), Dialogue(listening.speech, listening.speech_by))


def _profile(mixdown: Mixdown) -> ProfileName:
    return next(name for name in PROFILE_NAMES if name == mixdown.loudness)


def _fallback(figures: LoudnessFigures) -> Iterator[str]:
    """Say where a profile that asks for the loudness of dialogue could not be held to that."""
    if figures.measure == "programme" and figures.because:
        yield (
            f"loudness: {figures.profile} by its measure for programmes with little dialogue, {_target(figures)}: "
            f"{figures.because}"
        )


def _file_faults(mixdown: Mixdown, length: int, stem_sum_lsb: float) -> Iterator[str]:
    if stem_sum_lsb != 0.0:  # NaN differs too
        yield f"the stems do not sum to the mix: they differ by up to {stem_sum_lsb:.0f} steps of 24 bit"
    stems = ((f"the stem {bus}", file) for bus, file in mixdown.stems.items())
    for name, file in (*stems, ("the mix", mixdown.mix), ("the track", mixdown.track)):
        there = sound.describe(file.path).length
        if there != length:
            yield f"{name} is {there} samples long, the picture {length}"


def _loudness_faults(name: str, figures: LoudnessFigures) -> Iterator[str]:
    if figures.passed:
        return
    loudness = "no loudness" if figures.judged_lufs is None else f"{figures.judged_lufs:.1f} LUFS"
    of = " of dialogue" if figures.measure == "dialogue" else ""
    target = "" if figures.target_lufs is None else f" (target {_target(figures)})"
    peak = f"{figures.true_peak_dbtp:.1f} dBTP (ceiling {figures.ceiling_dbtp:.0f})"
    yield f"{name}: {loudness}{of}{target}, true peak {peak}"


def _target(figures: LoudnessFigures) -> str:
    return f"{figures.target_lufs:.0f} +/- {figures.tolerance_lu:g} LUFS"


def _sync_faults(sync: Sequence[SyncCheck]) -> Iterator[str]:
    """Return one sentence for each event whose onsets are off or missing, the farthest first."""
    by_event: dict[str, list[SyncCheck]] = {}
    for check in sync:
        by_event.setdefault(check.event_id, []).append(check)
    faults = [(_farthest_frames(checks), _sync_fault(checks)) for checks in by_event.values()]
    yield from (text for _, text in sorted(faults, key=lambda fault: -fault[0]) if text)


def _farthest_frames(checks: Sequence[SyncCheck]) -> float:
    return max((abs(check.error_frames) if check.error_frames is not None else np.inf) for check in checks)


def _sync_fault(checks: Sequence[SyncCheck]) -> str:
    off = [check for check in checks if check.error_frames is not None and abs(check.error_frames) > FRAMES_OFF]
    lost = [check for check in checks if check.error_frames is None]
    parts = []
    if lost:
        parts.append(f"no onset found at {len(lost)} of {len(checks)} times (first {clock(lost[0].planned_s)})")
    if off:
        worst = max(off, key=lambda check: abs(check.error_ms or 0.0))
        parts.append(
            f"{len(off)} of {len(checks)} onsets are more than a frame off "
            f"(worst {worst.error_ms:+.0f} ms at {clock(worst.planned_s)})"
        )
    return f"{checks[0].label} ({checks[0].event_id}): {'; '.join(parts)}" if parts else ""


def _take_notes(events: Iterable[SoundEvent], takes: Mapping[str, Take]) -> Iterator[str]:
    for event in events:
        if event.id not in takes:
            continue
        yield from (f"{event.label} ({event.id}): {note}" for note in takes[event.id].notes)
        if event.placeholder and takes[event.id].generator == "procedural":
            yield f"{event.label} ({event.id}): a placeholder; synthesis does this poorly, replace it"
