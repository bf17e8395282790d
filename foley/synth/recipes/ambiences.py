"""Places: streets, woods, shores, halls, plants; and the world under water."""

from __future__ import annotations

import numpy as np

from foley.synth.bubbles import bubbles
from foley.synth.excitation import low_passed
from foley.synth.finish import character, defaults_of, number, settled
from foley.synth.moving import Layer, frame_times_s, layered, slow_frames
from foley.synth.places import (
    PRESSES,
    add_hum,
    add_settling,
    air,
    birds_far_off,
    leaves,
    murmur,
    strokes,
    traffic,
)
from foley.synth.recipe import MakesTexture, Mono, TextureRecipe
from foley.synth.recipes.insects import crickets
from foley.synth.textures import erb_spectrum, reverberant, shower, spectrum, unit_energy

# --- green -----------------------------------------------------------------------------------------------------------


def amb_forest(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    song: float | str = 0.5,
    breeze: float | str = 0.4,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a forest: air, leaves in the wind, birds some way off.

    Args:
        rng: Chance.
        intensity: Of every sample.
        song: 0 a winter's wood, 0.5 a summer's day, 1 a dawn in May.
        breeze: 0 still, 1 all leaves move.
        variant: Which forest.
    """
    singing, moving = number(song, 0.0, 1.0, "song"), number(breeze, 0.0, 1.0, "breeze")
    count, wood = len(intensity), character("amb_forest", variant)
    layers = air(rng, wood, count, "forest", level=0.7) + leaves(rng, count, 0.9 * moving)
    sound = layered(rng, count, layers)
    if singing > 0.0:
        kinds = ("songbirds", "blackbird", "tits", "songbirds")
        sound += (
            2.2
            * singing
            * birds_far_off(rng, count, kinds=kinds, busy=0.4 + 1.2 * singing, grove="forest", variant=variant)
        )
    return settled(sound, intensity, rms=0.85)


def amb_jungle(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    song: float | str = 0.6,
    insects: float | str = 0.6,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a jungle: a wall of insects, calls that echo under the canopy, air that stands.

    Args:
        rng: Chance.
        intensity: Of every sample.
        song: 0 to 1: how often birds call.
        insects: 0 to 1.
        variant: Which jungle.
    """
    calling, teeming = number(song, 0.0, 1.0, "song"), number(insects, 0.0, 1.0, "insects")
    count, wood = len(intensity), character("amb_jungle", variant)
    sound = layered(rng, count, air(rng, wood, count, "jungle", level=0.7) + leaves(rng, count, 0.15))
    if teeming > 0.0:
        even = np.ones(count, np.float32)
        sound += 5.0 * teeming * crickets(rng, even, kind="cicada", count=2, variant=variant)
    if calling > 0.0:
        kinds = ("pigeons", "songbirds", "cuckoo", "songbirds")
        sound += (
            2.0 * calling * birds_far_off(rng, count, kinds=kinds, busy=0.5 + calling, grove="jungle", variant=variant)
        )
    return settled(sound, intensity, rms=0.85)


def amb_night(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    insects: float | str = 0.5,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a night in the country: still air and crickets, a few near and more far off, seldom an owl.

    Args:
        rng: Chance.
        intensity: Of every sample.
        insects: 0 a winter's night, 1 a hot summer's.
        variant: Which place.
    """
    chirping = number(insects, 0.0, 1.0, "insects")
    count, place = len(intensity), character("amb_night", variant)
    sound = layered(rng, count, air(rng, place, count, "night"))
    if chirping > 0.0:
        even = np.ones(count, np.float32)
        sound += 8.0 * chirping * crickets(rng, even, count=4, variant=variant)
        sound += 0.25 * birds_far_off(rng, count, kinds=("owl",), busy=0.6, grove="night", variant=variant)
    return settled(sound, intensity, rms=1.1)


def amb_garden(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    song: float | str = 0.5,
    town: float | str = 0.3,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a garden or park: a few birds, some leaves, the town behind the hedge.

    Args:
        rng: Chance.
        intensity: Of every sample.
        song: 0 to 1: how much birds sing.
        town: 0 to 1: how near it is.
        variant: Which garden.
    """
    singing, near = number(song, 0.0, 1.0, "song"), number(town, 0.0, 1.0, "town")
    count, garden = len(intensity), character("amb_garden", variant)
    layers = air(rng, garden, count, "field", level=0.8) + leaves(rng, count, 0.25)
    layers += traffic(rng, count, 1.5 * near, cars_hz=0.12, distance_m=(60.0, 140.0))
    sound = layered(rng, count, layers)
    if singing > 0.0:
        kinds = ("sparrows", "blackbird", "tits")
        sound += (
            2.0 * singing * birds_far_off(rng, count, kinds=kinds, busy=0.4 + singing, grove="garden", variant=variant)
        )
    return settled(sound, intensity, rms=0.95)


SURF = erb_spectrum((-12, -5, -2, -1, -2, -4, -8, -13, -20, -27))
WASH = erb_spectrum((-24, -16, -10, -6, -4, -2, -1, -1, -3, -6))


def amb_seaside(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    gulls: float | str = 0.4,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a shore heard from the promenade: surf some way off, wind, gulls; waves close by are the recipe `sea`.

    Args:
        rng: Chance.
        intensity: Of every sample.
        gulls: 0 to 1: how often they cry.
        variant: Which shore.
    """
    crying, count = number(gulls, 0.0, 1.0, "gulls"), len(intensity)
    shore = character("amb_seaside", variant)
    times_s = frame_times_s(count)
    period_s = shore.uniform(6.0, 9.0)
    beat = times_s / period_s + 0.12 * slow_frames(rng, count, 0.3) + rng.random()
    breaking = np.exp(1.1 * np.cos(2 * np.pi * beat)) / 1.6
    # what runs up the sand hisses after what broke
    running = np.exp(1.3 * np.cos(2 * np.pi * (beat - 0.22))) / 1.9
    swell = np.exp(0.25 * slow_frames(rng, count, 0.15))
    layers = [Layer(SURF, 0.75 * breaking * swell), Layer(WASH, 0.30 * running * swell)]
    layers += air(rng, shore, count, "field", level=0.45)
    sound = layered(rng, count, layers)
    if crying > 0.0:
        sound += (
            1.2
            * crying
            * birds_far_off(rng, count, kinds=("gulls", "gulls"), busy=0.35, grove="seaside", variant=variant)
        )
    return settled(sound, intensity, rms=0.88)


# --- town ------------------------------------------------------------------------------------------------------------


def amb_city(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    traffic_flow: float | str = 0.5,
    people: float | str = 0.0,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a city heard from a side street: its drone, cars that swell and fade a block away.

    Args:
        rng: Chance.
        intensity: Of every sample.
        traffic_flow: 0 a courtyard, 0.5 a side street, 1 a main street.
        people: 0 nobody, 1 a pedestrian precinct.
        variant: Which city.
    """
    flow, crowd = number(traffic_flow, 0.0, 1.0, "traffic_flow"), number(people, 0.0, 1.0, "people")
    count, town = len(intensity), character("amb_city", variant)
    nearest_m = 30.0 - 22.0 * flow
    layers = air(rng, town, count, "city")
    layers += traffic(rng, count, 0.4 + 0.8 * flow, cars_hz=0.12 + 0.2 * flow, distance_m=(nearest_m, nearest_m + 25.0))
    if crowd > 0.0:
        layers += murmur(rng, town, count, 0.5 * crowd)
    return settled(layered(rng, count, layers), intensity, rms=1.13 + 0.55 * flow)


def amb_court(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    people: float | str = 0.4,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a sports ground: open air, a town behind it, people around it.

    Args:
        rng: Chance.
        intensity: Of every sample.
        people: 0 an empty court, 1 full stands that wait.
        variant: Which ground.
    """
    crowd, count = number(people, 0.0, 1.0, "people"), len(intensity)
    ground = character("amb_court", variant)
    layers = air(rng, ground, count, "field", level=0.8) + leaves(rng, count, 0.10)
    layers += traffic(rng, count, 0.5, cars_hz=0.12, distance_m=(50.0, 120.0))
    layers += murmur(rng, ground, count, 0.8 * crowd)
    return settled(layered(rng, count, layers), intensity, rms=float(np.hypot(0.85, 1.45 * crowd)))


# --- under a roof ----------------------------------------------------------------------------------------------------


def amb_station(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    people: float | str = 0.6,
    trains: float | str = 0.5,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a station: a great hall, people in it, trains that rumble in and out of earshot.

    Args:
        rng: Chance.
        intensity: Of every sample.
        people: 0 night, 1 rush hour.
        trains: 0 none, 1 one after the other.
        variant: Which station.
    """
    crowd, rolling = number(people, 0.0, 1.0, "people"), number(trains, 0.0, 1.0, "trains")
    count, house = len(intensity), character("amb_station", variant)
    layers = air(rng, house, count, "hall", level=0.6) + murmur(rng, house, count, 0.9 * crowd)
    passing = np.clip(slow_frames(rng, count, 0.10), 0.0, 1.6) * (1 + 0.15 * slow_frames(rng, count, 7.0))
    layers += [Layer(RAILS, rolling * passing), Layer(WHEELS, 0.25 * rolling * passing**1.5)]
    sound = reverberant(rng, layered(rng, count, layers), house.uniform(1.6, 2.4), wet=0.6, corner_hz=3000.0)
    return settled(sound, intensity, rms=float(np.hypot(1.2, 2.0 * crowd)))


RAILS = spectrum({30: -3, 80: 0, 250: -4, 800: -10, 2500: -20, 8000: -36})
WHEELS = spectrum({300: -20, 1200: -4, 2500: 0, 5000: -8, 12000: -26})


def amb_factory(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    machines: float | str = 0.6,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a plant: the drone of its motors and fans, presses and conveyors at their own paces.

    Args:
        rng: Chance.
        intensity: Of every sample.
        machines: 0 they stand and only the fans run, 1 all work.
        variant: Which plant.
    """
    working, count = number(machines, 0.0, 1.0, "machines"), len(intensity)
    plant = character("amb_factory", variant)
    sound = layered(rng, count, air(rng, plant, count, "plant", level=0.65))
    add_hum(sound, plant, 0.30)
    if working > 0.0:
        for machine in PRESSES:
            sound += 5.0 * working * strokes(rng, plant, count, machine, 0.9)
    return settled(sound, intensity, rms=1.0)


def amb_workshop(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    machines: float | str = 0.3,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return a workshop: its air and lamps, a compressor or saw in the next bay, things that settle.

    Args:
        rng: Chance.
        intensity: Of every sample.
        machines: 0 after hours, 1 a busy day next door.
        variant: Which workshop.
    """
    working, count = number(machines, 0.0, 1.0, "machines"), len(intensity)
    shop = character("amb_workshop", variant)
    sound = layered(rng, count, air(rng, shop, count, "workshop"))
    add_hum(sound, shop, 0.25)
    add_settling(sound, rng, shop, rate_hz=0.6, level=0.04)
    if working > 0.0:
        # a wall takes what lies above 700 Hz
        sound += 10.0 * working * low_passed(strokes(rng, shop, count, PRESSES[1], 0.5), 700.0, 1)
    return settled(sound, intensity, rms=1.05)


# --- under water -----------------------------------------------------------------------------------------------------


def amb_underwater(
    rng: np.random.Generator,
    intensity: Mono,
    /,
    *,
    bubbling: float | str = 0.5,
    variant: float | str = 0,
    **_: float | str,
) -> Mono:
    """Return the world under water: a dull pressure, and a few large bubbles.

    Args:
        rng: Chance.
        intensity: Of every sample.
        bubbling: 0 the deep sea, 1 a diver's.
        variant: Which water.
    """
    rising, count = number(bubbling, 0.0, 1.0, "bubbling"), len(intensity)
    sound = layered(rng, count, air(rng, character("amb_underwater", variant), count, "underwater"))
    grains = unit_energy(bubbles(rng, (3.0, 20.0), 32, rise=0.3))
    sound += 0.4 * rising * shower(rng, count, grains, rate_hz=5.0, sigma=0.6)
    return settled(low_passed(sound, 1200.0), intensity, rms=1.05)


def _recipe(name: str, make: MakesTexture, source: str) -> TextureRecipe:
    return TextureRecipe(name, "ambience", make, defaults_of(make), source)


MEASURED = "band levels of recorded places"

RECIPES = (
    _recipe("amb_forest", amb_forest, MEASURED),
    _recipe("amb_jungle", amb_jungle, MEASURED),
    _recipe("amb_night", amb_night, MEASURED),
    _recipe("amb_garden", amb_garden, MEASURED),
    _recipe("amb_seaside", amb_seaside, MEASURED),
    _recipe("amb_city", amb_city, MEASURED),
    _recipe("amb_court", amb_court, MEASURED),
    _recipe("amb_station", amb_station, MEASURED),
    _recipe("amb_factory", amb_factory, MEASURED),
    _recipe("amb_workshop", amb_workshop, MEASURED),
    _recipe("amb_underwater", amb_underwater, "low-pass of water and air; Minnaert 1933"),
)
