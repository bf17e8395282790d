"""The making of one take: its sound asked for, chosen among candidates, measured, and written at a known level."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from foley.contracts import Context, FilmWindow
from foley.dsp.fades import Samples, overlap_added
from foley.errors import CompilationError, GenerationError
from foley.media import sound
from foley.model import Audio, AudioFile, Clip, SoundEvent, Take
from foley.render.asking import Asking, Leaks
from foley.render.curves import intensity_at
from foley.render.sight import Pictures, seen
from foley.render.studio import SILENT_GAIN, Studio
from foley.render.windows import Extent, Windowing, anchored, extent_of, pieces
from foley.units import RATE_HZ, to_db, to_gain, to_samples, to_seconds

if TYPE_CHECKING:
    from foley.render.selection import Chooser  # brings what only models' takes need

VERSION = 1
"""Raised when the same request gives other samples."""

SHAPING = 1
"""Raised when what is done with sound that does not come exact, or that is chosen and listened to, changes."""

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

COMPARED_S = 30.0
"""Of candidates so much is compared: a take may last for hours."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How takes are made, whatever the event."""

    clip: Clip
    window_s: float
    overlap_s: float
    handle_s: float
    variations: int
    candidates: int
    retries: int
    judge: Callable[[], Chooser]
    """Listens to what models make; asked for only where one does, as it may bring models along."""
    sees: Callable[[], bool]
    """Whether it compares candidates with the picture, too."""


@dataclass
class _Meter:
    """Measures a take while it goes by."""

    event: SoundEvent
    extent: Extent
    trims: bool
    """What is silent at the end is left off: room for a ring that may be shorter."""
    peak: float = 0.0
    _length: int = 0
    _last: int = 0
    _powers: list[npt.NDArray[np.float64]] = field(default_factory=list)

    def add(self, block: Samples) -> None:
        """Take in the next block: `BLOCK` samples long, except the last."""
        self.peak = max(self.peak, float(np.max(np.abs(block), initial=0.0)))
        if self.trims and (heard := np.flatnonzero(block.any(axis=0))).size:
            self._last = self._length + int(heard[-1]) + 1
        self._length += block.shape[1]
        frame = to_samples(FRAME_S, RATE_HZ)
        if not self._powers:  # a sound shorter than a frame has a level too
            frame = min(frame, block.shape[1])
        whole = block[:, : block.shape[1] // frame * frame].reshape(block.shape[0], -1, frame)
        self._powers.append(np.mean(np.square(whole, dtype=np.float64), axis=(0, 2)))

    @property
    def sounding(self) -> int:
        """Return how many samples the take is to have."""
        least = self.extent.length - self.extent.tail
        return max(self._last, least) if self.trims else self._length

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


@dataclass(frozen=True, slots=True)
class _Raw:
    """A take as it came, before its level is set."""

    file: AudioFile
    meter: _Meter
    notes: tuple[str, ...]


class Making:
    """One take, before it is made: the cache may spare that."""

    def __init__(self, event: SoundEvent, studio: Studio, terms: Terms) -> None:
        """Decide all that the take follows from; nothing is made yet.

        Args:
            event: As planned.
            studio: Who makes it.
            terms: How.
        """
        self.handle_s = terms.handle_s if event.kind == "bed" else 0.0
        longest_s = min(terms.window_s, studio.capabilities.max_duration_s)
        self.event = anchored(event, self.handle_s)
        self.studio = studio
        self.terms = terms
        self.identity = studio.identity_for(self.event)
        self.extent = extent_of(self.event, studio)
        self.windowing = Windowing(
            longest=to_samples(longest_s, RATE_HZ),
            overlap=to_samples(min(terms.overlap_s, longest_s / 4), RATE_HZ),
            variations=terms.variations,
        )
        self.film = _film(terms.clip, event.start_s - self.handle_s) if studio.capabilities.video else None
        self.judge = terms.judge() if studio.learned else None
        self.candidates = terms.candidates if studio.learned else 1
        self.seen_s: float | None = None
        """Where on the clip what candidates are compared with begins; None where they are not."""
        if self.candidates > 1 and terms.sees():
            self.seen_s = _on_grid(event.start_s - self.handle_s - to_seconds(self.extent.lead, RATE_HZ))

    @property
    def key(self) -> tuple[object, ...]:
        """Return all that its samples follow from."""
        length, overlap = self.windowing.longest, self.windowing.overlap
        plain = (VERSION, self.identity, self.event, length, overlap, self.windowing.variations)
        shown_s = self.film.start_s if self.film else self.seen_s
        film = (self.terms.clip.key, shown_s) if shown_s is not None else ()
        judged = (self.judge.identity(), self.candidates, self.terms.retries) if self.judge else ()
        return plain if self.studio.exact and not film and not judged else (*plain, SHAPING, *film, *judged)

    def placed(self, made: Take, event: SoundEvent, key: str) -> Take:
        """Return the take where an event stands that it was made for."""
        lead_s = to_seconds(self.extent.lead, RATE_HZ) + self.handle_s
        first_sample = to_samples(event.start_s - lead_s, RATE_HZ)
        return replace(
            made,
            event_id=event.id,
            key=key,
            first_sample=first_sample,
            made_by=self.identity,
            exact=self.studio.capabilities.hit_exact,
            lead_s=to_seconds(self.extent.lead, RATE_HZ),
            ring_s=to_seconds(self.extent.tail, RATE_HZ),
        )

    def run(self, ctx: Context, *, batch: int) -> Take:
        """Make it: once as it comes, measuring, and once more at the level that the file is to have.

        Args:
            ctx: Where its files go.
            batch: How many sounds are asked for at once; it does not change them.

        Raises:
            GenerationError: where it cannot be made, or is not what was asked for.
        """
        if not self.extent.length or (self.event.kind == "hits" and not self.event.hits):
            raise self._error("cannot make what has no hits or lasts no time")
        raw = self._best(self._raws(ctx, batch=batch))
        peak = raw.meter.peak
        if peak < SILENT_GAIN and self._sound_is_due():
            raise self._error("gave silence")
        gain_db = PEAK_DB - to_db(peak) if peak >= SILENT_GAIN else 0.0
        file = _scaled(raw, to_gain(gain_db), ctx)
        for one in ctx.scratch.glob("raw*.wav"):
            one.unlink()
        weights_licence, commercial = self.studio.terms_for(self.event)
        return Take(
            event_id="",
            key="",
            audio=file,
            first_sample=0,
            nominal_db=raw.meter.nominal_db() + gain_db,
            generator=self.studio.name,
            weights_licence=weights_licence,
            commercial=commercial,
            notes=raw.notes,
        )

    def _raws(self, ctx: Context, *, batch: int) -> list[_Raw]:
        """Return all candidates; those of a model are made side by side, so that they come in the same batches."""
        if self.candidates == 1:
            return [self._raw(ctx, 0, batch=batch)]
        share = max(1, batch // self.candidates)

        def make(number: int) -> _Raw | GenerationError:
            try:
                return self._raw(ctx, number, batch=share)
            except GenerationError as cause:
                return cause
            finally:
                self.studio.leave()

        self.studio.enter(self.candidates)
        self.studio.leave()  # this thread asks no more itself
        try:
            with ThreadPoolExecutor(self.candidates, thread_name_prefix="candidate") as pool:
                tried = list(pool.map(make, range(self.candidates)))
        finally:
            self.studio.enter()
        made = [one for one in tried if isinstance(one, _Raw)]
        failures = [one for one in tried if isinstance(one, GenerationError)]
        # where some could not be compiled, the best of the others is not what all would have given
        if refused := [one for one in failures if not made or isinstance(one, CompilationError)]:
            raise refused[0]
        return made

    def _best(self, raws: Sequence[_Raw]) -> _Raw:
        """Return the candidate that fits best."""
        sounding = [raw for raw in raws if raw.meter.peak >= SILENT_GAIN] or list(raws)
        if self.judge is None or len(sounding) == 1:
            return sounding[0]
        longest = to_samples(COMPARED_S, RATE_HZ)
        heard = [Audio(sound.read(raw.file, 0, min(longest, raw.meter.sounding)), RATE_HZ) for raw in sounding]
        choice = self.judge.choose(self.event, heard, self._seen(max(one.duration_s for one in heard)))
        best = sounding[choice.index]
        return _Raw(best.file, best.meter, (*best.notes, *choice.notes))

    def _seen(self, duration_s: float) -> Pictures | None:
        """Return the pictures that candidates are compared with."""
        return None if self.seen_s is None else seen(self.terms.clip, self.seen_s, self.seen_s + duration_s)

    def _raw(self, ctx: Context, candidate: int, *, batch: int) -> _Raw:
        """Return one candidate as it comes, measured."""

        def stream(window: int, again: int) -> np.random.Generator:
            other = (candidate, again) if candidate or again else ()
            return ctx.rng("take", self.studio.name, self.event.seed, window, *other)

        leaks: Leaks | None = self.judge.leaks if self.judge else None
        asking = Asking(self.studio, stream, batch, leaks, self.terms.retries, self.film)
        found = pieces(self.event, asking, self.extent, windowing=self.windowing)
        first = next(found)
        channels = first[1].shape[0]
        meter = _Meter(self.event, self.extent, trims=self.event.kind == "hits" and not self.studio.exact)
        path = ctx.scratch / f"raw{candidate}.wav"
        with sound.WavWriter(path, rate_hz=RATE_HZ, channels=channels, subtype="FLOAT") as writer:
            for block in overlap_added(chain([first], found), self.extent.length, channels=channels, block=BLOCK):
                meter.add(block)
                writer.append(block)
        return _Raw(writer.file, meter, asking.notes)

    def _sound_is_due(self) -> bool:
        curve = self.event.curve
        return not self.studio.may_be_silent and (not curve or max(point.level for point in curve) > 0.0)

    def _error(self, reason: str) -> GenerationError:
        return GenerationError(self.event.id, self.studio.name, reason)


def _film(clip: Clip, start_s: float) -> FilmWindow:
    """Return the part of the film that an event's own time begins with."""
    return FilmWindow(clip.path, _on_grid(start_s))


def _on_grid(time_s: float) -> float:
    return to_seconds(to_samples(time_s, RATE_HZ), RATE_HZ)


def _scaled(raw: _Raw, gain: float, ctx: Context) -> AudioFile:
    """Return the sound at its final level, as 24 bits; what room was left for a ring that was shorter is cut off."""
    length = raw.meter.sounding
    with sound.WavWriter(ctx.scratch / "take.wav", rate_hz=raw.file.rate_hz, channels=raw.file.channels) as writer:
        for first in range(0, length, BLOCK):
            writer.append(sound.read(raw.file, first, min(first + BLOCK, length)) * np.float32(gain))
    return writer.file
