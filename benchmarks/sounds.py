"""Speed of the sound engine on one core: a finished minute in layers, every texture, every hit; over real time."""

from __future__ import annotations

import itertools
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from benchmarks.figures import Figure
from foley.contracts import SoundRequest
from foley.dsp.fades import equal_power
from foley.dsp.limiter import gain_between
from foley.dsp.profiles import PROFILES
from foley.mix.level import level, survey
from foley.model import Hit, SoundEvent
from foley.render.generators.procedural import build
from foley.synth.recipe import HitRecipe, Recipe, TextureRecipe, recipes
from foley.units import RATE_HZ, to_gain

TEXTURE_S = 10.0
ROUNDS = 3
SCENE_S = 60.0
STEPS, BLOWS, DOORS = 100, 20, 3
WINDOW_S, OVERLAP_S = 20.0, 1.0
MEDIAN_TEXTURE, LEAST_TEXTURE, MEDIAN_HIT_MS, SCENE = 120.0, 40.0, 8.0, 60.0


def measure() -> list[Figure]:
    """Return speeds, measured in a process of its own that may use one thread."""
    env = {**os.environ, **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")}
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.sounds"], env=env, check=True, capture_output=True, text=True
    )
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    textures = {name: float(speed) for kind, name, speed in rows if kind == "texture"}
    hits = {name: float(speed) for kind, name, speed in rows if kind == "hit"}
    (scene,) = (float(speed) for kind, _, speed in rows if kind == "scene")
    command = "python -m benchmarks sounds"
    slowest, dearest = min(textures, key=lambda name: textures[name]), max(hits, key=lambda name: hits[name])
    texture, hit = statistics.median(textures.values()), statistics.median(hits.values())
    least = textures[slowest]
    return [
        Figure(
            "a finished minute: 100 steps, 20 hits, doors, rain, room, limiter",
            f"{scene:.0f}x real time",
            f"at least {SCENE:.0f}x",
            scene >= SCENE,
            command,
        ),
        Figure(
            f"textures, median of {len(textures)}",
            f"{texture:.0f}x",
            f"at least {MEDIAN_TEXTURE:.0f}x",
            texture >= MEDIAN_TEXTURE,
            command,
        ),
        Figure(
            f"the slowest texture, {slowest}",
            f"{least:.0f}x",
            f"at least {LEAST_TEXTURE:.0f}x",
            least >= LEAST_TEXTURE,
            command,
        ),
        Figure(
            f"hits, median of {len(hits)}",
            f"{hit:.1f} ms",
            f"at most {MEDIAN_HIT_MS:.0f} ms",
            hit <= MEDIAN_HIT_MS,
            command,
        ),
        Figure(f"the dearest hit, {dearest}", f"{hits[dearest]:.0f} ms", "", None, command),
    ]


def _texture_speed(recipe: TextureRecipe) -> float:
    """Return how many times faster than real time a texture is made, the best of a few rounds."""
    intensity = np.ones(round(TEXTURE_S * RATE_HZ), np.float32)
    return TEXTURE_S / _least_s(
        lambda number: recipe.make(np.random.default_rng(number), intensity, **recipe.parameters)
    )


def _hit_ms(recipe: HitRecipe) -> float:
    return 1000 * _least_s(lambda number: recipe.make(np.random.default_rng(number), 0.8, **recipe.parameters))


def _least_s(make: Callable[[int], object]) -> float:
    """Return the least processor time of a few rounds; what is only prepared once does not count."""
    make(0)
    times_s = []
    for number in range(1, ROUNDS + 1):
        start_s = time.process_time()
        make(number)
        times_s.append(time.process_time() - start_s)
    return min(times_s)


def _scene_speed() -> float:
    """Return how many times faster than real time a layered minute is made, placed in stereo, levelled and limited."""
    return SCENE_S / _least_s(_finished_minute)


def _finished_minute(seed: int) -> npt.NDArray[np.float32]:
    """Return a minute of steps, blows, doors, rain and room tone at -23 LUFS under -1 dBTP, shape (2, samples)."""
    length = round(SCENE_S * RATE_HZ)
    layers = [(_whole(event, seed + number), event, pan) for number, (event, pan) in enumerate(_layers(seed))]
    total = np.zeros((2, length), np.float32)
    # second by second, as a mix is streamed
    seconds = [total[:, first : first + RATE_HZ] for first in range(0, length, RATE_HZ)]
    for made, event, pan in layers:
        angle = (pan + 1.0) * np.pi / 4
        gains = np.array([[np.cos(angle)], [np.sin(angle)]], np.float32) * np.float32(to_gain(event.level_db))
        for number, block in enumerate(seconds):
            block += gains * made[number * RATE_HZ : (number + 1) * RATE_HZ]
    levelled = level(survey([[block] for block in seconds]), PROFILES["ebu-r128"], offset_lu=0.0, margin_db=0.0)
    gain = np.float32(to_gain(levelled.gain_db))
    for number, block in enumerate(seconds):
        block *= gain * gain_between(levelled.curve, number * RATE_HZ, (number + 1) * RATE_HZ)
    return total


def _layers(seed: int) -> list[tuple[SoundEvent, float]]:
    """Return the minute's events, each with its place from left to right."""
    chance = np.random.default_rng(seed)

    def hits(recipe: str, count: int, level_db: float) -> SoundEvent:
        times_s = np.sort(chance.uniform(0.0, SCENE_S - 2.0, count))
        struck = tuple(Hit(float(at_s), float(chance.uniform(0.4, 1.0))) for at_s in times_s)
        event = SoundEvent(recipe, recipe, "hits", "foley", struck[0].time_s, struck[-1].time_s, "", hits=struck)
        return replace(event, recipe=recipe, level_db=level_db)

    def bed(recipe: str, level_db: float) -> SoundEvent:
        event = SoundEvent(recipe, recipe, "bed", "backgrounds", 0.0, SCENE_S, "")
        return replace(event, recipe=recipe, level_db=level_db)

    return [
        (hits("step_gravel", STEPS, -16.0), -0.3),
        (hits("hit_metal", BLOWS, -12.0), 0.4),
        (hits("door_slam", DOORS, -10.0), 0.7),
        (bed("rain", -12.0), 0.0),
        (bed("tone_interior", -26.0), 0.0),
    ]


def _whole(event: SoundEvent, seed: int) -> npt.NDArray[np.float32]:
    """Return an event's sound over the whole minute, made in windows that overlap, as a render does."""
    generator = build()
    pieces = []
    for number, first_s in enumerate(np.arange(0.0, SCENE_S, WINDOW_S - OVERLAP_S)):
        duration_s = min(WINDOW_S, SCENE_S - float(first_s))
        request = SoundRequest(event, float(first_s), duration_s, np.random.default_rng([seed, number]))
        pieces.append(generator.generate([request])[0].samples)
    own, overlap = round((WINDOW_S - OVERLAP_S) * RATE_HZ), round(OVERLAP_S * RATE_HZ)
    # a hit's sound depends on its time alone, so windows of hits are joined, not crossfaded
    if event.kind != "hits":
        rise = equal_power(overlap)
        for before, after in itertools.pairwise(pieces):
            after[0, :overlap] = before[0, own:] * rise[::-1] + after[0, :overlap] * rise
    return np.concatenate([*(piece[0, :own] for piece in pieces[:-1]), pieces[-1][0]])


def _report(kind: str, name: str, value: float) -> None:
    print(kind, name, f"{value:.3f}", sep="\t")


def _speed_of(recipe: Recipe) -> None:
    if isinstance(recipe, TextureRecipe):
        _report("texture", recipe.name, _texture_speed(recipe))
    else:
        _report("hit", recipe.name, _hit_ms(recipe))


if __name__ == "__main__":
    for each in recipes().values():
        _speed_of(each)
    _report("scene", "minute", _scene_speed())
