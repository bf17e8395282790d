"""What the clip's own sound holds: how loud it is, its level over time, its attacks, and where somebody speaks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, Protocol, get_args

import numpy as np
import numpy.typing as npt

from foley.analysis.attacks import AttackFinder
from foley.analysis.speech import SpeechFinder
from foley.analysis.speech_model import SpokenByModel
from foley.contracts import Context, stage
from foley.dsp.loudness import STEP_S, KWeighting, gated_lufs
from foley.errors import MissingProgramError
from foley.media.sound import Block, read_track
from foley.model import Clip, Listening, Span
from foley.neural import speech_model
from foley.units import RATE_HZ, SILENCE_DB, to_gain

_CHANNELS = 2
_BLOCK_S = 10.0
"""Sound in memory at once: 4 MB a track."""
_STEP = int(RATE_HZ * STEP_S)


_VERSION = 1
"""Raise it when the same sound gives another listening."""

Speech = Literal["auto", "silero", "spectrum", "off"]


class _Finder(Protocol):
    def add(self, block: npt.NDArray[np.float32]) -> None: ...

    def spans(self) -> tuple[Span, ...]: ...


@dataclass(frozen=True, slots=True)
class ListenOptions:
    """What counts as sound and as speech."""

    speech: Speech = "auto"
    """Who finds it: "silero" (a network: hears a voice under noise), "spectrum" (pitch and syllables; needs no more),
    "auto" (the network where it is installed); "off" takes the clip as free of speech: nothing is ducked."""
    silence_db: float = -70.0
    """A clip whose every 100 ms lie under this RMS level (dBFS) has no sound."""

    def __post_init__(self) -> None:
        """Refuse a silence that is none, and finders that are not known."""
        if self.speech not in get_args(Speech):
            raise ValueError(f"speech must be one of {', '.join(get_args(Speech))}, got {self.speech!r}")
        if not SILENCE_DB <= self.silence_db < 0.0:
            raise ValueError(f"silence_db must be from {SILENCE_DB:g} up to 0, got {self.silence_db}")


@stage(version=2, cached=False)  # kept below, by who finds the speech
def listen(clip: Clip, opts: ListenOptions, ctx: Context) -> Listening:
    """Listen to all of the clip's sound tracks together, as stereo from the first frame to the last.

    Raises:
        MediaError: where a track cannot be decoded.
        MissingProgramError: where a finder of speech is asked for that is not installed.
    """
    speech_by = _speech_by(opts.speech) if any(track.channels for track in clip.sound) else ""
    key = (_VERSION, speech_by, opts.silence_db, clip)
    return ctx.once("listening", key, lambda making: _heard(clip, speech_by, opts.silence_db, making))


def speech_in(blocks: Iterable[npt.NDArray[np.float32]], speech: Speech = "auto") -> tuple[tuple[Span, ...], str]:
    """Return where somebody speaks in sound, in order, and who found it; "" where nobody looks.

    Args:
        blocks: One channel at 48 kHz, each of shape (samples,).
        speech: Who is to look; see `ListenOptions`.

    Raises:
        MissingProgramError: where who is wanted is not installed.
    """
    speech_by = _speech_by(speech)
    finder = _finder(speech_by)
    if finder is None:
        return (), ""
    for block in blocks:
        finder.add(block)
    return finder.spans(), speech_by


def _speech_by(wanted: Speech) -> str:
    """Return who finds the speech, by name and version; "" for nobody.

    Raises:
        MissingProgramError: where who is wanted is not installed.
    """
    if wanted == "off":
        return ""
    lacks = speech_model.missing() if wanted != "spectrum" else ("not asked for",)
    if wanted == "silero" and lacks:
        raise MissingProgramError("silero-vad", "; ".join(lacks))
    return "spectrum" if lacks else speech_model.identity()


def _finder(speech_by: str) -> _Finder | None:
    if not speech_by:
        return None
    return SpeechFinder() if speech_by == "spectrum" else SpokenByModel()


def _heard(clip: Clip, speech_by: str, silence_db: float, ctx: Context) -> Listening:
    """Return what is heard; at most one block of it is in memory."""
    weighting, finder, onsets = KWeighting(RATE_HZ, _CHANNELS), _finder(speech_by), AttackFinder()
    energy: list[npt.NDArray[np.float64]] = []
    power: list[npt.NDArray[np.float64]] = []
    length_s, done_s = float(clip.duration_s), 0.0
    for block in _summed(clip):
        whole = block.shape[1] // _STEP  # a gating block that is not complete does not count
        energy.append(_step_means(weighting.add(block))[:whole] * _CHANNELS)  # BS.1770 adds its channels up
        power.append(_step_means(block))
        middle = block.mean(axis=0)
        onsets.add(middle)
        if finder:
            finder.add(middle)
        done_s += _BLOCK_S
        ctx.progress(min(1.0, done_s / length_s), "listening")
    level_db = _decibels(np.concatenate(power)) if power else np.zeros(0, np.float32)
    if not len(level_db) or level_db.max() < silence_db:
        return Listening(has_sound=False, loudness_lufs=None, speech=(), level_db=np.zeros(0, np.float32))
    speech = finder.spans() if finder else ()
    return Listening(
        has_sound=True,
        loudness_lufs=gated_lufs(np.concatenate(energy)),
        speech=speech,
        level_db=level_db,
        onsets_s=onsets.times_s(outside=speech),
        speech_by=speech_by,
    )


def _summed(clip: Clip) -> Iterator[Block]:
    """Yield the sum of all tracks."""
    tracks = [
        read_track(clip, track, rate_hz=RATE_HZ, channels=_CHANNELS, block_s=_BLOCK_S)
        for track in clip.sound
        if track.channels
    ]
    for blocks in zip(*tracks, strict=True):
        yield np.sum(blocks, axis=0, dtype=np.float32)


def _step_means(samples: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Return the mean square of every 100 ms over all channels; a rest that is shorter is filled with silence."""
    short = -samples.shape[1] % _STEP
    squares = np.square(np.pad(samples, ((0, 0), (0, short))), dtype=np.float64)
    return np.asarray(squares.reshape(len(samples), -1, _STEP).mean(axis=(0, 2)))


def _decibels(power: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    floor = to_gain(SILENCE_DB) ** 2
    return (10 * np.log10(np.maximum(power, floor))).astype(np.float32)
