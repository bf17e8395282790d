"""What a program, a farm or an editor's script calls: `analyse`, `plan`, `render`, `run`."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from foley.deliver import outputs
from foley.dsp.profiles import ProfileName
from foley.errors import FoleyError, NotAMediaFileError, OutputExistsError, PlanError
from foley.media import ffmpeg, writer
from foley.model import (
    Brief,
    Clip,
    Delivery,
    Destination,
    Listening,
    Looks,
    Picture,
    PreviousMaster,
    SoundPlan,
    Source,
)
from foley.pipeline import manifest, runner, storage, workflow
from foley.pipeline.cache import Cache
from foley.pipeline.runner import Run, StageProgress, StageTime
from foley.pipeline.warm import warm_up
from foley.plan import events

Loudness = ProfileName


@dataclass(frozen=True, slots=True)
class Settings:
    """How to run, the same for every call."""

    workflow: str = workflow.DEFAULT
    """Name or file of the workflow."""
    workdir: Path | None = None
    """The cache folder; `default_workdir()` where None."""
    overwrite: bool = False
    """Replace what is there."""
    loudness: Loudness | None = None
    """Profile of the mix; the workflow's where None."""
    replace_audio: bool | None = None
    """Leave the clip's own tracks out; False keeps them and mutes what they have already; None: the workflow's."""
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Options of stages, by stage and name."""
    on_progress: Callable[[StageProgress], None] | None = None
    """Told how far the run is."""


@dataclass(frozen=True, slots=True)
class Analysis:
    """What was seen and heard in a clip."""

    clip: Clip
    picture: Picture
    looks: Looks
    listening: Listening


@dataclass(frozen=True, slots=True)
class PlanFile:
    """A plan and where it lies."""

    path: Path
    plan: SoundPlan
    notes: tuple[str, ...] = ()
    """What a person should know of how it was made."""


@dataclass(frozen=True, slots=True)
class Result:
    """A finished clip."""

    delivery: Delivery
    plan: SoundPlan
    times: tuple[StageTime, ...]
    """What each stage took; cached ones were done before."""

    @property
    def video(self) -> Path:
        """Return the finished video."""
        return self.delivery.video

    @property
    def folder(self) -> Path:
        """Return the folder with plan, takes, stems and report."""
        return self.delivery.folder


def analyse(video: str | Path, *, settings: Settings | None = None) -> Analysis:
    """Return what is seen and heard in a video: cuts, motion, impacts, speech.

    Raises:
        MediaError: where the file cannot be used.
    """
    done = _Runs(Path(video), settings or Settings(), sounding=False).see()
    return Analysis(done[Clip], done[Picture], done[Looks], done[Listening])


def plan(
    video: str | Path,
    *,
    prompt: str = "",
    brief: Brief | None = None,
    output: str | Path | None = None,
    settings: Settings | None = None,
) -> PlanFile:
    """Write the sound plan of a video, to edit before rendering.

    Args:
        video: The file.
        prompt: What is heard, in plain words.
        brief: All that can be asked for; instead of `prompt`.
        output: The finished video that the plan is for; the plan lies in the `.foley` folder beside it.
        settings: How to run.

    Raises:
        MediaError: where the file cannot be used.
        OutputExistsError: where another plan is there already.
    """
    to = destination(Path(video), output)
    outputs.refuse_input(to, Path(video))
    planned = _Runs(Path(video), settings or Settings()).plan(brief or Brief(prompt), to)
    if _is_another(to.folder / "plan.yaml", planned[SoundPlan]):
        outputs.forget_master(to.folder)
    return PlanFile(_save(planned), planned[SoundPlan], planned[Looks].notes)


def run(
    video: str | Path,
    *,
    prompt: str = "",
    brief: Brief | None = None,
    output: str | Path | None = None,
    settings: Settings | None = None,
) -> Result:
    """Give a video its sound: plan, make, fit, mix, check and mux.

    Args:
        video: The file.
        prompt: What is heard, in plain words.
        brief: All that can be asked for; instead of `prompt`.
        output: The finished video; CLIP.foley.EXT beside the input where None.
        settings: How to run.

    Raises:
        FoleyError: each kind of failure its own class, see `foley.errors`.
    """
    settings = settings or Settings()
    to = destination(Path(video), output)
    outputs.refuse_input(to, Path(video))
    if to.video.exists() and not settings.overwrite:
        raise OutputExistsError(to.video)
    runs = _Runs(Path(video), settings, delivers=True)
    planned = runs.plan(brief or Brief(prompt), to)
    _save(planned)
    return runs.finish(planned, PreviousMaster())


def render(plan_file: str | Path, *, settings: Settings | None = None) -> Result:
    """Render a plan that `plan` or `run` made and that may have been edited; only what changed is made again.

    What an earlier render of the same plan wrote is replaced; anything else only with `overwrite`.

    Raises:
        PlanError: where the plan cannot be used; names the line and the field.
        FoleyError: each kind of failure its own class, see `foley.errors`.
    """
    settings = settings or Settings()
    path = Path(plan_file)
    made = events.load(path)
    video = (path.parent / made.clip.path).resolve()
    to = outputs.destination_beside(path.parent, video)
    if to.video.exists() and not settings.overwrite and not outputs.is_ours(to):
        raise OutputExistsError(to.video)
    if not video.exists():
        raise PlanError(f"{path}: its clip {video} is not there", hint="put it back, or correct `path` in the plan")
    outputs.refuse_input(to, video, path)
    runs = _Runs(video, settings, delivers=True)
    seen = runs.see(to)
    if seen[Clip].key != made.clip.key:
        raise PlanError(
            f"{path} was made for another version of {video.name}", hint=f"make a new one: foley plan {video}"
        )
    products = {**seen.products, SoundPlan: made, Destination: to}
    return runs.finish(Run(products, seen.times), PreviousMaster(outputs.load_master(to.folder)))


def destination(video: Path, output: str | Path | None) -> Destination:
    """Return where the result of a video goes: CLIP.foley.EXT and the folder CLIP.foley, or beside a named output."""
    if not video.name:  # "." and "/": what is beside them has no name
        raise NotAMediaFileError(video, "is a folder, not a video")
    if output is None:
        finished = video.with_name(f"{video.stem}.foley{writer.suffix_like(video)}")
        return Destination(finished, video.with_name(f"{video.stem}.foley"))
    output = Path(output)
    if output.is_dir() or not output.suffix:
        return destination(output / video.name, None)
    # a link stays one: the video is written where it points to
    return Destination(
        output.resolve() if output.is_symlink() else output,
        output.with_name(f"{output.stem.removesuffix('.foley')}.foley"),
    )


def flow_of(settings: Settings) -> workflow.Workflow:
    """Return the workflow that the settings name, with the options that they choose.

    Raises:
        WorkflowError: where there is none, or it has no such option.
    """
    return workflow.load(settings.workflow).with_options(_choices(settings))


def look_into(video: Path, settings: Settings) -> Clip:
    """Return what a video's container says of it.

    Raises:
        MediaError: where the file cannot be used.
    """
    cache = Cache(settings.workdir or default_workdir())
    return runner.run(flow_of(settings), [_source(video)], [Clip], cache=cache)[Clip]


def default_workdir() -> Path:
    """Return the cache folder: FOLEY_CACHE where it is set, else the user's cache folder."""
    from platformdirs import user_cache_path

    named = os.environ.get("FOLEY_CACHE")
    return Path(named) if named else user_cache_path("foley")


class _Runs:
    """The parts of a run that the calls share."""

    def __init__(self, video: Path, settings: Settings, *, sounding: bool = True, delivers: bool = False) -> None:
        self.video, self.settings, self.delivers = video, settings, delivers
        ffmpeg.begin_probe(video.absolute())
        self.flow = flow_of(settings)
        self.cache = Cache(settings.workdir or default_workdir())
        warm_up(sounding=sounding)

    def see(self, to: Destination | None = None) -> Run:
        """Look at a clip; first make sure, where there is a destination, that the result can be written there."""
        probed = runner.run(self.flow, [_source(self.video)], [Clip], cache=self.cache)
        if to is not None:
            outputs.refuse_unwritable(to)
            writer.refuse_unfit(probed[Clip], to.video)
            if self.delivers:
                storage.refuse_full(probed[Clip], to, self.cache)
        seen = self._run([probed[Clip]], [Picture, Looks, Listening])
        return Run({**probed.products, **seen.products}, (*probed.times, *seen.times))

    def plan(self, brief: Brief, to: Destination) -> Run:
        seen = self.see(to)
        done = self._run([*(seen[kind] for kind in (Clip, Picture, Looks, Listening)), brief], [SoundPlan])
        done = Run({**seen.products, **done.products}, (*seen.times, *done.times))
        made = done[SoundPlan]
        made = replace(made, clip=replace(made.clip, path=_relative(self.video, to.folder)))
        if not self.settings.overwrite:
            _refuse_other_plan(to.folder / "plan.yaml", made)
        return Run({**done.products, SoundPlan: made, Destination: to}, done.times)

    def finish(self, planned: Run, previous: PreviousMaster) -> Result:
        kinds = (Clip, Picture, Looks, Listening, SoundPlan, Destination)
        given = [*(planned[kind] for kind in kinds), previous, manifest.provenance(self.flow)]
        done = self._run(given, [Delivery])
        return Result(done[Delivery], planned[SoundPlan], (*planned.times, *done.times))

    def _run(self, given: list[Any], wanted: list[type]) -> Run:
        return runner.run(self.flow, given, wanted, cache=self.cache, on_progress=self.settings.on_progress)


def _source(video: Path) -> Source:
    """Return the file with what tells whether it was changed since it was last looked into."""
    try:
        found = video.stat()
    except OSError:  # the probe says what is wrong with it
        return Source(video)
    return Source(video.absolute(), found.st_size, found.st_mtime_ns)


def _choices(settings: Settings) -> dict[str, dict[str, Any]]:
    choices = {stage: dict(options) for stage, options in settings.options.items()}
    if settings.loudness is not None:
        choices.setdefault("master", {})["loudness"] = settings.loudness
    if settings.replace_audio is not None:
        choices.setdefault("master", {})["original"] = "replace" if settings.replace_audio else "keep"
    if settings.replace_audio is False:  # asked for: both will be heard together
        choices.setdefault("ground", {}).setdefault("doubles", "mute")
    return choices


def _relative(video: Path, folder: Path) -> str:
    """Return the video's path as seen from the folder, so that both can be moved together."""
    return Path(os.path.relpath(video.resolve(), folder.resolve())).as_posix()


def _save(planned: Run) -> Path:
    """Write the plan into its folder; return where."""
    folder = planned[Destination].folder
    outputs.make_folder(folder)
    events.save(planned[SoundPlan], folder / "plan.yaml")
    return folder / "plan.yaml"


def _refuse_other_plan(path: Path, made: SoundPlan) -> None:
    """Keep a plan that somebody may have edited; the same plan, from a run that was cut off, is no other."""
    if _is_another(path, made):
        raise OutputExistsError(path)


def _is_another(path: Path, made: SoundPlan) -> bool:
    """Return whether another plan lies there."""
    try:
        return path.exists() and events.load(path) != made
    except FoleyError:
        return True
