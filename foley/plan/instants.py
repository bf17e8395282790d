"""Give sounds of the kind *hits* their instants: those that the picture shows, each to one sound only."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from foley.model import Hit, Impact, Picture, ProposedSound
from foley.plan.reasons import CUE_WORDS

SNAP_S = 0.15
"""An exact instant this near an impact is moved onto it: nobody types times finer."""

BELIEVED_S = 0.3
"""The same for an instant that a planner only believes in."""

SAME_S = 0.06
"""Impacts of different cues nearer than this are one instant seen twice: a frame and a half at 25 fps."""

USUAL_PERIOD_S = 0.55
"""Time between the steps of a walk (110 in a minute), for what repeats and is not seen."""

LONGEST_UNSEEN_S = 20.0
"""How long something that repeats goes on where nothing is seen of it and nobody says how long."""

SOFTEST = 0.35
"""Strength of the weakest hit: what the picture shows must be heard, however weakly it shows."""

OTHER_CUE, UNSEEN = 0.6, 0.35
"""Factors on the confidence where instants come from another cue, or from nowhere."""

APART = 0.2
"""Groups of impacts whose places differ by this share of the width belong to different things."""

REGULAR_SHARE, REGULAR_SPREAD = 0.6, 0.2
"""A series is regular where this share of its intervals lies within this share of the median."""

PULL = 0.3
"""How far an instant of a regular series is drawn towards the middle of its neighbours: sight errs by half a frame."""


GOES_ON = 0.75
"""A gap in a regular series is filled where at least this share of what moves at the hits beside it moves in it too: a
step that hides its foot still moves the walker, and a smith who pauses rests."""


@dataclass(frozen=True, slots=True)
class Instants:
    """When a sound hits, and how that is known."""

    hits: tuple[Hit, ...]
    places: tuple[float, ...]
    """Where each was seen, 0 left to 1 right; the middle where it was not."""
    evidence: str
    confidence: float = 1.0
    """Factor on the sound's own."""


@dataclass(frozen=True, slots=True)
class _Wish:
    """One sound and when it may hit."""

    number: int
    sound: ProposedSound
    windows: tuple[tuple[float, float], ...]

    def holds(self, time_s: float) -> bool:
        """Return whether it may hit then."""
        return any(start_s <= time_s <= end_s for start_s, end_s in self.windows)


def instants(sounds: Sequence[ProposedSound], picture: Picture) -> list[Instants]:
    """Return the instants of each sound, in the order of the sounds; all of them are of the kind *hits*."""
    wishes = [_Wish(number, sound, _windows(sound, picture)) for number, sound in enumerate(sounds)]
    found: dict[int, Instants] = {}
    free = list(picture.impacts)
    for wish in wishes:
        if wish.sound.start_s is not None and wish.sound.end_s is None:
            found[wish.number], free = _at(wish.sound, free, picture)
    rest = [wish for wish in wishes if wish.number not in found]
    for wish, impacts in _shared(rest, free):
        found[wish.number] = _seen(wish, impacts, picture) if impacts else _unseen(wish, picture)
    return [found[number] for number in range(len(sounds))]


def _windows(sound: ProposedSound, picture: Picture) -> tuple[tuple[float, float], ...]:
    """Return when a sound may hit: the shots that it may sound in, cut to its times."""
    first_s = -math.inf if sound.start_s is None else sound.start_s
    last_s = math.inf if sound.end_s is None else sound.end_s
    shots = [picture.shots[number] for number in sound.shots if number < len(picture.shots)] or picture.shots
    cut = [(max(first_s, shot.start_s), min(last_s, shot.end_s)) for shot in shots]
    return tuple((start_s, end_s) for start_s, end_s in cut if start_s <= end_s)


def _at(sound: ProposedSound, free: list[Impact], picture: Picture) -> tuple[Instants, list[Impact]]:
    """Return a sound at the instant that is given for it, and the impacts that are left for others."""
    assert sound.start_s is not None
    reach_s = SNAP_S if sound.exact else BELIEVED_S
    near = [impact for impact in free if abs(impact.time_s - sound.start_s) <= reach_s]
    own = [impact for impact in near if impact.cue == sound.cue] or near
    if not own:
        end_s = float(picture.shots[-1].end_s) if picture.shots else sound.start_s
        known = "the time is given" if sound.exact else "the time is the planner's; no impact is seen near it"
        return Instants((Hit(min(sound.start_s, end_s)),), (0.5,), known), free
    best = min(own, key=lambda impact: abs(impact.time_s - sound.start_s))  # type: ignore[operator]
    moved_ms = 1000 * (best.time_s - sound.start_s)
    known = f"a {best.cue} is seen at {best.time_s:.3f} s" + (
        f", {moved_ms:+.0f} ms from the given time" if sound.exact else ""
    )
    left = [impact for impact in free if abs(impact.time_s - best.time_s) > SAME_S]
    return Instants((Hit(best.time_s),), (best.x,), known), left


def _shared(wishes: Sequence[_Wish], free: Sequence[Impact]) -> Iterator[tuple[_Wish, list[Impact]]]:
    """Yield each sound with the impacts that are its own: no instant is heard twice."""
    pools = {
        wish.number: [impact for impact in free if impact.cue == wish.sound.cue and wish.holds(impact.time_s)]
        for wish in wishes
    }
    for group in _rivals(wishes):
        for wish, share in zip(group, _divided(group, pools[group[0].number]), strict=True):
            pools[wish.number] = share
    _settle(pools)
    taken = [impact for pool in pools.values() for impact in pool]
    for wish in wishes:
        if not pools[wish.number]:
            pools[wish.number] = _of_another_cue(wish, free, taken)
            taken += pools[wish.number]
        yield wish, pools[wish.number]


def _rivals(wishes: Sequence[_Wish]) -> list[list[_Wish]]:
    """Return the groups of sounds that may take the same impacts: of one cue, at one time."""
    groups: list[list[_Wish]] = []
    for wish in wishes:
        for group in groups:
            same = group[0].sound.cue == wish.sound.cue and wish.sound.cue is not None
            if same and group[0].windows == wish.windows:
                group.append(wish)
                break
        else:
            groups.append([wish])
    return groups


def _divided(group: Sequence[_Wish], pool: list[Impact]) -> list[list[Impact]]:
    """Return each rival's share of the impacts: by place where they lie apart, else by strength."""
    if len(group) == 1 or len(pool) < len(group):
        # too few to go round: the first that was named has them
        return [pool, *([] for _ in group[1:])]
    shares = _by_place(pool, len(group)) or _by_strength(pool, group)
    return [sorted(share, key=lambda impact: impact.time_s) for share in shares]


def _by_place(pool: list[Impact], number: int) -> list[list[Impact]]:
    """Return groups of impacts that lie apart in the picture, the largest for who was named first; [] where none do."""
    ordered = sorted(pool, key=lambda impact: impact.x)
    gaps = [after.x - before.x for before, after in itertools.pairwise(ordered)]
    widest = sorted(range(len(gaps)), key=lambda place: -gaps[place])[: number - 1]
    if any(gaps[place] < APART for place in widest):
        return []
    bounds = [0, *(place + 1 for place in sorted(widest)), len(ordered)]
    return sorted((ordered[first:end] for first, end in itertools.pairwise(bounds)), key=len, reverse=True)


def _by_strength(pool: list[Impact], group: Sequence[_Wish]) -> list[list[Impact]]:
    """Return equal shares, the stronger for the louder sound."""
    ordered = sorted(pool, key=lambda impact: -impact.strength)
    bounds = [round(place * len(pool) / len(group)) for place in range(len(group) + 1)]
    parts = [ordered[first:end] for first, end in itertools.pairwise(bounds)]
    loudest = sorted(range(len(group)), key=lambda place: -group[place].sound.level_db)
    return [part for _, part in sorted(zip(loudest, parts, strict=True), key=lambda one: one[0])]


def _settle(pools: dict[int, list[Impact]]) -> None:
    """Leave an instant that was seen under two cues to the sound for whose cue it is stronger."""
    entries = sorted(
        ((impact, number) for number, pool in pools.items() for impact in pool), key=lambda one: one[0].time_s
    )
    lost: set[tuple[int, Impact]] = set()
    for place, (impact, number) in enumerate(entries):
        for other, rival in entries[place + 1 :]:
            if other.time_s - impact.time_s > SAME_S:
                break
            if rival != number:
                lost.add((number, impact) if other.strength > impact.strength else (rival, other))
    for number, pool in pools.items():
        pools[number] = [impact for impact in pool if (number, impact) not in lost]


def _of_another_cue(wish: _Wish, free: Sequence[Impact], taken: Sequence[Impact]) -> list[Impact]:
    """Return what another cue shows, for a sound whose own shows nothing; never for light, which moves nothing."""
    if wish.sound.cue not in ("strike", "burst"):
        return []
    other = "burst" if wish.sound.cue == "strike" else "strike"
    times = np.sort([impact.time_s for impact in taken])
    return [
        impact
        for impact in free
        if impact.cue == other and wish.holds(impact.time_s) and _distance(times, impact.time_s) > SAME_S
    ]


def _distance(times: np.ndarray, time_s: float) -> float:
    """Return how far the nearest of some rising times is."""
    place = int(np.searchsorted(times, time_s))
    near = times[max(0, place - 1) : place + 1]
    return float(np.min(np.abs(near - time_s))) if len(near) else math.inf


def _seen(wish: _Wish, impacts: Sequence[Impact], picture: Picture) -> Instants:
    """Return the impacts as hits; of what repeats evenly, mended where one is missing or doubled."""
    own = impacts[0].cue == wish.sound.cue
    hits = [Hit(impact.time_s, SOFTEST + (1 - SOFTEST) * min(1.0, max(0.0, impact.strength))) for impact in impacts]
    places = [impact.x for impact in impacts]
    one, many = CUE_WORDS[impacts[0].cue]
    number = f"{len(impacts)} {many} are seen" if len(impacts) > 1 else f"1 {one} is seen"
    evidence = number if own else f"no {wish.sound.cue} is seen, but {number}"
    if wish.sound.periodic and (period_s := period(hit.time_s for hit in hits)):
        hits, places = _regular(hits, places, period_s, picture=picture)
        evidence += f", one every {period_s:.2f} s"
    return Instants(tuple(hits), tuple(places), evidence, 1.0 if own else OTHER_CUE)


def period(times_s: Iterable[float]) -> float | None:
    """Return the period of a series that is regular, None for any other.

    >>> period([0.0, 0.5, 1.02, 1.5, 2.5, 3.0])
    0.5
    """
    intervals = np.diff(np.fromiter(times_s, float))
    if len(intervals) < 3:
        return None
    median = float(np.median(intervals))
    regular = np.abs(intervals - median) <= REGULAR_SPREAD * median
    return round(float(np.median(intervals[regular])), 4) if np.mean(regular) >= REGULAR_SHARE else None


def _regular(
    hits: Sequence[Hit], places: Sequence[float], period_s: float, *, picture: Picture
) -> tuple[list[Hit], list[float]]:
    """Return a regular series without doubled hits, with single gaps filled and each hit drawn towards its beat."""
    kept: list[tuple[Hit, float]] = []
    for hit, place in zip(hits, places, strict=True):
        interval_s = hit.time_s - kept[-1][0].time_s if kept else period_s
        if interval_s < period_s / 2:
            kept[-1] = max(kept[-1], (hit, place), key=lambda one: one[0].strength)
            continue
        if abs(interval_s - 2 * period_s) <= REGULAR_SPREAD * period_s and _goes_on(kept[-1][0], hit, picture):
            before = kept[-1][0]
            between = Hit((before.time_s + hit.time_s) / 2, (before.strength + hit.strength) / 2)
            kept.append((between, (kept[-1][1] + place) / 2))
        kept.append((hit, place))
    return _drawn([hit for hit, _ in kept], period_s), [place for _, place in kept]


def _goes_on(before: Hit, after: Hit, picture: Picture) -> bool:
    """Return whether what hits before and after a gap also moves half-way between."""
    reach_s = (after.time_s - before.time_s) / 8  # a quarter of the period
    middle_s = (before.time_s + after.time_s) / 2
    liveliest = [
        float(np.max(picture.motion.level[np.abs(picture.times_s - time_s) <= reach_s], initial=0.0))
        for time_s in (before.time_s, middle_s, after.time_s)
    ]
    return liveliest[1] >= GOES_ON * min(liveliest[0], liveliest[2])


def _drawn(hits: Sequence[Hit], period_s: float) -> list[Hit]:
    """Return hits drawn towards the middle of their neighbours, where both are one period away."""
    times = np.array([hit.time_s for hit in hits])
    drawn = times.copy()
    for place in range(1, len(times) - 1):
        around = np.diff(times[place - 1 : place + 2])
        if np.all(np.abs(around - period_s) <= REGULAR_SPREAD * period_s):
            drawn[place] += PULL * ((times[place - 1] + times[place + 1]) / 2 - times[place])
    return [replace(hit, time_s=float(time)) for hit, time in zip(hits, drawn, strict=True)]


def _unseen(wish: _Wish, picture: Picture) -> Instants:
    """Return sensible instants for what the picture does not show: evenly if it repeats, else once."""
    start_s, end_s = _liveliest(wish, picture)
    why = "nothing that shows it is seen"
    if wish.sound.periodic:
        if not wish.sound.exact:
            end_s = min(end_s, start_s + LONGEST_UNSEEN_S)
        first_s = start_s if wish.sound.exact else start_s + USUAL_PERIOD_S / 2
        times = np.arange(first_s, max(end_s, first_s + 1e-6), USUAL_PERIOD_S)
        hits = tuple(Hit(float(time), 0.8) for time in times)
        return Instants(hits, (0.5,) * len(hits), f"{why}, so it repeats every {USUAL_PERIOD_S} s", UNSEEN)
    if wish.sound.exact:
        return Instants((Hit(start_s),), (0.5,), f"{why}, so it is heard where its time begins", UNSEEN)
    times, level = picture.times_s, picture.motion.level
    inside = (times >= start_s) & (times <= end_s)
    if np.any(inside) and float(np.max(level[inside])) > 0.0:
        time_s = float(times[inside][np.argmax(level[inside])])
        return Instants((Hit(time_s),), (0.5,), f"{why}, so it is heard where most moves", UNSEEN)
    return Instants((Hit((start_s + end_s) / 2),), (0.5,), f"{why}, so it is heard once, in the middle", UNSEEN)


def _liveliest(wish: _Wish, picture: Picture) -> tuple[float, float]:
    """Return the window in which most moves: what is not seen to hit is likeliest there."""
    times, level = picture.times_s, picture.motion.level

    def liveliness(window: tuple[float, float]) -> float:
        inside = level[(times >= window[0]) & (times <= window[1])]
        return float(np.sum(inside)) if len(inside) else -1.0

    return max(wish.windows, key=liveliness, default=(0.0, 0.0))
