"""Follow what is small and fast, a ball above all, and find where its flight is turned: there it was hit.

Spots that lie on a smooth path are a flight; where one flight goes over into another, something hit the ball.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from foley.plan.spots import Matrix, Moment, Spot

Turn = Literal["hit", "bounce", "launch", "arrival", "none"]
"""What becomes of a flight: turned back by something, off the ground, begun or ended beside somebody, gone on."""

End = Literal["start", "end"]

SLOWEST, FASTEST = 0.25, 4.0
"""Speed of a flight in picture widths a second: dense flow sees what is slower, a faster one leaves a streak."""

UNEVEN_PX, UNEVEN = 2.5 / 640, 0.3
"""How far a spot may lie from where its path leads: in picture widths, and as a share of the step."""

MISSED_FRAMES = 2
"""In a row, before a flight counts as ended: a ball passes before what looks like it."""

SURROUNDINGS = 0.06
"""How far around a spot, in picture widths, others are counted: among many, one lies on any path by chance."""

SURE = 7.0
"""A path counts where chance would lay one so well in less than 1 of 10 to this power: as many are tried in a shot."""

EXACT_PX = 1.0
"""Nearer than this to where its path leads, a spot cannot be measured."""

FARTHEST_STILL = 0.12
"""What travels less, in picture widths, is a limb as likely as a ball."""

BROADEST = 1.6
"""Breadth of a spot across its path, in lengths along it: motion draws a ball long, a leg that swings is broad."""

FEWEST_SPOTS = 4
"""Of a flight: three lie on a path by chance."""

SHARED_SPOTS = 2
"""That two paths may have in common: where a ball turns, it is on both; they are the surer one's."""

FIT_SPOTS = 4
"""Of a flight's end: its path there."""

TURN_S = 0.17
"""Longest time between the end of one flight and the beginning of the next at one contact."""

TURN_APART = 0.06
"""How far apart, in picture widths, the two paths may pass: the racket hides the ball."""

TURNED = 0.5
"""Change of velocity, as a share of the faster of the two, that a hit makes at least; gravity makes a tenth."""

QUICK, FASTEST_OF = 0.5, 3
"""Half as fast as the middle one of the three fastest flights: that is the ball; what is slower are limbs."""

SLOWEST_BALL = 0.4
"""Of what is hit, in picture widths a second: across the court in two seconds and a half."""

HIT_AGAIN_S = 0.15
"""Nearer contacts are one, seen as several: nobody strikes again so soon."""

EDGE = 0.04
"""What begins so near the picture's edge, in widths, came in."""

NEAR = 0.15
"""A launch begins so near, in picture widths, to something else that moves: somebody strikes."""


_Place = tuple[int, int]
"""Numbers of a moment and of a spot in it."""


@dataclass(frozen=True, slots=True)
class _Path:
    """Spots that may belong to one thing."""

    places: tuple[_Place, ...]
    sureness: float
    """How many powers of ten it lies beyond chance."""


@dataclass(frozen=True, slots=True, eq=False)
class Flight:
    """A smooth path of one thing."""

    times_s: Matrix
    places_px: Matrix
    """Camera motion undone, shape (spots, 2)."""
    first: Spot
    """As it lies in its own frame."""
    last: Spot

    @property
    def speed_px(self) -> float:
        """Return the mean speed, in pixels a second."""
        return math.hypot(*(self.places_px[-1] - self.places_px[0])) / float(self.times_s[-1] - self.times_s[0])

    def path(self, at: End) -> tuple[float, Matrix, Matrix]:
        """Return time, place and velocity (pixels a second) at one end, by a straight line through its last spots."""
        part = slice(None, FIT_SPOTS) if at == "start" else slice(-FIT_SPOTS, None)
        times_s, places = self.times_s[part], self.places_px[part]
        middle_s = float(times_s.mean())
        centred = times_s - middle_s
        velocity = centred @ (places - places.mean(axis=0)) / float(centred @ centred)
        end_s = float(times_s[0] if at == "start" else times_s[-1])
        return end_s, places.mean(axis=0) + velocity * (end_s - middle_s), velocity


@dataclass(frozen=True, slots=True)
class Contact:
    """An instant at which something small is hit, or bounces."""

    time_s: float
    x: float
    """0 left to 1 right."""
    y: float
    turn: Turn
    speed_px: float
    """Of the faster of the two flights that meet, in pixels a second."""


def flights(seen: Sequence[Moment], width_px: int) -> list[Flight]:
    """Return the smooth paths of what is small and fast, by their beginning; no spot belongs to two.

    A path counts where chance would not have laid its spots so well, given how many lie around.
    Source: A. Desolneux, L. Moisan and J.-M. Morel, "Meaningful alignments", IJCV 40(1), 2000.
    """
    grown: list[_Path] = []
    used: set[_Place] = set()
    for number in range(len(seen) - 2):
        for start in _beginnings(seen, number, width_px):
            if not used.issuperset(start):
                path = _grown(seen, start, width_px)
                used.update(path.places)
                grown.append(path)
    taken: set[_Place] = set()
    found = []
    for path in sorted(grown, key=lambda path: -path.sureness):
        own = [place for place in path.places if place not in taken]
        if path.sureness < SURE or len(own) < max(FEWEST_SPOTS, len(path.places) - SHARED_SPOTS):
            continue
        if flight := _flight(seen, own, width_px):
            found.append(flight)
            taken.update(own)
    return sorted(found, key=lambda flight: float(flight.times_s[0]))


def _beginnings(seen: Sequence[Moment], number: int, width_px: int) -> Iterator[list[_Place]]:
    """Yield spots of three frames in a row that lie on one path, the most even first."""
    first, second, third = seen[number : number + 3]
    if not (first.spots and second.spots and third.spots):
        return
    step_s, next_s = second.time_s - first.time_s, third.time_s - second.time_s
    steps = second.places_px[None] - first.places_px[:, None]
    lengths = np.hypot(steps[..., 0], steps[..., 1])
    fits = (lengths >= SLOWEST * width_px * step_s) & (lengths <= FASTEST * width_px * step_s)
    expected = second.places_px[None] + steps * (next_s / step_s)
    misses = np.hypot(*np.moveaxis(third.places_px[None, None] - expected[:, :, None], -1, 0))
    bound = UNEVEN_PX * width_px + UNEVEN * lengths
    chosen = np.argwhere(fits[..., None] & (misses <= bound[..., None]))
    for a, b, c in sorted(chosen.tolist(), key=lambda one: float(misses[tuple(one)])):
        yield [(number, a), (number + 1, b), (number + 2, c)]


def _grown(seen: Sequence[Moment], start: Sequence[_Place], width_px: int) -> _Path:
    """Return a path continued for as long as spots lie on it."""
    places, sureness = list(start[:2]), 0.0
    for number in range(places[-1][0] + 1, len(seen)):
        if number - places[-1][0] > MISSED_FRAMES + 1:
            break
        (moment, spot), (last_moment, last_spot) = places[-2:]
        before, last, now = seen[moment], seen[last_moment], seen[number]
        if not now.spots:
            continue
        step = last.places_px[last_spot] - before.places_px[spot]
        step = step * (now.time_s - last.time_s) / (last.time_s - before.time_s)
        misses = np.hypot(*(now.places_px - last.places_px[last_spot] - step).T)
        nearest = int(np.argmin(misses))
        if misses[nearest] <= UNEVEN_PX * width_px + UNEVEN * math.hypot(*step):
            places.append((number, nearest))
            reach_px = SURROUNDINGS * width_px
            around = np.count_nonzero(np.hypot(*(now.places_px - now.places_px[nearest]).T) <= reach_px)
            by_chance = around * (max(EXACT_PX, float(misses[nearest])) / reach_px) ** 2
            sureness -= min(0.0, math.log10(by_chance))
    return _Path(tuple(places), sureness)


def _flight(seen: Sequence[Moment], path: Sequence[_Place], width_px: int) -> Flight | None:
    """Return the path as a flight, None where it is too short, too slow or too broad for one."""
    times_s = np.array([seen[moment].time_s for moment, _ in path])
    places = np.array([seen[moment].places_px[spot] for moment, spot in path])
    spots = [seen[moment].spots[spot] for moment, spot in path]
    run = places[-1] - places[0]
    length_px = math.hypot(*run)
    if length_px < width_px * max(FARTHEST_STILL, SLOWEST * float(times_s[-1] - times_s[0])):
        return None
    along_x, along_y = np.abs(run) / length_px
    breadths = [
        (spot.breadth_px * along_y + spot.height_px * along_x) / (spot.breadth_px * along_x + spot.height_px * along_y)
        for spot in spots
    ]
    return Flight(times_s, places, spots[0], spots[-1]) if float(np.median(breadths)) <= BROADEST else None


def contacts(windows: Sequence[Sequence[Moment]], width_px: int, height_px: int) -> list[Contact]:
    """Return where something quick is turned, sent off or stopped, by time.

    Args:
        windows: The moments of stretches that were looked at, in order.
        width_px: Of the pictures that the spots were found in.
        height_px: The same.
    """
    flown = [flights(seen, width_px) for seen in windows]
    fastest = sorted((flight.speed_px for each in flown for flight in each), reverse=True)[:FASTEST_OF]
    if not fastest:
        return []
    quick_px = max(QUICK * fastest[len(fastest) // 2], SLOWEST_BALL * width_px)
    found: list[Contact] = []
    for seen, each in zip(windows, flown, strict=True):
        scene = _Scene(seen, each, width_px, height_px)
        for contact in sorted(scene.contacts(), key=lambda contact: -contact.speed_px):
            if contact.speed_px >= quick_px and all(abs(contact.time_s - one.time_s) > HIT_AGAIN_S for one in found):
                found.append(contact)
    return sorted(found, key=lambda contact: contact.time_s)


@dataclass(frozen=True, slots=True, eq=False)
class _Scene:
    """One stretch of one shot, with all that flies in it."""

    seen: Sequence[Moment]
    flown: Sequence[Flight]
    width_px: int
    height_px: int

    def contacts(self) -> Iterator[Contact]:
        """Yield where two flights are one thing turned, and where one begins or ends for no other reason."""
        turned: set[int] = set()
        for before, after in itertools.permutations(range(len(self.flown)), 2):
            coming, going = self.flown[before], self.flown[after]
            if abs(float(going.times_s[0] - coming.times_s[-1])) > TURN_S:
                continue
            if (met := self._meeting(coming, going)) is not None:
                turned.update((2 * before + 1, 2 * after))
                if met.turn != "none":
                    yield met
        for number, flight in enumerate(self.flown):
            if 2 * number not in turned and self._beside_somebody(flight, "start"):
                yield self._contact(flight, "start", "launch")
            if 2 * number + 1 not in turned and self._beside_somebody(flight, "end"):
                yield self._contact(flight, "end", "arrival")

    def _meeting(self, coming: Flight, going: Flight) -> Contact | None:
        """Return where one flight goes over into another; of turn "none" where it only goes on; None where it does not.

        That is the instant at which their two lines are nearest each other, between what was seen of them.
        """
        end_s, end, came = coming.path("end")
        start_s, start, goes = going.path("start")
        change = goes - came
        apart = (end - came * end_s) - (start - goes * start_s)
        meet_s = float(apart @ change) / max(1e-9, float(change @ change))
        first_s, last_s = sorted((end_s, start_s))
        meet_s = min(max(meet_s, first_s), last_s)
        if math.hypot(*(apart - change * meet_s)) > TURN_APART * self.width_px:
            return None
        turn: Turn = "hit"
        if math.hypot(*change) < TURNED * max(math.hypot(*came), math.hypot(*goes)):
            turn = "none"
        elif came[1] > 0 > goes[1] and came[0] * goes[0] > 0:
            turn = "bounce"
        speed_px = max(coming.speed_px, going.speed_px)
        return Contact(meet_s, going.first.x_px / self.width_px, going.first.y_px / self.height_px, turn, speed_px)

    def _beside_somebody(self, flight: Flight, at: End) -> bool:
        """Return whether an end of a flight lies inside the picture, beside something else that moves."""
        spot, at_s = (flight.first, flight.times_s[0]) if at == "start" else (flight.last, flight.times_s[-1])
        edge_px = EDGE * self.width_px
        across = edge_px < spot.x_px < self.width_px - edge_px
        down = edge_px < spot.y_px < self.height_px - edge_px
        if not (across and down and self.seen[0].time_s + TURN_S < at_s < self.seen[-1].time_s - TURN_S):
            return False
        _, end, _ = flight.path(at)
        first_s, last_s = (at_s - TURN_S, at_s) if at == "start" else (at_s, at_s + TURN_S)
        moments = [one for one in self.seen if first_s <= one.time_s <= last_s and len(one.places_px)]
        others = np.concatenate([one.places_px for one in moments]) - end if moments else np.zeros((0, 2))
        return bool(np.count_nonzero(np.hypot(*others.T) <= NEAR * self.width_px) > len(moments))

    def _contact(self, flight: Flight, at: End, turn: Turn) -> Contact:
        spot, place = (flight.first, 0) if at == "start" else (flight.last, -1)
        time_s = float(flight.times_s[place])
        return Contact(time_s, spot.x_px / self.width_px, spot.y_px / self.height_px, turn, flight.speed_px)
