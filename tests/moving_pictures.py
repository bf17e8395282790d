"""Pictures whose motion, cuts and light are known, drawn frame by frame, and the observers that look at them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from foley.analysis.observers.view import one_thread
from foley.analysis.watch import Observers
from foley.media.reader import Frame
from foley.model import Cue, Picture

Image = npt.NDArray[np.uint8]
WIDTH_PX, HEIGHT_PX = 384, 216
SHUTTER_S, EXPOSURES = 1 / 60, 4
"""A film camera's shutter: what moves fast is blurred."""


def texture(seed: int, *, width_px: int = WIDTH_PX, height_px: int = HEIGHT_PX, cell_px: int = 12) -> Image:
    """Return a cloudy coloured picture."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(40, 216, (height_px // cell_px, width_px // cell_px, 3)).astype(np.uint8)
    return np.asarray(cv2.resize(coarse, (width_px, height_px), interpolation=cv2.INTER_CUBIC), np.uint8)


BACKGROUND = texture(1)
THING = texture(2, width_px=72, height_px=72, cell_px=9)


def with_thing(background: Image, x_px: float, y_px: float) -> Image:
    """Return the background with a textured square around a place, to a fraction of a pixel."""
    place = np.array([[1, 0, x_px - THING.shape[1] / 2], [0, 1, y_px - THING.shape[0] / 2]], np.float32)
    size = background.shape[1::-1]
    cover = cv2.warpAffine(np.ones(THING.shape[:2], np.float32), place, size)[..., None]
    return np.asarray(background * (1 - cover) + cv2.warpAffine(THING, place, size) * cover, np.uint8)


def exposed(draw: Callable[[float], Image]) -> Callable[[float], Image]:
    """Return the drawing as a camera sees it: the mean over the time that its shutter is open."""
    opened = np.linspace(-SHUTTER_S, 0, EXPOSURES)
    return lambda time_s: np.asarray(np.mean([draw(time_s + part) for part in opened], axis=0), np.uint8)


def film(draw: Callable[[float], Image], times_s: Iterable[float]) -> list[Frame]:
    """Return the frames at the given times, with a camera's noise."""
    rng = np.random.default_rng(0)
    frames = []
    for time_s in times_s:
        noisy = draw(time_s) + rng.normal(0, 2, (HEIGHT_PX, WIDTH_PX, 1))
        frames.append(Frame(float(time_s), np.clip(noisy, 0, 255).astype(np.uint8)))
    return frames


def regular(rate_hz: float, length_s: float) -> npt.NDArray[np.float64]:
    """Return the times of frames at an even rate."""
    return np.arange(round(length_s * rate_hz)) / rate_hz


def watched(frames: Sequence[Frame]) -> Picture:
    """Return what the observers make of frames."""
    observers = Observers()
    with one_thread():
        for frame in frames:
            observers.see(frame)
    return observers.picture(frames[-1].time_s + 0.04)


def times_of(picture: Picture, cue: Cue) -> list[float]:
    """Return when a cue's impacts are."""
    return [impact.time_s for impact in picture.impacts if impact.cue == cue]


def hammering(hits_s: Sequence[float], *, fall_s: float = 0.25, rest_s: float = 0.1) -> Callable[[float], Image]:
    """Return a drawing of something that falls ever faster, stops at each of the times, rests, and is lifted slowly."""
    top_px, bottom_px = 70.0, 140.0

    def draw(time_s: float) -> Image:
        y_px = top_px
        for hit_s in hits_s:
            if hit_s - fall_s <= time_s < hit_s:
                y_px = top_px + (bottom_px - top_px) * ((time_s - hit_s + fall_s) / fall_s) ** 2
            elif hit_s <= time_s < hit_s + rest_s:
                y_px = bottom_px
            elif hit_s + rest_s <= time_s < hit_s + rest_s + 0.3:
                y_px = top_px + (bottom_px - top_px) * (0.5 + 0.5 * np.cos(np.pi * (time_s - hit_s - rest_s) / 0.3))
        return with_thing(BACKGROUND, 230, y_px)

    return exposed(draw)


def kicking(starts_s: Sequence[float]) -> Callable[[float], Image]:
    """Return a drawing of something at rest that jerks aside at each of the times and slowly comes back."""

    def draw(time_s: float) -> Image:
        x_px = 200.0
        for start_s in starts_s:
            if start_s <= time_s < start_s + 0.07:
                x_px = 200 - 40 * (time_s - start_s) / 0.07
            elif start_s + 0.07 <= time_s < start_s + 0.7:
                x_px = 200 - 40 * (1 - (time_s - start_s - 0.07) / 0.63)
        return with_thing(BACKGROUND, x_px, 110)

    return exposed(draw)


def flashing(flashes_s: Sequence[float]) -> Callable[[float], Image]:
    """Return a dim scene whose left half lights up at each of the times and fades within a few tenths of a second."""

    def draw(time_s: float) -> Image:
        light = sum(np.exp(-(time_s - flash_s) / 0.12) for flash_s in flashes_s if time_s >= flash_s)
        scene = BACKGROUND * 0.4
        scene[:, : WIDTH_PX // 2] += 110 * min(1.0, light)
        return np.clip(scene, 0, 255).astype(np.uint8)

    return draw
