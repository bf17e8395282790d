"""Where a sound begins, to less than a millisecond: at the start of its attack, never at its peak.

A slow attack peaks long after it is heard (a step on grass 180 ms after the foot lands), so the peak says little about
when a sound happens. An attack is looked for on two envelopes:

- a coarse one (RMS of 10 ms) tells where the level rises out of a valley, whatever the wave does inside;
- a fine one (RMS of the last 1.5 ms, so that nothing is heard before it happens) tells when it has climbed a fifth of
  the way from that valley to the peak. A fifth is 14 dB below the peak: above the noise before it, below the ear's idea
  of when it starts by no more than a few milliseconds even for a slow attack.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from foley.model import Audio

FINE_S = 0.0015
"""Length of the fine envelope: finer, it would follow the wave of a low sound instead of its level."""

COARSE_S = 0.010
"""Length of the coarse envelope: half a period of 50 Hz, and the ear's own integration of an attack."""

HOP_S = 0.001
"""Step of the coarse envelope."""

CLIMB = 0.2
"""Part of the way from valley to peak at which an attack is said to start."""

VALLEY_S = 0.4
"""How far before a peak its valley is looked for: no single sound has a longer attack (a foot in snow: 0.2 s)."""

UNREST = 1.2
"""By how much the level of steady noise strays over 10 ms: so far above its lowest point a valley is still a valley."""

FLOOR = 1e-5
"""-100 dBFS: a rise that ends below it is nothing that is heard."""

CLEAR = 1.5
"""A peak must stand 3.5 dB out of its valley to be an attack, not the unrest of a steady noise."""

Envelope = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Attack:
    """One rise out of a valley."""

    time_s: float
    """Start of the attack, from the start of the sound."""
    peak_s: float
    """Where the level is highest."""
    rise: float
    """Coarse level at the peak less that in the valley before it; full scale is 1."""
    contrast: float
    """Coarse level at the peak divided by that in the valley."""


def attacks(audio: Audio, *, silent_before: bool = True) -> tuple[Attack, ...]:
    """Return all rises of a sound by time, weak and strong; it is looked at whole, so give long sound in parts.

    Args:
        audio: The sound.
        silent_before: Nothing sounds before it, so that what starts at once has an attack; False for a part of a sound.
    """
    power = np.concatenate([[0.0], np.cumsum(np.mean(np.square(audio.samples, dtype=np.float64), axis=0))])
    hop = max(1, round(HOP_S * audio.rate_hz))
    coarse = _rms(power, round(COARSE_S * audio.rate_hz), hop)
    fine = _rms(power, round(FINE_S * audio.rate_hz), 1)
    if coarse.size and not silent_before:
        # the first windows reach out of the part: filled with nothing, they would look like a rise
        settled = min(round(COARSE_S / HOP_S), coarse.size - 1)
        coarse[:settled] = coarse[settled]
    highest: dict[int, int] = {}
    for peak in _peaks(coarse).tolist():
        # of all peaks that climb out of one valley the highest is the attack's
        valley = _valley(peak, coarse, silent_before=silent_before)
        highest[valley] = max(peak, highest.get(valley, peak), key=lambda at: float(coarse[at]))
    climbs = (
        _climb(valley, peak, coarse, fine=fine, hop=hop, silent_before=silent_before)
        for valley, peak in sorted(highest.items())
    )
    return tuple(
        Attack(start / audio.rate_hz, (peak + 1) * hop / audio.rate_hz, rise, contrast)
        for start, peak, rise, contrast in filter(None, climbs)
    )


def first_onset_s(audio: Audio, *, share: float = 0.35) -> float | None:
    """Return where the sound begins in earnest, in seconds from its start; None for silence.

    Args:
        audio: The sound, of seconds rather than minutes.
        share: An attack counts from this part of the strongest rise on; 0.35 passes over a scuff 9 dB below the blow.
    """
    found = attacks(audio)
    strongest = max((attack.rise for attack in found), default=0.0)
    return next((attack.time_s for attack in found if attack.rise >= share * strongest), None)


def onset_near(audio: Audio, at_s: float, within_s: float) -> float | None:
    """Return where the attack near a time starts, in seconds from the sound's start; None where there is none.

    Of attacks at least half as strong as the strongest within reach the nearest is taken.

    Args:
        audio: Any sound; only the stretch around `at_s` is looked at.
        at_s: Where the attack should be.
        within_s: How far from there it may be.
    """
    context_s = within_s + VALLEY_S
    first = max(0, int((at_s - context_s) * audio.rate_hz))
    last = max(first, int((at_s + context_s) * audio.rate_hz))
    offset_s = first / audio.rate_hz
    around = attacks(Audio(audio.samples[:, first:last], audio.rate_hz), silent_before=first == 0)
    near = [attack for attack in around if abs(attack.time_s + offset_s - at_s) <= within_s]
    strongest = max((attack.rise for attack in near), default=0.0)
    strong = [attack.time_s + offset_s for attack in near if attack.rise >= 0.5 * strongest]
    return min(strong, key=lambda time_s: abs(time_s - at_s), default=None)


def _rms(power: Envelope, window: int, hop: int) -> Envelope:
    """Return the RMS of the `window` samples that end with each `hop`-th sample; before the start lies silence."""
    last = np.arange(hop, power.size, hop)
    first = np.maximum(last - window, 0)
    return np.sqrt(np.maximum(power[last] - power[first], 0.0) / max(window, 1))


def _peaks(coarse: Envelope) -> npt.NDArray[np.int64]:
    """Return the local maxima, of a plateau its first sample; where the level still rises at the end, the last one."""
    padded = np.concatenate([[0.0], coarse, [0.0]])
    return np.flatnonzero((padded[1:-1] > padded[:-2]) & (padded[1:-1] >= padded[2:]))


def _climb(
    valley: int, peak: int, coarse: Envelope, *, fine: Envelope, hop: int, silent_before: bool
) -> tuple[int, int, float, float] | None:
    """Return start (samples), peak (hops), rise and contrast of an attack; None where the level does not stand out."""
    from_silence = silent_before and valley == 0
    bottom, top = 0.0 if from_silence else float(coarse[valley]), float(coarse[peak])
    if top < FLOOR or top < CLEAR * bottom:
        return None
    first = 0 if from_silence else (valley + 1) * hop - 1
    climb = fine[first : (peak + 1) * hop]
    threshold = bottom + CLIMB * (float(climb.max()) - bottom)
    return first + int(np.argmax(climb >= threshold)), peak, top - bottom, top / max(bottom, FLOOR)


def _valley(peak: int, coarse: Envelope, *, silent_before: bool) -> int:
    """Return the lowest point before a peak, not looking past where the level clearly rises again: the hit before.

    What has climbed since the first point climbed out of the silence before it, however the first waves swing.
    """
    back = coarse[max(0, peak - round(VALLEY_S / HOP_S)) : peak + 1][::-1]
    climbed = back > CLEAR * np.maximum(np.minimum.accumulate(back), FLOOR)
    reach = int(np.argmax(climbed)) if climbed.any() else back.size
    if silent_before and reach > peak:
        return 0
    # of points about as low the latest, which is where the attack leaves the valley
    return peak - int(np.argmax(back[:reach] <= UNREST * back[:reach].min()))
