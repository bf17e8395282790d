"""Write gain and fades as DaVinci Resolve keeps them in OTIO, which itself has no word for either; read them back.

A clip carries an effect *Fairlight Clip Volume and Fades*: a level in decibels, and key frames counted from the clip's
start on the timeline, straight in decibels between. Blackmagic has not published it: two public sources agree on it
(a project that measured renders, and Blender's own exporter). Not run in Resolve here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from foley.errors import ExportError
from foley.units import to_db

NAME = "Resolve_OTIO"
"""Of the dialect in metadata."""

LOWEST_DB, HIGHEST_DB = -100.0, 30.0
"""What the level can be."""

HALVINGS = 4
"""A fade that is straight in amplitude gets a key at every halving: straight in decibels between them it is never
0.6 dB off, and below the last (-24 dB) it is not heard to be."""

AT_TOP_DB = 0.1
"""A key this near to the highest is at full level."""

Keys = dict[int, float]
"""Level in decibels at a frame of the clip."""


@dataclass(frozen=True, slots=True)
class Volume:
    """Gain and fades of a clip."""

    gain_db: float = 0.0
    fade_in_frames: float = 0.0
    fade_out_frames: float = 0.0


def effect(volume: Volume, frames: int) -> dict[str, Any]:
    """Return the metadata of the effect for a clip of that many frames.

    Raises:
        ExportError: where the gain is more than the dialect holds.
    """
    if volume.gain_db > HIGHEST_DB:
        raise ExportError(f"a gain of {volume.gain_db:g} dB is more than Resolve's {HIGHEST_DB:g} dB")
    gain_db = max(LOWEST_DB, volume.gain_db)
    level = {
        "Parameter ID": "volume",
        "Parameter Value": gain_db,
        "Default Parameter Value": 0.0,
        "Variant Type": "Double",
        "minValue": LOWEST_DB,
        "maxValue": HIGHEST_DB,
        "Key Frames": {
            str(frame): {"Value": value, "Variant Type": "Double"}
            for frame, value in sorted(keys(volume, frames).items())
        },
    }
    shown = {"Effect Name": "Fairlight Clip Volume and Fades", "Name": "Volume", "Type": 62, "Enabled": True}
    return {NAME: {**shown, "Parameters": [level]}}


def keys(volume: Volume, frames: int) -> Keys:
    """Return the key frames of a clip's fades; none where it has none that lasts a frame.

    >>> keys(Volume(-6.0, fade_in_frames=8), 100)
    {0: -100.0, 1: -24.06, 2: -18.04, 4: -12.02, 8: -6.0}
    """
    rise, fall = (min(round(fade), frames) for fade in (volume.fade_in_frames, volume.fade_out_frames))
    found = {frame: volume.gain_db + level_db for frame, level_db in _ramp(rise).items()}
    for frame, level_db in _ramp(fall).items():
        place = frames - frame
        # where both fades meet, the lower one is heard
        found[place] = min(found.get(place, HIGHEST_DB), volume.gain_db + level_db)
    return {frame: max(LOWEST_DB, round(value, 2)) for frame, value in found.items()}


def _ramp(frames: int) -> Keys:
    """Return a rise to 0 dB that is straight in amplitude, by its frames."""
    if frames <= 0:
        return {}
    parts = {round(frames / 2**halving): 2.0**-halving for halving in range(HALVINGS, -1, -1)}
    return {0: LOWEST_DB} | {frame: to_db(frame / frames) for frame in parts if frame > 0}


def volume_of(metadata: Mapping[str, Any], frames: float) -> Volume | None:
    """Return gain and fades of a clip from an effect's metadata; None where it is another effect.

    Args:
        metadata: Of the effect.
        frames: How long the clip is.
    """
    for parameter in metadata.get(NAME, {}).get("Parameters", ()):
        if parameter.get("Parameter ID") != "volume":
            continue
        gain_db = float(parameter.get("Parameter Value", parameter.get("Default Parameter Value", 0.0)))
        drawn = {int(frame): float(key["Value"]) for frame, key in parameter.get("Key Frames", {}).items()}
        return _volume(gain_db, dict(sorted(drawn.items())), frames)
    return None


def _volume(gain_db: float, drawn: Keys, frames: float) -> Volume:
    if not drawn:
        return Volume(gain_db)
    top_db = max(drawn.values())
    full = [frame for frame, level_db in drawn.items() if level_db >= top_db - AT_TOP_DB]
    rises = any(earlier < later for earlier, later in pairwise(_levels(drawn, upto=full[0])))
    falls = any(later < earlier for earlier, later in pairwise(_levels(drawn, since=full[-1])))
    return Volume(top_db, float(full[0]) if rises else 0.0, frames - full[-1] if falls else 0.0)


def _levels(drawn: Keys, *, since: int = 0, upto: int | None = None) -> list[float]:
    return [level_db for frame, level_db in drawn.items() if frame >= since and (upto is None or frame <= upto)]
