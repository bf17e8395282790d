"""Breaking: glass, ceramic, wood.

The break itself is one burst and marks the instant; shards and splinters fall after it, smaller and later ones weaker,
so that none of them passes for a second break.

Sources: S. Zambon, "Accurate sound synthesis of 3D object collisions in interactive virtual scenarios", PhD thesis,
Verona 2012 (the energy of a break is used up by its fragments); P. Houle, J. Sethna, "Acoustic emission from crumpling
paper", Phys. Rev. E 54, 1996 (heavy-tailed energies).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from foley.synth.chain import mixed, peak_of, recorded_hit
from foley.synth.contacts import size_of
from foley.synth.excitation import Signal, bounces, decay, length_samples, low_passed
from foley.synth.finish import add_at, defaults_of
from foley.synth.landing import Landing, landed_hit
from foley.synth.materials import CERAMIC, GLASS, WOOD, Material, body, struck
from foley.synth.recipe import HitRecipe, MakesHit, Mono
from foley.synth.resonators import resonant_grains, ring_modes, thud
from foley.synth.textures import Spectrum, noise, shower, spectrum
from foley.units import RATE_HZ


@dataclass(frozen=True, slots=True)
class Brittle:
    """What shatters."""

    material: Material
    centre_hz: float
    """Median of the shards' lowest modes."""
    shards: float
    """At strength 1."""
    duration_s: float
    rush: float
    """Peak of the finest debris re the break."""
    late: float
    """Level of what falls later, re the break."""
    grind: float
    """Peak of what a shard's edges add re its ring."""
    body_hz: float
    """Thud of what it lands on."""
    body: float
    """Its peak re the break."""
    crack: Spectrum
    """Of the burst while cracks run."""
    landing: Landing | None = None
    """How it lands; None where shards leave nothing else to be heard."""


FRACTURE = spectrum({60: -8, 200: 15, 700: 14, 2500: 6, 6000: 0, 12000: -4, 20000: -16})
"""Of glass and splintering wood: flat per band from 0.5 to 12 kHz."""

DULL_FRACTURE = spectrum({60: -12, 200: 12, 1200: 9, 2500: 0, 6000: -7, 12000: -13, 20000: -24})
"""Of crockery: its cracks run slower, and it is thicker."""

CROCKERY = Landing(leans=0.5, treble_db=-1.5, treble_spread_db=2.0, cut_hz=150.0, tail_db=None)
"""Meets the floor with its rim; what it leaves behind are its own shards."""

BRITTLE = {
    "glass_shatter": Brittle(
        GLASS,
        4200.0,
        110.0,
        1.6,
        rush=0.40,
        late=0.22,
        grind=1.0,  # edges as sharp as these scrape as loud as they ring: breaking panes have few lasting lines
        body_hz=150.0,
        body=0.20,
        crack=FRACTURE,
    ),
    "ceramic_break": Brittle(
        CERAMIC,
        2200.0,
        40.0,
        1.0,
        rush=0.12,
        late=0.035,
        grind=0.5,
        body_hz=150.0,
        body=0.20,
        crack=DULL_FRACTURE,
        landing=CROCKERY,
    ),
}

POOL = 10
"""Shards computed of each sort; they recur at other levels among a hundred."""

EARLY_SHARE = 0.45
"""Shards that ring while the cracks still run; the others fall first."""


def _fracture(rng: np.random.Generator, crack: Spectrum) -> Signal:
    length = length_samples(0.2)
    t_s = np.arange(length) / RATE_HZ
    return peak_of(noise(rng, length, crack) * (np.exp(-t_s / 0.004) + 0.4 * np.exp(-t_s / 0.035)))


def _shard(rng: np.random.Generator, kind: Brittle, *, pitch: float, early: bool) -> Signal:
    f = pitch * kind.centre_hz * np.exp(rng.normal(0.0, 0.6)) * np.concatenate([[1.0], rng.uniform(1.3, 3.4, 4)])
    ring = 0.45 if early else 1.0  # shards that still touch others ring shorter
    t60 = np.array([kind.material.t60_s(hz, ring) for hz in f.tolist()]) * np.exp(rng.normal(0.0, 0.3, 5))
    length = length_samples(min(0.35, float(t60.max())))
    gains = np.exp(rng.normal(0.0, 0.5, 5))
    rung = peak_of(ring_modes(f, t60, gains, length, phases=rng.uniform(0.0, 6.28, 5), floor_db=-50.0))
    # edges grind on what they fall on: without it a heap of shards is a heap of little bells
    grind = low_passed(rng.standard_normal(length) * decay(length, length / RATE_HZ), 2.0 * float(f[0]), 1)
    return rung + peak_of(grind, kind.grind)


def _shards(rng: np.random.Generator, kind: Brittle, count: int, *, pitch: float, late: float) -> Signal:
    """Return shards that ring while the cracks run, and those that fall after them and bounce."""
    sound = np.zeros(length_samples(kind.duration_s))
    pool = {early: [_shard(rng, kind, pitch=pitch, early=early) for _ in range(POOL)] for early in (True, False)}
    mean_s = rng.uniform(0.09, 0.14)
    for _ in range(count):
        early = bool(rng.random() < EARLY_SHARE)
        start_s = rng.exponential(0.018) if early else 0.03 + rng.gamma(2.2, mean_s)
        level = (0.30 if early else late) * float(np.exp(rng.normal(0.0, 0.6) - 1.4 * start_s))
        times, speeds = bounces(rng, rng.uniform(0.04, 0.11), rng.uniform(0.3, 0.55), 1 if early else 3)
        shard = pool[early][rng.integers(POOL)]
        for time_s, speed in zip((start_s + times).tolist(), speeds.tolist(), strict=True):
            add_at(sound, level * speed * shard, int(time_s * RATE_HZ))
    return sound


def _shatter(rng: np.random.Generator, kind: Brittle, strength: float, *, large: float) -> Signal:
    # no two things break alike: some fly apart at once, others rain down
    late = kind.late * float(np.exp(rng.normal(0.0, 0.4)))
    pitch = 2.0 ** (0.5 - large) * float(np.exp(rng.normal(0.0, 0.15)))
    count = int(kind.shards * (0.3 + 0.7 * strength) * (0.4 + 1.2 * large)) + 5
    sound = _shards(rng, kind, count, pitch=pitch, late=late)
    # what is too small to be heard singly runs out as one rush, without an instant of its own
    rush = noise(rng, len(sound), kind.crack) * decay(len(sound), 0.8 * kind.duration_s * (0.5 + large))
    floor = thud(rng, kind.body_hz * 1.4 ** (0.5 - large), 0.12, noise=0.5)
    return mixed(_fracture(rng, kind.crack), sound, peak_of(rush, kind.rush), kind.body * (0.5 + large) * floor)


def _shatter_maker(name: str) -> MakesHit:
    kind = BRITTLE[name]

    def make(rng: np.random.Generator, strength: float, /, *, size: float | str = 0.5, **_: float | str) -> Mono:
        sound = _shatter(rng, kind, strength, large=size_of(size))
        if kind.landing is None:
            return recorded_hit(rng, sound, strength, ring_s=kind.duration_s)
        return landed_hit(rng, rng, sound, strength, landing=kind.landing, ring_s=kind.duration_s)

    return make


def wood_crack(rng: np.random.Generator, strength: float, /, *, size: float | str = 0.6, **_: float | str) -> Mono:
    """Return wood that snaps: the break, then splinters for a third of a second, ever fewer.

    `size` 0 is a twig, 1 a beam; or small, medium, large.
    """
    snap = struck(rng, body(rng, WOOD, size=size_of(size)), strength, support=0.3)
    length = length_samples(0.35)
    fewer = np.linspace(1.0, 0.0, length) ** 2.5
    grains = resonant_grains(rng, 400.0, 4500.0, quality=(1.0, 5.0), decay_s=0.006, count=32)
    splinters = shower(rng, length, grains, rate_hz=260.0, sigma=1.2, curve=fewer) * fewer**0.5
    tear = noise(rng, length, FRACTURE) * decay(length, 0.06)
    return recorded_hit(rng, mixed(snap, peak_of(splinters, 0.2), peak_of(tear, 0.7)), strength, ring_s=0.6)


RECIPES = (
    *(
        HitRecipe(
            name,
            "breaking",
            _shatter_maker(name),
            {"size": 0.5},
            ring_s=kind.duration_s,
            source="fracture and bouncing shards: Zambon 2012",
        )
        for name, kind in BRITTLE.items()
    ),
    HitRecipe("wood_crack", "breaking", wood_crack, defaults_of(wood_crack), ring_s=0.6, source="Houle & Sethna 1996"),
)
