"""What a batch would take, said before anything is done; and what this machine holds."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from foley import api, plugins
from foley.batch import notes
from foley.batch.before import looked_over
from foley.batch.items import Item, Outcome, Problem
from foley.batch.machine import WORKER_MB, cores, jobs_here
from foley.batch.models import Models, takes_options
from foley.deliver import outputs
from foley.errors import FoleyError, OutputExistsError
from foley.model import Clip, SoundEvent
from foley.pipeline import eviction, storage
from foley.plan import events
from foley.render import forecast
from foley.render.routing import AUTO
from foley.render.takes import roster_of

BEGIN_S = 1.5
"""Of one core, before the first video is begun: this program and its rows."""

WARM_S = 4.0
"""Of one core, for each worker: started, its libraries loaded and compiled for the first video."""

FIXED_S = 0.6
"""Of one core for a video, however short: programs that are started, files that are written."""

PICTURE_S = 0.11
"""Of one core for a second of 1080p at 25 frames, and in proportion to the pixels; measured with H.264."""

SOUND_S = 0.17
"""Of one core for a second of sound, whatever the picture: heard, planned, made, mixed, measured, written."""

PIXELS_S = 1920 * 1080 * 25
"""Of that picture, in a second."""

SOUND_OF_MODELS = 2.0
"""Seconds of sound asked of a generator that is named, for a second of film that has no plan yet."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a batch would take: an estimate, from durations and measured ratios."""

    videos: int
    unusable: tuple[tuple[Item, Problem], ...]
    """Those that would fail, and why."""
    known: int
    """Those that were done before: they count for nothing in what follows."""
    film_s: float
    work_s: float
    """Of one core, start included."""
    jobs: int
    wall_s: float | None
    """None where a model is asked whose speed nobody has measured."""
    memory_mb: int
    output_mb: int
    cache_mb: int
    free_mb: int
    """Of the disk that the first result goes to."""
    missing_mb: int
    """Room that results and cache lack on their disks; 0 where all fits."""
    models: tuple[str, ...]
    """What models take, in words."""
    cost: str
    """What services would be asked for, in words."""


@dataclass
class _Tally:
    """What adds up over the items."""

    todo: int = 0
    known: int = 0
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
    """Return what a batch would take; of videos that were not begun nothing but the container is read.

    Args:
        items: Its rows.
        jobs: Videos at once; 0 for what this machine holds.
    """
    tally, unusable, models = _Tally(), [], Models()
    made: set[str] = set()
    with ThreadPoolExecutor(cores(), thread_name_prefix="look") as pool:
        for item, found in pool.map(_looked_into, looked_over(items)):
            if isinstance(found, Problem):
                unusable.append((item, found))
            elif found is None:
                tally.known += 1
            else:
                _add(tally, item, found, again=item.request in made, uses_models=models.may_be_asked(item))
                made |= {item.request} - {""}
    jobs = min(jobs or jobs_here(len(items)), max(1, tally.todo))
    warm_s = WARM_S * jobs if tally.todo else 0.0
    wall_s = BEGIN_S + max((warm_s + tally.work_s) / min(jobs, cores()), tally.model_s)
    to, cache = items[0].output.absolute().parent, items[0].settings.workdir or api.default_workdir()
    cache_bytes = min(tally.cache_bytes, eviction.limit_bytes() or math.inf)
    return Estimate(
        videos=len(items),
        unusable=tuple(unusable),
        known=tally.known,
        film_s=tally.film_s,
        work_s=BEGIN_S + warm_s + tally.work_s,
        jobs=jobs,
        wall_s=wall_s if tally.timed else None,
        memory_mb=jobs * WORKER_MB + max(tally.memory_mb.values(), default=0),
        output_mb=round(tally.output_bytes / 1e6),
        cache_mb=round(cache_bytes / 1e6),
        free_mb=round(storage.free_bytes(to) / 1e6),
        missing_mb=round(storage.lacking_bytes({to: tally.output_bytes, cache: cache_bytes}) / 1e6),
        models=tuple(_said(tally)),
        cost=", ".join(f"{seconds:.0f} s of sound from {name}" for name, seconds in tally.remote_s.items()),
    )


def _looked_into(looked: tuple[Item, Outcome | None]) -> tuple[Item, Clip | Problem | None]:
    """Return what an item's clip is; why it would fail, or None where it was done before."""
    item, outcome = looked
    if outcome is not None:
        return item, outcome.problem
    to = api.destination(item.video, item.output)
    try:
        api.flow_of(item.settings)
        outputs.refuse_unwritable(to)
        if to.video.exists() and not item.settings.overwrite and not notes.is_made(notes.identified(item), to):
            raise OutputExistsError(to.video)
        return item, api.look_into(item.video, item.settings)
    except FoleyError as error:
        return item, Problem.of(error)


def _add(tally: _Tally, item: Item, clip: Clip, *, again: bool, uses_models: bool) -> None:
    """Add what an item takes; where it is asked for again elsewhere, all but the files lies in the cache."""
    duration_s, video, written = float(clip.duration_s), clip.video, storage.estimate(clip)
    pixels_s = video.width_px * video.height_px * float(video.frame_rate)
    tally.todo += 1
    tally.film_s += duration_s
    tally.work_s += FIXED_S
    tally.output_bytes += written.output_bytes
    if again:
        return
    tally.work_s += duration_s * (PICTURE_S * pixels_s / PIXELS_S + SOUND_S)
    tally.cache_bytes += written.cache_bytes
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
