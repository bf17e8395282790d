"""Locks, switches, keys of keyboards, shutters of cameras: small things that click.

The strongest contact comes first: what is seen is what is heard.

Source: A. Farnell, "Designing Sound", 2010; contacts timed as in recorded locks, switches and keyboards.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from foley.synth.chain import delayed, faded, mixed, peak_of, recorded_hit
from foley.synth.excitation import length_samples, noise_burst
from foley.synth.finish import character, choice, defaults_of
from foley.synth.materials import PLASTIC, STEEL, WOOD, body
from foley.synth.parts import clack, row, tick
from foley.synth.recipe import HitRecipe, MakesHit, Mono
from foley.synth.resonators import thud
from foley.synth.sessions import Session
from foley.units import RATE_HZ

SNAPPING = Session(low_hz=60.0, low_spread=0.4, high_hz=9000.0, high_spread=0.8, tilt_db=7.0, peak_db=4.0)
"""Locks are buried in a door or lie bare: 10 to 18 dB lie between recordings above 2 kHz."""
LATCH_RING = 0.03
"""A bolt is held by its case: what is heard is the blow, hardly a note."""


def latch(rng: np.random.Generator, strength: float, /, *, variant: float | str = 0, **_: float | str) -> Mono:
    """Return a bolt that snaps into its plate, with the lock case's short thud."""
    chance = character("latch", variant)
    case = thud(rng, chance.uniform(210.0, 280.0), 0.05, noise=0.4)
    sound = mixed(clack(rng, chance, strength, ring=LATCH_RING), 0.3 * case)
    return recorded_hit(rng, SNAPPING.recorded(chance, sound), strength, ring_s=0.4)


PINS = 5
"""Of a cylinder lock: each falls into its cut as the key goes in."""


def lock(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    kind: float | str = "door",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a lock: door (the bolt is thrown, the key jiggles after), padlock, or bolt (a long one that is pushed)."""
    chance = character(f"lock {kind}", variant)
    size, ring, slide_s = choice(
        {"door": (0.5, 0.05, 0.0), "padlock": (0.25, 0.12, 0.0), "bolt": (0.8, 0.1, 0.2)}, kind, "kind"
    )
    bolt = clack(rng, chance, strength, size=size, ring=ring)
    case = thud(rng, chance.uniform(150.0, 230.0) * (1.3 - 0.6 * size), 0.07, noise=0.4)
    pin = tick(rng, body(chance, STEEL, size=0.02, ring=0.15), 0.5 * strength, rough=0.6)
    jiggle = row(
        rng, [pin], gaps_s=rng.uniform(0.015, 0.06, PINS), levels=0.16 * np.exp(0.4 * rng.standard_normal(PINS))
    )
    sound = mixed(bolt, 0.4 * case, delayed(jiggle, rng.uniform(0.09, 0.16)))
    if slide_s > 0.0:  # it grates before it strikes its stop
        grate = faded(
            noise_burst(rng, 4.0 * slide_s, low_hz=700.0, high_hz=5000.0)[: length_samples(slide_s)], 0.002, 0.05
        )
        sound = mixed(sound, delayed(0.12 * grate, 0.02))
    return recorded_hit(rng, sound, strength, ring_s=0.7)


def switch(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    kind: float | str = "light",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a switch: light (the rocker's snap and its stop 8 to 20 ms later), button, mouse or lever (steel)."""
    sizes = {"light": (PLASTIC, 0.10, 0.008, 0.020), "button": (PLASTIC, 0.3, 0.02, 0.05)}
    sizes |= {"mouse": (PLASTIC, 0.0, 0.05, 0.09), "lever": (STEEL, 0.3, 0.01, 0.03)}
    material, size, soonest_s, latest_s = choice(sizes, kind, "kind")
    chance = character(f"switch {kind}", variant)
    ring = 0.08 if material is STEEL else 0.8
    snap = tick(rng, body(chance, material, size=size, ring=ring), strength)
    stop = tick(rng, body(chance, material, size=0.5 * size, ring=ring), 0.7 * strength)
    plate = thud(rng, chance.uniform(230.0, 380.0), 0.03, noise=0.3)
    sound = mixed(snap, 0.25 * plate, delayed(0.5 * stop, rng.uniform(soonest_s, latest_s)))
    return recorded_hit(rng, sound, strength, ring_s=0.4)


@dataclass(frozen=True, slots=True)
class Keyboard:
    """How a key sounds."""

    cap: float
    """Size of what the finger meets."""
    bottom: float
    """Peak of its end of travel re the cap."""
    release: float
    metal: float
    """Peak of the type bar or spring."""


KEYBOARDS = {
    "keyboard": Keyboard(0.2, 0.4, 0.04, 0.0),
    "laptop": Keyboard(0.1, 0.25, 0.02, 0.0),
    "mechanical": Keyboard(0.25, 0.7, 0.12, 0.15),
    "typewriter": Keyboard(0.5, 0.6, 0.15, 0.9),
}


def key_press(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    kind: float | str = "keyboard",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a key of a keyboard, laptop, mechanical keyboard or typewriter: cap, bottom 12 to 25 ms later, release.

    Every key of a keyboard is another size; a typewriter's bar strikes the platen.
    """
    chance, type_ = character(f"key_press {kind}", variant), choice(KEYBOARDS, kind, "kind")
    key = rng.uniform(-0.1, 0.1)
    cap = tick(rng, body(chance, PLASTIC, size=type_.cap + key, ring=0.7), strength, hardness=0.95)
    board = body(chance, PLASTIC, size=0.6 + key, ring=0.8)
    bottom = mixed(tick(rng, board, strength, hardness=0.85), 0.4 * thud(rng, chance.uniform(110.0, 170.0), 0.05))
    release = tick(rng, body(chance, PLASTIC, size=0.1, ring=0.7), 0.4 * strength, hardness=0.9)
    sound = mixed(cap, delayed(type_.bottom * bottom, rng.uniform(0.012, 0.025)))
    sound = mixed(sound, delayed(type_.release * release, rng.uniform(0.07, 0.12)))
    if type_.metal > 0.0:
        bar = mixed(
            tick(rng, body(chance, STEEL, size=0.4, ring=0.08), strength),
            0.8 * tick(rng, body(chance, WOOD, size=0.6, ring=0.5), strength, hardness=0.8),
        )
        sound = mixed(sound, type_.metal * bar)
    return recorded_hit(rng, sound, strength, ring_s=0.4)


def camera(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    kind: float | str = "reflex",
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a camera's shutter: reflex (mirror up, curtains, mirror down), film (it winds on), leaf."""
    chance = character(f"camera {kind}", variant)
    mirror_level, winds = choice({"reflex": (1.0, False), "film": (1.0, True), "leaf": (0.0, False)}, kind, "kind")
    blade = tick(rng, body(chance, STEEL, size=0.05, ring=0.03), strength, rough=0.7)
    curtains = row(rng, [blade], gaps_s=rng.uniform(0.009, 0.02, 2), levels=np.array([1.0, 0.7]))
    sound = mixed(curtains)
    if mirror_level > 0.0:
        mirror = mixed(
            tick(rng, body(chance, PLASTIC, size=0.35, ring=0.6), strength),
            0.6 * thud(rng, chance.uniform(150.0, 210.0), 0.05, noise=0.5),
        )
        sound = mixed(
            peak_of(mirror), 0.5 * delayed(curtains, 0.022), delayed(0.7 * peak_of(mirror), rng.uniform(0.06, 0.09))
        )
    if winds:
        length = length_samples(0.45)
        t_s = np.arange(length) / RATE_HZ
        angle = 2 * np.pi * np.cumsum(chance.uniform(420.0, 560.0) * (1.0 - 0.4 * np.exp(-t_s / 0.05))) / RATE_HZ
        whir = np.sin(angle) + 0.6 * np.sin(2 * angle) + 0.4 * np.sin(5 * angle) + 0.5 * rng.standard_normal(length)
        sound = mixed(sound, delayed(0.13 * faded(whir, 0.03, 0.04), 0.11))
    return recorded_hit(rng, sound, strength, ring_s=0.8)


def _hit(name: str, make: MakesHit, ring_s: float) -> HitRecipe:
    source = "Farnell 2010; contacts timed as in recorded locks, switches and keyboards"
    return HitRecipe(name, "mechanisms", make, defaults_of(make), ring_s=ring_s, source=source)


RECIPES = (
    _hit("latch", latch, 0.4),
    _hit("lock", lock, 0.7),
    _hit("switch", switch, 0.4),
    _hit("key_press", key_press, 0.4),
    _hit("camera", camera, 0.8),
)
