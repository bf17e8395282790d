"""Timelines made by hand: tones and clicks of known levels as items, and the stems and the mix that they sum to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from foley.media import sound
from foley.model import Audio, AudioFile, Bus, EditedItem, Timeline, TimelineItem, TimelineMarker
from foley.units import RATE_HZ, to_gain

BUSES: tuple[Bus, ...] = ("foley", "effects", "backgrounds")
"""Whose stems every timeline has."""

HANDLE = 4800
"""Samples that every item's audio reaches over its ends."""

Stereo = npt.NDArray[np.float32]
"""Shape (2, samples)."""


@dataclass(frozen=True, slots=True)
class Sounding:
    """One item to be made; times in samples at 48 kHz."""

    event_id: str
    first: int
    length: int
    name: str = "tone"
    bus: Bus = "foley"
    hz: float = 440.0
    """Of its tone; 0 for clicks at its hits."""
    level: float = 0.1
    """Peak of the tone or of each click, before gain."""
    pan: float = 0.0
    """-1 all left, 1 all right; in between both sides, the far one lower."""
    gain_db: float = 0.0
    fade_in: int = 0
    fade_out: int = 0
    note: str = "because it is seen"
    ucs: str = ""
    hits: tuple[int, ...] = ()


SCENE = (
    Sounding("e01-room", 0, 192_000, "quiet room", "backgrounds", 220.0, 0.05, 0.2, -3.0, 24_000, 48_000,
             "the same room all along", "AMBRoom"),
    Sounding("e02-steps", 47_387, 60_613, "footsteps", "foley", 0.0, 0.5, -0.3, -4.5, 0, 0,
             "a foot lands: the motion stops", "FEETMisc", (48_000, 72_000, 96_613)),
    Sounding("e03-whoosh", 120_000, 36_000, "whoosh", "effects", 660.0, 0.2, 0.0, -6.0, 4_800, 12_000,
             "something passes the lens", "WHSHMisc"),
    Sounding("e04-crash", 144_000, 33_613, "glass breaks", "effects", 990.0, 0.25, 0.5, 2.5, 12_000, 9_600,
             "glass & splinters: <bright> \"burst\"", "GLASBrk"),
)  # fmt: skip
"""Four seconds: a bed, three steps off the frames' grid, and two effects that overlap by a quarter of a second."""


def scene(folder: Path, *, video: Path | None = None, **more: object) -> Timeline:
    """Make the timeline of `SCENE`, 4 s at 25 fps from 01:00:00:00."""
    given = {"frame_rate": Fraction(25), "start_frame": 90_000, "length": 192_000} | more
    return timeline(folder, SCENE, video=video, **given)  # type: ignore[arg-type]


def timeline(
    folder: Path,
    soundings: Sequence[Sounding],
    *,
    length: int,
    frame_rate: Fraction = Fraction(25),
    start_frame: int = 0,
    drop_frame: bool = False,
    video: Path | None = None,
    name: str = "clip",
    markers: Sequence[TimelineMarker] = (),
    write_sums: bool = True,
) -> Timeline:
    """Make the items' sound, their stems and their mix as WAV files in the folder, and the timeline that names them.

    Args:
        folder: Where the files go; made where it is not there.
        soundings: The items.
        length: Of the picture in samples.
        frame_rate: Of the picture.
        start_frame: Its first time code.
        drop_frame: Whether that counts as a drop-frame one.
        video: The clip; a name of nothing where it does not matter.
        name: Of the timeline.
        markers: Further ones; every item has one of its own.
        write_sums: False for a film that is too long for a test: stems and mix are then not on disk.
    """
    (folder / "audio").mkdir(parents=True, exist_ok=True)
    items = tuple(_item(folder / "audio", sounding) for sounding in sorted(soundings, key=lambda one: one.first))
    stems: Mapping[Bus, AudioFile] = {
        bus: _sum(folder / "audio" / f"{bus}.wav", [item for item in items if item.bus == bus], length, write_sums)
        for bus in dict.fromkeys((*BUSES, *(item.bus for item in items)))
    }
    own = tuple(TimelineMarker(item.first_sample, 0, item.name, item.note) for item in items)
    return Timeline(
        name=name,
        video=video or folder / "clip.mp4",
        width_px=160,
        height_px=90,
        frame_rate=frame_rate,
        start_frame=start_frame,
        drop_frame=drop_frame,
        frames=-(-length * frame_rate.numerator // (RATE_HZ * frame_rate.denominator)),
        length=length,
        items=items,
        markers=tuple(sorted((*own, *markers), key=lambda marker: marker.at_sample)),
        stems=stems,
        mix=_sum(folder / "audio" / "mix.wav", items, length, write_sums),
    )


def heard(item: TimelineItem) -> Stereo:
    """Return what the item gives to its stem: its sound with gain and fades, shape (2, length)."""
    samples = sound.read(item.audio, item.source_first, item.source_first + item.length)
    gain = np.full(item.length, to_gain(item.gain_db))
    gain[: item.fade_in] *= (np.arange(item.fade_in) + 0.5) / max(item.fade_in, 1)
    gain[item.length - item.fade_out :] *= ((np.arange(item.fade_out) + 0.5) / max(item.fade_out, 1))[::-1]
    return (samples * gain).astype(np.float32)


def _item(folder: Path, sounding: Sounding) -> TimelineItem:
    reach = sounding.length + 2 * HANDLE
    wave = np.sin(2 * np.pi * sounding.hz * np.arange(reach) / RATE_HZ) if sounding.hz else _clicks(sounding, reach)
    sides = np.array([[min(1.0, 1.0 - sounding.pan)], [min(1.0, 1.0 + sounding.pan)]])
    audio = Audio((sounding.level * sides * wave).astype(np.float32), RATE_HZ)
    return TimelineItem(
        event_id=sounding.event_id,
        name=sounding.name,
        bus=sounding.bus,
        audio=sound.save(audio, folder / f"{sounding.event_id}.wav"),
        source_first=HANDLE,
        first_sample=sounding.first,
        length=sounding.length,
        gain_db=sounding.gain_db,
        fade_in=sounding.fade_in,
        fade_out=sounding.fade_out,
        note=sounding.note,
        ucs=sounding.ucs,
        hits=sounding.hits,
    )


def _clicks(sounding: Sounding, reach: int) -> npt.NDArray[np.float64]:
    """Return short bursts of 3 kHz that die away within 5 ms, each beginning on its hit."""
    wave, times = np.zeros(reach), np.arange(960)
    burst = np.sin(2 * np.pi * 3000 * (times + 4) / RATE_HZ) * np.exp(-times / 240)
    for hit in sounding.hits:
        at = hit - sounding.first + HANDLE
        wave[at : at + burst.size] += burst[: reach - at]
    return wave


def _sum(to: Path, items: Sequence[TimelineItem], length: int, written: bool) -> AudioFile:
    if not written:
        return AudioFile(to, RATE_HZ, 2, length)
    total = np.zeros((2, length), np.float32)
    for item in items:
        part = heard(item)[:, : length - item.first_sample]
        total[:, item.first_sample : item.first_sample + part.shape[1]] += part
    return sound.save(Audio(total, RATE_HZ), to)


def assert_same_items(read: Sequence[EditedItem], written: Sequence[TimelineItem], *, tolerance_db: float) -> None:
    """Fail where what was read back is not what was written: to the sample, and as loud."""
    assert [in_samples(item) for item in read] == [placed(item) for item in written]
    assert [item.gain_db for item in read] == pytest.approx([item.gain_db for item in written], abs=tolerance_db)
    assert not any(item.muted for item in read)


def in_samples(item: EditedItem) -> tuple[str | int, ...]:
    """Return which event an item is and where it lies, in samples."""
    times = (item.start_s, item.source_start_s, item.duration_s, item.fade_in_s, item.fade_out_s)
    return item.event_id, *(round(time_s * RATE_HZ) for time_s in times)


def placed(item: TimelineItem) -> tuple[str | int, ...]:
    """Return the same of an item of our own."""
    return item.event_id, item.first_sample, item.source_first, item.length, item.fade_in, item.fade_out
