"""Make the track for a video in which somebody speaks: the clip's own sound, with the effects ducked under it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from foley.dsp.limiter import gain_between
from foley.dsp.profiles import Dialogue, LoudnessProfile, aim
from foley.media import sound
from foley.mix.duck import ducking_curve
from foley.mix.level import Level, milliseconds, survey
from foley.mix.sum import BLOCK_SAMPLES, Block
from foley.mix.write import Figures, settled, write_measured
from foley.model import AudioFile, Clip, Listening
from foley.units import RATE_HZ, to_gain, to_seconds

OWN_GAIN_DB = 12.0
"""The most that the clip's own sound is raised or lowered: beyond it noise would come up, or it was meant so."""


def track_over_speech(
    mix: AudioFile, clip: Clip, listening: Listening, *, profile: LoudnessProfile, duck_db: float, to: Path
) -> tuple[AudioFile, tuple[str, ...]]:
    """Write the track and return it with what to say of its level.

    The own sound is the file's first track, the one that players choose. It is brought to the target first, so that
    speech and effects meet at the same loudness; then the whole is. Where the profile asks for the loudness of dialogue
    and enough of the clip is speech, the whole is brought to that.
    """
    aimed = aim(profile, Dialogue(listening.speech, listening.speech_by), to_seconds(mix.length, RATE_HZ))
    asked = replace(profile, target_lufs=aimed.target_lufs, tolerance_lu=aimed.tolerance_lu)
    speech = listening.speech if aimed.measure == "dialogue" else None
    own_gain = to_gain(_own_gain_db(listening, profile))
    duck = ducking_curve(listening.speech, length_ms=milliseconds(mix.length), depth_db=duck_db)

    def blocks() -> Iterator[Block]:
        first = 0
        own_blocks = sound.read_track(
            clip, clip.sound[0], rate_hz=RATE_HZ, channels=2, block_s=to_seconds(BLOCK_SAMPLES, RATE_HZ)
        )
        for own in own_blocks:
            last = first + own.shape[1]
            yield own_gain * own + sound.read(mix, first, last) * gain_between(duck, first, last)
            first = last

    def write(tried: Level) -> tuple[AudioFile, Figures]:
        return write_measured(_levelled(blocks(), tried), to, speech=speech)

    found = survey(((block,) for block in blocks()), speech=speech)
    file, notes = settled(found, asked, write)
    return file, tuple(f"track: {note}" for note in notes)


def _levelled(blocks: Iterator[Block], tried: Level) -> Iterator[Block]:
    gain, first = to_gain(tried.gain_db), 0
    for block in blocks:
        last = first + block.shape[1]
        yield block * (gain * gain_between(tried.curve, first, last))
        first = last


def _own_gain_db(listening: Listening, profile: LoudnessProfile) -> float:
    if profile.target_lufs is None or listening.loudness_lufs is None:
        return 0.0
    return min(max(profile.target_lufs - listening.loudness_lufs, -OWN_GAIN_DB), OWN_GAIN_DB)
