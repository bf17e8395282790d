"""Find where a background lost effects under speech: where it falls under its surroundings, where a blow is mute.

Only where dialogue sounds is anything looked for: what a background lacks elsewhere, the original lacked too. A planned
hit is lost where the background has no attack near it, or one far weaker than the same event has where nobody speaks.
An event that is heard nowhere outside speech, though it is planned there, was never in this mix: it is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from foley.analysis.activity import STEP_S, Levels, mask, runs
from foley.contracts import Context, stage
from foley.dsp.onsets import VALLEY_S, attacks
from foley.dsp.short_level import highest_db
from foley.media import sound
from foley.model import Audio, AudioFile, Hit, SoundEvent, SoundPlan, Span
from foley.model.dub import Dip, Gaps, Lost, Separation
from foley.units import RATE_HZ, SILENCE_DB, to_samples

VERSION = 1
"""Raised when the same background gives other gaps."""

SMOOTH_STEPS = 6
"""60 ms: longer than a period of any hum, shorter than a syllable that was cut out."""
QUIET_PERCENTILE = 10.0
"""What a background falls to by itself now and then: only what lies clearly under it is a dip."""
FLOOR_PERCENTILE = 25.0
"""The level of its quiet, which its own hits do not lift."""
LOUD_PERCENTILE = 99.0
MUTED_DB = 20.0
"""What lies so far under the usual level of a background is no part of it but a mute."""
JOIN_S = 0.15
SHORTEST_DIP_S = 0.12
"""A shorter dip is masked by what is before it."""
AROUND_S = (3.0, 12.0, 60.0)
"""How far from a dip its surroundings are looked for, until there is enough of them."""
ENOUGH_S = 0.5
FAINTEST_DB = -80.0
"""A background that lies under it has nothing to lose: it is called silent."""

EXTEND_S = 1.0
"""How far past speech a dip may go on."""

EDGE_S = 0.05
"""Speech is known to about so much: a hit so near to it may have suffered."""
LATE_S = 0.12
"""How far a sound may be from what is planned and still be it, three frames at 25 a second: to make it a second time
is worse than to miss one."""
CONTEXT_S = LATE_S + VALLEY_S
PEAK_S = 0.06
"""After its onset a blow is loudest."""
CLEAR = 2.0
"""A sound that is there rises 6 dB out of what is around it."""
DAMAGED_DB = 14.0
"""A hit that lies so far under its like is what a separator left of it."""
FAINT_RISE = 1e-3
"""-60 dBFS: an attack below it is nothing that is heard in a mix."""
SPAN_RISE_DB = 2.0
"""A sound that lasts and is there lifts the background at least so far."""
LONGEST_SPAN_S = 10.0
"""Longer ones are ambience: nothing is known of the background without them."""
MOSTLY = 0.6
"""Share of a span that lies under speech."""
TELLING = 2
"""So many hits outside speech, none of them heard, tell that an event was never in the mix."""


@dataclass(frozen=True, slots=True)
class GapsOptions:
    """What counts as lost."""

    dip_db: float = 4.0
    """How far under what it falls to by itself the background is damaged."""

    def __post_init__(self) -> None:
        if not 1.0 <= self.dip_db <= 40.0:
            raise ValueError(f"dip_db must lie in 1 to 40, got {self.dip_db}")


@dataclass(frozen=True, slots=True, eq=False)
class _Scene:
    """The background with what is known of it."""

    file: AudioFile
    level_db: Levels
    spoken: npt.NDArray[np.bool_]
    """Which steps of 10 ms lie under speech."""
    ctx: Context


@stage(version=VERSION, cached=False)  # a second for a film, and each planned event is kept below
def gaps(separation: Separation, plan: SoundPlan, opts: GapsOptions, ctx: Context) -> Gaps:
    """Return the dips of the background under speech, and the planned sounds that it lacks there."""
    level_db = separation.background_db
    scene = _Scene(separation.background, level_db, mask(separation.speech, len(level_db)), ctx)
    if not len(level_db) or float(level_db.max()) < FAINTEST_DB:
        return _silent(scene, plan)
    open_db = _smooth(level_db)[~scene.spoken]
    if not len(open_db):  # somebody speaks all the time: what is quietest is background
        open_db = np.sort(_smooth(level_db))[: max(1, len(level_db) // 4)]
    floor_db, loud_db = np.percentile(open_db, [FLOOR_PERCENTILE, LOUD_PERCENTILE])
    dips = tuple(_dips(scene, opts.dip_db))
    scene = replace(scene, spoken=scene.spoken | mask((Span(dip.start_s, dip.end_s) for dip in dips), len(level_db)))
    lost, kept, notes = [], 0, []
    for done, event in enumerate(plan.events):
        if not event.muted and event.kind != "bed":
            found, there, note = _looked_for(event, scene)
            lost += [found] if found else []
            kept += there
            notes += [note] if note else []
        ctx.progress(done / len(plan.events), event.id)
    return Gaps(dips, tuple(lost), kept, float(floor_db), float(loud_db), tuple(notes))


def _silent(scene: _Scene, plan: SoundPlan) -> Gaps:
    """Return one gap over everything: there is no background at all."""
    heard = [event for event in plan.events if not event.muted and event.kind != "bed"]
    lost = tuple(Lost(event.id, event.start_s, event.end_s, event.hits, None) for event in heard)
    whole = Dip(0.0, scene.file.length / RATE_HZ, None, SILENCE_DB)
    return Gaps((whole,), lost, 0, SILENCE_DB, SILENCE_DB, ("the background is silent: all of it is made",))


def _smooth(level_db: Levels) -> Levels:
    """Return levels of 60 ms, by power."""
    power = np.convolve(10.0 ** (level_db / 10.0), np.full(SMOOTH_STEPS, 1 / SMOOTH_STEPS), "same")
    return np.asarray(10.0 * np.log10(np.maximum(power, 10.0 ** (SILENCE_DB / 10.0))), np.float32)


def _dips(scene: _Scene, dip_db: float) -> Iterator[Dip]:
    """Yield where, under speech, the background falls below what it falls to by itself around there."""
    smooth = _smooth(scene.level_db)
    for spoken in runs(scene.spoken, join_s=0.0):
        first, last = round(spoken.start_s / STEP_S), round(spoken.end_s / STEP_S)
        near = _sounding(_open_around(scene.spoken, first, last), smooth)
        if not len(near):
            continue
        quiet_db, floor_db = np.percentile(smooth[near], [QUIET_PERCENTILE, FLOOR_PERCENTILE])
        around = tuple(_nearest(near, first, last))
        for low in runs(smooth[first:last] < quiet_db - dip_db, join_s=JOIN_S):
            if low.end_s - low.start_s >= SHORTEST_DIP_S:
                inner = (first + round(low.start_s / STEP_S), first + round(low.end_s / STEP_S))
                begin, end = _edges(scene.level_db, *inner, quiet_db - dip_db)
                rest_db = _mean_db(scene.level_db[begin:end])
                yield Dip(begin * STEP_S, end * STEP_S, float(floor_db), rest_db, around)


def _edges(level_db: Levels, begin: int, end: int, threshold_db: float) -> tuple[int, int]:
    """Return a dip's ends on the unsmoothed curve, also past the speech: who mutes a line mutes some around it."""
    low, reach = level_db < threshold_db, round(EXTEND_S / STEP_S)
    before, after = low[max(0, begin - reach) : begin][::-1], low[end : end + reach]
    begin -= len(before) if before.all() else int(np.argmin(before))
    end += len(after) if after.all() else int(np.argmin(after))
    return begin, end


def _open_around(spoken: npt.NDArray[np.bool_], first: int, last: int) -> npt.NDArray[np.intp]:
    """Return the steps around a stretch in which nobody speaks: the near ones, or farther ones where those are few."""
    found = np.zeros(0, np.intp)
    for reach_s in AROUND_S:
        begin, end = max(0, first - round(reach_s / STEP_S)), last + round(reach_s / STEP_S)
        found = begin + np.flatnonzero(~spoken[begin:end])
        if len(found) * STEP_S >= ENOUGH_S:
            return found
    return found


def _sounding(near: npt.NDArray[np.intp], smooth: Levels) -> npt.NDArray[np.intp]:
    """Return the steps that tell what the background is like: without those that were muted along with the speech.

    None where it is silent most of the time: there is no ambience that could be missed.
    """
    audible = near[smooth[near] > FAINTEST_DB]
    if 2 * len(audible) < len(near) or not len(audible):
        return audible[:0]
    return audible[smooth[audible] > np.median(smooth[audible]) - MUTED_DB]


def _nearest(near: npt.NDArray[np.intp], first: int, last: int) -> list[Span]:
    """Return stretches of steps, the nearest to [first, last) first."""
    parts = np.split(near, np.flatnonzero(np.diff(near) > 1) + 1)
    away = [min(abs(int(part[0]) - last), abs(int(part[-1]) - first)) for part in parts]
    spans = [Span(float(part[0]) * STEP_S, float(part[-1] + 1) * STEP_S) for part in parts]
    return [span for _, span in sorted(zip(away, spans, strict=True), key=lambda pair: pair[0])]


def _mean_db(level_db: Levels) -> float:
    return float(10.0 * np.log10(np.mean(10.0 ** (np.asarray(level_db, np.float64) / 10.0))))


def _looked_for(event: SoundEvent, scene: _Scene) -> tuple[Lost | None, int, str]:
    """Return what is lost of an event, how many of its hits under speech are there, and what a person should know."""
    if event.kind == "span":
        return (Lost(event.id, event.start_s, event.end_s, (), None) if _span_is_lost(event, scene) else None), 0, ""
    hits = [hit for hit in event.hits if hit.strength > 0.0]
    spoken = [_is_spoken(scene, hit) for hit in hits]
    if not any(spoken):
        return None, 0, ""
    levels_db = _heard_db(hits, scene)
    outside = [level_db for level_db, under in zip(levels_db, spoken, strict=True) if not under]
    heard = [level_db for level_db in outside if level_db is not None]
    if len(outside) >= TELLING and not heard and not event.locked:
        told = f"{event.label} ({event.id}) is heard nowhere outside speech: not taken for lost (lock it to fill it)"
        return None, 0, told
    like_db = float(np.median(heard)) if heard else None
    found = zip(hits, levels_db, spoken, strict=True)
    gone = tuple(hit for hit, level_db, under in found if under and _is_gone(level_db, like_db))
    lost = Lost(event.id, gone[0].time_s, gone[-1].time_s, gone, like_db) if gone else None
    return lost, sum(spoken) - len(gone), ""


def _is_spoken(scene: _Scene, hit: Hit) -> bool:
    first, last = (round((hit.time_s + side * EDGE_S) / STEP_S) for side in (-1, 1))
    return bool(scene.spoken[max(0, first) : last + 1].any())


def _is_gone(level_db: float | None, like_db: float | None) -> bool:
    """Return whether a hit that the background should have is not in it, or is a mere rest of its like."""
    return level_db is None or (like_db is not None and level_db < like_db - DAMAGED_DB)


def _heard_db(hits: Sequence[Hit], scene: _Scene) -> tuple[float | None, ...]:
    """Return how loud the background's attack near each hit is; None where it has none."""
    times_s = tuple(hit.time_s for hit in hits)

    def measure(_: Context) -> tuple[float | None, ...]:
        return tuple(_attack_db(scene.file, at_s) for at_s in times_s)

    return scene.ctx.once("heard", (VERSION, scene.file, times_s), measure)


def _attack_db(file: AudioFile, at_s: float) -> float | None:
    first = max(0, to_samples(at_s - CONTEXT_S, RATE_HZ))
    last = to_samples(at_s + LATE_S + 2 * PEAK_S, RATE_HZ)
    part = sound.read(file, first, last)
    found = attacks(Audio(part, RATE_HZ), silent_before=first == 0)
    near = [
        attack
        for attack in found
        if abs(first / RATE_HZ + attack.time_s - at_s) <= LATE_S
        and attack.rise >= FAINT_RISE
        and attack.contrast >= CLEAR
    ]
    if not near:
        return None
    loudest = max(near, key=lambda attack: attack.rise)
    begin = to_samples(loudest.time_s, RATE_HZ)
    return highest_db(part[:, begin : begin + to_samples(PEAK_S, RATE_HZ)], RATE_HZ)


def _span_is_lost(event: SoundEvent, scene: _Scene) -> bool:
    """Return whether a short sound that lasts, mostly under speech, does not lift the background at all."""
    first, last = int(event.start_s / STEP_S), int(event.end_s / STEP_S)
    spoken = scene.spoken[first:last]
    if event.duration_s > LONGEST_SPAN_S or not len(spoken) or float(spoken.mean()) < MOSTLY:
        return False
    near = _open_around(scene.spoken, first, last)
    near = near[(near < first) | (near >= last)]
    if not len(near):
        return False
    floor_db = float(np.percentile(_smooth(scene.level_db)[near], FLOOR_PERCENTILE))
    return floor_db > FAINTEST_DB and _mean_db(scene.level_db[first:last]) < floor_db + SPAN_RISE_DB
