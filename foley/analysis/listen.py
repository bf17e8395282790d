"""What the clip's own sound holds: how loud it is, its level over time, and where somebody speaks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from foley.analysis.speech import SpeechFinder
from foley.contracts import Context, stage
from foley.dsp.loudness import STEP_S, KWeighting, gated_lufs
from foley.media.sound import Block, read_track
from foley.model import Clip, Listening
from foley.units import RATE_HZ, SILENCE_DB, to_gain

_CHANNELS = 2
_BLOCK_S = 10.0
"""Sound in memory at once: 4 MB a track."""
_STEP = int(RATE_HZ * STEP_S)


@dataclass(frozen=True, slots=True)
class ListenOptions:
    """What counts as sound and as speech."""

    find_speech: bool = True
    """False takes the clip as free of speech: nothing is ducked."""
    silence_db: float = -70.0
    """A clip whose every 100 ms lie under this RMS level (dBFS) has no sound."""

    def __post_init__(self) -> None:
        """Refuse a silence that is none."""
        if not SILENCE_DB <= self.silence_db < 0.0:
            raise ValueError(f"silence_db must be from {SILENCE_DB:g} up to 0, got {self.silence_db}")


@stage(version=1)
def listen(clip: Clip, opts: ListenOptions, ctx: Context) -> Listening:
    """Listen to all of the clip's sound tracks together, as stereo from the first frame to the last.

    Raises:
        MediaError: where a track cannot be decoded.
    """
    weighting, finder = KWeighting(RATE_HZ, _CHANNELS), SpeechFinder()
    energy: list[npt.NDArray[np.float64]] = []
    power: list[npt.NDArray[np.float64]] = []
    length_s, done_s = float(clip.duration_s), 0.0
    for block in _summed(clip):
        whole = block.shape[1] // _STEP  # a gating block that is not complete does not count
        energy.append(_step_means(weighting.add(block))[:whole] * _CHANNELS)  # BS.1770 adds its channels up
        power.append(_step_means(block))
        if opts.find_speech:
            finder.add(block.mean(axis=0))
        done_s += _BLOCK_S
        ctx.progress(min(1.0, done_s / length_s), "listening")
    level_db = _decibels(np.concatenate(power)) if power else np.zeros(0, np.float32)
    if not len(level_db) or level_db.max() < opts.silence_db:
        return Listening(has_sound=False, loudness_lufs=None, speech=(), level_db=np.zeros(0, np.float32))
    return Listening(
        has_sound=True,
        loudness_lufs=gated_lufs(np.concatenate(energy)),
        speech=finder.spans() if opts.find_speech else (),
        level_db=level_db,
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
