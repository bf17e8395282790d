"""What rendering a plan would take, said before anything is loaded: who makes each event, where, how long."""

from __future__ import annotations

import importlib.metadata
import platform
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from foley.errors import GenerationError, LicenceError, OptionError
from foley.model import SoundEvent
from foley.neural import licences, weights
from foley.render.model_voice import ModelVoice
from foley.render.routing import AUTO, Licence, Roster
from foley.render.strikes import TAKE_S
from foley.render.studio import Studio
from foley.render.takes import TakesOptions

LIGHT_REALTIME = 20.0
"""Seconds of sound per second of a generator that holds no model: nine in ten recipes of synthesis are faster on one
core of a small machine; the slowest, steps in water, makes 7."""

CPU_FACTOR = 2
"""A CPU computes in single precision, where a GPU computes in half: the weights take twice the memory."""

NVIDIA = (Path("/dev/nvidiactl"), Path("/dev/dxg"), Path("C:/Windows/System32/nvcuda.dll"))
"""One of them is there where a driver for CUDA is: Linux, its subsystem on Windows, Windows."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What one event would take."""

    event: str
    label: str
    generator: str
    """"" where nobody can make it."""
    model: str
    """Name in the catalogue, or as it was given; "" where none is held or known."""
    licence: str
    """Of the weights: an id of licences.yaml."""
    device: str
    """cpu, cuda, mps, or remote."""
    memory_mb: int | None
    """Expected when loaded, on the device; None where nobody has measured it."""
    sound_s: float
    """How much sound is asked for."""
    time_s: float | None
    """Estimate, without loading; None where nobody has measured how fast the generator is on such a device."""
    notes: tuple[str, ...] = ()
    """Why nobody can make it, or not who was named; what stands in the way."""


def roster_of(
    generator: str,
    *,
    models: Sequence[str],
    licence: str,
    region: str,
    device: str,
    max_vram_mb: int,
    quantise: str = "",
) -> Roster:
    """Return the rules for choosing generators, as rendering would have them.

    Raises:
        OptionError: where one of them is none.
    """
    try:
        opts = TakesOptions(
            generator,
            licence=cast(Licence, licence),
            region=region,
            models=tuple(models),
            device=device,
            max_vram_mb=max_vram_mb,
            quantise=cast(Literal["", "8bit", "4bit"], quantise),
        )
    except ValueError as cause:
        raise OptionError(str(cause)) from cause
    return Roster(opts.generator, opts.fallback, opts.licence, opts.region, settings=opts.settings())


def forecasts(events: Iterable[SoundEvent], roster: Roster) -> list[Forecast]:
    """Return what each event that is heard would take, in the order of the plan.

    Raises:
        UnknownPluginError: where a generator's name is nobody's.
    """
    return [_forecast(event, roster) for event in events if not event.muted]


def likely_device(wanted: str) -> str:
    """Return where models would run, without asking torch: that alone takes seconds."""
    if wanted != "auto":
        return wanted
    try:
        version = importlib.metadata.version("torch")
    except importlib.metadata.PackageNotFoundError:
        return "cpu"
    if "+cpu" not in version and any(path.exists() for path in NVIDIA):
        return "cuda"
    return "mps" if (sys.platform, platform.machine()) == ("darwin", "arm64") else "cpu"


def _forecast(event: SoundEvent, roster: Roster) -> Forecast:
    studio, notes = _maker(event, roster)
    if studio is None:
        return Forecast(event.id, event.label, "", "", "", "", None, event.duration_s, None, notes)
    sound_s = _asked_s(event, studio)
    model = _model_of(studio, roster)
    known = weights.catalogue().get(model)
    device = _device_of(studio, roster)
    memory_mb = _memory_mb(studio, known, device)
    licence = known.weights_licence if known else studio.capabilities.weights_licence
    time_s = _time_s(studio, known, device, sound_s=sound_s)
    notes = (*notes, *_too_little(memory_mb, device, roster.settings.max_vram_mb))
    return Forecast(event.id, event.label, studio.name, model, licence, device, memory_mb, sound_s, time_s, notes)


def _maker(event: SoundEvent, roster: Roster) -> tuple[Studio | None, tuple[str, ...]]:
    """Return who would make an event, and what is to be said of it; who was named but is not ready yet counts too."""
    try:
        route = roster.route(event)
    except GenerationError as cause:
        named = event.generator if roster.generator == AUTO else roster.generator
        reason = cause.message.removeprefix(f"event {event.id}: ")
        unready = named != AUTO and not isinstance(cause, LicenceError) and roster.studio(named).missing
        return (roster.studio(named), (reason.partition(": ")[2] or reason,)) if unready else (None, (reason,))
    return route.studio(0), route.notes


def _asked_s(event: SoundEvent, studio: Studio) -> float:
    """Return how much sound is asked for: of hits that are cut out of takes and placed, some takes, however long it is.

    What windows of long sounds have in common is left out: a twentieth.
    """
    if event.kind == "hits" and not studio.capabilities.hit_exact:
        return min(len(event.hits), TakesOptions().variations) * min(TAKE_S, studio.capabilities.max_duration_s)
    return event.duration_s + sum(studio.generator.margins_s(event))


def _model_of(studio: Studio, roster: Roster) -> str:
    """Return the model that a generator would play: the one that was named, else its own choice."""
    named = roster.settings.models.get(studio.name, "")
    return studio.generator.model if isinstance(studio.generator, ModelVoice) else named


def _device_of(studio: Studio, roster: Roster) -> str:
    if studio.capabilities.remote:
        return "remote"
    return likely_device(roster.settings.device) if studio.heavy else "cpu"


def _memory_mb(studio: Studio, known: weights.Weights | None, device: str) -> int | None:
    """Return what the model takes: of one that is here by its files, else by the catalogue."""
    if device == "remote":
        return 0
    if not studio.heavy:
        return studio.capabilities.memory_mb
    voice = studio.generator if isinstance(studio.generator, ModelVoice) else None
    if voice and voice.place() and not studio.missing:
        return voice.size_mb(device)
    own_mb = None if voice else studio.capabilities.memory_mb
    halves_mb = known.memory_mb if known else own_mb
    return halves_mb * (CPU_FACTOR if device == "cpu" else 1) if halves_mb else None


def _time_s(studio: Studio, known: weights.Weights | None, device: str, *, sound_s: float) -> float | None:
    if not studio.heavy and not studio.capabilities.remote:
        return sound_s / LIGHT_REALTIME
    rate = known.rates.get(device) if known else None
    return sound_s / rate.realtime if rate else None


def _too_little(memory_mb: int | None, device: str, max_vram_mb: int) -> tuple[str, ...]:
    if not memory_mb or device not in ("cuda", "mps") or not max_vram_mb or memory_mb <= max_vram_mb:
        return ()
    return (f"needs about {memory_mb} MB, where --max-vram allows {max_vram_mb} MB",)


def summary(found: Sequence[Forecast]) -> list[str]:
    """Return in words what all events together would take: each model once, and what its licence asks for."""
    lines = []
    used = dict.fromkeys((one.generator, one.model, one.device) for one in found if one.generator)
    for generator, model, device in used:
        of_it = [one for one in found if (one.generator, one.model, one.device) == (generator, model, device)]
        times_s = [one.time_s for one in of_it if one.time_s is not None]
        memory = "memory unknown" if of_it[0].memory_mb is None else f"about {of_it[0].memory_mb} MB"
        time = f"about {sum(times_s):.1f} s" if len(times_s) == len(of_it) else "time unknown"
        asked_s = sum(one.sound_s for one in of_it)
        lines.append(f"{model or generator} on {device}: {len(of_it)} sounds, {asked_s:.1f} s; {memory}, {time}")
        lines += [f"  {source}" for source in _sources(model, device)]
        lines += [f"  {said}" for said in [licences.licence(of_it[0].licence).conditions] if said]
    return [*lines, *_reckoned(found), *_refused(found)]


def _sources(model: str, device: str) -> list[str]:
    """Return who measured how fast a model is; nothing where nobody did."""
    known = weights.catalogue().get(model)
    return [f"as measured by {known.rates[device].source}"] if known and device in known.rates else []


def _reckoned(found: Sequence[Forecast]) -> list[str]:
    """Return where figures of memory come from, where there are any of models."""
    models = any(one.model and one.memory_mb for one in found)
    return ["memory is reckoned from the weights' files or as their publishers say: it was not measured"] * models


def _refused(found: Sequence[Forecast]) -> list[str]:
    count = sum(not one.generator for one in found)
    return [f"{count} sounds that nobody can make"] if count else []
