"""What a service or another program gives, looked at and brought to the form that was asked for."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from foley.contracts import Capabilities, SoundRequest
from foley.errors import GenerationError
from foley.model import Audio
from foley.render.studio import SILENT_GAIN
from foley.units import to_samples

TOLERANCE_S = 0.25
"""How far a sound's length may be off: models count in frames of their own, up to an eighth of a second, and encoders
add some at both ends. More than that is another sound than was asked for."""

CUT_S = 0.010
"""Fade where a longer sound is cut off: short of a click."""

TIME_SHARE = 0.95
"""Of a sound's time limit that others may take: who waits for us gives up after all of it, and should hear why."""

MOST_KEPT = 16
"""Sounds of batches that failed; half a minute of stereo is 10 MB."""

Samples = npt.NDArray[np.float32]


class Kept:
    """Sounds that are made and not yet handed out.

    A batch of which one sound fails is asked for again in parts; what others took minutes or money for is then there.
    """

    def __init__(self) -> None:
        self._sounds: dict[str, Audio] = {}
        self._guard = threading.Lock()

    def get(self, key: str) -> Audio | None:
        """Return the sound of a request, where it was made before."""
        return self._sounds.get(key)

    def keep(self, key: str, audio: Audio) -> None:
        """Keep a sound until it is handed out, or others have come since."""
        with self._guard:
            self._sounds[key] = audio
            for old in list(self._sounds)[:-MOST_KEPT]:
                del self._sounds[old]

    def hand_out(self, keys: Sequence[str]) -> None:
        """Keep these no longer."""
        with self._guard:
            for key in keys:
                self._sounds.pop(key, None)


def key_of(request: SoundRequest, seed: int) -> str:
    """Return what tells a request from every other: the same one has the same stream, so the same seed."""
    return f"{seed} {request.start_s} {request.duration_s} {request.film} {request.event!r}"


def as_asked(
    given: Audio, request: SoundRequest, *, generator: str, asked_s: float, capabilities: Capabilities
) -> Audio:
    """Return the sound in the length and with the channels that are due, its notes kept.

    Args:
        given: As it came.
        request: What it is for.
        generator: Who gave it, for the message.
        asked_s: The length that was asked for; where it is longer than the request, the rest is cut off.
        capabilities: The generator's.

    Raises:
        GenerationError: where it is no such sound.
    """
    fault = fault_of(given, asked_s, capabilities)
    if fault:
        raise GenerationError(request.event.id, generator, fault)
    samples = _in_channels(given.samples, capabilities.channels)
    samples = _in_length(samples, to_samples(request.duration_s, given.rate_hz), given.rate_hz)
    # numbers beyond full scale are no fault of a program that writes them as such: nothing is clipped yet
    peak = float(np.max(np.abs(samples), initial=0.0))
    return Audio(samples / np.float32(max(1.0, peak)), given.rate_hz, given.notes)


def fault_of(given: Audio, asked_s: float, capabilities: Capabilities) -> str | None:
    """Return why what came is not the sound that was asked for, in words; None where it is."""
    if given.rate_hz != capabilities.rate_hz:
        return f"gave sound at {given.rate_hz} Hz where {capabilities.rate_hz} Hz were due"
    if given.channels not in (1, 2):
        return f"gave {given.channels} channels; one or two can be used"
    if abs(given.duration_s - asked_s) > TOLERANCE_S:
        return f"gave {given.duration_s:.2f} s where {asked_s:.2f} s were asked for"
    if not np.isfinite(given.samples).all():
        return "gave samples that are no numbers"
    if float(np.max(np.abs(given.samples), initial=0.0)) < SILENT_GAIN:
        return "gave silence"
    return None


def _in_channels(samples: Samples, channels: int) -> Samples:
    if len(samples) == channels:
        return samples
    return np.repeat(samples, 2, axis=0) if channels == 2 else samples.mean(axis=0, keepdims=True, dtype=np.float32)


def _in_length(samples: Samples, length: int, rate_hz: int) -> Samples:
    """Return exactly so many samples: cut off with a short fade, or with silence after what there is."""
    from foley.dsp.fades import edge_faded

    if samples.shape[1] == length:
        return samples
    cut = edge_faded(samples[:, :length], fade_in=0, fade_out=to_samples(CUT_S, rate_hz))
    return np.pad(cut, ((0, 0), (0, length - cut.shape[1])))
