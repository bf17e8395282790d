"""What a plan sounds like now: from the cache where it was rendered, rendered first where it was not or was edited."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from foley import api
from foley.api import Settings
from foley.deliver import outputs
from foley.errors import PlanError
from foley.model import Arrangement, Clip, Mixdown, PreviousMaster, SoundPlan
from foley.pipeline import runner, workflow
from foley.pipeline.cache import Cache
from foley.plan import events


@dataclass(frozen=True, slots=True)
class Rendered:
    """A plan with its sound."""

    plan: SoundPlan
    clip: Clip
    arrangement: Arrangement
    mixdown: Mixdown
    cache: Cache
    """It names sounds by their content."""


def rendered(plan_file: Path, settings: Settings) -> Rendered:
    """Return a plan's sound; where the folder beside it holds another, or none, the plan is rendered into it first.

    Options that the last render had hold here too, unless the settings say otherwise.

    Raises:
        FoleyError: as `foley.api.render`.
    """
    folder = plan_file.parent
    settings = as_rendered(settings, folder)
    found = _sound(plan_file, settings)
    if _is_delivered(found.mixdown, folder):
        return found
    api.render(plan_file, settings=settings)
    return _sound(plan_file, settings)


def as_rendered(settings: Settings, folder: Path) -> Settings:
    """Return settings with the workflow and the options of the last render into a folder, where they name no others."""
    made = outputs.read_manifest(folder)
    named = made.get("workflow")
    if settings.workflow == workflow.DEFAULT and named in workflow.names():
        settings = replace(settings, workflow=str(named))
    options = made.get("options")
    kept = _known(options, workflow.load(settings.workflow)) if isinstance(options, dict) else {}
    for stage, chosen in settings.options.items():
        kept[stage] = {**kept.get(stage, {}), **chosen}
    return replace(settings, options=kept)


def _known(options: Mapping[str, Any], flow: workflow.Workflow) -> dict[str, dict[str, Any]]:
    """Return the options that this release still has and that differ from the workflow's own."""
    own = {step.stage.name: dataclasses.asdict(step.options) for step in flow.steps if step.options is not None}
    return {
        stage: {name: value for name, value in chosen.items() if name in own[stage] and value != own[stage][name]}
        for stage, chosen in options.items()
        if stage in own and isinstance(chosen, dict)
    }


def _sound(plan_file: Path, settings: Settings) -> Rendered:
    plan = events.load(plan_file)
    video = (plan_file.parent / plan.clip.path).resolve()
    if not video.exists():
        raise PlanError(
            f"{plan_file}: its clip {video} is not there", hint="put it back, or correct `path` in the plan"
        )
    seen = api.analyse(video, settings=settings)
    if seen.clip.key != plan.clip.key:
        raise PlanError(
            f"{plan_file} was made for another version of {video.name}", hint=f"make a new one: foley plan {video}"
        )
    cache = Cache(settings.workdir or api.default_workdir())
    previous = PreviousMaster(outputs.load_master(plan_file.parent))
    given = [seen.clip, seen.picture, seen.looks, seen.listening, plan, previous]
    flow = api.flow_of(settings)
    done = runner.run(flow, given, [Arrangement, Mixdown], cache=cache, on_progress=settings.on_progress)
    # the path as it was asked for: a copy under another name is the same clip to the cache
    return Rendered(plan, replace(seen.clip, path=video), done[Arrangement], done[Mixdown], cache)


def _is_delivered(mixdown: Mixdown, folder: Path) -> bool:
    """Return whether the folder holds the stems of this very mix."""
    kept = outputs.load_master(folder)
    if kept is None or kept.gain_db != mixdown.master.gain_db:
        return False
    stems = stem_paths(folder)
    there = all(name in stems and stems[name].is_file() for name in (*mixdown.stems, "mix"))
    return there and dict(kept.bus_keys) == dict(mixdown.master.bus_keys)


def stem_paths(folder: Path) -> dict[str, Path]:
    """Return the WAV files of the last render by what they hold: a bus, or the mix."""
    sounds = outputs.read_manifest(folder).get("sounds")
    named = [one for one in sounds if isinstance(one, dict)] if isinstance(sounds, list) else []
    return {
        str(one.get("holds")): folder / str(one.get("file"))
        for one in named
        if str(one.get("file")).endswith(".wav") and one.get("holds") != "take"
    }
