"""Making a sound longer or shorter at its own pitch: the only door to pyrubberband, and through it to `rubberband`.

Measured with Rubber Band 3.1 and pyrubberband 0.4, and met here:

- its R3 engine ("--fine") sounds best but moves a sharp attack by up to 7 ms and smears it forward: so every sharp
  attack is laid over the result as it was, at exactly the place that the stretch gives it;
- with R3 a time map with inner points displaces everything: so none is used;
- pyrubberband passes sound on as 16-bit WAV, and `rubberband` starts again more quietly where its output would clip: so
  it is given the sound with its peak at half of full scale, which leaves room for both;
- sound of less than a few hundred samples comes back empty: so short sound is given with silence after it.
"""

from __future__ import annotations

import shutil

import numpy as np
import numpy.typing as npt
import pyrubberband

from foley.dsp.fades import edge_gain, looped
from foley.dsp.onsets import attacks
from foley.errors import FoleyError, MissingProgramError
from foley.model import Audio
from foley.units import to_samples

PROGRAM = "rubberband"

OPTIONS = {"--fine": "", "--ignore-clipping": ""}
"""The R3 engine; and no second, quieter attempt, as the level given leaves room."""

SAFE_PEAK = 0.5
"""-6 dBFS: phases that fall together may overshoot, and 16 bits still lie 90 dB below."""

SHORTEST_S = 0.1
"""The least that is handed over: about two windows of the R3 engine."""

BEFORE_S = 0.040
"""How much before an attack is laid over too: that far forward R3 smears it."""

AFTER_S = 0.030
"""How much of a sharp attack is laid over: past the first 30 ms a blow is its ringing, and that may be stretched."""

PAST_PEAK_S = 0.010
"""A slower attack is laid over as far as this past its peak: ended before, it would be heard twice."""

LONGEST_ATTACK_S = 0.150
"""Past it what is called an attack is a swell, and stretches like one."""

SEAM_S = 0.005
"""Crossfade between what is laid over and what is stretched."""

SHARP = 2.5
"""An attack that stands 8 dB out of what is before it must stay sharp; a softer one stretches well."""

STRONG = 0.35
"""So is an attack of this part of the strongest, however soft: it is what the ear goes by."""

Samples = npt.NDArray[np.float32]


def stretch(audio: Audio, duration_s: float) -> Audio:
    """Return the sound at another length, to the sample: `to_samples(duration_s, rate_hz)` long.

    What happens at a time t happens at t * duration_s / audio.duration_s; a sharp attack to the sample.

    Raises:
        MissingProgramError: where `rubberband` is not installed.
        FoleyError: where it fails.
        ValueError: where there is no sound, or no length to give it.
    """
    length = to_samples(duration_s, audio.rate_hz)
    if audio.length == 0 or length <= 0:
        raise ValueError(f"cannot make {duration_s} s of {audio!r}")
    if length == audio.length:
        return audio
    ratio = length / audio.length
    peak = float(np.max(np.abs(audio.samples)))
    if peak == 0.0:
        return Audio(np.zeros((audio.channels, length), dtype=np.float32), audio.rate_hz)
    gain = SAFE_PEAK / peak
    stretched = _rubberband(audio.samples * np.float32(gain), ratio, audio.rate_hz)[:, :length] / np.float32(gain)
    return Audio(_with_attacks(stretched, audio, ratio), audio.rate_hz)


def _rubberband(samples: Samples, ratio: float, rate_hz: int) -> Samples:
    """Return at least `samples.shape[1] * ratio` samples."""
    if shutil.which(PROGRAM) is None:
        raise MissingProgramError(PROGRAM, "install it: apt install rubberband-cli, or brew install rubberband")
    given = max(samples.shape[1], to_samples(SHORTEST_S * max(1.0, 1.0 / ratio), rate_hz))
    padded = np.pad(samples, ((0, 0), (0, given - samples.shape[1])))
    try:
        made = pyrubberband.time_stretch(padded.T, rate_hz, 1.0 / ratio, rbargs=dict(OPTIONS))
    except (RuntimeError, OSError, pyrubberband.pyrb.subprocess.CalledProcessError) as cause:
        raise FoleyError(f"{PROGRAM} could not stretch a sound to {ratio:.3f} of its length: {cause}") from cause
    short = max(0, round(samples.shape[1] * ratio) - made.shape[0])
    return np.pad(np.asarray(made, dtype=np.float32).T, ((0, 0), (0, short)))


def _with_attacks(stretched: Samples, audio: Audio, ratio: float) -> Samples:
    """Return the stretched sound with every sharp attack of the original laid over it where it belongs."""
    found = attacks(audio)
    strong = STRONG * max((one.rise for one in found), default=0.0)
    kept = [one for one in found if one.contrast >= SHARP or one.rise >= strong]
    edges = [0, *(to_samples(one.time_s, audio.rate_hz) for one in kept), audio.length]
    before, seam = to_samples(BEFORE_S, audio.rate_hz), to_samples(SEAM_S, audio.rate_hz)
    laid = stretched.copy()
    for one, previous, onset, following in zip(kept, edges, edges[1:], edges[2:], strict=False):
        hold_s = min(max(AFTER_S, one.peak_s - one.time_s + PAST_PEAK_S), LONGEST_ATTACK_S)
        # of what lies between neighbours one keeps a third and one a half, so that no two are laid over one another
        lead = min(before, int((onset - previous) * min(1.0, ratio) / 3))
        hold = min(to_samples(hold_s, audio.rate_hz), int((following - onset) * min(1.0, ratio) / 2))
        head = audio.samples[:, onset - lead : onset]
        if onset <= before and previous == 0:
            head = _held(audio.samples[:, :onset], round(onset * ratio), seam)
        attack = np.concatenate([head, audio.samples[:, onset : onset + hold]], axis=1)
        _lay(laid, attack, first=round(onset * ratio) - head.shape[1], seam=seam)
    return laid


def _held(head: Samples, length: int, seam: int) -> Samples:
    """Return the little that lies before an attack at a sound's start at another length, its end as it was."""
    if head.shape[1] == 0 or length == 0:
        return np.zeros((head.shape[0], length), dtype=np.float32)
    return looped(head[:, ::-1], length, seam)[:, ::-1]


def _lay(laid: Samples, attack: Samples, *, first: int, seam: int) -> None:
    """Put an attack in the place of what a sound has there, crossfaded at both ends, in place."""
    last = min(first + attack.shape[1], laid.shape[1])
    seam = min(seam, (last - first) // 2)
    rise = edge_gain(0, last - first, length=last - first, fade_in=seam if first else 0, fade_out=seam)
    # the gain of what gives way: with the square of the other it adds up to 1
    laid[:, first:last] = laid[:, first:last] * np.sqrt(1.0 - rise**2) + attack[:, : last - first] * rise
