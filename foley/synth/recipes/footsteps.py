"""Footsteps: floors that answer with modes, grounds that crunch.

A step on a hard floor is a heel strike, a short scuff, and the ball of the foot coming down 40 to 65 ms later, so early
and soft that it is not taken for another step. On loose ground the force of the foot (heel and toe humps) sets how many
grains break and slip; what the whole foot does in its first milliseconds marks the instant of landing, because the
crunch itself may swell for 180 ms.

`shoe` is rubber, leather, heel or bare; `run` 0 walks, 1 runs; `variant` is another stretch of floor.

Sources: P. Cook, "Modeling Bill's gait", AES 22nd Int. Conf., 2002; F. Fontana, R. Bresin, "Physics-based sound
synthesis and control: crushing, walking and running by crumpling sounds", Coll. Musical Informatics, 2003; L. Turchet,
"Footstep sounds synthesis", Applied Acoustics 107, 2016. Spectra and decays are fitted to recorded steps.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from foley.synth.chain import delayed, faded, mixed, peak_of, recorded_hit, tilted
from foley.synth.excitation import (
    Signal,
    decay,
    ground_force,
    hertz_gain,
    length_samples,
    low_passed,
    noise_burst,
)
from foley.synth.finish import character, choice, defaults_of
from foley.synth.materials import smoothed_by_contact
from foley.synth.recipe import HitRecipe, MakesHit, Mono
from foley.synth.recipes.water import splash
from foley.synth.resonators import resonant_grains, ring_modes, thud
from foley.synth.surfaces import FLOORS, GROUNDS, SHOES, Floor, Shoe
from foley.synth.textures import noise, shower, slow_random, spectrum
from foley.units import RATE_HZ

SOURCE = "ground reaction force and grains: Cook 2002; Fontana & Bresin 2003; Turchet 2016"


@cache
def _pool(name: str) -> list[Signal]:
    """Return the grains of a ground: made once, scattered differently in every step."""
    ground = GROUNDS[name]
    return resonant_grains(
        character(name, 0), ground.low_hz, ground.high_hz, quality=ground.quality, decay_s=ground.decay_s
    )


def on_floor(
    rng: np.random.Generator, floor: Floor, shoe: Shoe, strength: float, *, run: float, spot: np.random.Generator
) -> Signal:
    """Return a dry step on a hard floor: heel, scuff, ball of the foot.

    Args:
        rng: Source of chance for this step.
        floor: What is stepped on.
        shoe: What with.
        strength: 0 to 1.
        run: 0 to 1; a running foot lands flat, within 30 ms.
        spot: Source of chance for the floor, the same for all steps on it.
    """
    f = np.sort(np.exp(spot.uniform(np.log(floor.lowest_hz), np.log(floor.highest_hz), floor.modes)))
    t60 = floor.t60_s * (f / 300.0) ** -0.55 * np.exp(spot.normal(0.0, 0.3, len(f)))
    gains = 10.0 ** (floor.tilt_db * np.log2(f / f[0]) / 20.0) * np.exp(spot.normal(0.0, 0.4, len(f)))
    gains = gains * np.exp(rng.normal(0.0, 0.3, len(f)))  # no two steps fall on the same board
    contact_s = shoe.contact_s * max(strength, 0.05) ** -0.3
    gap_s = rng.uniform(0.04, 0.065) * (1.0 - run) + rng.uniform(0.005, 0.03) * run

    def contact(duration_s: float) -> Signal:
        excited = gains * hertz_gain(f, duration_s)
        length = length_samples(min(1.2, 1.3 * float(t60.max()) + 0.03))
        ringing = ring_modes(f, t60, excited, length, phases=rng.uniform(-0.4, 0.4, len(f)))
        return smoothed_by_contact(peak_of(ringing), duration_s)

    sharp = (0.0008 / contact_s) ** 0.4  # re a leather heel: harder and faster ones click more
    click = noise(rng, length_samples(floor.click_t60_s), floor.click_spectrum)
    click = peak_of(click * decay(len(click), floor.click_t60_s), floor.click * sharp)
    heel = mixed(
        contact(contact_s), click, floor.thud * thud(rng, spot.uniform(75.0, 110.0), floor.thud_t60_s, noise=0.3)
    )
    toe = rng.uniform(0.06, 0.12) * contact(4.0 * contact_s)
    scuff = floor.scuff * _scuff(rng, gap_s, 6000.0)
    return mixed(shoe.heel * heel, delayed(toe, gap_s), scuff)


def _scuff(rng: np.random.Generator, gap_s: float, highest_hz: float) -> Signal:
    length = length_samples(gap_s + 0.16)
    shape = spectrum({60: -16, 250: -2, 900: 0, 3000: -4, 8000: -12, 16000: -26})
    swell = np.exp(-(((np.arange(length) / RATE_HZ - 1.1 * gap_s) / 0.05) ** 2))
    rough = np.maximum(0.0, 0.6 + 0.5 * slow_random(rng, length, 70.0, 2))
    return peak_of(low_passed(noise(rng, length, shape) * swell * rough, highest_hz, 1))


def on_ground(rng: np.random.Generator, name: str, strength: float, *, run: float) -> Signal:
    """Return a dry step on loose ground, peak about 1."""
    ground = GROUNDS[name]
    length = length_samples(ground.duration_s * rng.uniform(0.85, 1.2) * (1.0 - 0.35 * run))
    t = np.linspace(0.0, 1.0, length)
    force = np.interp(t**ground.swell, t, ground_force(length, run, push=0.3))
    # the heel brings the weight at once and the foot rolls on without lifting: no second landing is heard
    force = np.maximum.accumulate(force[::-1])[::-1] * (0.4 + 0.6 * decay(length, 0.5))
    # avalanches: grains break in bursts, 45 a second
    force = np.clip(force * np.maximum(0.0, 1.0 + 0.3 * slow_random(rng, length, 45.0, 2)), 0.0, 2.0)
    crunch = shower(
        rng,
        length,
        _pool(name),
        rate_hz=2.0 * ground.rate_hz * max(strength, 0.05) ** 0.5,
        sigma=ground.sigma,
        curve=np.minimum(1.0, 0.5 * force),
    )
    rub = noise(rng, length, ground.rub_spectrum) * force * (0.7 + 0.3 * np.abs(slow_random(rng, length, 90.0, 2)))
    grains = (1.0 - ground.rub) * crunch * force**0.7 + ground.rub * rub
    grains = np.tanh(grains / (4.0 * float(np.sqrt(np.mean(grains * grains))) + 1e-12))  # a lone grain must not tower
    grains = grains * np.minimum(1.0, 10.0 ** (-2.0 * (2.0 * t - 1.0)))  # the last grains settle: 40 dB in half a step
    landing = peak_of(noise(rng, length, ground.rub_spectrum) * decay(length, 0.06), 0.6)
    landing = mixed(landing, 0.4 * noise_burst(rng, 0.03, low_hz=200.0, high_hz=ground.landing_hz))
    foot = peak_of(thud(rng, ground.thud_hz * rng.uniform(0.85, 1.15), 0.11, noise=0.5), ground.thud * strength)
    return mixed(faded(grains, 0.0, 0.05), 1.4 * landing, 0.8 * foot)


def _floor_maker(name: str, usual_shoe: str) -> MakesHit:
    def make(
        rng: np.random.Generator,
        strength: float,
        /,
        *,
        shoe: float | str = usual_shoe,
        run: float | str = 0.0,
        variant: float | str = 0,
        **_: float | str,
    ) -> Mono:
        worn = choice(SHOES, shoe, "shoe")
        spot = character(f"floor of {name}", variant)
        sound = on_floor(rng, FLOORS[name], worn, strength, run=float(run), spot=spot)
        return recorded_hit(rng, sound, strength, ring_s=0.9, wet=0.25)

    return make


def _ground_maker(name: str) -> MakesHit:
    def make(
        rng: np.random.Generator,
        strength: float,
        /,
        *,
        shoe: float | str = "rubber",
        run: float | str = 0.0,
        **_: float | str,
    ) -> Mono:
        worn = choice(SHOES, shoe, "shoe")
        step = on_ground(rng, name, strength, run=float(run))
        if name == "gravel":  # stones pass the heel's blow on to one another
            spot = character("floor of gravel", 0)
            step = mixed(step, 0.25 * on_floor(rng, FLOORS["stone"], worn, strength, run=float(run), spot=spot))
        return recorded_hit(rng, step, strength, ring_s=0.9, wet=0.2)

    return make


def step_water(
    rng: np.random.Generator, strength: float, /, *, depth: float | str = 0.2, run: float | str = 0.0, **_: float | str
) -> Mono:
    """Return a step into a puddle: a slap of the sole, then spray and bubbles; `depth` 0 a film, 1 a wade."""
    spray = tilted(splash(rng, 1.0, size=0.1 + 0.4 * float(depth)).astype(np.float64), 0.4, 1500.0)
    slap = noise_burst(rng, 0.05, low_hz=250.0, high_hz=3500.0)
    slosh = noise_burst(rng, 0.4, low_hz=200.0, high_hz=1200.0)
    foot = thud(rng, rng.uniform(90.0, 130.0), 0.1)
    sound = mixed(peak_of(spray), (0.3 + 0.3 * float(run)) * slap, 0.3 * slosh, 0.25 * foot)
    return recorded_hit(rng, sound, strength, ring_s=1.2, wet=0.2)


def step_bare(
    rng: np.random.Generator,
    strength: float,
    /,
    *,
    floor: float | str = "tile",
    run: float | str = 0.0,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a bare foot: a soft heel, and skin that slaps up to 7 kHz."""
    kind = choice(FLOORS, floor, "floor")
    spot = character(f"floor of {floor}", variant)
    sole = on_floor(rng, kind, SHOES["bare"], strength, run=float(run), spot=spot)
    heel = thud(rng, rng.uniform(80.0, 120.0), 0.2, noise=0.3)
    skin = noise_burst(rng, 0.04, low_hz=500.0, high_hz=7000.0)
    return recorded_hit(rng, mixed(0.7 * sole, 0.8 * heel, (0.25 + 0.35 * strength) * skin), strength, ring_s=0.5)


def _recipe(name: str, make: MakesHit, ring_s: float = 0.9) -> HitRecipe:
    return HitRecipe(f"step_{name}", "footsteps", make, defaults_of(make), ring_s=ring_s, source=SOURCE)


RECIPES = (
    *(_recipe(name, _floor_maker(name, "rubber" if name == "carpet" else "leather")) for name in FLOORS),
    *(_recipe(name, _ground_maker(name)) for name in GROUNDS),
    _recipe("water", step_water, 1.2),
    _recipe("bare", step_bare, 0.5),
)
