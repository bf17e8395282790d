"""What an event of the plan goes by, to be seen: frames with what moves, the motion curve, what the shot looks like."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass

from foley.contracts import Context
from foley.deliver import charts, strips
from foley.deliver.charts import Chart
from foley.errors import DamagedVideoError
from foley.model import Clip, KeyFrame, Looks, Picture, ScoredLabel, Shot, SoundEvent

MOST_STRIPS = 12

STRIP_PIXELS = 3 * 1280 * 720
"""A strip decodes up to a group of pictures anew, of up to 250: 0.1 s of processor time at 360p, 0.4 s at 720p, 0.9 s
at 1080p. So large pictures get fewer strips, 3 and 1, and all together cost about 1 s of it, beside the mux."""

MOST_LABELS = 5
MOST_FRAMES = 4
"""Of an ambience: one a shot; they show what they have in common."""


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What one event goes by."""

    strip: bytes
    """JPEG of the frames around the strongest hit; empty for other kinds, and for the less certain of many events."""
    frames: tuple[KeyFrame, ...]
    """Where it lasts: the frame where most moves, of an ambience one a shot; of *hits* without a strip the nearest."""
    chart: Chart | None
    """The motion around it; None for an ambience, which follows none."""
    labels: tuple[ScoredLabel, ...]
    """What its shots look like, the likeliest first."""


class Strips:
    """The strips of a plan's hits, made beside other work, each once: moving a fader does not make one anew."""

    def __init__(
        self, events: Sequence[SoundEvent], clip: Clip, picture: Picture, *, beside: Executor, ctx: Context
    ) -> None:
        self._running: dict[str, Future[bytes]] = {}
        for event in _worth_a_strip(events, clip):
            at = strips.moment(charts.strongest_hit_s(event), picture)
            self._running[event.id] = beside.submit(_kept_strip, clip, at, ctx)

    def __getitem__(self, event_id: str) -> bytes:
        """Return the strip of an event, empty where it has none."""
        running = self._running.get(event_id)
        return running.result() if running else b""


def evidence(event: SoundEvent, *, picture: Picture, looks: Looks, total_s: float, made: Strips) -> Evidence:
    """Return what an event goes by."""
    strip = made[event.id]
    return Evidence(
        strip,
        () if strip else _frames(event, picture),
        None if event.kind == "bed" else charts.of_event(event, picture, total_s),
        labels_of(_shots_of(event, picture), looks),
    )


def labels_of(shots: Sequence[int], looks: Looks) -> tuple[ScoredLabel, ...]:
    """Return what some shots look like: of each class the best score, the likeliest first."""
    best: dict[str, ScoredLabel] = {}
    for number in shots:
        for label in looks.items[number].labels if number < len(looks.items) else ():
            if label.sound not in best or label.score > best[label.sound].score:
                best[label.sound] = label
    return tuple(sorted(best.values(), key=lambda label: (-label.score, label.sound))[:MOST_LABELS])


def _worth_a_strip(events: Sequence[SoundEvent], clip: Clip) -> list[SoundEvent]:
    """Return the *hits* that get a strip: those that are heard before those that are muted, the surest first."""
    pixels = clip.video.width_px * clip.video.height_px
    most = min(MOST_STRIPS, max(1, STRIP_PIXELS // pixels))
    hits = [event for event in events if event.kind == "hits"]
    return sorted(hits, key=lambda event: (event.muted, -event.confidence, event.start_s))[:most]


def _kept_strip(clip: Clip, at: strips.Moment, ctx: Context) -> bytes:
    try:
        return ctx.once("strip", (strips.VERSION, clip, at), lambda _: strips.strip(clip, at))
    except DamagedVideoError:  # it was seen once, so a report without this picture is better than none
        return b""


def _shots_of(event: SoundEvent, picture: Picture) -> list[int]:
    """Return the numbers of the shots that an event sounds in."""
    end_s = max(event.end_s, event.start_s + 1e-6)
    return [n for n, shot in enumerate(picture.shots) if shot.start_s < end_s and shot.end_s > event.start_s]


def _frames(event: SoundEvent, picture: Picture) -> tuple[KeyFrame, ...]:
    if not picture.key_frames:
        return ()
    if event.kind == "bed":
        shots = _shots_of(event, picture)
        every = max(1, len(shots) // MOST_FRAMES)
        shown = shots[::every][:MOST_FRAMES]
        return tuple(_frame_near(_middle_s(event, picture.shots[number]), number, picture) for number in shown)
    at_s = charts.strongest_hit_s(event) if event.kind == "hits" else _liveliest_s(event, picture)
    shot = next((n for n, shot in enumerate(picture.shots) if at_s < shot.end_s), len(picture.shots) - 1)
    return (_frame_near(at_s, shot, picture),)


def _liveliest_s(event: SoundEvent, picture: Picture) -> float:
    """Return when most moves while an event lasts."""
    inside = (picture.times_s >= event.start_s) & (picture.times_s < event.end_s)
    if not inside.any():
        return event.start_s
    return float(picture.times_s[inside][picture.motion.level[inside].argmax()])


def _middle_s(event: SoundEvent, shot: Shot) -> float:
    """Return the middle of what an event covers of a shot."""
    return (max(event.start_s, shot.start_s) + min(event.end_s, shot.end_s)) / 2


def _frame_near(time_s: float, shot: int, picture: Picture) -> KeyFrame:
    """Return the shot's key frame nearest to a time."""
    return min(picture.key_frames, key=lambda frame: (frame.shot != shot, abs(frame.time_s - time_s)))
