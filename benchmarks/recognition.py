"""How often a tiny CLIP, trained on painted scenes, names held-out ones through foley's own encoder, looks and plan.

Weights are random before `benchmarks.scenes.tiny_clip` trains them, on one core. Held out are the pictures: their
seeds, and every range of their appearance (what lies behind, paint, natural colours, size, exposure, grain). The
descriptions that pictures are compared with are those that foley ships, of all its classes; the training reads them, as
large models have read such sentences.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

import foley
from benchmarks.figures import Figure
from benchmarks.scenes import tiny_clip
from benchmarks.scenes.appearance import HELD_OUT, TRAINED, Ranges
from benchmarks.scenes.canvas import HEIGHT_PX, WIDTH_PX, Pixels
from benchmarks.scenes.scene import SUBJECTS, abstract, empty, picture
from foley.analysis.looks import NEUTRAL, LooksOptions, looks
from foley.contracts import Context
from foley.model import KeyFrame, Look, Motion, Picture, Shot, Sights, SoundPlan
from foley.pipeline.cache import Cache
from foley.plan.sights import sights

WANTED_TOP_1 = 0.90
WANTED_CLASSES = 8

EACH = 20
"""Held-out pictures of each class."""

NOTHINGS = 60
"""Held-out pictures of each kind that shows nothing."""

FIRST_SEED = 100_000
"""Held-out pictures share no seed with those of the training."""

FILM = ("sea", "train", "", "fire")
"""What the shots of the film show; "" is an abstract picture, in which nothing is to be recognised."""

FPS, SHOT_FRAMES = 25, 60

PACE = 0.003
"""How far things move in a frame of the film, in picture widths."""

COMMAND = "python -m benchmarks recognition"


@dataclass(frozen=True, slots=True)
class Told:
    """What was answered to the pictures of one kind."""

    first: tuple[str, ...]
    """The likeliest class of each picture; "" where nothing is named."""

    def share(self, sound: str) -> float:
        """Return how often that was the answer."""
        return float(np.mean([name == sound for name in self.first]))


def measure() -> list[Figure]:
    """Train, then label held-out pictures and the shots of a film."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ctx = Cache(folder / "cache").context()
        every = sights(ctx)
        training = trained(folder / "clip", every)
        size_mb = (folder / "clip" / "open_clip_model.safetensors").stat().st_size / 1e6
        options = LooksOptions(encoder="open_clip", model=f"local-dir:{folder / 'clip'}", device="cpu")
        rows = [*_pictures(every, options, ctx), *_film(folder, options)]
    pictures = (len(SUBJECTS) + 1) * tiny_clip.Schedule().pictures
    took = f"{training.paint_s:.0f} s to paint {pictures} pictures, {training.train_s:.0f} s to learn from them"
    made = f"{training.parameters / 1e6:.1f} M weights, {size_mb:.0f} MB"
    return [*rows, Figure("training on one core", f"{took}; {made}", "", None, COMMAND)]


def trained(folder: Path, every: Sights, schedule: tiny_clip.Schedule | None = None) -> tiny_clip.Training:
    """Train on the painted classes, the descriptions of all others being those of what is never seen."""
    texts = {sight.sound: sight.texts for sight in every.items}
    others = [text for sound, described in texts.items() if sound not in SUBJECTS for text in described]
    others += [text for text in NEUTRAL if text not in tiny_clip.NOTHING_CAPTIONS]
    painted = {sound: texts[sound] for sound in SUBJECTS}
    return tiny_clip.train(folder, schedule or tiny_clip.Schedule(), sights=painted, others=others)


def told(frames: Sequence[Pixels], every: Sights, options: LooksOptions, *, ctx: Context) -> Told:
    """Return what the `looks` stage says of pictures, each a shot of its own."""
    found = looks(shots_of(frames), every, options, ctx)
    return Told(tuple(_first(look) for look in found.items))


def shots_of(frames: Sequence[Pixels]) -> Picture:
    """Return a picture of which every frame is a shot."""
    count = len(frames)
    zero = np.zeros(count, np.float32)
    still = Motion(zero, zero, zero, zero)
    shots = tuple(Shot(float(number), number + 1.0, "cut" if number else "start") for number in range(count))
    keys = tuple(KeyFrame(float(number), number, tiny_clip.jpeg(frame)) for number, frame in enumerate(frames))
    return Picture(np.arange(count, dtype=np.float64), shots, still, (), (None,) * count, keys, ())


def write_film(to: Path, shows: Sequence[str], ranges: Ranges) -> None:
    """Write a silent clip with a shot of each class; "" is an abstract picture."""
    raw = f"-f rawvideo -pix_fmt rgb24 -s {WIDTH_PX}x{HEIGHT_PX} -r {FPS} -i -"
    coding = "-c:v libx264 -preset veryfast -crf 18 -pix_fmt yuv420p"
    command = ["ffmpeg", "-v", "error", "-y", *f"{raw} {coding}".split(), str(to)]
    frames = (
        picture(sound, ranges, seed=FIRST_SEED, moved=PACE * (number - SHOT_FRAMES / 2))
        if sound
        else abstract(ranges, seed=FIRST_SEED)
        for sound in shows
        for number in range(SHOT_FRAMES)
    )
    subprocess.run(command, input=b"".join(frame.tobytes() for frame in frames), check=True)


def _pictures(every: Sights, options: LooksOptions, ctx: Context) -> list[Figure]:
    """Return the figures of single pictures."""

    def score(ranges: Ranges) -> Mapping[str, float]:
        return {
            sound: told(
                [picture(sound, ranges, seed=FIRST_SEED + number) for number in range(EACH)], every, options, ctx=ctx
            ).share(sound)
            for sound in SUBJECTS
        }

    held_out, as_trained = score(HELD_OUT), score(TRAINED)
    top_1, worst = float(np.mean(list(held_out.values()))), min(held_out, key=lambda sound: held_out[sound])
    chance = f"chance {1 / len(SUBJECTS):.1%}, among all {len(every.items)} classes {1 / len(every.items):.1%}"
    wanted = f"at least {WANTED_TOP_1:.0%} of {WANTED_CLASSES} classes or more"
    holds = top_1 >= WANTED_TOP_1 and len(SUBJECTS) >= WANTED_CLASSES
    rows = [
        Figure(
            f"held-out pictures of {len(SUBJECTS)} classes, top-1", f"{top_1:.1%}; {chance}", wanted, holds, COMMAND
        ),
        Figure("the class that is named least often", f"{worst}, {held_out[worst]:.0%}", "", None, COMMAND),
        Figure("new pictures that look as in training", f"{np.mean(list(as_trained.values())):.1%}", "", None, COMMAND),
    ]
    for what, paint in (("held-out abstract pictures", abstract), ("held-out empty backdrops", empty)):
        frames = [paint(HELD_OUT, seed=FIRST_SEED + number) for number in range(NOTHINGS)]
        quiet = told(frames, every, options, ctx=ctx).share("")
        rows.append(Figure(f"{what} without a label", f"{quiet:.0%} of {NOTHINGS}", "", None, COMMAND))
    return rows


def _film(folder: Path, options: LooksOptions) -> list[Figure]:
    """Return the figures of a film that is planned as `foley plan` would, without a word said about it."""
    video = folder / "film.mp4"
    write_film(video, FILM, HELD_OUT)
    settings = foley.Settings(workdir=folder / "cache", options={"looks": asdict(options)})
    seen = foley.analyse(video, settings=settings)
    planned = foley.plan(video, settings=settings).plan
    first = [_first(look) for look in seen.looks.items]
    heard = [heard_in(planned, shot) for shot in planned.shots]
    labels = {sight.sound: sight.label for sight in sights(Cache(folder / "cache").context()).items}
    right = len(heard) == len(FILM) and all(
        labels[sound] in names if sound else not names & {labels[name] for name in SUBJECTS}
        for sound, names in zip(FILM, heard, strict=False)
    )
    shows = ", ".join(sound or "nothing" for sound in FILM)
    said = "; ".join(", ".join(sorted(names)) or "nothing" for names in heard)
    return [
        Figure(
            f"shots of a held-out film ({shows}) seen",
            ", ".join(name or "nothing" for name in first),
            "each right",
            tuple(first) == FILM,
            COMMAND,
        ),
        Figure("sounds planned for these shots, no prompt", said, "each right", right, COMMAND),
    ]


def heard_in(plan: SoundPlan, shot: Shot) -> set[str]:
    """Return the labels of what a plan lets sound for most of a shot's middle half, or at an instant in it."""
    quarter_s = (shot.end_s - shot.start_s) / 4
    first_s, last_s = shot.start_s + quarter_s, shot.end_s - quarter_s
    return {event.label for event in plan.events if event.start_s <= last_s and event.end_s >= first_s}


def _first(look: Look) -> str:
    return look.labels[0].sound if look.labels else ""
