"""What a batch would take, said before anything is done; and what this machine holds."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from foley import api, plugins
from foley.batch.items import Item, Problem
from foley.batch.machine import WORKER_MB, cores, jobs_here
from foley.batch.models import Models, roster_of, takes_options
from foley.errors import FoleyError
from foley.model import Clip, SoundEvent
from foley.plan import events
from foley.render import forecast
from foley.render.routing import AUTO

__all__ = ["Estimate", "estimated", "roster_of", "takes_options"]

FIXED_S = 0.5
"""Of one core for a video, however short: programs that are started, files that are written."""

PICTURE_S = 0.24
"""Of one core for a second of 1080p at 25 frames, and in proportion to the pixels: twice a bare decode."""

SOUND_S = 0.06
"""Of one core for a second of sound, whatever the picture: planned, made, mixed, measured, written."""

PIXELS_S = 1920 * 1080 * 25
"""Of that picture, in a second."""

SOUND_BYTES_S = 288_000 * 8
"""For each second: three stems, mix, track and about as many takes again, at 48 kHz, 24 bit, in stereo."""

KEPT = 2.2
"""What the cache keeps beside that: raw takes and stems once more."""

SOUND_OF_MODELS = 2.0
"""Seconds of sound asked of a generator that is named, for a second of film that has no plan yet."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a batch would take: an estimate, from durations and measured ratios."""

    videos: int
    unusable: tuple[tuple[Item, Problem], ...]
    """Those that would fail, and why."""
    film_s: float
    work_s: float
    """Of one core."""
    jobs: int
    wall_s: float | None
    """None where a model is asked whose speed nobody has measured."""
    memory_mb: int
    output_mb: int
    cache_mb: int
    free_mb: int
    """Of the disk that the first result goes to."""
    models: tuple[str, ...]
    """What models take, in words."""
    cost: str
    """What services would be asked for, in words."""


@dataclass
class _Tally:
    """What adds up over the items."""

    film_s: float = 0.0
    work_s: float = 0.0
    model_s: float = 0.0
    output_bytes: float = 0.0
    cache_bytes: float = 0.0
    timed: bool = True
    memory_mb: Counter[str] = field(default_factory=Counter)
    sound_s: dict[str, float] = field(default_factory=dict)
    remote_s: dict[str, float] = field(default_factory=dict)


def estimated(items: Sequence[Item], jobs: int = 0) -> Estimate:
    """Return what a batch would take; nothing but the containers is read.

    Args:
        items: Its rows.
        jobs: Videos at once; 0 for what this machine holds.
    """
    jobs = jobs or jobs_here(len(items))
    tally, unusable, models = _Tally(), [], Models()
    with ThreadPoolExecutor(cores(), thread_name_prefix="look") as pool:
        for item, found in zip(items, pool.map(_looked_into, items), strict=True):
            if isinstance(found, Problem):
                unusable.append((item, found))
            else:
                _add(tally, item, found, uses_models=models.may_be_asked(item))
    here = next(folder for folder in items[0].output.absolute().parents if folder.exists())
    model_mb = max(tally.memory_mb.values(), default=0)
    return Estimate(
        videos=len(items),
        unusable=tuple(unusable),
        film_s=tally.film_s,
        work_s=tally.work_s,
        jobs=jobs,
        wall_s=max(tally.work_s / min(jobs, cores()), tally.model_s) if tally.timed else None,
        memory_mb=min(jobs, len(items)) * WORKER_MB + model_mb,
        output_mb=round(tally.output_bytes / 1e6),
        cache_mb=round(tally.cache_bytes / 1e6),
        free_mb=round(shutil.disk_usage(here).free / 1e6),
        models=tuple(_said(tally)),
        cost=", ".join(f"{seconds:.0f} s of sound from {name}" for name, seconds in tally.remote_s.items()),
    )


def _looked_into(item: Item) -> Clip | Problem:
    try:
        api.flow_of(item.settings)
        return api.look_into(item.video, item.settings)
    except FoleyError as error:
        return Problem.of(error)


def _add(tally: _Tally, item: Item, clip: Clip, *, uses_models: bool) -> None:
    duration_s, video = float(clip.duration_s), clip.video
    pixels_s = video.width_px * video.height_px * float(video.frame_rate)
    tally.film_s += duration_s
    tally.work_s += FIXED_S + duration_s * (PICTURE_S * pixels_s / PIXELS_S + SOUND_S)
    tally.output_bytes += item.video.stat().st_size + duration_s * SOUND_BYTES_S
    tally.cache_bytes += duration_s * SOUND_BYTES_S * KEPT
    if uses_models or _is_remote(item):
        _add_models(tally, item, duration_s)


def _is_remote(item: Item) -> bool:
    named = item.brief.generator
    try:
        return named != AUTO and bool(plugins.build("generator", named).capabilities.remote)
    except FoleyError:
        return False


def _add_models(tally: _Tally, item: Item, duration_s: float) -> None:
    """Add what models take, by `foley models plan`'s forecast: of the plan where there is one."""
    folder = api.destination(item.video, item.output).folder
    planned: Sequence[SoundEvent]
    try:
        planned = events.load(folder / "plan.yaml").events
    except FoleyError:
        bed = SoundEvent(
            id="e01",
            label="sound",
            kind="bed",
            bus="backgrounds",
            start_s=0.0,
            end_s=duration_s * SOUND_OF_MODELS,
            generator=item.brief.generator,
            because="",
        )
        planned = (bed,)
    for one in forecast.forecasts(planned, roster_of(takes_options(item))):
        name = one.model or one.generator
        if one.device == "remote":
            tally.remote_s[name] = tally.remote_s.get(name, 0.0) + one.sound_s
        elif one.memory_mb is None or one.memory_mb >= WORKER_MB:
            tally.sound_s[name] = tally.sound_s.get(name, 0.0) + one.sound_s
            tally.memory_mb[name] = max(tally.memory_mb[name], one.memory_mb or 0)
            tally.timed &= one.time_s is not None
            tally.model_s += one.time_s or 0.0


def _said(tally: _Tally) -> list[str]:
    """Return what each model would take, in words."""

    def memory_of(name: str) -> str:
        return f"about {tally.memory_mb[name]} MB" if tally.memory_mb[name] else "memory unknown"

    return [f"{name}: {seconds:.0f} s of sound, {memory_of(name)}" for name, seconds in tally.sound_s.items()]
