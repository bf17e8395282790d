"""Clips, pictures and contexts for the tests of planning: small, and true by construction."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from foley.contracts import Case
from foley.model import (
    Clip,
    Cue,
    Hint,
    Hints,
    Impact,
    Listening,
    Look,
    Looks,
    Motion,
    Picture,
    Shot,
    SubtitleTrack,
    VideoStream,
)

FRAME_RATE = Fraction(25)


def clip_of(
    duration_s: float = 10.0, *, path: Path = Path("clip.mp4"), subtitles: tuple[SubtitleTrack, ...] = ()
) -> Clip:
    """Return a clip of that length."""
    video = VideoStream(0, "h264", 640, 360, 0, FRAME_RATE, Fraction(1, 12_800), False, "yuv420p")
    duration = Fraction(duration_s).limit_denominator(1_000_000)
    return Clip(path, "k" * 32, "mov,mp4", Fraction(0), duration, video, (), subtitles, 0, None)


def impact(time_s: float, cue: Cue = "strike", *, strength: float = 1.0, x: float = 0.5) -> Impact:
    """Return an impact."""
    return Impact(time_s, strength, x, 0.5, cue)


def picture_of(
    duration_s: float = 10.0,
    *,
    impacts: Sequence[Impact] = (),
    cuts_s: Sequence[float] = (),
    moving_s: Sequence[tuple[float, float]] = (),
    x: float = 0.5,
) -> Picture:
    """Return a picture with these impacts and cuts, in which something moves at full speed during `moving_s`."""
    frames = max(1, round(duration_s * float(FRAME_RATE)))
    times = np.arange(frames) / float(FRAME_RATE)
    level = np.zeros(frames, np.float32)
    for start_s, end_s in moving_s:
        level[(times >= start_s) & (times < end_s)] = 1.0
    bounds = [0.0, *cuts_s, duration_s]
    shots = tuple(
        Shot(start_s, end_s, "cut" if number else "start")
        for number, (start_s, end_s) in enumerate(itertools.pairwise(bounds))
    )
    cues = tuple(next((one.cue for one in impacts if shot.start_s <= one.time_s < shot.end_s), None) for shot in shots)
    ordered = tuple(sorted(impacts, key=lambda one: one.time_s))
    side = np.full(frames, x, np.float32)
    motion = Motion(level, side, np.full(frames, 0.5, np.float32), np.zeros(frames, np.float32))
    return Picture(times, shots, motion, ordered, cues, (), ())


def unseen(picture: Picture) -> Looks:
    """Return the looks of a picture that nobody looked at: every shot is a place of its own."""
    numbers = range(len(picture.shots))
    return Looks(tuple(Look(number, (), np.zeros(0, np.float32)) for number in numbers), tuple(numbers))


def case_of(picture: Picture, hints: Hints, *, listening: Listening | None = None, looks: Looks | None = None) -> Case:
    """Return all that a planner may go by, for a clip as long as its picture."""
    clip = clip_of(picture.shots[-1].end_s)
    return Case(clip, picture, looks or unseen(picture), listening or silence(), hints)


def silence() -> Listening:
    """Return what is heard in a clip without sound."""
    return Listening(False, None, (), np.zeros(0, np.float32))


def prompt(*texts: str, seed: int = 0) -> Hints:
    """Return a prompt's untimed hints."""
    return Hints(tuple(Hint(text, None, None, "prompt") for text in texts), seed=seed)
