"""The user's own recordings, found by what they are named for: cut at their onsets, played on, varied, blended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from foley import plugins
from foley.contracts import Capabilities, Generator, GeneratorSettings, SoundRequest, makers
from foley.errors import FoleyError, GenerationError
from foley.library.store import location
from foley.model import Audio, Hit, SoundEvent
from foley.render.shelf import (
    AMONG_OTHERS_S,
    HELD_S,
    LONGEST_RING_S,
    Choice,
    Shelf,
    chance,
    looked_through,
    loop_of,
    ring_s,
)
from foley.units import RATE_HZ, to_samples

if TYPE_CHECKING:
    from foley.render.recordings import Cut

NAME = "library"

VERSION = "1"
"""Raise it when the same recordings give another sound for the same request."""

GOOD = 0.6
"""Mark from which on a recording is taken rather than what is synthesised: it is named for most of what is asked."""

BETTER_THAN_POOR = 0.5
"""The same, where the plan says that synthesis is poor."""

ANY = 0.2
"""The same, where a person named this generator."""

MOST_CUTS = 48
"""Different hits in turn: nobody hears that the 49th is the first."""

ONE_SHOT_S = 1.0
"""What does not go on evenly and is shorter is one blow: a span is then a series of them."""

STRETCH = (0.6, 1.6)
"""What is performed once (a creak, a slide) is made shorter or longer so far; beyond, it is cut, or follows itself."""

SERIES_RATE_HZ = 5.0
"""Hits a second of a span that is made of blows, as in typing; its parameter `rate_hz` overrules it."""

EDGE_S = 0.005
"""Fades where a sound's cause starts and ends: short of a click, too short to hear."""

OWN_PARAMETERS = ("blend", "blend_with")

Wave = npt.NDArray[np.float32]


class Library:
    """Plays recordings of the index; looks into it when it is first asked."""

    def __init__(self, folder: Path, settings: GeneratorSettings) -> None:
        """Take in where the index lies.

        Args:
            folder: Of the index.
            settings: Passed on to the generator that sounds are blended with.
        """
        self._settings = settings
        self._shelf = Shelf(folder, settings.licence)
        self.capabilities = Capabilities(
            kinds=frozenset({"hits", "span", "bed"}),
            rate_hz=RATE_HZ,
            channels=2,
            max_duration_s=30.0,
            hit_exact=True,
            code_licence="Apache-2.0",
            weights_licence="none",
            commercial=self._shelf.all_commercial(),
            rank=90,
            memory_mb=150,
        )

    def identity(self) -> str:
        """Return name, version, and what tells the index's content from another."""
        return f"{NAME}/{VERSION} {self._shelf.version()}"

    def missing(self) -> tuple[str, ...]:
        """Return how to index recordings, where none are."""
        return self._shelf.lacks()

    def made_with(self, event: SoundEvent) -> tuple[Generator, ...]:
        """Return whom its sound of an event is blended with, where it is: their licence holds for it, too."""
        name = str(event.parameters.get("blend_with", "procedural"))
        wanted = event.parameters.get("blend") and name != NAME and name in plugins.names("generator")
        return makers(plugins.build("generator", name, self._settings.of(name)), _unblended(event)) if wanted else ()

    def suits(self, event: SoundEvent) -> bool:
        """Return whether a recording is named for what the event is: well enough to be preferred, or at all."""
        wanted = ANY if event.generator == NAME else BETTER_THAN_POOR if event.placeholder else GOOD
        found = self._shelf.found(event)
        return bool(found) and found[0].mark >= wanted

    def margins_s(self, event: SoundEvent) -> tuple[float, float]:
        """Return room for a slow attack, and for the longest ring of the recordings; what goes on has neither."""
        from foley.render.recordings import LEAD_S

        choice = self._shelf.choice(event) if event.kind == "hits" else None
        return (LEAD_S, max(ring_s(match) for match in choice.matches)) if choice else (0.0, 0.0)

    def prepare(self) -> None:
        """Open the index."""
        self._shelf.lacks()

    def generate(self, requests: Sequence[SoundRequest]) -> list[Audio]:
        """Return one sound for each request.

        Raises:
            GenerationError: where no recording fits an event, or one cannot be read any more.
        """
        return [self._sound(request) for request in requests]

    def _sound(self, request: SoundRequest) -> Audio:
        event = request.event
        choice = self._shelf.choice(event)
        if choice is None:
            raise GenerationError(event.id, NAME, "no recording fits it")
        seed = int(request.rng.integers(2**63))
        try:
            samples = self._made(choice, request, seed)
            made = Audio(samples, RATE_HZ, (choice.told,))
            return self._blended(made, request, seed) if float(event.parameters.get("blend", 0.0)) else made
        except GenerationError:
            raise
        except (FoleyError, ValueError) as cause:
            raise GenerationError(event.id, NAME, str(cause)) from cause

    def _made(self, choice: Choice, request: SoundRequest, seed: int) -> Wave:
        event = request.event
        if event.kind == "hits":
            return _struck(self._cuts(choice, event), request, event.hits, seed)
        if choice.goes_on:
            return _going_on(self._stretch(choice, event), request, seed)
        if choice.first.features["duration_s"] < ONE_SHOT_S and event.kind == "span":
            return _struck(self._cuts(choice, event), request, list(_series(event)), seed)
        return _performed(self._stretch(choice, event), request, seed)

    def _blended(self, made: Audio, request: SoundRequest, seed: int) -> Audio:
        """Return the sound with a body that is partly another generator's."""
        from foley.dsp.resample import resample
        from foley.render.blending import blended
        from foley.render.recordings import cuts

        event = request.event
        name, share = str(event.parameters.get("blend_with", "procedural")), float(event.parameters["blend"])
        if name == NAME or name not in plugins.names("generator"):
            raise ValueError(f"blend_with must name another generator, got {name!r}")
        other = plugins.build("generator", name, self._settings.of(name))
        asked = replace(request, event=_unblended(event), rng=np.random.default_rng(seed))
        if other.missing() or not other.suits(asked.event):
            return replace(made, notes=(*made.notes, f"not blended: {name} cannot make it"))
        other.prepare()
        body = resample(other.generate([asked])[0], RATE_HZ)
        if event.kind == "hits" and not other.capabilities.hit_exact:
            struck = cuts(Audio(_stereo(body.samples), RATE_HZ), name, tail_s=AMONG_OTHERS_S, most=MOST_CUTS)
            body = Audio(_struck(struck, asked, event.hits, seed), RATE_HZ)
        onsets_s = [hit.time_s - request.start_s for hit in event.hits]
        return replace(blended(made, body, onsets_s, share=share), notes=(*made.notes, f"blended with {name}"))

    def _cuts(self, choice: Choice, event: SoundEvent) -> list[Cut]:
        """Return the different hits that there are for an event, in the order in which they are played."""
        from foley.render.recordings import cuts, loaded, rounds

        def cut() -> list[Cut]:
            found: list[Cut] = []
            for match in choice.matches:
                for start_s, end_s in looked_through(match, event):
                    audio = loaded(match.path, start_s, end_s)
                    found += cuts(audio, match.path.name, tail_s=ring_s(match), most=MOST_CUTS)
            return rounds(found[:MOST_CUTS], chance(event))

        made = self._shelf.held(event, choice, cut)
        if not made:
            raise GenerationError(event.id, NAME, f"nothing begins in {choice.first.path.name}")
        return made

    def _stretch(self, choice: Choice, event: SoundEvent) -> Audio:
        """Return the part of a recording that an event is made of."""
        from foley.render.recordings import loaded, sounding

        match = choice.first

        def load() -> Audio:
            if not choice.goes_on:
                return sounding(loaded(match.path, 0.0, HELD_S))
            return loaded(match.path, *loop_of(match, event))

        return self._shelf.held(event, choice, load)


def build(settings: GeneratorSettings | None = None) -> Library:
    """Make the generator; its model is the folder of an index, else FOLEY_LIBRARY, else the user's own."""
    settings = settings or GeneratorSettings()
    return Library(Path(settings.model).expanduser() if settings.model else location(), settings)


def _unblended(event: SoundEvent) -> SoundEvent:
    """Return an event as the generator that it is blended with takes it."""
    plain = {key: value for key, value in event.parameters.items() if key not in OWN_PARAMETERS}
    return replace(event, parameters=plain)


def _struck(cut: Sequence[Cut], request: SoundRequest, hits: Sequence[Hit], seed: int) -> Wave:
    """Return the hits, each at its sample, one recorded hit after another.

    Where the round begins is drawn for the window; how a hit differs depends on its time alone.
    """
    from foley.render.recordings import CHANNELS, FEW, LEAD_S, laid, played

    total = np.zeros((CHANNELS, to_samples(request.duration_s, RATE_HZ)), np.float32)
    for number, hit in enumerate(hits, start=seed % max(len(cut), 1)):
        if not -LONGEST_RING_S < hit.time_s - request.start_s < request.duration_s + LEAD_S:
            continue
        rng = np.random.default_rng([seed, round(abs(hit.time_s) * 1e6)])
        strength = min(max(hit.strength, 0.0), 1.0)
        samples, onset = played(cut[number % len(cut)], rng, strength, alone=len(cut) < FEW)
        laid(total, samples, to_samples(hit.time_s - request.start_s, RATE_HZ) - onset)
    return _ended(np.clip(total, -1.0, 1.0))


def _ended(samples: Wave) -> Wave:
    """Return the sound with a short fade at its end: a window may be shorter than what rings in it."""
    count = min(to_samples(EDGE_S, RATE_HZ), samples.shape[1] // 4)
    samples[:, samples.shape[1] - count :] *= np.linspace(1.0, 0.0, count, dtype=np.float32)
    return samples


def _series(event: SoundEvent) -> Iterator[Hit]:
    """Yield hits for a span that is made of blows: irregular, fewer and softer where its curve is low.

    Gaps are gamma-distributed with a spread of 40 %: hands at work are neither a clock nor rain.
    """
    from foley.render.curves import intensity_at

    draw = chance(event)
    mean_s = 1.0 / max(0.05, float(event.parameters.get("rate_hz", SERIES_RATE_HZ)))
    time_s = event.start_s + 0.3 * mean_s * draw.random()
    while time_s < event.end_s:
        level = float(intensity_at(event, np.array([time_s]))[0])
        strength = level * draw.uniform(0.6, 1.0)
        if draw.random() < 0.3 + 0.7 * level and level > 0.0:
            yield Hit(time_s, strength)
        time_s += mean_s * draw.gamma(6.25, 0.16)


def _going_on(audio: Audio, request: SoundRequest, seed: int) -> Wave:
    """Return what goes on evenly, for as long as asked."""
    from foley.render.recordings import as_intense, played_on, usual_gain

    length = to_samples(request.duration_s, RATE_HZ)
    samples = played_on(audio, length, np.random.default_rng(seed)) * np.float32(usual_gain(audio))
    return as_intense(samples, _intensity(request))


def _performed(audio: Audio, request: SoundRequest, seed: int) -> Wave:
    """Return what is performed once, from its beginning, in the event's time."""
    from foley.dsp.stretch import stretch
    from foley.render.recordings import as_intense, played_on, turned, usual_gain

    event, gain = request.event, np.float32(usual_gain(audio))
    audio = turned(audio, np.random.default_rng(seed))
    ratio = event.duration_s / audio.duration_s
    if STRETCH[0] <= ratio <= STRETCH[1] and event.duration_s <= HELD_S:
        audio = stretch(audio, event.duration_s)
    begins = to_samples(request.start_s - event.start_s, RATE_HZ)
    length = to_samples(request.duration_s, RATE_HZ)
    before = min(max(-begins, 0), length)
    rng = np.random.default_rng([event.seed, seed])
    whole = played_on(audio, length - before + max(begins, 0), rng, from_start=True)[:, max(begins, 0) :]
    samples = np.pad(whole, ((0, 0), (before, 0))) * gain
    return as_intense(samples, _intensity(request))


def _intensity(request: SoundRequest) -> Wave:
    """Return the event's curve for every sample of the window, faded at the event's two ends."""
    from foley.render.curves import intensity_at

    event = request.event
    times_s = request.start_s + np.arange(to_samples(request.duration_s, RATE_HZ)) / RATE_HZ
    rise = np.clip((times_s - event.start_s) / EDGE_S, 0.0, 1.0)
    fall = np.clip((event.end_s - times_s) / EDGE_S, 0.0, 1.0)
    return np.asarray(np.clip(intensity_at(event, times_s), 0.0, 1.0) * rise * fall, np.float32)


def _stereo(samples: Wave) -> Wave:
    return np.repeat(samples, 2, axis=0) if samples.shape[0] == 1 else samples[:2]
