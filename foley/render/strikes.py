"""Hits by a generator that puts none where it belongs: the best single hits of a few takes, put on their instants.

It is asked for takes of a few seconds. Every hit that is cut out of one keeps its body and its tail; its level is set
by the strength that is planned.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from foley.dsp.fades import Piece, edge_faded
from foley.errors import GenerationError
from foley.model import Audio, SoundEvent
from foley.render.asking import Asking, Window
from foley.render.segments import SingleHit, best_hits
from foley.render.studio import SILENT_GAIN
from foley.units import RATE_HZ, to_samples, to_seconds

Samples = npt.NDArray[np.float32]

TAKE_S = 4.0
"""Length of a take: room for a start that is 0.3 s late and a ring of 3 s, or for several steps; what is asked for
longer costs more and tends to drift into another sound."""

LEAD_S = 0.1
"""Room before the first hit's instant: the attack of a step in snow begins so much before it is heard."""

RING_S = 3.0
"""How long a hit may ring at most: bells and halls; what is over sooner is cut where it is over."""

USABLE = 0.4
"""Score of a hit from which on it can stand alone: whole, out of the noise, not cut off by the next."""

CUT_S = 0.002
"""Fade where a lead-in is cut: ends before the attack."""


def placed(event: SoundEvent, asking: Asking, *, lead: int, longest: int, variations: int) -> Iterator[Piece]:
    """Yield an anchored event's hits by their places in its take, each onset on its instant, each as loud as planned.

    Args:
        event: With its hits.
        asking: Who makes it.
        lead: Samples of the take before the event's start.
        longest: Samples that may be asked for at once.
        variations: How many takes are made, and how many different hits are used in turn, at most.

    Raises:
        GenerationError: where nothing begins in any of the takes.
    """
    count = min(len(event.hits), variations)
    duration_s = min(TAKE_S, to_seconds(longest, RATE_HZ))

    def window(number: int) -> Window:
        # spread over the event: who looks at the film sees what it is for
        start_s = event.hits[number * len(event.hits) // count].time_s - to_seconds(lead, RATE_HZ)
        return _window(event, start_s, duration_s)

    takes = list(asking.made(window, range(count)))
    ring_s = min(RING_S, duration_s)
    hits = pool([best_hits(Audio(one, RATE_HZ), count=count, tail_s=ring_s) for one in takes], count)
    if not hits:
        raise GenerationError(event.id, asking.studio.name, "gave a sound without an onset where a hit was due")
    kept = min(max(hit.onset for hit in hits), lead)
    cut = [_with_lead(hit, kept) for hit in hits]
    for number, hit in enumerate(event.hits):
        yield lead + to_samples(hit.time_s, RATE_HZ) - kept, cut[number % len(cut)] * np.float32(hit.strength)


def pool(found: Sequence[Sequence[SingleHit]], wanted: int) -> list[SingleHit]:
    """Return the hits that are used in turn: of one take as far as it goes, as all of them then are of one thing.

    Args:
        found: The hits of each take, the best first.
        wanted: How many different ones are of use.

    Returns:
        At most `wanted`; two at least where there are two, so that no hit follows itself.
    """
    richest = sorted(found, key=lambda hits: -sum(hit.score for hit in hits if hit.score >= USABLE))
    usable = [hit for hits in richest for hit in hits if hit.score >= USABLE]
    if len(usable) < min(wanted, 2):
        return sorted((hit for hits in found for hit in hits), key=lambda hit: -hit.score)[: min(wanted, 2)]
    return usable[:wanted]


def _window(event: SoundEvent, start_s: float, duration_s: float) -> Window:
    inside = tuple(hit for hit in event.hits if start_s <= hit.time_s < start_s + duration_s)
    within = replace(event, hits=inside, start_s=inside[0].time_s, end_s=inside[-1].time_s)
    return Window(within, start_s, duration_s)


def _with_lead(hit: SingleHit, kept: int) -> Samples:
    """Return a hit with exactly `kept` samples before its onset and its peak at 1."""
    samples = hit.samples / max(float(np.max(np.abs(hit.samples))), SILENT_GAIN)
    if hit.onset > kept:
        return edge_faded(samples[:, hit.onset - kept :], fade_in=to_samples(CUT_S, RATE_HZ), fade_out=0)
    return np.pad(samples, ((0, 0), (kept - hit.onset, 0)))
