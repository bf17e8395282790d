"""Ask a generator for the sounds of one event, until each holds what it should and nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
import numpy.typing as npt

from foley.contracts import FilmWindow, SoundRequest
from foley.dsp.resample import resample
from foley.errors import GenerationError
from foley.model import Audio, SoundEvent
from foley.render.studio import Studio
from foley.units import RATE_HZ, to_samples

Samples = npt.NDArray[np.float32]

Streams = Callable[[int, int], np.random.Generator]
"""Gives the random stream of a window, by its number and by how often it was made before."""

Leaks = Callable[[SoundEvent, Audio], str | None]
"""Says what a sound holds that it must not, as "there is music in it"; None where there is nothing."""


@dataclass(frozen=True, slots=True)
class Window:
    """One part of an event that is asked for at once."""

    event: SoundEvent
    """With the hits or the part of the curve that are in the window only."""
    start_s: float
    duration_s: float


@dataclass(eq=False)
class Asking:
    """How the sounds of one event are asked for, and what was said of them."""

    studio: Studio
    streams: Streams
    batch: int = 1
    """How many sounds are asked for at once."""
    leaks: Leaks | None = None
    """Listens to every sound; None where none can hold what nobody asked for."""
    retries: int = 0
    """How often a sound that leaks is made again."""
    film: FilmWindow | None = None
    """For generators that look at the picture."""
    _said: Counter[str] = field(default_factory=Counter)

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what a person should know of the sounds so far; what holds for several is said once."""
        return tuple(note if times == 1 else f"{note} ({times} times)" for note, times in self._said.items())

    def made(self, window: Callable[[int], Window], numbers: Iterable[int]) -> Iterator[Samples]:
        """Yield the sounds of windows at 48 kHz, all with as many channels as the first.

        Raises:
            GenerationError: where one cannot be made, or holds what it must not however often it is made.
        """
        numbers = iter(numbers)
        channels: int | None = None
        while group := list(islice(numbers, self.batch)):
            windows = [window(number) for number in group]
            for number, asked, first in zip(group, windows, self._sounds(windows, group), strict=True):
                sound = self._clean(asked, number, first)
                self._said.update(sound.notes)
                channels = channels or sound.channels
                if sound.channels != channels:
                    raise self._error(asked, f"gave {sound.channels} channels after {channels}")
                yield _exactly(resample(sound, RATE_HZ).samples, to_samples(asked.duration_s, RATE_HZ))

    def _sounds(self, windows: list[Window], numbers: list[int], again: int = 0) -> list[Audio]:
        def ask() -> list[SoundRequest]:
            return [
                SoundRequest(asked.event, asked.start_s, asked.duration_s, self.streams(number, again), self.film)
                for asked, number in zip(windows, numbers, strict=True)
            ]

        return self.studio.sounds(ask)

    def _clean(self, asked: Window, number: int, sound: Audio) -> Audio:
        """Return a window's sound, made again with another seed as long as it leaks."""
        if self.leaks is None:
            return sound
        for again in range(self.retries + 1):
            reason = self.leaks(asked.event, sound)
            if reason is None:
                return sound
            if again < self.retries:
                self._said[f"a sound was made again with another seed: {reason}"] += 1
                (sound,) = self._sounds([asked], [number], again + 1)
        raise self._error(asked, f"gave what must not be heard, with {self.retries + 1} seeds: {reason}")

    def _error(self, asked: Window, reason: str) -> GenerationError:
        return GenerationError(asked.event.id, self.studio.name, reason)


def _exactly(samples: Samples, length: int) -> Samples:
    """Return exactly `length` samples: a rate other than 48 kHz can be one off."""
    return np.pad(samples[:, :length], ((0, 0), (0, max(0, length - samples.shape[1]))))
