"""The library of recordings: whether prompts find the right ones, how exactly hits lie, what a big index costs.

The real recordings are those of FOLEY_TEST_MEDIA/sounds, where folders are classes; without them only the synthetic
index is measured. "dog" and "dogbark" hold the same.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
import soundfile

from benchmarks.figures import Figure, real_clips
from foley import plugins
from foley.contracts import GeneratorSettings, SoundRequest
from foley.dsp.onsets import onset_near
from foley.library import indexing
from foley.library.search import Query, search
from foley.library.store import Store
from foley.model import Hit, SoundEvent

COMMAND = "python -m benchmarks library"
ENTRIES = 10_000
FOUND_SHARE = 0.9
HIT_S = 0.001
SEARCH_S = 0.5
"""The first search also reads UCS; a plan of 40 sounds is looked up in seconds even if all were as slow."""
MEMORY_MB = 200
"""What an index of 10,000 may add to the process: its words stay in SQLite, its array is mapped."""

PROMPTS = {
    "body_hit": "a fist punches a body",
    "ceramic_break": "a ceramic plate breaks",
    "cloth": "clothes rustle",
    "dogbark": "a dog barks",
    "door": "a door closes",
    "drip": "water drips",
    "explosion": "a big explosion",
    "glass_break": "glass shatters",
    "glass_hit": "a glass is struck",
    "gunshot": "pistol shot",
    "latch": "a door latch clicks",
    "metal_hit": "metal impact",
    "plastic_hit": "a plastic box is hit",
    "step_bare": "barefoot steps",
    "step_carpet": "footsteps on carpet",
    "step_dirt": "footsteps on dirt",
    "step_grass": "footsteps on grass",
    "step_gravel": "footsteps on gravel",
    "step_ice": "footsteps on ice",
    "step_metal": "footsteps on metal stairs",
    "step_sand": "footsteps on sand",
    "step_snow": "footsteps on snow",
    "step_stone": "footsteps on stone",
    "step_water": "footsteps in water",
    "step_wood": "footsteps on a wooden floor",
    "stone_hit": "a rock is hit",
    "whoosh": "a fast whoosh",
    "wood_hit": "wood impact",
    "baby": "a baby cries",
    "birds": "birds sing",
    "chainsaw": "a chainsaw runs",
    "clock": "a clock ticks",
    "dog": "a dog barks",
    "engine": "a car engine idles",
    "fire": "a camp fire crackles",
    "helicopter": "a helicopter hovers",
    "night": "a summer night with crickets",
    "rain": "heavy rain",
    "room": "quiet room tone",
    "rooster": "a rooster crows",
    "sea": "waves break on a beach",
    "sneeze": "a person sneezes",
    "stream": "a small brook babbles",
    "wind": "wind howls",
}
"""What somebody would type who wants a recording of the class; written without looking at its files' names."""

SAME = {"dog": "dogbark", "dogbark": "dog"}

NOUNS = ("door", "hammer", "glass", "gravel", "engine", "rain", "dog", "paper", "metal", "wood", "water", "bell")
VERBS = ("slam", "hit", "scrape", "roll", "drop", "break", "open", "close", "rattle", "squeak")


def finds(store: Store, name: str) -> bool:
    """Return whether a class's prompt finds one of its recordings among the first three."""
    found = {match.path.parent.name for match in search(store, Query(PROMPTS[name]), count=3)}
    return not found.isdisjoint({name, SAME.get(name, name)})


def measure() -> list[Figure]:
    """Return what was found."""
    with tempfile.TemporaryDirectory() as folder:
        figures = synthetic(Path(folder))
    clips = real_clips()
    sounds = clips.parent / "sounds" if clips else None
    if sounds and sounds.is_dir():
        with tempfile.TemporaryDirectory() as folder:
            figures += real(sounds, Path(folder))
    return figures


def synthetic(folder: Path) -> list[Figure]:
    """Return time and memory of an index of many short recordings."""
    rng, rate_hz = np.random.default_rng(0), 16_000
    for number in range(ENTRIES):
        noun, verb = NOUNS[number % len(NOUNS)], VERBS[number // len(NOUNS) % len(VERBS)]
        place = folder / "sounds" / noun
        place.mkdir(parents=True, exist_ok=True)
        wave = rng.standard_normal(3200) * np.exp(-np.arange(3200) / rng.uniform(200, 1500))
        soundfile.write(place / f"{noun}_{verb}_{number:05d}.wav", 0.1 * wave, rate_hz)
    process = psutil.Process()
    before_mb = process.memory_info().rss / 2**20
    with Store(folder / "index", create=True) as store:
        built_s = timed(lambda: indexing.add(store, folder / "sounds"))
        again_s = timed(lambda: indexing.add(store, folder / "sounds"))
        times_s = [timed(lambda q=f"a {noun} {verb}s": search(store, Query(q))) for noun in NOUNS for verb in VERBS]
        grown_mb = process.memory_info().rss / 2**20 - before_mb
    size_mb = sum(path.stat().st_size for path in (folder / "index").iterdir()) / 2**20
    slowest_s = max(times_s)
    return [
        Figure(f"indexing {ENTRIES} recordings of 0.2 s", f"{built_s:.0f} s", "seconds", built_s < 120, COMMAND),
        Figure("indexing them again, unchanged", f"{again_s:.1f} s", "", None, COMMAND),
        Figure(
            "a search among them, median and slowest",
            f"{1000 * np.median(times_s):.0f} and {1000 * slowest_s:.0f} ms",
            f"under {1000 * SEARCH_S:.0f} ms",
            slowest_s < SEARCH_S,
            COMMAND,
        ),
        Figure("memory it adds", f"{grown_mb:.0f} MB", f"under {MEMORY_MB} MB", grown_mb < MEMORY_MB, COMMAND),
        Figure("the index on disk", f"{size_mb:.0f} MB", "", None, COMMAND),
    ]


def real(sounds: Path, folder: Path) -> list[Figure]:
    """Return how well real recordings are found, and how exactly their hits are placed."""
    with Store(folder / "index", create=True) as store:
        indexing.add(store, sounds)
        names = [name for name in PROMPTS if any((sounds / kind / name).is_dir() for kind in ("events", "textures"))]
        found = {name: finds(store, name) for name in names}
    share = sum(found.values()) / len(found)
    missed = ", ".join(name for name, good in found.items() if not good)
    errors_s = [one for name in names if (sounds / "events" / name).is_dir() for one in errors(folder / "index", name)]
    exact = float(np.mean(np.abs(errors_s) <= HIT_S))
    return [
        Figure(
            f"a prompt finds its class among the first three, of {len(found)} classes",
            f"{share:.0%}" + (f" (not: {missed})" if missed else ""),
            f"at least {FOUND_SHARE:.0%}",
            share >= FOUND_SHARE,
            COMMAND,
        ),
        Figure(
            f"hits within 1 ms of their instants, of {len(errors_s)} that could be measured",
            f"{exact:.1%}, median {1000 * float(np.median(np.abs(errors_s))):.2f} ms",
            "at least 99 %",
            exact >= 0.99,
            COMMAND,
        ),
    ]


def errors(index: Path, name: str, hits: int = 8) -> list[float]:
    """Return how far the onsets of hits are off, in seconds."""
    times = tuple(Hit(float(4 * number), 0.9) for number in range(hits))
    event = SoundEvent("e", PROMPTS[name], "hits", "foley", 0.0, 4.0 * hits, "", hits=times, prompt=PROMPTS[name])
    generator = plugins.build("generator", "library", GeneratorSettings(str(index)))
    lead_s, ring_s = generator.margins_s(event)
    found = []
    for hit in times:
        one = SoundEvent(**{**fields(event), "hits": (hit,)})
        request = SoundRequest(one, hit.time_s - lead_s, lead_s + ring_s + 0.1, np.random.default_rng(1))
        (audio,) = generator.generate([request])
        onset_s = onset_near(audio, lead_s, 0.1)
        if onset_s is not None:
            found.append(onset_s - lead_s)
    return found


def fields(event: SoundEvent) -> dict[str, object]:
    """Return an event's fields by name."""
    return {name: getattr(event, name) for name in SoundEvent.__slots__}


def timed(work: object) -> float:
    """Return how long something takes, in seconds."""
    started = time.perf_counter()
    work()  # type: ignore[operator]
    return time.perf_counter() - started


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    for figure in measure():
        print(figure.holds, figure.what, figure.value, figure.wanted)
