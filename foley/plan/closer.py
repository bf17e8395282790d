"""Look again, larger, at what the first look is too coarse for: balls and what hits them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from foley.errors import DamagedVideoError
from foley.media.reader import read_window, shown_size
from foley.model import Clip, Cue, Impact, Picture, ProposedSound, Span
from foley.plan.flights import Contact, Turn, contacts
from foley.plan.spots import Moment, moments
from foley.plan.windows import windows

BALL_GAMES = frozenset({"SPRTCourt", "SPRTField", "SPRTIndor"})
"""CatIDs of sounds that a ball makes, on its own or with what hits it."""

WIDTH_PX = 640
"""Of the pictures: a tennis ball across a court is still ten pixels wide, and a frame costs 10 ms and its decoding."""

TILE_S = 2.0
"""What is looked at is chosen in such parts: a ball's way there and back."""

TILES_A_SHOT, TILES_A_CLIP = 5, 40
"""Looked at, at most: the liveliest; a shot of usual length in full, and never more than a minute and a half in all."""

CUES: Mapping[Turn, Cue] = {"hit": "burst", "launch": "burst", "arrival": "burst", "bounce": "strike"}
"""A ball that is hit starts at once, one that bounces hits the ground."""

SOFTEST = 0.3
"""Strength of a contact of the slowest ball: the fastest has 1."""


@dataclass(frozen=True, slots=True)
class Closer:
    """What a second look shows."""

    spans: tuple[Span, ...] = ()
    """When it looked."""
    impacts: tuple[Impact, ...] = ()
    """By time: contacts of small, fast things."""

    def of(self, sound: ProposedSound, impacts: Sequence[Impact]) -> list[Impact]:
        """Return the impacts that a sound may choose from: a ball's own, where the second look found such."""
        own = [impact for impact in self.impacts if impact.cue == sound.cue]
        if not (own and needs_closer(sound)):
            return list(impacts)
        elsewhere = [impact for impact in impacts if not self._looked_at(impact.time_s)]
        return sorted([*own, *elsewhere], key=lambda impact: impact.time_s)

    def _looked_at(self, time_s: float) -> bool:
        return any(span.start_s <= time_s < span.end_s for span in self.spans)


def needs_closer(sound: ProposedSound) -> bool:
    """Return whether a sound comes from something too small and fast for the first look."""
    return sound.kind == "hits" and sound.cue in ("burst", "strike") and sound.ucs in BALL_GAMES


def closer(clip: Clip, sounds: Sequence[ProposedSound], picture: Picture) -> Closer:
    """Return what a second look at the clip shows, where a sound needs one; nothing where none does.

    A file that cannot be opened any more is not looked at: what was seen of it before must do.
    """
    spans = _chosen([sound for sound in sounds if needs_closer(sound)], picture)
    if not spans:
        return Closer()
    # a portrait is seen no larger than a landscape
    wide, high = clip.video.width_px, clip.video.height_px
    width_px, height_px = shown_size(clip, min(WIDTH_PX, WIDTH_PX * wide // high))
    try:
        seen = [_moments(clip, span, width_px) for span in spans]
    except DamagedVideoError:
        return Closer()
    found = contacts([each for each in seen if each], width_px, height_px)
    fastest_px = max((one.speed_px for one in found), default=1.0)
    return Closer(spans, tuple(_impact(one, one.speed_px / fastest_px) for one in found))


def _moments(clip: Clip, span: Span, width_px: int) -> list[Moment]:
    frames = read_window(clip, span, width_px=width_px)
    return list(moments((frame.time_s, frame.image) for frame in frames))


def _impact(contact: Contact, speed: float) -> Impact:
    strength = SOFTEST + (1 - SOFTEST) * speed
    return Impact(contact.time_s, strength, contact.x, contact.y, CUES[contact.turn])


def _chosen(sounds: Sequence[ProposedSound], picture: Picture) -> tuple[Span, ...]:
    """Return what to look at, in order: the liveliest parts of each shot, those that touch joined."""
    spans = {span for sound in sounds for span in windows(sound, picture) if span.end_s > span.start_s}
    chosen: list[Span] = []
    for span in sorted(spans, key=lambda span: span.start_s):
        chosen += sorted(_tiles(span), key=lambda tile: -_liveliness(tile, picture))[:TILES_A_SHOT]
    chosen = sorted(chosen, key=lambda tile: -_liveliness(tile, picture))[:TILES_A_CLIP]
    joined: list[Span] = []
    cuts_s = {shot.start_s for shot in picture.shots}
    for tile in sorted(chosen, key=lambda tile: tile.start_s):
        if joined and tile.start_s <= joined[-1].end_s and tile.start_s not in cuts_s:
            joined[-1] = Span(joined[-1].start_s, max(joined[-1].end_s, tile.end_s))
        else:
            joined.append(tile)
    return tuple(joined)


def _tiles(span: Span) -> Iterator[Span]:
    edges_s = np.linspace(span.start_s, span.end_s, 1 + max(1, round((span.end_s - span.start_s) / TILE_S)))
    for start_s, end_s in itertools.pairwise(edges_s.tolist()):
        yield Span(start_s, end_s)


def _liveliness(tile: Span, picture: Picture) -> float:
    first, last = np.searchsorted(picture.times_s, [tile.start_s, tile.end_s])
    return float(np.sum(picture.motion.level[first:last]))
