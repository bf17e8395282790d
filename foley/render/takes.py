"""Make the sound of every event: choose who makes it, have it made once, and write it to disk at a known level."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import get_args

import numpy as np
import numpy.typing as npt

from foley.contracts import Context, stage
from foley.dsp.fades import Samples, overlap_added
from foley.errors import GenerationError
from foley.media import sound
from foley.model import AudioFile, SoundEvent, SoundPlan, Take, Takes
from foley.render.routing import AUTO, Licence, Roster, Route
from foley.render.studio import SILENT_GAIN, Studio
from foley.render.windows import Extent, Windowing, anchored, extent_of, intensity_at, pieces
from foley.units import RATE_HZ, to_db, to_gain, to_samples, to_seconds

VERSION = 1
"""Raised when the same request gives other samples."""

PEAK_DB = -3.0
"""Every take peaks here: it leaves room for a trim, and of 24 bits none is wasted."""

FRAME_S = 0.1
"""Over which the level of a texture is taken: as for EBU R 128's shortest steps."""

USUAL = 95.0
"""Percentile of a texture's levels that is its nominal one: its loud moments, not one stray peak."""

FAINT = 0.25
"""Below this part of the strongest intensity, a level says more of the noise floor than of the texture."""

BLOCK = 10 * RATE_HZ
"""Samples handled at once; a whole number of frames."""

MOST_WORKERS = 4
"""Each holds a window and what its generator needs for it, about 100 MB: past four that is felt before it is of use."""


@dataclass(frozen=True, slots=True)
class TakesOptions:
    """Who makes the sound, and how it is divided."""

    generator: str = AUTO
    """What makes every event, whatever events say; "auto" leaves it to them, and to routing."""
    fallback: tuple[str, ...] = ()
    """Who steps in where a generator fails, in order; empty: everybody else that suits, best first."""
    licence: Licence = "any"
    """"commercial" uses no generator whose weights forbid it."""
    window_s: float = 20.0
    """The longest sound asked for at once; longer ones are made in overlapping windows."""
    overlap_s: float = 1.0
    """How much neighbouring windows of a span or bed have in common."""
    handle_s: float = 0.1
    """How much longer a bed is made at both ends, so that touching beds can be crossfaded."""
    batch: int = 8
    """How many sounds a generator that holds a model is asked for at once, by one event."""
    variations: int = 6
    """How many different hits an event has where its generator makes one at a time; they are used in turn."""
    workers: int = 0
    """Threads; 0 for one a core, at most four."""

    def __post_init__(self) -> None:
        if self.licence not in get_args(Licence):
            raise ValueError(f"licence must be one of {', '.join(get_args(Licence))}, got {self.licence!r}")
        if not self.window_s >= 1.0:
            raise ValueError(f"window_s must be 1 or more, got {self.window_s}")
        if not 0.0 <= self.overlap_s <= self.window_s / 4:
            raise ValueError(f"overlap_s must lie in 0 to window_s / 4, got {self.overlap_s}")
        if not 0.0 <= self.handle_s <= 1.0:
            raise ValueError(f"handle_s must lie in 0 to 1, got {self.handle_s}")
        if self.batch < 1 or self.variations < 1 or self.workers < 0:
            raise ValueError("batch and variations must be 1 or more, workers 0 or more")


@stage(version=VERSION)
def takes(plan: SoundPlan, opts: TakesOptions, ctx: Context) -> Takes:
    """Make a take for every event that is heard; each is made once, wherever its event stands and however loud it is.

    Raises:
        UnknownPluginError: where a generator's name is nobody's.
        LicenceError: where only the licence policy keeps an event from being made.
        GenerationError: where nobody could make an event.
    """
    heard = [event for event in plan.events if not event.muted]
    roster = Roster(opts.generator, opts.fallback, opts.licence)
    # all routes first: what cannot be made at all is said before hours of work
    routes = [roster.route(event) for event in heard]
    workers = opts.workers or min(os.cpu_count() or 1, MOST_WORKERS)
    with ThreadPoolExecutor(workers, thread_name_prefix="take") as pool:
        made = [pool.submit(_take, event, route, opts, ctx=ctx) for event, route in zip(heard, routes, strict=True)]
        try:
            for done, future in enumerate(as_completed(made), start=1):
                ctx.progress(done / len(made), future.result().event_id)
        finally:
            for future in made:
                future.cancel()
    return Takes(tuple(future.result() for future in made))


def _take(event: SoundEvent, route: Route, opts: TakesOptions, *, ctx: Context) -> Take:
    """Return the take of the first on the route that can make it."""
    failures: list[tuple[str, str]] = []
    for studio in route.studios:
        try:
            made = _take_by(studio, event, opts, ctx=ctx)
        except GenerationError as cause:
            failures.append((studio.name, cause.message.rsplit(f"{studio.name}: ", 1)[-1]))
            continue
        notes = [f"{name} {reason}: made by {studio.name}" for name, reason in failures]
        return replace(made, notes=(*route.notes, *notes, *made.notes))
    reasons = "; ".join(f"{name} {reason}" for name, reason in failures)
    raise GenerationError(event.id, ", ".join(name for name, _ in failures), reasons)


def _take_by(studio: Studio, event: SoundEvent, opts: TakesOptions, *, ctx: Context) -> Take:
    """Return one generator's take, from the cache where the same was made before."""
    handle_s = opts.handle_s if event.kind == "bed" else 0.0
    request = anchored(event, handle_s)
    making = _Making(request, studio, opts)
    made = ctx.once("take", making.key, making.run)
    lead_s = to_seconds(making.extent.lead, RATE_HZ) + handle_s
    return replace(
        made,
        event_id=event.id,
        key=ctx.digest("take", making.key),
        first_sample=to_samples(event.start_s - lead_s, RATE_HZ),
    )


class _Making:
    """The making of one take, which the cache may spare."""

    def __init__(self, event: SoundEvent, studio: Studio, opts: TakesOptions) -> None:
        longest_s = min(opts.window_s, studio.capabilities.max_duration_s)
        self.event = event
        self.studio = studio
        self.extent = extent_of(event, studio)
        self.windowing = Windowing(
            longest=to_samples(longest_s, RATE_HZ),
            overlap=to_samples(min(opts.overlap_s, longest_s / 4), RATE_HZ),
            batch=opts.batch if studio.heavy else 1,
            variations=opts.variations,
        )

    @property
    def key(self) -> tuple[object, ...]:
        """Return all that its samples follow from."""
        length, overlap = self.windowing.longest, self.windowing.overlap
        return VERSION, self.studio.identity, self.event, length, overlap, self.windowing.variations

    def run(self, ctx: Context) -> Take:
        """Make it: once as it comes, measuring, and once more at the level that the file is to have."""
        raw, meter = self._raw(ctx)
        peak = meter.peak
        if peak < SILENT_GAIN and self._sound_is_due():
            raise GenerationError(self.event.id, self.studio.name, "gave silence")
        gain_db = PEAK_DB - to_db(peak) if peak >= SILENT_GAIN else 0.0
        file = _scaled(raw, to_gain(gain_db), ctx)
        raw.path.unlink()
        return Take(
            event_id="",
            key="",
            audio=file,
            first_sample=0,
            nominal_db=meter.nominal_db() + gain_db,
            generator=self.studio.name,
            weights_licence=self.studio.capabilities.weights_licence,
            commercial=self.studio.capabilities.commercial,
        )

    def _raw(self, ctx: Context) -> tuple[AudioFile, _Meter]:
        if not self.extent.length or (self.event.kind == "hits" and not self.event.hits):
            raise GenerationError(self.event.id, self.studio.name, "cannot make what has no hits or lasts no time")

        def stream(window: int) -> np.random.Generator:
            return ctx.rng("take", self.studio.name, self.event.seed, window)

        found = pieces(self.event, self.studio, self.extent, windowing=self.windowing, streams=stream)
        first = next(found)
        channels = first[1].shape[0]
        meter = _Meter(self.event, self.extent)
        path = ctx.scratch / "raw.wav"
        with sound.WavWriter(path, rate_hz=RATE_HZ, channels=channels, subtype="FLOAT") as writer:
            for block in overlap_added(chain([first], found), self.extent.length, channels=channels, block=BLOCK):
                meter.add(block)
                writer.append(block)
        return writer.file, meter

    def _sound_is_due(self) -> bool:
        curve = self.event.curve
        return not self.studio.may_be_silent and (not curve or max(point.level for point in curve) > 0.0)


def _scaled(raw: AudioFile, gain: float, ctx: Context) -> AudioFile:
    """Return the sound at its final level, as 24 bits."""
    with sound.WavWriter(ctx.scratch / "take.wav", rate_hz=raw.rate_hz, channels=raw.channels) as writer:
        for block in _read(raw):
            writer.append(block * np.float32(gain))
    return writer.file


def _read(file: AudioFile) -> Iterator[Samples]:
    for first in range(0, file.length, BLOCK):
        yield sound.read(file, first, min(first + BLOCK, file.length))


@dataclass
class _Meter:
    """Measures a take while it goes by."""

    event: SoundEvent
    extent: Extent
    peak: float = 0.0
    _powers: list[npt.NDArray[np.float64]] = field(default_factory=list)

    def add(self, block: Samples) -> None:
        """Take in the next block: `BLOCK` samples long, except the last."""
        self.peak = max(self.peak, float(np.max(np.abs(block), initial=0.0)))
        frame = to_samples(FRAME_S, RATE_HZ)
        if not self._powers:  # a sound shorter than a frame has a level too
            frame = min(frame, block.shape[1])
        whole = block[:, : block.shape[1] // frame * frame].reshape(block.shape[0], -1, frame)
        self._powers.append(np.mean(np.square(whole, dtype=np.float64), axis=(0, 2)))

    def nominal_db(self) -> float:
        """Return the peak of a hit of strength 1; of a texture the usual RMS level at intensity 1."""
        if self.event.kind == "hits":
            strongest = max((hit.strength for hit in self.event.hits), default=1.0)
            return to_db(self.peak / max(strongest, SILENT_GAIN))
        levels = np.sqrt(np.concatenate(self._powers))
        middles_s = (np.arange(levels.size, dtype=np.float64) + 0.5) * FRAME_S - to_seconds(self.extent.lead, RATE_HZ)
        intensity = intensity_at(self.event, middles_s)
        counts = intensity >= FAINT * max(float(intensity.max(initial=0.0)), SILENT_GAIN)
        return to_db(float(np.percentile(levels[counts] / intensity[counts], USUAL))) if counts.any() else 0.0
