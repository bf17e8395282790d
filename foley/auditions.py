"""What an editor listens to before deciding: one sound alone, and other takes of one event of a plan."""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from foley import plugins
from foley.api import Settings, default_workdir, flow_of, look_into
from foley.deliver import outputs
from foley.errors import OptionError, OutputExistsError, PlanError
from foley.media import ffmpeg
from foley.model import Clip, FittedTakes, Kind, SoundEvent, SoundPlan, Take, VideoStream
from foley.pipeline import runner
from foley.pipeline.cache import Cache
from foley.pipeline.warm import warm_up
from foley.plan import events

FOLDER = "auditions"
"""In a plan's folder: one folder for each event that was listened to."""

MOST_TAKES = 64
"""More nobody compares."""


@dataclass(frozen=True, slots=True)
class Sounds:
    """One sound, alone, in as many takes as were asked for."""

    files: tuple[Path, ...]
    event: SoundEvent
    generator: str
    """What made it."""
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Alternative:
    """One take of an event that may be picked."""

    number: int
    """From 1; the first is the take that the plan has now."""
    seed: int
    generator: str
    file: Path
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Audition:
    """The takes of one event, side by side."""

    page: Path
    """With a spectrogram and a player for each."""
    event: SoundEvent
    takes: tuple[Alternative, ...]


def sound(
    words: str,
    output: str | Path,
    *,
    kind: Kind | None = None,
    length_s: float | None = None,
    count: int = 1,
    seed: int = 0,
    settings: Settings | None = None,
) -> Sounds:
    """Make the sound that words name, alone, without a video; it begins with its file, or with what leads into it.

    Args:
        words: What is heard.
        output: The file; its suffix says how it is coded (WAV: 48 kHz, 24 bit). Several are numbered.
        kind: hits, span or bed; as such a sound usually is where None.
        length_s: How long its cause lasts.
        count: How many takes of it are made, each with a seed of its own.
        seed: Of the first.
        settings: How to run.

    Raises:
        PlanError: where the words name no known sound and no kind is given.
        OutputExistsError: where a file is there already.
        FoleyError: each kind of failure its own class, see `foley.errors`.
    """
    if not 1 <= count <= MOST_TAKES:
        raise OptionError(f"count must be 1 to {MOST_TAKES}, got {count}")
    if length_s is not None and not 0.05 <= length_s <= 3600.0:
        raise OptionError(f"length must be 0.05 to 3600 s, got {length_s:g}")
    from foley.plan.alone import alone  # reads words, which no other command needs at its start

    settings = settings or Settings()
    to = Path(output)
    files = (to,) if count == 1 else tuple(to.with_stem(f"{to.stem}-{number + 1}") for number in range(count))
    for file in files:
        if file.exists() and not settings.overwrite:
            raise OutputExistsError(file)
    plan = alone(words, kind=kind, length_s=length_s, seed=seed)
    _refuse_watchers(settings)
    cache = Cache(settings.workdir or default_workdir())  # until the takes are written: it keeps them from being pruned
    wishes = [(seed + number, "auto") for number in range(count)]
    takes = _made(_without_picture(plan), plan, wishes, settings=settings, cache=cache)
    for take, file in zip(takes, files, strict=True):
        _write(take, file)
    notes = dict.fromkeys((*plan.hints, *(note for take in takes for note in take.notes)))
    return Sounds(files, plan.events[0], takes[0].generator, tuple(notes))


def takes(
    plan_file: str | Path,
    event: str,
    *,
    count: int = 6,
    generators: Sequence[str] = (),
    settings: Settings | None = None,
) -> Audition:
    """Make other takes of one event of a plan, and a page to compare them; the plan stays as it is.

    Args:
        plan_file: The plan.
        event: Id of the event, or how it begins.
        count: How many takes, the present one among them.
        generators: Who makes them, in turn; as the event has it where empty.
        settings: How to run.

    Raises:
        PlanError: where the plan cannot be used, or has no such event.
        FoleyError: each kind of failure its own class, see `foley.errors`.
    """
    if not 1 <= count <= MOST_TAKES:
        raise OptionError(f"count must be 1 to {MOST_TAKES}, got {count}")
    settings = settings or Settings()
    path = Path(plan_file)
    plan = events.load(path)
    chosen = _event(plan, event, path)
    video = (path.parent / plan.clip.path).resolve()
    clip = look_into(video, settings)
    who = tuple(generators) or (chosen.generator,)
    wishes = [((chosen.seed + number // len(who)) % 2**31, who[number % len(who)]) for number in range(count)]
    cache = Cache(settings.workdir or default_workdir())
    made = _made(clip, replace(plan, events=(chosen,)), wishes, settings=settings, cache=cache)
    folder = path.parent / FOLDER / chosen.id
    alternatives = []
    for number, ((seed, _), take) in enumerate(zip(wishes, made, strict=True), start=1):
        outputs.place_copy(take.audio.path, folder / f"{number:02d}.wav")
        alternatives.append(Alternative(number, seed, take.generator, folder / f"{number:02d}.wav", take.notes))
    for old in folder.glob("[0-9][0-9].wav"):
        if old not in {alternative.file for alternative in alternatives}:
            old.unlink()
    listed = [{"take": each.number, "seed": each.seed, "generator": each.generator} for each in alternatives]
    outputs.write_text(folder / "takes.json", json.dumps({"event": chosen.id, "takes": listed}, indent=2) + "\n")
    from foley.deliver import contact_sheet  # draws

    page = contact_sheet.page(chosen, [(each.seed, take) for each, take in zip(alternatives, made, strict=True)])
    outputs.write_text(folder / "index.html", page)
    return Audition(folder / "index.html", chosen, tuple(alternatives))


def pick(plan_file: str | Path, event: str, take: int) -> SoundEvent:
    """Write the seed and the generator of an auditioned take into the plan; return the event as it is now.

    Raises:
        PlanError: where the plan cannot be used, has no such event, or no such take of it was made.
    """
    path = Path(plan_file)
    plan = events.load(path)
    chosen = _event(plan, event, path)
    record = path.parent / FOLDER / chosen.id / "takes.json"
    try:
        listed = {each["take"]: each for each in json.loads(record.read_text(encoding="utf-8"))["takes"]}
    except (OSError, ValueError, KeyError, TypeError) as cause:
        raise PlanError(f"no takes of {chosen.id} were made", hint=f"make some: foley takes {chosen.id}") from cause
    if take not in listed:
        raise PlanError(f"{chosen.id} has no take {take}", hint=f"there are 1 to {len(listed)}")
    found = replace(chosen, seed=int(listed[take]["seed"]), generator=str(listed[take]["generator"]))
    changed = tuple(found if each.id == found.id else each for each in plan.events)
    events.save(replace(plan, events=changed), path)
    return found


def _event(plan: SoundPlan, named: str, path: Path) -> SoundEvent:
    """Return the event of that id, or the only one whose id begins so."""
    found = [event for event in plan.events if event.id == named]
    found = found or [event for event in plan.events if event.id.startswith(named)]
    if len(found) == 1:
        return found[0]
    ids = [event.id for event in found or plan.events]
    near = ids if found else difflib.get_close_matches(named, ids, n=3, cutoff=0.3) or ids[:3]
    what = f"{len(found)} events begin with {named!r}" if found else f"{path} has no event {named!r}"
    raise PlanError(what, hint=f"there are: {', '.join(near)}")


def _made(
    clip: Clip, plan: SoundPlan, wishes: Sequence[tuple[int, str]], *, settings: Settings, cache: Cache
) -> list[Take]:
    """Return a fitted take of the plan's only event for each seed and generator."""
    (event,) = plan.events
    wanted = tuple(
        replace(event, id=f"{event.id}#{number}", seed=seed, generator=generator, muted=False)
        for number, (seed, generator) in enumerate(wishes)
    )
    flow = flow_of(settings)
    warm_up(sounding=True)
    given = [clip, replace(plan, events=wanted)]
    done = runner.run(flow, given, [FittedTakes], cache=cache, on_progress=settings.on_progress)
    by_event = {take.event_id: take for take in done[FittedTakes].items}
    return [by_event[each.id] for each in wanted]


def _refuse_watchers(settings: Settings) -> None:
    """Refuse a generator that looks at the picture, where there is none."""
    named = settings.options.get("takes", {}).get("generator", "auto")
    if named != "auto" and plugins.build("generator", named).capabilities.video:
        raise OptionError(f"{named} makes sound for a picture", hint="give it one: foley run VIDEO --generator ...")


def _without_picture(plan: SoundPlan) -> Clip:
    """Return what stands for the clip where there is none."""
    picture = VideoStream(0, "none", 2, 2, 0, plan.clip.frame_rate, 1 / plan.clip.frame_rate, False, "none")
    return Clip(Path("-"), "", "none", Fraction(0), plan.clip.duration_s, picture, (), (), 0, None)


def _write(take: Take, to: Path) -> None:
    """Write a take as the suffix asks."""
    outputs.make_folder(to.parent)
    if to.suffix.lower() == ".wav":
        outputs.place_copy(take.audio.path, to)
    else:
        ffmpeg.write("-i", take.audio.path, to=to)
