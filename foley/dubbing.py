"""What a program or a farm calls to localise a video: fill its M&E, mix and mux its languages."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from foley.api import Settings, default_workdir
from foley.deliver import languages as delivering
from foley.deliver import outputs
from foley.errors import FoleyError, OptionError, OutputExistsError, PlanError
from foley.media import ffmpeg
from foley.media import languages as muxing
from foley.media.language_names import language
from foley.model import Brief, Clip, Destination, FittedTakes, Listening, SoundPlan, Source
from foley.model.dub import (
    Conformed,
    DubDelivery,
    DubDestination,
    DubFile,
    DubJob,
    Fill,
    Gaps,
    LanguageMixes,
    MusicAndEffects,
    Refill,
    Separation,
)
from foley.pipeline import manifest, runner, workflow
from foley.pipeline.cache import Cache
from foley.pipeline.runner import Run, StageTime
from foley.pipeline.warm import warm_up
from foley.plan import events

WORKFLOW = "dubbing"
PLAN = "plan.yaml"


@dataclass(frozen=True, slots=True)
class DubSettings:
    """What is given beside the video, and how it is dubbed."""

    background: Path | None = None
    """Its sound without dialogue; separated where None."""
    dialogue: Path | None = None
    """Its dialogue alone."""
    dubs: Mapping[str, Path] = field(default_factory=dict)
    """Dialogue in other languages, by language: de, deu, pt-BR."""
    fill: Fill | None = None
    """How deep the M&E is filled; the workflow's where None."""
    plan: Path | None = None
    """A plan to fill by; made anew where None."""
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Options of the workflow's stages, by stage and name."""


@dataclass(frozen=True, slots=True)
class DubResult:
    """A dubbed video."""

    delivery: DubDelivery
    plan: SoundPlan
    """All that is planned; what of it was lost, and so was made, says the report."""
    times: tuple[StageTime, ...]

    @property
    def video(self) -> Path:
        """Return the video with all its tracks."""
        return self.delivery.video

    @property
    def folder(self) -> Path:
        """Return the folder with M&E, mixes, plan and report."""
        return self.delivery.folder


def me(
    video: str | Path,
    *,
    prompt: str = "",
    brief: Brief | None = None,
    given: DubSettings | None = None,
    output: Path | None = None,
    settings: Settings | None = None,
) -> DubResult:
    """Fill a video's M&E where its background lost effects under speech, mix each dub onto it, mux all languages.

    Args:
        video: The file.
        prompt: What is heard, in plain words.
        brief: All that can be asked for; instead of `prompt`.
        given: Background, dialogue, dubs.
        output: The finished video; CLIP.me.EXT beside the input where None.
        settings: How to run; its workflow is `dubbing` unless another is named.

    Raises:
        MediaError: where a file cannot be used, or a dub is longer than the picture.
        OutputExistsError: where something is there already.
        FoleyError: each kind of failure its own class, see `foley.errors`.
    """
    given, path, settings = given or DubSettings(), Path(video), settings or Settings()
    to = destination(path, output)
    muxing.refuse_unfit(to.video)
    job = _job(given)
    place = Destination(to.video, to.folder)
    outputs.refuse_input(place, path, *(dub.source.path for dub in job.dubs))
    if to.video.exists() and not settings.overwrite and not outputs.is_ours(place):
        raise OutputExistsError(to.video)
    runs = _DubRuns(path, job, to, given=given, settings=settings)
    return runs.finish(runs.plan(brief or Brief(prompt)))


def destination(video: Path, output: Path | None) -> DubDestination:
    """Return where a dub goes: CLIP.me.EXT and the folder CLIP.me, or beside a named output."""
    if output is None:
        return DubDestination(
            video.with_name(f"{video.stem}.me{muxing.suffix_for(video)}"), video.with_name(f"{video.stem}.me")
        )
    if output.is_dir() or not output.suffix:
        return destination(output / video.name, None)
    return DubDestination(output, output.with_name(f"{output.stem.removesuffix('.me')}.me"))


class _DubRuns:
    """The two parts of a dub: what is to be filled, and filling it."""

    def __init__(self, video: Path, job: DubJob, to: DubDestination, *, given: DubSettings, settings: Settings) -> None:
        self.video, self.job, self.to, self.given, self.settings = video, job, to, given, settings
        ffmpeg.begin_probe(video.absolute())
        self.flow = _flow(given, settings)
        self._refuse_options()
        self.cache = Cache(settings.workdir or default_workdir())
        warm_up(sounding=True)

    def plan(self, brief: Brief) -> Run:
        """Return all that is known before anything is made."""
        probed = self._run([_source(self.video)], [Clip])
        clip = probed[Clip]
        outputs.refuse_unwritable(Destination(self.to.video, self.to.folder))
        conformed = self._run([clip, self.job], [Conformed])  # first, as it may refuse a dub
        known: list[Any] = [clip, self.job, conformed[Conformed], brief]
        if self.given.plan is not None:
            known.append(_loaded(self.given.plan, clip))
        done = self._run(known, [SoundPlan, Listening, Separation, Gaps, Refill])
        self._save(done[SoundPlan])
        times = (*probed.times, *conformed.times, *done.times)
        return Run({**conformed.products, **done.products, Clip: clip}, times)

    def finish(self, planned: Run) -> DubResult:
        """Make what fills, mix, and write everything."""
        parts = planned[Refill].plan
        kinds = (Clip, DubJob, Conformed, Separation, Gaps, Refill)
        known = [*(planned[kind] for kind in kinds), parts, self.to, manifest.provenance(self.flow)]
        done = self._run(known, [FittedTakes, MusicAndEffects, LanguageMixes, DubDelivery])
        return DubResult(done[DubDelivery], planned[SoundPlan], (*planned.times, *done.times))

    def _refuse_options(self) -> None:
        """Refuse, before any work, a default language that no track has."""
        for step in self.flow.steps:
            if isinstance(step.options, delivering.LanguagesOptions):
                delivering.default_track(self.job, step.options.default_language)

    def _save(self, made: SoundPlan) -> None:
        """Write the plan beside the result; one that somebody may have edited is kept."""
        path = self.to.folder / PLAN
        made = replace(made, clip=replace(made.clip, path=_relative(self.video, self.to.folder)))
        if path.exists() and _read(path) != made:
            if self.given.plan is not None and self.given.plan.exists() and path.samefile(self.given.plan):
                return
            if not self.settings.overwrite:
                raise OutputExistsError(path)
        outputs.make_folder(self.to.folder)
        events.save(made, path)

    def _run(self, given: list[Any], wanted: list[type]) -> Run:
        return runner.run(self.flow, given, wanted, cache=self.cache, on_progress=self.settings.on_progress)


def _flow(given: DubSettings, settings: Settings) -> workflow.Workflow:
    named = WORKFLOW if settings.workflow == workflow.DEFAULT else settings.workflow
    options = {stage: dict(values) for stage, values in settings.options.items()}
    for stage, values in given.options.items():
        options[stage] = {**options.get(stage, {}), **values}
    if given.fill is not None:
        options.setdefault("refill", {})["fill"] = given.fill
    if settings.loudness is not None:
        options.setdefault("dub", {}).setdefault("loudness", settings.loudness)
    return workflow.load(named).with_options(options)


def _job(given: DubSettings) -> DubJob:
    """Return what is given as sources, each language once.

    Raises:
        OptionError: where a language is none, or stands for two dubs.
    """
    dubs = []
    for name, path in given.dubs.items():
        tongue = language(name)
        dubs.append(DubFile(tongue.code, tongue.title, name, _source(path)))
    titles = [dub.title for dub in dubs]
    if twice := next((title for title in titles if titles.count(title) > 1), None):
        raise OptionError(f"two dubs are in {twice}", hint="name a region, as in es-ES and es-MX")
    background, dialogue = (_source(path) if path else None for path in (given.background, given.dialogue))
    return DubJob(background, dialogue, tuple(dubs))


def _source(path: Path) -> Source:
    """Return the file with what tells whether it was changed since it was last looked into."""
    try:
        found = path.stat()
    except OSError:  # who reads it says what is wrong with it
        return Source(path)
    return Source(path.absolute(), found.st_size, found.st_mtime_ns)


def _loaded(path: Path, clip: Clip) -> SoundPlan:
    made = events.load(path)
    if made.clip.key != clip.key:
        raise PlanError(
            f"{path} was made for another version of {clip.path.name}", hint="leave --plan out for a new one"
        )
    return made


def _read(path: Path) -> SoundPlan | None:
    try:
        return events.load(path)
    except FoleyError:
        return None


def _relative(video: Path, folder: Path) -> str:
    """Return the video's path as seen from the folder, so that both can be moved together."""
    return Path(os.path.relpath(video.resolve(), folder.resolve())).as_posix()
