"""Put a scene together: a backdrop, a thing, and what a camera does to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from benchmarks.scenes import nature, things, vehicles
from benchmarks.scenes.appearance import Appearance, Ranges, drawn
from benchmarks.scenes.backdrops import FAMILIES
from benchmarks.scenes.canvas import HEIGHT_PX, WIDTH_PX, Canvas, Pixels

UNIT = 0.33
"""Half a thing's length in picture heights, at size 1."""

Painter = Callable[[Canvas, Appearance, np.random.Generator], None]


@dataclass(frozen=True, slots=True)
class Subject:
    """A thing that sounds: how it is painted, and what people write under pictures of it."""

    paint: Painter
    captions: tuple[str, ...]


SUBJECTS: Mapping[str, Subject] = {
    "rain": Subject(nature.rain, ("rain falling", "heavy rain on the street", "raindrops fall into puddles")),
    "thunder": Subject(nature.lightning, ("lightning in a dark sky", "a bolt of lightning", "a thunderstorm at night")),
    "sea": Subject(nature.sea, ("waves on the sea", "ocean waves", "the sea with foam on its waves")),
    "waterfall": Subject(nature.waterfall, ("a waterfall", "water falling over rocks", "a waterfall and its pool")),
    "fire": Subject(nature.fire, ("a fire", "a campfire burning", "flames over burning logs")),
    "dog-bark": Subject(things.dog, ("a dog barking", "a dog with its mouth open", "a dog from the side")),
    "footsteps": Subject(
        things.feet, ("feet walking", "the legs of a person walking", "a person takes a step in shoes")
    ),
    "anvil": Subject(things.anvil, ("a hammer on an anvil", "a blacksmith's anvil", "hammering hot iron on an anvil")),
    "bell": Subject(things.bell, ("a bell", "a church bell swinging", "a bell hanging from a beam")),
    "door-slam": Subject(things.door, ("a door closing", "a door in its frame", "a wooden door slams shut")),
    "car-pass": Subject(vehicles.car, ("a car on a road", "a car driving past", "a car passes on the street")),
    "train": Subject(vehicles.train, ("a train on rails", "a train passing", "railway wagons behind an engine")),
    "helicopter": Subject(vehicles.helicopter, ("a helicopter", "a helicopter flying", "a helicopter with its rotor")),
    "bicycle": Subject(vehicles.bicycle, ("a bicycle", "a bicycle from the side", "a bike with two wheels")),
}
"""By the class of the vocabulary that it sounds like."""


def picture(sound: str, ranges: Ranges, *, seed: int, moved: float = 0.0) -> Pixels:
    """Return a picture of something that sounds, shape (96, 128, 3), RGB.

    Args:
        sound: Class of the vocabulary, of `SUBJECTS`.
        ranges: From what its appearance is drawn.
        seed: Which of all such pictures.
        moved: How far the thing has moved across, in picture widths: for frames of a clip.
    """
    rng = np.random.default_rng((seed, *sound.encode()))
    look = drawn(ranges, rng)
    ground = FAMILIES[look.backdrop](rng)
    canvas = Canvas(ground, look.x + moved, look.y, UNIT * look.size, tilt=look.tilt, mirrored=look.mirrored)
    SUBJECTS[sound].paint(canvas, look, rng)
    return _taken(canvas.pixels, look, rng)


def empty(ranges: Ranges, *, seed: int) -> Pixels:
    """Return a picture of a backdrop with nothing before it."""
    rng = np.random.default_rng((seed, 1))
    look = drawn(ranges, rng)
    return _taken(FAMILIES[look.backdrop](rng), look, rng)


def abstract(ranges: Ranges, *, seed: int) -> Pixels:
    """Return a picture that shows nothing."""
    rng = np.random.default_rng((seed, 2))
    look = drawn(ranges, rng)
    return _taken(FAMILIES[str(rng.choice(ranges.abstracts))](rng), look, rng)


def _taken(pixels: Pixels, look: Appearance, rng: np.random.Generator) -> Pixels:
    """Return the picture as a camera takes it: shrunk, lit from one side, with grain."""
    small = cv2.resize(pixels, (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_AREA).astype(np.float32)
    uneven = 1 + rng.uniform(-0.15, 0.15) * np.linspace(-1, 1, WIDTH_PX)[None, :, None]
    grain = rng.normal(0.0, 1.0, small.shape) * look.grain
    return np.clip(small * look.exposure * uneven + grain, 0, 255).astype(np.uint8)
