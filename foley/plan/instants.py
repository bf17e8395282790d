"""Give sounds of the kind *hits* their instants: those that the picture shows, each to one sound only."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from foley.model import Hit, Impact, Picture, ProposedSound, Span
from foley.plan.closer import Closer
from foley.plan.reasons import CUE_WORDS
from foley.plan.series import period, regular
from foley.plan.windows import windows

NO_CLOSER = Closer()
"""What is seen where nobody looks again."""

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

OTHER_PLACE = 0.7
"""The same where all of them lie outside the region in which the sound is expected."""

FAINT = 0.6
"""The same for instants that hardly stand out; those that stand out most have 1."""

OUTSIDE, ELSEWHERE, ANYWHERE = 0.15, 0.5, 0.9
"""An impact so far outside a sound's region (in picture sizes) counts half, and less is elsewhere; for a sound that
may be anywhere each counts a little less than for one that is expected just there."""

APART = 0.2
"""Groups of impacts whose places differ by this share of the width belong to different things."""


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
    windows: tuple[Span, ...]

    def holds(self, time_s: float) -> bool:
        """Return whether it may hit then."""
        return any(span.start_s <= time_s <= span.end_s for span in self.windows)

    def weight(self, impact: Impact) -> float:
        """Return how well an impact lies where the sound is expected, 0 to 1."""
        region = self.sound.region
        if region is None:
            return ANYWHERE
        beside = max(region.left - impact.x, 0.0, impact.x - region.right)
        away = max(region.top - impact.y, 0.0, impact.y - region.bottom)
        return 1.0 / (1.0 + math.hypot(beside, away) / OUTSIDE)

    def placed(self, impacts: list[Impact]) -> list[Impact]:
        """Return those impacts that lie where the sound is expected; all of them, where none does."""
        return [impact for impact in impacts if self.weight(impact) >= ELSEWHERE] or impacts


def instants(sounds: Sequence[ProposedSound], picture: Picture, closer: Closer = NO_CLOSER) -> list[Instants]:
    """Return the instants of each sound, in the order of the sounds; all of them are of the kind *hits*.

    Args:
        sounds: What hits.
        picture: What was seen of it.
        closer: What a second look showed.
    """
    wishes = [_Wish(number, sound, windows(sound, picture)) for number, sound in enumerate(sounds)]
    found: dict[int, Instants] = {}
    given: list[float] = []
    for wish in wishes:
        if wish.sound.start_s is not None and wish.sound.end_s is None:
            free = _free(closer.of(wish.sound, picture.impacts), given)
            found[wish.number], seen = _at(wish, free, picture)
            given += [seen.time_s] if seen else []
    rest = {wish.number: wish for wish in wishes if wish.number not in found}
    free_of = {number: _free(closer.of(wish.sound, picture.impacts), given) for number, wish in rest.items()}
    for number, impacts in _shared(rest, free_of):
        wish = rest[number]
        found[number] = _seen(wish, impacts, picture, closer) if impacts else _unseen(wish, picture)
    return [counted(found[number], sound.count) for number, sound in enumerate(sounds)]


def counted(found: Instants, count: int | None) -> Instants:
    """Return as many instants as are asked for: of more the strongest; fewer stay, for the picture shows no more."""
    if count is None or len(found.hits) <= max(1, count):
        return found
    strongest = sorted(range(len(found.hits)), key=lambda place: -found.hits[place].strength)[: max(1, count)]
    kept = sorted(strongest)
    return replace(
        found,
        hits=tuple(found.hits[place] for place in kept),
        places=tuple(found.places[place] for place in kept),
        evidence=f"{found.evidence}, of which the {len(kept)} strongest are taken, as many as are named",
    )


def _free(impacts: Iterable[Impact], given: Sequence[float]) -> list[Impact]:
    """Return the impacts that are not those of a sound whose time was given."""
    times = np.sort(given)
    return [impact for impact in impacts if _distance(times, impact.time_s) > SAME_S]


def _at(wish: _Wish, free: Sequence[Impact], picture: Picture) -> tuple[Instants, Impact | None]:
    """Return a sound at the instant that is given for it, and the impact that shows it."""
    sound = wish.sound
    assert sound.start_s is not None
    reach_s = SNAP_S if sound.exact else BELIEVED_S
    near = wish.placed([impact for impact in free if abs(impact.time_s - sound.start_s) <= reach_s])
    own = [impact for impact in near if impact.cue == sound.cue] or near
    if not own:
        end_s = float(picture.shots[-1].end_s) if picture.shots else sound.start_s
        known = "the time is given" if sound.exact else "the time is the planner's; no impact is seen near it"
        confidence = 1.0 if sound.exact else UNSEEN
        return Instants((Hit(min(sound.start_s, end_s)),), (0.5,), known, confidence), None
    best = min(own, key=lambda impact: abs(impact.time_s - sound.start_s))  # type: ignore[operator]
    moved_ms = 1000 * (best.time_s - sound.start_s)
    known = f"a {best.cue} is seen at {best.time_s:.3f} s"
    if sound.exact:
        return Instants((Hit(best.time_s),), (best.x,), f"{known}, {moved_ms:+.0f} ms from the given time"), best
    return Instants((Hit(best.time_s),), (best.x,), known, _clarity([best])), best


def _clarity(impacts: Sequence[Impact]) -> float:
    """Return how far impacts can be believed, by how much they stand out."""
    return FAINT + (1 - FAINT) * float(np.median([min(1.0, max(0.0, impact.strength)) for impact in impacts]))


def _shared(wishes: Mapping[int, _Wish], free: Mapping[int, Sequence[Impact]]) -> Iterator[tuple[int, list[Impact]]]:
    """Yield each sound with the impacts that are its own: no instant is heard twice."""
    pools = {
        number: wish.placed([one for one in free[number] if one.cue == wish.sound.cue and wish.holds(one.time_s)])
        for number, wish in wishes.items()
    }
    for group in _rivals(wishes.values(), pools):
        for wish, share in zip(group, _divided(group, pools[group[0].number]), strict=True):
            pools[wish.number] = share
    _settle(pools, wishes)
    taken = [impact for pool in pools.values() for impact in pool]
    for number, wish in wishes.items():
        if not pools[number]:
            pools[number] = wish.placed(_of_another_cue(wish, free[number], taken))
            taken += pools[number]
        yield number, pools[number]


def _rivals(wishes: Iterable[_Wish], pools: Mapping[int, list[Impact]]) -> list[list[_Wish]]:
    """Return the groups of sounds that may take the same impacts: of one cue, at one time and place."""
    groups: list[list[_Wish]] = []
    for wish in wishes:
        for group in groups:
            first = group[0]
            same = first.sound.cue == wish.sound.cue and wish.sound.cue is not None
            if same and first.windows == wish.windows and pools[first.number] == pools[wish.number]:
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


def _settle(pools: dict[int, list[Impact]], wishes: Mapping[int, _Wish]) -> None:
    """Leave an instant that was seen under two cues to the sound for whose cue and place it is stronger."""
    entries = sorted(
        ((impact, number) for number, pool in pools.items() for impact in pool), key=lambda one: one[0].time_s
    )
    lost: set[tuple[int, Impact]] = set()
    for place, (impact, number) in enumerate(entries):
        for other, rival in entries[place + 1 :]:
            if other.time_s - impact.time_s > SAME_S:
                break
            if rival != number:
                first, second = (
                    one.strength * wishes[owner].weight(one) for one, owner in ((impact, number), (other, rival))
                )
                lost.add((number, impact) if second > first else (rival, other))
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


def _seen(wish: _Wish, impacts: Sequence[Impact], picture: Picture, closer: Closer) -> Instants:
    """Return the impacts as hits; of what repeats evenly, mended where one is missing or doubled."""
    own = impacts[0].cue == wish.sound.cue
    hits = [Hit(impact.time_s, SOFTEST + (1 - SOFTEST) * min(1.0, max(0.0, impact.strength))) for impact in impacts]
    places = [impact.x for impact in impacts]
    one, many = CUE_WORDS[impacts[0].cue]
    number = f"{len(impacts)} {many} are seen" if len(impacts) > 1 else f"1 {one} is seen"
    evidence = [number if own else f"no {wish.sound.cue} is seen, but {number}"]
    confidence = _clarity(impacts) * (1.0 if own else OTHER_CUE)
    if wish.sound.periodic and (period_s := period(hit.time_s for hit in hits)):
        hits, places = regular(hits, places, period_s, picture=picture)
        evidence.append(f"one every {period_s:.2f} s")
    if not set(closer.impacts).isdisjoint(impacts):
        evidence.append("in a closer look at what is small and fast")
    if wish.sound.region and not any(wish.weight(impact) >= ELSEWHERE for impact in impacts):
        evidence.append("though elsewhere in the picture than expected")
        confidence *= OTHER_PLACE
    return Instants(tuple(hits), tuple(places), ", ".join(evidence), confidence)


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

    def liveliness(window: Span) -> float:
        inside = level[(times >= window.start_s) & (times <= window.end_s)]
        return float(np.sum(inside)) if len(inside) else -1.0

    liveliest = max(wish.windows, key=liveliness, default=Span(0.0, 0.0))
    return liveliest.start_s, liveliest.end_s
