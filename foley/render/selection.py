"""The best of several takes of one event: which fits the words, the picture and the planned times.

Four marks from 0 to 1 are added up by `WEIGHTS`, those that could be given:

- `words`: the cosine between the prompt and the sound by CLAP, where its weights are here;
- `picture`: how well the sound fits what is seen by PE-AV, where frames are given and its weights are here;
- `times`: of hits, how well the sound's onsets fit the planned ones, whatever lag they share, which is taken out later;
  of what goes on, which part of its time it sounds;
- `sound`: whether it is loud enough, is not clipped, and does not stop dead.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from foley.dsp.resample import resample
from foley.errors import FoleyError
from foley.model import Audio, SoundEvent
from foley.neural.clap import Clap
from foley.neural.pe_av import PeAv
from foley.render import leaks
from foley.render.prompting import prompt_of
from foley.render.segments import blows, is_clipped
from foley.units import RATE_HZ, to_gain

VERSION = "1"
"""Raise it when the same takes give another choice."""

WEIGHTS = {"words": 0.4, "picture": 0.3, "times": 0.4, "sound": 0.2}
"""What a mark counts; set by judgement, as nobody has rated takes for it. Words and times alike: a second blow too many
costs a third of its mark, as 0.2 of cosine do. The picture less: PE-AV sees all else that moves there, too. The sound
least: a take with a fault is still better than one of the wrong thing."""

BEST_COSINE = 0.6
"""Where the mark for words is full; nothing about the order of takes below it depends on it."""

NEAR_S = 0.06
"""Onsets this far from where they are planned fit no more: EBU R 37 and ITU-R BT.1359 let sound lag less."""

FRAME_S = 0.05
"""Step in which is looked whether it sounds."""

SOUNDING_DB = -40.0
"""Below its usual level a sound is silent there."""

QUIET_GAIN = to_gain(-40.0)
"""A take that peaks below it will have the noise of its model raised with it."""

DEAD_END_DB = -20.0
"""A hit whose last 50 ms are above this, beside its loudest, was cut off while it sounded."""

FAULTS = {"quiet": 0.5, "clipped": 0.3, "cut off": 0.6}
"""What each fault leaves of the mark for the sound."""

LAGS_TRIED = 32
"""Of the lags that all hits could share so many are tried, the most frequent first: a long series has hundreds."""

Times = npt.NDArray[np.float64]

Frames = npt.NDArray[np.uint8]
"""Shape (frames, height, width, 3)."""


class TextScorer(Protocol):
    """CLAP, or what stands in for it."""

    def identity(self) -> str:
        """Return name, version and the weights' revision."""
        ...

    def scores(self, texts: Sequence[str], audios: Sequence[Audio]) -> npt.NDArray[np.float32]:
        """Return the cosine of each text and sound at 48 kHz, shape (texts, audios)."""
        ...


class PictureScorer(Protocol):
    """PE-AV, or what stands in for it."""

    def identity(self) -> str:
        """Return name, version and the weights' revision."""
        ...

    def scores(self, frames: Frames, audios: Sequence[Audio]) -> npt.NDArray[np.float32]:
        """Return the logit of each sound at 48 kHz, shape (audios,)."""
        ...


@dataclass(frozen=True, slots=True)
class Choice:
    """Which sound is best, and why."""

    index: int
    scores: tuple[float, ...]
    """Of each sound, 0 to 1; empty where there was nothing to choose."""
    notes: tuple[str, ...]
    """What a person should know of it."""


class Chooser:
    """Listens to the takes of models: which is best, which hold what they must not. Loads nothing until it is asked."""

    def __init__(
        self,
        device: str = "auto",
        *,
        max_vram_mb: int = 0,
        words: TextScorer | None = None,
        picture: PictureScorer | None = None,
    ) -> None:
        """Take in who is asked.

        Args:
            device: Where its models compute: auto, cpu, cuda or mps.
            max_vram_mb: The most memory of the device that they may use; 0 for what is free.
            words: Asked how sounds fit the prompt; None for CLAP, where its weights are here.
            picture: Asked how sounds fit frames; None for PE-AV, where its weights are here.
        """
        clap, pe_av = Clap(device=device, max_vram_mb=max_vram_mb), PeAv(device=device, max_vram_mb=max_vram_mb)
        self._no_words = () if words else clap.missing()
        self._words = words or (None if self._no_words else clap)
        self._picture = picture or (None if pe_av.missing() else pe_av)

    def identity(self) -> str:
        """Return version and who is asked: part of the cache key of what is judged."""
        asked = [one.identity() for one in (self._words, self._picture) if one]
        return " ".join([f"chooser/{VERSION}", leaks.identity(), *asked])

    def lacks(self) -> tuple[str, ...]:
        """Return what cannot be judged, and what would let it be; empty where all can."""
        unheard = [f"speech in takes is not heard: {one}" for one in leaks.deaf_to()]
        unread = [f"how takes fit their words is not judged: {one}" for one in self._no_words]
        return (*unheard, *unread)

    def leaks(self, event: SoundEvent, audio: Audio) -> str | None:
        """Return what a take holds that it must not, as "holds speech"; None where it may be used."""
        return leaks.leaks(event, audio, scorer=self._words)

    def choose(self, event: SoundEvent, sounds: Sequence[Audio], frames: Frames | None = None) -> Choice:
        """Return which of some sounds fits an event best; of equal ones the first.

        Args:
            event: With its hits, if it has any.
            sounds: One at least; none of them empty.
            frames: What is seen meanwhile, for PE-AV.

        Raises:
            ValueError: where there is no sound.
        """
        if not sounds:
            raise ValueError(f"event {event.id}: there is no sound to choose from")
        if len(sounds) == 1:
            return Choice(0, (), ())
        marks = [{"times": times_mark(event, sound), "sound": sound_mark(event, sound)} for sound in sounds]
        notes = [f"how takes fit their words is not judged: {one}" for one in self._no_words]
        heard = [resample(sound, RATE_HZ) for sound in sounds]
        for name, give in self._asked(event, heard, frames).items():
            try:
                given = give()
            except FoleyError as error:  # an order by the other marks is better than none
                notes.append(f"{name} not judged: {error.message}")
                continue
            for mark, value in zip(marks, given, strict=True):
                mark[name] = value
        # a millionth is more than a model's own rounding, which differs with the batch
        scores = tuple(round(_weighted(mark), 6) for mark in marks)
        index = scores.index(max(scores))
        return Choice(index, scores, (_told(index, scores, marks[index]), *notes))

    def _asked(
        self, event: SoundEvent, heard: Sequence[Audio], frames: Frames | None
    ) -> dict[str, Callable[[], list[float]]]:
        """Return how to get the marks that models give, by name."""
        found: dict[str, Callable[[], list[float]]] = {}
        if words := self._words:
            found["words"] = lambda: [
                _part(float(cosine) / BEST_COSINE) for cosine in words.scores([prompt_of(event)], heard)[0]
            ]
        if (picture := self._picture) and frames is not None:
            found["picture"] = lambda: [_likely(float(logit)) for logit in picture.scores(frames, heard)]
        return found


def times_mark(event: SoundEvent, sound: Audio) -> float:
    """Return how well a sound fits in time, 0 to 1: the onsets of hits; of the rest, how much of its time it sounds."""
    if event.kind != "hits" or not event.hits:
        return _sounding(sound)
    found = np.array([blow[0].time_s for blow in blows(sound)])
    planned = np.array([hit.time_s for hit in event.hits])
    if not found.size:
        return 0.0
    fits = max(_matched(found - lag_s, planned) for lag_s in _common_lags_s(found, planned))
    return 2.0 * fits / (found.size + planned.size)


def sound_mark(event: SoundEvent, sound: Audio) -> float:
    """Return how sound a take is, 0 (silent) to 1: loud enough, not clipped, not cut off."""
    peak = float(np.max(np.abs(sound.samples), initial=0.0))
    if peak <= to_gain(-80.0):
        return 0.0
    mark = FAULTS["quiet"] if peak < QUIET_GAIN else 1.0
    if is_clipped(sound.samples):
        mark *= FAULTS["clipped"]
    levels = _levels(sound)
    if event.kind == "hits" and levels.size and levels[-1] > levels.max() * to_gain(DEAD_END_DB):
        mark *= FAULTS["cut off"]
    return mark


def _common_lags_s(found: Times, planned: Times) -> list[float]:
    """Return the lags that most onsets could share: each onset beside each planned time gives one, and they pile up."""
    lags_s = (found[:, None] - planned[None, :]).ravel()
    piles, heights = np.unique(np.round(lags_s / NEAR_S), return_counts=True)
    highest = piles[np.argsort(-heights, kind="stable")[:LAGS_TRIED]]
    return [float(np.median(lags_s[np.abs(lags_s - pile * NEAR_S) <= NEAR_S])) for pile in highest]


def _matched(found: Times, planned: Times) -> float:
    """Return how many planned times have an onset of their own near, one a little off counting as a part of one."""
    total, first = 0.0, 0
    for time_s in planned.tolist():
        near = np.flatnonzero(np.abs(found[first:] - time_s) < NEAR_S)
        if near.size:
            best = first + int(near[np.argmin(np.abs(found[first + near] - time_s))])
            total += 1.0 - abs(float(found[best]) - time_s) / NEAR_S
            first = best + 1
    return total


def _levels(sound: Audio) -> npt.NDArray[np.float64]:
    """Return the RMS level of every frame, the last one ending with the sound, shape (frames,)."""
    frame = max(1, round(FRAME_S * sound.rate_hz))
    whole = sound.samples[:, sound.length % frame :].reshape(sound.channels, -1, frame)
    return np.asarray(np.sqrt(np.mean(np.square(whole, dtype=np.float64), axis=(0, 2))))


def _sounding(sound: Audio) -> float:
    levels = _levels(sound)
    usual = float(np.percentile(levels, 95.0)) if levels.size else 0.0
    return float(np.mean(levels > usual * to_gain(SOUNDING_DB))) if usual > 0.0 else 0.0


def _part(value: float) -> float:
    return min(max(value, 0.0), 1.0)


def _likely(logit: float) -> float:
    return float(0.5 * np.tanh(0.5 * logit) + 0.5)


def _weighted(marks: Mapping[str, float]) -> float:
    return sum(WEIGHTS[name] * mark for name, mark in marks.items()) / sum(WEIGHTS[name] for name in marks)


def _told(index: int, scores: Sequence[float], marks: Mapping[str, float]) -> str:
    others = ", ".join(f"{score:.2f}" for number, score in enumerate(scores) if number != index)
    by = ", ".join(f"{name} {mark:.2f}" for name, mark in sorted(marks.items()))
    return f"take {index + 1} of {len(scores)} was chosen with {scores[index]:.2f} ({by}); the others have {others}"
