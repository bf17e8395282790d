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
from foley.synth.excitation import Signal, bounces, decay, length_samples
from foley.synth.finish import defaults_of
from foley.synth.materials import CERAMIC, GLASS, WOOD, Material, body, struck
from foley.synth.recipe import HitRecipe, MakesHit, Mono
from foley.synth.resonators import resonant_grains, ring_modes, thud
from foley.synth.textures import noise, shower, spectrum
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
    body_hz: float
    """Thud of what it lands on."""


BRITTLE = {
    "glass_shatter": Brittle(GLASS, 4800.0, 90.0, 1.6, 0.45, 150.0),
    "ceramic_break": Brittle(CERAMIC, 2600.0, 40.0, 1.0, 0.3, 130.0),
}

FRACTURE = spectrum({60: -12, 200: 4, 700: 6, 2500: 1, 6000: -2, 12000: -5, 20000: -16})
"""Of the burst while cracks run: flat per band from 1 to 12 kHz."""

EARLY_SHARE = 0.45
"""Shards that ring while the cracks still run; the others fall first."""


def _fracture(rng: np.random.Generator) -> Signal:
    length = length_samples(0.2)
    t_s = np.arange(length) / RATE_HZ
    return peak_of(noise(rng, length, FRACTURE) * (np.exp(-t_s / 0.004) + 0.4 * np.exp(-t_s / 0.03)))


def _shard(rng: np.random.Generator, kind: Brittle, early: bool) -> Signal:
    f = kind.centre_hz * np.exp(rng.normal(0.0, 0.55)) * np.concatenate([[1.0], rng.uniform(1.3, 3.4, 4)])
    ring = 0.45 if early else 1.0  # shards that still touch others ring shorter
    t60 = np.array([kind.material.t60_s(hz, ring) for hz in f.tolist()]) * np.exp(rng.normal(0.0, 0.3, 5))
    length = length_samples(min(0.35, float(t60.max())))
    gains = np.exp(rng.normal(0.0, 0.5, 5))
    return peak_of(ring_modes(f, t60, gains, length, phases=rng.uniform(0.0, 6.28, 5), floor_db=-50.0))


def _shatter(rng: np.random.Generator, kind: Brittle, strength: float) -> Signal:
    sound = np.zeros(length_samples(kind.duration_s))
    pool = {early: [_shard(rng, kind, early) for _ in range(16)] for early in (True, False)}
    for _ in range(int(kind.shards * (0.3 + 0.7 * strength)) + 5):
        early = bool(rng.random() < EARLY_SHARE)
        start_s = rng.exponential(0.018) if early else 0.03 + rng.gamma(2.2, 0.11)
        level = (0.30 if early else 0.07) * float(np.exp(rng.normal(0.0, 0.6) - 1.4 * start_s))
        times, speeds = bounces(rng, rng.uniform(0.04, 0.11), rng.uniform(0.3, 0.55), 1 if early else 3)
        shard = pool[early][rng.integers(16)]
        for time_s, speed in zip((start_s + times).tolist(), speeds.tolist(), strict=True):
            at = int(time_s * RATE_HZ)
            fits = max(0, min(len(shard), len(sound) - at))
            sound[at : at + fits] += level * speed * shard[:fits]
    # what is too small to be heard singly runs out as one rush, without an instant of its own
    rush = noise(rng, len(sound), FRACTURE) * decay(len(sound), 0.8 * kind.duration_s)
    floor = thud(rng, kind.body_hz, 0.12, noise=0.5)
    return mixed(_fracture(rng), sound, peak_of(rush, kind.rush), 0.3 * floor)


def _shatter_maker(name: str) -> MakesHit:
    kind = BRITTLE[name]

    def make(rng: np.random.Generator, strength: float, /, **_: float | str) -> Mono:
        return recorded_hit(rng, _shatter(rng, kind, strength), strength, ring_s=kind.duration_s)

    return make


def wood_crack(rng: np.random.Generator, strength: float, /, *, size: float | str = 0.6, **_: float | str) -> Mono:
    """Return wood that snaps: the break, then splinters for a third of a second, ever fewer."""
    snap = struck(rng, body(rng, WOOD, size=float(size)), strength, support=0.3)
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
            ring_s=kind.duration_s,
            source="fracture and bouncing shards: Zambon 2012",
        )
        for name, kind in BRITTLE.items()
    ),
    HitRecipe("wood_crack", "breaking", wood_crack, defaults_of(wood_crack), ring_s=0.6, source="Houle & Sethna 1996"),
)
